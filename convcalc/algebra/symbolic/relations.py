"""Relations between letters (``==``, ``>=``): decided, solved for one letter, and restated.

With one letter, floors of linear terms are linear for each remainder, and every answer is exact. With several, either a
bound decides or the relation is kept.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import sympy
from sympy import Integer, ceiling, floor
from sympy.core.relational import Relational

from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.symbolic.bounds import bound
from convcalc.algebra.symbolic.canonical import canonical, solve_gap, substitute
from convcalc.algebra.symbolic.printing import pretty
from convcalc.algebra.symbolic.terms import as_fraction, as_terms
from convcalc.algebra.types import Condition, Dim


@lru_cache(maxsize=65536)
def at_least(a: Any, b: Any) -> Condition:
    """Return whether ``a >= b``: True, False, or a relation, solved for its letter if it is a bound.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> at_least(symbol("H") // 4 - 15, 1)
    H >= 64
    """
    gap, low, high = _bounds(a, b)
    if low is not None and low >= 0:
        return True
    if high is not None and high < 0:
        return False
    return _exact(relate(">=", gap, 0))


@lru_cache(maxsize=65536)
def equal(a: Any, b: Any) -> Condition:
    """Return whether ``a == b``: True, False, or a relation between letters.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> equal(2 * (H // 2), H), equal(2 * (H // 2), 2 * H - 2 * (H // 2) + 3)
    (Eq(2*floor(H/2), H), False)
    """
    gap, low, high = _bounds(a, b)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    return gap == 0 if isinstance(gap, int) else _exact(relate("==", a, b))


def _exact(relation: Any) -> Condition:
    """Return a relation, or if it has one letter and comes to that, True, False or a bound."""
    sizes = solve_relation(relation) if len(relation.free_symbols) == 1 else None
    if sizes in (ALL, NONE):
        return sizes == ALL
    if sizes is not None and sizes == Sizes.from_(sizes.start):
        return sympy.Ge(*relation.free_symbols, Integer(sizes.start), evaluate=False)
    return relation


@lru_cache(maxsize=16384)
def solve_relation(relation: Any) -> Sizes | None:
    """Return the sizes for which a relation in one letter holds; None if they cannot be found exactly.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> str(solve_relation(sympy.Eq(2 * (H // 2), H)))
    'n ≡ 0 (mod 2)'
    """
    if not isinstance(relation, Relational):
        return ALL if relation else NONE
    return solve_gap(relation.lhs - relation.rhs, relation.func is sympy.Eq)


def _bounds(a: Any, b: Any) -> tuple[Dim, Any, Any]:
    """Return ``a - b``, its lower bound and its upper bound; None for a bound that is not known."""
    gap = canonical(a - b)
    return (gap, gap, gap) if isinstance(gap, int) else (gap, bound(gap, -1), bound(gap, 1))


def relate(sign: str, a: Any, b: Any) -> Any:
    """Return ``a == b`` or ``a >= b`` as a relation that sympy does not evaluate; of numbers, whether it holds.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> relate(">=", symbol("H"), 0), relate("==", 3, 4)
    (H >= 0, False)
    """
    if isinstance(a, int) and isinstance(b, int):
        return a == b if sign == "==" else a >= b
    return (sympy.Eq if sign == "==" else sympy.Ge)(a, b, evaluate=False)


def open_floor(relation: Any) -> str:
    """Return an equation as text for people: of a floor as bounds of what is inside, else without minus signs.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> k, p = symbol("k"), symbol("p")
    >>> open_floor(sympy.Eq((224 + 2 * p - k) // 2 + 1, 112, evaluate=False))
    '2·p + 1 ≤ k ≤ 2·p + 2'
    """
    gap = sympy.expand(relation.lhs - relation.rhs)
    constant, terms = as_terms(gap)
    floors = [term for term in terms if term.func in (floor, ceiling)]
    if not floors:  # what is subtracted moves to the other side
        every = {**terms, 1: constant}
        sides = [sympy.Add(*[abs(f) * t for t, f in every.items() if f * sign > 0]) for sign in (1, -1)]
        return " = ".join(map(pretty, sorted(sides, key=lambda side: side.count_ops())))
    term, *others = floors
    if others or abs(terms[term]) != 1:
        return pretty(relation)
    value = sympy.expand(term - gap * terms[term])  # what the floor must be
    inside, divisor = as_fraction(term.args[0])
    low = divisor * value if term.func is floor else divisor * (value - 1) + 1
    ends = [low, inside, low + divisor - 1]
    if all(factor < 0 for factor in sympy.expand(inside).as_coefficients_dict().values()):
        ends = [-end for end in reversed(ends)]
    return " ≤ ".join(pretty(sympy.expand(end)) for end in ends)


def restate(relation: Any, values: Mapping[Any, Any]) -> Condition:
    """Return a relation with dims substituted for letters: True, False, or a relation.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> restate(symbol("H") >= 7, {symbol("H"): 2 * symbol("n")})
    n >= 4
    """
    a, b = (sympy.sympify(substitute(side, values)) for side in relation.args)
    return equal(a, b) if relation.func is sympy.Eq else at_least(a, b)


def holds_within(relation: Any, bounds: Mapping[str, tuple[int, Any]]) -> bool:
    """Return whether the lower bounds of letters, by name, make a relation true; upper ones are ignored.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> holds_within(symbol("H") >= 7, {"H": (8, None)})
    True
    """
    moved = {x: x + bounds[x.name][0] - 1 for x in relation.free_symbols if x.name in bounds}
    return bool(moved) and restate(relation, moved) is True


def drop_implied(relations: Iterable[Any]) -> tuple[Any, ...]:
    """Return relations without repeats, and without those that others imply.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> drop_implied([H >= 7, H >= 63, H >= 15])
    (H >= 63,)
    """
    kept: dict[Any, Any] = {}
    least: dict[str, tuple[int, None]] = {}
    for relation in relations:
        is_bound = relation.func is sympy.Ge and relation.lhs.is_Symbol and relation.rhs.is_Integer
        key: Any = relation.lhs if is_bound else frozenset(relation.args) if relation.func is sympy.Eq else relation
        if key not in kept or (is_bound and relation.rhs > kept[key].rhs):
            kept[key] = relation
            if is_bound:
                least[key.name] = int(relation.rhs), None
    return tuple(
        relation
        for relation in kept.values()
        if not (relation.func is sympy.Ge and len(relation.free_symbols) > 1 and holds_within(relation, least))
    )
