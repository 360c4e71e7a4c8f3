"""Layers that take the mean or the sum over whole axes, as torch's functions of these names.

They have no weights and no counterpart in torch.nn; methods of the symbolic tensor record them. Pooling over windows
stands in `pool`.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import Shape, as_dim, prod
from convcalc.algebra.field import Field
from convcalc.layers.base import Layer
from convcalc.layers.shaping import axes_of
from convcalc.layers.work import Work


class Sum(Layer):
    """The sum over the axes ``dim`` (all, where it is None), which stay with size 1 if ``keepdim``; as `torch.sum`.

    >>> Sum(1).output_shape((2, 8, 7, 7))
    (2, 7, 7)
    """

    dim: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def check(self) -> None:
        if isinstance(self.dim, (tuple, list)):
            self.normalise(dim=tuple([as_dim(item, f"{type(self).__name__}: dim") for item in self.dim]))
        elif self.dim is not None:
            self.normalise(dim=as_dim(self.dim, f"{type(self).__name__}: dim"))

    def reduced(self, rank: int) -> tuple[int, ...]:
        """The axes that are summed over; raises ShapeError where one is missing."""
        dims = self.dim if isinstance(self.dim, tuple) else () if self.dim is None else (self.dim,)
        return axes_of(dims or range(rank), rank)  # no axes named: all, as in torch

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        gone = self.reduced(len(x))
        if self.keepdim:
            return tuple([1 if i in gone else n for i, n in enumerate(x)])
        return tuple([n for i, n in enumerate(x) if i not in gone])

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(inputs[0])}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        gone = [i for i in self.reduced(len(inputs[0])) if i < len(inputs[0])]
        field = fields[0].collapsed(gone)
        return field if self.keepdim else field.moved([axis for i, axis in enumerate(field.axes) if i not in gone])


class Mean(Sum):
    """The mean over the axes ``dim`` (all, where it is None), which stay with size 1 if ``keepdim``; as `torch.mean`.

    >>> Mean((2, 3)).output_shape((1, 512, 7, 7))
    (1, 512)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(inputs[0]), "mul": prod(output)}
