"""What a user assumes of letters, ``H % 32 == 0`` or ``H == W``: read from text and solved, exactly.

The text is parsed by Python's grammar and never executed. The answer is what stands in place of each letter (``32·n``)
and a lower and an upper bound of what is left. What the assumptions do to a graph is the business of `analysis.given`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import gcd
from typing import NamedTuple

from convcalc.algebra.dims import LIMIT, Dim
from convcalc.errors import NoSolution, SpecError, did_you_mean

Line = dict[str, int]
"""A linear expression: a factor for each letter, and the constant under the empty name."""

NAMES = "nmkpqrstuvw"
"""The letters that count multiples, in the order in which they are taken."""

ENDLESS = -(10**18)
"""The lower bound of a counter that no letter bounds yet."""

HINT = "write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"


class Given(NamedTuple):
    """What stands in place of letters, and the bounds of the letters that are left (None: without end)."""

    values: Mapping[str, Dim]
    bounds: Mapping[str, tuple[int, int | None]]
    texts: tuple[str, ...]


class Claim(NamedTuple):
    """One assumption: ``line == 0`` (or, with a modulus, a multiple of it), or ``line >= 0``."""

    line: Line
    sign: str
    modulus: int
    text: str


def assume(texts: Sequence[str], letters: Iterable[str]) -> Given:
    """The assumptions in ``texts``, solved for ``letters``, the only ones that may stand in them.

    Raises SpecError for what is no assumption, NoSolution where no size satisfies them all.

    >>> from convcalc.algebra.dims import show
    >>> given = assume(["H % 32 == 0", "H == W", "W >= 64"], ["H", "W"])
    >>> {letter: show(value) for letter, value in given.values.items()}, given.bounds
    ({'H': '32·n', 'W': '32·n'}, {'n': (2, None)})
    """
    letters = list(letters)
    claims = [claim for text in texts for claim in _claims(text, letters)]
    return _Solver(letters, claims, tuple(texts)).given()


def _claims(text: str, letters: Sequence[str]) -> Iterator[Claim]:
    """The claims of one text: comparisons, several with ``and`` or ``,`` between."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body if len(text) <= 200 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        raise SpecError(f"{text!r:.80} is not an assumption", where="--assume", hint=HINT)
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        parts: list[ast.expr] = tree.values
    else:
        parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    for part in parts:
        if not isinstance(part, ast.Compare):
            raise SpecError(f"{ast.unparse(part)!r:.80} compares nothing", where="--assume", hint=HINT)
        sides = [part.left, *part.comparators]
        for left, sign, right in zip(sides, part.ops, sides[1:]):
            yield from _claim(left, sign, right, ast.unparse(part), letters)


def _claim(left: ast.expr, sign: ast.cmpop, right: ast.expr, text: str, letters: Sequence[str]) -> Iterator[Claim]:
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mod):
        modulus, rest = _constant(left.right, text), _constant(right, text)
        if not isinstance(sign, ast.Eq) or modulus < 1:
            raise SpecError(f"{text!r}: a remainder is compared with ==", where="--assume", hint=HINT)
        if not 0 <= rest < modulus:
            raise NoSolution(f"no size satisfies {text}", details=[f"a remainder by {modulus} is less than {modulus}"])
        yield Claim(_sum(_line(left.left, text, letters), {"": -rest}), "==", modulus, text)
        return
    a, b = _line(left, text, letters), _line(right, text, letters)
    forms = {
        "Eq": (a, b, 0, "=="),
        "GtE": (a, b, 0, ">="),
        "LtE": (b, a, 0, ">="),
        "Gt": (a, b, 1, ">="),
        "Lt": (b, a, 1, ">="),
    }
    if type(sign).__name__ not in forms:
        raise SpecError(f"{text!r}: there are ==, >=, >, <= and <", where="--assume", hint=HINT)
    high, low, apart, kind = forms[type(sign).__name__]
    yield Claim(_sum(high, low, -1, -apart), kind, 0, text)


def _sum(a: Line, b: Line, times: int = 1, constant: int = 0) -> Line:
    """``a + times·b + constant``."""
    total = {name: a.get(name, 0) + times * b.get(name, 0) for name in {"": 0, **a, **b}}
    total[""] += constant
    return {name: factor for name, factor in total.items() if factor or not name}


def _line(node: ast.expr, text: str, letters: Sequence[str]) -> Line:
    """A linear expression in letters with whole numbers."""
    if isinstance(node, ast.Constant):
        if type(node.value) is not int or abs(node.value) > LIMIT:
            what = f"{text!r}: sizes are whole numbers up to {LIMIT:,}; received {node.value!r:.40}"
            raise SpecError(what, where="--assume", hint=HINT)
        return {"": node.value}
    if isinstance(node, ast.Name):
        if node.id not in letters:
            known = f"there are {', '.join(letters)}" if letters else "there are none; give --input 3xHxW"
            hint = did_you_mean(node.id, letters) or known
            raise SpecError(f"{text!r}: no size here is called {node.id}", where="--assume", hint=hint)
        return {node.id: 1, "": 0}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _sum({}, _line(node.operand, text, letters), -1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        sign = 1 if isinstance(node.op, ast.Add) else -1
        return _sum(_line(node.left, text, letters), _line(node.right, text, letters), sign)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        a, b = _line(node.left, text, letters), _line(node.right, text, letters)
        if set(a) == {""} or set(b) == {""}:
            return _sum({}, b, a[""]) if set(a) == {""} else _sum({}, a, b[""])
    raise SpecError(f"{text!r}: {ast.unparse(node)} is not a sum of letters", where="--assume", hint=HINT)


def _constant(node: ast.expr, text: str) -> int:
    line = _line(node, text, ())
    return line[""]


class _Solver:
    """Claims solved in turn: equations put one letter in terms of others, remainders make multiples, bounds bound."""

    def __init__(self, letters: Sequence[str], claims: Sequence[Claim], texts: tuple[str, ...]) -> None:
        self.texts = texts
        self.values: dict[str, Line] = {letter: {letter: 1, "": 0} for letter in letters}
        self.bounds: dict[str, tuple[int, int | None]] = dict.fromkeys(letters, (1, None))
        self.fresh = iter([name for name in NAMES if name not in letters])
        for claim in claims:
            if claim.sign == "==" and not claim.modulus:
                self._equation(self._now(claim.line), claim)
        for claim in claims:
            if claim.modulus:
                self._remainder(self._now(claim.line), claim)
        for claim in claims:
            if claim.sign == ">=":
                self._bound(self._now(claim.line), claim.text)
        for letter in letters:
            self._bound(_sum(self.values[letter], {}, 1, -1), f"{letter} >= 1", letter=True)

    def _now(self, line: Line) -> Line:
        """A claim's line in terms of what letters stand for now."""
        total: Line = {"": line.get("", 0)}
        for name, factor in line.items():
            if name:
                total = _sum(total, self.values[name], factor)
        return total

    def _fail(self, text: str = "") -> NoSolution:
        details = [] if len(self.texts) < 2 or not text else [f"{text} contradicts the rest"]
        return NoSolution(f"no size satisfies {' and '.join(self.texts)}", details=details)

    def _put(self, name: str, line: Line) -> None:
        """``line`` in place of a letter, everywhere."""
        for letter, value in self.values.items():
            factor = value.get(name, 0)
            self.values[letter] = _sum({n: f for n, f in value.items() if n != name}, line, factor)

    def _equation(self, line: Line, claim: Claim) -> None:
        """``line == 0``: the letter with the smallest factor goes, by Euclid's steps until that factor is 1."""
        while True:
            names = sorted((n for n in line if n), key=lambda n: abs(line[n]))
            if not names:
                if line[""]:
                    raise self._fail(claim.text)
                return
            first, *others = names
            factor = line[first]
            if line[""] % gcd(*[line[n] for n in names]):
                raise self._fail(claim.text)
            if abs(factor) == 1:
                self._put(first, {n: -f * factor for n, f in line.items() if n != first} | {"": -line[""] * factor})
                del self.bounds[first]
                return
            if not others:
                value = -line[""] // factor
                self._put(first, {"": value})
                del self.bounds[first]
                return
            # a·x + b·y + … = c: x = x' - ⌊b/a⌋·y - … has smaller factors
            new = next(self.fresh)
            step = {new: 1, "": 0} | {n: -(line[n] // factor) for n in others}
            self._put(first, step)
            line = _sum({n: f for n, f in line.items() if n != first}, step, factor)
            del self.bounds[first]
            self.bounds[new] = (ENDLESS, None)

    def _remainder(self, line: Line, claim: Claim) -> None:
        """``line`` is a multiple of the modulus."""
        names = [n for n in line if n and line[n] % claim.modulus]
        if not names:
            if line[""] % claim.modulus:
                raise self._fail(claim.text)
            return
        if len(names) > 1:
            hint = "say it of each letter: 'H % 32 == 0' 'W % 32 == 0'"
            raise SpecError(f"{claim.text!r} ties letters by a remainder", where="--assume", hint=hint)
        (name,) = names
        common = gcd(line[name], claim.modulus)
        if line[""] % common:
            raise self._fail(claim.text)
        modulus = claim.modulus // common
        rest = -(line[""] // common) * pow(line[name] // common, -1, modulus) % modulus
        if modulus > 1:
            new = next(self.fresh)
            self._put(name, {new: modulus, "": rest})
            self.bounds[new] = (ENDLESS, None)
            del self.bounds[name]

    def _bound(self, line: Line, text: str, letter: bool = False) -> None:
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
        elif len(names) > 1 and letter:
            if any(line[n] < 0 for n in names):
                raise self._of_either_sign()
        elif len(names) > 1:
            hint = "an inequality bounds one letter by a number: 'H >= 64'"
            raise SpecError(f"{text!r} ties several letters that are free", where="--assume", hint=hint)

    def _of_either_sign(self) -> SpecError:
        what = f"{' and '.join(self.texts)} leaves free what must not fall below 1"
        return SpecError(what, where="--assume", hint="give one of the letters a number, or say less")

    def given(self) -> Given:
        """The answer; letters that count from 0 or below count from 1."""
        from convcalc.algebra.symbolic import symbol

        for name, (low, high) in list(self.bounds.items()):
            if not any(name in value for value in self.values.values()):
                continue
            if low == ENDLESS and high is not None:  # it counts down
                self._put(name, {name: -1, "": 0})
                low, high = -high, None
            if low == ENDLESS:
                raise self._of_either_sign()
            if low == high:
                self._put(name, {"": low})
                del self.bounds[name]
                continue
            if low < 1:
                self._put(name, {name: 1, "": low - 1})
                low, high = 1, None if high is None else high - low + 1
            self.bounds[name] = (low, high)
        values: dict[str, Dim] = {}
        for letter, line in self._renamed().items():
            total: Dim = line[""]
            for name, factor in line.items():
                if name:
                    total = total + symbol(name) * factor
            values[letter] = total
        kept = {letter: value for letter, value in values.items() if value != symbol(letter)}
        return Given(kept, {n: b for n, b in self.bounds.items() if b != (1, None)}, self.texts)

    def _renamed(self) -> dict[str, Line]:
        """The values, with the letters that count called n, m, … in the order of their use."""
        counters = list(dict.fromkeys(n for line in self.values.values() for n in line if n and n not in self.values))
        free = (name for name in NAMES if name not in self.values)
        names = dict(zip(counters, free))
        self.bounds = {names.get(name, name): bound for name, bound in self.bounds.items()}
        return {letter: {names.get(n, n): f for n, f in line.items()} for letter, line in self.values.items()}
