"""What a network's document needs in addition to its rows to be read back: the graph's part, and the version."""

from typing import Any

from convcalc.network.graph import Graph

SCHEMA_VERSION = 1
"""The version of a document's keys; `read` refuses others."""


def graph_part(graph: Graph) -> dict[str, Any]:
    """Return the entry ``graph`` of a document: what its rows, one for each call, do not say of the graph.

    >>> from convcalc import nn, trace
    >>> graph_part(trace(nn.Linear(8, 2), (1, 8)))
    {'inputs': ['input'], 'outputs': [''], 'owners': [''], 'owned': {'': 'Linear(8, 2)'}, 'modules': {}}
    """
    called = {id(node.layer): node.path for node in graph.nodes}
    return {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "owners": [node.owner for node in graph.nodes],
        "owned": {path: called.get(id(layer)) or repr(layer) for path, layer in graph.owned.items()},
        "modules": dict(graph.modules),
    }
