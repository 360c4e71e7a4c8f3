"""Operations on dims and shapes; a dim is an ``int`` or a sympy expression, and these are where the two differ.

Only `symbolic` imports sympy. It is loaded by `_symbolic` once a dim is not an int, so runs in numbers never load it.
"""

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from convcalc.algebra.types import Condition, Dim, is_symbolic
from convcalc.errors import NotAnInteger


class _Letters(Protocol):
    """The functions of `symbolic` for dims that are not ints, documented at the functions of these names below."""

    def canonical(self, expr: Any) -> Dim: ...
    def minimum(self, a: Any, b: Any) -> Dim: ...
    def equal(self, a: Any, b: Any) -> Condition: ...
    def at_least(self, a: Any, b: Any) -> Condition: ...
    def pretty(self, expr: Any) -> str: ...
    def substitute(self, expr: Any, values: Mapping[Any, Any]) -> Dim: ...
    def symbol(self, name: str) -> Dim: ...


def _symbolic() -> _Letters:
    """Return the package `symbolic`, which imports sympy (0.2 s), for the first dim that is not an int."""
    from convcalc.algebra import symbolic

    return symbolic


def as_dim(value: Any, what: str = "a size", owner: str = "") -> Dim:
    """Return ``value`` as a dim: an int (anything with ``__index__``) or a sympy expression in canonical form.

    Raises NotAnInteger for any other value; it names the value ``what``, an argument of ``owner``.

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
    """Return ``⌈a/b⌉``.

    >>> ceildiv(7, 2)
    4
    """
    return -(-a // b)


def minimum(a: Dim, b: Dim) -> Dim:
    """Return the smaller of two dims: one of them if it is never the larger, else an expression that chooses.

    >>> minimum(2, 3)
    2
    """
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return _symbolic().minimum(a, b)


def maximum(a: Dim, b: Dim) -> Dim:
    """Return the larger of two dims, as `minimum` does the smaller.

    >>> maximum(2, 3)
    3
    """
    return -minimum(-a, -b)


def prod(dims: Iterable[Dim]) -> Dim:
    """Return the product of dims; 1 if there are none.

    >>> prod((64, 3, 7, 7))
    9408
    """
    return math.prod(dims)


def equal(a: Dim, b: Dim) -> Condition:
    """Return whether two dims are equal: True, False, or a relation between letters if that depends on them.

    >>> equal(3, 3)
    True
    """
    if a == b or (isinstance(a, int) and isinstance(b, int)):
        return a == b
    return _symbolic().equal(a, b)


def at_least(a: Dim, b: Dim) -> Condition:
    """Return whether ``a >= b``: True, False, or a relation between letters.

    >>> at_least(letter("H") // 4 - 15, 1)
    H >= 64
    """
    if isinstance(a, int) and isinstance(b, int):
        return a >= b
    return _symbolic().at_least(a, b)


def truth(condition: Condition) -> bool | None:
    """Return True or False for a condition that does not depend on letters, else None.

    >>> truth(at_least(3, 1))
    True
    """
    return condition if isinstance(condition, bool) else None


def show(dim: Dim) -> str:
    """Return a dim as text: a number without commas, an expression as ``⌈H/32⌉``.

    >>> show(1024)
    '1024'
    """
    if isinstance(dim, int):
        return str(dim)
    return _symbolic().pretty(dim)


def show_count(count: Dim) -> str:
    """Return a count as text, with commas between thousands.

    >>> show_count(25557032)
    '25,557,032'
    """
    return f"{count:,}" if isinstance(count, int) else show(count)


def show_shape(shape: Iterable[Dim]) -> str:
    """Return a shape as text, with brackets around sums.

    >>> show_shape((64, 112, 112))
    '64 x 112 x 112'
    """
    return " x ".join([show(n) if isinstance(n, int) else _bracketed(show(n)) for n in shape])


def _bracketed(text: str) -> str:
    """Return a text with brackets around it if it is a sum, unless one floor or ceiling encloses all of it."""
    outside = text
    while outside != (outside := re.sub(r"[⌊⌈(][^⌊⌈⌋⌉()]*[⌋⌉)]", "_", outside)):
        pass
    return f"({text})" if " + " in outside or " - " in outside else text


def substitute(dim: Dim, values: Mapping[Any, Dim]) -> Dim:
    """Return ``dim`` with dims substituted for letters.

    >>> substitute(letter("H") // 2, {letter("H"): 224})
    112
    """
    if isinstance(dim, int):
        return dim
    return _symbolic().substitute(dim, values)


def letter(name: str) -> Any:
    """Return the symbol of a letter, a positive integer of this name.

    >>> letter("H") + 1
    H + 1
    """
    return _symbolic().symbol(name)
