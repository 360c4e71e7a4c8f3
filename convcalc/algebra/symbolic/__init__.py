"""Letters instead of numbers: the canonical form of a dim or a count.

One floor or ceiling stands where rules made a chain of them: ``⌊(⌊u/m⌋ + c)/n⌋ = ⌊(u + c·m)/(m·n)⌋`` for integers
(Graham, Knuth, Patashnik, *Concrete Mathematics*, section 3.2), which sympy does not know.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache, reduce
from typing import Any

import sympy
from sympy import Integer, ceiling, floor

from convcalc.algebra.types import Dim

MOST_SHIFT = 1000  # (H - 4)·(W - 4) reads well, N·(K + 1,995,672) does not


@cache
def symbol(name: str) -> Dim:
    return sympy.Symbol(name, integer=True, positive=True)


@lru_cache(maxsize=65536)
def canonical(expr: Any) -> Dim:
    """``expr`` with chains of floors and ceilings folded into one; an int where no letter is left.

    >>> H = symbol("H")
    >>> canonical(((H - 1) // 2 + 1 - 1) // 2 + 1)
    ceiling(H/4)
    >>> canonical(H - (H + 1) // 2)
    floor(H/2)
    """
    return substitute(sympy.sympify(expr), {})


def _built(kind: Any, args: list[Any]) -> Any:
    """``kind(*args)`` of canonical ``args``, without sympy's own floors, which take it long."""
    if kind is floor:
        return _floor(args[0])
    if kind is ceiling:
        return _ceiling(args[0])
    if kind is sympy.Mod:
        return sympy.expand(args[0] - args[1] * _floor(args[0] / args[1]))
    if kind is sympy.Min:
        return _smallest(args)
    if kind is sympy.Max:
        return -_smallest([-arg for arg in args])
    made = kind(*args)
    return _halves_joined(sympy.expand(made)) if kind in (sympy.Add, sympy.Mul, sympy.Pow) else made


def _smallest(args: Iterable[Any]) -> Any:
    from convcalc.algebra.symbolic.relations import minimum

    return sympy.sympify(reduce(minimum, [part for arg in args for part in sympy.Min.make_args(arg)]))


def _halves_joined(expr: Any) -> Any:
    """A sum with ``u`` for ``⌊u/2⌋ + ⌈u/2⌉``, wherever that makes it shorter."""
    if not expr.is_Add:
        return expr
    for term, factor in split(expr)[1].items():
        if term.func in (floor, ceiling) and fraction(2 * term.args[0])[1] == 1:
            other = (ceiling if term.func is floor else floor)(term.args[0])
            shorter = sympy.expand(expr + factor * (2 * term.args[0] - other - term))
            if len(sympy.Add.make_args(shorter)) < len(expr.args):
                return _halves_joined(shorter)
    return expr


def fraction(expr: Any) -> Any:
    return sympy.fraction(sympy.together(expr))


def _floor(arg: Any) -> Any:
    numerator, divisor = fraction(sympy.expand(arg))
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
    common = sympy.igcd(divisor, 0, *terms.values())
    terms = {term: factor // common for term, factor in terms.items()}
    constant, divisor = constant // common, divisor // common
    body = sum((factor * term for term, factor in terms.items()), Integer(0))
    inner = [t for t in terms if t.func in (floor, ceiling) and terms[t] == 1]
    if inner and divisor > 1 and (len(terms) == 1 or len(inner) == 1):
        u, m = fraction(inner[0].args[0])
        u = u + m - 1 if inner[0].func is ceiling else u
        return whole + _floor((u + (body - inner[0] + constant) * m) / (m * divisor))
    whole, constant = whole + constant // divisor, constant % divisor
    if divisor == 1 or body == 0:
        return whole + body
    if constant == divisor - 1:
        return whole + ceiling(body / divisor, evaluate=False)
    return whole + floor((body + constant) / divisor, evaluate=False)  # nothing is left that sympy could find


def _ceiling(arg: Any) -> Any:
    numerator, divisor = fraction(arg)
    return _floor((numerator + divisor - 1) / divisor) if divisor.is_Integer else ceiling(arg)


def split(expr: Any) -> tuple[Any, dict[Any, Any]]:
    """An expanded sum as its constant and a map from term to factor."""
    factors = expr.as_coefficients_dict()
    constant = factors.pop(Integer(1), Integer(0))
    return constant, {term: factor for term, factor in factors.items() if factor}


def gathered(expr: Any) -> list[tuple[Any, list[tuple[Any, Any, int]]]]:
    """A sum as the fewest products, each a factor and its parts, ``(part - shift)**power``.

    >>> H, W = symbol("H"), symbol("W")
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
    """How many products hold letters, and how many there are."""
    return len(terms) - (frozenset() in terms), len(terms)


def _shifts(terms: Mapping[frozenset[tuple[Any, int]], Any], atom: Any) -> list[Any]:
    """Numbers that, taken off ``atom``, make one of two neighbours vanish; of letters only in products."""
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
        for k in range(power + 1):
            new = term - {(atom, power)} | ({(atom, k)} if k else set())
            moved[new] = moved.get(new, 0) + factor * sympy.binomial(power, k) * shift ** (power - k)
    return {term: factor for term, factor in moved.items() if factor}


def substitute(expr: Any, values: Mapping[Any, Any]) -> Dim:
    """``expr`` with dims in place of letters.

    >>> substitute(symbol("H") // 2, {symbol("H"): 7})
    3
    """
    if values and values.keys().isdisjoint(expr.free_symbols):
        return expr
    result = _put(expr, tuple(values.items()))
    return int(result) if result.is_Integer else result


@lru_cache(maxsize=65536)
def _put(expr: Any, values: tuple[tuple[Any, Any], ...]) -> Any:
    if expr.args:
        return _built(expr.func, [_put(arg, values) for arg in expr.args])
    put = dict(values).get(expr, expr)
    return symbol(put.name) if put is expr and expr.is_Symbol else sympy.sympify(put)


def ceiling_of(value: Any) -> Dim:
    """``⌈value⌉`` of an expression in letters.

    >>> ceiling_of(symbol("C") / 2)
    ceiling(C/2)
    """
    return canonical(ceiling(value))
