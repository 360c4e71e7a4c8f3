"""Sets of sizes: positive whole numbers that repeat from some number on, as those which a floor or a congruence picks.

Pure arithmetic on whole numbers: a function is known by its values. Letters and what is said of them stand in
`relations`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import lcm
from typing import NamedTuple

MOST = 300_000  # sets with more exceptions, or longer periods, are not written down


class Sizes(NamedTuple):
    """The members below ``start``, and from there on all numbers with one of these remainders by ``period``.

    >>> even = Sizes.of(lambda n: n % 2 == 0, 1, 2)
    >>> 6 in even, 7 in even, even.least, str(even & Sizes.from_(5))
    (True, False, 2, 'n ≡ 0 (mod 2), n ≥ 6')
    """

    below: frozenset[int]
    start: int
    period: int
    remainders: frozenset[int]

    @classmethod
    def of(cls, holds: Callable[[int], bool], start: int, period: int) -> Sizes:
        """The numbers from 1 on for which ``holds`` is true, which repeats from ``start`` on."""
        below = frozenset(n for n in range(1, start) if holds(n))
        repeated = frozenset(n % period for n in range(start, start + period) if holds(n))
        return cls(below, start, period, repeated)._shortest()

    @classmethod
    def from_(cls, least: int) -> Sizes:
        """All numbers from ``least`` on."""
        return cls(frozenset(), max(least, 1), 1, frozenset({0}))

    @classmethod
    def listed(cls, members: Iterable[int]) -> Sizes:
        """These numbers and no others."""
        members = frozenset(members)
        return cls(members, max(members, default=0) + 1, 1, frozenset())

    def _shortest(self) -> Sizes:
        """The same set with the shortest period and the earliest start."""
        period = next(
            p
            for p in range(1, self.period + 1)
            if self.period % p == 0 and frozenset((r + p) % self.period for r in self.remainders) == self.remainders
        )
        remainders = frozenset(r % period for r in self.remainders)
        start = self.start
        while start > 1 and (start - 1 in self.below) == ((start - 1) % period in remainders):
            start -= 1
        return Sizes(frozenset(n for n in self.below if n < start), start, period, remainders)

    def __contains__(self, n: object) -> bool:
        if not isinstance(n, int):
            return False
        return n in self.below if n < self.start else n % self.period in self.remainders

    def __and__(self, other: Sizes) -> Sizes:
        return self._merged(other, lambda n: n in self and n in other)

    def __or__(self, other: Sizes) -> Sizes:
        return self._merged(other, lambda n: n in self or n in other)

    def _merged(self, other: Sizes, holds: Callable[[int], bool]) -> Sizes:
        return Sizes.of(holds, max(self.start, other.start), lcm(self.period, other.period))

    def __invert__(self) -> Sizes:
        return Sizes.of(lambda n: n not in self, self.start, self.period)

    @property
    def least(self) -> int | None:
        """The smallest member; None where there is none."""
        return self.above(1)

    @property
    def finite(self) -> bool:
        """Whether the members end."""
        return not self.remainders

    @property
    def most(self) -> int | None:
        """The largest member; None where there is none, or no end of them."""
        return max(self.below, default=None) if self.finite else None

    def above(self, n: int) -> int | None:
        """The smallest member that is at least ``n``."""
        early = [m for m in self.below if m >= n]
        if early:
            return min(early)
        first = max(n, self.start)
        return next((m for m in range(first, first + self.period) if m in self), None)

    def under(self, n: int) -> int | None:
        """The largest member that is at most ``n``."""
        last = max(self.start, n - self.period + 1)
        late = next((m for m in range(n, last - 1, -1) if m in self), None)
        return late if late is not None else max((m for m in self.below if m <= n), default=None)

    def __str__(self) -> str:
        return self.told("n")

    def told(self, letter: str) -> str:
        """The set in signs: congruences, bounds, runs.

        >>> Sizes.listed([5, 6, 7, 9]).told("H"), Sizes.of(lambda n: n % 7 < 3, 1, 7).told("H")
        ('H = 5…7, 9', 'H ≡ 0…2 (mod 7)')
        """
        if self.finite:
            return f"{letter} = {_runs(sorted(self.below))}" if self.below else f"no {letter}"
        tail = self._tail(letter)
        return f"{letter} = {_runs(sorted(self.below))} or {tail}" if self.below else tail

    def _tail(self, letter: str) -> str:
        """What holds from ``start`` on."""
        first = next(m for m in range(self.start, self.start + self.period) if m in self)
        if len(self.remainders) == self.period:
            return f"{letter} ≥ {first}" if first > 1 else f"any {letter}"
        missing = sorted(set(range(self.period)) - self.remainders)
        if len(missing) == 1 and self.period > 2:
            congruence = f"{letter} ≢ {missing[0]} (mod {self.period})"
        else:
            congruence = f"{letter} ≡ {_runs(sorted(self.remainders), self.period)} (mod {self.period})"
        natural = next(m for m in range(1, self.period + 1) if m % self.period in self.remainders)
        return congruence if first == natural and not self.below else f"{congruence}, {letter} ≥ {first}"


def _runs(numbers: list[int], period: int = 0) -> str:
    """Sorted numbers with neighbours drawn together; with a period, over its end too: ``5…1`` for 5, 6, 0, 1 of 7."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    if period and len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == period - 1:
        runs[-1][1] = runs.pop(0)[1] + period
    shown = [f"{a}" if a == b else f"{a}, {b}" if b == a + 1 else f"{a}…{b}" for a, b in runs]
    return ", ".join(shown) if len(shown) <= 12 else ", ".join([*shown[:10], "…", shown[-1]])


ALL = Sizes.from_(1)
NONE = Sizes.listed([])


def where(value: Callable[[int], int], period: int, degree: int, sign: Callable[[int], bool]) -> Sizes | None:
    """The n ≥ 1 for which ``sign`` holds of the sign (-1, 0, 1) of ``value(n)``.

    In steps of ``period`` the values must be those of a polynomial of at most this ``degree``, for each remainder. None
    where the answer would be too long to write down.

    >>> where(lambda n: n // 4 - 3, 4, 1, lambda sign: sign == 0)
    Sizes(below=frozenset({12, 13, 14, 15}), start=16, period=1, remainders=frozenset())
    """
    if period > MOST // 100:
        return None
    settled = 0  # the turn from which on no sign changes
    runs = []
    for remainder in range(1, period + 1):
        values = [value(remainder + period * turn) for turn in range(degree + 1)]
        changes = _signs(_differences(values))
        runs.append(changes)
        settled = max(settled, changes[-1][0])
        if settled * period > MOST:
            return None

    def holds(n: int) -> bool:
        turn, remainder = divmod(n - 1, period)
        changes = runs[remainder]
        return sign(changes[bisect_left(changes, (turn + 1, -2)) - 1][1])

    return Sizes.of(holds, settled * period + 1, period)


def _differences(values: list[int]) -> list[int]:
    """The first of the values, of their differences, of the differences of those, and so on."""
    firsts = []
    while values:
        firsts.append(values[0])
        values = [b - a for a, b in pairwise(values)]
    return firsts


def _signs(differences: list[int]) -> list[tuple[int, int]]:
    """Where in 0, 1, 2, … a polynomial takes another sign, and which; it is given by its `_differences` at 0."""
    while len(differences) > 1 and differences[-1] == 0:
        differences = differences[:-1]
    if len(differences) == 1:
        return [(0, _sign(differences[0]))]

    def value(q: int) -> int:
        total, binomial = 0, 1
        for k, difference in enumerate(differences):
            total += difference * binomial
            binomial = binomial * (q - k) // (k + 1)
        return total

    slopes = _signs(differences[1:])  # between two of its changes the polynomial only rises or only falls
    changes: list[tuple[int, int]] = []
    for (start, slope), end in zip(slopes, [*[change[0] for change in slopes[1:]], None]):
        for place in _crossings(value, start, end, slope):
            if not changes or changes[-1][1] != _sign(value(place)):
                changes.append((place, _sign(value(place))))
    return changes


def _crossings(value: Callable[[int], int], start: int, end: int | None, slope: int) -> Iterator[int]:
    """``start``, and where after it a function that only rises or only falls up to ``end`` takes another sign."""
    yield start
    at = start
    while slope and _sign(value(at)) != slope:
        step = 1
        while end is None and _sign(value(at + step)) == _sign(value(at)):
            step *= 2
        last = at + step if end is None else end
        if _sign(value(last)) == _sign(value(at)):
            return
        low = at
        while last - low > 1:
            middle = (low + last) // 2
            low, last = (middle, last) if _sign(value(middle)) == _sign(value(at)) else (low, middle)
        at = last
        yield at


def _sign(n: int) -> int:
    return (n > 0) - (n < 0)
