"""Inverse questions: what the letters of a network must be for its output and its parameters to be as wanted.

All solutions, exactly where the relations can be solved, else by `search`. The largest value inside a budget is
`budget`'s, the layers for a receptive field are `reach`'s.
"""

from __future__ import annotations

import math
from itertools import chain, islice, product
from typing import Any

from convcalc.algebra.dims import letter
from convcalc.algebra.symbolic.regions import Region
from convcalc.analysis.problem import FROM_ZERO, SHOWN, Answers, Problem, roles, tried_all, wanted
from convcalc.analysis.search import closest, domains_of, searched


def answers(problem: Problem) -> Answers:
    """All values of the letters that give what is wanted."""
    solved = _exactly(problem)
    return searched(problem) if solved is None else solved


def _exactly(problem: Problem) -> Answers | None:
    """The answers by solving relations; None where letters may be 0, or relations cannot be taken apart."""
    graph = problem.graph
    if graph is None or problem.where or any(set(FROM_ZERO) & names for names in roles(graph).values()):
        return None
    asked = {letter(name) for name in problem.letters}
    demands = [r for r in graph.assumptions if problem.output is not None or r.free_symbols <= asked]  # type: ignore[union-attr]
    relations: list[Any] = [*demands, *wanted(problem, graph)]
    free = {str(symbol) for relation in relations if not isinstance(relation, bool) for symbol in relation.free_symbols}
    if not free <= set(problem.letters):
        return None
    region = Region(relations, problem.letters)
    if region.rest:
        return None
    if any(sizes.finite is False for box in region.boxes for sizes in box.values()):
        word = " with " if len(region.boxes) > 1 else ", "
        family = [word.join(box[name].told(name) for name in problem.letters) for box in region.boxes]
        values = [[sizes.above(1) for sizes in box.values()] for box in region.boxes]
        first = [{name: n for name, n in zip(problem.letters, v) if n is not None} for v in values]
        return Answers(tried_all(problem, first[:SHOWN]), tuple(family), endless=True)
    if not region.boxes:
        return Answers((), (), closest(problem, domains_of(problem)[0]))
    lists: list[list[list[int]]] = [[sorted(sizes.below) for sizes in box.values()] for box in region.boxes]
    total = sum(math.prod(map(len, box)) for box in lists)
    listed = islice(chain.from_iterable(product(*box) for box in lists), SHOWN)
    solutions = tried_all(problem, [dict(zip(problem.letters, numbers)) for numbers in listed])
    runs = [", ".join(box[name].told(name) for name in problem.letters) for box in region.boxes]
    return Answers(solutions, tuple(runs) if total > 12 else (), total=total)
