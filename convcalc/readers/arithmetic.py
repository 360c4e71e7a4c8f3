"""Arithmetic of a sheet: whole numbers, exact fractions and letters, within limits; nothing is executed.

Values are computed from syntax nodes, an operator at a time. A number with a point means what it says: ``1.2*C`` is
12/10 of C. Layers and tensors are the business of `readers.spec`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from convcalc.algebra.dims import LIMIT, ceildiv, is_symbolic, maximum, minimum, show
from convcalc.errors import SpecError

MOST_PARTS = 120  # of an expression in letters; longer ones are nobody's plan
MOST_TERMS = 12  # of a sum of letters: a product of five such sums is still computed in a moment
MOST_DEGREE = 12

OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Div: lambda a, b: Fraction(a, b) if not is_symbolic(a) and not is_symbolic(b) else a / b,
}

COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def is_number(value: object) -> bool:
    """Whether a value takes part in arithmetic: an int, a fraction, a number with a point, an expression in letters."""
    return (isinstance(value, (int, Fraction, float)) and not isinstance(value, bool)) or is_symbolic(value)


def display(value: object) -> str:
    """A value as a sheet writes it.

    >>> display(Fraction(5, 2)), display(True), display("same"), display((3, 5))
    ('2.5', 'True', "'same'", '(3, 5)')
    """
    if is_symbolic(value):
        return show(value)  # type: ignore[arg-type]
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, tuple):
        return f"({', '.join(map(display, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def exact(value: Any) -> Any:
    """A number with a point as the fraction that is written there; other values as they are."""
    return Fraction(repr(value)) if isinstance(value, float) else value


def plain(value: Any) -> Any:
    """``value`` as layers take it: a fraction that is not whole as a number with a point."""
    return float(value) if isinstance(value, Fraction) else value


def within_limits(value: Any) -> Any:
    """``value`` in normal form (whole fractions as ints); raises SpecError where it is too large."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            value = value.numerator
        elif value.denominator > LIMIT:
            raise SpecError(f"a fraction's denominator may not exceed {LIMIT:,}")
    if is_symbolic(value):
        from convcalc.algebra.symbolic import canonical

        value = canonical(value)
        if is_symbolic(value):
            check_expression(value)
            return value
    if abs(value) > LIMIT:
        raise SpecError(f"numbers lie between -{LIMIT:,} and {LIMIT:,}; this gives {_huge(value)}")
    return value


def check_expression(value: Any) -> None:
    """Raise SpecError for an expression in letters that is longer, or holds larger numbers, than a plan would."""
    stack, parts = [value], 0
    while stack:
        part = stack.pop()
        parts += 1
        if parts > MOST_PARTS or (part.is_Add and len(part.args) > MOST_TERMS):
            raise SpecError(f"an expression in letters has at most {MOST_TERMS} terms and {MOST_PARTS} parts")
        if part.is_Rational and max(abs(part.p), part.q) > LIMIT:
            raise SpecError(f"numbers lie between -{LIMIT:,} and {LIMIT:,}; {show(value):.60} holds a larger one")
        if part.is_Pow and not (part.args[1].is_Integer and abs(part.args[1]) <= MOST_DEGREE):
            raise SpecError(f"a letter is multiplied by itself at most {MOST_DEGREE} times")
        stack.extend(part.args)


def _huge(value: Any) -> str:
    text = f"{int(value):,}" if abs(value) < 10**30 else "a number of more than 30 digits"
    return text


def apply(kind: ast.operator, left: Any, right: Any) -> Any:
    """``left`` and ``right`` joined by an operator of the syntax tree; raises SpecError.

    >>> apply(ast.FloorDiv(), 7, 2)
    3
    """
    compute = OPERATORS.get(type(kind))
    if compute is None:
        raise SpecError(
            f"the operator {SIGNS.get(type(kind).__name__, '?')} is not part of a sheet",
            hint="write a product: C*C" if isinstance(kind, ast.Pow) else "there are + - * / // and %",
        )
    for value in (left, right):
        if not is_number(value):
            raise SpecError(f"arithmetic needs numbers or letters; received {display(value)}")
    left, right = exact(left), exact(right)
    if right == 0 and isinstance(kind, (ast.FloorDiv, ast.Mod, ast.Div)):
        raise SpecError("division by zero")
    return within_limits(compute(left, right))


SIGNS = {"Pow": "**", "MatMult": "@", "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&"}


def compare(kind: ast.cmpop, left: Any, right: Any) -> bool:
    """Whether a comparison of two constants holds; raises SpecError for letters."""
    test = COMPARISONS.get(type(kind))
    if test is None:
        raise SpecError("this comparison is not part of a sheet", hint="there are == != < <= > and >=")
    letter = next((value for value in (left, right) if is_symbolic(value)), None)
    if letter is not None:
        raise SpecError(
            f"a condition needs numbers; {show(letter)} is a letter", hint=f"give it a value: {_first(letter)} = 16"
        )
    try:
        return bool(test(exact(left), exact(right)))
    except TypeError:
        raise SpecError(f"{display(left)} and {display(right)} cannot be compared") from None


def _first(expression: Any) -> str:
    """A letter of an expression: the first by name."""
    return min(str(letter) for letter in expression.free_symbols)


def round_to(value: Any, divisor: Any) -> int:
    """The multiple of ``divisor`` nearest to ``value``, not under nine tenths of it (arXiv:1801.04381).

    >>> round_to(Fraction(332, 10), 8)
    32
    """
    if is_symbolic(value) or not isinstance(divisor, int) or divisor < 1:
        raise SpecError(
            f"round_to takes a number and a whole divisor; received {display(value)} and {display(divisor)}"
        )
    rounded = max(divisor, int(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded if rounded * 10 >= value * 9 else rounded + divisor


def _ceil(value: Any) -> Any:
    if isinstance(value, (int, Fraction)):
        return ceildiv(value.numerator, value.denominator)
    from convcalc.algebra.symbolic import ceiling_of

    return ceiling_of(value)


def _fold(choose: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def over(*values: Any) -> Any:
        if not values:
            raise TypeError
        result = values[0]
        for value in values[1:]:
            fractions = isinstance(result, Fraction) or isinstance(value, Fraction)
            if fractions and (is_symbolic(result) or is_symbolic(value)):
                raise SpecError("min and max compare letters with whole numbers only")
            result = (min if choose is minimum else max)(result, value) if fractions else choose(result, value)
            within_limits(result)
        return result

    return over


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": _fold(minimum),
    "max": _fold(maximum),
    "ceil": _ceil,
    "round_to": round_to,
}

USAGE = {"min": "min(a, b)", "max": "max(a, b)", "ceil": "ceil(H/2)", "round_to": "round_to(1.2*C, 8)"}


def call(name: str, values: list[Any]) -> Any:
    """One of the functions of arithmetic on numbers; raises SpecError."""
    for value in values:
        if not is_number(value):
            raise SpecError(f"{name} takes numbers or letters; received {display(value)}")
    try:
        return within_limits(FUNCTIONS[name](*map(exact, values)))
    except TypeError:
        count = f"{len(values)} value{'s' * (len(values) != 1)}"
        raise SpecError(f"{name} cannot be computed from {count}", hint=f"write {USAGE[name]}") from None
