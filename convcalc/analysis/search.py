"""Inverse questions answered by trying: the formulas in letters first, and then, by the numbers, what they let pass.

What a question is stands in `problem`; what needs no trying is `inverse`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from convcalc.algebra.dims import letter
from convcalc.analysis.problem import (
    FROM_ZERO,
    SHOWN,
    Answers,
    Problem,
    Solution,
    distance,
    reaches,
    roles,
    simplicity,
    tried,
    tried_all,
    wanted,
)

CAPS = {1: 4096, 2: 300, 3: 48, 4: 18}
"""How far letters without a bound are tried, by the number of letters."""

MOST_TRIED = 250_000


def searched(problem: Problem) -> Answers:
    """The answers by trying, the formulas first, and then by the numbers what they let pass."""
    domains, open_ = domains_of(problem)
    if math.prod(map(len, domains)) > 20 * MOST_TRIED:
        domains = [domain[: max(4, int(MOST_TRIED ** (1 / len(domains))))] for domain in domains]
    passing = list(_passing(problem, domains))
    solutions = tried_all(problem, passing[:SHOWN])
    exact = tuple(s for s in solutions if distance(problem, s) == 0)
    far = {
        name
        for name, domain in zip(problem.letters, domains)
        if name in open_ and any(s.values[name] >= domain[-1] - len(domain) // 4 for s in exact)
    }
    if far and len(exact) > 1:
        return Answers(exact, tuple(_family(problem)), endless=True)
    if exact:
        return Answers(exact, total=len(exact) if len(passing) <= SHOWN else len(passing))
    return Answers((), (), closest(problem, domains))


def domains_of(problem: Problem) -> tuple[list[range], set[str]]:
    """The values to try for each letter, and the letters that no condition bounds from above."""
    names = roles(problem.graph) if problem.graph is not None else {}
    cap = (
        CAPS.get(len(problem.letters), 10)
        if problem.graph is not None
        else {1: 200, 2: 20}.get(len(problem.letters), 6)
    )
    domains, open_ = [], set()
    for name in problem.letters:
        least = 0 if problem.graph is None or (names.get(name) and names[name] <= set(FROM_ZERO)) else 1
        most = min([c.most[name] for c in problem.where if name in c.most], default=None)
        least = max([c.least[name] for c in problem.where if name in c.least] + [least])
        if most is None:
            open_.add(name)
            most = max(least, 1) + cap
        domains.append(range(least, most + 1))
    return domains, open_


def _passing(problem: Problem, domains: Sequence[range]) -> Iterator[dict[str, int]]:
    """The values for which all formulas and conditions hold, and windows do not lie in the padding alone."""
    test = _formulas(problem)
    for numbers in product(*domains):
        values = dict(zip(problem.letters, numbers))
        if all(c.holds(values) for c in problem.where) and test(numbers):
            yield values


def _formulas(problem: Problem) -> Callable[[Sequence[int]], bool]:
    """A fast test of values, by the relations in letters; without a graph in letters all pass."""
    from convcalc.algebra.compiled import function

    if problem.graph is None:
        return lambda numbers: _distance_of(problem, numbers) == 0
    relations = [*wanted(problem, problem.graph), *reaches(problem.graph)]
    if False in relations:
        return lambda numbers: False
    own = {str(symbol) for relation in relations for symbol in relation.free_symbols} - set(problem.letters)
    test = function(relations, [letter(name) for name in (*problem.letters, *sorted(own))])
    samples = [[97 + 8 * i + 5 * turn for i in range(len(own))] for turn in range(1 if not own else 9)]

    def holds(numbers: Sequence[int]) -> bool:
        try:
            return all(all(test(*numbers, *sample)) for sample in samples)
        except ZeroDivisionError:
            return False

    return holds


def _distance_of(problem: Problem, numbers: Sequence[int]) -> int | None:
    solution = tried(problem, dict(zip(problem.letters, numbers)))
    return None if solution is None else distance(problem, solution)


def _family(problem: Problem) -> Iterator[str]:
    """What is wanted, in letters, with floors opened: ``2·p + 222 ≤ k ≤ …``."""
    from convcalc.algebra.symbolic.relations import opened

    if problem.graph is not None:
        relations = [r for r in wanted(problem, problem.graph) if not isinstance(r, bool)]
        yield from dict.fromkeys(opened(relation) for relation in relations)


def closest(problem: Problem, domains: Sequence[range]) -> Solution | None:
    """Of what was tried, that which comes nearest to what is wanted: by the formulas, or else by the numbers."""
    gaps = _gaps(problem)
    most = MOST_TRIED // 5 if gaps is not None else 800
    ranked: dict[int, list[dict[str, int]]] = {}
    for numbers in product(*[domain[: max(2, int(most ** (1 / len(domains))))] for domain in domains]):
        values = dict(zip(problem.letters, numbers))
        if all(c.holds(values) for c in problem.where):
            gap = gaps(numbers) if gaps is not None else _distance_of(problem, numbers)
            if gap is not None:
                ranked.setdefault(gap, []).append(values)
    for gap in sorted(ranked)[:SHOWN]:
        for values in sorted(ranked[gap], key=lambda values: simplicity(problem, values))[:SHOWN]:
            solution = tried(problem, values)
            if solution is not None and distance(problem, solution) is not None:
                return solution
    return None


def _gaps(problem: Problem) -> Callable[[Sequence[int]], int | None] | None:
    """How far values are from what is wanted, by the formulas; None where there are none."""
    from convcalc.algebra.compiled import function

    if problem.graph is None:
        return None
    relations = wanted(problem, problem.graph)
    if False in relations:
        return None
    tests = [*relations, *reaches(problem.graph)]
    own = sorted({str(symbol) for relation in tests for symbol in relation.free_symbols} - set(problem.letters))
    letters = [letter(name) for name in (*problem.letters, *own)]
    sides = function([side for relation in relations for side in relation.args], letters)
    legal = function(reaches(problem.graph), letters)
    sample = [97 + 8 * i for i in range(len(own))]

    def gap(numbers: Sequence[int]) -> int | None:
        try:
            if not all(legal(*numbers, *sample)):
                return None
            values = [int(value) for value in sides(*numbers, *sample)]
        except ZeroDivisionError:
            return None
        if any(value < 1 for value in values):
            return None
        return sum(abs(a - b) for a, b in zip(values[::2], values[1::2]))

    return gap
