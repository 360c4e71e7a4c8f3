"""Assumptions (``H % 32 == 0``, ``H == W``, ``H in 32..512``), solved exactly for their letters.

They are read in `linear`. An equation expresses one letter by others, a remainder makes a letter a multiple of a new
one, and an inequality bounds what is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from math import gcd
from typing import NamedTuple

from convcalc.algebra.dims import letter, show
from convcalc.algebra.linear import Line, LinearClaim, add, read_linear, refuse, term
from convcalc.algebra.types import Dim
from convcalc.errors import NoSolution, SpecError

NAMES = "nmkpqrstuvw"  # of the letters that count multiples

UNBOUNDED = -(10**18)  # the lower bound of a counter that no letter bounds yet


class Given(NamedTuple):
    """What assumptions come to: the ``values`` of letters, and ``bounds`` (None: no upper one) of the letters left."""

    values: Mapping[str, Dim]
    bounds: Mapping[str, tuple[int, int | None]]

    def describe(self) -> str:
        """Return the values and bounds as text: ``H = W = 32·n, n ≥ 2``.

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


def assume(texts: Sequence[str], letters: Iterable[str]) -> Given:
    """Return what the claims in ``texts`` come to, solved for ``letters``, the only ones that they may use.

    Raises SpecError for a text that is not a linear claim, NoSolution where no size satisfies all of them.

    >>> given = assume(["H % 32 == 0", "H == W", "W >= 64"], ["H", "W"])
    >>> {letter: show(value) for letter, value in given.values.items()}, given.bounds
    ({'H': '32·n', 'W': '32·n'}, {'n': (2, None)})
    """
    letters = list(letters)
    claims = [claim for text in texts for claim in read_linear(text, letters)]
    return _Solver(letters, claims, tuple(texts)).solution()


class _Solver:
    """Claims solved one after the other: equations first, then remainders, then inequalities.

    ``values`` expresses each letter of the question by letters that are still free, and ``bounds`` bounds those.
    """

    def __init__(self, letters: Sequence[str], claims: Sequence[LinearClaim], texts: tuple[str, ...]) -> None:
        self.texts = texts
        self.values: dict[str, Line] = {name: term(name) for name in letters}
        self.bounds: dict[str, tuple[int, int | None]] = dict.fromkeys(letters, (1, None))
        self.fresh = count()
        for claim in sorted(claims, key=lambda claim: (claim.sign == ">=", claim.modulus > 0)):
            line: Line = {"": claim.line[""]}
            for name, factor in claim.line.items():
                line = add(line, self.values[name], factor) if name else line
            if claim.sign == ">=":
                self._bound(line, claim.text)
            elif claim.modulus:
                self._solve_congruence(line, claim)
            else:
                self._solve_equation(line, claim)
        for name in letters:
            self._bound(add(self.values[name], {"": -1}), f"{name} >= 1", own=True)

    def _contradiction(self, text: str) -> NoSolution:
        details = [f"{text} contradicts the rest"] if len(self.texts) > 1 else []
        return NoSolution(f"no size satisfies {' and '.join(self.texts)}", details=details)

    def _substitute(self, name: str, line: Line) -> None:
        """Substitute ``line`` for a letter, everywhere."""
        for key, value in self.values.items():
            self.values[key] = add({n: f for n, f in value.items() if n != name}, line, value.get(name, 0))

    def _solve_equation(self, line: Line, claim: LinearClaim) -> None:
        """Solve ``line == 0`` for the letter with the smallest factor, after Euclid's steps that make that factor 1."""
        while True:
            names = sorted((n for n in line if n), key=lambda n: abs(line[n]))
            if line[""] % gcd(*[line[n] for n in names]) if names else line[""]:
                raise self._contradiction(claim.text)
            if not names:
                return
            first, *others = names
            factor, rest = line[first], {n: f for n, f in line.items() if n != first}
            self.bounds.pop(first, None)
            if abs(factor) == 1 or not others:
                self._substitute(first, {n: -f // factor for n, f in rest.items()})
                return
            # a·x + b·y + … = c: x = x' - ⌊b/a⌋·y - … has smaller factors
            step = {**self._counter(), **{n: -(line[n] // factor) for n in others}}
            self._substitute(first, step)
            line = add(rest, step, factor)

    def _solve_congruence(self, line: Line, claim: LinearClaim) -> None:
        """Make ``line`` a multiple of the modulus."""
        names = [n for n in line if n and line[n] % claim.modulus]
        if len(names) > 1:
            hint = "state a remainder of each letter: 'H % 32 == 0' 'W % 32 == 0'"
            raise refuse(repr(claim.text), " relates several letters by a remainder", hint)
        common = gcd(claim.modulus, *[line[n] for n in names])
        if line[""] % common:
            raise self._contradiction(claim.text)
        modulus = claim.modulus // common
        for name in names:
            rest = -(line[""] // common) * pow(line[name] // common, -1, modulus) % modulus
            self._substitute(name, self._counter(modulus, rest))
            del self.bounds[name]

    def _counter(self, factor: int = 1, constant: int = 0) -> Line:
        """Return ``factor·c + constant`` with a new letter ``c``, which may be any integer."""
        new = f"#{next(self.fresh)}"
        self.bounds[new] = (UNBOUNDED, None)
        return term(new, factor, constant)

    def _bound(self, line: Line, text: str, own: bool = False) -> None:
        """Bound the one letter in a line by ``line >= 0``; ``own`` is the bound that every size has, 1 or more."""
        names = [n for n in line if n]
        if not names and line[""] < 0:
            raise self._contradiction(text)
        if len(names) == 1:
            (name,) = names
            low, high = self.bounds[name]
            if line[name] > 0:
                low = max(low, -(line[""] // line[name]))
            else:
                limit = line[""] // -line[name]
                high = limit if high is None else min(high, limit)
            if high is not None and low > high:
                raise self._contradiction(text)
            self.bounds[name] = (low, high)
        elif len(names) > 1 and not own:
            hint = "an inequality must bound one letter by a number: 'H >= 64'"
            raise refuse(repr(text), " relates several free letters", hint)
        elif any(line[n] < 0 for n in names):
            raise self._may_fall_below_1()

    def _may_fall_below_1(self) -> SpecError:
        hint = "give one of the letters a number, or assume less"
        return refuse(" and ".join(self.texts), " leaves a size free to fall below 1", hint)

    def solution(self) -> Given:
        """Return the answer; letters that could be below 1 count from 1, and are named n, m, … in order."""
        for name, (low, high) in list(self.bounds.items()):
            if not any(name in value for value in self.values.values()):
                continue
            if low == UNBOUNDED and high is not None:  # it counts down
                self._substitute(name, term(name, -1))
                low, high = -high, None
            if low == UNBOUNDED:
                raise self._may_fall_below_1()
            if low == high:
                self._substitute(name, {"": low})
                del self.bounds[name]
                continue
            if low < 1:
                self._substitute(name, term(name, 1, low - 1))
                low, high = 1, None if high is None else high - low + 1
            self.bounds[name] = (low, high)
        used = dict.fromkeys(n for line in self.values.values() for n in line if n and n not in self.values)
        names = dict(zip(used, (name for name in NAMES if name not in self.values)))
        values: dict[str, Dim] = {}
        for name, line in self.values.items():
            value = sum([letter(names.get(n, n)) * factor for n, factor in line.items() if n], line[""])
            if value != letter(name):
                values[name] = value
        bounds = {names.get(name, name): bound for name, bound in self.bounds.items() if bound != (1, None)}
        return Given(values, bounds)
