"""Where several relations hold: a set of sizes for each letter, or several cases of these where letters are related.

Products are factored (``⌊H/16⌋·⌊W/16⌋ = 196``), and equations with few solutions (``D·H·W + D + H = 30``) are solved;
other relations between letters are kept, and checked for given sizes.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import product
from math import inf, prod
from typing import Any

import sympy

from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.symbolic.canonical import canonical
from convcalc.algebra.symbolic.narrowing import Narrowing, search, width
from convcalc.algebra.symbolic.printing import pretty
from convcalc.algebra.symbolic.program import make_function
from convcalc.algebra.symbolic.relations import relate, solve_relation
from convcalc.algebra.symbolic.terms import as_products, symbol
from convcalc.algebra.types import LIMIT

SizesByLetter = dict[str, Sizes]
"""For each letter the sizes it may take, whatever the others are."""

MOST_CASES = 1000
MOST_STEPS = 200_000  # of narrowing, for all sizes that solve an equation
MOST_TRIED = 2000


class Region:
    """The sizes at which all of some relations hold: those in one of ``cases`` at which each of ``rest`` holds too.

    >>> H, W = symbol("H"), symbol("W")
    >>> region = Region([sympy.Eq(2 * (H // 2), H), H >= 7, sympy.Eq((W // 4) * (W // 4), 9)], ["H", "W"])
    >>> {letter: sizes.describe(letter) for letter, sizes in region.cases[0].items()}
    {'H': 'H ≡ 0 (mod 2), H ≥ 8', 'W': 'W = 12…15'}
    """

    def __init__(self, relations: Iterable[Any], letters: Sequence[str]) -> None:
        self.letters = tuple(letters)
        self.rest: list[Any] = []
        alone = dict.fromkeys(letters, ALL)
        later = []
        for relation in relations:
            names = [] if isinstance(relation, bool) else list(map(str, relation.free_symbols))
            sizes = solve_relation(relation) if len(names) < 2 else None
            if sizes is None:
                later.append(relation)
            else:
                for name in names or letters:
                    alone[name] = alone[name] & sizes
        self.cases = [alone] if NONE not in alone.values() else []
        for relation in later:
            self._narrow(relation)

    def _narrow(self, relation: Any) -> None:
        """Split each case by a relation between letters, or add the relation to ``rest`` if that is not possible."""
        narrowed: list[SizesByLetter] = []
        for case in self.cases:
            parts = cases_of(relation, case)
            if parts is None:
                parts = _points(relation, case)
            if parts is None or len(parts) * len(self.cases) > MOST_CASES:
                self.rest.append(relation)
                return
            for part in parts:
                both = {letter: sizes & part.get(letter, ALL) for letter, sizes in case.items()}
                if NONE not in both.values() and both not in narrowed:
                    narrowed.append(both)
        self.cases = narrowed

    @property
    def count(self) -> float:
        """How many sizes are in the cases, ``inf`` if infinitely many."""
        if not all(sizes.finite for case in self.cases for sizes in case.values()):
            return inf
        return sum(prod(len(sizes.below) for sizes in case.values()) for case in self.cases)

    def describe(self, word: str = "") -> list[str]:
        """Return the sizes as text, a line for each case, with ``word`` between letters."""
        word = word or (", " if len(self.cases) < 2 else " with ")
        lines = [word.join(case[name].describe(name) for name in self.letters) for case in self.cases]
        return [" and where ".join([line, *map(pretty, self.rest)]) for line in lines]

    @cached_property
    def _holds(self) -> Any:
        return make_function(self.rest, [symbol(letter) for letter in self.letters])

    def __contains__(self, sizes: Sequence[int]) -> bool:
        inside = any(all(n in case[letter] for letter, n in zip(self.letters, sizes)) for case in self.cases)
        return inside and all(self._holds(*sizes))

    def nearest(self, sizes: Sequence[int], up: bool) -> tuple[int, ...] | None:
        """Return the nearest sizes in the region of which none is larger than given, or (``up``) none is smaller."""
        nearest = []
        for case in self.cases:
            moves = [case[letter].above if up else case[letter].under for letter in self.letters]
            near: list[Any] = [move(n) for move, n in zip(moves, sizes)]
            while None not in near and not all(self._holds(*near)):
                # most relations between letters require them to be equal: all move to where the farthest is
                goal = max(near) if up else min(near)
                if len(set(near)) == 1:
                    goal += 1 if up else -1
                far = max(abs(a - n) for a, n in zip(near, sizes)) > MOST_TRIED
                near = [None if far else move(goal) for move in moves]
            if None not in near:
                nearest.append(tuple(near))
        return min(nearest, key=lambda near: sum(abs(a - n) for a, n in zip(near, sizes)), default=None)


def cases_of(relation: Any, within: SizesByLetter) -> list[SizesByLetter] | None:
    """Return the cases, of sizes ``within``, where a relation between letters holds; None if it is not factored.

    >>> H, W = symbol("H"), symbol("W")
    >>> everywhere = {"H": ALL, "W": ALL}
    >>> [case["H"].describe("H") for case in cases_of(sympy.Eq(H * W, 4), everywhere)]
    ['H = 1', 'H = 2', 'H = 4']
    """
    gap = sympy.sympify(canonical(relation.lhs - relation.rhs))
    if gap.atoms(sympy.Min, sympy.Max) or relation.func not in (sympy.Eq, sympy.Ge):
        return None
    sign = "==" if relation.func is sympy.Eq else ">="
    terms = as_products(gap)
    constant = sum(factor for factor, parts in terms if not parts)
    products = [(factor, _by_letter(parts)) for factor, parts in terms if parts]
    if len(products) > 1 and sign == "==" and len(gap.free_symbols) > 1:
        products = _factored(gap - constant) or products
    if any(None in parts for _, parts in products):
        return None
    if len(products) == 2 and constant == 0 and sign == "==":
        return _products_alike(products, within)
    if len(products) != 1:
        return None
    ((factor, parts),) = products
    goal = -constant / factor
    if sign == ">=" and (factor < 0 or not all(_everywhere(part, 0, letter, within) for letter, part in parts.items())):
        return None
    if sign == "==" and not goal.is_Integer:
        return []
    return _product(list(parts.items()), sign, int(sympy.ceiling(goal)), within)


def _points(relation: Any, within: SizesByLetter) -> list[SizesByLetter] | None:
    """Return all sizes ``within`` that solve an equation; None if they are infinitely many, or too many."""
    if not isinstance(relation, sympy.Eq):
        return None
    names = [name for name in within if symbol(name) in relation.free_symbols]
    narrowing = Narrowing([relation], list(map(symbol, names)))
    ranges = tuple((within[name].least or 1, within[name].most or LIMIT) for name in names)
    left, _ = narrowing(ranges)
    if left is None:
        return []
    if not narrowing.goals or any(high == LIMIT for _, high in left):
        return None
    points: list[SizesByLetter] = []
    for _, part in search(narrowing, left, width, False):
        if narrowing.work > MOST_STEPS or len(points) > MOST_CASES:
            return None
        if part is not None:
            points.append({name: Sizes.listed([low]) for name, (low, _) in zip(names, part)})
    return points


def _factored(expr: Any) -> list[tuple[Any, dict[Any, Any]]] | None:
    """Return a sum as one product with a factor for each letter, ``3·C·k² + C = C·(3·k² + 1)``; None if it is none."""
    factor, rest = sympy.factor(expr).as_coeff_Mul()
    parts = [(part.as_base_exp()[0], 0, part.as_base_exp()[1]) for part in sympy.Mul.make_args(rest)]
    alone = all(power.is_Integer and len(base.free_symbols) == 1 for base, _, power in parts)
    return [(factor, _by_letter(parts))] if alone and len(parts) > 1 else None


def _by_letter(parts: Iterable[tuple[Any, Any, Any]]) -> dict[Any, Any]:
    """Return factors by their letter; those with several letters under None."""
    grouped: dict[Any, Any] = {}
    for part, shift, power in parts:
        name = str(*part.free_symbols) if len(part.free_symbols) == 1 else None
        grouped[name] = grouped.get(name, sympy.Integer(1)) * (part - shift) ** power
    return grouped


def _inside(a: Any, sign: str, b: Any, letter: str, within: SizesByLetter) -> Sizes | None:
    """Return the sizes ``within`` at which a relation of one letter holds."""
    sizes = solve_relation(relate(sign, a, b))
    return None if sizes is None else sizes & within[letter]


def _everywhere(a: Any, b: Any, letter: str, within: SizesByLetter) -> bool:
    """Return whether ``a >= b`` at all sizes ``within``."""
    return _inside(a, ">=", b, letter, within) == within[letter]


def _product(parts: list[tuple[str, Any]], sign: str, goal: int, within: SizesByLetter) -> list[SizesByLetter] | None:
    """Return the cases in which a product is ``goal``, or at least ``goal`` if ``sign`` is ``>=``; None if unknown.

    The product has one factor for each letter; for ``>=`` none of them is ever negative.
    """
    (letter, part), *rest = parts
    cases: list[tuple[str, int, int]] = [(sign, goal, 1)]  # what the first factor is, and what the others must be
    if sign == ">=":
        if goal <= 0:
            return [{}]
        if rest and goal <= 64:
            cases += [("==", n, -(-goal // n)) for n in range(1, goal)]
        elif rest and not _everywhere(part, goal, letter, within):
            return None
    elif rest and goal == 0:
        zeros = {name: _inside(factor, "==", 0, name, within) for name, factor in parts}
        return None if None in zeros.values() else [{name: sizes} for name, sizes in zeros.items()]  # type: ignore[dict-item]
    elif rest:
        if abs(goal) > MOST_TRIED**2:
            return None
        signs = (1,) if _everywhere(part, 0, letter, within) else (1, -1)
        cases = [("==", d * s, goal // (d * s)) for d in sympy.divisors(abs(goal)) for s in signs]
    solved: list[SizesByLetter] = []
    for is_, n, needed in cases:
        sizes = _inside(part, is_, n, letter, within)
        others = [{}] if not rest or sizes == NONE else _product(rest, sign, needed, within)
        if sizes is None or others is None:
            return None
        if sizes != NONE:
            solved.extend({letter: sizes, **other} for other in others)
    return solved


def _products_alike(products: list[tuple[Any, dict[str, Any]]], within: SizesByLetter) -> list[SizesByLetter] | None:
    """Return the case in which two products are equal, if each factor of one is never less than that of the other.

    Then the factors are equal one by one: ``⌈H/4⌉·⌈W/4⌉ = 49·⌊⌈H/4⌉/7⌋·⌊⌈W/4⌉/7⌋`` where ``⌈H/4⌉ = 7·⌊⌈H/4⌉/7⌋``, and
    likewise for W. None if the factors are not ordered in this way.
    """
    for (a, large), (b, small) in (products, products[::-1]):
        ratio = -b / a
        if set(large) == set(small) and ratio.is_Integer and ratio > 0:
            for times in product(sympy.divisors(int(ratio)), repeat=len(large)):
                pairs = [(letter, large[letter], n * small[letter]) for letter, n in zip(large, times)]
                if prod(times) == ratio and all(
                    _everywhere(x, y, letter, within) and _everywhere(y, 1, letter, within) for letter, x, y in pairs
                ):
                    sets = {letter: _inside(x, "==", y, letter, within) for letter, x, y in pairs}
                    return None if None in sets.values() else [sets]  # type: ignore[list-item]
    return None
