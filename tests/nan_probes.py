"""Which units a pixel reaches in a real torch forward pass: a pixel is NaN, and so is all that it reaches.

Each sample of the batch has its own pixel. Linear interpolation multiplies by weights of 0, through which NaN goes
though nothing is seen: there the NaN are led by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch.utils._pytree import tree_leaves

from convcalc.algebra.field import Packed, Part
from convcalc.analysis.fields.sight import Sight
from convcalc.layers.base import Output
from convcalc.layers.merging import _Broadcasting
from convcalc.layers.slicing import Slice
from convcalc.layers.transposed import _MaxUnpool
from convcalc.network.graph import Graph, Node
from tests.torch_modules import FromGraph

Pixel = tuple[int, ...]


def probes(
    graph: Graph, pixels: Sequence[Pixel], double: bool = True, through_gates: bool = False
) -> Iterator[tuple[Node, torch.Tensor]]:
    """Each node of a graph of batch 1, and a tensor that is True where NaN came; gates let it through if asked for."""
    module = FromGraph(graph)
    module = module.double() if double else module
    (shape,) = graph.inputs.values()
    x = torch.rand(len(pixels), *shape[1:], dtype=torch.float64 if double else torch.float32) + 0.5
    for sample, pixel in enumerate(pixels):
        x[(sample, slice(None), *pixel)] = torch.nan
    values: dict[str, torch.Tensor] = {next(iter(graph.inputs)): x}
    results: dict[str, list[torch.Tensor]] = {}
    last = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
    with torch.no_grad(), mkldnn_off():
        for i, node in enumerate(graph.nodes):
            operands = [values[name] for name in node.inputs]
            if isinstance(node.layer, Output):
                further = list(node.layer.source.further_outputs(*node.input_shapes[1:]))
                value = results[node.inputs[0]][1 + further.index(node.layer.name)]
            else:
                results[node.name] = forward(module, node, operands, through_gates)
                value = results[node.name][0]
            values[node.name] = value
            yield node, value.isnan()
            for name in node.inputs:
                if last[name] == i:
                    values.pop(name, None)
                    results.pop(name, None)


@contextmanager
def mkldnn_off() -> Iterator[None]:
    """Convolutions by matrix products: Winograd's tiles would smear NaN."""
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)


def forward(module: FromGraph, node: Node, operands: list[torch.Tensor], through_gates: bool) -> list[torch.Tensor]:
    """One call; gates are cleaned of NaN, linear interpolation leads them by their weights."""
    if isinstance(node.layer, _Broadcasting) and not through_gates:
        full = max(x.shape[2:].numel() for x in operands)
        operands = [x if x.shape[2:].numel() == full else x.nan_to_num(1) for x in operands]
    layer = module._built[id(node.layer)]
    if "linear" in getattr(node.layer, "mode", ""):
        reached = layer(operands[0].isnan().to(operands[0].dtype)) > 0
        return [layer(operands[0].nan_to_num(1)).masked_fill(reached, torch.nan)]
    return tree_leaves(layer(*operands))


def expected(sight: Sight, name: str, boxes: Sequence[tuple[int, ...]]) -> torch.Tensor:
    """The units in these boxes, along the axes where the node's field moves."""
    sizes = [sight.shapes[name][i] for i in sight.axes(name)]
    found = torch.zeros(sizes, dtype=torch.bool)
    for box in boxes:
        inside = torch.ones(sizes, dtype=torch.bool)
        for i, (positions, n) in enumerate(zip(box, sizes)):
            held = torch.tensor([bool(positions >> unit & 1) for unit in range(n)])
            inside &= held.reshape([-1 if j == i else 1 for j in range(len(sizes))])
        found |= inside
    return found


def reached(sight: Sight, name: str, nan: torch.Tensor) -> torch.Tensor:
    """A sample's NaN along the axes where the node's field moves: in any channel."""
    others = [i for i in range(nan.dim()) if i not in sight.axes(name)]
    return nan.sum(others) > 0 if others else nan


def is_local(sight: Sight, name: str) -> bool:
    """Whether the node has a field that moves, along tensor axes of its own, and sees no axis from end to end."""
    field = sight.fields[name]
    if field is None or field.whole or any(isinstance(axis, (Part, Packed)) for axis in field.axes):
        return False
    return bool(sight.axes(name))


def loose_nodes(graph: Graph) -> set[str]:
    """Nodes that NaN may miss although they see it, and all after them.

    What is left of a part of the channels may see less than all of them did; places of maxima are never NaN, and with
    them NaN is put at one place alone.
    """
    loose: set[str] = set()
    for node in graph.nodes:
        if isinstance(node.layer, (Slice, Output, _MaxUnpool)) or not loose.isdisjoint(node.inputs):
            loose.add(node.name)
    return loose


def compare(
    graph: Graph, pixels: Sequence[Pixel], double: bool = True, through_gates: bool = False
) -> Mapping[str, int]:
    """Hold every unit of every local node against torch for these pixels; returns how many units each node has."""
    sight = Sight(graph, through_gates)
    covers = [sight.covers(pixel) for pixel in pixels]
    loose = loose_nodes(graph)
    counted = {}
    for node, nan in probes(graph, pixels, double, through_gates):
        if not is_local(sight, node.name):
            continue
        for sample, pixel in enumerate(pixels):
            real = reached(sight, node.name, nan[sample : sample + 1])
            told = expected(sight, node.name, covers[sample][node.name])
            if node.name in loose:
                assert not (real & ~told).any(), (node, pixel)
            else:
                assert torch.equal(real, told), (node, pixel, real.nonzero().tolist(), told.nonzero().tolist())
        counted[node.name] = told.numel()
    return counted
