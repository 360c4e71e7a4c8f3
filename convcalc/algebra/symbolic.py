"""Letters instead of numbers: the only file that imports sympy, loaded once a dim is not an int.

Canonical form: a dim has one floor or ceiling where rules made a chain of them, because for integers
``⌊(⌊u/m⌋ + c)/n⌋ = ⌊(u + c·m)/(m·n)⌋`` (Graham, Knuth, Patashnik, *Concrete Mathematics*, section 3.2); sympy does
not know it. Letters are positive integers. Solving for legal sizes and collecting totals are not done here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import sympy
from sympy import Integer, ceiling, floor
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from convcalc.algebra.dims import Condition, Dim


@cache
def symbol(name: str) -> Dim:
    """The letter ``name``: a positive integer.

    >>> symbol("H").is_positive
    True
    """
    return sympy.Symbol(name, integer=True, positive=True)


@lru_cache(maxsize=65536)
def canonical(expr: Any) -> Dim:
    """``expr`` with chains of floors and ceilings folded into one; an int where no letter is left.

    >>> H = symbol("H")
    >>> canonical(((H - 1) // 2 + 1 - 1) // 2 + 1)
    ceiling(H/4)
    """
    result = _canonical(sympy.sympify(expr))
    return int(result) if result.is_Integer else result


@lru_cache(maxsize=65536)
def _canonical(expr: Any) -> Any:
    if expr.is_Symbol:
        return symbol(expr.name)
    if not expr.args:
        return expr
    args = [_canonical(arg) for arg in expr.args]
    if expr.func is floor:
        return _floor(args[0])
    if expr.func is ceiling:
        return _ceiling(args[0])
    if expr.func is sympy.Mod:
        return sympy.expand(args[0] - args[1] * _floor(args[0] / args[1]))
    if expr.func in (sympy.Add, sympy.Mul, sympy.Pow):
        return sympy.expand(expr.func(*args))
    return expr.func(*args)


def _floor(arg: Any) -> Any:
    """The canonical form of ``⌊arg⌋``, where ``arg`` is canonical inside."""
    numerator, divisor = sympy.fraction(sympy.together(sympy.expand(arg)))
    if not divisor.is_Integer:
        return floor(arg)
    constant, terms = _split(sympy.expand(numerator))
    if terms and all(factor < 0 for factor in terms.values()):  # ⌊-x⌋ = -⌈x⌉: letters keep a plus before them
        return -_ceiling(-arg)
    whole = Integer(0)
    for term, factor in list(terms.items()):  # whole multiples of the divisor leave the floor
        whole += (factor // divisor) * term
        terms[term] = factor % divisor
    terms = {term: factor for term, factor in terms.items() if factor}
    common = sympy.igcd(divisor, *terms.values()) if terms else divisor
    terms = {term: factor // common for term, factor in terms.items()}
    constant, divisor = constant // common, divisor // common
    inner = [t for t in terms if t.func in (floor, ceiling) and terms[t] == 1]
    if inner and divisor > 1 and (len(terms) == 1 or len(inner) == 1):
        rest = sum((factor * term for term, factor in terms.items() if term != inner[0]), constant)
        return whole + _unnest(inner[0], rest, divisor)
    whole += constant // divisor
    body = sum((factor * term for term, factor in terms.items()), Integer(0))
    return whole + _one_floor(body, constant % divisor, divisor)


def _ceiling(arg: Any) -> Any:
    """The canonical form of ``⌈u/n⌉ = ⌊(u + n - 1)/n⌋``."""
    numerator, divisor = sympy.fraction(sympy.together(arg))
    return _floor((numerator + divisor - 1) / divisor) if divisor.is_Integer else ceiling(arg)


def _one_floor(body: Any, constant: Any, divisor: Any) -> Any:
    """``⌊(body + constant)/divisor⌋`` for ``0 <= constant < divisor``, as the ceiling where that is shorter."""
    if divisor == 1 or body == 0:
        return body
    if constant == divisor - 1:
        return ceiling(body / divisor)
    return floor((body + constant) / divisor)


def _unnest(inner: Any, rest: Any, divisor: Any) -> Any:
    """``⌊(inner + rest)/divisor⌋`` where ``inner`` is itself a floor or a ceiling."""
    u, m = sympy.fraction(sympy.together(inner.args[0]))
    if inner.func is ceiling:
        u = u + m - 1
    return _floor((u + rest * m) / (m * divisor))


def _split(expr: Any) -> tuple[Any, dict[Any, Any]]:
    """An expanded sum as its constant and a map from term to integer factor."""
    factors = expr.as_coefficients_dict()
    constant = factors.pop(Integer(1), Integer(0))
    return constant, {term: factor for term, factor in factors.items() if factor}


def ceiling_of(value: Any) -> Dim:
    """``⌈value⌉`` of an expression in letters.

    >>> ceiling_of(symbol("C") / 2)
    ceiling(C/2)
    """
    return canonical(ceiling(value))


def at_least(a: Any, b: Any) -> Condition:
    """``a >= b``: True, False, or a relation, solved for the letter where there is one.

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
    return _solved(gap)


def equal(a: Any, b: Any) -> Condition:
    """``a == b``: True, False, or a relation between letters.

    >>> H = symbol("H")
    >>> equal(2 * (H // 2), H)
    Eq(2*floor(H/2), H)
    """
    gap = canonical(a - b)
    if isinstance(gap, int):
        return gap == 0
    low, high = _bound(gap, -1), _bound(gap, 1)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    return sympy.Eq(a, b, evaluate=False)


def minimum(a: Any, b: Any) -> Dim:
    """The smaller of two dims: one of them where it is smaller for all sizes, else ``Min(a, b)``.

    >>> H = symbol("H")
    >>> minimum((H + 1) // 2, H // 2)
    floor(H/2)
    """
    if at_least(b, a) is True:
        return canonical(a)
    if at_least(a, b) is True:
        return canonical(b)
    return sympy.Min(canonical(a), canonical(b))


def _bound(expr: Any, side: int) -> Any:
    """A bound of a canonical expression over all letters >= 1, below (``side=-1``) or above (1); None if none is known.

    Where all terms grow with every letter and point the same way, the value with all letters 1 is the bound; else each
    floor is replaced by its own bounds, which can only be wider.
    """
    constant, terms = _split(expr)
    if all(factor * side < 0 and _grows(term) for term, factor in terms.items()):
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
    constant, terms = _split(sympy.expand(relaxed))
    if any(factor * side > 0 or not _grows(term) for term, factor in terms.items()):
        return None
    return constant + sum(factor * term.subs(dict.fromkeys(term.free_symbols, 1)) for term, factor in terms.items())


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


def _solved(gap: Any) -> Any:
    """``gap >= 0``, as a bound on the letter where ``gap`` is one floor of one letter."""
    constant, terms = _split(gap)
    if len(terms) == 1 and len(gap.free_symbols) == 1:
        ((term, factor),) = terms.items()
        (letter,) = gap.free_symbols
        inside = term.args[0] if term.func in (floor, ceiling) else term
        step = inside.coeff(letter)
        if factor > 0 and step.is_Rational and step > 0 and (inside - step * letter).is_Rational:
            needed = -floor(constant / factor)  # term >= needed
            if term.func is ceiling:  # a ceiling exceeds needed - 1
                least = floor((needed - 1 - inside + step * letter) / step) + 1
            else:
                least = ceiling((needed - inside + step * letter) / step)
            return True if least <= 1 else sympy.Ge(letter, least, evaluate=False)
    return sympy.Ge(gap, 0, evaluate=False)


def strongest(relations: Iterable[Any]) -> tuple[Any, ...]:
    """Relations without repeats, and of several lower bounds on a letter only the highest.

    >>> H = symbol("H")
    >>> strongest([H >= 7, H >= 63, H >= 15])
    (H >= 63,)
    """
    kept: dict[Any, Any] = {}
    for relation in relations:
        is_bound = relation.func is sympy.Ge and relation.lhs.is_Symbol and relation.rhs.is_Integer
        key = relation.lhs if is_bound else relation
        if key not in kept or (is_bound and relation.rhs > kept[key].rhs):
            kept[key] = relation
    return tuple(kept.values())


class _Printer(StrPrinter):
    """Text for people: ``⌈H/32⌉``, ``64·C``, ``H²``."""

    def _print_floor(self, expr: Any) -> str:
        return f"⌊{self._fraction(expr.args[0])}⌋"

    def _print_ceiling(self, expr: Any) -> str:
        return f"⌈{self._fraction(expr.args[0])}⌉"

    def _fraction(self, expr: Any) -> str:
        numerator, divisor = sympy.fraction(sympy.together(expr))
        text = self._print(sympy.expand(numerator))
        return f"({text})/{divisor}" if numerator.is_Add else f"{text}/{divisor}"

    def _print_Integer(self, expr: Any) -> str:
        return f"{int(expr):,}"

    def _print_Mul(self, expr: Any) -> str:
        return str(super()._print_Mul(expr)).replace("*", "·")

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, exponent = expr.args
        if (base.is_Symbol or base.func in (floor, ceiling)) and exponent.is_Integer and exponent > 0:
            return self._print(base) + str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return str(super()._print_Pow(expr, rational))


def pretty(expr: Any) -> str:
    """A dim, count or relation for people.

    >>> pretty((symbol("H") - 3) // 4)
    '⌊(H - 3)/4⌋'
    """
    expr = canonical(expr) if not isinstance(expr, Relational) else expr
    if isinstance(expr, Relational):
        sign = {"Eq": "=", "Ge": "≥", "Le": "≤"}.get(type(expr).__name__) or {
            "Equality": "=",
            "GreaterThan": "≥",
            "LessThan": "≤",
        }.get(type(expr).__name__, str(getattr(expr, "rel_op", "?")))
        return f"{pretty(expr.lhs)} {sign} {pretty(expr.rhs)}"
    if isinstance(expr, int):
        return f"{expr:,}"
    constant, terms = _split(expr)
    if constant and len(terms) == 1:  # one floor and a whole number print as one floor
        ((term, factor),) = terms.items()
        if factor == 1 and term.func in (floor, ceiling):
            return str(_Printer().doprint(term.func(term.args[0] + constant, evaluate=False)))
    return str(_Printer().doprint(expr))
