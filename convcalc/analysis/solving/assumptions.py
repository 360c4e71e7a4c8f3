"""A graph under assumptions on its letters: assumed values are substituted, and what follows from them is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.algebra.assume import Given, assume
from convcalc.algebra.dims import letter, show
from convcalc.algebra.periodic import NONE, Sizes
from convcalc.errors import NoSolution, ShapeError
from convcalc.network.graph import Graph

Bounds = Mapping[str, tuple[int, int | None]]
"""The least and the greatest size of each letter; None where there is no greatest."""


def apply_assumptions(graph: Graph, texts: Sequence[str]) -> tuple[Graph, str]:
    """Return ``graph`` with the assumptions in ``texts`` substituted, and these assumptions solved, as text.

    Raises SpecError for a text that is not an assumption, NoSolution if no size satisfies both them and the graph.

    >>> from convcalc import nn, symbols, trace
    >>> graph, given = apply_assumptions(trace(nn.MaxPool2d(4), (1, 3, *symbols("H W"))), ["H % 32 == 0", "H == W"])
    >>> given, [show(n) for n in graph.nodes[0].output_shape]
    ('H = W = 32·n', ['1', '3', '8·n', '8·n'])
    """
    given = assume(texts, graph.letters)
    contradiction = f"no size satisfies {' and '.join(texts)}"
    graph = _with_values(graph, given, contradiction)
    graph = _without_settled_reasons(graph, given.bounds, contradiction)
    return _with_minima_decided(graph, given.bounds), given.describe()


def _with_values(graph: Graph, given: Given, contradiction: str) -> Graph:
    """Return the graph with the assumed values in place of letters; raise NoSolution if a layer refuses them."""
    try:
        return graph.subs(given.values)
    except ShapeError as error:
        raise NoSolution(contradiction, details=[f"{error.where} {error.what}"]) from None


def _without_settled_reasons(graph: Graph, bounds: Bounds, contradiction: str) -> Graph:
    """Return the graph without the demands that the bounds make true; raise NoSolution if they make one false."""
    left = {}
    for relation, reason in graph.reasons.items():
        settled = _settle(relation, bounds)
        if settled is False:
            raise NoSolution(contradiction, details=[f"{reason.node} needs {show(relation)}"])  # type: ignore[arg-type]
        if settled is None:
            left[relation] = reason
    return replace(graph, reasons=left, assumptions=tuple(r for r in graph.assumptions if r in left))


def _with_minima_decided(graph: Graph, bounds: Bounds) -> Graph:
    """Return the graph with those minima decided that the lower bounds decide.

    In canonical form a letter is any integer of at least 1. So each letter is replaced by one that counts from its
    lower bound, which brings minima into canonical form again, and then replaced back.
    """
    moves = {name: low - 1 for name, (low, _) in bounds.items() if low > 1 and name in graph.letters}
    for sign in (1, -1) if moves else ():
        graph = graph.subs({name: letter(name) + sign * move for name, move in moves.items()})
    return graph


def _settle(relation: Any, bounds: Bounds) -> bool | None:
    """Return whether the bounds make a relation true or false; None if neither."""
    from convcalc.algebra.symbolic import holds_within, solve_relation

    names = list(map(str, relation.free_symbols))
    holds_at = solve_relation(relation) if len(names) == 1 else None
    if holds_at is None or names[0] not in bounds:
        return True if holds_within(relation, bounds) else None
    low, high = bounds[names[0]]
    allowed = Sizes.from_(low) if high is None else Sizes.from_(low) & ~Sizes.from_(high + 1)
    both = allowed & holds_at
    return both == allowed if both in (allowed, NONE) else None
