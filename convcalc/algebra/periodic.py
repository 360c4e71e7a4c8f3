"""Sets of sizes: positive integers, periodic above some number. They can be combined, searched and described."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import lcm
from typing import Any, NamedTuple

MOST = 300_000  # sets with more exceptions, or longer periods, are not represented


class Sizes(NamedTuple):
    """A set: the members ``below`` ``start``, and all numbers ≥ ``start`` with one of ``remainders`` by ``period``.

    >>> even = Sizes.of(lambda n: n % 2 == 0, 1, 2)
    >>> 6 in even, 7 in even, even.least, str(even & Sizes.from_(5))
    (True, False, 2, 'n ≡ 0 (mod 2), n ≥ 6')
    """

    below: frozenset[int]
    start: int
    period: int
    remainders: frozenset[int]

    @classmethod
    def of(cls, holds: Callable[[int], bool], start: int, period: int) -> "Sizes":
        """Return the n ≥ 1 for which ``holds`` is true; from ``start`` upwards ``holds`` must be periodic."""
        below = {n for n in range(1, start) if holds(n)}
        left = {n % period for n in range(start, start + period) if holds(n)}
        # the same set with the shortest period and the earliest start
        period = next(p for p in range(1, period + 1) if period % p == 0 and {(r + p) % period for r in left} == left)
        left = {r % period for r in left}
        while start > 1 and (start - 1 in below) == ((start - 1) % period in left):
            start -= 1
        return cls(frozenset(n for n in below if n < start), start, period, frozenset(left))

    @classmethod
    def from_(cls, least: int) -> "Sizes":
        """Return all integers ≥ ``least``, and ≥ 1."""
        return cls(frozenset(), max(least, 1), 1, frozenset({0}))

    @classmethod
    def listed(cls, members: Iterable[int]) -> "Sizes":
        """Return the finite set of these members."""
        members = frozenset(members)
        return cls(members, max(members, default=0) + 1, 1, frozenset())

    def __contains__(self, n: Any) -> bool:
        return n in self.below if n < self.start else n % self.period in self.remainders

    def __and__(self, other: "Sizes") -> "Sizes":
        return self._merged(other, lambda n: n in self and n in other)

    def __or__(self, other: "Sizes") -> "Sizes":
        return self._merged(other, lambda n: n in self or n in other)

    def _merged(self, other: "Sizes", holds: Callable[[int], bool]) -> "Sizes":
        return Sizes.of(holds, max(self.start, other.start), lcm(self.period, other.period))

    def __invert__(self) -> "Sizes":
        return Sizes.of(lambda n: n not in self, self.start, self.period)

    @property
    def least(self) -> int | None:
        """The smallest member, if any."""
        return self.above(1)

    @property
    def finite(self) -> bool:
        """Whether the set has finitely many members."""
        return not self.remainders

    @property
    def most(self) -> int | None:
        """The largest member, of a finite set that has one."""
        return max(self.below, default=None) if self.finite else None

    def above(self, n: int) -> int | None:
        """Return the smallest member ≥ ``n``, if any."""
        first = max(n, self.start)
        late = range(first, first + self.period)
        return min([m for m in (*self.below, *late) if m >= n and m in self], default=None)

    def under(self, n: int) -> int | None:
        """Return the largest member ≤ ``n``, if any."""
        late = range(max(self.start, n - self.period + 1), n + 1)
        return max([m for m in (*self.below, *late) if m <= n and m in self], default=None)

    def __str__(self) -> str:
        return self.describe("n")

    def describe(self, letter: str) -> str:
        """Return the set as a statement about ``letter``, by congruences, bounds and runs of numbers.

        >>> Sizes.listed([5, 6, 7, 9]).describe("H"), Sizes.of(lambda n: n % 7 < 3, 1, 7).describe("H")
        ('H = 5…7, 9', 'H ≡ 0…2 (mod 7)')
        """
        listed = [f"{letter} = {_runs(sorted(self.below))}"] if self.below else []
        tail = [] if self.finite else [self._tail(letter)]
        return " or ".join([*listed, *tail]) or f"no {letter}"

    def _tail(self, letter: str) -> str:
        first = next(m for m in range(self.start, self.start + self.period) if m in self)
        if self.period == 1:
            return f"{letter} ≥ {first}" if first > 1 else f"any {letter}"
        missing = sorted(set(range(self.period)) - self.remainders)
        but_one = len(missing) == 1 and self.period > 2
        residues = f"≢ {missing[0]}" if but_one else f"≡ {_runs(sorted(self.remainders), self.period)}"
        congruence = f"{letter} {residues} (mod {self.period})"
        natural = next(m for m in range(1, self.period + 1) if m % self.period in self.remainders)
        return congruence if first == natural and not self.below else f"{congruence}, {letter} ≥ {first}"


def _runs(numbers: list[int], period: int = 0) -> str:
    """Return sorted numbers as text, with runs joined, also across the end of a period: ``5…8`` for 0, 1, 5, 6 by 7."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    if period and len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == period - 1:
        runs[-1][1] = runs.pop(0)[1] + period
    shown = [f"{a}" if a == b else f"{a}, {b}" if b == a + 1 else f"{a}…{b}" for a, b in runs]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:10], "…", shown[-1]])


ALL = Sizes.from_(1)
NONE = Sizes.listed([])


def where(value: Callable[[int], int], period: int, degree: int, holds: Callable[[int], bool]) -> Sizes | None:
    """Return the n ≥ 1 for which ``holds``, a question about a sign, is true of ``value(n)``; None if too many to list.

    For each remainder by ``period``, ``value`` must be a polynomial of at most this ``degree``.

    >>> where(lambda n: n // 4 - 3, 4, 1, lambda sign: sign == 0)
    Sizes(below=frozenset({12, 13, 14, 15}), start=16, period=1, remainders=frozenset())
    """

    def settled(turn: int) -> bool:
        """Return whether no sign changes in this turn or later: all values and their differences have one sign."""
        for n in range(turn * period + 1, turn * period + period + 1):
            values = [value(n + period * k) for k in range(degree + 1)]
            first = values[0]
            while values:
                if values[0] and values[0] * first <= 0:
                    return False
                values = [b - a for a, b in pairwise(values)]
        return True

    if period > MOST // 100:
        return None
    turn = 0
    while not settled(turn):
        turn = 2 * turn + 1
        if turn * period > 2 * MOST:
            return None
    sizes = Sizes.of(lambda n: holds(value(n)), turn * period + 1, period)
    return sizes if sizes.start <= MOST else None
