"""Formulas: text in our own source that computes, written once.

A formula explains itself with its values substituted, and lists the common mistakes, so that a wrong answer can be
traced to its cause. Its text runs at every call of a layer, so Python compiles it once. What users write is never
compiled or executed: `algebra/expression` evaluates that.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any, NamedTuple

from convcalc.algebra.dims import ceildiv, maximum, minimum, show
from convcalc.algebra.types import Dim


class Step(NamedTuple):
    """One use of a formula; ``axis`` is the axis of the output whose size it computes, None where it is not a size."""

    formula: "Formula"
    values: Mapping[str, Dim]
    result: Dim
    axis: int | None = None

    def __str__(self) -> str:
        return f"{self.formula.filled(self.values)} = {_shown(self.result)}"


_steps: ContextVar[list[Step] | None] = ContextVar("steps", default=None)


@contextmanager
def recording() -> Iterator[list[Step]]:
    """Collect a `Step` for each formula used inside.

    >>> size = Formula("size", "(n + 2*p - k)//s + 1", dict(n="input", k="kernel", s="stride", p="padding"))
    >>> with recording() as steps:
    ...     _ = size(224, 7, 2, 3)
    >>> print(steps[0])
    ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112
    """
    steps: list[Step] = []
    token = _steps.set(steps)
    try:
        yield steps
    finally:
        _steps.reset(token)


def quotient(a: Any, b: Any) -> Any:
    """Return ``a/b``: an integer where ``b`` divides ``a``, which is assumed where one of them is a symbol.

    >>> quotient(12, 4), quotient(1, 2)
    (3, Fraction(1, 2))
    """
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)) and a % b:
        return Fraction(a) / b
    return a // b


class Formula:
    """A formula as Python text over named dims, computed exactly.

    It is written with ``+ - * //``, ``ceildiv``, ``min``, ``max`` and ``quotient`` (a division without remainder).
    ``symbols`` maps each name, in the order of the call's arguments, to its meaning; ``mistakes`` maps each common
    mistake to the wrong text it leads to; ``source`` is the paper or documentation it comes from.

    >>> Formula("same", "ceildiv(n, s)", dict(n="input size", s="stride")).filled(dict(n=7, s=2))
    '⌈7/2⌉'
    """

    def __init__(
        self, name: str, text: str, symbols: Mapping[str, str], mistakes: Mapping[str, str] = {}, source: str = ""
    ) -> None:
        self.name = name
        self.text = text
        self.symbols = symbols
        self.mistakes = mistakes
        self.source = source
        self._compute: Any = None  # compiled on the first call: a run uses few of the many formulas

    def __call__(self, *values: Any, axis: int | None = None) -> Dim:
        """Return the result; ``axis`` says which axis of the output has this size, for `recording`."""
        if self._compute is None:
            # the text is ours, never a user's: specs are parsed elsewhere, without eval
            self._compute = eval(f"lambda {', '.join(self.symbols)}: {self.text}", _KNOWN)
        result: Dim = self._compute(*values)
        steps = _steps.get()
        if steps is not None:
            steps.append(Step(self, dict(zip(self.symbols, values)), result, axis))
        return result

    def __str__(self) -> str:
        return self.filled({})

    def mistake(self, name: str) -> "Formula":
        """Return the wrong formula that this common mistake leads to."""
        return Formula(f"{self.name}: {name}", self.mistakes[name], self.symbols)

    def filled(self, values: Mapping[str, Dim]) -> str:
        """Return the formula in mathematical notation, with ``values`` substituted for their names."""
        return _render(ast.parse(self.text, mode="eval").body, values, 0)


_KNOWN = {"ceildiv": ceildiv, "min": minimum, "max": maximum, "quotient": quotient, "__builtins__": {}}

_JOINTS = {"Add": (" + ", 1), "Sub": (" − ", 1), "Mult": ("·", 2)}


def _render(node: ast.expr, values: Mapping[str, Dim], tightness: int) -> str:
    """Return a node as text, in brackets where it binds looser than ``tightness``."""
    if isinstance(node, ast.Name):
        return _filled(values[node.id], tightness) if node.id in values else node.id
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.FloorDiv):
            return f"⌊{_render(node.left, values, 2)}/{_render(node.right, values, 3)}⌋"
        sign, level = _JOINTS[type(node.op).__name__]
        right = _render(node.right, values, level + (sign == " − "))
        text = f"{_render(node.left, values, level)}{sign}{right}"
        return f"({text})" if level < tightness else text
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name), ast.dump(node)
    if node.func.id == "ceildiv":
        return f"⌈{_render(node.args[0], values, 2)}/{_render(node.args[1], values, 3)}⌉"
    if node.func.id == "quotient":
        text = f"{_render(node.args[0], values, 2)}/{_render(node.args[1], values, 3)}"
        return f"({text})" if tightness > 1 else text
    return f"{node.func.id}({', '.join(_render(arg, values, 0) for arg in node.args)})"


def _shown(value: Any) -> str:
    """Return a dim, or a fraction (a jump between units can be one), as text."""
    return str(value) if isinstance(value, Fraction) else show(value)


def _filled(value: Any, tightness: int) -> str:
    """Return a value as text, in brackets where the formula around it binds with ``tightness``."""
    text = _shown(value)
    if isinstance(value, Fraction):
        return f"({text})" if tightness > 1 else text
    if isinstance(value, int):
        return f"(−{-value})" if value < 0 else text
    return f"({text})" if tightness and (" + " in text or " - " in text) and text[0] not in "⌊⌈" else text
