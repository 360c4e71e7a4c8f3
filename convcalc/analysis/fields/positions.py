"""The positions along one axis that a unit reads through the taps of layers.

A set of positions is an int with a bit for each. What units see along all axes of a graph is left to `sight`.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from math import ceil, floor
from operator import or_

from convcalc.algebra.intervals import Reach, Taps
from convcalc.errors import SpecError

Chain = tuple[Taps | Reach, ...]
"""The taps on the way from an input to an output; those next to the output are last."""

MOST_UNITS = 10_000
"""The most units along an axis that are examined one by one."""


@lru_cache(maxsize=1024)
def read_by_each(chain: Chain, n: int, units: int) -> tuple[int, ...]:
    """Return for each of ``units`` outputs the set of positions that it reads on an axis of size ``n``.

    Raises SpecError for more than 10,000 units.

    >>> [f"{positions:05b}" for positions in read_by_each((Taps(2, (range(3),)),), 5, 2)]
    ['00111', '11100']
    """
    if units > MOST_UNITS:
        what = f"{units:,} units along an axis are too many to examine one by one: the limit is {MOST_UNITS:,}"
        raise SpecError(what, hint="give a smaller --input")
    return tuple([read_by_one(chain, n, unit) for unit in range(units)])


def read_through(chain: Chain, unit: int) -> set[int]:
    """Return the positions that one output reads through several layers, including those beyond the borders.

    >>> sorted(read_through((Taps(2, (range(3),)), Taps(1, (range(2),))), 1))
    [2, 3, 4, 5, 6]
    """
    positions = {unit}
    for taps in reversed(chain):
        positions = {i for position in positions for i in read_by(taps, position)}
    return positions


def read_by_one(chain: Chain, n: int, unit: int) -> int:
    """Return the set of positions that one output reads on an axis of size ``n``."""
    border = getattr(chain[0], "border", "zeros") if chain else "zeros"
    return union(1 << i for i in inside_borders(read_through(chain, unit), n, border))


def inside_borders(positions: Iterable[int], n: int, border: str) -> Iterator[int]:
    """Yield the positions on an axis of size ``n`` from which ``positions`` get their values.

    A position beyond an end takes the value that the ``border`` (reflect, replicate, circular) puts there; if it is a
    constant (zeros), nothing is yielded for it.

    >>> [*inside_borders(range(-2, 2), 9, "reflect")], [*inside_borders(range(-2, 2), 9, "zeros")]
    ([2, 1, 0, 1], [0, 1])
    """
    for i in positions:
        if border == "circular":
            i %= n
        elif border == "replicate":
            i = min(max(i, 0), n - 1)
        elif border == "reflect":
            i = n - 1 - abs(n - 1 - abs(i))
        if 0 <= i < n:
            yield i


def read_by(taps: Taps | Reach, unit: int) -> Iterable[int]:
    """Return the positions that one output reads through a layer's taps, including those beyond the borders.

    >>> list(read_by(Taps(2, (range(3),)), 4))
    [8, 9, 10]
    """
    if isinstance(taps, Reach):
        return range(ceil(unit * taps.jump + taps.low), floor(unit * taps.jump + taps.high) + 1)
    turn, phase = divmod(unit, len(taps.ranges))
    return [i + turn * taps.advance for i in taps.ranges[phase]]


def bits_of(value: int) -> Iterator[int]:
    """Yield the indices of the bits that are set, in as many steps as there are.

    >>> list(bits_of(0b1001))
    [0, 3]
    """
    while value:
        lowest = value & -value
        yield lowest.bit_length() - 1
        value ^= lowest


def union(sets: Iterable[int]) -> int:
    """Return the positions that are in any of ``sets``."""
    return reduce(or_, sets, 0)
