"""Where several relations hold together: sets of sizes for each letter, side by side where letters hang together.

Relations of one letter are solved in `relations`. Of those between letters, products are taken apart
(``⌊H/16⌋·⌊W/16⌋ = 196``); what else there is stays as it is, and is asked number by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, reduce
from typing import Any, TypeAlias

import sympy

from convcalc.algebra.compiled import function
from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.symbolic import canonical, gathered, symbol
from convcalc.algebra.symbolic.relations import solved

Box: TypeAlias = "dict[str, Sizes]"
"""For each letter the sizes it may take, whatever the others are."""

MOST_BOXES = 400
MOST_CASES = 2000


class Region:
    """The sizes for which all of some relations hold: in one of ``boxes``, where each of ``rest`` holds besides.

    >>> from convcalc.algebra.symbolic import symbols
    >>> H, W = symbols("H W")
    >>> region = Region([sympy.Eq(2 * (H // 2), H), H >= 7, sympy.Eq((W // 4) * (W // 4), 9)], ["H", "W"])
    >>> {letter: sizes.told(letter) for letter, sizes in region.boxes[0].items()}
    {'H': 'H ≡ 0 (mod 2), H ≥ 8', 'W': 'W = 12…15'}
    """

    def __init__(self, relations: Iterable[Any], letters: Sequence[str]) -> None:
        self.letters = tuple(letters)
        self.relations = [relation for relation in relations if relation is not True]
        self.rest: list[Any] = []
        box = dict.fromkeys(letters, ALL)
        later = []
        for relation in self.relations:
            names = sorted(map(str, relation.free_symbols)) if relation is not False else []
            sizes = solved(relation) if len(names) < 2 else None
            if sizes is None:
                later.append(relation)
            else:
                for name in names or letters:
                    box[name] = box[name] & sizes
        self.boxes = [box] if NONE not in box.values() else []
        for relation in later:
            self._narrow(relation)

    def _narrow(self, relation: Any) -> None:
        """Intersect with a relation between letters, or note it where it cannot be taken apart."""
        narrowed: list[Box] = []
        for box in self.boxes:
            cases = boxes_of(relation, box)
            if cases is None or len(cases) * len(self.boxes) > MOST_BOXES:
                self.rest.append(relation)
                return
            for case in cases:
                both = {letter: sizes & case.get(letter, ALL) for letter, sizes in box.items()}
                if NONE not in both.values() and both not in narrowed:
                    narrowed.append(both)
        self.boxes = narrowed

    @cached_property
    def _holds(self) -> Any:
        return function(self.rest, [symbol(letter) for letter in self.letters])

    def __contains__(self, sizes: Sequence[int]) -> bool:
        """Whether sizes, one for each letter in order, lie in it."""
        inside = any(all(n in box[letter] for letter, n in zip(self.letters, sizes)) for box in self.boxes)
        return inside and (not self.rest or all(self._holds(*sizes)))

    def nearest(self, sizes: Sequence[int], up: bool) -> tuple[int, ...] | None:
        """The nearest sizes in it that are none larger, or (``up``) none smaller; None where none were found."""
        found = []
        for box in self.boxes:
            sets = [box[letter] for letter in self.letters]
            near = [s.above(n) if up else s.under(n) for s, n in zip(sets, sizes)]
            while None not in near and self.rest and not all(self._holds(*near)):
                if max(abs(a - n) for a, n in zip(near, sizes) if a is not None) > MOST_CASES:
                    near = [None]
                    break
                # what ties letters together mostly asks that they be alike: all move on to where the farthest is
                goal = (max if up else min)(n for n in near if n is not None) if len(set(near)) > 1 else None
                near = [_moved(s, n, goal, up) for s, n in zip(sets, near) if n is not None]
            if None not in near:
                found.append(tuple(n for n in near if n is not None))
        return min(found, key=lambda near: sum(abs(a - n) for a, n in zip(near, sizes)), default=None)


def _moved(sizes: Sizes, n: int, goal: int | None, up: bool) -> int | None:
    target = (n + 1 if up else n - 1) if goal is None else goal
    return sizes.above(target) if up else sizes.under(target)


def boxes_of(relation: Any, box: Box) -> list[Box] | None:
    """The boxes in which a relation between letters holds, inside ``box``; None where it cannot be taken apart."""
    gap = sympy.sympify(canonical(relation.lhs - relation.rhs))
    if gap.atoms(sympy.Min, sympy.Max) or relation.func not in (sympy.Eq, sympy.Ge):
        return None
    terms = gathered(gap)
    constant = sum(factor for factor, parts in terms if not parts)
    products = [(factor, _by_letter(parts)) for factor, parts in terms if parts]
    if len(products) > 1 and relation.func is sympy.Eq and len(gap.free_symbols) > 1:
        products = _factored(gap - constant) or products
    if any(None in parts for _, parts in products):
        return None
    if len(products) == 1:
        ((factor, parts),) = products
        if relation.func is sympy.Ge:
            return _product_at_least(list(parts.items()), -constant, factor, box)
        goal = -constant / factor
        return _product_is(list(parts.items()), int(goal), box) if goal.is_Integer else []
    if len(products) == 2 and constant == 0 and relation.func is sympy.Eq:
        return _products_alike(products, box)
    return None


def _factored(expr: Any) -> list[tuple[Any, dict[Any, Any]]] | None:
    """A sum as one product whose factors hold a letter each: ``3·C·k² + C`` as ``C·(3·k² + 1)``; None if it is none."""
    factor, rest = sympy.factor(expr).as_coeff_Mul()
    parts: list[tuple[Any, Any, int]] = []
    for part in sympy.Mul.make_args(rest):
        base, power = part.as_base_exp()
        if not (power.is_Integer and len(part.free_symbols) == 1):
            return None
        parts.append((base, 0, int(power)))
    return [(factor, _by_letter(parts))] if len(parts) > 1 else None


def _by_letter(parts: Iterable[tuple[Any, Any, int]]) -> dict[str | None, Any]:
    """The factors of a product by the letter they hold; those that hold several under None."""
    grouped: dict[str | None, Any] = {}
    for part, shift, power in parts:
        letters = [str(letter) for letter in part.free_symbols]
        name = letters[0] if len(letters) == 1 else None
        grouped[name] = grouped.get(name, sympy.Integer(1)) * (part - shift) ** power
    return grouped


def _inside(relation: Any, letter: Any, box: Box) -> Sizes | None:
    """The sizes of ``box`` for which a relation of one letter holds."""
    found = solved(relation)
    return None if found is None else found & box[letter]


def _ge(a: Any, b: Any) -> Any:
    return sympy.Ge(a, b, evaluate=False)


def _eq(a: Any, b: Any) -> Any:
    return sympy.Eq(a, b, evaluate=False)


def _everywhere(relation: Any, letter: Any, box: Box) -> bool:
    return _inside(relation, letter, box) == box[letter]


def _product_is(parts: list[tuple[Any, Any]], goal: int, box: Box) -> list[Box] | None:
    """Where a product of factors, one for each letter, is ``goal``."""
    (letter, part), *rest = parts
    if not rest:
        sizes = _inside(_eq(part, goal), letter, box)
        return None if sizes is None else [{letter: sizes}]
    found: list[Box] = []
    if goal == 0:
        for letter, part in parts:
            sizes = _inside(_eq(part, 0), letter, box)
            if sizes is None:
                return None
            found.append({letter: sizes})
        return found
    if abs(goal) > MOST_CASES**2:
        return None
    positive = _everywhere(_ge(part, 0), letter, box)
    for divisor in _divisors(abs(goal)):
        for d in (divisor,) if positive else (divisor, -divisor):
            sizes = _inside(_eq(part, d), letter, box)
            if sizes is None:
                return None
            if sizes != NONE:
                others = _product_is(rest, goal // d, box)
                if others is None:
                    return None
                found.extend({letter: sizes, **other} for other in others)
    return found


def _divisors(n: int) -> Iterator[int]:
    small = [d for d in range(1, int(n**0.5) + 1) if n % d == 0]
    yield from small
    yield from (n // d for d in reversed(small) if d * d != n)


def _product_at_least(parts: list[tuple[Any, Any]], goal: Any, factor: Any, box: Box) -> list[Box] | None:
    """Where a product of factors that are nowhere negative, one for each letter, is at least ``goal/factor``."""
    if factor < 0 or not all(_everywhere(_ge(part, 0), letter, box) for letter, part in parts):
        return None
    return _at_least(parts, int(sympy.ceiling(goal / factor)), box)


def _at_least(parts: list[tuple[Any, Any]], goal: int, box: Box) -> list[Box] | None:
    if goal <= 0:
        return [{}]
    (letter, part), *rest = parts
    cases = [(_ge(part, goal), 1)]
    if rest and goal <= 64:
        cases += [(_eq(part, n), -(-goal // n)) for n in range(1, goal)]
    elif rest and not _everywhere(_ge(part, goal), letter, box):
        return None
    found: list[Box] = []
    for relation, needed in cases:
        sizes = _inside(relation, letter, box)
        others = _at_least(rest, needed, box) if rest else [{}]
        if sizes is None or others is None:
            return None
        if sizes != NONE:
            found.extend({letter: sizes, **other} for other in others)
    return found


def _products_alike(products: list[tuple[Any, dict[Any, Any]]], box: Box) -> list[Box] | None:
    """Where two products are equal of which each factor of one is nowhere below that of the other, times a number.

    ``⌈H/4⌉·⌈W/4⌉ = 49·⌊⌈H/4⌉/7⌋·⌊⌈W/4⌉/7⌋`` holds where ``⌈H/4⌉ = 7·⌊⌈H/4⌉/7⌋`` and so for W.
    """
    for (a, large), (b, small) in (products, products[::-1]):
        ratio = -b / a
        if set(large) == set(small) and ratio.is_Integer and ratio > 0:
            for times in _splits(int(ratio), len(large)):
                pairs = [(letter, large[letter], n * small[letter]) for letter, n in zip(large, times)]
                if all(_everywhere(_ge(x, y), i, box) and _everywhere(_ge(y, 1), i, box) for i, x, y in pairs):
                    sets = {letter: _inside(_eq(x, y), letter, box) for letter, x, y in pairs}
                    return None if None in sets.values() else [sets]  # type: ignore[list-item]
    return None


def _splits(n: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write ``n`` as a product of so many numbers."""
    if parts == 1:
        yield (n,)
        return
    for divisor in _divisors(n):
        for rest in _splits(n // divisor, parts - 1):
            yield (divisor, *rest)


def everything(sets: Iterable[Sizes]) -> Sizes:
    """What lies in all of some sets."""
    return reduce(lambda a, b: a & b, sets, ALL)
