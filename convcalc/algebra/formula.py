"""Formulas: text of ours that computes, written once.

A formula explains itself with the numbers put in, and beside it stand the usual slips, so that a wrong answer can be
traced to its cause. The text is in our own source and runs at every call of a layer: so Python compiles it once, while
what people write goes through `expression` and is never executed.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from convcalc.algebra.dims import ceildiv, maximum, minimum, show
from convcalc.algebra.types import Dim


class Step(NamedTuple):
    """One use of a formula."""

    formula: "Formula"
    values: Mapping[str, Dim]
    result: Dim

    def __str__(self) -> str:
        return f"{self.formula.filled(self.values)} = {show(self.result)}"


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


class Formula:
    """A formula as Python text over named dims (``+ - * //``, ``ceildiv``, ``min``, ``max``), computed exactly.

    ``symbols`` maps each name, in the order of the call's arguments, to its meaning; ``slips`` what goes wrong to the
    text that goes wrong; ``source`` is the paper or documentation it comes from.

    >>> Formula("same", "ceildiv(n, s)", dict(n="input size", s="stride")).filled(dict(n=7, s=2))
    '⌈7/2⌉'
    """

    def __init__(
        self, name: str, text: str, symbols: Mapping[str, str], slips: Mapping[str, str] = {}, source: str = ""
    ) -> None:
        self.name = name
        self.text = text
        self.symbols = symbols
        self.slips = slips
        self.source = source
        # the text is ours, never a user's: specs are parsed elsewhere and never evaluated
        known = {"ceildiv": ceildiv, "min": minimum, "max": maximum, "__builtins__": {}}
        self._compute = eval(f"lambda {', '.join(symbols)}: {text}", known)

    def __call__(self, *values: Dim) -> Dim:
        result: Dim = self._compute(*values)
        steps = _steps.get()
        if steps is not None:
            steps.append(Step(self, dict(zip(self.symbols, values)), result))
        return result

    def __str__(self) -> str:
        return self.filled({})

    def slip(self, name: str) -> "Formula":
        """The wrong formula of this slip."""
        return Formula(f"{self.name}: {name}", self.slips[name], self.symbols)

    def filled(self, values: Mapping[str, Dim]) -> str:
        """The formula for people, with ``values`` in place of their names."""
        return _render(ast.parse(self.text, mode="eval").body, values, 0)


_JOINTS = {"Add": (" + ", 1), "Sub": (" − ", 1), "Mult": ("·", 2)}


def _render(node: ast.expr, values: Mapping[str, Dim], tightness: int) -> str:
    """One node as text, in brackets where it binds looser than ``tightness``."""
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
    return f"{node.func.id}({', '.join(_render(arg, values, 0) for arg in node.args)})"


def _filled(value: Dim, tightness: int) -> str:
    text = show(value)
    if isinstance(value, int):
        return f"(−{-value})" if value < 0 else text
    return f"({text})" if tightness and (" + " in text or " - " in text) and text[0] not in "⌊⌈" else text
