"""Sums of letters, split into a constant and terms, a fraction, or few products, without rounding or comparing."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sympy
from sympy import Integer

from convcalc.algebra.types import Dim

MOST_SHIFT = 1000  # (H - 4)·(W - 4) is readable, N·(K + 1,995,672) is not


@cache
def symbol(name: str) -> Dim:
    """Return the symbol of this name, a positive integer.

    >>> symbol("H") + 1
    H + 1
    """
    return sympy.Symbol(name, integer=True, positive=True)


def as_fraction(expr: Any) -> Any:
    """Return numerator and denominator over the common denominator of all terms.

    >>> as_fraction(symbol("H") / 2 + 1)
    (H + 2, 2)
    """
    return sympy.fraction(sympy.together(expr))


def as_terms(expr: Any) -> tuple[Any, dict[Any, Any]]:
    """Return an expanded sum as its constant and a map from term to factor.

    >>> as_terms(2 * symbol("H") + 3)
    (3, {H: 2})
    """
    factors = expr.as_coefficients_dict()
    constant = factors.pop(Integer(1), Integer(0))
    return constant, {term: factor for term, factor in factors.items() if factor}


def as_products(expr: Any) -> list[tuple[Any, list[tuple[Any, Any, int]]]]:
    """Return a sum as few products, each with its factor and its parts, ``(part - shift)**power``.

    >>> H, W = symbol("H"), symbol("W")
    >>> as_products(sympy.expand((H // 4 - 3) * (W // 4 - 3)))
    [(1, [(floor(H/4), 3, 1), (floor(W/4), 3, 1)])]
    """
    terms: dict[frozenset[tuple[Any, int]], Any] = {}
    for term, factor in expr.as_coefficients_dict().items():
        powers = term.as_powers_dict().items() if term != 1 else ()
        terms[frozenset((base, int(n)) if n.is_Integer else (base**n, 1) for base, n in powers)] = factor
    shifts: dict[Any, Any] = {}
    for atom in sorted({atom for term in terms for atom, _ in term}, key=sympy.default_sort_key):
        moved = {shift: _moved(terms, atom, shift) for shift in _shifts(terms, atom)}
        best = min(moved, key=lambda shift: _length(moved[shift]), default=0)
        if best and _length(moved[best]) < _length(terms):
            terms, shifts[atom] = moved[best], best
    return [
        (factor, sorted([(a, shifts.get(a, 0), n) for a, n in term], key=lambda part: sympy.default_sort_key(part[0])))
        for term, factor in terms.items()
        if factor
    ]


def _length(terms: Mapping[frozenset[tuple[Any, int]], Any]) -> tuple[int, int]:
    """Return the number of products with letters, and the number of all products."""
    return len(terms) - (frozenset() in terms), len(terms)


def _shifts(terms: Mapping[frozenset[tuple[Any, int]], Any], atom: Any) -> list[Any]:
    """Return the shifts of ``atom`` that cancel one of two terms whose powers of it are neighbours.

    A letter is shifted only inside products, where that shortens the sum.
    """
    shifts: list[Any] = []
    for term, factor in terms.items():
        power = dict(term).get(atom, 0)
        lower = term - {(atom, power)} | ({(atom, power - 1)} if power > 1 else set())
        if power and lower in terms and (len(term) > 1 or power > 1 or not atom.is_Symbol):
            shift = -terms[lower] / (power * factor)
            if shift.is_Integer and shift not in shifts and (abs(shift) <= MOST_SHIFT or not atom.is_Symbol):
                shifts.append(shift)
    return shifts


def _moved(terms: Mapping[frozenset[tuple[Any, int]], Any], atom: Any, shift: Any) -> dict[Any, Any]:
    """Return ``terms`` with ``atom + shift`` substituted for ``atom``, expanded."""
    moved: dict[Any, Any] = {}
    for term, factor in terms.items():
        power = dict(term).get(atom, 0)
        for k in range(power + 1):
            new = term - {(atom, power)} | ({(atom, k)} if k else set())
            moved[new] = moved.get(new, 0) + factor * sympy.binomial(power, k) * shift ** (power - k)
    return {term: factor for term, factor in moved.items() if factor}
