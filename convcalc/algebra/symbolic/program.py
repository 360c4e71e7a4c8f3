"""Expressions as Python source that computes with integers or arrays, and as functions compiled from it."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import sympy
from sympy import ceiling, floor
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from convcalc.algebra.symbolic.terms import as_fraction
from convcalc.algebra.types import is_symbolic
from convcalc.errors import SpecError, did_you_mean


class _Source(StrPrinter):
    """A printer of Python that computes with integers or arrays; ``names`` are of what was computed before."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        super().__init__()
        self.names = names

    def _print(self, expr: Any, **kwargs: Any) -> str:
        return self.names.get(expr) or str(super()._print(expr, **kwargs))

    def _print_floor(self, expr: Any) -> str:
        numerator, divisor = as_fraction(expr.args[0])
        return f"(({self._print(numerator)})//({self._print(divisor)}))"

    def _print_ceiling(self, expr: Any) -> str:
        numerator, divisor = as_fraction(expr.args[0])
        return f"(-((-({self._print(numerator)}))//({self._print(divisor)})))"

    def _print_Min(self, expr: Any) -> str:
        return reduce("least({}, {})".format, map(self._print, expr.args))

    def _print_Max(self, expr: Any) -> str:
        return reduce("(-least(-({}), -({})))".format, map(self._print, expr.args))

    def _print_Relational(self, expr: Any) -> str:
        return f"(({self._print(expr.lhs)}) {expr.rel_op} ({self._print(expr.rhs)}))"

    def print_integer(self, expr: Any) -> str:
        """Return the text of an expression whose value is an integer, though its factors may be fractions."""
        if isinstance(expr, Relational) or all(factor.is_Integer for factor in expr.as_coefficients_dict().values()):
            return self._print(expr)
        return self._print_floor(floor(expr, evaluate=False))


def write_program(exprs: Sequence[Any], letters: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Return Python for ``exprs``: assignments of shared parts, and the values, with letters named ``_0``, ``_1``, ….

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> write_program([H // 2, 3 * (H // 2) + 1], [H])
    (['_1 = ((_0)//(2))'], ['_1', '3*_1 + 1'])
    """
    exprs = list(map(sympy.sympify, exprs))
    names = {letter: f"_{i}" for i, letter in enumerate(letters)}
    printer = _Source(names)
    lines = []
    shared = set().union(*[expr.atoms(floor, ceiling) for expr in exprs])
    for i, part in enumerate(sorted(shared, key=lambda part: (part.count_ops(), str(part))), len(names)):
        lines.append(f"_{i} = {printer.print_integer(part)}")
        names[part] = f"_{i}"
    return lines, [printer.print_integer(expr) for expr in exprs]


def make_function(exprs: Sequence[Any], letters: Sequence[Any]) -> Callable[..., list[Any]]:
    """Return a function of letters that returns the values of expressions, and for relations whether they hold.

    Raises SpecError for a letter that is not among ``letters``.

    >>> from convcalc.algebra.symbolic.terms import symbol
    >>> H = symbol("H")
    >>> make_function([H // 2, H >= 7], [H])(9)
    [4, True]
    """
    names = list(map(str, letters))
    used = {str(letter) for expr in exprs if is_symbolic(expr) for letter in expr.free_symbols}
    for letter in used.difference(names):
        hint = did_you_mean(letter, names) or f"name it too: '{' '.join([*names, letter])}'"
        raise SpecError(f"the letter {letter} is not among the letters given: {', '.join(names) or 'none'}", hint=hint)
    lines, values = write_program(exprs, letters)
    arguments = ", ".join(f"_{i}" for i in range(len(letters)))
    body = "\n ".join([*lines, f"return [{', '.join(values)}]"])
    space: dict[str, Any] = {"least": _least, "__builtins__": {}}
    exec(f"def compute({arguments}):\n {body}", space)
    computed: Callable[..., list[Any]] = space["compute"]
    return computed


def _least(a: Any, b: Any) -> Any:
    return (a + b - abs(a - b)) // 2  # works for arrays too
