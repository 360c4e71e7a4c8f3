"""Inverse questions: which values of a network's letters give the output and the parameters that are wanted.

Relations are solved, or narrow the letters down, so that all solutions are found; where a layer takes numbers only,
numbers are tried one after another.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice, product
from typing import Any

from convcalc.algebra.claims import read_claim
from convcalc.algebra.dims import letter, substitute
from convcalc.analysis.solving.problem import FROM_ZERO, SHOWN, Answers, Problem, Solution
from convcalc.analysis.solving.search import Search, equations, find_rays, free_letters
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

MOST_BUILT = 20_000
"""How many calls are built when numbers are tried; a network counts as 10 more, one that is refused as 30."""


def solve_problem(problem: Problem) -> Answers:
    """Return all values of the letters that give what is wanted, or the simplest of them if there are too many."""
    if problem.graph is None:
        return _by_numbers(problem)
    for (least, _), name in zip(problem.bounds(), problem.letters):
        if least == 0 and (zero := _with_zero(problem, name)) is not None:
            return zero
    return _by_sets(problem, problem.graph) or Search(problem, problem.graph).answers()


def _with_zero(problem: Problem, name: str) -> Answers | None:
    """Return the answers where a letter is 0 and those where it is not; None if one formula covers both.

    For letters, which are at least 1, ``min(n + 2·p - 1, n + p)`` is ``n + p``; at p = 0 it is not.
    """
    zero = {name: 0}
    try:
        graph = problem.build(zero)
    except ConvcalcError:
        return None
    symbolic, at_zero = problem.result({}, problem.graph or graph), problem.result({}, graph)
    substituted = [substitute(side, {letter(name): 0}) for side in (*symbolic.output, symbolic.params)]
    if substituted == [*at_zero.output, at_zero.params]:
        return None
    without = problem._replace(
        letters=tuple(other for other in problem.letters if other != name),
        build=lambda values: problem.build({**values, **zero}),
        graph=graph,
        where=tuple(claim.substitute(zero) for claim in problem.where),
    )
    above = problem._replace(where=(*problem.where, read_claim(f"{name} >= 1", problem.letters)))
    return _merge(problem, [solve_problem(without), solve_problem(above)], zero)


def _merge(problem: Problem, parts: Sequence[Answers], added: Mapping[str, int]) -> Answers:
    """Return the answers to several parts of a problem as one, with ``added`` values for letters that a part lacks."""
    key = problem.simplicity()

    def complete(solution: Solution) -> Solution:
        values = {**added, **solution.values}
        return solution._replace(values={name: values[name] for name in problem.letters})

    solutions = [complete(solution) for part in parts for solution in part.solutions]
    misses = [complete(part.miss) for part in parts if part.miss is not None]
    return Answers(
        tuple(sorted(solutions, key=lambda solution: key([(n, n) for n in solution.values.values()]))),
        tuple(dict.fromkeys(line for part in parts for line in part.family)),
        None if solutions else min(misses, key=lambda miss: problem.distance(miss) or 0, default=None),
        any(part.endless for part in parts),
        sum(part.total for part in parts),
        ", ".join(dict.fromkeys(part.upto for part in parts if part.upto)),
    )


def _by_sets(problem: Problem, graph: Graph) -> Answers | None:
    """Return the answers as a set of numbers for each letter.

    None if there is no letter, if a letter may be 0, and if the relations cannot be separated by letter.
    """
    from convcalc.algebra.symbolic.regions import Region

    letters = problem.letters
    if not letters or any(FROM_ZERO & names for names in problem.roles().values()):
        return None
    demands = [r for r in graph.assumptions if problem.output is not None or free_letters([r]) <= set(letters)]
    relations: list[Any] = [*demands, *equations(problem.pairs(problem.result({}, graph)))]
    region = Region(relations, letters) if free_letters(relations) <= set(letters) else None
    if region is None or region.rest or not region.cases or (problem.where and not region.count < 20 * SHOWN):
        return None
    if region.count == math.inf:
        first: list[Any] = [{name: sizes.least for name, sizes in box.items()} for box in region.cases]
        return Answers(problem.try_all(first), tuple(region.describe()), endless=True)
    lists = [[sorted(sizes.below) for sizes in box.values()] for box in region.cases]
    total: Any = region.count
    every: Any = (problem.name_values(numbers) for box in lists for numbers in product(*box))
    if problem.where:
        every = list(filter(problem.allows, every))
        total = len(every)
    solutions = problem.try_all(islice(every, SHOWN))
    family = tuple(region.describe(", ")) if total > max(12, len(region.cases)) and not problem.where else ()
    return Answers(solutions, family, total=total) if total else None


def _by_numbers(problem: Problem) -> Answers:
    """Return the answers found by building the network for numbers, in the order of the largest of them."""
    bounds = problem.bounds()
    start, end = max(low for low, _ in bounds), max(high for _, high in bounds)
    hits: list[Mapping[str, int]] = []
    miss: tuple[float, Solution | None] = math.inf, None
    built, far = 0, start - 1
    while far < end and built < MOST_BUILT:
        far += 1
        for numbers in product(*[range(low, min(high, far) + 1) for low, high in bounds]):
            values = problem.name_values(numbers)
            if (far > start and max(numbers) < far) or not problem.allows(values):
                continue
            built += 30
            with suppress(ConvcalcError):
                graph = problem.build(values)
                built += len(graph.nodes) - 20
                solution = problem.result(values, graph)
                distance = problem.distance(solution)
                if distance == 0:
                    hits.append(values)
                elif distance is not None and distance < miss[0]:
                    miss = distance, solution
    upto = problem.upto(far)

    def holds(point: Sequence[int]) -> bool:
        values = problem.name_values(point)
        return problem.allows(values) and problem.distance(problem.try_values(values)) == 0

    endless = bool(upto) and any(find_rays(hits, bounds, holds))
    solutions = problem.try_all(hits)
    return Answers(solutions, (), None if hits else miss[1], endless, len(hits), "" if endless else upto)
