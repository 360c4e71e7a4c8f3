"""Upsampling, with the sizes and sources of torch's CPU kernels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isfinite
from typing import Any, NamedTuple

from convcalc.algebra.dims import prod
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, Reach, Taps
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.layers.adaptive import (
    ADAPTIVE_FIELD,
    ADAPTIVE_JUMP,
    ADAPTIVE_READS,
    adaptive_field,
    adaptive_seen,
    average_work,
)
from convcalc.layers.base import Fields, Layer, Shapes, Work, slid
from convcalc.layers.checks import Dims
from convcalc.layers.demands import WrongSpatialAxes
from convcalc.layers.formulas import FIELD, GIVEN_SIZE, WHOLE_FIELD, Seen, rules

# torch holds a scale in single precision, for nearest neighbours even where the data is double: a factor that is this
# close to a simple fraction, relatively, is that fraction there
SINGLE_PRECISION = 2.0**-25

SCALED_SIZE = Formula(
    "upsampled size",
    "n*s",
    {"n": "input size", "s": "scale factor"},
    mistakes={"one less, as a transposed convolution without output padding": "n*s - 1"},
    source="torch.nn.Upsample",
)

FRACTION_SIZE = Formula(
    "upsampled size by a fraction",
    "n*a//b",
    {"n": "input size", "a": "numerator of the scale factor", "b": "its denominator"},
    mistakes={"rounded up": "ceildiv(n*a, b)"},
    source="torch.nn.Upsample: floor(input size · scale factor)",
)

ROUNDED_SIZE = Formula(
    "upsampled size by a fraction, as floating point rounds it",
    "n*a//b + e",
    {**FRACTION_SIZE.symbols, "e": "-1 or 1 where rounding in floating point takes the product across an integer"},
    source="torch.nn.functional.interpolate multiplies in double precision",
)


READ_FIELD = Formula(
    "receptive field of an interpolation",
    "r + (t - 1)*j",
    {
        "r": FIELD.symbols["r"],
        "t": "sources that one output reads: 1 nearest, 2 linear, 4 cubic, or 1 where every output falls on a source",
        "j": FIELD.symbols["j"],
    },
    mistakes={"as for nearest neighbour": "r"},
    source="torch.nn.Upsample",
)

READ_JUMP = Formula(
    "jump of an interpolation",
    "j*q",
    {
        "j": FIELD.symbols["j"],
        "q": "sources per step between outputs: 1/scale factor, or as align_corners sets it",
    },
    mistakes={"not divided": "j"},
    source="torch.nn.Upsample",
)


class _Mode(NamedTuple):
    """How a mode reads its sources, counted from the source below the exact position."""

    ranks: tuple[int, ...]
    reads: tuple[int, int]
    centred: bool = True  # whether positions are the pixels' centres, not their lower ends

    @property
    def weighs(self) -> bool:
        """Return whether sources are weighted; these modes also take ``align_corners``."""
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

    A factor is taken as the simplest fraction that equals the floating-point number.

    >>> Upsample(scale_factor=2, mode="bilinear").output_shape((1, 4, 8, 8))
    (1, 4, 16, 16)
    """

    size: int | Dims | None = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: Any = None  # a bool, where the mode takes it
    recompute_scale_factor: bool | None = None
    formulas = rules(
        size=(SCALED_SIZE, FRACTION_SIZE, ROUNDED_SIZE, GIVEN_SIZE),
        reads=(ADAPTIVE_READS,),
        field=(READ_FIELD, READ_JUMP, ADAPTIVE_FIELD, ADAPTIVE_JUMP, WHOLE_FIELD),
    )

    def check(self) -> None:
        self.one_of("mode", *_MODES)
        self.each_at_least(1, "size")
        value = self.scale_factor
        if isinstance(value, tuple):
            self.normalise(scale_factor=tuple([self._factor(item) for item in value]))
        else:
            self.normalise(scale_factor=self._factor(value) if value else None)  # torch treats 0 as no factor
        if (self.size is None) == (self.scale_factor is None):
            received = "neither" if self.size is None else "both"
            self.refuse(f"takes either size or scale_factor; received {received}", about=["size", "scale_factor"])
        legal = (None, False, True) if self._mode.weighs else (None,)
        if not any(self.align_corners is value for value in legal):
            wanted = f"{' or '.join(map(str, legal))} with mode={self.mode!r}"
            self.refuse_argument("align_corners", f"must be {wanted}; received {self.align_corners!r}", "mode")
        if self.recompute_scale_factor and self.size is not None:
            self.refuse_argument("recompute_scale_factor", "needs a scale_factor, not a size", "scale_factor", "size")

    def _factor(self, value: Any) -> Any:
        if is_symbolic(value):
            return self.dim_of("scale_factor", value)
        factor = self.number("scale_factor", value)
        if not isfinite(factor) or factor <= 0:
            self.refuse_argument("scale_factor", f"must be positive; received {value!r}")
        return int(factor) if factor.is_integer() else factor

    @property
    def _mode(self) -> _Mode:
        return _MODES[self.mode]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self.require_rank(x, *[rank + 2 for rank in self._mode.ranks])
        if self.size is not None:
            return (*x[:2], *[GIVEN_SIZE(n, axis=i) for i, n in enumerate(self._each(x, "size"), 2)])
        factors = enumerate(self._each(x, "scale_factor"), 2)
        return (*x[:2], *[_scaled(x[i], factor, i) for i, factor in factors])

    def _each(self, x: Shape, name: str) -> tuple[Any, ...]:
        """Return an argument as one value for each spatial axis; raise WrongSpatialAxes if it has another number."""
        value, rank = getattr(self, name), len(x) - 2
        each = value if isinstance(value, tuple) else (value,) * rank
        if len(each) != rank:
            raise WrongSpatialAxes(name, len(each), x)
        return each

    def work(self, inputs: Shapes, output: Shape) -> Work | None:
        if self.mode == "area":
            return average_work(inputs[0], output, 2)
        low, high = self._mode.reads
        return {"interpolate": prod(output) * (high - low + 1) ** (len(output) - 2)} if high > low else {}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        if self.mode == "area":
            return adaptive_field(fields[0], inputs[0], output, 2)
        each = zip(inputs[0][2:], output[2:], self._each(inputs[0], "scale_factor"))
        return slid(fields[0], [self._taps(n, o, factor) for n, o, factor in each])

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what the units that read the most sources see along ``axis``; None where it depends on a letter."""
        if axis < 2:
            return None
        n, o = inputs[0][axis], output[axis]
        if self.mode == "area":
            return adaptive_seen(before[0], n, o)
        factor = self._each(inputs[0], "scale_factor")[axis - 2]
        taps, jump = self._taps(n, o, factor), self._jump(n, o, factor)
        if jump is None or not isinstance(taps, Taps):
            return None
        r, j, _, extent = before[0]
        most = max(len(reads) for reads in taps.ranges)
        return Seen(READ_FIELD(r, most, j), READ_JUMP(j, jump), None, extent)

    def _taps(self, n: Dim, o: Dim, factor: Any) -> Taps | Reach | None:
        """Return which inputs an output reads along one axis; an input of weight 0 is not read."""
        jump = self._jump(n, o, factor)
        if jump is None:
            return None
        low, high = self._mode.reads
        shift = Fraction(0)
        if self._mode.centred and not self.align_corners:
            shift = (jump - self._mode.weighs) / 2
        if jump.denominator > MAX_PERIOD:
            return Reach(jump, shift - 1 + low, shift + high)  # a position rounds down by less than 1
        positions = [i * jump + shift for i in range(jump.denominator)]
        ranges = [
            range(floor(at), floor(at) + 1) if at == floor(at) else range(floor(at) + low, floor(at) + high + 1)
            for at in positions
        ]
        return Taps(jump.numerator, tuple(ranges))

    def _jump(self, n: Dim, o: Dim, factor: Any) -> Fraction | None:
        """Return the distance between neighbouring outputs in inputs; None where it depends on a letter."""
        if n == o and self._mode.reads == (0, 1):  # torch's linear kernels then copy, whatever the factor
            return Fraction(1)
        if self.align_corners:
            n, o = n - 1, o - 1
        elif factor is not None and not is_symbolic(factor) and not (self.recompute_scale_factor and factor % 1):
            return 1 / _fraction(factor, SINGLE_PRECISION)
        if not isinstance(n, int) or not isinstance(o, int):
            return None
        return Fraction(n, o) if o else Fraction(0)


def _fraction(factor: float, tolerance: float = 0.0) -> Fraction:
    """Return the simplest fraction that equals this number, or nearly so: 1/3 for 0.3333333333333333."""
    simple = Fraction(factor).limit_denominator(1000)
    return simple if abs(simple - factor) <= tolerance * factor else Fraction(factor)


def _scaled(n: Dim, factor: Any, axis: int) -> Dim:
    if not isinstance(factor, float):
        return SCALED_SIZE(n, factor, axis=axis)
    a, b = _fraction(factor).as_integer_ratio()
    off = int(n * factor) - n * a // b if isinstance(n, int) else 0
    return ROUNDED_SIZE(n, a, b, off, axis=axis) if off else FRACTION_SIZE(n, a, b, axis=axis)


class UpsamplingNearest2d(Upsample, rank=2):
    """`Upsample` by nearest neighbours, as `torch.nn.UpsamplingNearest2d`.

    >>> UpsamplingNearest2d(scale_factor=2).output_shape((1, 4, 8, 8))
    (1, 4, 16, 16)
    """

    printed = ("mode",)

    order = "size scale_factor"
    formulas = rules(reads=(), field=(READ_FIELD, READ_JUMP))


class UpsamplingBilinear2d(Upsample, rank=2):
    """Bilinear `Upsample` with aligned corners, as `torch.nn.UpsamplingBilinear2d`.

    >>> UpsamplingBilinear2d(size=(14, 15)).output_shape((1, 4, 8, 8))
    (1, 4, 14, 15)
    """

    printed = ("mode",)

    order = "size scale_factor"
    formulas = UpsamplingNearest2d.formulas
    mode = "bilinear"
    align_corners = True
