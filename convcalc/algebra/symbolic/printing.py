"""Expressions in letters as text: for people (``⌈H/32⌉``), and as Python that computes with numbers or arrays.

What an expression is, and its canonical form, stands in `symbolic`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy
from sympy import ceiling, floor
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from convcalc.algebra.symbolic import canonical, gathered, split

SIGNS = {"Equality": "=", "GreaterThan": "≥", "LessThan": "≤", "Unequality": "≠"}


class _Printer(StrPrinter):
    """Text for people: ``⌈H/32⌉``, ``64·C``, ``H²``."""

    def _as_ordered_terms(self, expr: Any, order: Any = None) -> Any:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())  # a sum does not begin with a minus

    def _print_floor(self, expr: Any) -> str:
        return f"⌊{self._fraction(expr.args[0])}⌋"

    def _print_ceiling(self, expr: Any) -> str:
        return f"⌈{self._fraction(expr.args[0])}⌉"

    def _fraction(self, expr: Any) -> str:
        numerator, divisor = sympy.fraction(sympy.together(expr))
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
        if exponent.is_Integer and exponent > 0:
            raised = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
            if base.is_Symbol or base.func in (floor, ceiling):
                return self._print(base) + raised
            return f"({self._print(base)}){raised}"
        return str(super()._print_Pow(expr, rational))


@lru_cache(maxsize=65536)
def pretty(expr: Any) -> str:
    """A dim, count or relation for people.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> pretty((H - 3) // 4), pretty((H // 4 - 3) * (W // 4 - 3) * 16)
    ('⌊(H - 3)/4⌋', '16·⌊(H - 12)/4⌋·⌊(W - 12)/4⌋')
    """
    if isinstance(expr, Relational):
        return f"{pretty(expr.lhs)} {SIGNS.get(type(expr).__name__, str(expr.rel_op))} {pretty(expr.rhs)}"
    expr = canonical(expr)
    if isinstance(expr, int):
        return f"{expr:,}"
    if not expr.is_Add:
        return str(_Printer().doprint(expr))
    products = []
    for factor, parts in gathered(expr):
        shown = [_shifted(part, shift) ** power for part, shift, power in parts]
        product = sympy.Mul(*shown) if len(shown) != 1 else shown[0]
        apart = factor != 1 and product.is_Add  # else sympy would multiply it out
        products.append(sympy.Mul(factor, product, evaluate=False) if apart else factor * product)
    return str(_Printer().doprint(_joined(products)))


def _shifted(part: Any, shift: Any) -> Any:
    """``part - shift``, inside of a floor or ceiling; of these two that with the smaller constant."""
    if not shift or part.func not in (floor, ceiling):
        return part - shift
    inside = part.args[0] - shift
    numerator, divisor = sympy.fraction(sympy.together(inside))
    constant = sympy.expand(numerator).as_coeff_Add()[0]
    if part.func is ceiling and divisor.is_Integer and abs(constant + divisor - 1) < abs(constant):
        return floor(inside + (divisor - 1) / divisor, evaluate=False)
    return part.func(inside, evaluate=False)


def _joined(products: list[Any]) -> Any:
    """The sum of products; one floor and a whole number print as one floor."""
    total = sympy.Add(*products)
    constant, terms = split(total)
    if constant and len(terms) == 1:
        ((term, factor),) = terms.items()
        if factor == 1 and term.func in (floor, ceiling):
            return _shifted(term, -constant)
    return total


class _Source(StrPrinter):
    """Python that computes: floors as ``//``, which whole numbers and arrays of them share."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        super().__init__()
        self.names = names

    def _print(self, expr: Any, **kwargs: Any) -> str:
        return self.names.get(expr) or str(super()._print(expr, **kwargs))

    def _print_floor(self, expr: Any) -> str:
        numerator, divisor = sympy.fraction(sympy.together(expr.args[0]))
        return f"(({self._print(numerator)})//({self._print(divisor)}))"

    def _print_ceiling(self, expr: Any) -> str:
        numerator, divisor = sympy.fraction(sympy.together(expr.args[0]))
        return f"(-((-({self._print(numerator)}))//({self._print(divisor)})))"

    def _print_Min(self, expr: Any) -> str:
        first, *rest = map(self._print, expr.args)
        for other in rest:
            first = f"least({first}, {other})"
        return first

    def _print_Max(self, expr: Any) -> str:
        first, *rest = map(self._print, expr.args)
        for other in rest:
            first = f"(-least(-({first}), -({other})))"
        return first

    def _print_Relational(self, expr: Any) -> str:
        sign = {"Equality": "==", "Unequality": "!="}.get(type(expr).__name__, expr.rel_op)
        return f"(({self._print(expr.lhs)}) {sign} ({self._print(expr.rhs)}))"

    def whole(self, expr: Any) -> str:
        """An expression whose value is a whole number, though its factors may be fractions."""
        if isinstance(expr, Relational) or all(factor.is_Integer for factor in expr.as_coefficients_dict().values()):
            return self._print(expr)
        numerator, divisor = sympy.fraction(sympy.together(expr))
        return f"(({self._print(numerator)})//({self._print(divisor)}))"


def program(exprs: Sequence[Any], letters: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Python for ``exprs``, with the letters called ``_0``, ``_1``: assignments of what several share, and the values.

    >>> from convcalc.algebra.symbolic import symbol
    >>> H = symbol("H")
    >>> program([H // 2, 3 * (H // 2) + 1], [H])
    (['_1 = ((_0)//(2))'], ['_1', '3*_1 + 1'])
    """
    exprs = list(map(sympy.sympify, exprs))
    names = {letter: f"_{i}" for i, letter in enumerate(letters)}
    printer = _Source(names)
    lines = []
    shared = set().union(*[expr.atoms(floor, ceiling) for expr in exprs])
    for i, part in enumerate(sorted(shared, key=lambda part: (part.count_ops(), str(part))), len(names)):
        lines.append(f"_{i} = {printer.whole(part)}")
        names[part] = f"_{i}"
    return lines, [printer.whole(expr) for expr in exprs]
