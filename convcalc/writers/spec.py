"""A graph as the canonical text of a spec sheet: blocks and loops where structure repeats, short names where they do.

Whatever is written is read back and compared before it is returned; a graph that a sheet cannot say is refused.
Blocks are found in `blocks`, statements made in `statements` and laid out in `layout`.
"""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra.dims import Dim
from convcalc.errors import ConvcalcError, UnsupportedOperation
from convcalc.network.graph import Graph
from convcalc.writers.blocks import Sheet


def write_spec(graph: Graph, name: str = "") -> str:
    """The sheet of a graph; ``name`` is the network's. The batch is left out, as on every sheet.

    Raises UnsupportedOperation where a sheet cannot say it, such as inputs of unlike batches.

    >>> from convcalc import nn, trace
    >>> print(write_spec(trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)), (1, 3, 32, 32))))
    input(3, 32, 32)
    <BLANKLINE>
    conv(8, 3)
    relu()
    maxpool(2)
    """
    batches = {shape[:1] for shape in graph.inputs.values()}
    if len(batches) != 1 or not all(len(shape) > 1 for shape in graph.inputs.values()):
        raise UnsupportedOperation(
            "a sheet has inputs of one batch, with sizes after it",
            details=[f"{name}: {shape}" for name, shape in graph.inputs.items()],
        )
    text = "\n".join([*([f"net({name!r})"] if name else []), *Sheet(graph).lines()])
    _check(graph, text, next(iter(batches))[0])
    return text


def _check(graph: Graph, text: str, batch: Dim) -> None:
    """Raise UnsupportedOperation unless ``text`` reads back as ``graph``."""
    from convcalc.readers.spec import read_spec

    what = "a sheet cannot say this network"
    try:
        difference = first_difference(graph, read_spec(text, "sheet", batch=batch).graph)
    except ConvcalcError as error:
        raise UnsupportedOperation(what, details=str(error).split("\n")) from None
    if difference:
        raise UnsupportedOperation(what, details=[difference])


def first_difference(a: Graph, b: Graph) -> str:
    """The first call in which two graphs differ, whatever their names; empty where there is none.

    >>> from convcalc import nn, trace
    >>> first_difference(*[trace(nn.Conv2d(3, c, 3), (1, 3, 8, 8)) for c in (8, 9)])
    'Conv2d(3, 8, 3) against Conv2d(3, 9, 3)'
    """
    if list(a.inputs.values()) != list(b.inputs.values()):
        return f"inputs {list(a.inputs.values())} against {list(b.inputs.values())}"
    for one, other in zip(_wired(a), _wired(b)):
        if one != other:
            differing = next((f"{x!r} against {y!r}" for x, y in zip(one, other) if x != y), "")
            return differing
    if len(a.nodes) != len(b.nodes):
        return f"{len(a.nodes)} calls against {len(b.nodes)}"
    outputs = [[_places(graph)[name] for name in graph.outputs] for graph in (a, b)]
    return "" if outputs[0] == outputs[1] else f"outputs {a.outputs} against {b.outputs}"


def _places(graph: Graph) -> dict[str, int]:
    names = [*graph.inputs, *(node.name for node in graph.nodes)]
    return {name: i for i, name in enumerate(names)}


def _wired(graph: Graph) -> Iterator[tuple[object, ...]]:
    """Each call without names: the layer, where its inputs come from, its shapes, which earlier call shares weights."""
    places = _places(graph)
    first: dict[int, int] = {}
    for i, node in enumerate(graph.nodes):
        held = bool(node.layer.weights() or node.layer.buffers())
        shared = first.setdefault(id(node.layer), i) if held else i
        yield node.layer, [places[name] for name in node.inputs], node.input_shapes, node.output_shape, shared
