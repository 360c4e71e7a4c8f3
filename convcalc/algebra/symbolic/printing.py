"""Expressions in letters as text: for people (``⌈H/32⌉``), and as Python, made from sympy's tree."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any

import sympy
from sympy import ceiling, floor
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from convcalc.algebra.parse import parse_dim
from convcalc.algebra.symbolic import canonical, fraction, gathered, split
from convcalc.algebra.types import is_symbolic
from convcalc.errors import SpecError, did_you_mean


class _Printer(StrPrinter):
    def _as_ordered_terms(self, expr: Any, order: Any = None) -> Any:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())  # a sum does not begin with a minus

    def _print_floor(self, expr: Any) -> str:
        return f"⌊{self._fraction(expr.args[0])}⌋"

    def _print_ceiling(self, expr: Any) -> str:
        return f"⌈{self._fraction(expr.args[0])}⌉"

    def _fraction(self, expr: Any) -> str:
        numerator, divisor = fraction(expr)
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
    """A dim, count or relation for people.

    >>> from convcalc.algebra.symbolic import symbol
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
    for factor, parts in gathered(expr):
        product = sympy.Mul(*[_shifted(part, shift) ** power for part, shift, power in parts])
        apart = factor != 1 and product.is_Add  # else sympy would multiply it out
        products.append(sympy.Mul(factor, product, evaluate=False) if apart else factor * product)
    total = sympy.Add(*products)
    constant, terms = split(total)
    if constant and len(terms) == 1:  # one floor and a whole number print as one floor
        ((term, factor),) = terms.items()
        if factor == 1 and term.func in (floor, ceiling):
            total = _shifted(term, -constant)
    return str(_Printer().doprint(total))


def _shifted(part: Any, shift: Any) -> Any:
    """``part - shift``, inside of a floor or ceiling: of these that with the smaller constant."""
    if not shift or part.func not in (floor, ceiling):
        return part - shift
    inside = part.args[0] - shift
    numerator, divisor = fraction(inside)
    constant = sympy.expand(numerator).as_coeff_Add()[0]
    if part.func is ceiling and divisor.is_Integer and abs(constant + divisor - 1) < abs(constant):
        return floor(inside + (divisor - 1) / divisor, evaluate=False)
    return part.func(inside, evaluate=False)


class _Source(StrPrinter):
    """Python that computes with whole numbers or arrays; ``names`` stand for what is computed before."""

    def __init__(self, names: Mapping[Any, str]) -> None:
        super().__init__()
        self.names = names

    def _print(self, expr: Any, **kwargs: Any) -> str:
        return self.names.get(expr) or str(super()._print(expr, **kwargs))

    def _print_floor(self, expr: Any) -> str:
        numerator, divisor = fraction(expr.args[0])
        return f"(({self._print(numerator)})//({self._print(divisor)}))"

    def _print_ceiling(self, expr: Any) -> str:
        numerator, divisor = fraction(expr.args[0])
        return f"(-((-({self._print(numerator)}))//({self._print(divisor)})))"

    def _print_Min(self, expr: Any) -> str:
        return reduce("least({}, {})".format, map(self._print, expr.args))

    def _print_Max(self, expr: Any) -> str:
        return reduce("(-least(-({}), -({})))".format, map(self._print, expr.args))

    def _print_Relational(self, expr: Any) -> str:
        return f"(({self._print(expr.lhs)}) {expr.rel_op} ({self._print(expr.rhs)}))"

    def whole(self, expr: Any) -> str:
        """An expression whose value is whole, though its factors may be fractions."""
        if isinstance(expr, Relational) or all(factor.is_Integer for factor in expr.as_coefficients_dict().values()):
            return self._print(expr)
        return self._print_floor(floor(expr, evaluate=False))


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


def function(exprs: Sequence[Any], letters: Sequence[Any]) -> Callable[..., list[Any]]:
    """A function of letters that gives the values of expressions, the truths of relations. Raises SpecError."""
    known = list(map(str, letters))
    found = {str(letter) for expr in exprs if is_symbolic(expr) for letter in expr.free_symbols}
    for letter in found.difference(known):
        hint = did_you_mean(letter, known) or f"name it too: '{' '.join([*known, letter])}'"
        raise SpecError(f"the letter {letter} has no place among {', '.join(known) or 'none'}", hint=hint)
    lines, values = program(exprs, letters)
    arguments = ", ".join(f"_{i}" for i in range(len(letters)))
    body = "\n ".join([*lines, f"return [{', '.join(values)}]"])
    space: dict[str, Any] = {"least": _least, "__builtins__": {}}
    exec(f"def compute({arguments}):\n {body}", space)
    computed: Callable[..., list[Any]] = space["compute"]
    return computed


def _least(a: Any, b: Any) -> Any:
    return (a + b - abs(a - b)) // 2  # of arrays too


def compile(what: Any, letters: str | Sequence[Any]) -> Callable[..., Any]:
    """A function of ``letters``, in this order, that gives the value of an expression, or of each in a mapping.

    It takes whole numbers, or NumPy's arrays of them (counts are then 64-bit: up to 9·10¹⁸). What is no expression in a
    mapping stays as it is. Raises SpecError for a letter not among ``letters``.

    >>> from convcalc import summary
    >>> totals = compile(summary("resnet50", "3xHxW").totals, "H W")
    >>> totals(224, 224)["macs"], totals(64, 96)["macs"]
    (4089184256, 502513664)
    """
    names = letters.replace(",", " ").split() if isinstance(letters, str) else letters
    order = [parse_dim(name, name) if isinstance(name, str) else name for name in names]
    given = what if isinstance(what, Mapping) else {"": what}
    computed = [name for name, value in given.items() if isinstance(value, int) or is_symbolic(value)]
    values = function([given[name] for name in computed], order)

    def compute(*sizes: Any) -> Any:
        # in 32 bits counts would run over
        whole = [size.astype("int64") if hasattr(size, "astype") else size for size in sizes]
        found = {**given, **dict(zip(computed, values(*whole)))}
        return found if given is what else found[""]

    return compute
