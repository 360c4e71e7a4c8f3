"""What is equal or larger for which sizes: comparisons of expressions in letters, solved exactly where they can be.

With one letter, floors of linear terms are linear for each remainder, so that every answer is exact. With several, a
bound decides or the relation stays. Regions of several letters stand in `regions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any

import sympy
from sympy import Integer, ceiling, floor
from sympy.core.relational import Relational

from convcalc.algebra.compiled import function
from convcalc.algebra.dims import Condition, Dim
from convcalc.algebra.periodic import ALL, NONE, Sizes, where
from convcalc.algebra.symbolic import canonical, gathered, printing, split, substitute


@lru_cache(maxsize=65536)
def at_least(a: Any, b: Any) -> Condition:
    """``a >= b``: True, False, or a relation, solved for the letter where that is a bound.

    >>> from convcalc.algebra.symbolic import symbol
    >>> at_least(symbol("H") // 4 - 15, 1)
    H >= 64
    """
    gap = canonical(a - b)
    if isinstance(gap, int):
        return gap >= 0
    low, high = _bound(gap, -1), _bound(gap, 1)
    if low is not None and low >= 0:
        return True
    if high is not None and high < 0:
        return False
    return _exact(sympy.Ge(gap, 0, evaluate=False))


@lru_cache(maxsize=65536)
def equal(a: Any, b: Any) -> Condition:
    """``a == b``: True, False, or a relation between letters.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> equal(2 * (H // 2), H), equal(2 * (H // 2), 2 * H - 2 * (H // 2) + 3)
    (Eq(2*floor(H/2), H), False)
    """
    gap = canonical(a - b)
    if isinstance(gap, int):
        return gap == 0
    low, high = _bound(gap, -1), _bound(gap, 1)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    return _exact(sympy.Eq(a, b, evaluate=False))


def _exact(relation: Any) -> Condition:
    """A relation in one letter as what it says: True, False, a bound; else as it is."""
    found = solved(relation) if len(relation.free_symbols) == 1 else None
    if found is None:
        return relation
    if found in (ALL, NONE):
        return found == ALL
    if found == Sizes.from_(found.start):
        return sympy.Ge(*relation.free_symbols, Integer(found.start), evaluate=False)
    return relation


def minimum(a: Any, b: Any) -> Dim:
    """The smaller of two dims: one of them where it is smaller for all sizes, else ``Min(a, b)``.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> minimum((H + 1) // 2, H // 2), minimum(-(-H // 4), (H + 1) // 4)
    (floor(H/2), floor(H/4 + 1/4))
    """
    if at_least(b, a) is True:
        return canonical(a)
    if at_least(a, b) is True:
        return canonical(b)
    return sympy.Min(canonical(a), canonical(b))


@lru_cache(maxsize=16384)
def solved(relation: Any) -> Sizes | None:
    """The sizes for which a relation in one letter holds; None where it cannot be told exactly.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> str(solved(sympy.Eq(2 * (H // 2), H)))
    'n ≡ 0 (mod 2)'
    """
    if isinstance(relation, bool) or not isinstance(relation, Relational):
        return ALL if relation else NONE
    gap = sympy.sympify(canonical(relation.lhs - relation.rhs))
    if relation.func in (sympy.Le, sympy.Lt):
        gap = -gap
    found = _where(gap, relation.func in (sympy.Eq, sympy.Ne))
    if found is not None and relation.func in (sympy.Gt, sympy.Lt):
        same = _where(gap, True)
        return None if same is None else found & ~same
    return ~found if found is not None and relation.func is sympy.Ne else found


def _where(gap: Any, zero: bool) -> Sizes | None:
    """The sizes at which ``gap`` is 0, or (unless ``zero``) at least 0."""
    letters = list(gap.free_symbols)
    if not letters:
        return ALL if (gap == 0 if zero else gap >= 0) else NONE
    for choice in gap.atoms(sympy.Min, sympy.Max):
        return _chosen(gap, choice, zero)
    turns = _turns(gap)
    if len(letters) != 1 or turns is None:
        return None
    period, degree, _ = turns
    scale = lcm(*[int(factor.q) for factor in gap.as_coefficients_dict().values()])
    (value,) = (function([gap * scale], letters),)
    return where(lambda n: int(value(n)[0]), period, degree, (lambda s: s == 0) if zero else (lambda s: s >= 0))


def _chosen(gap: Any, choice: Any, zero: bool) -> Sizes | None:
    """`_where` by cases: which part of a minimum or maximum is the one."""
    first, *others = choice.args
    rest = choice.func(*others)
    less = rest - first if choice.func is sympy.Min else first - rest
    is_first, with_first = _where(sympy.sympify(canonical(less)), False), _case(gap, choice, first, zero)
    with_rest = _case(gap, choice, rest, zero)
    if is_first is None or with_first is None or with_rest is None:
        return None
    return (is_first & with_first) | (~is_first & with_rest)


def _case(gap: Any, choice: Any, part: Any, zero: bool) -> Sizes | None:
    return _where(sympy.sympify(canonical(gap.xreplace({choice: part}))), zero)


def _turns(expr: Any) -> tuple[int, int, Fraction | None] | None:
    """How ``expr`` in one letter goes on: its period, its degree, and by how much it rises in a period if linear.

    For each remainder by the period it is a polynomial of that degree. None where that is not so.
    """
    if expr.is_Rational:
        return 1, 0, Fraction(0)
    if expr.is_Symbol:
        return 1, 1, Fraction(1)
    if expr.func in (floor, ceiling):
        inside = _turns(expr.args[0])
        if inside is None or inside[2] is None:
            return None
        times = inside[2].denominator
        return inside[0] * times, inside[1], inside[2] * times
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        inside = _turns(expr.base)
        return inside and (inside[0], inside[1] * int(expr.exp), None)
    if not (expr.is_Add or expr.is_Mul):
        return None
    parts = [_turns(arg) for arg in expr.args]
    if None in parts:
        return None
    known = [part for part in parts if part is not None]
    period = lcm(*[part[0] for part in known])
    rises = [None if rise is None else rise * (period // p) for p, _, rise in known]
    if expr.is_Add:
        rise = None if None in rises else sum([r for r in rises if r is not None], Fraction(0))
        return period, max(part[1] for part in known), rise
    degree = sum(part[1] for part in known)
    if degree > 1 or None in rises:
        return period, degree, None
    numbers = [Fraction(int(arg.p), int(arg.q)) for arg in expr.args if arg.is_Rational]
    moving = [rise for rise, part in zip(rises, known) if part[1]]
    return period, degree, (numbers[0] if numbers else Fraction(1)) * (moving[0] or 0)


def _bound(expr: Any, side: int) -> Any:
    """A bound of a canonical expression over all letters >= 1, below (``side=-1``) or above (1); None if none is known.

    Where all terms grow with every letter and point the same way, the value with all letters 1 is the bound; else each
    floor is replaced by its own bounds, which can only be wider.
    """
    constant, terms = split(expr)
    products = gathered(expr) if len(expr.free_symbols) > 1 else [(f, [(t, 0, 1)]) for t, f in terms.items()]
    if all(factor * side < 0 and _grow(parts) for factor, parts in products if parts):
        return expr.subs(dict.fromkeys(expr.free_symbols, 1))
    relaxed = constant
    for term, factor in terms.items():
        up = (factor > 0) == (side > 0)
        if term.func is floor:
            relaxed += factor * (term.args[0] if up else term.args[0] - _slack(term))
        elif term.func is ceiling:
            relaxed += factor * (term.args[0] + _slack(term) if up else term.args[0])
        else:
            relaxed += factor * term
    constant, terms = split(sympy.expand(relaxed))
    if any(factor * side > 0 or not _grows(term) for term, factor in terms.items()):
        return None
    return constant + sum(factor * term.subs(dict.fromkeys(term.free_symbols, 1)) for term, factor in terms.items())


def _grow(parts: Iterable[tuple[Any, Any, int]]) -> bool:
    """Whether a product of parts, each less its shift, surely does not fall as letters grow from 1."""
    parts = list(parts)
    alone = len(parts) == 1 and parts[0][2] == 1
    return all(
        _grows(part) and (alone or part.subs(dict.fromkeys(part.free_symbols, 1)) >= shift) for part, shift, _ in parts
    )


@lru_cache(maxsize=4096)
def _grows(expr: Any) -> bool:
    """Whether ``expr`` surely does not fall as letters grow from 1."""
    if expr.is_Symbol or expr.is_Number:
        return True
    if expr.is_Add or expr.func in (floor, ceiling, sympy.Min, sympy.Max):
        return all(map(_grows, expr.args))
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0):
        factors = expr.args if expr.is_Mul else expr.args[:1]
        least = dict.fromkeys(expr.free_symbols, 1)
        return all(_grows(factor) and factor.subs(least) >= 0 for factor in factors)
    return False


def _slack(term: Any) -> Any:
    """How far ``⌊u/n⌋`` lies below ``u/n`` at most: ``(n - 1)/n``."""
    divisor = sympy.fraction(sympy.together(term.args[0]))[1]
    return 1 - 1 / divisor if divisor.is_Integer else Integer(1)


def loses(lost: Any) -> str:
    """For which sizes an expression of one letter is at least 1, for people; empty where that cannot be told.

    >>> from convcalc.algebra.symbolic import symbol
    >>> loses(symbol("H") - 2 * (symbol("H") // 2))
    'H ≡ 1 (mod 2)'
    """
    found = solved(sympy.Ge(lost, 1, evaluate=False)) if len(lost.free_symbols) == 1 else None
    return "" if found is None else found.told(str(next(iter(lost.free_symbols))))


def stated(sign: str, a: Any, b: Any) -> Any:
    """``a == b`` or ``a >= b`` as a relation that is not looked into, or a truth where both are numbers."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b if sign == "==" else a >= b
    return (sympy.Eq if sign == "==" else sympy.Ge)(a, b, evaluate=False)


def opened(relation: Any) -> str:
    """An equation of a floor as the bounds of what stands in it, for people.

    >>> from convcalc.algebra.symbolic import symbols
    >>> k, p = symbols("k p")
    >>> opened(sympy.Eq((224 + 2 * p - k) // 2 + 1, 112, evaluate=False))
    '2·p + 1 ≤ k ≤ 2·p + 2'
    """
    gap = sympy.expand(relation.lhs - relation.rhs)
    constant, terms = split(gap)
    floors = [term for term in terms if term.func in (floor, ceiling)]
    if relation.func is sympy.Eq and not floors:  # what is taken off goes to the other side
        every = {**terms, 1: constant}
        sides = [sympy.Add(*[abs(f) * t for t, f in every.items() if f * sign > 0]) for sign in (1, -1)]
        return " = ".join(map(printing.pretty, sorted(sides, key=lambda side: side.count_ops())))
    if relation.func is not sympy.Eq or len(floors) != 1 or abs(terms[floors[0]]) != 1:
        return printing.pretty(relation)
    (term,) = floors
    value = sympy.expand(term - gap * terms[term])  # what the floor must be
    inside, divisor = sympy.fraction(sympy.together(term.args[0]))
    low = divisor * value if term.func is floor else divisor * (value - 1) + 1
    ends = [low, inside, low + divisor - 1]
    if all(factor < 0 for factor in split(sympy.expand(inside))[1].values()):
        ends = [-end for end in reversed(ends)]
    return " ≤ ".join(printing.pretty(sympy.expand(end)) for end in ends)


def restated(relation: Any, values: Mapping[Any, Any]) -> Condition:
    """A relation with dims in place of letters: True, False, or what is left of it."""
    a, b = (sympy.sympify(substitute(side, values)) for side in relation.args)
    return equal(a, b) if relation.func is sympy.Eq else at_least(a, b)


def within(relation: Any, bounds: Mapping[str, tuple[int, Any]]) -> bool:
    """Whether lower bounds on letters, by name, make a relation true."""
    moved = {x: x + bounds[x.name][0] - 1 for x in relation.free_symbols if x.name in bounds}
    return bool(moved) and restated(relation, moved) is True


def strongest(relations: Iterable[Any]) -> tuple[Any, ...]:
    """Relations without repeats and without what others say already.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> strongest([H >= 7, H >= 63, H >= 15])
    (H >= 63,)
    """
    kept: dict[Any, Any] = {}
    for relation in relations:
        is_bound = bound_of(relation) is not None
        key = relation.lhs if is_bound else frozenset(relation.args) if relation.func is sympy.Eq else relation
        if key not in kept or (is_bound and relation.rhs > kept[key].rhs):
            kept[key] = relation
    least = {relation.lhs: relation.rhs for relation in kept.values() if bound_of(relation) is not None}
    return tuple(relation for relation in kept.values() if not _said(relation, least))


def bound_of(relation: Any) -> int | None:
    """The number in ``H >= 63``; None for other relations."""
    bounds = relation.func is sympy.Ge and relation.lhs.is_Symbol and relation.rhs.is_Integer
    return int(relation.rhs) if bounds else None


def _said(relation: Any, least: Mapping[Any, Any]) -> bool:
    """Whether lower bounds on letters say a relation of several letters already."""
    several = relation.func is sympy.Ge and len(relation.free_symbols) > 1
    return several and within(relation, {letter.name: (int(bound), None) for letter, bound in least.items()})
