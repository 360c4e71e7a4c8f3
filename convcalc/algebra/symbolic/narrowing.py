"""Integers at which several relations hold: ranges of numbers, narrowed by each relation and cut down to points.

`Ranges` are the least and the greatest number of each letter. A relation narrows them forwards, from the bounds of
letters to those of the expression, and backwards (Benhamou et al., *Revising hull and box consistency*, ICLP 1999),
here in integers. Only numbers that cannot satisfy a relation are dropped, so what is left at the end is complete.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from math import isqrt, prod
from typing import Any, TypeAlias

import sympy
from sympy import ceiling, floor

from convcalc.algebra.symbolic.canonical import canonical
from convcalc.algebra.symbolic.terms import as_fraction, as_terms
from convcalc.algebra.types import LIMIT

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""The least and the greatest number of each letter."""

FAR = LIMIT**40  # beyond what is computed


class Narrowing:
    """A function of `Ranges` that narrows them by relations (``==``, ``>=``) between ``letters``.

    Relations that it cannot compute are ignored. It returns the narrowed ranges, and whether all relations hold
    everywhere in them.

    >>> from convcalc.algebra.parse import symbols
    >>> k, s = symbols("k s")
    >>> narrowing = Narrowing([sympy.Eq((5000 - k) // s, 499), k >= 600], [k, s])
    >>> narrowing(((1, LIMIT), (1, LIMIT)))
    (((1001, 4501), (1, 8)), False)
    """

    def __init__(self, relations: Sequence[Any], letters: Sequence[Any]) -> None:
        self.steps: list[tuple[str, int, int]] = [("", 0, 0)] * len(letters)
        self.places = {letter: i for i, letter in enumerate(letters)}
        self.goals: list[tuple[int, int]] = []
        self.work = 0  # steps computed so far
        for gap, most in _gaps(relations):
            gap = _nested(_primitive(gap, exact=most == 0))
            if gap.func is floor and most:  # ⌊a/b⌋ ≥ 0 where a ≥ 0
                gap = _nested(as_fraction(gap.args[0])[0])
            place = self._place(gap)
            if place is not None and (place, most) not in self.goals:
                self.goals.append((place, most))

    def _place(self, expr: Any) -> int | None:
        """Return the index of the step that computes ``expr``, added after those of its parts; None if no step can."""
        if expr in self.places:
            return self.places[expr]
        sign = {sympy.Add: "+", sympy.Mul: "*", sympy.Min: "least", floor: "//", ceiling: "//"}.get(expr.func, "")
        first: Any = expr
        second: Any = None
        if sign == "//":
            first, second = as_fraction(expr.args[0])
            first = _nested(first + second - 1 if expr.func is ceiling else first)
        elif expr.is_Pow and expr.exp.is_Integer and expr.exp > 1:
            sign, first, second = "*", expr.base, expr.base ** (expr.exp - 1)
        elif sign:
            first, second = expr.args[0], expr.func(*expr.args[1:], evaluate=False)
            if expr.is_Add and not first.is_Integer and expr.could_extract_minus_sign():
                sign, first, second = "*", -expr, sympy.Integer(-1)  # so that k - 2·p and 2·p - k are one step
        elif not expr.is_Integer:
            return None
        places = (int(expr), 0) if not sign else (self._place(first), self._place(second))
        if None in places:
            return None
        self.places[expr] = len(self.steps)
        self.steps.append((sign, *places))  # type: ignore[arg-type]
        return self.places[expr]

    def bounds(self, ranges: Ranges) -> tuple[list[int], list[int]]:
        """Return the least and the greatest value of each step for letters in these ranges."""
        lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
        for sign, a, b in self.steps[len(ranges) :]:
            if sign == "+":
                low, high = lows[a] + lows[b], highs[a] + highs[b]
            elif sign == "*":
                ends = lows[a] * lows[b], lows[a] * highs[b], highs[a] * lows[b], highs[a] * highs[b]
                low, high = min(ends), max(ends)
            elif sign == "//":  # no layer takes a divisor less than 1
                low = lows[a] // max(1, highs[b] if lows[a] >= 0 else lows[b])
                high = highs[a] // max(1, lows[b] if highs[a] >= 0 else highs[b])
            elif sign == "least":
                low, high = min(lows[a], lows[b]), min(highs[a], highs[b])
            else:
                low = high = a
            lows.append(low)
            highs.append(high)
        return lows, highs

    def __call__(self, ranges: Ranges) -> tuple[Ranges | None, bool]:
        """Return what is left of ranges, None if nothing is, and whether all relations hold everywhere in it."""
        for turn in count():
            lows, highs = self.bounds(ranges)
            self.work += len(self.steps)
            sure = True
            for place, most in self.goals:
                sure = sure and lows[place] >= 0 and highs[place] <= most
                lows[place], highs[place] = max(lows[place], 0), min(highs[place], most)
            if not sure:
                self._back(lows, highs)
            left = tuple(zip(lows, highs))[: len(ranges)]
            if any(low > high for low, high in zip(lows, highs)):
                return None, False
            if sure or left == ranges or (turn > 8 and width(left)):  # a turn might drop one of a million numbers
                break
            ranges = left
        return left, sure

    def _back(self, lows: list[int], highs: list[int]) -> None:
        """Narrow the bounds of each step's parts by those of the step, from the last step to the first."""

        def meet(place: int, low: int, high: int) -> None:
            lows[place], highs[place] = max(lows[place], low), min(highs[place], high)

        for i in range(len(self.steps) - 1, -1, -1):
            (sign, a, b), low, high = self.steps[i], lows[i], highs[i]
            if low > high:
                return
            if sign == "+":
                meet(a, low - highs[b], high - lows[b])
                meet(b, low - highs[a], high - lows[a])
            elif sign == "*":
                meet(a, *_quotient(low, high, lows[b], highs[b]))
                meet(b, *_quotient(low, high, lows[a], highs[a]))
            elif sign == "//":
                meet(b, 1, FAR)
                least, most = lows[b], highs[b]
                meet(a, low * (least if low >= 0 else most), (high + 1) * (most if high >= 0 else least) - 1)
                if low > 0:
                    meet(b, 1, highs[a] // low)
                if high >= 0:
                    meet(b, lows[a] // (high + 1) + 1, FAR)
            elif sign == "least":
                for this, other in ((a, b), (b, a)):
                    meet(this, low, high if lows[other] > high else FAR)


def _gaps(relations: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """Yield the difference of the sides of each relation and its greatest value, and variants of these.

    In a variant an equation has been solved for a letter, and the solution substituted: thus ``k = 2·p + 1`` and an
    even ``k`` exclude each other immediately, not number by number.
    """
    sides = [(int(r), 1) if isinstance(r, bool) else r.args for r in relations]
    gaps = [sympy.sympify(canonical(a - b)) for a, b in sides]
    most = [FAR if isinstance(relation, sympy.Ge) else 0 for relation in relations]
    yield from zip(gaps, most)
    for i, gap in enumerate(gaps):
        factors = gap.as_coefficients_dict() if most[i] == 0 else {}
        for term, factor in factors.items():
            if term.is_Symbol and abs(factor) == 1 and not (gap - factor * term).has(term):
                others = [j for j, other in enumerate(gaps) if j != i and other.has(term)]
                moved = [(_with(gaps[j], term, term - gap / factor), most[j]) for j in others]
                yield from ((other, high) for other, high in moved if other is not None)


def _with(gap: Any, term: Any, value: Any) -> Any:
    """Return a gap with a value substituted for a letter; None if it then divides by 0, which sympy cannot compare."""
    try:
        moved = gap.subs(term, value)
        return None if moved.has(sympy.nan, sympy.zoo) else sympy.sympify(canonical(moved))
    except ValueError:
        return None


def _primitive(gap: Any, exact: bool) -> Any:
    """Return a sum without its common factor: ``2·a - 2·b ≥ 1`` is ``a - b ≥ 1``; ``= 1`` (``exact``) is impossible."""
    constant, terms = as_terms(sympy.expand(gap * sympy.ilcm(1, *[f.q for f in gap.as_coefficients_dict().values()])))
    common = sympy.igcd(0, 0, *terms.values()) or 1
    if exact and constant % common:
        return sympy.Integer(-1)
    return sympy.Add(*[factor // common * term for term, factor in terms.items()], constant // common)


def _nested(expr: Any) -> Any:
    """Return a sum with a factor that terms share taken out, as in ``d·(k - 1)``, and with all terms in its only floor.

    The fewer times a letter occurs, the better it is narrowed.
    """
    terms = sympy.Add.make_args(sympy.expand(expr))
    floors = [(sign, term) for term in terms for sign in (1, -1) if (sign * term).func in (floor, ceiling)]
    others = [term for term in terms if not term.is_Integer]
    if len(floors) == 1 and len(others) > 1:
        ((sign, term),) = floors
        numerator, divisor = as_fraction((sign * term).args[0])
        whole = sympy.expand(sign * divisor * (sympy.Add(*others) - term))
        joined = (sign * term).func((numerator + whole) / divisor, evaluate=False)
        return sympy.Add(sign * joined, *[term for term in terms if term.is_Integer])
    shared = Counter(part for term in terms for part in term.as_powers_dict() if not part.is_Number)
    part, often = max(shared.items(), key=lambda item: (item[1], str(item[0])), default=(None, 0))
    if often < 2:
        return sympy.Add(*terms)
    inside = _nested(sympy.Add(*[term / part for term in terms if part in term.as_powers_dict()]))
    rest = _nested(sympy.Add(*[term for term in terms if part not in term.as_powers_dict()]))
    return sympy.Add(sympy.Mul(part, inside, evaluate=False), rest, evaluate=False)


def _quotient(low: int, high: int, least: int, most: int) -> tuple[int, int]:
    """Return bounds of integers whose product with one from ``least`` to ``most`` is from ``low`` to ``high``."""
    if most < 0:
        low, high, least, most = -high, -low, -most, -least
    if least <= 0 or most < least:
        return -FAR, FAR
    return -(-low // (most if low > 0 else least)), high // (least if high > 0 else most)


def width(ranges: Ranges) -> int:
    """Return the summed lengths of ranges; 0 for a point.

    >>> width(((1, 4), (7, 7)))
    3
    """
    return sum(high - low for low, high in ranges)


def size(ranges: Ranges) -> int:
    """Return how many points are in ranges.

    >>> size(((1, 4), (7, 8)))
    8
    """
    return prod(high - low + 1 for low, high in ranges)


def cut(ranges: Ranges) -> Iterator[Ranges]:
    """Yield two halves, cut at the letter with the shortest range, which often determines the others.

    >>> list(cut(((1, 100), (3, 4))))
    [((1, 100), (3, 3)), ((1, 100), (4, 4))]
    """
    i = min((high - low, i) for i, (low, high) in enumerate(ranges) if high > low)[1]
    low, high = ranges[i]
    middle = max(low, min(isqrt(max(low, 1) * high), high - 1))  # by magnitude, not by distance
    for half in ((low, middle), (middle + 1, high)):
        yield (*ranges[:i], half, *ranges[i + 1 :])


def search(
    narrowing: Narrowing, ranges: Ranges, key: Callable[[Ranges], Any], whole: bool
) -> Iterator[tuple[Any, Ranges | None]]:
    """Cut ranges, in the order of ``key``, until the relations hold everywhere or nowhere in each part.

    Yields, for each part examined, its key, and what is left of it if the relations hold everywhere there; None
    otherwise. Parts are cut down to points unless ``whole``. Ends when no part is left.
    """
    turn = count()
    heap: list[tuple[Any, int, Ranges]] = [(key(ranges), next(turn), ranges)]
    while heap:
        rank, _, part = heappop(heap)
        left, sure = narrowing(part)
        done = left is not None and sure and (whole or not width(left))
        yield rank, left if done else None
        if left is not None and not done:
            for half in cut(left):
                heappush(heap, (key(half), next(turn), half))
