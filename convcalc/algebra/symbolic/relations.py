"""What is equal or larger for which sizes.

With one letter, floors of linear terms are linear for each remainder, and every answer is exact. With several, a bound
decides or the relation stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import lcm
from typing import Any

import sympy
from sympy import Integer, ceiling, floor
from sympy.core.relational import Relational

from convcalc.algebra.periodic import ALL, NONE, Sizes, where
from convcalc.algebra.symbolic import canonical, fraction, gathered, printing, split, substitute
from convcalc.algebra.types import Condition, Dim


@lru_cache(maxsize=65536)
def at_least(a: Any, b: Any) -> Condition:
    """``a >= b``: True, False, or a relation, solved for the letter where that is a bound.

    >>> from convcalc.algebra.symbolic import symbol
    >>> at_least(symbol("H") // 4 - 15, 1)
    H >= 64
    """
    gap, low, high = _bounds(a, b)
    if low is not None and low >= 0:
        return True
    if high is not None and high < 0:
        return False
    return _exact(stated(">=", gap, 0))


@lru_cache(maxsize=65536)
def equal(a: Any, b: Any) -> Condition:
    """``a == b``: True, False, or a relation between letters.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> equal(2 * (H // 2), H), equal(2 * (H // 2), 2 * H - 2 * (H // 2) + 3)
    (Eq(2*floor(H/2), H), False)
    """
    gap, low, high = _bounds(a, b)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    return gap == 0 if isinstance(gap, int) else _exact(stated("==", a, b))


def _exact(relation: Any) -> Condition:
    """A relation, in one letter as what it says: True, False, a bound."""
    found = solved(relation) if len(relation.free_symbols) == 1 else None
    if found in (ALL, NONE):
        return found == ALL
    if found is not None and found == Sizes.from_(found.start):
        return sympy.Ge(*relation.free_symbols, Integer(found.start), evaluate=False)
    return relation


def minimum(a: Any, b: Any) -> Dim:
    """The smaller of two dims for all sizes, else ``Min(a, b)``.

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
    if not isinstance(relation, Relational):
        return ALL if relation else NONE
    return _where(relation.lhs - relation.rhs, relation.func is sympy.Eq)


def _where(gap: Any, zero: bool) -> Sizes | None:
    """The sizes at which ``gap`` is 0, or (unless ``zero``) at least 0."""
    gap = sympy.sympify(canonical(gap))
    letters = list(gap.free_symbols)
    if not letters:
        return ALL if (gap == 0 if zero else gap >= 0) else NONE
    for choice in gap.atoms(sympy.Min, sympy.Max):
        return _chosen(gap, choice, zero)
    terms = list(map(_smooth, sympy.Add.make_args(gap)))
    period = _period(gap, letters[0])
    if len(letters) != 1 or not period or not all(term.is_polynomial(*letters) for term in terms):
        return None
    degree = max(int(sympy.degree(term, *letters)) for term in terms)
    scale = lcm(*[int(factor.q) for factor in gap.as_coefficients_dict().values()])
    value = printing.function([gap * scale], letters)
    return where(lambda n: int(value(n)[0]), period, degree, (lambda n: n == 0) if zero else (lambda n: n >= 0))


def _chosen(gap: Any, choice: Any, zero: bool) -> Sizes | None:
    """`_where`, by which part of a minimum or maximum is the one."""
    first, *others = choice.args
    rest = choice.func(*others)
    less = rest - first if choice.func is sympy.Min else first - rest
    gaps = less, gap.xreplace({choice: first}), gap.xreplace({choice: rest})
    found = [_where(gap, zero and gap is not less) for gap in gaps]
    if None in found:
        return None
    is_first, with_first, with_rest = found
    return (is_first & with_first) | (~is_first & with_rest)  # type: ignore[operator]


def _period(expr: Any, letter: Any) -> int:
    """A rise of the letter by which all floors rise by whole numbers; 0 where there is none."""
    inner = lcm(*[_period(arg, letter) for arg in expr.args])
    if expr.func not in (floor, ceiling):
        return inner
    rise = sympy.diff(_smooth(expr.args[0]), letter)
    return inner * int((rise * inner).q) if rise.is_Rational else 0


def _smooth(expr: Any) -> Any:
    return expr.replace(lambda part: part.func in (floor, ceiling), lambda part: part.args[0])


def _bounds(a: Any, b: Any) -> tuple[Dim, Any, Any]:
    """``a - b``, and its bounds below and above."""
    gap = canonical(a - b)
    return (gap, gap, gap) if isinstance(gap, int) else (gap, _bound(gap, -1), _bound(gap, 1))


def _bound(expr: Any, side: int) -> Any:
    """A bound of a canonical expression below (``side=-1``) or above (1); None if none is known.

    It is the value with all letters 1 where all terms grow and point the same way, if need be with floors bounded
    first.
    """
    relaxed, terms = split(expr)
    products = gathered(expr) if len(expr.free_symbols) > 1 else [(f, [(t, 0, 1)]) for t, f in terms.items()]
    if all(factor * side < 0 and _grow(parts) for factor, parts in products if parts):
        return _at_1(expr)
    for term, factor in terms.items():
        if term.func in (floor, ceiling):
            up = (factor > 0) == (side > 0)
            divisor = fraction(term.args[0])[1]  # ⌊u/n⌋ lies below u/n by (n - 1)/n at most
            slack = (1 - 1 / divisor if divisor.is_Integer else 1) * (up - (term.func is floor))
            term = term.args[0] + slack
        relaxed += factor * term
    relaxed = sympy.expand(relaxed)
    if any(factor * side > 0 or not _grows(term) for term, factor in split(relaxed)[1].items()):
        return None
    return _at_1(relaxed)


def _at_1(expr: Any) -> Any:
    return expr.subs(dict.fromkeys(expr.free_symbols, 1))


def _grow(parts: Sequence[tuple[Any, Any, int]]) -> bool:
    """Whether a product of parts less their shifts surely does not fall as letters grow."""
    alone = len(parts) == 1 and parts[0][2] == 1
    return all(_grows(part) and (alone or _at_1(part) >= shift) for part, shift, _ in parts)


@lru_cache(maxsize=4096)
def _grows(expr: Any) -> bool:
    if expr.is_Add or expr.func in (floor, ceiling, sympy.Min, sympy.Max):
        return all(map(_grows, expr.args))
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0):
        return all(_grows(factor) and _at_1(factor) >= 0 for factor in expr.args)
    return bool(expr.is_Symbol or expr.is_Number)


def stated(sign: str, a: Any, b: Any) -> Any:
    """``a == b`` or ``a >= b`` as a relation that sympy does not look into, or a truth of numbers."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b if sign == "==" else a >= b
    return (sympy.Eq if sign == "==" else sympy.Ge)(a, b, evaluate=False)


def opened(relation: Any) -> str:
    """An equation of a floor as the bounds of what stands in it, for people.

    >>> from convcalc.algebra.parse import symbols
    >>> k, p = symbols("k p")
    >>> opened(sympy.Eq((224 + 2 * p - k) // 2 + 1, 112, evaluate=False))
    '2·p + 1 ≤ k ≤ 2·p + 2'
    """
    gap = sympy.expand(relation.lhs - relation.rhs)
    constant, terms = split(gap)
    floors = [term for term in terms if term.func in (floor, ceiling)]
    if not floors:  # what is taken off goes to the other side
        every = {**terms, 1: constant}
        sides = [sympy.Add(*[abs(f) * t for t, f in every.items() if f * sign > 0]) for sign in (1, -1)]
        return " = ".join(map(printing.pretty, sorted(sides, key=lambda side: side.count_ops())))
    term, *others = floors
    if others or abs(terms[term]) != 1:
        return printing.pretty(relation)
    value = sympy.expand(term - gap * terms[term])  # what the floor must be
    inside, divisor = fraction(term.args[0])
    low = divisor * value if term.func is floor else divisor * (value - 1) + 1
    ends = [low, inside, low + divisor - 1]
    if all(factor < 0 for factor in sympy.expand(inside).as_coefficients_dict().values()):
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
    """Relations without repeats, and without what others say already.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> strongest([H >= 7, H >= 63, H >= 15])
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
        if not (relation.func is sympy.Ge and len(relation.free_symbols) > 1 and within(relation, least))
    )
