"""Receptive fields along one axis as interval maps: which inputs a unit sees, per phase.

Unit ``i = P·q + r`` of a map with period ``P`` sees the inputs ``A·q + low_r … A·q + high_r``. Strided layers keep
``P = 1``; upsampling and transposed convolution add phases, and later strides remove them. A map is exact, in integers
(by the recurrences of Araujo, Norris and Sim, *Computing Receptive Fields of Convolutional Neural Networks*, Distill
2019, extended by phases), or an outer bound. Borders are unknown here: nothing is cut off at the ends of an input.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, gcd, lcm
from typing import NamedTuple

from convcalc.algebra.types import Dim

MAX_PERIOD = 4096  # fields with longer periods are bounded instead of listing their phases

_fraction = lru_cache(maxsize=256)(Fraction)  # networks have few distinct jumps, and a fraction is slow to make

Interval = tuple[int, int]


class Reach(NamedTuple):
    """Bounds of what a layer reads along an axis: output i reads nothing outside ``i·jump + low … i·jump + high``."""

    jump: Fraction
    low: Fraction
    high: Fraction


class Taps(NamedTuple):
    """What one layer reads along one axis: output ``a·q + r`` reads inputs ``advance·q + i`` for i in ``ranges[r]``.

    ``border``, a padding mode of torch, says what lies beyond the input's ends. A field continues there as if the map
    did.
    """

    advance: int
    ranges: tuple[range, ...]
    border: str = "zeros"

    def reach(self) -> Reach:
        """Return the bounds of what the layer reads.

        >>> spread(3, 2, 1, 1).reach()
        Reach(jump=Fraction(1, 2), low=Fraction(-1, 2), high=Fraction(1, 2))
        """
        return _outer(Fraction(self.advance, len(self.ranges)), self.ranges)


def _outer(jump: Fraction, ends: Sequence[Sequence[int] | None]) -> Reach:
    """Return bounds of all intervals, of which the r-th is what unit r sees."""
    shifted = [(interval[0] - r * jump, interval[-1] - r * jump) for r, interval in enumerate(ends) if interval]
    lows, highs = zip(*shifted) if shifted else ([0 * jump], [0 * jump])
    return Reach(jump, min(lows), max(highs))


class Axis(NamedTuple):
    """The field along one axis of a map, in pixels of axis ``source`` of the network's input.

    >>> axis = Axis(0).through(slide(7, 2, 3, 1)).through(slide(3, 2, 1, 1))
    >>> axis.size, axis.jump, axis.start
    ((11, 11), Fraction(4, 1), -5)
    """

    source: int
    advance: int = 1
    phases: tuple[Interval | None, ...] = ((0, 0),)

    @property
    def exact(self) -> bool:
        """Whether each interval begins and ends with a pixel that the unit sees, if borders are ignored."""
        return True

    @property
    def size(self) -> tuple[int, int]:
        """The smallest and the largest field size of the phases; 0 for one that sees nothing."""
        if len(self.phases) == 1 and (only := self.phases[0]):  # nearly always
            size = only[1] - only[0] + 1
            return size, size
        sizes = [0 if phase is None else phase[1] - phase[0] + 1 for phase in self.phases]
        return min(sizes), max(sizes)

    @property
    def jump(self) -> Fraction:
        """The input pixels from one unit to the next: the effective stride."""
        return _fraction(self.advance, len(self.phases))

    @property
    def start(self) -> int | None:
        """The first input pixel that unit 0 sees (negative in the padding); None if it sees nothing."""
        return self.phases[0][0] if self.phases[0] else None

    def interval(self, unit: int) -> Interval | None:
        """Return the first and the last input pixel that ``unit`` sees; None if it sees nothing."""
        turn, phase = divmod(unit, len(self.phases))
        seen = self.phases[phase]
        return None if seen is None else (seen[0] + turn * self.advance, seen[1] + turn * self.advance)

    def through(self, taps: Taps | Reach) -> "Along":
        """Return the field after a layer with these taps; a `Bound` if its period is too long to list."""
        if isinstance(taps, Reach):
            return self.bound().through(taps)
        outputs, period = len(taps.ranges), len(self.phases)
        if outputs == period == 1 and taps.ranges[0] and self.phases[0]:
            reads, (low, high) = taps.ranges[0], self.phases[0]
            interval = (low + reads[0] * self.advance, high + reads[-1] * self.advance)
            return Axis(self.source, self.advance * taps.advance, (interval,))
        turns = period // gcd(period, taps.advance)  # of the layer's period, until both periods end together
        if outputs * turns > MAX_PERIOD:
            return self.bound().through(taps)
        ordered = self._ordered()
        phases = [
            self._hull(range(reads.start + shift, reads.stop + shift, reads.step), ordered)
            for shift in range(0, turns * taps.advance, taps.advance)
            for reads in taps.ranges
        ]
        return Axis(self.source, self.advance * taps.advance * turns // period, tuple(phases))

    def _ordered(self) -> bool:
        """Return whether no unit's interval begins or ends before that of the previous unit."""
        intervals = (*self.phases, self.interval(len(self.phases)))
        return None not in intervals and all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(intervals))  # type: ignore[index]

    def _hull(self, units: range, ordered: bool) -> Interval | None:
        """Return the interval from the first to the last pixel that any of ``units`` sees."""
        if ordered and units:
            return self.interval(units[0])[0], self.interval(units[-1])[1]  # type: ignore[index]
        period = len(self.phases)  # an extreme is within one period of either end
        ends = (*units[:period], *units[-period:]) if len(units) > 2 * period else units
        return hull([self.interval(unit) for unit in ends])

    def bound(self) -> "Bound":
        """Return the tightest bound of all phases at once."""
        return Bound(self.source, *_outer(self.jump, self.phases))

    def joined(self, other: "Along", units: Dim) -> "Along | None":
        """Return the field of ``units`` units that see what both maps see: a `Bound` if the maps' jumps differ.

        None if the maps are along different axes of the input, or if their jumps differ and ``units`` is not a number.
        """
        if self == other:
            return self
        if isinstance(other, Axis) and self.source == other.source:
            mine, theirs = len(self.phases), len(other.phases)
            period = lcm(mine, theirs)
            if self.advance * theirs == other.advance * mine and period <= MAX_PERIOD:
                phases = tuple([hull([self.interval(i), other.interval(i)]) for i in range(period)])
                return Axis(self.source, self.advance * period // mine, phases)
        return self.bound().joined(other, units)


class Bound(NamedTuple):
    """An outer bound of the field along one axis: unit i sees nothing outside ``i·jump + low … i·jump + high``.

    >>> Axis(0).bound().through(spread(3, 2, 1, 1)).interval(1)
    (0, 1)
    """

    source: int
    jump: Fraction
    low: Fraction
    high: Fraction

    @property
    def exact(self) -> bool:
        """False: a unit may see less than its bound."""
        return False

    @property
    def size(self) -> tuple[int, int]:
        """The size of the smallest field, 0 since it is unknown, and a bound of the largest."""
        return 0, floor(self.high - self.low) + 1

    @property
    def start(self) -> int | None:
        """The first input pixel that unit 0 may see."""
        return ceil(self.low)

    @property
    def phases(self) -> tuple[Interval | None, ...]:
        """Empty: the phases were given up for the bound."""
        return ()

    def interval(self, unit: int) -> Interval | None:
        """Return the first and the last input pixel that ``unit`` may see; None if it sees nothing."""
        low, high = ceil(unit * self.jump + self.low), floor(unit * self.jump + self.high)
        return (low, high) if low <= high else None

    def through(self, taps: Taps | Reach) -> "Bound":
        """Return the bound after a layer with these taps."""
        jump, low, high = taps if isinstance(taps, Reach) else taps.reach()
        return Bound(self.source, self.jump * jump, self.low + self.jump * low, self.high + self.jump * high)

    def bound(self) -> "Bound":
        """Return this bound."""
        return self

    def joined(self, other: "Along", units: Dim) -> "Along | None":
        """Return the bound of ``units`` units that see what both maps see; None as in `Axis.joined`."""
        theirs = other.bound()
        if self.source != theirs.source:
            return None
        if self.jump != theirs.jump:
            if not isinstance(units, int):
                return None
            both = self._drifting(theirs, units), theirs._drifting(self, units)
            return min(both, key=lambda bound: (bound.high - bound.low, bound.jump))
        return self._replace(low=min(self.low, theirs.low), high=max(self.high, theirs.high))

    def _drifting(self, other: "Bound", units: int) -> "Bound":
        """Return this bound, widened to hold ``other`` for ``units`` units: the two are furthest apart at an end."""
        drift = (other.jump - self.jump) * (units - 1)
        low, high = other.low + min(drift, Fraction(0)), other.high + max(drift, Fraction(0))
        return self._replace(low=min(self.low, low), high=max(self.high, high))


Along = Axis | Bound
"""The field along one axis of a map."""


def hull(intervals: Sequence[Interval | None]) -> Interval | None:
    """Return the smallest interval that holds all others; None if all are empty.

    >>> hull([(0, 2), None, (5, 6)])
    (0, 6)
    """
    filled = [interval for interval in intervals if interval is not None]
    return (min(low for low, _ in filled), max(high for _, high in filled)) if filled else None


@lru_cache(maxsize=1024)
def slide(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """Return the taps of a convolution or pooling: output i reads ``i·s - p + d·t`` for t in 0 … k-1.

    >>> slide(3, 2, 1, 1)
    Taps(advance=2, ranges=(range(-1, 2),), border='zeros')
    """
    return Taps(stride, (range(-padding, dilation * (kernel - 1) - padding + 1, dilation),))


STILL = slide(1, 1, 0, 1)
"""The taps of a kernel of 1, where each output reads the input at its own position."""


def spread(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """Return the taps of a transposed convolution: output i reads the u with ``u·s - p + d·t = i``, t in 0 … k-1.

    >>> spread(3, 2, 1, 1)
    Taps(advance=1, ranges=(range(0, 1), range(0, 2)), border='zeros')
    """
    ranges = []
    for phase in range(stride):
        aligned = [phase + padding - dilation * t for t in range(kernel)]
        reads = [i // stride for i in aligned if i % stride == 0]
        step = dilation // gcd(stride, dilation)
        ranges.append(range(reads[-1], reads[0] + 1, step) if reads else range(0))
    return Taps(1, tuple(ranges))
