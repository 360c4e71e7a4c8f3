"""Random networks against real torch modules built from their graphs, node by node after a real forward pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from typing import Any

import torch
from hypothesis import given
from torch.utils.flop_counter import FlopCounterMode

from convcalc import trace
from convcalc.algebra.field import Field
from convcalc.algebra.intervals import Along
from convcalc.algebra.symbolic import symbol
from convcalc.analysis.fields.flow import field_of
from convcalc.layers.slicing import Slice
from convcalc.network.graph import Node
from tests.random_networks import Network, Plan, plans
from tests.torch_modules import FromGraph


@given(plans())
def test_equals_torch_node_by_node(plan: Plan) -> None:
    graph = trace(Network(plan), plan.shapes[0])
    module = FromGraph(graph)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        (output,) = module(torch.randn(plan.shapes[0]))

    assert {node.name: node.output_shape for node in graph.nodes} == module.shapes
    assert graph.nodes[-1].output_shape == tuple(output.shape)
    assert graph.state_dict() == {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    flops = sum(2 * (node.layer.work(node.input_shapes, node.output_shape) or {}).get("mac", 0) for node in graph.nodes)
    assert flops == counter.get_total_flops()


@given(plans())
def test_layers_are_owned_once_and_calls_are_numbered(plan: Plan) -> None:
    graph = trace(Network(plan), plan.shapes[0])
    assert [node.layer for node in graph.nodes] == [layer for layer, _ in plan.calls]

    owned = {id(layer): layer for layer in graph.owned.values()}
    learned = sum(prod(shape) for layer in owned.values() for shape in layer.weights().values())
    assert learned == sum(p.numel() for p in FromGraph(graph).parameters())

    seen: Counter[int] = Counter()
    for node, (layer, _) in zip(graph.nodes, plan.calls):
        assert graph.owned[node.path] is layer
        assert node.call == seen[id(layer)]
        seen[id(layer)] += 1
    assert graph.unused == (("spare.head",) if "spare.head" in plan.paths else ())


@given(plans(high=14))
def test_letters_give_the_same_shapes_once_numbers_are_put_in(plan: Plan) -> None:
    sizes = {symbol(letter): n for letter, n in zip("NCDHW", plan.shapes[0]) if letter not in "NC"}
    graph = trace(Network(plan), (*plan.shapes[0][:2], *sizes))

    def filled(shape: tuple[Any, ...]) -> tuple[int, ...]:
        return tuple(n if isinstance(n, int) else int(n.subs(sizes)) for n in shape)

    assert [filled(node.output_shape) for node in graph.nodes] == plan.shapes[1:]
    assert [relation for relation in graph.assumptions if not relation.subs(sizes)] == []


@given(plans(high=20, head=False))
def test_receptive_fields_hold_all_that_a_unit_sees_and_end_where_it_ends(plan: Plan) -> None:
    """NaN in one line of pixels reaches exactly the units that see it; each sample has a line of its own."""
    spatial = plan.shapes[0][2:]
    lines = [(axis, position) for axis, n in enumerate(spatial) for position in range(n)]
    graph = trace(Network(plan), (len(lines), *plan.shapes[0][1:]))
    x = torch.ones(len(lines), *plan.shapes[0][1:], dtype=torch.float64)  # in float32 Winograd tiles would smear NaN
    for sample, (axis, position) in enumerate(lines):
        x[sample].select(axis + 1, position).fill_(torch.nan)
    names = tuple(node.name for node in graph.nodes)
    with torch.no_grad():
        values = FromGraph(replace(graph, outputs=names)).double()(x)

    loose: set[str] = set()
    fields: dict[str, Field | None] = {"input": Field.of_input(x.dim())}
    for node, value in zip(graph.nodes, values):
        before = [field for name in node.inputs if (field := fields[name]) is not None]
        known = len(before) == len(node.inputs)
        field = field_of(node.layer, before, node.input_shapes, node.output_shape) if known else None
        fields[node.name] = field
        if isinstance(node.layer, Slice) or not loose.isdisjoint(node.inputs):
            loose.add(node.name)  # what is left of the channels may see less than all of them did
        for i, axis in enumerate(field.axes if field else ()):
            if axis is not None and axis.source not in field.whole | field.gates:
                probes = [sample for sample, (source, _) in enumerate(lines) if source == axis.source]
                reached = value[probes].isnan().transpose(1, i).flatten(2).any(2)  # probe by unit
                check_axis(axis, reached, node, axis.exact and node.name not in loose)


def check_axis(axis: Along, reached: torch.Tensor, node: Node, exact: bool) -> None:
    """The interval of each unit holds the pixels that reach it, and ends with them where the border does not cut it."""
    for unit in range(reached.shape[1]):
        seen = reached[:, unit].nonzero().flatten().tolist()
        interval = axis.interval(unit)
        low, high = (0, -1) if interval is None else interval
        assert all(low <= pixel <= high for pixel in seen), (node, unit, interval, seen)
        if exact and 0 <= low <= high < len(reached):
            assert (seen[0], seen[-1]) == (low, high), (node, unit, interval, seen)
