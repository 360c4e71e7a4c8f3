"""Inverse questions: what the letters of a network must be for its output and its parameters to be as wanted.

Relations are solved, or letters narrowed by them, so that all solutions are found; where a layer takes numbers alone,
these are tried one after the other.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice, product
from typing import Any

from convcalc.algebra.claims import read_claim
from convcalc.algebra.dims import letter, substitute
from convcalc.analysis.solving.problem import FROM_ZERO, SHOWN, Answers, Problem, Solution
from convcalc.analysis.solving.search import Search, equations, free, rays
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

MOST_BUILT = 20_000
"""How many calls are built where numbers alone will do; a network counts as 10 more, one that is refused as 30."""


def answers(problem: Problem) -> Answers:
    """All values of the letters that give what is wanted."""
    if problem.graph is None:
        return _by_numbers(problem)
    for (least, _), name in zip(problem.bounds(), problem.letters):
        if least == 0 and (zero := _with_zero(problem, name)) is not None:
            return zero
    return _by_sets(problem, problem.graph) or Search(problem, problem.graph).answers()


def _with_zero(problem: Problem, name: str) -> Answers | None:
    """The answers where a letter is 0 beside those from 1; None where one formula does for both.

    In letters, which are at least 1, ``min(n + 2·p - 1, n + p)`` is ``n + p``; at p = 0 it is not.
    """
    zero = {name: 0}
    try:
        graph = problem.build(zero)
    except ConvcalcError:
        return None
    ours, theirs = problem.given({}, problem.graph or graph), problem.given({}, graph)
    put = [substitute(side, {letter(name): 0}) for side in (*ours.output, ours.params)]
    if put == [*theirs.output, theirs.params]:
        return None
    without = problem._replace(
        letters=tuple(other for other in problem.letters if other != name),
        build=lambda values: problem.build({**values, **zero}),
        graph=graph,
        where=tuple(claim.put(zero) for claim in problem.where),
    )
    above = problem._replace(where=(*problem.where, read_claim(f"{name} >= 1", problem.letters)))
    return _joined(problem, [answers(without), answers(above)], zero)


def _joined(problem: Problem, parts: Sequence[Answers], added: Mapping[str, int]) -> Answers:
    """The answers of several parts of a problem as one, with ``added`` values where a part has no such letter."""
    key = problem.simplest()

    def whole(solution: Solution) -> Solution:
        values = {**added, **solution.values}
        return solution._replace(values={name: values[name] for name in problem.letters})

    solutions = [whole(solution) for part in parts for solution in part.solutions]
    misses = [whole(part.miss) for part in parts if part.miss is not None]
    return Answers(
        tuple(sorted(solutions, key=lambda solution: key([(n, n) for n in solution.values.values()]))),
        tuple(dict.fromkeys(line for part in parts for line in part.family)),
        None if solutions else min(misses, key=lambda miss: problem.distance(miss) or 0, default=None),
        any(part.endless for part in parts),
        sum(part.total for part in parts),
        ", ".join(dict.fromkeys(part.upto for part in parts if part.upto)),
    )


def _by_sets(problem: Problem, graph: Graph) -> Answers | None:
    """As sets of numbers for each letter; None without one, where one may be 0, or relations cannot be taken apart."""
    from convcalc.algebra.symbolic.regions import Region

    letters = problem.letters
    if not letters or any(FROM_ZERO & names for names in problem.roles().values()):
        return None
    demands = [r for r in graph.assumptions if problem.output is not None or free([r]) <= set(letters)]
    relations: list[Any] = [*demands, *equations(problem.pairs(problem.given({}, graph)))]
    region = Region(relations, letters) if free(relations) <= set(letters) else None
    if region is None or region.rest or not region.cases or (problem.where and not region.count < 20 * SHOWN):
        return None
    if region.count == math.inf:
        first: list[Any] = [{name: sizes.least for name, sizes in box.items()} for box in region.cases]
        return Answers(problem.tried_all(first), tuple(region.describe()), endless=True)
    lists = [[sorted(sizes.below) for sizes in box.values()] for box in region.cases]
    total: Any = region.count
    every: Any = (problem.named(numbers) for box in lists for numbers in product(*box))
    if problem.where:
        every = list(filter(problem.allows, every))
        total = len(every)
    solutions = problem.tried_all(islice(every, SHOWN))
    family = tuple(region.describe(", ")) if total > max(12, len(region.cases)) and not problem.where else ()
    return Answers(solutions, family, total=total) if total else None


def _by_numbers(problem: Problem) -> Answers:
    """By building the network for numbers, those without a large one first."""
    bounds = problem.bounds()
    start, end = max(low for low, _ in bounds), max(high for _, high in bounds)
    found: list[Mapping[str, int]] = []
    miss: tuple[float, Solution | None] = math.inf, None
    built, far = 0, start - 1
    while far < end and built < MOST_BUILT:
        far += 1
        for numbers in product(*[range(low, min(high, far) + 1) for low, high in bounds]):
            values = problem.named(numbers)
            if (far > start and max(numbers) < far) or not problem.allows(values):
                continue
            built += 30
            with suppress(ConvcalcError):
                graph = problem.build(values)
                built += len(graph.nodes) - 20
                solution = problem.given(values, graph)
                distance = problem.distance(solution)
                if distance == 0:
                    found.append(values)
                elif distance is not None and distance < miss[0]:
                    miss = distance, solution
    upto = problem.upto(far)
    named = problem.named

    def holds(point: Sequence[int]) -> bool:
        return problem.allows(named(point)) and problem.distance(problem.tried(named(point))) == 0

    endless = bool(upto) and any(rays(found, bounds, holds))
    solutions = problem.tried_all(found)
    return Answers(solutions, (), None if found else miss[1], endless, len(found), "" if endless else upto)
