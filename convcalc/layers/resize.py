"""Upsampling, pixel shuffles, and the channel shuffle; sizes and source positions are those of torch's CPU kernels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isfinite
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape, equal, is_symbolic, prod, show, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, Reach, Taps, slide
from convcalc.errors import ShapeError
from convcalc.layers.adaptive import adaptive_field, average_work
from convcalc.layers.base import Layer, Work, _Idle, require, require_axes, require_rank, slid

SCALED_SIZE = Formula(
    "upsampled size",
    "n*s",
    {"n": "input size", "s": "scale factor"},
    slips={"one less, as a transposed convolution without output padding": "n*s - 1"},
    source="torch.nn.Upsample",
)

FRACTION_SIZE = Formula(
    "upsampled size by a fraction",
    "n*a//b",
    {"n": "input size", "a": "numerator of the scale factor", "b": "its denominator"},
    slips={"rounded up": "ceildiv(n*a, b)"},
    source="torch.nn.Upsample: floor(input size · scale factor)",
)

ROUNDED_SIZE = Formula(
    "upsampled size by a fraction, as floating point rounds it",
    "n*a//b + e",
    {
        **FRACTION_SIZE.symbols,
        "e": "-1 or 1 where the product in floating point falls on the other side of a whole number",
    },
    source="torch.nn.functional.interpolate multiplies in double precision",
)


class _Mode(NamedTuple):
    """How a mode of interpolation reads its sources, counted from the one below the exact position."""

    ranks: tuple[int, ...]
    reads: tuple[int, int]
    centred: bool = True  # positions are those of pixels' centres, else of their lower ends

    @property
    def weighs(self) -> bool:
        """Whether `align_corners` has a meaning."""
        return self.reads != (0, 0)


_MODES = {
    "nearest": _Mode((1, 2, 3), (0, 0), centred=False),
    "linear": _Mode((1,), (0, 1)),
    "bilinear": _Mode((2,), (0, 1)),
    "bicubic": _Mode((2,), (-1, 2)),
    "trilinear": _Mode((3,), (0, 1)),
    "area": _Mode((1, 2, 3), (0, 0)),
    "nearest-exact": _Mode((1, 2, 3), (0, 0)),
}


class Upsample(Layer):
    """Interpolation of (N, C, *spatial), one to three axes, to a size or by a factor, as `torch.nn.Upsample`.

    A factor is taken as the simplest fraction that is the same floating-point number; whole sizes come out as torch's.

    >>> Upsample(scale_factor=2, mode="bilinear").output_shape((1, 64, 7, 7))
    (1, 64, 14, 14)
    """

    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def check(self) -> None:
        self.one_of("mode", *_MODES)
        self.normalise(size=self._checked_size(), scale_factor=self._checked_scale())
        if (self.size is None) == (self.scale_factor is None):
            self.refuse(f"takes either size or scale_factor; received {'none' if self.size is None else 'both'}")
        legal = (None, False, True) if self._mode.weighs else (None,)
        if not any(self.align_corners is value for value in legal):
            wanted = f"{' or '.join(map(str, legal))} with mode={self.mode!r}"
            self.refuse(f"align_corners must be {wanted}; received {self.align_corners!r}")
        if self.recompute_scale_factor and self.size is not None:
            self.refuse("recompute_scale_factor needs a scale_factor, not a size")

    def _checked_size(self) -> Any:
        if self.size is None:
            return None
        several = isinstance(self.size, (tuple, list))
        sizes = tuple([self.dim_of("size", item) for item in (self.size if several else (self.size,))])
        if any(isinstance(item, int) and item < 1 for item in sizes):
            self.refuse(f"size must be at least 1; received {self.size!r}")
        return sizes if several else sizes[0]

    def _checked_scale(self) -> Any:
        value = self.scale_factor
        if isinstance(value, tuple):
            return tuple([self._factor(item) for item in value])
        return self._factor(value) if value else None  # torch takes 0 for none given

    def _factor(self, value: Any) -> Any:
        if is_symbolic(value):
            return self.dim_of("scale_factor", value)
        factor = self.number("scale_factor", value)
        if not isfinite(factor) or factor <= 0:
            self.refuse(f"scale_factor must be positive; received {value!r}")
        return int(factor) if factor.is_integer() else factor

    @property
    def _mode(self) -> _Mode:
        return _MODES[self.mode]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, *[rank + 2 for rank in self._mode.ranks])
        if self.size is not None:
            return (*x[:2], *self._each(x, "size"))
        return (*x[:2], *[_scaled(n, factor) for n, factor in zip(x[2:], self._each(x, "scale_factor"))])

    def _each(self, x: Shape, name: str) -> tuple[Any, ...]:
        """An argument, one for each spatial axis."""
        value = getattr(self, name)
        each = value if isinstance(value, tuple) else (value,) * (len(x) - 2)
        if len(each) != len(x) - 2:
            wanted = f"an input of {len(each)} spatial axes ({name})"
            raise ShapeError(f"expected {wanted}, received {len(x) - 2}: {show_shape(x)}")
        return each

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work | None:
        if self.mode == "area":
            return average_work(inputs[0], output, 2)
        low, high = self._mode.reads
        return {"interpolate": prod(output) * (high - low + 1) ** (len(output) - 2)} if high > low else {}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        if self.mode == "area":
            return adaptive_field(fields[0], inputs[0], output, 2)
        each = zip(inputs[0][2:], output[2:], self._each(inputs[0], "scale_factor"))
        return slid(fields[0], [self._taps(n, o, factor) for n, o, factor in each])

    def _taps(self, n: Dim, o: Dim, factor: Any) -> Taps | Reach | None:
        """What an output reads along one axis; a source whose weight is 0 is not read."""
        jump = self._jump(n, o, factor)
        if jump is None:
            return None
        low, high = self._mode.reads
        shift = jump * 0
        if self._mode.centred and not self.align_corners:
            shift = jump / 2 - (Fraction(1, 2) if self._mode.weighs else 0)
        if jump.denominator > MAX_PERIOD:
            return Reach(jump, shift - 1 + low, shift + high)  # a position rounds down by less than 1
        ranges = []
        for i in range(jump.denominator):
            at = i * jump + shift
            below = floor(at)
            ranges.append(range(below, below + 1) if at == below else range(below + low, below + high + 1))
        return Taps(jump.numerator, tuple(ranges))

    def _jump(self, n: Dim, o: Dim, factor: Any) -> Fraction | None:
        """Inputs between neighbouring outputs; None where that hangs on a letter."""
        if n == o and self._mode.reads == (0, 1):  # torch's linear kernels then copy, whatever the factor
            return Fraction(1)
        if self.align_corners:
            n, o = n - 1, o - 1
        elif factor is not None and not is_symbolic(factor) and not (self.recompute_scale_factor and factor % 1):
            return 1 / _fraction(factor)
        if not isinstance(n, int) or not isinstance(o, int):
            return None
        return Fraction(n, o) if o else Fraction(0)


def _fraction(factor: float) -> Fraction:
    """The simplest fraction that is this floating-point number: 1/3 for 0.3333333333333333."""
    simple = Fraction(factor).limit_denominator(1000)
    return simple if float(simple) == factor else Fraction(factor)


def _scaled(n: Dim, factor: Any) -> Dim:
    if not isinstance(factor, float):
        return SCALED_SIZE(n, factor)
    scale = _fraction(factor)
    if isinstance(n, int):
        off = int(n * factor) - n * scale.numerator // scale.denominator
        if off:
            return ROUNDED_SIZE(n, scale.numerator, scale.denominator, off)
    return FRACTION_SIZE(n, scale.numerator, scale.denominator)


class UpsamplingNearest2d(Upsample):
    """`Upsample` by nearest neighbours, as `torch.nn.UpsamplingNearest2d`.

    >>> UpsamplingNearest2d(scale_factor=2).output_shape((1, 64, 7, 7))
    (1, 64, 14, 14)
    """

    order = "size scale_factor"


class UpsamplingBilinear2d(Upsample):
    """Bilinear `Upsample` that aligns corners, as `torch.nn.UpsamplingBilinear2d`.

    >>> UpsamplingBilinear2d(size=(14, 15)).output_shape((1, 64, 7, 7))
    (1, 64, 14, 15)
    """

    order = "size scale_factor"
    mode = "bilinear"
    align_corners = True


class PixelShuffle(_Idle):
    """(*, C·r², H, W) to (*, C, H·r, W·r), as `torch.nn.PixelShuffle` (arXiv:1609.05158).

    >>> PixelShuffle(3).output_shape((1, 9, 4, 4))
    (1, 1, 12, 12)
    """

    upscale_factor: Dim

    def output_shape(self, *inputs: Shape) -> Shape:
        require_axes(inputs[0], 3)
        *batch, c, h, w = inputs[0]
        r = self.upscale_factor
        _require_divisible(c, r * r, "channels", "upscale_factor²")
        return (*batch, c // (r * r), SCALED_SIZE(h, r), SCALED_SIZE(w, r))

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        r = self.upscale_factor
        if not isinstance(r, int) or r > MAX_PERIOD:
            return None
        repeated = Taps(1, (range(1),) * r)  # r units in a row come of one position
        return fields[0].through([slide(r * r, r * r, 0, 1), repeated, repeated])


class PixelUnshuffle(_Idle):
    """(*, C, H·r, W·r) to (*, C·r², H, W), as `torch.nn.PixelUnshuffle`.

    Its receptive field is that of all channels of a position together.

    >>> PixelUnshuffle(3).output_shape((1, 1, 12, 12))
    (1, 9, 4, 4)
    """

    downscale_factor: Dim

    def output_shape(self, *inputs: Shape) -> Shape:
        require_axes(inputs[0], 3)
        *batch, c, h, w = inputs[0]
        r = self.downscale_factor
        for size, axis in ((h, "a height"), (w, "a width")):
            _require_divisible(size, r, axis, "downscale_factor")
        return (*batch, c * r * r, h // r, w // r)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        r = self.downscale_factor
        if not isinstance(r, int) or r * r > MAX_PERIOD:
            return None
        block = slide(r, r, 0, 1)
        return fields[0].through([Taps(1, (range(1),) * (r * r)), block, block])


class ChannelShuffle(_Idle):
    """The channels of (N, C, *) in ``groups`` dealt in turn, as `torch.nn.ChannelShuffle` (arXiv:1707.01083).

    >>> ChannelShuffle(2).output_shape((1, 4, 2, 2))
    (1, 4, 2, 2)
    """

    groups: Dim

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_axes(x, 3)
        _require_divisible(x[1], self.groups, "channels", "groups")
        return x


def _require_divisible(size: Dim, by: Dim, axis: str, name: str) -> None:
    what = f"expected {axis} divisible by {show(by)} ({name}), received {show(size)}"
    require(equal(size % by, 0), what)
