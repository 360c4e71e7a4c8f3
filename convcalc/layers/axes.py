"""Layers that reorder, drop, add or stretch axes, named with their arguments after torch's functions.

None of them computes anything, and none has a module in torch.nn.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import Shape, at_least, equal, show, show_shape
from convcalc.algebra.field import Field
from convcalc.errors import ShapeError
from convcalc.layers.base import require
from convcalc.layers.shaping import _Moving, axes_of, axis_of


class _Reordering(_Moving):
    """What Permute and Transpose share."""

    def order_of(self, rank: int) -> tuple[int, ...]:
        """Which axis of an input of ``rank`` axes comes where; raises ShapeError."""
        raise NotImplementedError

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return tuple([x[i] for i in self.order_of(len(x))])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        axes = fields[0].axes
        return fields[0].moved([axes[i] for i in self.order_of(len(axes))])


class Permute(_Reordering):
    """The axes in another order, as `torch.permute`.

    >>> Permute((0, 2, 3, 1)).output_shape((1, 64, 7, 9))
    (1, 7, 9, 64)
    """

    dims: tuple[int, ...]

    def check(self) -> None:
        self.normalise(dims=self.several("dims"))

    def order_of(self, rank: int) -> tuple[int, ...]:
        if len(self.dims) != rank:
            raise ShapeError(f"orders {len(self.dims)} axes, received an input of {rank}")
        return axes_of(self.dims, rank)


class Transpose(_Reordering):
    """Two axes exchanged, as `torch.transpose`.

    >>> Transpose(1, 2).output_shape((1, 64, 49))
    (1, 49, 64)
    """

    dim0: int
    dim1: int

    def order_of(self, rank: int) -> tuple[int, ...]:
        axes = list(range(rank))
        a, b = axis_of(self.dim0, rank), axis_of(self.dim1, rank)
        if rank:
            axes[a], axes[b] = b, a
        return tuple(axes)


class Squeeze(_Moving):
    """Drop axes of size 1: all, or those among ``dim``, as `torch.squeeze`. Letters are assumed to exceed 1.

    >>> Squeeze().output_shape((1, 64, 1, 1))
    (64,)
    """

    dim: int | tuple[int, ...] | None = None

    def check(self) -> None:
        if isinstance(self.dim, (tuple, list)):
            self.normalise(dim=self.several("dim"))
        elif self.dim is not None:
            self.normalise(dim=self.dim_of("dim", self.dim))

    def dropped(self, x: Shape) -> set[int]:
        """The axes of ``x`` that go."""
        dims = range(len(x)) if self.dim is None else self.several("dim")
        axes = [i for i in axes_of(dims, len(x)) if i < len(x)]
        for i in axes:
            if not isinstance(x[i], int):
                require(at_least(x[i], 2), f"squeeze needs to know whether {show(x[i])} is 1")
        return {i for i in axes if x[i] == 1}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        gone = self.dropped(x)
        return tuple([n for i, n in enumerate(x) if i not in gone])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        gone = self.dropped(inputs[0])
        kept = tuple([axis for i, axis in enumerate(fields[0].axes) if i not in gone])
        return fields[0].collapsed(sorted(gone)).moved(kept)


class Unsqueeze(_Moving):
    """A new axis of size 1 before axis ``dim``, as `torch.unsqueeze`.

    >>> Unsqueeze(-1).output_shape((1, 64))
    (1, 64, 1)
    """

    dim: int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        axis = axis_of(self.dim, len(x) + 1)
        return (*x[:axis], 1, *x[axis:])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        axes = fields[0].axes
        axis = axis_of(self.dim, len(output))
        return fields[0].moved((*axes[:axis], None, *axes[axis:]))


class Expand(_Moving):
    """Axes of size 1 stretched, and new ones in front; -1 keeps a size. As `torch.Tensor.expand`.

    >>> Expand((8, -1, -1)).output_shape((1, 1, 768))
    (8, 1, 768)
    """

    sizes: Shape

    def check(self) -> None:
        sizes = self.several("sizes")
        if any(isinstance(n, int) and n < 1 and n != -1 for n in sizes):
            self.refuse(f"sizes must hold sizes of at least 1 or -1; received {sizes}")
        self.normalise(sizes=sizes)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        new = len(self.sizes) - len(x)
        if new < 0 or -1 in self.sizes[:new]:
            raise ShapeError(f"cannot expand {show_shape(x)} to {show_shape(self.sizes)}")
        for n, wanted in zip(x, self.sizes[new:]):
            if n != 1 and wanted != -1:
                require(equal(n, wanted), f"cannot expand {show_shape(x)} to {show_shape(self.sizes)}: {n} is not 1")
        return (*self.sizes[:new], *[n if wanted == -1 else wanted for n, wanted in zip(x, self.sizes[new:])])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        return stretched(fields[0], inputs[0], output)


def stretched(field: Field, before: Shape, after: Shape) -> Field:
    """The field after broadcasting: what is stretched from size 1 is a gate, and is held to see the whole."""
    new = len(after) - len(before)
    gone = [i for i, n in enumerate(before) if n == 1 and after[i + new] != 1]
    kept = field.collapsed(gone).gated() if gone else field
    return kept.moved((None,) * new + kept.axes)
