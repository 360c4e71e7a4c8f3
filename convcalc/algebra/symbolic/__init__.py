"""Letters instead of numbers: the canonical form of a dim or a count, made by sympy, loaded once a dim is not an int.

A dim has one floor or ceiling where rules made a chain of them, because for integers
``⌊(⌊u/m⌋ + c)/n⌋ = ⌊(u + c·m)/(m·n)⌋`` (Graham, Knuth, Patashnik, *Concrete Mathematics*, section 3.2); sympy does
not know it. Letters are positive integers. What is equal or larger for which sizes stands in `relations`, how it reads
in `printing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

import sympy
from sympy import Integer, ceiling, floor

from convcalc.algebra.dims import Dim, parse_dim
from convcalc.errors import SpecError

MOST_SHIFT = 1000  # (H - 4)·(W - 4) reads well, N·(K + 1,995,672) does not


@cache
def symbol(name: str) -> Dim:
    """The letter ``name``: a positive integer.

    >>> symbol("H").is_positive
    True
    """
    return sympy.Symbol(name, integer=True, positive=True)


def symbols(names: str) -> Any:
    """The letters in a text, one alone or several as a tuple: ``H, W = symbols("H W")``. Raises SpecError.

    >>> H, W = symbols("H W")
    >>> (H + 1) // 2 * W
    W*floor(H/2 + 1/2)
    """
    found = [parse_dim(name, names) for name in names.replace(",", " ").split()]
    if not found or any(isinstance(letter, int) for letter in found):
        raise SpecError(f"expected letters, such as 'H W'; received {names!r:.60}")
    return found[0] if len(found) == 1 else tuple(found)


@lru_cache(maxsize=65536)
def canonical(expr: Any) -> Dim:
    """``expr`` with chains of floors and ceilings folded into one; an int where no letter is left.

    >>> H = symbol("H")
    >>> canonical(((H - 1) // 2 + 1 - 1) // 2 + 1)
    ceiling(H/4)
    >>> canonical(H - (H + 1) // 2)
    floor(H/2)
    """
    result = _canonical(sympy.sympify(expr))
    return int(result) if result.is_Integer else result


@lru_cache(maxsize=65536)
def _canonical(expr: Any) -> Any:
    if expr.is_Symbol:
        return symbol(expr.name)
    if not expr.args:
        return expr
    args = [_canonical(arg) for arg in expr.args]
    if expr.func is floor:
        return _floor(args[0])
    if expr.func is ceiling:
        return _ceiling(args[0])
    if expr.func is sympy.Mod:
        return sympy.expand(args[0] - args[1] * _floor(args[0] / args[1]))
    if expr.func is sympy.Min:
        return _smallest(args)
    if expr.func is sympy.Max:
        return -_smallest([-arg for arg in args])
    if expr.func in (sympy.Add, sympy.Mul, sympy.Pow):
        return _halves_joined(sympy.expand(expr.func(*args)))
    return expr.func(*args)


def _smallest(args: Iterable[Any]) -> Any:
    from convcalc.algebra.symbolic.relations import minimum

    first, *rest = [arg for given in args for arg in (given.args if given.func is sympy.Min else (given,))]
    for arg in rest:
        first = minimum(first, arg)
    return sympy.sympify(first)


def _halves_joined(expr: Any) -> Any:
    """A sum in which ``⌊u/2⌋ + ⌈u/2⌉`` is ``u``, wherever that makes it shorter."""
    if not expr.is_Add:
        return expr
    for term in [t for t in split(expr)[1] if t.func in (floor, ceiling)]:
        body = 2 * term.args[0]
        if sympy.denom(sympy.together(body)) != 1:
            continue
        other = (ceiling if term.func is floor else floor)(term.args[0])
        shorter = sympy.expand(expr + split(expr)[1][term] * (body - other - term))
        if len(sympy.Add.make_args(shorter)) < len(expr.args):
            return _halves_joined(shorter)
    return expr


def _floor(arg: Any) -> Any:
    """The canonical form of ``⌊arg⌋``, where ``arg`` is canonical inside."""
    numerator, divisor = sympy.fraction(sympy.together(sympy.expand(arg)))
    if not divisor.is_Integer:
        return floor(arg)
    constant, terms = split(sympy.expand(numerator))
    for term, factor in terms.items():
        if term.func is sympy.Min:  # rounding keeps the order
            parts = [_floor(arg + (part - term) * factor / divisor) for part in term.args]
            return _smallest(parts) if factor > 0 else -_smallest([-part for part in parts])
    if terms and all(factor < 0 for factor in terms.values()):  # ⌊-x⌋ = -⌈x⌉: letters keep a plus before them
        return -_ceiling(-arg)
    whole = Integer(0)
    for term, factor in list(terms.items()):  # whole multiples of the divisor leave the floor
        whole += (factor // divisor) * term
        terms[term] = factor % divisor
    terms = {term: factor for term, factor in terms.items() if factor}
    common = sympy.igcd(divisor, *terms.values()) if terms else divisor
    terms = {term: factor // common for term, factor in terms.items()}
    constant, divisor = constant // common, divisor // common
    inner = [t for t in terms if t.func in (floor, ceiling) and terms[t] == 1]
    if inner and divisor > 1 and (len(terms) == 1 or len(inner) == 1):
        rest = sum((factor * term for term, factor in terms.items() if term != inner[0]), constant)
        return whole + _unnest(inner[0], rest, divisor)
    whole += constant // divisor
    body = sum((factor * term for term, factor in terms.items()), Integer(0))
    return whole + _one_floor(body, constant % divisor, divisor)


def _ceiling(arg: Any) -> Any:
    """The canonical form of ``⌈u/n⌉ = ⌊(u + n - 1)/n⌋``."""
    numerator, divisor = sympy.fraction(sympy.together(arg))
    return _floor((numerator + divisor - 1) / divisor) if divisor.is_Integer else ceiling(arg)


def _one_floor(body: Any, constant: Any, divisor: Any) -> Any:
    """``⌊(body + constant)/divisor⌋`` for ``0 <= constant < divisor``, as the ceiling where that is shorter."""
    if divisor == 1 or body == 0:
        return body
    if constant == divisor - 1:
        return ceiling(body / divisor, evaluate=False)
    return floor((body + constant) / divisor, evaluate=False)  # nothing is left that sympy could find


def _unnest(inner: Any, rest: Any, divisor: Any) -> Any:
    """``⌊(inner + rest)/divisor⌋`` where ``inner`` is itself a floor or a ceiling."""
    u, m = sympy.fraction(sympy.together(inner.args[0]))
    if inner.func is ceiling:
        u = u + m - 1
    return _floor((u + rest * m) / (m * divisor))


def split(expr: Any) -> tuple[Any, dict[Any, Any]]:
    """An expanded sum as its constant and a map from term to factor."""
    factors = expr.as_coefficients_dict()
    constant = factors.pop(Integer(1), Integer(0))
    return constant, {term: factor for term, factor in factors.items() if factor}


def gathered(expr: Any) -> list[tuple[Any, list[tuple[Any, Any, int]]]]:
    """A sum as the fewest products: each a factor and its parts, ``(part - shift)**power``.

    Expanding ``(⌊H/4⌋ - 3)·(⌊W/4⌋ - 3)`` makes four terms; this puts them together again.

    >>> H, W = symbols("H W")
    >>> gathered(canonical((H // 4 - 3) * (W // 4 - 3)))
    [(1, [(floor(H/4), 3, 1), (floor(W/4), 3, 1)])]
    """
    terms: dict[frozenset[tuple[Any, int]], Any] = {}
    for term, factor in expr.as_coefficients_dict().items():
        powers = term.as_powers_dict().items() if term != 1 else ()
        terms[frozenset((base, int(n)) if n.is_Integer else (base**n, 1) for base, n in powers)] = factor
    shifts: dict[Any, Any] = {}
    for atom in sorted({atom for term in terms for atom, _ in term}, key=sympy.default_sort_key):
        moved = {shift: _moved(terms, atom, shift) for shift in _shifts(terms, atom)}
        best = min(moved, key=lambda shift: _length(moved[shift]), default=0)
        if best and _length(moved[best]) < _length(terms):
            terms, shifts[atom] = moved[best], best
    return [
        (factor, sorted([(a, shifts.get(a, 0), n) for a, n in term], key=lambda part: sympy.default_sort_key(part[0])))
        for term, factor in terms.items()
        if factor
    ]


def _length(terms: Mapping[frozenset[tuple[Any, int]], Any]) -> tuple[int, int]:
    """How many products there are that hold letters, and how many with the constant."""
    return len(terms) - (frozenset() in terms), len(terms)


def _shifts(terms: Mapping[frozenset[tuple[Any, int]], Any], atom: Any) -> list[Any]:
    """Whole numbers that, taken off ``atom``, make one of two neighbours vanish; of letters only in products."""
    found: list[Any] = []
    for term, factor in terms.items():
        power = dict(term).get(atom, 0)
        lower = term - {(atom, power)} | ({(atom, power - 1)} if power > 1 else set())
        if power and lower in terms and (len(term) > 1 or power > 1 or not atom.is_Symbol):
            shift = -terms[lower] / (power * factor)
            if shift.is_Integer and shift not in found and (abs(shift) <= MOST_SHIFT or not atom.is_Symbol):
                found.append(shift)
    return found


def _moved(terms: Mapping[frozenset[tuple[Any, int]], Any], atom: Any, shift: Any) -> dict[Any, Any]:
    """``terms`` with ``atom + shift`` in place of ``atom``, expanded."""
    moved: dict[Any, Any] = {}
    for term, factor in terms.items():
        power = dict(term).get(atom, 0)
        rest = term - {(atom, power)}
        for k in range(power + 1):
            new = rest | ({(atom, k)} if k else set())
            moved[new] = moved.get(new, 0) + factor * sympy.binomial(power, k) * shift ** (power - k)
    return {term: factor for term, factor in moved.items() if factor}


def substitute(expr: Any, values: Mapping[Any, Any]) -> Dim:
    """``expr`` with dims in place of letters.

    >>> substitute(symbol("H") // 2, {symbol("H"): 7})
    3
    """
    if values.keys().isdisjoint(expr.free_symbols):
        return expr
    result = _put(expr, tuple(values.items()))
    return int(result) if result.is_Integer else result


@lru_cache(maxsize=65536)
def _put(expr: Any, values: tuple[tuple[Any, Any], ...]) -> Any:
    """From the letters up, so that no floor is made but a canonical one: sympy would think long about each."""
    if expr.is_Symbol:
        return sympy.sympify(dict(values).get(expr, expr))
    if not expr.args:
        return expr
    args = [_put(arg, values) for arg in expr.args]
    if expr.func is floor:
        return _floor(args[0])
    if expr.func is ceiling:
        return _ceiling(args[0])
    if expr.func is sympy.Min:
        return _smallest(args)
    return _canonical(expr.func(*args))


def ceiling_of(value: Any) -> Dim:
    """``⌈value⌉`` of an expression in letters.

    >>> ceiling_of(symbol("C") / 2)
    ceiling(C/2)
    """
    return canonical(ceiling(value))
