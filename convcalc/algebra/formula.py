"""Formulas and conditions: text that computes.

A formula is ours, written once: it also explains itself with the numbers put in, and beside it stand the usual slips,
so that a wrong answer can be traced to its cause. A condition (``k in 1..7``) is a user's: parsed, never executed.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from convcalc.algebra.dims import LIMIT, Dim, ceildiv, maximum, minimum, show
from convcalc.errors import SpecError, did_you_mean


class Step(NamedTuple):
    """One use of a formula: what went in, and what came out."""

    formula: Formula
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

    def slip(self, name: str) -> Formula:
        """The wrong formula that people write by this slip."""
        return Formula(f"{self.name}: {name}", self.slips[name], self.symbols)

    def filled(self, values: Mapping[str, Dim]) -> str:
        """The formula for people, with ``values`` in place of their names."""
        return _render(ast.parse(self.text, mode="eval").body, values, 0)


_JOINTS = {"Add": (" + ", 1), "Sub": (" − ", 1), "Mult": ("·", 2)}


def _render(node: ast.expr, values: Mapping[str, Dim], tightness: int) -> str:
    """One node of a formula as text, in brackets where it binds looser than ``tightness``."""
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


def parsed(text: str, of: str) -> ast.expr | None:
    """The syntax tree of ``text``, made of what a user wrote; None where it is none, or that is too long."""
    try:
        return ast.parse(text.strip(), mode="eval").body if len(of) <= 200 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parts(tree: ast.expr) -> list[ast.expr]:
    """What ``and`` joins."""
    return tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]


PLAIN: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
"""Operators that take all numbers, whoever reads them."""

_OPERATIONS: Mapping[type[ast.AST], Callable[..., Any]] = {
    **PLAIN,
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.FloorDiv: lambda a, b: a // b if b else float("nan"),  # which makes a condition false
    ast.Mod: lambda a, b: a % b if b else float("nan"),
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


class Condition(NamedTuple):
    """A condition: its test, and the bounds that it alone sets to letters."""

    holds: Callable[[Mapping[str, int]], bool]
    most: Mapping[str, int]
    least: Mapping[str, int]


def condition(text: str, letters: Collection[str]) -> Condition:
    """The condition that ``text`` states on ``letters``; raises SpecError.

    >>> c = condition("k in 1..7 and k odd", ["k", "p"])
    >>> c.most, c.holds({"k": 5}), c.holds({"k": 4})
    ({'k': 7}, True, False)
    """
    written = re.sub(r"(\d+)\s*\.\.\s*(\d+)", r"range(\1, \2)", text.strip())
    written = re.sub(r"\b(\w+)\s+(?:is\s+)?(odd|even)\b", lambda m: f"{m[1]} % 2 == {int(m[2] == 'odd')}", written)
    tree = parsed(written, text)
    most: dict[str, int] = {}
    least: dict[str, int] = {}
    try:
        if tree is None:
            raise TypeError
        _value(tree, dict.fromkeys(letters, 1), text)
        for part in parts(tree):
            _note_bounds(part, most, least)
    except TypeError:  # a list in a sum
        raise _refused(f"{text!r:.80} is not a condition") from None
    return Condition(lambda values: bool(_value(tree, values, text)), most, least)


def _refused(what: str, hint: str = "write it as 'k in 1..7', 'k odd' or 'p <= k//2'") -> SpecError:
    return SpecError(what, where="--where", hint=hint)


def _known(kind: ast.AST, text: str) -> Callable[..., Any]:
    if type(kind) not in _OPERATIONS:
        raise _refused(f"{text!r}: there are + - * // % and comparisons")
    return _OPERATIONS[type(kind)]


def _value(node: ast.AST, values: Mapping[str, int], text: str) -> Any:
    """The value of an expression; raises SpecError for all but sums and comparisons of letters and whole numbers."""
    if isinstance(node, ast.Name):
        if node.id not in values:
            hint = did_you_mean(node.id, values) or (f"there are {', '.join(values)}" if values else "")
            raise _refused(f"{text!r}: nothing here is called {node.id}", hint)
        return values[node.id]
    if isinstance(node, ast.Constant):
        if type(node.value) is not int or abs(node.value) > LIMIT:
            raise _refused(f"{text!r}: {node.value!r:.40} is not a whole number")
        return node.value
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id == "range" and len(node.args) == 2) or node.keywords:
            raise _refused(f"{text!r} calls something")
        low, high = (_value(arg, values, text) for arg in node.args)
        return range(low, high + 1)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [_value(item, values, text) for item in node.elts]
    if isinstance(node, ast.UnaryOp):
        return _known(node.op, text)(_value(node.operand, values, text))
    if isinstance(node, ast.BoolOp):
        truths = [_value(part, values, text) for part in node.values]
        return all(truths) if isinstance(node.op, ast.And) else any(truths)
    if isinstance(node, ast.BinOp):
        left = _value(node.left, values, text)
        return _known(node.op, text)(left, _value(node.right, values, text))
    if isinstance(node, ast.Compare):
        for sign, side in zip(node.ops, node.comparators):
            if isinstance(sign, (ast.In, ast.NotIn)) and not isinstance(side, (ast.Call, ast.Tuple, ast.List, ast.Set)):
                raise _refused(f"{text!r}: in is followed by several numbers")
        left = _value(node.left, values, text)
        tests = [_known(sign, text) for sign in node.ops]
        sides = [left, *[_value(side, values, text) for side in node.comparators]]
        return all(test(a, b) for a, test, b in zip(sides, tests, sides[1:]))
    raise _refused(f"{text!r}: {ast.unparse(node)} is not part of a condition")


def _note_bounds(part: ast.expr, most: dict[str, int], least: dict[str, int]) -> None:
    """Note what a comparison of a letter with numbers alone says of its least and greatest value."""
    sides = [part.left, *part.comparators] if isinstance(part, ast.Compare) else []
    for a, sign, b in zip(sides, getattr(part, "ops", ()), sides[1:]):
        if isinstance(b, ast.Name) and not isinstance(a, ast.Name):
            turned = {ast.Lt: ast.Gt(), ast.LtE: ast.GtE(), ast.Gt: ast.Lt(), ast.GtE: ast.LtE()}
            a, b, sign = b, a, turned.get(type(sign), sign)
        if not isinstance(a, ast.Name) or any(isinstance(n, ast.Name) and n.id != "range" for n in ast.walk(b)):
            continue
        value = _value(b, {}, "")
        numbers = (
            [*value[:1], *value[-1:]] if isinstance(value, range) else value if isinstance(value, list) else [value]
        )
        if isinstance(sign, (ast.Eq, ast.In, ast.LtE, ast.Lt)) and numbers:
            high = max(numbers) - isinstance(sign, ast.Lt)
            most[a.id] = min(most.get(a.id, high), high)
        if isinstance(sign, (ast.Eq, ast.In, ast.GtE, ast.Gt)) and numbers:
            low = min(numbers) + isinstance(sign, ast.Gt)
            least[a.id] = max(least.get(a.id, low), low)
