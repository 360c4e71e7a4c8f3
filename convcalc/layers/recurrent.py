"""Recurrent layers over sequences (not packed ones), and their cells for a single step.

Elman 1990, Hochreiter and Schmidhuber 1997, arXiv:1406.1078 (GRU), 1402.1128 (projections), torch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import at_least, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import SpecError
from convcalc.layers.base import Fields, Layer, Shapes, Tensors, Work, record
from convcalc.layers.checks import Flag
from convcalc.layers.demands import require_alike, require_size
from convcalc.layers.formulas import WHOLE_FIELD, rules

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
    mistakes={
        "feedback forgotten": "n*t*d*h*(g*i + p)",
        "gates forgotten": "n*t*d*h*(i + o + p)",
        "steps forgotten": "n*d*h*(g*(i + o) + p)",
    },
    source="torch.nn.LSTM: each gate has a product with the input and one with what is fed back",
)

RECURRENT_FEATURES = Formula(
    "output features of a recurrent layer",
    "d*o",
    {"d": "directions", "o": "features fed back: hidden_size, or proj_size where there is one"},
    mistakes={"one direction only": "o"},
    source="torch.nn.LSTM",
)

MOST_LAYERS = 100_000  # each adds its tensors to a list


class _Gated(Layer):
    """What recurrent layers and cells share."""

    infers = {"input_size": -1}
    arity = (1, 3)  # the input and its states
    states: ClassVar[tuple[str, ...]] = ("h_n",)
    gates = 1
    activations, products, sums = 1, 0, 0  # per hidden element, after the gates' products

    input_size: Dim
    hidden_size: Dim
    bias: bool = True
    bidirectional = False
    proj_size = 0
    factory = True
    formulas = rules(channels=(RECURRENT_FEATURES,), macs=(RECURRENT_MACS,))

    def torch_inputs(self, shapes: Sequence[Shape], read: Collection[str]) -> str:
        """Return the input and its states, two states as a tuple."""
        return "{all}" if len(shapes) < 3 else "{x}, ({y}, {z})"

    @property
    def _fed_back(self) -> Dim:
        return self.proj_size or self.hidden_size

    @property
    def _directions(self) -> int:
        return 1 + self.bidirectional

    def _called(self, input: Any, hx: Any, names: Sequence[str]) -> tuple[Any, ...]:
        states = () if hx is None else tuple(hx) if isinstance(hx, (tuple, list)) else (hx,)
        number = len(self.states)
        if states and len(states) != number:
            wanted = "one state" if number == 1 else f"{number} states in a tuple"
            raise SpecError(f"hx must be {wanted}; received {len(states)}", where=repr(self))
        output = record(self, input, *states)
        return output, *[self.further(name, output, input, *states) for name in names]

    def _tensors(self, end: str, features: Dim) -> dict[str, Shape]:
        rows = self.gates * self.hidden_size
        tensors: dict[str, Shape] = {f"weight_ih{end}": (rows, features), f"weight_hh{end}": (rows, self._fed_back)}
        return tensors | {f"bias_ih{end}": (rows,), f"bias_hh{end}": (rows,)} if self.bias else tensors

    def _tally(self, batch: Dim, steps: Dim, layers: Sequence[Dim]) -> Work:
        """Return the work of layers with these numbers of input features."""
        sizes = (batch, steps, self._directions, self.hidden_size)
        fed_back, projected = self._fed_back, self.proj_size
        elements = prod(sizes) * len(layers)
        return {
            "mac": sum([RECURRENT_MACS(*sizes, self.gates, features, fed_back, projected) for features in layers]),
            "bias": 2 * self.gates * elements if self.bias else 0,
            "add": (self.gates + self.sums) * elements,  # of each gate's two products, and within the cell
            "mul": self.products * elements,
            "activation": self.activations * elements,
        }


class _Elman(Layer):
    """A simple recurrence without gates."""

    nonlinearity: str = "tanh"

    def check(self) -> None:
        super().check()
        self.one_of("nonlinearity", "tanh", "relu")


class _Memory(_Gated):
    """The gates of long short-term memory."""

    states = ("h_n", "c_n")
    gates = 4
    activations, products, sums = 5, 3, 1  # i, f, g, o, tanh c; f·c + i·g, o·tanh c


class _ResetUpdate(_Gated):
    """The reset and update gates."""

    gates = 3
    activations, products, sums = 3, 3, 2  # r, z, n with r inside n; (1 − z)·n + z·h


class _Recurrent(_Gated):
    """One or several recurrent layers over a sequence."""

    num_layers: int = 1
    bias: Flag = True  # the only family where torch does not accept 1 for True
    batch_first: Flag = False
    dropout: float = 0.0
    bidirectional: Flag = False
    order = "input_size hidden_size num_layers bias batch_first dropout bidirectional"
    formulas = rules(
        field=(
            WHOLE_FIELD,
            "this holds with bidirectional; in one direction each step sees one more than the one before",
        )
    )

    def check(self) -> None:
        self.positive("num_layers", self.num_layers)
        if not isinstance(self.num_layers, int) or self.num_layers > MOST_LAYERS:
            self.refuse_argument("num_layers", f"must be an integer up to {MOST_LAYERS}; received {self.num_layers}")
        if isinstance(self.dropout, bool) or not 0 <= self.dropout <= 1:
            self.refuse_argument("dropout", f"must be between 0 and 1; received {self.dropout!r}")

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Record a call and return the output and the last state, a tuple of states where there are several."""
        output, *last = self._called(input, hx, self.states)
        return output, tuple(last) if len(last) > 1 else last[0]

    def _features(self) -> list[Dim]:
        """Return the input features of each layer."""
        return [self.input_size, *[self._directions * self._fed_back] * (self.num_layers - 1)]

    def weights(self) -> Tensors:
        tensors: dict[str, Shape] = {}
        for layer, features in enumerate(self._features()):
            for direction in ("", "_reverse")[: self._directions]:
                end = f"_l{layer}{direction}"
                tensors |= self._tensors(end, features)
                if self.proj_size:
                    tensors[f"weight_hr{end}"] = (self.proj_size, self.hidden_size)
        return tensors

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        self.require_rank(x, 3, 2)
        require_size(x[-1], self.input_size, "input_size", "features")
        for received, (name, expected) in zip(states, self.further_outputs(x).items()):
            what = f"expected a state {name} of {show_shape(expected)}, received {show_shape(received)}"
            require_alike(received, expected, what)
        return (*x[:-1], RECURRENT_FEATURES(self._directions, self._fed_back, axis=-1))

    def further_outputs(self, *inputs: Shape) -> Tensors:
        x = inputs[0]
        batch: Shape = () if len(x) == 2 else (x[0] if self.batch_first else x[1],)
        rows = self.num_layers * self._directions
        sizes = (self._fed_back, self.hidden_size)
        return {name: (rows, *batch, size) for name, size in zip(self.states, sizes)}

    def work(self, inputs: Shapes, output: Shape) -> Work:
        batch, steps = (1, *output)[-3:-1]  # or batch_first's order, which makes no difference
        return self._tally(batch, steps, self._features())

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        if not self.bidirectional or len(fields) > 1:
            return None  # in one direction each step sees one more than the one before
        return fields[0].collapsed([int(self.batch_first and len(output) == 3), -1])

    def further_field(self, name: str, main: Field) -> Field | None:
        return None  # states have axes of their own


class RNN(_Elman, _Recurrent):
    """Elman's recurrent network over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.RNN`.

    >>> RNN(10, 20, 2).output_shape((5, 3, 10))
    (5, 3, 20)
    """

    order = "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional"


class LSTM(_Memory, _Recurrent):
    """Long short-term memory over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.LSTM`.

    >>> LSTM(10, 20, 2).further_outputs((5, 3, 10))
    {'h_n': (2, 3, 20), 'c_n': (2, 3, 20)}
    """

    proj_size: Any = 0
    order = _Recurrent.order + " proj_size"

    def check(self) -> None:
        super().check()
        if self.proj_size != 0:
            self.normalise(proj_size=self.positive("proj_size", self.proj_size))
            if at_least(self.hidden_size, self.proj_size + 1) is False:
                sizes = f"{self.proj_size} and {self.hidden_size}"
                self.refuse_argument("proj_size", f"must be smaller than hidden_size; received {sizes}", "hidden_size")


class GRU(_ResetUpdate, _Recurrent):
    """Gated recurrent units over (L, N, H_in), (N, L, H_in) with ``batch_first``, or (L, H_in), as `torch.nn.GRU`.

    >>> GRU(10, 20, bidirectional=True).output_shape((5, 3, 10))
    (5, 3, 40)
    """


class _Cell(_Gated):
    """One step of a recurrent layer."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Record a call and return the new state, a tuple of states where there are several."""
        states = self._called(input, hx, self.states[1:])
        return states if len(states) > 1 else states[0]

    def weights(self) -> Tensors:
        return self._tensors("", self.input_size)

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *states = inputs
        self.require_rank(x, 2, 1)
        require_size(x[-1], self.input_size, "input_size", "features")
        expected = (*x[:-1], RECURRENT_FEATURES(1, self.hidden_size, axis=-1))
        for received in states:
            what = f"expected a state of {show_shape(expected)}, received {show_shape(received)}"
            require_alike(received, expected, what)
        return expected

    def further_outputs(self, *inputs: Shape) -> Tensors:
        return dict.fromkeys(self.states[1:], (*inputs[0][:-1], self.hidden_size))

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(prod(output[:-1]), 1, [self.input_size])

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        joined = super().field(fields, inputs, output)
        return joined and joined.collapsed([-1])


class RNNCell(_Elman, _Cell):
    """One step of an `RNN` over (N, H_in) or (H_in), as `torch.nn.RNNCell`.

    >>> RNNCell(10, 20).output_shape((3, 10))
    (3, 20)
    """


class LSTMCell(_Memory, _Cell):
    """One step of an `LSTM` over (N, H_in) or (H_in), as `torch.nn.LSTMCell`.

    >>> LSTMCell(10, 20).output_shape((3, 10))
    (3, 20)
    """


class GRUCell(_ResetUpdate, _Cell):
    """One step of a `GRU` over (N, H_in) or (H_in), as `torch.nn.GRUCell`.

    >>> GRUCell(10, 20).output_shape((3, 10))
    (3, 20)
    """
