"""Dims and shapes: a dim is an ``int`` or a sympy expression, and here stands all the difference between the two.

Sympy is imported by `symbolic` alone, and only once a dim is not an int.
"""

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from convcalc.errors import SpecError

LIMIT = 10**9  # larger sizes are slips of the keyboard, and would only make unreadable tables


class Expr(Protocol):
    """The part of a sympy expression that rules use."""

    def __add__(self, other: "Dim") -> "Dim": ...
    def __radd__(self, other: "Dim") -> "Dim": ...
    def __sub__(self, other: "Dim") -> "Dim": ...
    def __rsub__(self, other: "Dim") -> "Dim": ...
    def __mul__(self, other: "Dim") -> "Dim": ...
    def __rmul__(self, other: "Dim") -> "Dim": ...
    def __floordiv__(self, other: "Dim") -> "Dim": ...
    def __rfloordiv__(self, other: "Dim") -> "Dim": ...
    def __mod__(self, other: "Dim") -> "Dim": ...
    def __rmod__(self, other: "Dim") -> "Dim": ...
    def __neg__(self) -> "Dim": ...


class Relation(Protocol):
    """A sympy relation between letters."""

    free_symbols: set[Any]


Dim = int | Expr
Shape = tuple[Dim, ...]
Condition = bool | Relation


def is_symbolic(value: object) -> bool:
    """Whether ``value`` is a sympy expression (asked without importing sympy)."""
    return hasattr(value, "free_symbols")


def as_dim(value: Any, what: str = "a size") -> Dim:
    """``value`` as a dim: an int (anything with ``__index__``) or a sympy expression in canonical form.

    >>> as_dim(2.5, "kernel_size")
    Traceback (most recent call last):
    convcalc.errors.SpecError: kernel_size must be a whole number; received 2.5
    """
    if type(value) is int:
        return value
    if is_symbolic(value):
        from convcalc.algebra.symbolic import canonical

        return canonical(value)
    try:
        return int(operator.index(value))
    except TypeError:
        raise SpecError(f"{what} must be a whole number; received {value!r}") from None


def ceildiv(a: Dim, b: Dim) -> Dim:
    """``⌈a/b⌉``.

    >>> ceildiv(7, 2)
    4
    """
    return -(-a // b)


def minimum(a: Dim, b: Dim) -> Dim:
    """The smaller of two dims, for every size if there is one."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    from convcalc.algebra.symbolic.relations import minimum

    return minimum(a, b)


def maximum(a: Dim, b: Dim) -> Dim:
    """The larger of two dims, as `minimum`.

    >>> maximum(2, 3)
    3
    """
    return -minimum(-a, -b)


def prod(dims: Iterable[Dim]) -> Dim:
    """The product of dims; 1 for none.

    >>> prod((64, 3, 7, 7))
    9408
    """
    return math.prod(dims)


def equal(a: Dim, b: Dim) -> Condition:
    """Whether two dims are equal: True, False, or a relation between letters."""
    if a == b or (isinstance(a, int) and isinstance(b, int)):
        return a == b
    from convcalc.algebra.symbolic.relations import equal

    return equal(a, b)  # type: ignore[arg-type]


def at_least(a: Dim, b: Dim) -> Condition:
    """Whether ``a >= b``, as `equal`."""
    if isinstance(a, int) and isinstance(b, int):
        return a >= b
    from convcalc.algebra.symbolic.relations import at_least

    return at_least(a, b)  # type: ignore[arg-type]


def truth(condition: Condition) -> bool | None:
    """True or False where that is known for all sizes, else None.

    >>> truth(at_least(3, 1))
    True
    """
    return condition if isinstance(condition, bool) else None


def show(dim: Dim) -> str:
    """A dim for people: numbers bare, symbolic ones as ``⌈H/32⌉``.

    >>> show(1024)
    '1024'
    """
    if isinstance(dim, int):
        return str(dim)
    from convcalc.algebra.symbolic.printing import pretty

    return pretty(dim)  # type: ignore[arg-type]


def show_count(count: Dim) -> str:
    """A count for people, with thousands commas.

    >>> show_count(25557032)
    '25,557,032'
    """
    return f"{count:,}" if isinstance(count, int) else show(count)


def show_shape(shape: Iterable[Dim]) -> str:
    """A shape for people; sums stand in brackets.

    >>> show_shape((64, 112, 112))
    '64 x 112 x 112'
    """
    return " x ".join([show(n) if isinstance(n, int) else _bracketed(show(n)) for n in shape])


def _bracketed(text: str) -> str:
    """A sum in brackets, unless a floor or a ceiling is around all of it."""
    outside = text
    while outside != (outside := re.sub(r"[⌊⌈(][^⌊⌈⌋⌉()]*[⌋⌉)]", "_", outside)):
        pass
    return f"({text})" if " + " in outside or " - " in outside else text


def substitute(dim: Dim, values: Mapping[Any, Dim]) -> Dim:
    """``dim`` with dims in place of letters.

    >>> substitute(letter("H") // 2, {letter("H"): 224})
    112
    """
    if isinstance(dim, int):
        return dim
    from convcalc.algebra.symbolic import substitute

    return substitute(dim, values)


def letter(name: str) -> Any:
    """A positive whole number of this name."""
    from convcalc.algebra.symbolic import symbol

    return symbol(name)


def parse_shape(text: str) -> Shape:
    """A shape from text such as ``3x224x224``, ``3,224,224`` or ``3xHxW`` (letters are symbols).

    Raises SpecError for anything but whole numbers from 1 to 10⁹ and names.

    >>> parse_shape("3x224x224")
    (3, 224, 224)
    """
    return tuple([parse_dim(part, text) for part in re.split(r"\s*[x×,]\s*", text.strip())])


def parse_dim(part: str, text: str) -> Dim:
    """One size out of ``text``, as `parse_shape`."""
    if re.fullmatch(r"[0-9]+", part):
        if len(part) <= 10 and 0 < int(part) <= LIMIT:
            return int(part)
        shown = part if len(part) <= 20 else f"a number of {len(part)} digits"
        raise SpecError(f"a size lies between 1 and {LIMIT:,}; received {shown}", hint="write it as 3x224x224")
    if re.fullmatch(r"[A-Za-z_]\w*", part) and part.lower() not in ("nan", "inf", "infinity"):
        dim: Dim = letter(part)
        return dim
    part, text = (word if len(word) <= 40 else word[:37] + "..." for word in (part, text))
    raise SpecError(
        f"{part!r} in {text!r} is not a size",
        details=["a size is a whole number such as 224 or a letter such as H"],
        hint="write it as 3x224x224 or 3xHxW",
    )
