"""The canonical form of a dim or a count: one form for all expressions that layers' rules give for the same size.

Chains of floors and ceilings become one (`rounding`), sums are expanded, and a minimum loses the arguments that are
never the smallest. To find these, arguments are compared, which needs their canonical form: hence comparison and
canonical form are in one file.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from typing import Any

import sympy
from sympy import ceiling, floor

from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.symbolic.bounds import bound
from convcalc.algebra.symbolic.rounding import ceiling_as_floor, join_halves, round_down
from convcalc.algebra.symbolic.sizes import solve_periodic
from convcalc.algebra.symbolic.terms import as_fraction, as_terms, symbol
from convcalc.algebra.types import Dim


@lru_cache(maxsize=65536)
def canonical(expr: Any) -> Dim:
    """Return ``expr`` in canonical form; an int if no letter is left.

    >>> H = symbol("H")
    >>> canonical(((H - 1) // 2 + 1 - 1) // 2 + 1)
    ceiling(H/4)
    >>> canonical(H - (H + 1) // 2)
    floor(H/2)
    """
    return substitute(sympy.sympify(expr), {})


def substitute(expr: Any, values: Mapping[Any, Any]) -> Dim:
    """Return ``expr`` with dims substituted for letters, in canonical form.

    >>> substitute(symbol("H") // 2, {symbol("H"): 7})
    3
    """
    if values and values.keys().isdisjoint(expr.free_symbols):
        return expr
    result = _rebuild(expr, tuple(values.items()))
    return int(result) if result.is_Integer else result


def ceiling_of(value: Any) -> Dim:
    """Return ``⌈value⌉`` in canonical form.

    >>> ceiling_of(symbol("C") / 2)
    ceiling(C/2)
    """
    return canonical(ceiling(value))


def minimum(a: Any, b: Any) -> Dim:
    """Return the dim that is never larger than the other, or ``Min(a, b)`` if that depends on letters.

    >>> H = symbol("H")
    >>> minimum((H + 1) // 2, H // 2), minimum(-(-H // 4), (H + 1) // 4)
    (floor(H/2), floor(H/4 + 1/4))
    """
    if _never_less(b, a):
        return canonical(a)
    if _never_less(a, b):
        return canonical(b)
    return sympy.Min(canonical(a), canonical(b))


@lru_cache(maxsize=65536)
def _never_less(a: Any, b: Any) -> bool:
    """Return whether ``a >= b`` is known to hold for all sizes: from a bound or, with one letter, exactly."""
    gap: Any = canonical(a - b)
    if isinstance(gap, int):
        return gap >= 0
    low = bound(gap, -1)
    if low is not None and low >= 0:
        return True
    return len(gap.free_symbols) == 1 and solve_gap(gap, zero=False) == ALL


@lru_cache(maxsize=16384)
def solve_gap(gap: Any, zero: bool) -> Sizes | None:
    """Return the sizes of its only letter at which ``gap`` is 0, or (unless ``zero``) at least 0; None if unknown.

    >>> H = symbol("H")
    >>> str(solve_gap(sympy.Min(H // 2, 3) - 2, True))
    'n = 4, 5'
    """
    gap = sympy.sympify(canonical(gap))
    if not gap.free_symbols:
        return ALL if (gap == 0 if zero else gap >= 0) else NONE
    for choice in gap.atoms(sympy.Min, sympy.Max):
        return _sizes_by_part(gap, choice, zero)
    return solve_periodic(gap, zero)


def _sizes_by_part(gap: Any, choice: Any, zero: bool) -> Sizes | None:
    """Return what `solve_gap` does, by cases: ``choice``, a minimum or maximum, is its first argument or another."""
    first, *others = choice.args
    rest = choice.func(*others)
    is_first = solve_gap(rest - first if choice.func is sympy.Min else first - rest, False)
    with_first = solve_gap(gap.xreplace({choice: first}), zero)
    with_rest = solve_gap(gap.xreplace({choice: rest}), zero)
    if is_first is None or with_first is None or with_rest is None:
        return None
    return (is_first & with_first) | (~is_first & with_rest)


@lru_cache(maxsize=65536)
def _rebuild(expr: Any, values: tuple[tuple[Any, Any], ...]) -> Any:
    """Return ``expr`` with values substituted for letters, built anew from its leaves."""
    if expr.args:
        return _make(expr.func, [_rebuild(arg, values) for arg in expr.args])
    value = dict(values).get(expr, expr)
    return symbol(value.name) if value is expr and expr.is_Symbol else sympy.sympify(value)


def _make(kind: Any, args: list[Any]) -> Any:
    """Return ``kind(*args)`` of canonical ``args``, without sympy's evaluation of floors, which is slow."""
    if kind is floor:
        return _round_down(args[0])
    if kind is ceiling:
        argument = ceiling_as_floor(args[0])
        return ceiling(args[0]) if argument is None else _round_down(argument)
    if kind is sympy.Mod:
        return sympy.expand(args[0] - args[1] * _round_down(args[0] / args[1]))
    if kind is sympy.Min:
        return _smallest(args)
    if kind is sympy.Max:
        return -_smallest([-arg for arg in args])
    made = kind(*args)
    return join_halves(sympy.expand(made)) if kind in (sympy.Add, sympy.Mul, sympy.Pow) else made


def _smallest(args: Iterable[Any]) -> Any:
    """Return the minimum of ``args`` without those that are never the smallest."""
    return sympy.sympify(reduce(minimum, [part for arg in args for part in sympy.Min.make_args(arg)]))


def _round_down(arg: Any) -> Any:
    """Return ``⌊arg⌋``, by ``⌊(f·min(a, b) + u)/d⌋ = min(⌊(f·a + u)/d⌋, ⌊(f·b + u)/d⌋)``, or max where ``f < 0``."""
    if not arg.has(sympy.Min):
        return round_down(arg)
    numerator, divisor = as_fraction(sympy.expand(arg))
    terms = as_terms(sympy.expand(numerator))[1] if divisor.is_Integer else {}
    for term, factor in terms.items():
        if term.func is sympy.Min:
            parts = [_round_down(arg + (part - term) * factor / divisor) for part in term.args]
            return _smallest(parts) if factor > 0 else -_smallest([-part for part in parts])
    return round_down(arg)
