"""A graph under what a user assumes of its letters: the assumptions put in, and what they settle left out.

Reading and solving the assumptions is `algebra.assume`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.algebra.assume import Given, assume
from convcalc.algebra.dims import letter, show
from convcalc.errors import NoSolution, ShapeError
from convcalc.network.graph import Graph

Bounds = Mapping[str, tuple[int, "int | None"]]


def under(graph: Graph, texts: Sequence[str]) -> tuple[Graph, str]:
    """``graph`` with what ``texts`` say put in, and what that is: ``"H = W = 32·n"``.

    Raises SpecError for a text that is no assumption, NoSolution where no size satisfies them or the graph's demands.

    >>> from convcalc import nn, symbols, trace
    >>> graph, told = under(trace(nn.MaxPool2d(4), (1, 3, *symbols("H W"))), ["H % 32 == 0", "H == W"])
    >>> told, [show(n) for n in graph.nodes[0].output_shape]
    ('H = W = 32·n', ['1', '3', '8·n', '8·n'])
    """
    given = assume(texts, graph.letters)
    try:
        now = graph.subs(given.values)
    except ShapeError as error:
        raise NoSolution(f"no size satisfies {_all(texts)}", details=[f"{error.where} {error.what}"]) from None
    left = {}
    for relation, reason in now.reasons.items():
        settled = _settled(relation, given.bounds)
        if settled is False:
            details = [f"{reason.node} needs {show(relation)}"]  # type: ignore[arg-type]
            raise NoSolution(f"no size satisfies {_all(texts)}", details=details)
        if settled is None:
            left[relation] = reason
    return _narrowed(replace(now, reasons=left, assumptions=tuple(r for r in now.assumptions if r in left)), given), (
        told(given)
    )


def _all(texts: Sequence[str]) -> str:
    return " and ".join(texts)


def _settled(relation: Any, bounds: Bounds) -> bool | None:
    """Whether bounds make a relation true, or false; None where neither."""
    from convcalc.algebra.symbolic.regions import everything
    from convcalc.algebra.symbolic.relations import solved, within

    names = list(map(str, relation.free_symbols))
    found = solved(relation) if len(names) == 1 else None
    if found is None or names[0] not in bounds:
        return True if within(relation, bounds) else None
    legal = everything([within_bounds(bounds[names[0]]), found])
    return False if legal.least is None else True if legal == within_bounds(bounds[names[0]]) else None


def within_bounds(bound: tuple[int, int | None]) -> Any:
    """The numbers from a lower to an upper bound."""
    from convcalc.algebra.periodic import Sizes

    low, high = bound
    return Sizes.from_(low) if high is None else Sizes.from_(low) & ~Sizes.from_(high + 1)


def _narrowed(graph: Graph, given: Given) -> Graph:
    """``graph`` with those minima decided that lower bounds decide."""
    if not given.bounds:
        return graph
    up = {name: letter(name) + low - 1 for name, (low, _) in given.bounds.items() if low > 1 and name in graph.letters}
    down = {name: letter(name) - low + 1 for name, (low, _) in given.bounds.items() if name in up}
    return graph.subs(up).subs(down) if up else graph  # what holds from a bound on holds from 1 on there


def told(given: Given) -> str:
    """What assumptions come to: ``H = W = 32·n, n ≥ 2``.

    >>> told(assume(["H % 32 == 0", "H == W", "H >= 64"], ["H", "W"]))
    'H = W = 32·n, n ≥ 2'
    """
    groups: dict[str, list[str]] = {}
    for name, value in given.values.items():
        groups.setdefault(show(value), []).append(name)
    parts = [" = ".join([*names, shown]) for shown, names in groups.items()]
    for name, (low, high) in given.bounds.items():
        below = f"{low} ≤ " if high is not None and low > 1 else ""
        parts.append(f"{name} ≥ {low}" if high is None else f"{below}{name} ≤ {high}")
    return ", ".join(parts)
