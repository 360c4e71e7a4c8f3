"""Pixels that no window reads because a floor cut the last one off: where, how many, for which sizes.

A window that moves by more than one leaves a rest at the end of an axis unless the size fits. Sizes that fail
altogether are `legal`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, as_dim, at_least, is_symbolic, truth
from convcalc.algebra.field import Axis, Field
from convcalc.layers.checks import axis_name
from convcalc.network.graph import Graph, Node


class Loss(NamedTuple):
    """What one node leaves unread at the end of an axis of ``size``: so many positions, and for which sizes."""

    node: str
    axis: str
    size: Dim
    lost: Dim
    when: str


def floor_loss(graph: Graph) -> list[Loss]:
    """All losses in the order of the nodes; none where every window fits.

    >>> from convcalc import nn, trace
    >>> floor_loss(trace(nn.MaxPool2d(2), (1, 3, 7, 8)))
    [Loss(node='', axis='height', size=7, lost=1, when='')]
    """
    return [loss for node in graph.nodes for loss in _of_node(node)]


def _of_node(node: Node) -> Iterator[Loss]:
    if len(node.input_shapes) != 1 or not hasattr(node.layer, "stride"):
        return
    (before,) = node.input_shapes
    field = node.layer.field([Field.of_input(len(before))], [before], node.output_shape)
    for i, axis in enumerate(field.axes if field is not None else ()):
        if not isinstance(axis, Axis) or axis.source != i - 2 or len(axis.phases) > 1:
            continue
        (seen,) = axis.phases
        if seen and axis.advance > 1:
            last = seen[1] + (node.output_shape[i] - 1) * axis.advance
            lost = as_dim(before[i] - 1 - last)
            if truth(at_least(0, lost)) is not True:
                yield Loss(node.name, axis_name(len(before), i), before[i], lost, _when(lost))


def _when(lost: Any) -> str:
    """The sizes for which something is lost, for people."""
    if not is_symbolic(lost):
        return ""
    from convcalc.algebra.symbolic.relations import loses

    return loses(lost)
