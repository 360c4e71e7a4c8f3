"""Layers that normalise or halve one axis: softmax, unit vectors and GLU."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import equal, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import STILL, Taps
from convcalc.algebra.types import Shape
from convcalc.layers.base import Fields, Layer, Shapes, Work
from convcalc.layers.demands import require
from convcalc.layers.formulas import FIELD, MIXED, WHOLE_FIELD, Seen, rules
from convcalc.layers.norm import _Norm
from convcalc.layers.shaping import axis_of

HALVED_SIZE = Formula(
    "half the size",
    "quotient(n, 2)",
    {"n": "size of the axis that is halved"},
    mistakes={"not halved": "n"},
    source="torch.nn.GLU",
)

HALVES_FIELD = Formula(
    "receptive field of two halves",
    "r + h*j",
    {"r": FIELD.symbols["r"], "h": "half the size of the axis", "j": FIELD.symbols["j"]},
    source="torch.nn.GLU: unit i reads i and i + h",
)


class GLU(Layer):
    """The first half of an axis times the sigmoid of the second, as `torch.nn.GLU` (arXiv:1612.08083).

    >>> GLU(dim=1).output_shape((2, 10))
    (2, 5)
    """

    dim: int = -1
    formulas = rules(
        size=(HALVED_SIZE, MIXED),
        field=(HALVES_FIELD, MIXED),
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) > 0, "expected an input of at least 1 axis, received a scalar")
        axis = axis_of(self.dim, len(x))
        require(equal(x[axis] % 2, 0), f"axis {axis} must have an even size, received {show_shape(x)}")
        return (*x[:axis], HALVED_SIZE(x[axis], axis=axis), *x[axis + 1 :])

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"activation": prod(output), "mul": prod(output)}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        axis = axis_of(self.dim, len(output))
        half = output[axis]
        if fields[0].axes[axis] is None:
            return fields[0]
        if not isinstance(half, int):
            return None
        return fields[0].through([Taps(1, (range(0, half + 1, half),)), *[STILL] * (len(output) - axis - 1)])

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along the axis that is halved; None for other axes."""
        r, j, a, extent = before[0]
        halved = axis == axis_of(self.dim, len(output))
        return Seen(HALVES_FIELD(r, output[axis], j), j, a, extent) if halved else None


class _Softmax(Layer):
    """A kind that normalises one axis by exponentials."""

    dim: int | None = None
    formulas = rules(field=(WHOLE_FIELD, MIXED))

    def _line(self, rank: int) -> int:
        """Return the axis that is normalised; torch's default is the first of 0, 1 or 3 axes, else the second."""
        if self.dim is None:
            return 0 if rank in (0, 1, 3) else 1
        return axis_of(self.dim, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self._line(len(x))
        return x

    def work(self, inputs: Shapes, output: Shape) -> Work:
        elements = prod(output)
        along = output[self._line(len(output))] if output else 1
        return {"exp": elements, "add": elements - elements // along, "mul": elements}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0].collapsed([self._line(len(output))]) if output else fields[0]


class Softmax(_Softmax):
    """Positive numbers that sum to 1 along an axis, as `torch.nn.Softmax`.

    >>> Softmax(dim=1).work([(2, 10)], (2, 10))
    {'exp': 20, 'add': 18, 'mul': 20}
    """

    torch_call = "{x}.softmax({dim})"


class Softmin(_Softmax):
    """The softmax of ``−x``, as `torch.nn.Softmin`.

    >>> Softmin(dim=1).output_shape((2, 10))
    (2, 10)
    """


class LogSoftmax(_Softmax):
    """The logarithm of a softmax, as `torch.nn.LogSoftmax`.

    >>> LogSoftmax(dim=1).work([(2, 10)], (2, 10))
    {'exp': 20, 'add': 38}
    """

    def work(self, inputs: Shapes, output: Shape) -> Work:
        work = super().work(inputs, output)
        return {"exp": work["exp"], "add": work["add"] + work["mul"]}  # a subtraction for each division


class Softmax2d(Layer, rank=2):
    """A softmax over the channels of (N, C, H, W) or (C, H, W), as `torch.nn.Softmax2d`.

    >>> Softmax2d().output_shape((2, 3, 8, 8))
    (2, 3, 8, 8)
    """

    any_rank = True

    def output_shape(self, *inputs: Shape) -> Shape:
        self.require_rank(inputs[0], 4, 3)
        return inputs[0]

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return Softmax(dim=-3).work(inputs, output)


class Normalize(_Norm):
    """Each vector along axis ``dim`` divided by its ``p``-norm, as `torch.nn.functional.normalize`.

    >>> Normalize(dim=-1).work([(1, 4, 8, 8)], (1, 4, 8, 8))["norm"]
    256
    """

    in_torch = False
    torch_call = "F.normalize({all}, {**rest})"

    p: float = 2.0
    dim: int = 1
    eps: float = 1e-12
    factory = False

    def _over(self, rank: int) -> list[int]:
        return [self.dim] if rank else []

    def output_shape(self, *inputs: Shape) -> Shape:
        axis_of(self.dim, len(inputs[0]))
        return inputs[0]
