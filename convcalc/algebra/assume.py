"""Claims that are linear (``H % 32 == 0``, ``H == W``, ``H in 32..512``), solved exactly for their letters.

The language is that of `claims`; here it is computed with linear sums, and what is not linear is refused.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import gcd
from typing import Any, NamedTuple

from convcalc.algebra.claims import OPPOSITE, is_range, parts_of, written
from convcalc.algebra.dims import letter, show
from convcalc.algebra.expression import Language, binary, unary
from convcalc.algebra.types import LIMIT, Dim
from convcalc.errors import NoSolution, SpecError, did_you_mean

Line = dict[str, int]
"""A linear expression: the factor of each letter, and the constant under the empty name."""

NAMES = "nmkpqrstuvw"  # of the letters that count multiples

ENDLESS = -(10**18)  # the lower bound of a counter that no letter bounds yet


def _error(text: str, what: str, hint: str = "write it as 'H % 32 == 0', 'H == W' or 'H >= 64'") -> SpecError:
    return SpecError(f"{text}{what}", where="--assume", hint=hint)


class Given(NamedTuple):
    """What stands in place of letters, and the bounds of those left (None: without end)."""

    values: Mapping[str, Dim]
    bounds: Mapping[str, tuple[int, int | None]]

    def describe(self) -> str:
        """Return what assumptions come to: ``H = W = 32·n, n ≥ 2``.

        >>> assume(["H % 32 == 0", "H == W", "H >= 64"], ["H", "W"]).describe()
        'H = W = 32·n, n ≥ 2'
        """
        groups: dict[str, list[str]] = {}
        for name, value in self.values.items():
            groups.setdefault(show(value), []).append(name)
        parts = [" = ".join([*names, shown]) for shown, names in groups.items()]
        for name, (low, high) in self.bounds.items():
            below = f"{low} ≤ " if high is not None and low > 1 else ""
            parts.append(f"{name} ≥ {low}" if high is None else f"{below}{name} ≤ {high}")
        return ", ".join(parts)


class _Linear(NamedTuple):
    """One comparison: ``line == 0`` (or, with a modulus, a multiple of it), or ``line >= 0``; ``text`` says it."""

    line: Line
    sign: str
    modulus: int
    text: str


class _Scope(NamedTuple):
    """The letters of a comparison, and its text, which errors quote."""

    letters: Sequence[str]
    text: str


def assume(texts: Sequence[str], letters: Iterable[str]) -> Given:
    """Return what the claims in ``texts`` come to, solved for ``letters``, the only ones that may stand in them.

    Raises SpecError for what is not a claim or is not linear, NoSolution where no size satisfies them.

    >>> given = assume(["H % 32 == 0", "H == W", "W >= 64"], ["H", "W"])
    >>> {letter: show(value) for letter, value in given.values.items()}, given.bounds
    ({'H': '32·n', 'W': '32·n'}, {'n': (2, None)})
    """
    letters = list(letters)
    claims = [claim for text in texts for claim in _read(text, letters)]
    return _Solver(letters, claims, tuple(texts)).given()


def _read(text: str, letters: Sequence[str]) -> Iterator[_Linear]:
    """Yield the comparisons of a claim."""
    parts = parts_of(text)
    if parts is None:
        raise _error(f"{text!r:.80}", " is not an assumption")
    for part in parts:
        for left, sign, right in _comparisons(part, True):
            yield from _linear(left, sign, right, _Scope(letters, written(part)))


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
        raise _error(f"{written(node)!r:.80}", " compares nothing")


def _linear(left: ast.expr, sign: type[ast.cmpop], right: ast.expr, scope: _Scope) -> Iterator[_Linear]:
    """Yield what a comparison says of linear sums."""
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mod):
        yield _multiple(left, sign, right, scope)
        return
    a = _LINES.value(left, scope)
    if sign is ast.In and isinstance(right, ast.Call) and is_range(right):
        low, high = (_LINES.value(end, scope) for end in right.args)
        yield _Linear(_sum(a, low, -1), ">=", 0, scope.text)
        yield _Linear(_sum(high, a, -1), ">=", 0, scope.text)
        return
    b = _LINES.value(right, scope)
    if sign not in (ast.Eq, ast.GtE, ast.LtE, ast.Gt, ast.Lt):
        raise _error(repr(scope.text), ": there are ==, >=, >, <= and <")
    larger, smaller = (b, a) if sign in (ast.Lt, ast.LtE) else (a, b)
    gap = _sum(_sum(larger, smaller, -1), {"": -int(sign in (ast.Gt, ast.Lt))})
    yield _Linear(gap, "==" if sign is ast.Eq else ">=", 0, scope.text)


def _multiple(left: ast.BinOp, sign: type[ast.cmpop], right: ast.expr, scope: _Scope) -> _Linear:
    """Return what a comparison of a remainder says: ``H % 32 == 0``, or ``H % 2 != 0`` of the two remainders by 2."""
    modulus, rest = (_LINES.value(side, scope._replace(letters=()))[""] for side in (left.right, right))
    if sign is ast.NotEq and modulus == 2 and rest in (0, 1):
        sign, rest = ast.Eq, 1 - rest
    if sign is not ast.Eq or modulus < 1:
        raise _error(repr(scope.text), ": a remainder is compared with ==")
    if not 0 <= rest < modulus:
        what = f"no size satisfies {scope.text}"
        raise NoSolution(what, details=[f"a remainder by {modulus} is less than {modulus}"])
    return _Linear(_sum(_LINES.value(left.left, scope), {"": -rest}), "==", modulus, scope.text)


def _times(name: str, factor: int = 1, constant: int = 0) -> Line:
    return {name: factor, "": constant}


def _sum(a: Line, b: Line, times: int = 1) -> Line:
    """Return ``a + times·b``."""
    total = {name: a.get(name, 0) + times * b.get(name, 0) for name in {"": 0, **a, **b}}
    return {name: factor for name, factor in total.items() if factor or not name}


def _product(a: Line, b: Line) -> Any:
    """Return ``a·b``; NotImplemented where both hold letters."""
    if len(a) > 1 and len(b) > 1:
        return NotImplemented
    return _sum({}, b, a[""]) if len(a) == 1 else _sum({}, a, b[""])


def _constant(language: Language, node: ast.Constant, scope: _Scope) -> Line:
    if type(node.value) is not int or abs(node.value) > LIMIT:
        what = f": sizes are integers up to {LIMIT:,}; received {node.value!r:.40}"
        raise _error(repr(scope.text), what)
    return {"": node.value}


def _letter(language: Language, node: ast.Name, scope: _Scope) -> Line:
    letters = scope.letters
    if node.id not in letters:
        known = f"there are {', '.join(letters)}" if letters else "there are none; give --input 3xHxW"
        raise _error(repr(scope.text), f": no size here is called {node.id}", did_you_mean(node.id, letters) or known)
    return _times(node.id)


_LINES = Language(
    {ast.Constant: _constant, ast.Name: _letter, ast.UnaryOp: unary, ast.BinOp: binary},
    {
        ast.USub: lambda a: _sum({}, a, -1),
        ast.Add: _sum,
        ast.Sub: lambda a, b: _sum(a, b, -1),
        ast.Mult: _product,
    },
    lambda node, scope: _error(repr(scope.text), f": {written(node)} is not a sum of letters"),
)
"""Sums computed as lines."""


class _Solver:
    """Claims solved in turn: equations put letters in terms of others, remainders make multiples."""

    def __init__(self, letters: Sequence[str], claims: Sequence[_Linear], texts: tuple[str, ...]) -> None:
        self.texts = texts
        self.values: dict[str, Line] = {name: _times(name) for name in letters}
        self.bounds: dict[str, tuple[int, int | None]] = dict.fromkeys(letters, (1, None))
        self.fresh = count()
        for claim in sorted(claims, key=lambda claim: (claim.sign == ">=", claim.modulus > 0)):
            line: Line = {"": claim.line[""]}
            for name, factor in claim.line.items():
                line = _sum(line, self.values[name], factor) if name else line
            if claim.sign == ">=":
                self._bound(line, claim.text)
            elif claim.modulus:
                self._remainder(line, claim)
            else:
                self._equation(line, claim)
        for name in letters:
            self._bound(_sum(self.values[name], {"": -1}), f"{name} >= 1", own=True)

    def _fail(self, text: str) -> NoSolution:
        details = [f"{text} contradicts the rest"] if len(self.texts) > 1 else []
        return NoSolution(f"no size satisfies {' and '.join(self.texts)}", details=details)

    def _put(self, name: str, line: Line) -> None:
        """``line`` in place of a letter, everywhere."""
        for key, value in self.values.items():
            self.values[key] = _sum({n: f for n, f in value.items() if n != name}, line, value.get(name, 0))

    def _equation(self, line: Line, claim: _Linear) -> None:
        """``line == 0``: the letter with the smallest factor goes, by Euclid's steps until that factor is 1."""
        while True:
            names = sorted((n for n in line if n), key=lambda n: abs(line[n]))
            if line[""] % gcd(*[line[n] for n in names]) if names else line[""]:
                raise self._fail(claim.text)
            if not names:
                return
            first, *others = names
            factor, rest = line[first], {n: f for n, f in line.items() if n != first}
            self.bounds.pop(first, None)
            if abs(factor) == 1 or not others:
                self._put(first, {n: -f // factor for n, f in rest.items()})
                return
            # a·x + b·y + … = c: x = x' - ⌊b/a⌋·y - … has smaller factors
            step = {**self._counter(), **{n: -(line[n] // factor) for n in others}}
            self._put(first, step)
            line = _sum(rest, step, factor)

    def _remainder(self, line: Line, claim: _Linear) -> None:
        """``line`` is a multiple of the modulus."""
        names = [n for n in line if n and line[n] % claim.modulus]
        if len(names) > 1:
            hint = "say it of each letter: 'H % 32 == 0' 'W % 32 == 0'"
            raise _error(repr(claim.text), " ties letters by a remainder", hint)
        common = gcd(claim.modulus, *[line[n] for n in names])
        if line[""] % common:
            raise self._fail(claim.text)
        modulus = claim.modulus // common
        for name in names:
            rest = -(line[""] // common) * pow(line[name] // common, -1, modulus) % modulus
            self._put(name, self._counter(modulus, rest))
            del self.bounds[name]

    def _counter(self, factor: int = 1, constant: int = 0) -> Line:
        new = f"#{next(self.fresh)}"
        self.bounds[new] = (ENDLESS, None)
        return _times(new, factor, constant)

    def _bound(self, line: Line, text: str, own: bool = False) -> None:
        """``line >= 0``, which bounds the one letter in it."""
        names = [n for n in line if n]
        if not names and line[""] < 0:
            raise self._fail(text)
        if len(names) == 1:
            (name,) = names
            low, high = self.bounds[name]
            if line[name] > 0:
                low = max(low, -(line[""] // line[name]))
            else:
                limit = line[""] // -line[name]
                high = limit if high is None else min(high, limit)
            if high is not None and low > high:
                raise self._fail(text)
            self.bounds[name] = (low, high)
        elif len(names) > 1 and not own:
            hint = "an inequality bounds one letter by a number: 'H >= 64'"
            raise _error(repr(text), " ties several letters that are free", hint)
        elif any(line[n] < 0 for n in names):
            raise self._of_either_sign()

    def _of_either_sign(self) -> SpecError:
        said = " and ".join(self.texts)
        return _error(said, " leaves free what must not fall below 1", "give one of the letters a number, or say less")

    def given(self) -> Given:
        """The answer; letters that could be below 1 count from 1, and are called n, m, … as they are met."""
        for name, (low, high) in list(self.bounds.items()):
            if not any(name in value for value in self.values.values()):
                continue
            if low == ENDLESS and high is not None:  # it counts down
                self._put(name, _times(name, -1))
                low, high = -high, None
            if low == ENDLESS:
                raise self._of_either_sign()
            if low == high:
                self._put(name, {"": low})
                del self.bounds[name]
                continue
            if low < 1:
                self._put(name, _times(name, 1, low - 1))
                low, high = 1, None if high is None else high - low + 1
            self.bounds[name] = (low, high)
        used = dict.fromkeys(n for line in self.values.values() for n in line if n and n not in self.values)
        names = dict(zip(used, (name for name in NAMES if name not in self.values)))
        kept: dict[str, Dim] = {}
        for name, line in self.values.items():
            value = sum([letter(names.get(n, n)) * factor for n, factor in line.items() if n], line[""])
            if value != letter(name):
                kept[name] = value
        bounds = {names.get(name, name): bound for name, bound in self.bounds.items() if bound != (1, None)}
        return Given(kept, bounds)
