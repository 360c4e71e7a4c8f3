"""A graph in the language of another program, by the name of that: one function each in its own file."""

from __future__ import annotations

from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.graph import Graph


def export(graph: Graph, target: str, name: str = "") -> str:
    """``graph`` as ``torch``, ``net``, ``json``, ``dot`` or ``mermaid``; ``name`` is the network's.

    Raises UnsupportedOperation where the target cannot say it, and UnknownName for another target.

    >>> from convcalc import nn, trace
    >>> print(export(trace(nn.Sequential(nn.Linear(8, 2)), (1, 8)), "net", "tiny"))
    net('tiny')
    input(8)
    <BLANKLINE>
    linear(2)
    """
    if target == "torch":
        from convcalc.writers.torch import write_torch

        return write_torch(graph, name)
    if target == "net":
        from convcalc.writers.spec import write_spec

        return write_spec(graph, name) + _never_called(graph)
    if target == "json":
        from convcalc.analysis.report import analyze
        from convcalc.writers.exchange import render

        return render(analyze(graph, network=name))
    if target in ("dot", "mermaid"):
        from convcalc.writers.diagram import write_dot, write_mermaid

        return write_dot(graph, name or "network") if target == "dot" else write_mermaid(graph)
    known = ("torch", "net", "json", "dot", "mermaid")
    raise UnknownName(
        f"cannot export to {target!r}", hint=did_you_mean(target, known) or f"there are {', '.join(known)}"
    )


def _never_called(graph: Graph) -> str:
    """A remark on what a sheet leaves out, since on a sheet every layer is called."""
    lost = [path for path in graph.unused if graph.owned[path].weights() or graph.owned[path].buffers()]
    return f"\n\n# never called, and so not on this sheet: {', '.join(lost)}" if lost else ""
