"""Floors and ceilings in canonical form, by named rewrites, each with the identity that it applies.

Letters and terms are integers; ``d`` is a positive divisor, ``c`` a constant. Minima do not occur here: `canonical`
moves them outside first. The identities are those of Graham, Knuth and Patashnik, *Concrete Mathematics*, section 3.2,
which sympy does not apply.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sympy
from sympy import Integer, ceiling, floor

from convcalc.algebra.symbolic.terms import as_fraction, as_terms


class Rounded(NamedTuple):
    """The expression ``outside + ⌊(Σ factor·term + constant)/divisor⌋``, of integers alone."""

    outside: Any
    terms: Mapping[Any, Any]
    constant: Any
    divisor: Any

    @property
    def body(self) -> Any:
        """The terms as a sum, without the constant."""
        return sum((factor * term for term, factor in self.terms.items()), Integer(0))


def round_down(arg: Any) -> Any:
    """Return ``⌊arg⌋`` in canonical form; ``arg`` is canonical and has no minimum among its terms.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> round_down((round_down((H + 1) / 2) + 1) / 2)
    ceiling(H/4)
    """
    numerator, divisor = as_fraction(sympy.expand(arg))
    if not divisor.is_Integer:
        return floor(arg)
    constant, terms = as_terms(sympy.expand(numerator))
    rounded = Rounded(Integer(0), terms, constant, divisor)
    if only_falls(rounded):
        return -round_up(-arg)
    rounded = cancel_common_factor(take_out_multiples(rounded))
    inner = nested_rounding(rounded)
    if inner is not None:
        return rounded.outside + round_down(merge(rounded, inner))
    return finish(take_out_constant(rounded))


def round_up(arg: Any) -> Any:
    """Return ``⌈arg⌉`` in canonical form, of an ``arg`` as in `round_down`.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> round_up((symbol("H") + 2) / 2)
    ceiling(H/2) + 1
    """
    argument = ceiling_as_floor(arg)
    return ceiling(arg) if argument is None else round_down(argument)


def ceiling_as_floor(arg: Any) -> Any:
    """Return the expression whose floor is ``⌈arg⌉``, by ``⌈u/d⌉ = ⌊(u + d - 1)/d⌋``; None if ``d`` has letters."""
    numerator, divisor = as_fraction(arg)
    return (numerator + divisor - 1) / divisor if divisor.is_Integer else None


def only_falls(rounded: Rounded) -> bool:
    """Return whether every factor is negative, so that ``⌊-x⌋ = -⌈x⌉`` makes the letters positive."""
    return bool(rounded.terms) and all(factor < 0 for factor in rounded.terms.values())


def take_out_multiples(rounded: Rounded) -> Rounded:
    """Apply ``⌊((q·d + r)·t + u)/d⌋ = q·t + ⌊(r·t + u)/d⌋`` to each term ``t``."""
    outside, d = rounded.outside, rounded.divisor
    for term, factor in rounded.terms.items():
        outside += (factor // d) * term
    left = {term: factor % d for term, factor in rounded.terms.items() if factor % d}
    return rounded._replace(outside=outside, terms=left)


def cancel_common_factor(rounded: Rounded) -> Rounded:
    """Apply ``⌊(g·u + c)/(g·d)⌋ = ⌊(u + ⌊c/g⌋)/d⌋``."""
    g = sympy.igcd(rounded.divisor, 0, *rounded.terms.values())
    terms = {term: factor // g for term, factor in rounded.terms.items()}
    return rounded._replace(terms=terms, constant=rounded.constant // g, divisor=rounded.divisor // g)


def nested_rounding(rounded: Rounded) -> Any:
    """Return the one floor or ceiling among the terms that `merge` may absorb; None if there is none.

    Of several, none is merged: the choice would be arbitrary, and so the form not canonical.
    """
    inner = [term for term, factor in rounded.terms.items() if term.func in (floor, ceiling) and factor == 1]
    return inner[0] if len(inner) == 1 and rounded.divisor > 1 else None


def merge(rounded: Rounded, inner: Any) -> Any:
    """Return the argument of one floor by ``⌊(⌊u/m⌋ + c)/d⌋ = ⌊(u + c·m)/(m·d)⌋``, with ``⌈u/m⌉ = ⌊(u + m - 1)/m⌋``."""
    u, m = as_fraction(inner.args[0])
    if inner.func is ceiling:
        u = u + m - 1
    c = rounded.body - inner + rounded.constant
    return (u + c * m) / (m * rounded.divisor)


def take_out_constant(rounded: Rounded) -> Rounded:
    """Apply ``⌊(u + q·d + r)/d⌋ = q + ⌊(u + r)/d⌋``, so that the constant is between 0 and ``d - 1``."""
    q, r = rounded.constant // rounded.divisor, rounded.constant % rounded.divisor
    return rounded._replace(outside=rounded.outside + q, constant=r)


def finish(rounded: Rounded) -> Any:
    """Return the expression, by ``⌊u/1⌋ = u`` or ``⌊(u + d - 1)/d⌋ = ⌈u/d⌉`` if one applies, else with its floor."""
    outside, body, d = rounded.outside, rounded.body, rounded.divisor
    if d == 1 or body == 0:
        return outside + body
    if rounded.constant == d - 1:
        return outside + ceiling(body / d, evaluate=False)
    return outside + floor((body + rounded.constant) / d, evaluate=False)


def join_halves(expr: Any) -> Any:
    """Apply ``⌊u/2⌋ + ⌈u/2⌉ = u`` to a sum of canonical terms, wherever that makes it shorter.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> join_halves(floor(H / 2) + ceiling(H / 2) + 1)
    H + 1
    """
    if not expr.is_Add:
        return expr
    for term, factor in as_terms(expr)[1].items():
        if term.func in (floor, ceiling) and as_fraction(2 * term.args[0])[1] == 1:
            other = (ceiling if term.func is floor else floor)(term.args[0])
            shorter = sympy.expand(expr + factor * (2 * term.args[0] - other - term))
            if len(sympy.Add.make_args(shorter)) < len(expr.args):
                return join_halves(shorter)
    return expr
