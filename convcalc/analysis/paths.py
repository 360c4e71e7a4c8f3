"""The effective receptive field: how often a unit reads each pixel, counted along one axis.

Luo, Li, Urtasun and Zemel (*Understanding the Effective Receptive Field in Deep Convolutional Neural Networks*, 2016)
show that with uniform weights the influence of a pixel is the number of paths to it, which piles up in the middle. Here
the paths are counted exactly, in whole numbers, as if the map had no borders. What a unit sees at all is `flow`, and
what borders cut off is `sight`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from math import sqrt
from typing import NamedTuple

from convcalc.analysis.sight import Sight, read_by
from convcalc.errors import SpecError


class Profile(NamedTuple):
    """Paths from a unit to each position along one axis of the input: ``paths[i]`` lead to position ``start + i``."""

    start: int
    paths: tuple[int, ...]

    @property
    def total(self) -> int:
        """All paths."""
        return sum(self.paths)

    @property
    def mean(self) -> Fraction:
        """The position where the paths end on average."""
        return self.start + Fraction(sum([i * n for i, n in enumerate(self.paths)]), self.total)

    @property
    def variance(self) -> Fraction:
        """The mean square distance from `mean`, in pixels squared."""
        square = Fraction(sum([i * i * n for i, n in enumerate(self.paths)]), self.total)
        return square - (self.mean - self.start) ** 2

    @property
    def deviation(self) -> float:
        """The standard deviation, in pixels."""
        return sqrt(self.variance)

    def holding(self, share: Fraction = Fraction(95, 100)) -> tuple[int, int]:
        """First and last position of the shortest stretch that holds this share of the paths, the middle one of these.

        >>> Profile(-2, (1, 2, 3, 2, 1)).holding(Fraction(3, 4))
        (-1, 1)
        """
        upto = [0, *accumulate(self.paths)]
        found: list[tuple[int, int]] = []
        for first, before in enumerate(upto[:-1]):
            last = bisect_left(upto, before + share * self.total)
            if last < len(upto):
                size = last - first
                if not found or size < found[0][1] - found[0][0]:
                    found = []
                if not found or size == found[0][1] - found[0][0]:
                    found.append((first, last))
        first, last = found[(len(found) - 1) // 2]
        return self.start + first, self.start + last - 1


def profile(sight: Sight, name: str, axis: int, unit: int) -> Profile:
    """The paths from ``unit`` of node ``name`` along its tensor axis ``axis``; gates are not followed.

    Raises SpecError where the field is not defined or the unit sees the axis from end to end.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 3, padding=1)), (1, 1, 9))
    >>> profile(Sight(graph), "1", 2, 4)
    Profile(start=2, paths=(1, 2, 3, 2, 1))
    """
    counts: dict[tuple[str, int], dict[int, int]] = {(name, axis): {unit: 1}}
    for node in reversed(sight.graph.nodes):
        reached = [(key, counts.pop(key)) for key in [key for key in counts if key[0] == node.name]]
        if not reached:
            continue
        here = sight.step(node)
        if here is None:
            raise SpecError(f"the receptive field is not defined at {node.name}", where=repr(node.layer))
        gates = {k for k, _ in here.gates}
        for (_, j), ends in reached:
            if not here.routes[j]:
                raise SpecError(
                    f"every unit of {name} sees the whole axis, from {node.name} on", where=repr(node.layer)
                )
            for (k, a), chain in here.routes[j]:
                if k not in gates:
                    into = counts.setdefault((node.inputs[k], a), {})
                    _add(into, ends, chain)
    return _merged(counts)


def _add(into: dict[int, int], ends: Mapping[int, int], chain: Sequence[object]) -> None:
    """Lead the paths that end at these positions through a layer, on to the positions that it reads."""
    for taps in reversed(chain):
        further: dict[int, int] = {}
        for position, number in ends.items():
            for read in read_by(taps, position):  # type: ignore[arg-type]
                further[read] = further.get(read, 0) + number
        ends = further
    for position, number in ends.items():
        into[position] = into.get(position, 0) + number


def _merged(counts: Mapping[tuple[str, int], Mapping[int, int]]) -> Profile:
    """The paths to all inputs together."""
    total: dict[int, int] = {}
    for ends in counts.values():
        _add(total, ends, ())
    if not total:
        return Profile(0, (0,))
    first, last = min(total), max(total)
    return Profile(first, tuple([total.get(i, 0) for i in range(first, last + 1)]))
