"""A graph as nested calls: which calls of layers belong to one call of a module, what goes in and what comes out.

Writers of source text and of pictures start here. What is equal between modules is the business of `fold`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from convcalc.network.graph import Graph, Node

HOLDERS = ("Module", "ModuleList", "ModuleDict")
"""Modules that only hold others and are not called themselves."""

JOINING = ("Cat", "Stack")


@dataclass(frozen=True)
class Step:
    """One call of a layer (``node``), or of a module: the steps inside it, the values it reads and gives."""

    path: str
    node: Node | None
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def nodes(self) -> Iterator[Node]:
        """All calls of layers, in order."""
        if self.node is not None:
            yield self.node
        for step in self.steps:
            yield from step.nodes


def nested(graph: Graph, opened: Callable[[Step], bool] = lambda step: False) -> tuple[Step, ...]:
    """The steps of the whole network; a module that is ``opened`` is replaced by what is inside it.

    >>> from convcalc import zoo, trace
    >>> steps = nested(trace(zoo.load("resnet18")[0], (1, 3, 64, 64)))
    >>> [step.path for step in steps if step.node is None]
    ['layer1', 'layer2', 'layer3', 'layer4']
    """
    readers: dict[str, list[int]] = {}
    for i, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers.setdefault(name, []).append(i)
    for name in graph.outputs:
        readers.setdefault(name, []).append(len(graph.nodes))
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    return tuple(_steps(graph, graph.nodes, "", place, readers, opened))


def _steps(
    graph: Graph,
    nodes: Sequence[Node],
    path: str,
    place: dict[str, int],
    readers: dict[str, list[int]],
    opened: Callable[[Step], bool],
) -> Iterator[Step]:
    """The steps that calls ``nodes``, all made inside the module at ``path``, amount to."""
    for child, group in groupby(nodes, key=lambda node: _child(graph, path, node.owner)):
        run = list(group)
        if not child:
            yield from map(_leaf, run)
            continue
        joins, run = _leading_join(run)
        yield from map(_leaf, joins)
        if not run:
            continue
        inner = tuple(_steps(graph, run, child, place, readers, opened))
        first, last = place[run[0].name], place[run[-1].name]
        read = [name for node in run for name in node.inputs if not first <= place.get(name, -1) <= last]
        given = [node.name for node in run if any(not first <= i <= last for i in readers.get(node.name, ()))]
        step = Step(child, None, inner, tuple(dict.fromkeys(read)), tuple(given))
        yield from (inner if opened(step) else (step,))


def _leaf(node: Node) -> Step:
    return Step(node.path, node, (), node.inputs, (node.name,))


def _child(graph: Graph, path: str, owner: str) -> str:
    """The outermost module below ``path`` that was called on the way to ``owner``; empty where that is ``path``."""
    parts = owner.split(".") if owner else []
    for i in range(len(path.split(".")) + 1 if path else 1, len(parts) + 1):
        child = ".".join(parts[:i])
        if graph.modules.get(child, "Module") not in HOLDERS:
            return child
    return ""


def _leading_join(run: list[Node]) -> tuple[list[Node], list[Node]]:
    """A module that begins by joining its inputs, cut behind that: its rest has one input, however many there were."""
    first, rest = run[0], run[1:]
    inside = {node.name for node in run}
    read = {name for node in rest for name in node.inputs if name not in inside} | {first.name}
    joins = type(first.layer).__name__ in JOINING and len(read) == 1 and rest
    return ([first], rest) if joins else ([], run)


def spliced(steps: Sequence[Step], paths: Collection[str]) -> tuple[Step, ...]:
    """``steps`` with the modules at ``paths`` replaced by what is inside them."""
    result: list[Step] = []
    for step in steps:
        inner = spliced(step.steps, paths)
        result.extend(inner if step.node is None and step.path in paths else [replace(step, steps=inner)])
    return tuple(result)
