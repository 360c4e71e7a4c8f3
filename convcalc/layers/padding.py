"""Padding as a layer; negative padding crops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import as_dim, at_least, minimum, show
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import slide
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Fields, Shapes, _Idle, slid
from convcalc.layers.demands import require, require_axes
from convcalc.layers.formulas import START, UNCHANGED, Seen, rules

PADDED_SIZE = Formula(
    "padded size",
    "n + a + b",
    {"n": "input size", "a": "padding before", "b": "padding after"},
    mistakes={"padded on one side": "n + a", "padding subtracted": "n - a - b"},
    source="torch.nn.ZeroPad2d",
)


class _Pad(_Idle):
    """A border around the last axes."""

    any_rank = True
    padding: Any  # one number, or two for each axis, starting with the last axis
    fewest: ClassVar[int] = 2  # numbers in ``padding``
    border: ClassVar[str] = "zeros"  # as a convolution's ``padding_mode``
    formulas = rules(size=(PADDED_SIZE,), field=(UNCHANGED, START))

    def check(self) -> None:
        value = self.padding
        if not isinstance(value, (tuple, list)):
            value = (value,) * (2 * self.rank)
        elif len(value) % 2 or len(value) < self.fewest:
            self.refuse_argument("padding", f"takes one integer or two for each axis; received {value!r}")
        self.normalise(padding=self.dims_of("padding", value))

    def _repeats(self, name: str) -> int:
        return 2 * self.rank

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self._check_rank(x)
        sizes: list[Dim] = []
        for i, (before, after) in enumerate(zip(self.padding[::2], self.padding[1::2]), 1):
            self._check_sides(x[-i], before, after)
            sizes.insert(0, PADDED_SIZE(x[-i], before, after, axis=-i))
        return (*x[: len(x) - len(sizes)], *sizes)

    def _check_rank(self, x: Shape) -> None:
        axes = len(self.padding) // 2
        self.require_rank(x, axes + 2, axes + 1)

    def _check_sides(self, n: Dim, before: Dim, after: Dim) -> None:
        """Raise ShapeError where an axis of size ``n`` is too small for the padding on its two sides."""

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        befores = self.padding[-2::-2]
        taps = [slide(1, 1, n, 1)._replace(border=self.border) if isinstance(n, int) else None for n in befores]
        return slid(fields[0], taps)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along a padded axis: the same number of pixels, starting further out."""
        place = len(inputs[0]) - 1 - axis
        if 2 * place >= len(self.padding):
            return None
        r, j, a, extent = before[0]
        return Seen(r, j, START(a, self.padding[2 * place], j), extent)


class _ConstantPad(_Pad):
    """A border of one value."""

    value: Any
    fewest = 0

    def check(self) -> None:
        super().check()
        if not isinstance(self.value, (int, float, type(None))):
            self.refuse_argument("value", f"must be a number; received {self.value!r}")

    def _check_rank(self, x: Shape) -> None:
        require_axes(x, len(self.padding) // 2)

    def _check_sides(self, n: Dim, before: Dim, after: Dim) -> None:
        crop = -(minimum(before, 0) + minimum(after, 0))  # torch crops before it pads
        require(at_least(n, crop), f"cannot crop {show(crop)} elements from an input of {show(n)}")


class ConstantPad1d(_ConstantPad, rank=1):
    """A border of ``value`` around the last axis, as `torch.nn.ConstantPad1d`.

    >>> ConstantPad1d((3, 1), 3.5).output_shape((1, 4, 8))
    (1, 4, 12)
    """


class ConstantPad2d(_ConstantPad, rank=2):
    """A border of ``value`` around the last two axes (left, right, top, bottom), as `torch.nn.ConstantPad2d`.

    >>> ConstantPad2d((3, 0, 2, 1), 3.5).output_shape((1, 4, 8, 8))
    (1, 4, 11, 11)
    """


class ConstantPad3d(_ConstantPad, rank=3):
    """A border of ``value`` around the last three axes, the last one first, as `torch.nn.ConstantPad3d`.

    >>> ConstantPad3d(2, 3.5).output_shape((1, 4, 8, 8, 8))
    (1, 4, 12, 12, 12)
    """


class _ZeroPad(_ConstantPad):
    """A border of zeros."""

    value = 0.0
    order = "padding"


class ZeroPad1d(_ZeroPad, rank=1):
    """A border of zeros around the last axis, as `torch.nn.ZeroPad1d`.

    >>> ZeroPad1d((3, 1)).output_shape((1, 4, 8))
    (1, 4, 12)
    """


class ZeroPad2d(_ZeroPad, rank=2):
    """A border of zeros around the last two axes (left, right, top, bottom), as `torch.nn.ZeroPad2d`.

    >>> ZeroPad2d((3, 0, 2, 1)).output_shape((1, 4, 8, 8))
    (1, 4, 11, 11)
    """


class ZeroPad3d(_ZeroPad, rank=3):
    """A border of zeros around the last three axes, the last one first, as `torch.nn.ZeroPad3d`.

    >>> ZeroPad3d(2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 12, 12, 12)
    """


class _ReflectionPad(_Pad):
    """A border that mirrors the input."""

    border = "reflect"

    def _check_sides(self, n: Dim, before: Dim, after: Dim) -> None:
        for side in (before, after):
            require(at_least(n - 1, side), f"cannot reflect {show(side)} elements of an input of {show(n)}")


class ReflectionPad1d(_ReflectionPad, rank=1):
    """The last axis of (N, C, L) or (C, L) mirrored at both ends, as `torch.nn.ReflectionPad1d`.

    >>> ReflectionPad1d((3, 1)).output_shape((1, 4, 8))
    (1, 4, 12)
    """


class ReflectionPad2d(_ReflectionPad, rank=2):
    """The last two axes of (N, C, H, W) or (C, H, W) mirrored at their ends, as `torch.nn.ReflectionPad2d`.

    >>> ReflectionPad2d((3, 0, 2, 1)).output_shape((1, 4, 8, 8))
    (1, 4, 11, 11)
    """


class ReflectionPad3d(_ReflectionPad, rank=3):
    """The last three axes of (N, C, D, H, W) or (C, D, H, W) mirrored at their ends, as `torch.nn.ReflectionPad3d`.

    >>> ReflectionPad3d(2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 12, 12, 12)
    """


class _ReplicationPad(_Pad):
    """A border that repeats the edge."""

    border = "replicate"


class ReplicationPad1d(_ReplicationPad, rank=1):
    """The ends of (N, C, L) or (C, L) repeated, as `torch.nn.ReplicationPad1d`.

    >>> ReplicationPad1d((3, 1)).output_shape((1, 4, 8))
    (1, 4, 12)
    """


class ReplicationPad2d(_ReplicationPad, rank=2):
    """The edges of (N, C, H, W) or (C, H, W) repeated, as `torch.nn.ReplicationPad2d`.

    >>> ReplicationPad2d((3, 0, 2, 1)).output_shape((1, 4, 8, 8))
    (1, 4, 11, 11)
    """


class ReplicationPad3d(_ReplicationPad, rank=3):
    """The faces of (N, C, D, H, W) or (C, D, H, W) repeated, as `torch.nn.ReplicationPad3d`.

    >>> ReplicationPad3d(2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 12, 12, 12)
    """


class _CircularPad(_Pad):
    """A border that wraps around."""

    border = "circular"

    def _check_rank(self, x: Shape) -> None:
        super()._check_rank(x)
        self.require_rank(x)

    def _check_sides(self, n: Dim, before: Dim, after: Dim) -> None:
        for side, other in ((before, after), (after, before)):
            left = as_dim(n + minimum(other, 0))  # what is left to wrap after the other side is cropped
            require(at_least(left, side), f"cannot wrap {show(side)} elements of an input of {show(left)}")


class CircularPad1d(_CircularPad, rank=1):
    """(N, C, L) or (C, L) wrapped around at its ends, as `torch.nn.CircularPad1d`.

    >>> CircularPad1d((3, 1)).output_shape((1, 4, 8))
    (1, 4, 12)
    """


class CircularPad2d(_CircularPad, rank=2):
    """(N, C, H, W) or (C, H, W) wrapped around at its edges, as `torch.nn.CircularPad2d`.

    >>> CircularPad2d((3, 0, 2, 1)).output_shape((1, 4, 8, 8))
    (1, 4, 11, 11)
    """


class CircularPad3d(_CircularPad, rank=3):
    """(N, C, D, H, W) or (C, D, H, W) wrapped around at its faces, as `torch.nn.CircularPad3d`.

    >>> CircularPad3d(2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 12, 12, 12)
    """
