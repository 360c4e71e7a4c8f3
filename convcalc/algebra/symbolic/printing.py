"""Expressions and relations in letters as text for people: ``⌈H/32⌉``, ``H ≥ 64``."""

from functools import lru_cache
from typing import Any

import sympy
from sympy import ceiling, floor
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from convcalc.algebra.symbolic.canonical import canonical
from convcalc.algebra.symbolic.terms import as_fraction, as_products, as_terms


class _Printer(StrPrinter):
    def _as_ordered_terms(self, expr: Any, order: Any = None) -> Any:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())  # a sum should not begin with a minus

    def _print_floor(self, expr: Any) -> str:
        return f"⌊{self._fraction(expr.args[0])}⌋"

    def _print_ceiling(self, expr: Any) -> str:
        return f"⌈{self._fraction(expr.args[0])}⌉"

    def _fraction(self, expr: Any) -> str:
        numerator, divisor = as_fraction(expr)
        numerator = sympy.expand(numerator)
        text = self._print(numerator)
        below = self._print(divisor) if divisor.is_Atom else f"({self._print(divisor)})"
        return f"({text})/{below}" if numerator.is_Add else f"{text}/{below}"

    def _print_Integer(self, expr: Any) -> str:
        return f"{int(expr):,}"

    def _print_Mul(self, expr: Any) -> str:
        return str(super()._print_Mul(expr)).replace("*", "·")

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.args
        if not (exponent.is_Integer and exponent > 0):
            return str(super()._print_Pow(expr, rational))
        raised = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        alone = base.is_Symbol or base.func in (floor, ceiling)
        return (self._print(base) if alone else f"({self._print(base)})") + raised


@lru_cache(maxsize=65536)
def pretty(expr: Any) -> str:
    """Return a dim, count or relation as text for people.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> pretty((H - 3) // 4), pretty((H // 4 - 3) * (W // 4 - 3) * 16)
    ('⌊(H - 3)/4⌋', '16·⌊(H - 12)/4⌋·⌊(W - 12)/4⌋')
    """
    if isinstance(expr, Relational):
        return f"{pretty(expr.lhs)} {'=' if expr.func is sympy.Eq else '≥'} {pretty(expr.rhs)}"
    expr = canonical(expr)
    if isinstance(expr, int):
        return f"{expr:,}"
    if not expr.is_Add:
        return str(_Printer().doprint(expr))
    products = []
    for factor, parts in as_products(expr):
        product = sympy.Mul(*[_shifted(part, shift) ** power for part, shift, power in parts])
        held = factor != 1 and product.is_Add  # else sympy would multiply it out
        products.append(sympy.Mul(factor, product, evaluate=False) if held else factor * product)
    total = sympy.Add(*products)
    constant, terms = as_terms(total)
    if constant and len(terms) == 1:  # one floor and an integer print as one floor
        ((term, factor),) = terms.items()
        if factor == 1 and term.func in (floor, ceiling):
            total = _shifted(term, -constant)
    return str(_Printer().doprint(total))


def _shifted(part: Any, shift: Any) -> Any:
    """Return ``part - shift``; of a floor or ceiling with the shift inside, as whichever has the smaller constant."""
    if not shift or part.func not in (floor, ceiling):
        return part - shift
    inside = part.args[0] - shift
    numerator, divisor = as_fraction(inside)
    constant = sympy.expand(numerator).as_coeff_Add()[0]
    if part.func is ceiling and divisor.is_Integer and abs(constant + divisor - 1) < abs(constant):
        return floor(inside + (divisor - 1) / divisor, evaluate=False)
    return part.func(inside, evaluate=False)
