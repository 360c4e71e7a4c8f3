"""Bounds of canonical expressions that hold for all positive integers that the letters may be."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import ceiling, floor

from convcalc.algebra.symbolic.terms import as_fraction, as_products, as_terms


def bound(expr: Any, side: int) -> Any:
    """Return a lower (``side=-1``) or upper (``side=1``) bound of a canonical expression; None if none is known.

    It is the value with all letters 1, of an expression whose terms all grow, or all fall, as letters grow. Where that
    is not the case at first, floors and ceilings are replaced by their own bounds.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> bound(2 * symbol("H") + 3, -1), bound(2 * symbol("H") + 3, 1)
    (5, None)
    """
    relaxed, terms = as_terms(expr)
    products = as_products(expr) if len(expr.free_symbols) > 1 else [(f, [(t, 0, 1)]) for t, f in terms.items()]
    if all(factor * side < 0 and _grow(parts) for factor, parts in products if parts):
        return _at_1(expr)
    for term, factor in terms.items():
        if term.func in (floor, ceiling):
            up = (factor > 0) == (side > 0)
            divisor = as_fraction(term.args[0])[1]  # ⌊u/n⌋ is less than u/n by at most (n - 1)/n
            slack = (1 - 1 / divisor if divisor.is_Integer else 1) * (up - (term.func is floor))
            term = term.args[0] + slack
        relaxed += factor * term
    relaxed = sympy.expand(relaxed)
    if any(factor * side > 0 or not _grows(term) for term, factor in as_terms(relaxed)[1].items()):
        return None
    return _at_1(relaxed)


def _at_1(expr: Any) -> Any:
    """Return the value with all letters 1."""
    return expr.subs(dict.fromkeys(expr.free_symbols, 1))


def _grow(parts: Sequence[tuple[Any, Any, int]]) -> bool:
    """Return whether it is certain that a product, of parts minus their shifts, does not fall as letters grow."""
    alone = len(parts) == 1 and parts[0][2] == 1
    return all(_grows(part) and (alone or _at_1(part) >= shift) for part, shift, _ in parts)


@lru_cache(maxsize=4096)
def _grows(expr: Any) -> bool:
    """Return whether it is certain that an expression does not fall as letters grow."""
    if expr.is_Add or expr.func in (floor, ceiling, sympy.Min, sympy.Max):
        return all(map(_grows, expr.args))
    if expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0):
        return all(_grows(factor) and _at_1(factor) >= 0 for factor in expr.args)
    return bool(expr.is_Symbol or expr.is_Number)
