"""A network as JSON that can be read back: the report's own rows and totals, and what the graph holds besides.

`readers.json` reads it. The report's keys are those of `json` and mean the same; ``graph`` is added.
"""

from __future__ import annotations

from typing import Any

from convcalc.analysis.report import Report
from convcalc.network.graph import Graph
from convcalc.writers import json


def render(report: Report) -> str:
    """``report`` as JSON text with the key ``graph``.

    >>> from convcalc.readers import summary
    >>> '"outputs": ["fc3"]' in render(summary("lenet5")), '"schema_version": 1' in render(summary("lenet5"))
    (True, True)
    """
    import json as standard

    text = json.render(report).removesuffix("}")
    return f'{text},\n "graph": {standard.dumps(as_graph(report.graph), ensure_ascii=False)}}}'


def as_graph(graph: Graph) -> dict[str, Any]:
    """What rows do not say: names of inputs, outputs, who calls, what is owned (its spec, if never called), modules."""
    called = {id(node.layer): node.path for node in graph.nodes}
    return {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "owners": [node.owner for node in graph.nodes],
        "owned": {path: called.get(id(layer)) or repr(layer) for path, layer in graph.owned.items()},
        "modules": dict(graph.modules),
    }
