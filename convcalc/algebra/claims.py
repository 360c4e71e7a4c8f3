"""Claims on letters: the one language of ``--assume`` and ``--where``, parsed and never executed.

A claim compares arithmetic of letters and integers (``+ - * // %``); ``and``, ``or``, ``not`` and commas join claims.
``k in 1..7``, ``k in (1, 3)``, ``k odd`` and ``k even`` are short for comparisons. This file reads a claim and decides
whether it is true of numbers. `claim_relations` turns one into relations between dims; `linear` and `assume` solve
those that are linear in their letters, and refuse the others.
"""

import ast
import operator
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from convcalc.algebra import expression
from convcalc.algebra.expression import Language, binary, joined, unary
from convcalc.algebra.types import LIMIT
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
"""Operators that are defined for all numbers, and so mean the same in every language."""

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
"""The comparison that is true where another is false."""


def parse_parts(text: str) -> list[ast.expr] | None:
    """Return the syntax trees of what ``and`` and commas join in a claim; None if the text is not an expression.

    >>> [ast.unparse(part) for part in parse_parts("k odd and p in 1..7, k > p")]
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


def spell(node: ast.AST) -> str:
    """Return a part of a claim as people write it: ``k in 1..7``.

    >>> [spell(part) for part in parse_parts("k  in 1..7")]
    ['k in 1..7']
    """
    return re.sub(r"range\((\d+), (\d+)\)", r"\1..\2", ast.unparse(node))


class Claim(NamedTuple):
    """A claim: its parts, the bounds that it alone sets for letters, and numbers substituted for some letters.

    ``text`` is what the user wrote, for error messages.
    """

    text: str
    parts: tuple[ast.expr, ...]
    most: Mapping[str, int] = {}
    least: Mapping[str, int] = {}
    fixed: Mapping[str, int] = {}

    def holds(self, values: Mapping[str, int]) -> bool:
        """Return whether the claim is true of numbers; a comparison that divides by 0 is false.

        >>> read_claim("k % p == 1", ["k", "p"]).holds({"k": 5, "p": 0})
        False
        """
        scope = self.scope(values)
        return all(CLAIMS.value(part, scope) for part in self.parts)

    def scope(self, values: Mapping[str, Any]) -> "Scope":
        """Return the scope in which the claim is computed: these values, and the numbers substituted before."""
        return Scope({**values, **self.fixed} if self.fixed else values, self.text)

    def substitute(self, numbers: Mapping[str, int]) -> "Claim":
        """Return the claim with numbers substituted for letters.

        >>> read_claim("k > p", ["k", "p"]).substitute({"p": 3}).holds({"k": 4})
        True
        """
        return self._replace(fixed={**self.fixed, **numbers})


def read_claim(text: str, letters: Collection[str]) -> Claim:
    """Return the claim that ``text`` makes about ``letters``; raise SpecError for any other text.

    >>> claim = read_claim("k in 1..7 and k odd", ["k", "p"])
    >>> claim.most, claim.holds({"k": 5}), claim.holds({"k": 4})
    ({'k': 7}, True, False)
    """
    parts = parse_parts(text)
    most: dict[str, int] = {}
    least: dict[str, int] = {}
    try:
        if parts is None:
            raise TypeError
        for part in parts:
            CLAIMS.value(part, Scope(dict.fromkeys(letters, 1), text))
        for part in parts:
            _note_bounds(part, most, least)
    except TypeError:  # a list in a sum
        raise _refused(f"{text!r:.80} is not a condition") from None
    return Claim(text, tuple(parts), most, least)


class Scope(NamedTuple):
    """The values of names, and the text of the claim that names them."""

    values: Mapping[str, Any]
    text: str


def _refused(what: str, hint: str = "write it as 'k in 1..7', 'k odd' or 'p <= k//2'") -> SpecError:
    return SpecError(what, where="--where", hint=hint)


def _refuse(node: ast.AST, scope: Scope) -> SpecError:
    if isinstance(node, (ast.UnaryOp, ast.BinOp, ast.Compare)):
        return _refused(f"{scope.text!r}: the operators of a condition are + - * // % and comparisons")
    return _refused(f"{scope.text!r}: {ast.unparse(node)} cannot be part of a condition")


def _letter(language: Language, node: ast.Name, scope: Scope) -> Any:
    if node.id not in scope.values:
        letters = f"the letters are {', '.join(scope.values)}" if scope.values else ""
        hint = did_you_mean(node.id, scope.values) or letters
        raise _refused(f"{scope.text!r}: there is no letter called {node.id}", hint)
    return scope.values[node.id]


def _integer(language: Language, node: ast.Constant, scope: Scope) -> int:
    if type(node.value) is not int or abs(node.value) > LIMIT:
        raise _refused(f"{scope.text!r}: {node.value!r:.40} is not an integer up to {LIMIT:,}")
    return node.value


def _range(language: Language, node: ast.Call, scope: Scope) -> range:
    if not is_range(node):
        raise _refused(f"{scope.text!r}: a condition cannot call a function")
    low, high = (language.value(arg, scope) for arg in node.args)
    divided_by_0 = isinstance(low, float) or isinstance(high, float)
    return range(0) if divided_by_0 else range(low, high + 1)


def is_range(node: ast.AST) -> bool:
    """Return whether a node is ``range(a, b)``, which is what ``a..b`` is parsed as."""
    called = node.func if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords else None
    return isinstance(called, ast.Name) and called.id == "range"


def _listed(language: Language, node: Any, scope: Scope) -> list[Any]:
    return list(expression.items(language, node, scope))


def _chain(language: Language, node: ast.Compare, scope: Scope) -> bool:
    for sign, side in zip(node.ops, node.comparators):
        if isinstance(sign, (ast.In, ast.NotIn)) and not isinstance(side, (ast.Call, ast.Tuple, ast.List, ast.Set)):
            raise _refused(f"{scope.text!r}: in must be followed by several numbers, such as 1..7 or (1, 3)")
    return expression.chain(language, node, scope)


CLAIMS = Language(
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
"""Claims, computed with a number or a dim for each letter."""


def _note_bounds(part: ast.expr, most: dict[str, int], least: dict[str, int]) -> None:
    """Note the least and the greatest value that a comparison of a letter with numbers alone allows."""
    sides = [part.left, *part.comparators] if isinstance(part, ast.Compare) else []
    for a, sign, b in zip(sides, getattr(part, "ops", ()), sides[1:]):
        if isinstance(b, ast.Name) and not isinstance(a, ast.Name):
            turned = {ast.Lt: ast.Gt(), ast.LtE: ast.GtE(), ast.Gt: ast.Lt(), ast.GtE: ast.LtE()}
            a, b, sign = b, a, turned.get(type(sign), sign)
        if not isinstance(a, ast.Name) or any(isinstance(n, ast.Name) and n.id != "range" for n in ast.walk(b)):
            continue
        value = CLAIMS.value(b, Scope({}, ""))
        numbers = (
            [*value[:1], *value[-1:]] if isinstance(value, range) else value if isinstance(value, list) else [value]
        )
        numbers = [n for n in numbers if type(n) is int]  # without the nan of a division by 0
        if isinstance(sign, (ast.Eq, ast.In, ast.LtE, ast.Lt)) and numbers:
            high = max(numbers) - isinstance(sign, ast.Lt)
            most[a.id] = min(most.get(a.id, high), high)
        if isinstance(sign, (ast.Eq, ast.In, ast.GtE, ast.Gt)) and numbers:
            low = min(numbers) + isinstance(sign, ast.Gt)
            least[a.id] = max(least.get(a.id, low), low)
