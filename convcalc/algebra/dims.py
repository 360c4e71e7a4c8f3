"""Dims and shapes: a dim is an ``int`` or a sympy expression, and here stands all the difference between the two.

Sympy is imported by `symbolic` alone, and only once a dim is not an int: `_symbolic` is the one door to it.
"""

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from convcalc.algebra.types import Condition, Dim, is_symbolic
from convcalc.errors import NotAnInteger


class _Letters(Protocol):
    """What `symbolic` does for dims that are not ints; the functions here of the same names say what each returns."""

    def canonical(self, expr: Any) -> Dim: ...
    def minimum(self, a: Any, b: Any) -> Dim: ...
    def equal(self, a: Any, b: Any) -> Condition: ...
    def at_least(self, a: Any, b: Any) -> Condition: ...
    def pretty(self, expr: Any) -> str: ...
    def substitute(self, expr: Any, values: Mapping[Any, Any]) -> Dim: ...
    def symbol(self, name: str) -> Dim: ...


def _symbolic() -> _Letters:
    """Return the package `symbolic`, imported with sympy (0.2 s) at the first dim that is not an int, never before."""
    from convcalc.algebra import symbolic

    return symbolic


def as_dim(value: Any, what: str = "a size", owner: str = "") -> Dim:
    """Return ``value`` as a dim: an int (anything with ``__index__``) or a sympy expression in canonical form.

    Raises NotAnInteger, which calls the value ``what`` and says whose it is.

    >>> as_dim(2.5, "kernel_size")
    Traceback (most recent call last):
    convcalc.errors.NotAnInteger: kernel_size must be an integer; received 2.5
    """
    if type(value) is int:
        return value
    if is_symbolic(value):
        return _symbolic().canonical(value)
    try:
        return int(operator.index(value))
    except TypeError:
        raise NotAnInteger(what, value, owner) from None


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
    return _symbolic().minimum(a, b)


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
    return _symbolic().equal(a, b)


def at_least(a: Dim, b: Dim) -> Condition:
    """Whether ``a >= b``, as `equal`."""
    if isinstance(a, int) and isinstance(b, int):
        return a >= b
    return _symbolic().at_least(a, b)


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
    return _symbolic().pretty(dim)


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
    return _symbolic().substitute(dim, values)


def letter(name: str) -> Any:
    """A positive integer of this name."""
    return _symbolic().symbol(name)
