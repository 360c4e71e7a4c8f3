"""Receptive fields as interval maps: which inputs a unit sees, per axis and per phase.

A unit at ``i = P·q + r`` of a map with period ``P`` sees the inputs ``A·q + low_r … A·q + high_r``. Strided layers keep
``P = 1``; upsampling and transposed convolution bring phases in, and later strides take them out. Exact, in integers
(the recurrences are those of Araujo, Norris and Sim, *Computing Receptive Fields of Convolutional Neural Networks*,
Distill 2019, extended by phases); where phases are too many to list, or two maps out of step meet, an outer bound.
Which layer has which taps stands with the layer; what the borders of a map cut off is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor, gcd, lcm
from typing import Any, NamedTuple, Protocol

from convcalc.algebra.dims import Dim

MAX_PERIOD = 4096  # beyond it phases are no longer listed: the field is then bounded

Interval = tuple[int, int]


class Reach(NamedTuple):
    """Bounds of what a layer reads along an axis: output i nothing outside ``i·jump + low … i·jump + high``."""

    jump: Fraction
    low: Fraction
    high: Fraction


class Taps(NamedTuple):
    """What one layer reads along one axis: output ``a·q + r`` reads inputs ``advance·q + i`` for i in ``ranges[r]``.

    ``border`` is what stands beyond the input's ends: nothing that is seen (``"zeros"``), or the input itself, in one
    of torch's other padding modes. A field goes on there as if the map did.
    """

    advance: int
    ranges: tuple[range, ...]
    border: str = "zeros"

    def reach(self) -> Reach:
        """The same as bounds.

        >>> spread(3, 2, 1, 1).reach()
        Reach(jump=Fraction(1, 2), low=Fraction(-1, 2), high=Fraction(1, 2))
        """
        jump = Fraction(self.advance, len(self.ranges))
        ends = [(reads[0] - r * jump, reads[-1] - r * jump) for r, reads in enumerate(self.ranges) if reads]
        return Reach(
            jump, min([low for low, _ in ends], default=jump * 0), max([high for _, high in ends], default=jump * 0)
        )


class Along(Protocol):
    """The field along one axis of a map: an `Axis`, or a `Bound` of one."""

    @property
    def source(self) -> int: ...
    @property
    def exact(self) -> bool: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def jump(self) -> Fraction: ...
    @property
    def start(self) -> int | None: ...
    @property
    def phases(self) -> tuple[Interval | None, ...]: ...
    def interval(self, unit: int) -> Interval | None: ...
    def through(self, taps: Taps | Reach) -> Along: ...
    def joined(self, other: Any, units: Dim) -> Along | None: ...


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
        """True: each interval begins and ends with a pixel that the unit sees, borders apart."""
        return True

    @property
    def size(self) -> tuple[int, int]:
        """Smallest and largest field size over the phases; 0 for a phase that sees nothing."""
        sizes = [0 if phase is None else phase[1] - phase[0] + 1 for phase in self.phases]
        return (min(sizes), max(sizes)) if len(sizes) > 1 else (sizes[0], sizes[0])

    @property
    def jump(self) -> Fraction:
        """Input pixels between neighbouring units: the effective stride."""
        return Fraction(self.advance, len(self.phases))

    @property
    def start(self) -> int | None:
        """The first input pixel that unit 0 sees (negative in the padding); None where it sees nothing."""
        return self.phases[0][0] if self.phases[0] else None

    def interval(self, unit: int) -> Interval | None:
        """First and last input pixel that ``unit`` sees."""
        turn, phase = divmod(unit, len(self.phases))
        seen = self.phases[phase]
        return None if seen is None else (seen[0] + turn * self.advance, seen[1] + turn * self.advance)

    def through(self, taps: Taps | Reach) -> Along:
        """The field of a layer with ``taps`` on top of this map; a `Bound` where its period is too long to list."""
        if isinstance(taps, Reach):
            return self.bound().through(taps)
        outputs, period = len(taps.ranges), len(self.phases)
        if outputs == period == 1 and taps.ranges[0] and self.phases[0]:
            reads, (low, high) = taps.ranges[0], self.phases[0]
            seen = (low + reads[0] * self.advance, high + reads[-1] * self.advance)
            return Axis(self.source, self.advance * taps.advance, (seen,))
        turns = period // gcd(period, taps.advance)  # of the layer's own period, until both are in step again
        if outputs * turns > MAX_PERIOD:
            return self.bound().through(taps)
        ordered = self._ordered()
        phases = []
        for turn in range(turns):
            shift = turn * taps.advance
            for reads in taps.ranges:
                phases.append(self._hull(range(reads.start + shift, reads.stop + shift, reads.step), ordered))
        return Axis(self.source, self.advance * taps.advance * turns // period, tuple(phases))

    def _ordered(self) -> bool:
        """Whether no unit's interval begins or ends before that of the unit before it."""
        seen = (*self.phases, self.interval(len(self.phases)))
        return None not in seen and all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(seen))  # type: ignore[index]

    def _hull(self, units: range, ordered: bool) -> Interval | None:
        """All that ``units`` see, from first to last; only one period's worth at each end can hold an extreme."""
        if ordered and units:
            return self.interval(units[0])[0], self.interval(units[-1])[1]  # type: ignore[index]
        period = len(self.phases)
        ends = (*units[:period], *units[-period:]) if len(units) > 2 * period else units
        return hull([self.interval(unit) for unit in ends])

    def bound(self) -> Bound:
        """The tightest bound of all phases at once."""
        jump = self.jump
        ends = [(seen[0] - r * jump, seen[1] - r * jump) for r, seen in enumerate(self.phases) if seen]
        low, high = min([low for low, _ in ends], default=jump * 0), max([high for _, high in ends], default=jump * 0)
        return Bound(self.source, jump, low, high)

    def joined(self, other: Along, units: Dim) -> Along | None:
        """The field of units that see what both maps see, of ``units`` units each.

        A `Bound` where the maps do not keep step, None where they lie along different axes of the input.
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
        """False: a unit may see less."""
        return False

    @property
    def size(self) -> tuple[int, int]:
        """0, since nothing is known from below, and the largest size that a unit's field can have."""
        return 0, floor(self.high - self.low) + 1

    @property
    def start(self) -> int | None:
        """The first input pixel that unit 0 may see."""
        return ceil(self.low)

    @property
    def phases(self) -> tuple[Interval | None, ...]:
        """None are known."""
        return ()

    def interval(self, unit: int) -> Interval | None:
        """First and last input pixel that ``unit`` may see."""
        low, high = ceil(unit * self.jump + self.low), floor(unit * self.jump + self.high)
        return (low, high) if low <= high else None

    def through(self, taps: Taps | Reach) -> Bound:
        """The bound for a layer with ``taps`` on top of this map."""
        jump, low, high = taps if isinstance(taps, Reach) else taps.reach()
        return Bound(self.source, self.jump * jump, self.low + self.jump * low, self.high + self.jump * high)

    def bound(self) -> Bound:
        """This one."""
        return self

    def joined(self, other: Along, units: Dim) -> Along | None:
        """The bound of what both maps see; None along different axes, or out of step with a letter for ``units``."""
        theirs: Bound = other.bound()  # type: ignore[attr-defined]
        if self.source != theirs.source:
            return None
        if self.jump != theirs.jump:
            if not isinstance(units, int):
                return None
            both = self._drifting(theirs, units), theirs._drifting(self, units)
            return min(both, key=lambda bound: (bound.high - bound.low, bound.jump))
        return self._replace(low=min(self.low, theirs.low), high=max(self.high, theirs.high))

    def _drifting(self, other: Bound, units: int) -> Bound:
        """This bound, widened to hold ``other`` for the first ``units`` units; the two are furthest apart at an end."""
        drift = (other.jump - self.jump) * (units - 1)
        low, high = other.low + min(drift, Fraction(0)), other.high + max(drift, Fraction(0))
        return self._replace(low=min(self.low, low), high=max(self.high, high))


def hull(intervals: Sequence[Interval | None]) -> Interval | None:
    """The smallest interval that holds all; None where all are empty.

    >>> hull([(0, 2), None, (5, 6)])
    (0, 6)
    """
    seen = [interval for interval in intervals if interval is not None]
    return (min(low for low, _ in seen), max(high for _, high in seen)) if seen else None


@lru_cache(maxsize=1024)
def slide(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """A convolution's or pooling's window: output i reads ``i·s - p + d·t`` for t in 0 … k-1.

    >>> slide(3, 2, 1, 1)
    Taps(advance=2, ranges=(range(-1, 2),), border='zeros')
    """
    return Taps(stride, (range(-padding, dilation * (kernel - 1) - padding + 1, dilation),))


STILL = slide(1, 1, 0, 1)
"""The taps of what moves nothing: a kernel of 1."""


def spread(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """A transposed convolution: output i reads the u with ``u·s - p + d·t = i`` for a t in 0 … k-1.

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
