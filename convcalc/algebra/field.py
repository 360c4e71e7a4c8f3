"""Receptive fields as interval maps: which inputs a unit sees, per axis and per phase.

A unit at ``i = P·q + r`` of a map with period ``P`` sees the inputs ``A·q + low_r … A·q + high_r``. Strided layers keep
``P = 1``; upsampling and transposed convolution bring phases in, and later strides take them out. Exact, in integers
(the recurrences are those of Araujo, Norris and Sim, *Computing Receptive Fields of Convolutional Neural Networks*,
Distill 2019, extended by phases). Which layer has which taps stands with the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

MAX_PERIOD = 4096  # beyond it phases are no longer listed: the field is then not known

Interval = tuple[int, int]


class Taps(NamedTuple):
    """What one layer reads along one axis: output ``a·q + r`` reads inputs ``advance·q + i`` for i in ``ranges[r]``."""

    advance: int
    ranges: tuple[range, ...]


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
    def size(self) -> tuple[int, int]:
        """Smallest and largest field size over the phases; 0 for a phase that sees nothing."""
        sizes = [0 if phase is None else phase[1] - phase[0] + 1 for phase in self.phases]
        return min(sizes), max(sizes)

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

    def through(self, taps: Taps) -> Axis | None:
        """The field of a layer with ``taps`` on top of this map; None where its period is too long to list."""
        outputs, period = len(taps.ranges), len(self.phases)
        turns = period // gcd(period, taps.advance)  # of the layer's own period, until both are in step again
        if outputs * turns > MAX_PERIOD:
            return None
        phases = []
        for turn in range(turns):
            shift = turn * taps.advance
            for reads in taps.ranges:
                phases.append(self._hull(range(reads.start + shift, reads.stop + shift, reads.step)))
        return Axis(self.source, self.advance * taps.advance * turns // period, tuple(phases))

    def _hull(self, units: range) -> Interval | None:
        """All that ``units`` see, from first to last; only one period's worth at each end can hold an extreme."""
        period = len(self.phases)
        if len(units) > 2 * period:
            seen = [self.interval(unit) for unit in (*units[:period], *units[-period:])]
        else:
            seen = [self.interval(unit) for unit in units]
        return hull(seen)

    def joined(self, other: Axis) -> Axis | None:
        """The field of units that see what both maps see; None where the maps do not keep step."""
        if self == other:
            return self
        if self.source != other.source or self.jump != other.jump:
            return None
        period = lcm(len(self.phases), len(other.phases))
        phases = tuple(hull([self.interval(i), other.interval(i)]) for i in range(period))
        return Axis(self.source, int(self.jump * period), phases) if period <= MAX_PERIOD else None


def hull(intervals: Sequence[Interval | None]) -> Interval | None:
    """The smallest interval that holds all; None where all are empty.

    >>> hull([(0, 2), None, (5, 6)])
    (0, 6)
    """
    seen = [interval for interval in intervals if interval is not None]
    return (min(low for low, _ in seen), max(high for _, high in seen)) if seen else None


def slide(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """A convolution's or pooling's window: output i reads ``i·s - p + d·t`` for t in 0 … k-1.

    >>> slide(3, 2, 1, 1)
    Taps(advance=2, ranges=(range(-1, 2),))
    """
    return Taps(stride, (range(-padding, dilation * (kernel - 1) - padding + 1, dilation),))


def spread(kernel: int, stride: int, padding: int, dilation: int) -> Taps:
    """A transposed convolution: output i reads the u with ``u·s - p + d·t = i`` for a t in 0 … k-1.

    >>> spread(3, 2, 1, 1)
    Taps(advance=1, ranges=(range(0, 1), range(0, 2)))
    """
    ranges = []
    for phase in range(stride):
        aligned = [phase + padding - dilation * t for t in range(kernel)]
        reads = [i // stride for i in aligned if i % stride == 0]
        step = dilation // gcd(stride, dilation)
        ranges.append(range(reads[-1], reads[0] + 1, step) if reads else range(0))
    return Taps(1, tuple(ranges))


class Field(NamedTuple):
    """The field of a tensor's units: an `Axis` for each tensor axis along which the field moves, else None.

    ``whole`` holds the axes of the input that every unit sees from end to end.
    """

    axes: tuple[Axis | None, ...]
    whole: frozenset[int] = frozenset()

    @classmethod
    def of_input(cls, rank: int) -> Field:
        """The field of the input itself: each pixel sees itself. The first two axes are batch and channels."""
        return cls((None,) * min(rank, 2) + tuple(Axis(i) for i in range(rank - 2)))

    def collapsed(self, axes: Sequence[int]) -> Field:
        """The field after a layer that mixes all positions along these tensor axes, which stay (with any size)."""
        gone = {i % len(self.axes) for i in axes}
        whole = self.whole | {axis.source for i, axis in enumerate(self.axes) if i in gone and axis}
        return Field(tuple(None if i in gone else axis for i, axis in enumerate(self.axes)), whole)

    def through(self, taps: Sequence[Taps]) -> Field | None:
        """The field after a layer that slides over the last ``len(taps)`` axes."""
        first = len(self.axes) - len(taps)
        axes = list(self.axes)
        for i, tap in enumerate(taps, first):
            before = axes[i]
            axes[i] = after = before and before.through(tap)
            if before is not None and after is None:
                return None
        return Field(tuple(axes), self.whole)


def join(fields: Sequence[Field]) -> Field | None:
    """The field of units that see what all of ``fields`` see, aligned from the last axis as broadcasting does.

    None where two maps do not keep step, so that no one interval map describes both.
    """
    rank = max(len(field.axes) for field in fields)
    axes: list[Axis | None] = [None] * rank
    for field in fields:
        for i, axis in enumerate(field.axes, rank - len(field.axes)):
            old = axes[i]
            axes[i] = new = axis if old is None else old if axis is None else old.joined(axis)
            if new is None and old is not None:
                return None
    return Field(tuple(axes), frozenset().union(*(field.whole for field in fields)))
