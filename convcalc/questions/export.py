"""A network in the language of another program: a sheet, torch code, JSON, or the source of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convcalc.algebra.dims import show_count
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.report import analyze
from convcalc.analysis.count.tally import count_totals
from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.graph import Graph
from convcalc.questions.sources import traced


def export(
    network: Any, *shapes: Shape | str, to: str, batch: Dim | str | None = None, settings: Mapping[str, Any] = {}
) -> str:
    """Return a network as text in the language ``to``: ``torch``, ``net`` (a sheet), ``json``, ``dot``, ``mermaid``.

    Other arguments and errors are those of `summary`; in addition, raises UnsupportedOperation if the language cannot
    express the network, and UnknownName for another language.

    >>> print(export("flatten(); linear(10)", "1x28x28", to="net"), end="")
    net('sheet')
    input(1, 28, 28)
    <BLANKLINE>
    flatten()
    linear(10)
    """
    source, _, graph = traced(network, *shapes, batch=batch, settings=settings)
    return write_graph(graph, to, source.name).rstrip("\n") + "\n"


def write_graph(graph: Graph, to: str, name: str = "") -> str:
    """Return a graph as text in the language ``to``; ``name`` is the network's. Raises the same errors as `export`.

    >>> from convcalc import nn, trace
    >>> write_graph(trace(nn.Linear(8, 2), (1, 8)), "net").splitlines()
    ['input(8)', '', 'linear(2)']
    """
    if to == "torch":
        from convcalc.formats.torch.write import write_torch

        return write_torch(graph, name, _counted(graph))
    if to == "net":
        from convcalc.formats.code.structure import holds
        from convcalc.formats.sheet.write import write_spec

        lost = [path for path in graph.unused if holds(graph.owned[path])]
        note = f"\n\n# never called, and therefore not on this sheet: {', '.join(lost)}" if lost else ""
        return write_spec(graph, name) + note
    if to == "json":
        return _json(graph, name)
    if to in ("dot", "mermaid"):
        from convcalc.formats.picture import write_dot, write_mermaid

        return write_dot(graph, name or "network") if to == "dot" else write_mermaid(graph)
    languages = ("torch", "net", "json", "dot", "mermaid")
    hint = did_you_mean(to, languages) or f"there are {', '.join(languages)}"
    raise UnknownName(f"cannot export to {to!r}", hint=hint)


def _counted(graph: Graph) -> str:
    """Return the parameters and MACs of a graph as a phrase."""
    counts = count_totals(graph, ("params", "macs"))
    params, macs = counts["params"], counts["macs"]
    at_least = "" if macs.complete else "at least "
    return f"{show_count(params.value or 0)} parameters, {at_least}{show_count(macs.value or 0)} MACs"


def _json(graph: Graph, name: str) -> str:
    """Return a report as JSON, with what is needed to read the graph back."""
    from convcalc.formats.json.write import graph_part
    from convcalc.views import json

    return json.lines({**json.report(analyze(graph, network=name)), "graph": graph_part(graph)})
