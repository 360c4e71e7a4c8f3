"""The structure of a graph for writers of code: nested calls of modules, and the tree of modules. It prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from json import dumps
from keyword import iskeyword
from typing import Any
from unicodedata import is_normalized

from convcalc.layers.base import Layer, Output
from convcalc.network.graph import Graph, Node

HOLDERS = ("Module", "ModuleList", "ModuleDict")
"""Modules that only hold others and are never called."""

METHODS = frozenset(["append", "clear", "extend", "insert", "items", "keys", "pop", "update", "values"])
"""The methods of torch's containers, which the name of a child must not hide."""


def holds(layer: Layer) -> bool:
    """Return whether a layer has tensors of its own.

    >>> from convcalc import nn
    >>> holds(nn.Linear(3, 4)), holds(nn.ReLU())
    (True, False)
    """
    return bool(layer.weights() or layer.buffers())


@dataclass(frozen=True)
class Invocation:
    """A call of a layer (``node``) or of a module: the values it reads and produces, and the invocations inside."""

    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    node: Node | None = None
    steps: tuple[Invocation, ...] = ()

    @property
    def nodes(self) -> Iterator[Node]:
        """Yield all calls of layers, in order."""
        if self.node is not None:
            yield self.node
        for step in self.steps:
            yield from step.nodes

    @property
    def inner(self) -> list[Invocation]:
        """Return the calls of modules directly inside."""
        return [step for step in self.steps if step.node is None]


def nest_calls(graph: Graph, opened: Callable[[Invocation], bool] = lambda step: False) -> Invocation:
    """Return the whole network as one invocation; a module that is ``opened`` is replaced by its contents.

    Additional outputs of a layer are outputs of its call, not invocations of their own.

    >>> from convcalc import zoo, trace
    >>> [step.path for step in nest_calls(trace(zoo.load("resnet18")[0], (1, 3, 64, 64))).inner]
    ['layer1', 'layer2', 'layer3', 'layer4']
    """
    place = {node.name: i for i, node in enumerate(graph.nodes)}
    parts = {(node.inputs[0], node.layer.name): node.name for node in graph.nodes if isinstance(node.layer, Output)}
    readers: dict[str, list[int]] = {}
    for i, names in enumerate([*(node.inputs for node in graph.nodes), graph.outputs]):
        for name in names:
            readers.setdefault(name, []).append(i)

    def call_layers(nodes: Sequence[Node]) -> Iterator[Invocation]:
        for node in nodes:
            either = node.layer.alternatives
            read = [name for name in either if (node.name, name) in parts] or either[:1]
            names = [n for n in node.layer.further_outputs(*node.input_shapes) if n not in either or n in read]
            further = [parts.get((node.name, name), f"{node.name}/{name}") for name in names]
            if not isinstance(node.layer, Output):
                yield Invocation(node.path, node.inputs, (node.name, *further), node)

    def steps(nodes: Sequence[Node], path: str) -> Iterator[Invocation]:
        for child, group in groupby(nodes, key=lambda node: _child(graph, path, node.owner)):
            run = list(group)
            joins = _joins(run) if child else len(run)
            yield from call_layers(run[:joins])
            if not (run := run[joins:]):
                continue
            first, last = place[run[0].name], place[run[-1].name]
            read = [name for node in run for name in node.inputs if not first <= place.get(name, -1) <= last]
            produced = [node.name for node in run if any(not first <= i <= last for i in readers.get(node.name, ()))]
            step = Invocation(child, tuple(dict.fromkeys(read)), tuple(produced), None, tuple(steps(run, child)))
            yield from (step.steps if opened(step) else (step,))

    return Invocation("", tuple(graph.inputs), graph.outputs, None, tuple(steps(graph.nodes, "")))


def _child(graph: Graph, path: str, owner: str) -> str:
    """Return the path of the outermost module below ``path`` on the way to ``owner``; an empty text if none."""
    parts = owner.split(".") if owner else []
    for i in range(len(path.split(".")) + 1 if path else 1, len(parts) + 1):
        child = ".".join(parts[:i])
        if graph.modules.get(child, "Module") not in HOLDERS:
            return child
    return ""


def _joins(run: Sequence[Node]) -> int:
    """Return 1 if a module begins by merging its inputs, so that the rest of it has one input; else 0."""
    first, *rest = run
    inside = {node.name for node in run}
    read = {name for node in rest for name in node.inputs if name not in inside} | {first.name}
    return int(first.layer.joins and len(read) == 1 and bool(rest))


@dataclass
class Tree:
    """A layer, or a module with its children."""

    path: str
    kind: str
    layer: Layer | None = None
    children: dict[str, Tree] = field(default_factory=dict)

    @property
    def inner(self) -> list[Tree]:
        """Return the children that are modules."""
        return [child for child in self.children.values() if child.layer is None]

    @property
    def bare(self) -> bool:
        """Return whether no container of torch.nn can hold the children: tensors, or a name that hides a method."""
        return any(tensor_word(child.layer) or name in METHODS for name, child in self.children.items())

    @property
    def numbered(self) -> bool:
        """Return whether the children are named 0, 1, 2, ..."""
        in_order = list(self.children) == [str(i) for i in range(len(self.children))]
        return bool(self.children) and in_order and not self.bare

    @property
    def sequential(self) -> bool:
        """Return whether its class derives from torch's Sequential."""
        return self.numbered or (self.kind == "Sequential" and not self.bare)

    @property
    def container(self) -> str:
        """Return the container of torch.nn that holds the children; an empty text if a class has to be written."""
        if self.bare:
            return ""
        if self.kind in HOLDERS and self.path:
            return "ModuleList" if self.numbered else "ModuleDict"
        return "Sequential" if self.kind == "Sequential" else ""

    def reach(self, path: str) -> str:
        """Return the expression by which this module reaches ``path`` below it: ``self.layer1[0].conv1``."""
        if path == self.path:
            return "super().forward"  # the network is a single layer, from whose class its own derives
        tree, reached = self, "self"
        for part in path[len(self.path) :].lstrip(".").split("."):
            if tree.numbered:
                reached += f"[{part}]"
            elif tree.container == "ModuleDict":
                reached += f"[{quote(part)}]"
            elif is_plain_name(part):
                reached += f".{part}"
            else:
                reached += f".get_{tensor_word(tree.children[part].layer) or 'submodule'}({quote(part)})"
            tree = tree.children[part]
        return reached

    def put(self, path: str, value: str, layer: Layer) -> str:
        """Return the statement that puts a value in the place of the layer at ``path``."""
        head, _, name = path.rpartition(".")
        reached = self.reach(path)
        if not reached.endswith(")"):
            return f"{reached} = {value}"
        holder = self.reach(head) if head else "self"
        return f"{holder}.{setter(tensor_word(layer))}({quote(name)}, {value})"


def tensor_word(layer: Layer | None) -> str:
    """Return the word for a tensor in torch's methods, such as ``buffer``; an empty text for other layers."""
    return layer.held_as if layer is not None else ""


def setter(word: str) -> str:
    """Return the method of torch's modules that registers a child, for the `tensor_word` of that child."""
    return f"register_{word}" if word else "add_module"


def build_tree(graph: Graph) -> Tree:
    """Return the tree of all modules and layers that a graph owns or calls.

    >>> from convcalc import zoo, trace
    >>> list(build_tree(trace(zoo.load("lenet5")[0], (1, 1, 32, 32))).children)[:2]
    ['conv1', 'relu1']
    """
    root = Tree("", graph.modules.get("", "Module"), graph.owned.get(""))
    for path in filter(None, [*graph.owned, *graph.modules]):
        at = root
        parts = path.split(".")
        for i, part in enumerate(parts, 1):
            inner = ".".join(parts[:i])
            layer = graph.owned.get(inner) if inner == path else None
            kind = graph.modules.get(inner, "Module") if layer is None else type(layer).__name__
            at = at.children.setdefault(part, Tree(inner, kind, layer))
    return root


def is_plain_name(name: str) -> bool:
    """Return whether Python keeps a name as it is when it is written as an attribute.

    >>> [*map(is_plain_name, ("größe", "a-b", "__a", "ﬁ"))]
    [True, False, False, False]
    """
    mangled = name.startswith("__") and not name.endswith("__")
    return name.isidentifier() and not iskeyword(name) and not mangled and is_normalized("NFKC", name)


def quote(name: str) -> str:
    """Return a name as a string literal of Python.

    >>> print(quote("a-b"), quote('say "x"'))
    "a-b" "say \\"x\\""
    """
    return dumps(name) if name.isascii() else repr(name)


def levels(root: Any) -> list[list[Any]]:
    """Return an invocation or a tree and the modules inside it by height, those without modules inside first.

    >>> [[tree.path for tree in level] for level in levels(Tree("", "Module", children={"a": Tree("a", "Module")}))]
    [['a'], ['']]
    """
    by_height: dict[int, list[Any]] = {}

    def height(item: Any) -> int:
        n = 1 + max(map(height, item.inner), default=0)
        by_height.setdefault(n, []).append(item)
        return n

    height(root)
    return [by_height[n] for n in sorted(by_height)]
