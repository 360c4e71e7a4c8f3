"""Types of sizes: a dim is an ``int`` or a sympy expression. No operation but the question which of the two."""

from typing import Any, Protocol

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
