"""The sizes of one letter at which an expression is 0, or at least 0, exactly.

Floors of linear terms are linear for each remainder by some period, so these sizes are periodic above some number.
"""

from math import lcm
from typing import Any

import sympy
from sympy import ceiling, floor

from convcalc.algebra.periodic import Sizes, where
from convcalc.algebra.symbolic.program import make_function
from convcalc.algebra.symbolic.terms import as_fraction


def solve_periodic(gap: Any, zero: bool) -> Sizes | None:
    """Return the sizes at which ``gap`` is 0, or (unless ``zero``) at least 0; None if they cannot be found exactly.

    ``gap`` is canonical, has letters, and has no minimum or maximum.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> str(solve_periodic(symbol("H") // 2 - 3, zero=True))
    'n = 6, 7'
    """
    letters = list(gap.free_symbols)
    terms = list(map(_smooth, sympy.Add.make_args(gap)))
    period = _period(gap, letters[0])
    if len(letters) != 1 or not period or not all(term.is_polynomial(*letters) for term in terms):
        return None
    degree = max(int(sympy.degree(term, *letters)) for term in terms)
    scale = lcm(*[int(factor.q) for factor in gap.as_coefficients_dict().values()])
    value = make_function([gap * scale], letters)
    return where(lambda n: int(value(n)[0]), period, degree, (lambda n: n == 0) if zero else (lambda n: n >= 0))


def _period(expr: Any, letter: Any) -> int:
    """Return an increase of the letter that increases all floors by integers; 0 if there is none.

    That is known of linear sums over a number, not of floors divided by a letter, as in ``⌊3·⌊n/2⌋/n⌋``.
    """
    inner = lcm(*[_period(arg, letter) for arg in expr.args])
    if expr.func not in (floor, ceiling):
        return inner
    if not as_fraction(expr.args[0])[1].is_Integer:
        return 0
    rise = sympy.diff(_smooth(expr.args[0]), letter)
    return inner * int((rise * inner).q) if rise.is_Rational else 0


def _smooth(expr: Any) -> Any:
    """Return ``expr`` with each floor and ceiling replaced by its argument."""
    return expr.replace(lambda part: part.func in (floor, ceiling), lambda part: part.args[0])
