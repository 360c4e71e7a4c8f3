"""Types of sizes: a dim is an ``int`` or a sympy expression. Operations on dims are in `dims`, not here."""

from typing import Any, Protocol

LIMIT = 10**9  # larger sizes are typing errors, and would only make tables unreadable


class Expr(Protocol):
    """A sympy expression, as far as the rules of layers use it."""

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
    """A sympy relation between symbols."""

    free_symbols: set[Any]


Dim = int | Expr
Shape = tuple[Dim, ...]
Condition = bool | Relation


def is_symbolic(value: object) -> bool:
    """Return whether ``value`` is a sympy expression, without importing sympy.

    >>> is_symbolic(224)
    False
    """
    return hasattr(value, "free_symbols")
