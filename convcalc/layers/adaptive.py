"""Adaptive pooling: windows that divide the input into a given number of parts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from typing import Any

from convcalc.algebra.dims import as_dim, prod
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, STILL, Reach, Taps
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Fields, Layer, Shapes, Work, slid
from convcalc.layers.checks import PerAxis
from convcalc.layers.formulas import FIELD, GIVEN_SIZE, WHOLE_FIELD, Seen, rules
from convcalc.layers.pool import _WithIndices

ADAPTIVE_FIELD = Formula(
    "receptive field of adaptive windows",
    "r + ceildiv(n - g, o)*j",
    {
        "r": FIELD.symbols["r"],
        "n": "input size",
        "g": "greatest common divisor of input and output size",
        "o": "output size",
        "j": FIELD.symbols["j"],
    },
    mistakes={"windows assumed to divide the input": "r + (n//o - 1)*j"},
    source="torch.nn.AdaptiveAvgPool2d: the largest window holds ⌈(n − g)/o⌉ + 1 elements",
)

ADAPTIVE_JUMP = Formula(
    "jump of adaptive windows",
    "quotient(j*n, o)",
    {"j": FIELD.symbols["j"], "n": "input size", "o": "output size"},
    mistakes={"inverted": "quotient(j*o, n)"},
    source="one step between units of the output is n/o steps between units of the input, on average",
)

ADAPTIVE_READS = Formula(
    "elements read by adaptive windows along one axis",
    "n + o - g",
    {"n": "input size", "o": "output size", "g": "greatest common divisor of the two"},
    mistakes={"overlaps forgotten": "n"},
    source="torch.nn.AdaptiveAvgPool2d: window i holds floor(i*n/o) up to ceil((i + 1)*n/o)",
)


class _AdaptivePool(Layer):
    """Pooling to a given size."""

    output_size: PerAxis
    formulas = rules(
        size=(GIVEN_SIZE, "as the input's where output_size is None"),
        reads=(ADAPTIVE_READS,),
        field=(ADAPTIVE_FIELD, ADAPTIVE_JUMP, WHOLE_FIELD),
    )

    def check(self) -> None:
        self.each_at_least(1, "output_size")
        if self.rank == 1 and None in self.output_size:
            self.refuse_argument("output_size", f"must be an integer; received {self.output_size}")

    def _each_axis(self, name: str, value: Any) -> Any:
        if not isinstance(value, (tuple, list)) or None not in value:
            return super()._each_axis(name, value)
        checked = super()._each_axis(name, [1 if item is None else item for item in value])
        return tuple([None if item is None else size for item, size in zip(value, checked)])

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        pairs = enumerate(zip(x[-self.rank :], self.output_size), -self.rank)
        sizes = [n if o is None else GIVEN_SIZE(o, axis=axis) for axis, (n, o) in pairs]
        # torch passes a single window over everything to torch.mean, which accepts any rank
        if not self.averages or self.rank == 1 or set(sizes) != {1} or len(x) <= self.rank:
            self.require_rank(x)
        return (*x[: -self.rank], *sizes)

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return adaptive_field(fields[0], inputs[0], output, len(output) - self.rank)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what the units with the largest windows see along ``axis``."""
        spatial = axis >= len(output) - self.rank
        return adaptive_seen(before[0], inputs[0][axis], output[axis]) if spatial else None


def adaptive_seen(before: Seen, n: Dim, o: Dim) -> Seen | None:
    """Return what the units with the largest of ``o`` windows over ``n`` see; None where it depends on a letter.

    >>> adaptive_seen(Seen.pixel(10), 10, 4)
    Seen(size=3, jump=Fraction(5, 2), start=0, extent=10)
    """
    if o == 1:
        return before.whole()
    if n == o:
        return before
    if not isinstance(n, int) or not isinstance(o, int):
        return None
    r, j, a, extent = before
    return Seen(ADAPTIVE_FIELD(r, n, gcd(n, o), o, j), ADAPTIVE_JUMP(j, n, o), a, extent)


def adaptive_field(field: Field, x: Shape, output: Shape, first: int) -> Field | None:
    """Return the field after adaptive windows over the axes ``first`` and after; None where it depends on a letter."""
    sizes = list(zip(x[first:], output[first:]))
    after = slid(field, [STILL if o == 1 else _adaptive_taps(n, o) for n, o in sizes])
    return after and after.collapsed([first + i for i, (_, o) in enumerate(sizes) if o == 1])


def _adaptive_taps(n: Dim, o: Dim) -> Taps | Reach | None:
    if n == o:
        return STILL
    if not isinstance(n, int) or not isinstance(o, int):
        return None
    period = o // gcd(n, o)
    if period > MAX_PERIOD:
        return Reach(Fraction(n, o), Fraction(-1), Fraction(n, o))  # ⌊i·n/o⌋ … ⌈(i + 1)·n/o⌉ - 1, less tightly
    return Taps(n // gcd(n, o), tuple([range(i * n // o, -(-(i + 1) * n // o)) for i in range(period)]))


def _reads(x: Shape, output: Shape, first: int) -> Dim | None:
    """Return the elements read by all windows over the axes ``first`` and after.

    None where that depends on a letter's divisors.
    """
    reads = prod(output[:first])
    for n, o in zip(x[first:], output[first:]):
        common = _common_divisor(n, o)
        if common is None:
            return None
        reads = reads * ADAPTIVE_READS(n, o, common)
    return reads


def average_work(x: Shape, output: Shape, first: int) -> Work | None:
    """Return the work of averages over adaptive windows over the axes ``first`` and after; None where it is not known.

    >>> average_work((1, 4, 10), (1, 4, 4), 2)
    {'add': 48, 'mul': 16}
    """
    reads = _reads(x, output, first)
    return None if reads is None else {"add": reads, "mul": prod(output)}


def _common_divisor(n: Dim, o: Dim) -> Dim | None:
    """Return the greatest common divisor, as a sum over the divisors of ``o`` if ``n`` is a letter; None if ``o`` is.

    >>> _common_divisor(10, 4)
    2
    """
    if n == o:
        return n
    if isinstance(n, int) and isinstance(o, int):
        return gcd(n, o)
    if not isinstance(o, int) or o > MAX_PERIOD:
        return None
    # Gauss: o is the sum of phi(d) over its divisors d, and gcd(n, o) the same sum over those that also divide n
    common: Dim = 0
    for d in (d for d in range(1, o + 1) if o % d == 0):
        phi = sum(gcd(i, d) == 1 for i in range(1, d + 1))
        common = common + phi * (n // d - (n - 1) // d)
    return as_dim(common)


class _AdaptiveAvgPool(_AdaptivePool):
    """The mean over adaptive windows."""

    also = {"gap": {"output_size": 1}}
    averages = True

    def work(self, inputs: Shapes, output: Shape) -> Work | None:
        return average_work(inputs[0], output, len(output) - self.rank)


class AdaptiveAvgPool1d(_AdaptiveAvgPool, rank=1):
    """The mean over windows of (N, C, L) or (C, L) to a given size, as `torch.nn.AdaptiveAvgPool1d`.

    >>> AdaptiveAvgPool1d(5).output_shape((1, 4, 8))
    (1, 4, 5)
    """


class AdaptiveAvgPool2d(_AdaptiveAvgPool, rank=2):
    """The mean over windows of (N, C, H, W) or (C, H, W) to a given size, as `torch.nn.AdaptiveAvgPool2d`.

    An axis given as None keeps its size.

    >>> AdaptiveAvgPool2d((1, None)).output_shape((1, 4, 8, 8))
    (1, 4, 1, 8)
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPool, rank=3):
    """The mean over windows of (N, C, D, H, W) or (C, D, H, W) to a given size, as `torch.nn.AdaptiveAvgPool3d`.

    >>> AdaptiveAvgPool3d(5).output_shape((1, 4, 8, 8, 8))
    (1, 4, 5, 5, 5)
    """


class _AdaptiveMaxPool(_WithIndices, _AdaptivePool):
    """The maximum over adaptive windows."""

    order = "output_size return_indices"

    def work(self, inputs: Shapes, output: Shape) -> Work | None:
        reads = _reads(inputs[0], output, len(output) - self.rank)
        return None if reads is None else {"compare": reads}


class AdaptiveMaxPool1d(_AdaptiveMaxPool, rank=1):
    """The maximum over windows of (N, C, L) or (C, L) to a given size, as `torch.nn.AdaptiveMaxPool1d`.

    >>> AdaptiveMaxPool1d(5).output_shape((1, 4, 8))
    (1, 4, 5)
    """


class AdaptiveMaxPool2d(_AdaptiveMaxPool, rank=2):
    """The maximum over windows of (N, C, H, W) or (C, H, W) to a given size, as `torch.nn.AdaptiveMaxPool2d`.

    >>> AdaptiveMaxPool2d(5).output_shape((1, 4, 8, 8))
    (1, 4, 5, 5)
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPool, rank=3):
    """The maximum over windows of (N, C, D, H, W) or (C, D, H, W) to a given size, as `torch.nn.AdaptiveMaxPool3d`.

    >>> AdaptiveMaxPool3d(5).output_shape((1, 4, 8, 8, 8))
    (1, 4, 5, 5, 5)
    """
