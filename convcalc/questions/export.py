"""A graph in the language of another program: a sheet, torch code, JSON, and pictures' source."""

from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.graph import Graph


def export(graph: Graph, target: str, name: str = "") -> str:
    """``graph`` as ``torch``, ``net``, ``json``, ``dot`` or ``mermaid``; ``name`` is the network's.

    Raises UnsupportedOperation where the target cannot say it, and UnknownName for another target.

    >>> from convcalc import nn, trace
    >>> export(trace(nn.Linear(8, 2), (1, 8)), "net").splitlines()
    ['input(8)', '', 'linear(2)']
    """
    if target == "torch":
        from convcalc.formats.torch.write import write_torch

        return write_torch(graph, name)
    if target == "net":
        from convcalc.formats.code.structure import holds
        from convcalc.formats.sheet.write import write_spec

        lost = [path for path in graph.unused if holds(graph.owned[path])]
        told = f"\n\n# never called, and so not on this sheet: {', '.join(lost)}" if lost else ""
        return write_spec(graph, name) + told
    if target == "json":
        return _json(graph, name)
    if target in ("dot", "mermaid"):
        from convcalc.formats.picture import write_dot, write_mermaid

        return write_dot(graph, name or "network") if target == "dot" else write_mermaid(graph)
    known = ("torch", "net", "json", "dot", "mermaid")
    hint = did_you_mean(target, known) or f"there are {', '.join(known)}"
    raise UnknownName(f"cannot export to {target!r}", hint=hint)


def _json(graph: Graph, name: str) -> str:
    """A report as JSON, with what `readers.json` needs besides."""
    from json import dumps

    from convcalc.analysis.count.report import analyze
    from convcalc.views.json import render

    called = {id(node.layer): node.path for node in graph.nodes}
    more = {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "owners": [node.owner for node in graph.nodes],
        "owned": {path: called.get(id(layer)) or repr(layer) for path, layer in graph.owned.items()},
        "modules": dict(graph.modules),
    }
    text = render(analyze(graph, network=name)).removesuffix("}")
    return f'{text},\n "graph": {dumps(more, ensure_ascii=False)}}}'
