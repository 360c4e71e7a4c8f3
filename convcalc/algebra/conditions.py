"""Conditions: a user's text (``k in 1..7``), parsed, never executed: its truth for numbers, its relations for dims."""

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import Any, NamedTuple

from convcalc.algebra.types import LIMIT, Dim
from convcalc.errors import SpecError, did_you_mean


def parsed(text: str, of: str) -> ast.expr | None:
    """The syntax tree of ``text``, made of what a user wrote, if it is one and not too long."""
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
    """A condition: its test, the bounds that it alone sets to letters, and what it states of dims in their place.

    That is relations, with None among them for what is none.
    """

    holds: Callable[[Mapping[str, int]], bool]
    most: Mapping[str, int]
    least: Mapping[str, int]
    stated: Callable[[Mapping[str, Dim]], list[Any]]


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
    return Condition(
        lambda values: bool(_value(tree, values, text)), most, least, lambda dims: _stated(tree, dims, text)
    )


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
            raise _refused(f"{text!r}: {node.value!r:.40} is not a whole number up to {LIMIT:,}")
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


_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_MOST_CASES = 12  # of which one must be so, in one relation


def _stated(tree: ast.expr, dims: Mapping[str, Any], text: str) -> list[Any]:
    """What a condition states of dims, as in `Condition`."""
    from convcalc.algebra.symbolic import relate

    found: list[Any] = []
    for part in parts(tree):
        by = [n.right for n in ast.walk(part) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.FloorDiv, ast.Mod))]
        # what is divided by 0 does not hold, unless something is said not to be so
        plain = isinstance(part, ast.Compare) and not any(isinstance(s, (ast.NotEq, ast.NotIn)) for s in part.ops)
        known = all((isinstance(n, ast.Name) and plain) or (isinstance(n, ast.Constant) and n.value) for n in by)
        found += _said(part, True, dims, text) if known else [None]
        found += [relate(">=", dims[n.id], 1) for n in by if known and isinstance(n, ast.Name)]
    return found


def _said(node: ast.expr, true: bool, dims: Mapping[str, Any], text: str) -> list[Any]:
    """The relations that say that a condition without division by 0 is true, or false; [None] where none do."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _said(node.operand, not true, dims, text)
    if isinstance(node, ast.BoolOp):
        every = [_said(part, true, dims, text) for part in node.values]
        return list(chain(*every)) if isinstance(node.op, ast.And) == true else _one_of(every)
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    if not sides or any(isinstance(n, (ast.Compare, ast.BoolOp, ast.Not)) for side in sides for n in ast.walk(side)):
        return [None]
    try:
        values = [_value(side, dims, text) for side in sides]
    except TypeError:  # a range of letters
        return [None]
    signs = [type(sign) if true else _OPPOSITE[type(sign)] for sign in node.ops]  # type: ignore[attr-defined]
    every = [_between(sign, a, b) for sign, a, b in zip(signs, values, values[1:])]
    return list(chain(*every)) if true else _one_of(every)


def _between(sign: type[ast.cmpop], a: Any, b: Any) -> list[Any]:
    """One comparison of dims as relations."""
    from convcalc.algebra.symbolic import relate

    if sign in (ast.In, ast.NotIn):
        if isinstance(b, range):
            within = [relate(">=", a, b.start), relate(">=", b.stop - 1, a)]
            outside = [relate(">=", (a - b.start) * (a - b.stop + 1), 1)] if b else [True]
            return within if sign is ast.In else outside
        if sign is ast.In:
            return _one_of([_between(ast.Eq, a, item) for item in b])
        return [relation for item in b for relation in _between(ast.NotEq, a, item)]
    if sign is ast.Eq:
        return [relate("==", a, b)]
    if sign is ast.NotEq:
        return [relate(">=", (a - b) * (a - b), 1)]
    if sign in (ast.Lt, ast.LtE):
        return [relate(">=", b - int(sign is ast.Lt), a)]
    return [relate(">=", a - int(sign is ast.Gt), b)]


def _one_of(cases: list[list[Any]]) -> list[Any]:
    """That one of several cases is so: of equations, as one of their product; [None] of others, or of many."""
    from convcalc.algebra.symbolic import relate

    if len(cases) == 1:
        return cases[0]
    product: Any = 1
    for case in cases:
        relation = case[0] if len(case) == 1 and len(cases) <= _MOST_CASES else None
        if isinstance(relation, bool):
            product *= not relation
        elif relation is not None and not hasattr(relation, "gts"):
            product *= relation.lhs - relation.rhs
        else:
            return [None]
    return [relate("==", product, 0)]


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
        numbers = [n for n in numbers if type(n) is int]  # not what is divided by 0
        if isinstance(sign, (ast.Eq, ast.In, ast.LtE, ast.Lt)) and numbers:
            high = max(numbers) - isinstance(sign, ast.Lt)
            most[a.id] = min(most.get(a.id, high), high)
        if isinstance(sign, (ast.Eq, ast.In, ast.GtE, ast.Gt)) and numbers:
            low = min(numbers) + isinstance(sign, ast.Gt)
            least[a.id] = max(least.get(a.id, low), low)
