"""Claims as linear statements: comparisons of sums of letters, read from the language of `claims`.

What is not linear is refused, with the errors of ``--assume``. The statements are solved in `assume`.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.claims import OPPOSITE, is_range, parse_parts, spell
from convcalc.algebra.expression import Language, binary, unary
from convcalc.algebra.types import LIMIT
from convcalc.errors import NoSolution, SpecError, did_you_mean

Line = dict[str, int]
"""A linear expression: the factor of each letter, and the constant under the empty name."""


class LinearClaim(NamedTuple):
    """One statement: ``line == 0`` (or, with a modulus, a multiple of it) or ``line >= 0``; ``text`` is its source."""

    line: Line
    sign: str
    modulus: int
    text: str


class _Scope(NamedTuple):
    """The letters of a comparison, and its text, for error messages."""

    letters: Sequence[str]
    text: str


def refuse(text: str, what: str, hint: str = "write it as 'H % 32 == 0', 'H == W' or 'H >= 64'") -> SpecError:
    """Return the error for an assumption, ``text`` followed by ``what`` is wrong with it.

    >>> print(refuse("'H'", " is not a comparison"))
    --assume: 'H' is not a comparison
      write it as 'H % 32 == 0', 'H == W' or 'H >= 64'
    """
    return SpecError(f"{text}{what}", where="--assume", hint=hint)


def read_linear(text: str, letters: Sequence[str]) -> Iterator[LinearClaim]:
    """Yield the statements that the claim in ``text`` makes about ``letters``.

    Raises SpecError for a text that is not a linear claim, NoSolution for a remainder that no number has.

    >>> [(claim.line, claim.sign, claim.modulus) for claim in read_linear("H % 4 == 1 and H > 2*W", ["H", "W"])]
    [({'': -1, 'H': 1}, '==', 4), ({'': -1, 'H': 1, 'W': -2}, '>=', 0)]
    """
    parts = parse_parts(text)
    if parts is None:
        raise refuse(f"{text!r:.80}", " is not an assumption")
    for part in parts:
        for left, sign, right in _comparisons(part, True):
            yield from _statements(left, sign, right, _Scope(letters, spell(part)))


def _comparisons(node: ast.expr, true: bool) -> Iterator[tuple[ast.expr, type[ast.cmpop], ast.expr]]:
    """Yield the comparisons that together say that a part of a claim is true, or false."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _comparisons(node.operand, not true)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) == true:
        for part in node.values:
            yield from _comparisons(part, true)
    elif isinstance(node, ast.Compare) and (true or len(node.ops) == 1):
        for left, sign, right in zip([node.left, *node.comparators], node.ops, node.comparators):
            yield left, type(sign) if true else OPPOSITE.get(type(sign), type(sign)), right
    else:
        raise refuse(f"{spell(node)!r:.80}", " is not a comparison, or several joined by and")


def _statements(left: ast.expr, sign: type[ast.cmpop], right: ast.expr, scope: _Scope) -> Iterator[LinearClaim]:
    """Yield what one comparison says."""
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mod):
        yield _congruence(left, sign, right, scope)
        return
    a = _LINES.value(left, scope)
    if sign is ast.In and isinstance(right, ast.Call) and is_range(right):
        low, high = (_LINES.value(end, scope) for end in right.args)
        yield LinearClaim(add(a, low, -1), ">=", 0, scope.text)
        yield LinearClaim(add(high, a, -1), ">=", 0, scope.text)
        return
    b = _LINES.value(right, scope)
    if sign not in (ast.Eq, ast.GtE, ast.LtE, ast.Gt, ast.Lt):
        raise refuse(repr(scope.text), ": an assumption compares with ==, >=, >, <= or <")
    larger, smaller = (b, a) if sign in (ast.Lt, ast.LtE) else (a, b)
    gap = add(add(larger, smaller, -1), {"": -int(sign in (ast.Gt, ast.Lt))})
    yield LinearClaim(gap, "==" if sign is ast.Eq else ">=", 0, scope.text)


def _congruence(left: ast.BinOp, sign: type[ast.cmpop], right: ast.expr, scope: _Scope) -> LinearClaim:
    """Return what a comparison of a remainder says: ``H % 32 == 0``, or ``H % 2 != 0``, which leaves one remainder."""
    modulus, rest = (_LINES.value(side, scope._replace(letters=()))[""] for side in (left.right, right))
    if sign is ast.NotEq and modulus == 2 and rest in (0, 1):
        sign, rest = ast.Eq, 1 - rest
    if sign is not ast.Eq or modulus < 1:
        raise refuse(repr(scope.text), ": compare a remainder by a positive number with ==")
    if not 0 <= rest < modulus:
        what = f"no size satisfies {scope.text}"
        raise NoSolution(what, details=[f"a remainder by {modulus} is less than {modulus}"])
    return LinearClaim(add(_LINES.value(left.left, scope), {"": -rest}), "==", modulus, scope.text)


def term(name: str, factor: int = 1, constant: int = 0) -> Line:
    """Return ``factor·name + constant``.

    >>> term("H", 2)
    {'H': 2, '': 0}
    """
    return {name: factor, "": constant}


def add(a: Line, b: Line, times: int = 1) -> Line:
    """Return ``a + times·b``.

    >>> add(term("H"), term("H", 1, 3), -1)
    {'': -3}
    """
    total = {name: a.get(name, 0) + times * b.get(name, 0) for name in {"": 0, **a, **b}}
    return {name: factor for name, factor in total.items() if factor or not name}


def _multiply(a: Line, b: Line) -> Any:
    """Return ``a·b``; NotImplemented where both have letters."""
    if len(a) > 1 and len(b) > 1:
        return NotImplemented
    return add({}, b, a[""]) if len(a) == 1 else add({}, a, b[""])


def _constant(language: Language, node: ast.Constant, scope: _Scope) -> Line:
    if type(node.value) is not int or abs(node.value) > LIMIT:
        what = f": sizes are integers up to {LIMIT:,}; received {node.value!r:.40}"
        raise refuse(repr(scope.text), what)
    return {"": node.value}


def _letter(language: Language, node: ast.Name, scope: _Scope) -> Line:
    letters = scope.letters
    if node.id not in letters:
        hint = f"the letters are {', '.join(letters)}" if letters else "there are no letters; give --input 3xHxW"
        what = f": there is no letter called {node.id}"
        raise refuse(repr(scope.text), what, did_you_mean(node.id, letters) or hint)
    return term(node.id)


_LINES = Language(
    {ast.Constant: _constant, ast.Name: _letter, ast.UnaryOp: unary, ast.BinOp: binary},
    {
        ast.USub: lambda a: add({}, a, -1),
        ast.Add: add,
        ast.Sub: lambda a, b: add(a, b, -1),
        ast.Mult: _multiply,
    },
    lambda node, scope: refuse(repr(scope.text), f": {spell(node)} is not a linear sum of letters"),
)
"""Sums of letters, computed as lines."""
