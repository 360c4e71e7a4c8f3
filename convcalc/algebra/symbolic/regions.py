"""Where several relations hold together: sets of sizes for each letter, side by side where letters hang together.

Products are taken apart (``⌊H/16⌋·⌊W/16⌋ = 196``), equations that few sizes solve (``D·H·W + D + H = 30``) are solved;
other relations between letters are asked for each size.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import product
from math import inf, prod
from typing import Any

import sympy

from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.symbolic.canonical import canonical
from convcalc.algebra.symbolic.narrowing import Narrowing, searched, width
from convcalc.algebra.symbolic.printing import pretty
from convcalc.algebra.symbolic.program import make_function
from convcalc.algebra.symbolic.relations import relate, solve_relation
from convcalc.algebra.symbolic.terms import as_products, symbol
from convcalc.algebra.types import LIMIT

Box = dict[str, Sizes]
"""For each letter the sizes it may take, whatever the others are."""

MOST_BOXES = 1000
MOST_STEPS = 200_000  # of narrowing, for all sizes that solve an equation
MOST_CASES = 2000


class Region:
    """Where all of some relations hold: in one of ``boxes``, where each of ``rest`` holds besides.

    >>> from convcalc.algebra.parse import symbols
    >>> H, W = symbols("H W")
    >>> region = Region([sympy.Eq(2 * (H // 2), H), H >= 7, sympy.Eq((W // 4) * (W // 4), 9)], ["H", "W"])
    >>> {letter: sizes.told(letter) for letter, sizes in region.boxes[0].items()}
    {'H': 'H ≡ 0 (mod 2), H ≥ 8', 'W': 'W = 12…15'}
    """

    def __init__(self, relations: Iterable[Any], letters: Sequence[str]) -> None:
        self.letters = tuple(letters)
        self.rest: list[Any] = []
        box = dict.fromkeys(letters, ALL)
        later = []
        for relation in relations:
            names = [] if isinstance(relation, bool) else list(map(str, relation.free_symbols))
            sizes = solve_relation(relation) if len(names) < 2 else None
            if sizes is None:
                later.append(relation)
            else:
                for name in names or letters:
                    box[name] = box[name] & sizes
        self.boxes = [box] if NONE not in box.values() else []
        for relation in later:
            self._narrow(relation)

    def _narrow(self, relation: Any) -> None:
        narrowed: list[Box] = []
        for box in self.boxes:
            cases = boxes_of(relation, box)
            if cases is None:
                cases = _points(relation, box)
            if cases is None or len(cases) * len(self.boxes) > MOST_BOXES:
                self.rest.append(relation)
                return
            for case in cases:
                both = {letter: sizes & case.get(letter, ALL) for letter, sizes in box.items()}
                if NONE not in both.values() and both not in narrowed:
                    narrowed.append(both)
        self.boxes = narrowed

    @property
    def count(self) -> float:
        if not all(sizes.finite for box in self.boxes for sizes in box.values()):
            return inf
        return sum(prod(len(sizes.below) for sizes in box.values()) for box in self.boxes)

    def told(self, word: str = "") -> list[str]:
        """The sizes, a line for each box."""
        word = word or (", " if len(self.boxes) < 2 else " with ")
        lines = [word.join(box[name].told(name) for name in self.letters) for box in self.boxes]
        return [" and where ".join([line, *map(pretty, self.rest)]) for line in lines]

    @cached_property
    def _holds(self) -> Any:
        return make_function(self.rest, [symbol(letter) for letter in self.letters])

    def __contains__(self, sizes: Sequence[int]) -> bool:
        inside = any(all(n in box[letter] for letter, n in zip(self.letters, sizes)) for box in self.boxes)
        return inside and all(self._holds(*sizes))

    def nearest(self, sizes: Sequence[int], up: bool) -> tuple[int, ...] | None:
        """The nearest sizes in it that are none larger, or (``up``) none smaller."""
        found = []
        for box in self.boxes:
            moves = [box[letter].above if up else box[letter].under for letter in self.letters]
            near: list[Any] = [move(n) for move, n in zip(moves, sizes)]
            while None not in near and not all(self._holds(*near)):
                # what ties letters together mostly asks that they be alike: all move on to where the farthest is
                goal = max(near) if up else min(near)
                if len(set(near)) == 1:
                    goal += 1 if up else -1
                far = max(abs(a - n) for a, n in zip(near, sizes)) > MOST_CASES
                near = [None if far else move(goal) for move in moves]
            if None not in near:
                found.append(tuple(near))
        return min(found, key=lambda near: sum(abs(a - n) for a, n in zip(near, sizes)), default=None)


def boxes_of(relation: Any, box: Box) -> list[Box] | None:
    """Where a relation between letters holds inside ``box``; None where it cannot be taken apart."""
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
        return _products_alike(products, box)
    if len(products) != 1:
        return None
    ((factor, parts),) = products
    goal = -constant / factor
    if sign == ">=" and (factor < 0 or not all(_everywhere(part, 0, letter, box) for letter, part in parts.items())):
        return None
    return _product(list(parts.items()), sign, int(sympy.ceiling(goal)), box) if sign == ">=" or goal.is_Integer else []


def _points(relation: Any, box: Box) -> list[Box] | None:
    """All sizes in ``box`` that solve an equation; None where these do not end, or are too many to look for."""
    if not isinstance(relation, sympy.Eq):
        return None
    names = [name for name in box if symbol(name) in relation.free_symbols]
    narrowing = Narrowing([relation], list(map(symbol, names)))
    whole = tuple((box[name].least or 1, box[name].most or LIMIT) for name in names)
    left, _ = narrowing(whole)
    if left is None:
        return []
    if not narrowing.goals or any(high == LIMIT for _, high in left):
        return None
    found: list[Box] = []
    for _, part in searched(narrowing, left, width, False):
        if narrowing.work > MOST_STEPS or len(found) > MOST_BOXES:
            return None
        if part is not None:
            found.append({name: Sizes.listed([low]) for name, (low, _) in zip(names, part)})
    return found


def _factored(expr: Any) -> list[tuple[Any, dict[Any, Any]]] | None:
    """``3·C·k² + C`` as ``C·(3·k² + 1)``, a factor for each letter; None if there is no such product."""
    factor, rest = sympy.factor(expr).as_coeff_Mul()
    parts = [(part.as_base_exp()[0], 0, part.as_base_exp()[1]) for part in sympy.Mul.make_args(rest)]
    alone = all(power.is_Integer and len(base.free_symbols) == 1 for base, _, power in parts)
    return [(factor, _by_letter(parts))] if alone and len(parts) > 1 else None


def _by_letter(parts: Iterable[tuple[Any, Any, Any]]) -> dict[Any, Any]:
    """Factors by the letter they hold; those that hold several under None."""
    grouped: dict[Any, Any] = {}
    for part, shift, power in parts:
        name = str(*part.free_symbols) if len(part.free_symbols) == 1 else None
        grouped[name] = grouped.get(name, sympy.Integer(1)) * (part - shift) ** power
    return grouped


def _inside(a: Any, sign: str, b: Any, letter: str, box: Box) -> Sizes | None:
    found = solve_relation(relate(sign, a, b))
    return None if found is None else found & box[letter]


def _everywhere(a: Any, b: Any, letter: str, box: Box) -> bool:
    return _inside(a, ">=", b, letter, box) == box[letter]


def _product(parts: list[tuple[str, Any]], sign: str, goal: int, box: Box) -> list[Box] | None:
    """Where a product of factors, one for each letter and none ever negative if ``>=``, is (at least) ``goal``."""
    (letter, part), *rest = parts
    cases: list[tuple[str, int, int]] = [(sign, goal, 1)]  # what the first factor is, and what the others must be
    if sign == ">=":
        if goal <= 0:
            return [{}]
        if rest and goal <= 64:
            cases += [("==", n, -(-goal // n)) for n in range(1, goal)]
        elif rest and not _everywhere(part, goal, letter, box):
            return None
    elif rest and goal == 0:
        zeros = {name: _inside(factor, "==", 0, name, box) for name, factor in parts}
        return None if None in zeros.values() else [{name: sizes} for name, sizes in zeros.items()]  # type: ignore[dict-item]
    elif rest:
        if abs(goal) > MOST_CASES**2:
            return None
        signs = (1,) if _everywhere(part, 0, letter, box) else (1, -1)
        cases = [("==", d * s, goal // (d * s)) for d in sympy.divisors(abs(goal)) for s in signs]
    found: list[Box] = []
    for is_, n, needed in cases:
        sizes = _inside(part, is_, n, letter, box)
        others = [{}] if not rest or sizes == NONE else _product(rest, sign, needed, box)
        if sizes is None or others is None:
            return None
        if sizes != NONE:
            found.extend({letter: sizes, **other} for other in others)
    return found


def _products_alike(products: list[tuple[Any, dict[str, Any]]], box: Box) -> list[Box] | None:
    """Where two products are equal whose factors are pairwise ordered, times a number: where the factors are equal.

    ``⌈H/4⌉·⌈W/4⌉ = 49·⌊⌈H/4⌉/7⌋·⌊⌈W/4⌉/7⌋`` holds where ``⌈H/4⌉ = 7·⌊⌈H/4⌉/7⌋`` and so for W.
    """
    for (a, large), (b, small) in (products, products[::-1]):
        ratio = -b / a
        if set(large) == set(small) and ratio.is_Integer and ratio > 0:
            for times in product(sympy.divisors(int(ratio)), repeat=len(large)):
                pairs = [(letter, large[letter], n * small[letter]) for letter, n in zip(large, times)]
                if prod(times) == ratio and all(
                    _everywhere(x, y, letter, box) and _everywhere(y, 1, letter, box) for letter, x, y in pairs
                ):
                    sets = {letter: _inside(x, "==", y, letter, box) for letter, x, y in pairs}
                    return None if None in sets.values() else [sets]  # type: ignore[list-item]
    return None
