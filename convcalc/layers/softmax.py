"""Activations that mix along an axis: the softmax family and GLU.

Pointwise functions stand in `activation`; the softmax inside attention is tallied in `attention`.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import Shape, as_dim, equal, prod, show_shape
from convcalc.algebra.field import Field, Taps
from convcalc.layers.base import Layer
from convcalc.layers.checks import require, require_rank
from convcalc.layers.shaping import axis_of
from convcalc.layers.work import Work


class GLU(Layer):
    """The first half of an axis times the sigmoid of the second, as `torch.nn.GLU` (arXiv:1612.08083).

    >>> GLU(dim=1).output_shape((1, 8, 7, 7))
    (1, 4, 7, 7)
    """

    dim: int = -1

    def check(self) -> None:
        self.normalise(dim=as_dim(self.dim, "GLU: dim"))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) > 0, "expected an input of at least 1 axis, received a scalar")
        axis = axis_of(self.dim, len(x))
        require(equal(x[axis] % 2, 0), f"halves axis {axis}, whose size must be even, received {show_shape(x)}")
        return (*x[:axis], x[axis] // 2, *x[axis + 1 :])

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"activation": prod(output), "mul": prod(output)}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        axis = axis_of(self.dim, len(output))
        half = output[axis]
        if fields[0].axes[axis] is None:
            return fields[0]
        if not isinstance(half, int):
            return None
        both = Taps(1, (range(0, half + 1, half),))
        return fields[0].through([both, *[Taps(1, (range(1),))] * (len(output) - axis - 1)])


class _Softmax(Layer):
    """What the softmax family shares: each line along ``dim`` is normalised; without a ``dim`` torch picks one."""

    dim: int | None = None

    def check(self) -> None:
        if self.dim is not None:
            self.normalise(dim=as_dim(self.dim, f"{type(self).__name__}: dim"))

    def _line(self, rank: int) -> int:
        """The axis that is normalised; torch's own choice is the first axis for 0, 1 and 3 axes, else the second."""
        if self.dim is None:
            return 0 if rank in (0, 1, 3) else 1
        return axis_of(self.dim, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self._line(len(x))
        return x

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        elements = prod(output)
        along = output[self._line(len(output))] if output else 1
        return {"exp": elements, "add": elements - elements // along, "mul": elements}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed([self._line(len(output))]) if output else fields[0]


class Softmax(_Softmax):
    """Positive and summing to 1 along an axis, as `torch.nn.Softmax`: an exponential, a sum and a division.

    >>> Softmax(dim=1).work([(2, 10)], (2, 10))
    {'exp': 20, 'add': 18, 'mul': 20}
    """


class Softmin(_Softmax):
    """The softmax of ``−x``, as `torch.nn.Softmin`.

    >>> Softmin(dim=1).output_shape((2, 10))
    (2, 10)
    """


class LogSoftmax(_Softmax):
    """The logarithm of a softmax, as `torch.nn.LogSoftmax`: an exponential, a sum and a subtraction.

    >>> LogSoftmax(dim=1).work([(2, 10)], (2, 10))
    {'exp': 20, 'add': 38}
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        work = super().work(inputs, output)
        return {"exp": work["exp"], "add": work["add"] + work["mul"]}


class Softmax2d(Layer):
    """A softmax over the channels of (N, C, H, W) or (C, H, W), as `torch.nn.Softmax2d`.

    >>> Softmax2d().output_shape((2, 3, 12, 13))
    (2, 3, 12, 13)
    """

    def output_shape(self, *inputs: Shape) -> Shape:
        require_rank(inputs[0], 4, 3)
        return inputs[0]

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return Softmax(dim=-3).work(inputs, output)
