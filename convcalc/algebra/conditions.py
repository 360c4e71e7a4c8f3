"""Conditions on whole numbers, read from text such as ``k in 1..7`` or ``p <= k//2``, and tested number by number.

Parsed by Python's grammar and never executed. What holds of letters before they are numbers is `assume`'s.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from convcalc.algebra.dims import LIMIT
from convcalc.errors import SpecError, did_you_mean

HINT = "write it as 'k in 1..7', 'k odd' or 'p <= k//2'"

_SUMS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_SIGNS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


_SEVERAL = (ast.Call, ast.Tuple, ast.List, ast.Set)


class Condition(NamedTuple):
    """A condition: its text, the letters in it, its test, and the bounds that it alone sets to letters."""

    text: str
    letters: frozenset[str]
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
    try:
        tree = ast.parse(written, mode="eval").body if len(text) <= 200 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        raise SpecError(f"{text!r:.80} is not a condition", where="--where", hint=HINT)
    _check(tree, text, letters)
    found = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id != "range")
    most: dict[str, int] = {}
    least: dict[str, int] = {}
    for part in tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]:
        _bounds(part, most, least)
    return Condition(text, found, lambda values: bool(_value(tree, values)), most, least)


def _check(node: ast.AST, text: str, letters: Collection[str]) -> None:
    """Raise SpecError for anything but sums and comparisons of known letters and whole numbers."""
    if isinstance(node, ast.Name):
        if node.id not in letters:
            hint = did_you_mean(node.id, letters) or (f"there are {', '.join(letters)}" if letters else "")
            raise SpecError(f"{text!r}: nothing here is called {node.id}", where="--where", hint=hint)
    elif isinstance(node, ast.Constant):
        if type(node.value) is not int or abs(node.value) > LIMIT:
            raise SpecError(f"{text!r}: {node.value!r:.40} is not a whole number", where="--where", hint=HINT)
    elif isinstance(node, ast.Call):
        ends = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
        if not isinstance(node.func, ast.Name) or node.func.id != "range" or len(ends) != 2 or node.keywords:
            raise SpecError(f"{text!r} calls something", where="--where", hint=HINT)
        for arg in node.args:
            _check(arg, text, letters)
    elif isinstance(node, ast.Compare) and any(
        isinstance(sign, (ast.In, ast.NotIn)) and not isinstance(side, _SEVERAL)
        for sign, side in zip(node.ops, node.comparators)
    ):
        raise SpecError(f"{text!r}: in is followed by several numbers", where="--where", hint=HINT)
    elif isinstance(node, (ast.BoolOp, ast.Compare, ast.Tuple, ast.List, ast.Set, ast.UnaryOp, ast.BinOp)):
        known = (*_SUMS, *_SIGNS, ast.And, ast.Or, ast.Not, ast.USub, ast.Load)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)):
                if not isinstance(child, known):
                    raise SpecError(f"{text!r}: there are + - * // % and comparisons", where="--where", hint=HINT)
            else:
                _check(child, text, letters)
    else:
        raise SpecError(f"{text!r}: {ast.unparse(node)} is not part of a condition", where="--where", hint=HINT)


def _value(node: ast.AST, values: Mapping[str, int]) -> Any:
    """The value of a checked expression; a division by zero makes a condition false."""
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Call):
        low, high = (_value(arg, values) for arg in node.args)
        return range(low, high + 1)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [_value(item, values) for item in node.elts]
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return not inner if isinstance(node.op, ast.Not) else -inner
    if isinstance(node, ast.BoolOp):
        parts = (_value(part, values) for part in node.values)
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.BinOp):
        a, b = _value(node.left, values), _value(node.right, values)
        return float("nan") if b == 0 and isinstance(node.op, (ast.FloorDiv, ast.Mod)) else _SUMS[type(node.op)](a, b)
    assert isinstance(node, ast.Compare)
    sides = [_value(side, values) for side in (node.left, *node.comparators)]
    return all(_SIGNS[type(sign)](a, b) for a, sign, b in zip(sides, node.ops, sides[1:]))


def _bounds(part: ast.AST, most: dict[str, int], least: dict[str, int]) -> None:
    """Note what a comparison of a letter with numbers alone says of its least and greatest value."""
    if not isinstance(part, ast.Compare):
        return
    sides = [part.left, *part.comparators]
    for a, sign, b in zip(sides, part.ops, sides[1:]):
        if isinstance(b, ast.Name) and not isinstance(a, ast.Name):
            turned = {ast.Lt: ast.Gt(), ast.LtE: ast.GtE(), ast.Gt: ast.Lt(), ast.GtE: ast.LtE()}
            a, b, sign = b, a, turned.get(type(sign), sign)
        if not isinstance(a, ast.Name) or any(isinstance(n, ast.Name) and n.id != "range" for n in ast.walk(b)):
            continue
        value = _value(b, {})
        numbers = list(value) if isinstance(value, (list, range)) else [value]
        if isinstance(sign, (ast.Eq, ast.In, ast.LtE, ast.Lt)) and numbers:
            high = max(numbers) - isinstance(sign, ast.Lt)
            most[a.id] = min(most.get(a.id, high), high)
        if isinstance(sign, (ast.Eq, ast.In, ast.GtE, ast.Gt)) and numbers:
            low = min(numbers) + isinstance(sign, ast.Gt)
            least[a.id] = max(least.get(a.id, low), low)
