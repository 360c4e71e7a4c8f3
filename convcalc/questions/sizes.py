"""Which sizes a network takes; the analyses compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.analysis.solving.legal import Legal, Verdict, judge, lettered, study
from convcalc.network.graph import Graph
from convcalc.questions.sources import full_shapes, read


class Answer(NamedTuple):
    """The sizes that a network takes; of numbers a verdict, and their graph if they work."""

    name: str
    legal: Legal
    verdict: Verdict | None
    graph: Graph | None


def sizes(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
) -> Answer:
    """The legal sizes of a network; arguments and errors as of `summary`. Shapes in numbers get a verdict.

    >>> sizes("alexnet").legal.told(), sizes("alexnet", "3x62x62").verdict.above
    (['H ≥ 63, W ≥ 63'], ((1, 3, 63, 63),))
    """
    source = read(network, settings)
    full = full_shapes(source, shapes, batch)
    open = bool(letters_in(*full))
    # numbers for the axes that may have to be held: those given, else the network's usual ones
    usual = [(shape[0], *sizes) for shape, sizes in zip(full, source.inputs)] if open and source.input else full
    found = study(source.graph, [(shape[0], *lettered(shape[1:])) for shape in full], usual)
    if not shapes or open:
        return Answer(source.name, found, None, found.graph)
    verdict = judge(source.graph, found, full)
    return Answer(source.name, found, verdict, source.graph(*full) if verdict.works else None)


def letters_in(*shapes: Iterable[Any]) -> dict[str, None]:
    """The letters in shapes, in order."""
    return dict.fromkeys(
        str(name) for shape in shapes for dim in shape if is_symbolic(dim) for name in dim.free_symbols
    )
