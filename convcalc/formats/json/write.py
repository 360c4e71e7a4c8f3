"""Networks to JSON: the version, and what a document needs in addition to its rows to be read back.

The rows themselves are a report's, which `views` writes.
"""

from typing import Any

from convcalc.network.graph import Graph

SCHEMA_VERSION = 1
"""The version of the keys of a document; `read` refuses any other."""


def graph_part(graph: Graph) -> dict[str, Any]:
    """Return the entry ``graph`` of a document: what its rows, one for each call, do not say about the graph.

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
