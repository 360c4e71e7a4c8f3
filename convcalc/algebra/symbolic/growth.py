"""Equations whose one side grows with each of their letters, solved number by number: parameters in several letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any

import sympy

from convcalc.algebra.symbolic import symbol
from convcalc.algebra.symbolic.printing import function

MOST_SUMS = 200_000


def solutions(
    relation: Any, letters: Sequence[str], leasts: Sequence[int]
) -> tuple[list[tuple[int, ...]] | None, tuple[int, ...] | None]:
    """All numbers for letters at which an equation holds that grows with each, and the numbers that come nearest.

    The first is None where they are too many to count through; both are where the equation is of another kind.

    >>> from convcalc.algebra.symbolic import symbols
    >>> a, b = symbols("a b")
    >>> solutions(sympy.Eq(a * b + 4 * a, 20 - b), ["a", "b"], [1, 1])
    ([(3, 2), (1, 8), (2, 4)], (3, 2))
    """
    grown = growing(relation)
    if grown is None or {str(s) for s in relation.free_symbols} != set(letters):
        return None, None
    return summing_to(function([grown[0]], list(map(symbol, letters))), grown[1], leasts)


def growing(relation: Any) -> tuple[Any, int] | None:
    """The side of an equation that grows with each letter, and the number that it equals; None for other relations.

    >>> from convcalc.algebra.symbolic import symbols
    >>> a, b = symbols("a b")
    >>> growing(sympy.Eq(a * b + 4 * a, 3 * b - a * b + 10)), growing(sympy.Eq(a * b + 4 * a, 10 - b))
    (None, (a*b + 4*a + b, 10))
    """
    letters = sorted(relation.free_symbols, key=str)
    difference = sympy.expand(relation.lhs - relation.rhs)
    if not isinstance(relation, sympy.Eq) or not difference.is_polynomial(*letters):
        return None
    terms = sympy.Poly(difference, *letters).as_dict()
    constant = terms.pop((0,) * len(letters), sympy.Integer(0))
    sign = -1 if all(value < 0 for value in terms.values()) else 1
    if any(not value.is_integer or sign * value <= 0 for value in terms.values()) or not constant.is_integer:
        return None
    return sign * (difference - constant), int(-sign * constant)


def summing_to(
    value: Callable[..., tuple[int]], goal: int, leasts: Sequence[int]
) -> tuple[list[tuple[int, ...]] | None, tuple[int, ...] | None]:
    """All whole numbers, from ``leasts`` on, at which what grows with each is ``goal``, and those that come nearest.

    The largest number is found by halving, so that only the smaller ones are counted through; None for all where those
    are more than `MOST_SUMS`.

    >>> summing_to(lambda a, b: (a * b + 4 * a + b,), 20, (1, 1))
    ([(3, 2), (1, 8), (2, 4)], (3, 2))
    """
    found: list[tuple[int, ...]] = []
    complete = True
    for place in range(len(leasts)):
        smaller = list(islice(_smaller(value, goal, tuple(leasts), place), MOST_SUMS + 1))
        complete = complete and len(smaller) <= MOST_SUMS
        for numbers in smaller:
            found += _around(value, goal, numbers, place)
    exact = [numbers for numbers in dict.fromkeys(found) if value(*numbers)[0] == goal]
    return exact if complete else None, min(found, key=lambda numbers: abs(value(*numbers)[0] - goal), default=None)


def _smaller(
    value: Callable[..., tuple[int]], goal: int, numbers: tuple[int, ...], largest: int, place: int = 0
) -> Iterator[tuple[int, ...]]:
    """Numbers that leave room for the one at ``largest`` to be the largest, which stands there as small as can be."""
    if place == len(numbers):
        yield numbers
    elif place == largest:
        yield from _smaller(value, goal, numbers, largest, place + 1)
    else:
        for n in count(numbers[place]):
            tried = [*numbers]
            tried[place], tried[largest] = n, max(numbers[largest], n)
            if value(*tried)[0] > goal:
                return
            yield from _smaller(value, goal, tuple(tried), largest, place + 1)


def _around(value: Callable[..., tuple[int]], goal: int, numbers: tuple[int, ...], place: int) -> list[tuple[int, ...]]:
    """``numbers`` with the largest one, at ``place``, put where the value first reaches the goal, and one below."""

    def put(n: int) -> tuple[int, ...]:
        return (*numbers[:place], n, *numbers[place + 1 :])

    low, high = numbers[place], max(numbers[place], goal)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if value(*put(middle))[0] < goal else (low, middle)
    return [put(n) for n in (low, low - 1) if n >= numbers[place]]
