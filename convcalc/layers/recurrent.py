"""Recurrent layers over sequences, and their cells for a single step; packed sequences are not modelled.

Sources: Elman 1990, Hochreiter and Schmidhuber 1997, arXiv:1406.1078 (GRU), 1402.1128 (projections), torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from convcalc.algebra.dims import Dim, Shape, at_least, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, Output, Work, record, require_alike, require_rank, require_size

RECURRENT_MACS = Formula(
    "multiply–accumulates of a recurrent layer",
    "n*t*d*h*(g*(i + o) + p)",
    {
        "n": "batch size",
        "t": "steps",
        "d": "directions",
        "h": "hidden size",
        "g": "gates",
        "i": "input features",
        "o": "features fed back",
        "p": "projection size, or 0",
    },
    slips={
        "feedback forgotten": "n*t*d*h*(g*i + p)",
        "gates forgotten": "n*t*d*h*(i + o + p)",
        "steps forgotten": "n*d*h*(g*(i + o) + p)",
    },
    source="torch.nn.LSTM: each gate takes a product with the input and one with what was fed back",
)


MOST_LAYERS = 100_000  # each has tensors of its own, which are listed


class Step(NamedTuple):
    """What a step is made of: its gates and states, and what a hidden element costs once the products are known."""

    gates: int
    states: tuple[str, ...]
    activations: int
    products: int
    sums: int


PLAIN = Step(1, ("h_n",), activations=1, products=0, sums=0)
MEMORY = Step(4, ("h_n", "c_n"), activations=5, products=3, sums=1)  # i, f, g, o, tanh c; f·c + i·g, o·tanh c
RESET_UPDATE = Step(3, ("h_n",), activations=3, products=3, sums=2)  # r, z, n with r inside n; (1 − z)·n + z·h


class _Gated(Layer):
    arity = (1, 3)  # the input and its states

    input_size: Dim
    hidden_size: Dim
    bias: bool = True
    bidirectional = False
    proj_size = 0
    factory = True
    step: ClassVar[Step] = PLAIN

    @property
    def _fed_back(self) -> Dim:
        """Features of the hidden state."""
        return self.proj_size or self.hidden_size

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _called(self, input: Any, hx: Any, names: Sequence[str]) -> tuple[Any, ...]:
        states = () if hx is None else tuple(hx) if isinstance(hx, (tuple, list)) else (hx,)
        if states and len(states) != len(self.step.states):
            wanted = "one state" if len(self.step.states) == 1 else f"{len(self.step.states)} states in a tuple"
            raise SpecError(f"hx must be {wanted}; received {len(states)}", where=repr(self))
        output = record(self, input, *states)
        return output, *[record(Output(self, name), output, input, *states) for name in names]

    def _tensors(self, end: str, features: Dim) -> dict[str, Shape]:
        rows = self.step.gates * self.hidden_size
        tensors: dict[str, Shape] = {f"weight_ih{end}": (rows, features), f"weight_hh{end}": (rows, self._fed_back)}
        return {**tensors, f"bias_ih{end}": (rows,), f"bias_hh{end}": (rows,)} if self.bias else tensors

    def _tally(self, batch: Dim, steps: Dim, layers: Sequence[Dim]) -> Work:
        """The work of layers with so many input features each."""
        gates, _, activations, products, sums = self.step
        macs: Dim = 0
        for features in layers:
            sizes = (self.hidden_size, gates, features, self._fed_back, self.proj_size)
            macs = macs + RECURRENT_MACS(batch, steps, self._directions, *sizes)
        elements = batch * steps * self._directions * len(layers) * self.hidden_size
        return {
            "mac": macs,
            "bias": 2 * gates * elements if self.bias else 0,
            "add": (gates + sums) * elements,  # of each gate's two products, and within the cell
            "mul": products * elements,
            "activation": activations * elements,
        }


class _Elman(Layer):
    nonlinearity: str = "tanh"

    def check(self) -> None:
        super().check()
        self.one_of("nonlinearity", "tanh", "relu")


class _Recurrent(_Gated):
    num_layers: int = 1
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    order = "input_size hidden_size num_layers bias batch_first dropout bidirectional"

    def check(self) -> None:
        self.normalise(num_layers=self.positive("num_layers"))
        if not isinstance(self.num_layers, int) or self.num_layers > MOST_LAYERS:
            self.refuse(f"num_layers must be a number up to {MOST_LAYERS}; received {self.num_layers}")
        self.flags("bias", "batch_first", "bidirectional")  # the one family where torch does not take 1 for True
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, (int, float)) or not 0 <= self.dropout <= 1:
            self.refuse(f"dropout must lie between 0 and 1; received {self.dropout!r}")

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Record a call; returns the output and the last state, or a tuple of states where there are several."""
        output, *last = self._called(input, hx, self.step.states)
        return output, tuple(last) if len(last) > 1 else last[0]

    def _features(self) -> list[Dim]:
        """The input features of each layer."""
        return [self.input_size, *[self._directions * self._fed_back] * (self.num_layers - 1)]

    def weights(self) -> Mapping[str, Shape]:
        tensors: dict[str, Shape] = {}
        for layer, features in enumerate(self._features()):
            for direction in ("", "_reverse")[: self._directions]:
                tensors.update(self._tensors(f"_l{layer}{direction}", features))
                if self.proj_size:
                    tensors[f"weight_hr_l{layer}{direction}"] = (self.proj_size, self.hidden_size)
        return tensors

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        require_rank(x, 3, 2)
        require_size(x[-1], self.input_size, "input_size", "features")
        for received, (name, expected) in zip(states, self.further_outputs(x).items()):
            what = f"expected a state {name} of {show_shape(expected)}, received {show_shape(received)}"
            require_alike(received, expected, what)
        return (*x[:-1], self._directions * self._fed_back)

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        x = inputs[0]
        batch: Shape = () if len(x) == 2 else (x[0] if self.batch_first else x[1],)
        rows = self.num_layers * self._directions
        sizes = (self._fed_back, self.hidden_size)
        return {name: (rows, *batch, size) for name, size in zip(self.step.states, sizes)}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        batch, steps = (1, *output)[-3:-1]  # in either order
        return self._tally(batch, steps, self._features())

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        if not self.bidirectional or len(fields) > 1:
            return None  # in one direction each step sees one more than the step before
        return fields[0].collapsed([1 if self.batch_first and len(output) == 3 else 0, -1])

    def further_field(self, name: str, main: Field) -> Field | None:
        return None  # states have axes of their own


class RNN(_Elman, _Recurrent):
    """Elman's network over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.RNN`.

    >>> RNN(10, 20, 2).output_shape((5, 3, 10))
    (5, 3, 20)
    """

    order = "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional"


class LSTM(_Recurrent):
    """Long short-term memory over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.LSTM`.

    >>> LSTM(10, 20, 2).further_outputs((5, 3, 10))
    {'h_n': (2, 3, 20), 'c_n': (2, 3, 20)}
    """

    proj_size: Any = 0
    order = _Recurrent.order + " proj_size"
    step = MEMORY

    def check(self) -> None:
        super().check()
        if self.proj_size != 0:
            self.normalise(proj_size=self.positive("proj_size"))
            if at_least(self.hidden_size, self.proj_size + 1) is False:
                what = f"proj_size must be smaller than hidden_size; received {self.proj_size} and {self.hidden_size}"
                self.refuse(what)


class GRU(_Recurrent):
    """Gated recurrent units over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.GRU`.

    >>> GRU(10, 20, bidirectional=True).output_shape((5, 3, 10))
    (5, 3, 40)
    """

    step = RESET_UPDATE


class _Cell(_Gated):
    """One step of one layer in one direction, over (N, H_in) or (H_in)."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Record a call; returns the new state, or a tuple of states where there are several."""
        states = self._called(input, hx, self.step.states[1:])
        return states if len(states) > 1 else states[0]

    def weights(self) -> Mapping[str, Shape]:
        return self._tensors("", self.input_size)

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        require_rank(x, 2, 1)
        require_size(x[-1], self.input_size, "input_size", "features")
        expected = (*x[:-1], self.hidden_size)
        for received in states:
            what = f"expected a state of {show_shape(expected)}, received {show_shape(received)}"
            require_alike(received, expected, what)
        return expected

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        return dict.fromkeys(self.step.states[1:], (*inputs[0][:-1], self.hidden_size))

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return self._tally(prod(output[:-1]), 1, [self.input_size])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        joined = super().field(fields, inputs, output)
        return joined and joined.collapsed([-1])


class RNNCell(_Elman, _Cell):
    """One step of an `RNN`, as `torch.nn.RNNCell`.

    >>> RNNCell(10, 20).output_shape((3, 10))
    (3, 20)
    """


class LSTMCell(_Cell):
    """One step of an `LSTM`, as `torch.nn.LSTMCell`; a call returns the hidden state and the cell's.

    >>> LSTMCell(10, 20).output_shape((3, 10))
    (3, 20)
    """

    step = MEMORY


class GRUCell(_Cell):
    """One step of a `GRU`, as `torch.nn.GRUCell`.

    >>> GRUCell(10, 20).output_shape((3, 10))
    (3, 20)
    """

    step = RESET_UPDATE
