"""Recurrent layers: RNN, LSTM and GRU over sequences, and their cells for a single step.

Sources: Elman 1990, Hochreiter and Schmidhuber 1997, Cho et al. (arXiv:1406.1078), for projections Sak et al.
(arXiv:1402.1128), and torch's documentation. Packed sequences are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from convcalc.algebra.dims import Dim, Shape, at_least, equal, prod, show_shape, truth
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, Output, record
from convcalc.layers.checks import require, require_rank, require_size
from convcalc.layers.work import Work

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
    """What sequences and single cells share: sizes, and the work of a step."""

    arity: ClassVar[tuple[int, int]] = (1, 3)  # the input and its states

    input_size: Dim
    hidden_size: Dim
    bias: bool = True
    factory: ClassVar[bool] = True
    step: ClassVar[Step] = PLAIN

    def check(self) -> None:
        self.normalise(input_size=self.positive("input_size"), hidden_size=self.positive("hidden_size"))

    def step_work(self, steps: Dim, macs: Dim) -> Work:
        """The work of so many steps, each of one instance, one direction and one layer."""
        elements = steps * self.hidden_size
        return {
            "mac": macs,
            "bias": 2 * self.step.gates * elements if self.bias else 0,
            "add": (self.step.gates + self.step.sums) * elements,  # of each gate's two products, and within the cell
            "mul": self.step.products * elements,
            "activation": self.step.activations * elements,
        }

    def _given_states(self, hx: Any) -> tuple[Any, ...]:
        """What was given as ``hx``, as a tuple of states; raises SpecError."""
        states = () if hx is None else tuple(hx) if isinstance(hx, (tuple, list)) else (hx,)
        if states and len(states) != len(self.step.states):
            wanted = "one state" if len(self.step.states) == 1 else f"{len(self.step.states)} states in a tuple"
            raise SpecError(f"hx must be {wanted}; received {len(states)}", where=repr(self))
        return states


class _Recurrent(_Gated):
    """What recurrent layers over sequences share."""

    num_layers: int = 1
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    order: ClassVar[tuple[str, ...]] = (
        *("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"),
    )

    def check(self) -> None:
        super().check()
        self.normalise(num_layers=self.positive("num_layers"))
        if not isinstance(self.num_layers, int):
            raise SpecError(f"num_layers must be a number; received {self.num_layers}", where=type(self).__name__)
        for name in ("bias", "batch_first", "bidirectional"):
            if not isinstance(getattr(self, name), bool):  # the one family where torch does not take 1 for True
                what = f"{name} must be True or False; received {getattr(self, name)!r}"
                raise SpecError(what, where=type(self).__name__)
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, (int, float)) or not 0 <= self.dropout <= 1:
            raise SpecError(f"dropout must lie between 0 and 1; received {self.dropout!r}", where=type(self).__name__)

    def __call__(self, input: Any, hx: Any = None) -> Any:
        """Record a call; returns the output and the last state, or a tuple of states where there are several."""
        inputs = (input, *self._given_states(hx))
        output = record(self, *inputs)
        last = tuple(record(Output(self, name), output, *inputs) for name in self.step.states)
        return output, last if len(last) > 1 else last[0]

    @property
    def _projection(self) -> Dim:
        """The size that the hidden state is projected to; 0 without a projection."""
        return 0

    @property
    def _fed_back(self) -> Dim:
        """Features of the hidden state, as it is fed back and given out."""
        return self._projection or self.hidden_size

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _layer_inputs(self) -> Iterator[tuple[int, Dim]]:
        """The number and the input features of each layer."""
        for layer in range(self.num_layers):
            yield layer, self._directions * self._fed_back if layer else self.input_size

    def weights(self) -> Mapping[str, Shape]:
        rows = self.step.gates * self.hidden_size
        tensors: dict[str, Shape] = {}
        for layer, features in self._layer_inputs():
            for direction in ("", "_reverse")[: self._directions]:
                end = f"_l{layer}{direction}"
                tensors["weight_ih" + end] = (rows, features)
                tensors["weight_hh" + end] = (rows, self._fed_back)
                if self.bias:
                    tensors.update({"bias_ih" + end: (rows,), "bias_hh" + end: (rows,)})
                if self._projection:
                    tensors["weight_hr" + end] = (self._projection, self.hidden_size)
        return tensors

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        require_rank(x, 3, 2)
        require_size(x[-1], self.input_size, "input_size", "features")
        for received, (name, expected) in zip(states, self.further_outputs(x).items()):
            what = f"expected a state {name} of {show_shape(expected)}, received {show_shape(received)}"
            require(len(received) == len(expected), what)
            for m, n in zip(received, expected):
                require(equal(m, n), what)
        return (*x[:-1], self._directions * self._fed_back)

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        x = inputs[0]
        batch: Shape = () if len(x) == 2 else (x[0] if self.batch_first else x[1],)
        rows = self.num_layers * self._directions
        sizes = (self._fed_back, self.hidden_size)
        return {name: (rows, *batch, size) for name, size in zip(self.step.states, sizes)}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        macs: Dim = 0
        batch, steps = (1, output[0]) if len(output) == 2 else (output[0], output[1])  # their order does not matter
        for _, features in self._layer_inputs():
            sizes = (self.hidden_size, self.step.gates, features, self._fed_back, self._projection)
            macs = macs + RECURRENT_MACS(batch, steps, self._directions, *sizes)
        return self.step_work(prod(output[:-1]) * self._directions * self.num_layers, macs)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        if not self.bidirectional or len(fields) > 1:
            return None  # in one direction each step sees one more than the step before
        return fields[0].collapsed([1 if self.batch_first and len(output) == 3 else 0, -1])

    def further_field(self, name: str, main: Field) -> Field | None:
        return None  # states have axes of their own


class RNN(_Recurrent):
    """Elman's network over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.RNN`.

    >>> RNN(10, 20, 2).output_shape((5, 3, 10))
    (5, 3, 20)
    """

    nonlinearity: str = "tanh"
    order: ClassVar[tuple[str, ...]] = (
        *("input_size", "hidden_size", "num_layers", "nonlinearity", "bias", "batch_first", "dropout"),
        "bidirectional",
    )

    def check(self) -> None:
        super().check()
        self.one_of("nonlinearity", ("tanh", "relu"))


class LSTM(_Recurrent):
    """Long short-term memory over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.LSTM`.

    >>> LSTM(10, 20, 2).further_outputs((5, 3, 10))
    {'h_n': (2, 3, 20), 'c_n': (2, 3, 20)}
    """

    proj_size: Dim = 0
    order: ClassVar[tuple[str, ...]] = (*_Recurrent.order, "proj_size")
    step = MEMORY

    def check(self) -> None:
        super().check()
        if self.proj_size != 0:
            self.normalise(proj_size=self.positive("proj_size"))
            if truth(at_least(self.hidden_size, self.proj_size + 1)) is False:
                what = f"proj_size must be smaller than hidden_size; received {self.proj_size} and {self.hidden_size}"
                raise SpecError(what, where="LSTM")

    @property
    def _projection(self) -> Dim:
        return self.proj_size


class GRU(_Recurrent):
    """Gated recurrent units over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.GRU`.

    >>> GRU(10, 20, bidirectional=True).output_shape((5, 3, 10))
    (5, 3, 40)
    """

    step = RESET_UPDATE


class _Cell(_Gated):
    """What the cells share: one step of one layer in one direction, over (N, H_in) or (H_in)."""

    def __call__(self, input: Any, hx: Any = None) -> Any:
        """Record a call; returns the new state, or a tuple of states where there are several."""
        inputs = (input, *self._given_states(hx))
        output = record(self, *inputs)
        rest = tuple(record(Output(self, name), output, *inputs) for name in self.step.states[1:])
        return (output, *rest) if rest else output

    def weights(self) -> Mapping[str, Shape]:
        rows = self.step.gates * self.hidden_size
        tensors: dict[str, Shape] = {"weight_ih": (rows, self.input_size), "weight_hh": (rows, self.hidden_size)}
        return {**tensors, "bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else tensors

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        require_rank(x, 2, 1)
        require_size(x[-1], self.input_size, "input_size", "features")
        expected = (*x[:-1], self.hidden_size)
        for received in states:
            what = f"expected a state of {show_shape(expected)}, received {show_shape(received)}"
            require(len(received) == len(expected), what)
            for m, n in zip(received, expected):
                require(equal(m, n), what)
        return expected

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        return dict.fromkeys(self.step.states[1:], (*inputs[0][:-1], self.hidden_size))

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        batch = prod(output[:-1])
        return self.step_work(
            batch, RECURRENT_MACS(batch, 1, 1, self.hidden_size, self.step.gates, self.input_size, self.hidden_size, 0)
        )

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        joined = super().field(fields, inputs, output)
        return joined and joined.collapsed([-1])


class RNNCell(_Cell):
    """One step of an `RNN`, as `torch.nn.RNNCell`.

    >>> RNNCell(10, 20).output_shape((3, 10))
    (3, 20)
    """

    nonlinearity: str = "tanh"

    def check(self) -> None:
        super().check()
        self.one_of("nonlinearity", ("tanh", "relu"))


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
