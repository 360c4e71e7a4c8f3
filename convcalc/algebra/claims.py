"""Claims on letters: one language for ``--assume`` and ``--where``, parsed and never executed.

A claim compares arithmetic of letters and integers (``+ - * // %``), and is joined by ``and``, ``or``, ``not`` and
commas. ``k in 1..7``, ``k in (1, 3)``, ``k odd`` and ``k even`` are short for comparisons. This file reads a claim,
tells its truth for numbers and what it states of dims; `assume` solves those that are linear for their letters, and
refuses the others.
"""

import ast
import operator
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain as concatenated
from typing import Any, NamedTuple

from convcalc.algebra import expression
from convcalc.algebra.expression import Language, binary, joined, unary
from convcalc.algebra.types import LIMIT, Dim
from convcalc.errors import SpecError, did_you_mean

PLAIN: expression.Operators = {
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


def parts_of(text: str) -> list[ast.expr] | None:
    """Return the syntax trees of what ``and`` and commas join in a claim; None for what is not an expression.

    >>> [ast.unparse(part) for part in parts_of("k odd and p in 1..7, k > p")]
    ['k % 2 == 1', 'p in range(1, 7)', 'k > p']
    """
    if len(text) > expression.MOST_CHARACTERS:
        return None
    plain = re.sub(r"(\d+)\s*\.\.\s*(\d+)", r"range(\1, \2)", text.strip())
    plain = re.sub(r"\b(\w+)\s+(?:is\s+)?(odd|even)\b", lambda m: f"{m[1]} % 2 == {int(m[2] == 'odd')}", plain)
    tree = expression.parse(plain, 10 * expression.MOST_CHARACTERS)
    return None if tree is None else list(_split(tree))


def _split(tree: ast.expr) -> Iterator[ast.expr]:
    together: list[ast.expr] = []
    if isinstance(tree, ast.Tuple):
        together = tree.elts
    elif isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        together = tree.values
    if not together:
        yield tree
    for part in together:
        yield from _split(part)


def written(node: ast.AST) -> str:
    """Return a part of a claim as people write it: ``k in 1..7``.

    >>> [written(part) for part in parts_of("k  in 1..7")]
    ['k in 1..7']
    """
    return re.sub(r"range\((\d+), (\d+)\)", r"\1..\2", ast.unparse(node))


class Claim(NamedTuple):
    """A claim: its parts, the bounds that it alone sets to letters, and numbers in place of some letters.

    ``text`` is what the user wrote, which errors quote.
    """

    text: str
    parts: tuple[ast.expr, ...]
    most: Mapping[str, int] = {}
    least: Mapping[str, int] = {}
    fixed: Mapping[str, int] = {}

    def holds(self, values: Mapping[str, int]) -> bool:
        """Return whether the claim is true of numbers; what is divided by 0 makes a comparison false.

        >>> read_claim("k % p == 1", ["k", "p"]).holds({"k": 5, "p": 0})
        False
        """
        scope = _Scope({**values, **self.fixed} if self.fixed else values, self.text)
        return all(_NUMBERS.value(part, scope) for part in self.parts)

    def relations(self, dims: Mapping[str, Dim]) -> list[Any]:
        """Return what the claim states of dims in place of its letters: relations, and None for what is none."""
        scope = _Scope({**dims, **self.fixed}, self.text)
        return [relation for part in self.parts for relation in _state(part, scope)]

    def put(self, fixed: Mapping[str, int]) -> "Claim":
        """Return the claim with numbers in place of letters.

        >>> read_claim("k > p", ["k", "p"]).put({"p": 3}).holds({"k": 4})
        True
        """
        return self._replace(fixed={**self.fixed, **fixed})


def read_claim(text: str, letters: Collection[str]) -> Claim:
    """Return the claim that ``text`` makes on ``letters``; raise SpecError for any other text.

    >>> claim = read_claim("k in 1..7 and k odd", ["k", "p"])
    >>> claim.most, claim.holds({"k": 5}), claim.holds({"k": 4})
    ({'k': 7}, True, False)
    """
    parts = parts_of(text)
    most: dict[str, int] = {}
    least: dict[str, int] = {}
    try:
        if parts is None:
            raise TypeError
        for part in parts:
            _NUMBERS.value(part, _Scope(dict.fromkeys(letters, 1), text))
        for part in parts:
            _note_bounds(part, most, least)
    except TypeError:  # a list in a sum
        raise _refused(f"{text!r:.80} is not a condition") from None
    return Claim(text, tuple(parts), most, least)


class _Scope(NamedTuple):
    """The values of names, and the text that they stand in."""

    values: Mapping[str, Any]
    text: str


def _refused(what: str, hint: str = "write it as 'k in 1..7', 'k odd' or 'p <= k//2'") -> SpecError:
    return SpecError(what, where="--where", hint=hint)


def _refuse(node: ast.AST, scope: _Scope) -> SpecError:
    if isinstance(node, (ast.UnaryOp, ast.BinOp, ast.Compare)):
        return _refused(f"{scope.text!r}: there are + - * // % and comparisons")
    return _refused(f"{scope.text!r}: {ast.unparse(node)} is not part of a condition")


def _letter(language: Language, node: ast.Name, scope: _Scope) -> Any:
    if node.id not in scope.values:
        hint = did_you_mean(node.id, scope.values) or (f"there are {', '.join(scope.values)}" if scope.values else "")
        raise _refused(f"{scope.text!r}: nothing here is called {node.id}", hint)
    return scope.values[node.id]


def _integer(language: Language, node: ast.Constant, scope: _Scope) -> int:
    if type(node.value) is not int or abs(node.value) > LIMIT:
        raise _refused(f"{scope.text!r}: {node.value!r:.40} is not an integer up to {LIMIT:,}")
    return node.value


def _range(language: Language, node: ast.Call, scope: _Scope) -> range:
    if not is_range(node):
        raise _refused(f"{scope.text!r} calls something")
    low, high = (language.value(arg, scope) for arg in node.args)
    divided_by_0 = isinstance(low, float) or isinstance(high, float)
    return range(0) if divided_by_0 else range(low, high + 1)


def is_range(node: ast.AST) -> bool:
    """Return whether a node is ``range(a, b)``, as which ``a..b`` is parsed."""
    called = node.func if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords else None
    return isinstance(called, ast.Name) and called.id == "range"


def _listed(language: Language, node: Any, scope: _Scope) -> list[Any]:
    return list(expression.items(language, node, scope))


def _chain(language: Language, node: ast.Compare, scope: _Scope) -> bool:
    for sign, side in zip(node.ops, node.comparators):
        if isinstance(sign, (ast.In, ast.NotIn)) and not isinstance(side, (ast.Call, ast.Tuple, ast.List, ast.Set)):
            raise _refused(f"{scope.text!r}: in is followed by several numbers")
    return expression.chain(language, node, scope)


_NUMBERS = Language(
    {
        ast.Name: _letter,
        ast.Constant: _integer,
        ast.Call: _range,
        ast.Tuple: _listed,
        ast.List: _listed,
        ast.Set: _listed,
        ast.UnaryOp: unary,
        ast.BinOp: binary,
        ast.BoolOp: joined,
        ast.Compare: _chain,
    },
    {
        **PLAIN,
        ast.Not: operator.not_,
        ast.USub: operator.neg,
        ast.FloorDiv: lambda a, b: a // b if b else float("nan"),  # which makes a comparison false
        ast.Mod: lambda a, b: a % b if b else float("nan"),
        ast.In: lambda a, b: a in b,
        ast.NotIn: lambda a, b: a not in b,
    },
    _refuse,
)
"""Claims computed with numbers, or with dims in place of letters."""

OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
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


def _state(part: ast.expr, scope: _Scope) -> list[Any]:
    """Return what one part of a claim states of dims, as `Claim.relations`."""
    from convcalc.algebra.symbolic import relate

    by = [n.right for n in ast.walk(part) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.FloorDiv, ast.Mod))]
    # what is divided by 0 does not hold, unless something is said not to be so
    plain = isinstance(part, ast.Compare) and not any(isinstance(s, (ast.NotEq, ast.NotIn)) for s in part.ops)
    if not all((isinstance(n, ast.Name) and plain) or (isinstance(n, ast.Constant) and n.value) for n in by):
        return [None]
    positive = [relate(">=", scope.values[n.id], 1) for n in by if isinstance(n, ast.Name)]
    return [*_say(part, True, scope), *positive]


def _say(node: ast.expr, true: bool, scope: _Scope) -> list[Any]:
    """Return relations that say that a claim without division by 0 is true, or false; [None] where none do."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _say(node.operand, not true, scope)
    if isinstance(node, ast.BoolOp):
        every = [_say(part, true, scope) for part in node.values]
        return list(concatenated(*every)) if isinstance(node.op, ast.And) == true else _one_of(every)
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    if not sides or any(isinstance(n, (ast.Compare, ast.BoolOp, ast.Not)) for side in sides for n in ast.walk(side)):
        return [None]
    try:
        values = [_NUMBERS.value(side, scope) for side in sides]
    except TypeError:  # a range of letters
        return [None]
    signs = [type(sign) if true else OPPOSITE[type(sign)] for sign in node.ops]  # type: ignore[attr-defined]
    every = [_between(sign, a, b) for sign, a, b in zip(signs, values, values[1:])]
    return list(concatenated(*every)) if true else _one_of(every)


def _between(sign: type[ast.cmpop], a: Any, b: Any) -> list[Any]:
    """Return one comparison of dims as relations."""
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
    """Return relations that say that one of several cases is so: of equations one, their product; [None] of others."""
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
        value = _NUMBERS.value(b, _Scope({}, ""))
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
