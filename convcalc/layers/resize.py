"""Changes of a map's size that weigh or move elements: upsampling, pixel shuffles; and the channel shuffle.

Sizes, source positions and refusals are those of torch's documentation and CPU kernels. Borders stand in `padding`,
transposed convolutions in `transposed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, isfinite
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape, as_dim, equal, is_symbolic, prod, show, show_shape
from convcalc.algebra.field import MAX_PERIOD, Field, Reach, Taps, slide
from convcalc.algebra.formula import Formula
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.adaptive import adaptive_field, average_work
from convcalc.layers.base import Layer
from convcalc.layers.checks import require, require_rank
from convcalc.layers.pool import number
from convcalc.layers.work import NOTHING, Work

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
    centred: bool = True
    """Whether positions are those of pixels' centres; else of their lower ends."""

    @property
    def weighs(self) -> bool:
        """Whether several sources are weighed, so that `align_corners` has a meaning."""
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

    A factor that is no whole number is taken as the simplest fraction that is the same floating-point number; with
    whole sizes the result is torch's, product in double precision included.

    >>> Upsample(scale_factor=2, mode="bilinear").output_shape((1, 64, 7, 7))
    (1, 64, 14, 14)
    """

    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def check(self) -> None:
        self.one_of("mode", tuple(_MODES))
        self.normalise(size=self._checked_size(), scale_factor=self._checked_scale())
        if (self.size is None) == (self.scale_factor is None):
            received = "both" if self.size is not None else "none"
            raise SpecError(f"takes either size or scale_factor; received {received}", where=type(self).__name__)
        legal = (None, False, True) if _MODES[self.mode].weighs else (None,)
        if not any(self.align_corners is value for value in legal):
            raise SpecError(
                f"align_corners must be {' or '.join(map(str, legal))} with mode={self.mode!r}; "
                f"received {self.align_corners!r}",
                where=type(self).__name__,
            )
        if self.recompute_scale_factor and self.size is not None:
            raise SpecError("recompute_scale_factor needs a scale_factor, not a size", where=type(self).__name__)

    def _checked_size(self) -> Any:
        if self.size is None:
            return None
        each = self.size if isinstance(self.size, (tuple, list)) else (self.size,)
        sizes = tuple([as_dim(item, f"{type(self).__name__}: size") for item in each])
        if any(isinstance(item, int) and item < 1 for item in sizes):
            raise SpecError(f"size must be at least 1; received {self.size!r}", where=type(self).__name__)
        return sizes if isinstance(self.size, (tuple, list)) else sizes[0]

    def _checked_scale(self) -> Any:
        value = self.scale_factor
        if isinstance(value, tuple):
            return tuple([self._factor(item) for item in value])
        return self._factor(value) if value else None  # torch takes 0 for none given

    def _factor(self, value: Any) -> Any:
        """One scale factor: an int where it is whole."""
        if is_symbolic(value):
            return as_dim(value)
        factor = number(self, "scale_factor", value)
        if not isfinite(factor) or factor <= 0:
            raise SpecError(f"scale_factor must be positive; received {value!r}", where=type(self).__name__)
        return int(factor) if factor.is_integer() else factor

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, *[rank + 2 for rank in _MODES[self.mode].ranks])
        if self.size is not None:
            return (*x[:2], *self._each(x, "size"))
        return (*x[:2], *[_scaled(n, factor) for n, factor in zip(x[2:], self._each(x, "scale_factor"))])

    def _each(self, x: Shape, name: str) -> tuple[Any, ...]:
        """An argument, one for each spatial axis of the input."""
        value = getattr(self, name)
        each = value if isinstance(value, tuple) else (value,) * (len(x) - 2)
        if len(each) != len(x) - 2:
            raise ShapeError(
                f"expected an input of {len(each)} spatial axes ({name}), received {len(x) - 2}: {show_shape(x)}"
            )
        return each

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work | None:
        if self.mode == "area":
            return average_work(inputs[0], output, 2)
        low, high = _MODES[self.mode].reads
        return {"interpolate": prod(output) * (high - low + 1) ** (len(output) - 2)} if high > low else NOTHING

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        x = inputs[0]
        if self.mode == "area":
            return adaptive_field(fields[0], x, output, 2)
        taps = [self._taps(*sizes) for sizes in zip(x[2:], output[2:], self._each(x, "scale_factor"))]
        return fields[0].through([tap for tap in taps if tap]) if all(taps) else None

    def _taps(self, n: Dim, o: Dim, factor: Any) -> Taps | Reach | None:
        """Which inputs an output reads along one axis; a source whose weight is 0 is not read."""
        ratio = self._ratio(n, o, factor)
        if ratio is None:
            return None
        advance, period = ratio
        mode = _MODES[self.mode]
        if period > MAX_PERIOD:
            return self._reach(Fraction(advance, period))
        ranges = []
        for i in range(period):
            if self.align_corners or not mode.centred:
                below, rest = divmod(i * advance, period)
            elif mode.weighs:
                below, rest = divmod((2 * i + 1) * advance - period, 2 * period)
            else:
                below, rest = divmod((2 * i + 1) * advance, 2 * period)
            low, high = mode.reads if rest else (0, 0)
            ranges.append(range(below + low, below + high + 1))
        return Taps(advance, tuple(ranges))

    def _reach(self, jump: Fraction) -> Reach:
        """Bounds of what `_taps` lists, for periods too long to list: a position rounds down by less than 1."""
        mode = _MODES[self.mode]
        centre = jump / 2 - (Fraction(1, 2) if mode.weighs else 0)
        shift = Fraction(0) if self.align_corners or not mode.centred else centre
        return Reach(jump, shift - 1 + min(mode.reads[0], 0), shift + max(mode.reads[1], 0))

    def _ratio(self, n: Dim, o: Dim, factor: Any) -> tuple[int, int] | None:
        """Inputs for so many outputs; None where that hangs on a letter."""
        if n == o and _MODES[self.mode].reads == (0, 1):  # torch's linear kernels then copy, whatever the factor
            return 1, 1
        if self.align_corners:
            n, o = n - 1, o - 1
        elif factor is not None and not is_symbolic(factor) and not (self.recompute_scale_factor and factor % 1):
            scale = _fraction(factor)
            n, o = scale.denominator, scale.numerator
        if not isinstance(n, int) or not isinstance(o, int):
            return None
        common = gcd(n, o)
        return (n // common, o // common) if o else (0, 1)


def _fraction(factor: float) -> Fraction:
    """The simplest fraction that is this floating-point number: 1/3 for 0.3333333333333333, 7/10 for 0.7."""
    simple = Fraction(factor).limit_denominator(1000)
    return simple if float(simple) == factor else Fraction(factor)


def _scaled(n: Dim, factor: Any) -> Dim:
    """The output's size along one axis."""
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

    order = ("size", "scale_factor")


class UpsamplingBilinear2d(Upsample):
    """Bilinear `Upsample` that aligns corners, as `torch.nn.UpsamplingBilinear2d`.

    >>> UpsamplingBilinear2d(size=(14, 15)).output_shape((1, 64, 7, 7))
    (1, 64, 14, 15)
    """

    order = ("size", "scale_factor")
    mode = "bilinear"
    align_corners = True


class PixelShuffle(Layer):
    """(*, C·r², H, W) to (*, C, H·r, W·r), as `torch.nn.PixelShuffle` (arXiv:1609.05158).

    >>> PixelShuffle(3).output_shape((1, 9, 4, 4))
    (1, 1, 12, 12)
    """

    upscale_factor: int

    def check(self) -> None:
        self.normalise(upscale_factor=self.positive("upscale_factor"))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _require_image(x)
        *batch, c, h, w = x
        r = self.upscale_factor
        require(
            equal(c % (r * r), 0), f"expected channels divisible by {show(r * r)} (upscale_factor²), received {show(c)}"
        )
        return (*batch, c // (r * r), SCALED_SIZE(h, r), SCALED_SIZE(w, r))

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        r = self.upscale_factor
        if not isinstance(r, int) or r > MAX_PERIOD:
            return None
        repeated = Taps(1, (range(1),) * r)  # r units in a row come of one position
        return fields[0].through([slide(r * r, r * r, 0, 1), repeated, repeated])


class PixelUnshuffle(Layer):
    """(*, C, H·r, W·r) to (*, C·r², H, W), as `torch.nn.PixelUnshuffle`.

    Its receptive field is that of all channels of a position together; one channel sees a single pixel of it.

    >>> PixelUnshuffle(3).output_shape((1, 1, 12, 12))
    (1, 9, 4, 4)
    """

    downscale_factor: int

    def check(self) -> None:
        self.normalise(downscale_factor=self.positive("downscale_factor"))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _require_image(x)
        *batch, c, h, w = x
        r = self.downscale_factor
        for size, axis in ((h, "height"), (w, "width")):
            what = f"expected a {axis} divisible by {show(r)} (downscale_factor), received {show(size)}"
            require(equal(size % r, 0), what)
        return (*batch, c * r * r, h // r, w // r)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        r = self.downscale_factor
        if not isinstance(r, int) or r * r > MAX_PERIOD:
            return None
        block = slide(r, r, 0, 1)
        return fields[0].through([Taps(1, (range(1),) * (r * r)), block, block])


def _require_image(x: Shape) -> None:
    if len(x) < 3:
        raise ShapeError(f"expected an input of at least 3 axes, received {len(x)}: {show_shape(x)}")


class ChannelShuffle(Layer):
    """The channels of (N, C, *) in ``groups`` dealt in turn, as `torch.nn.ChannelShuffle` (arXiv:1707.01083).

    >>> ChannelShuffle(2).output_shape((1, 4, 2, 2))
    (1, 4, 2, 2)
    """

    groups: int

    def check(self) -> None:
        self.normalise(groups=self.positive("groups"))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _require_image(x)
        c = x[1]
        require(
            equal(c % self.groups, 0),
            f"expected channels divisible by {show(self.groups)} (groups), received {show(c)}",
        )
        return x

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING
