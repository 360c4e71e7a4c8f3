"""The module tree of a graph as torch holds it: which attribute sits where, and how it is reached.

Text is made by `torch`; what a module's ``forward`` says, by `forward`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from keyword import iskeyword

from convcalc.layers.base import Layer
from convcalc.network.graph import Graph
from convcalc.writers.structure import HOLDERS


@dataclass
class Tree:
    """A module, or the layer at a path; ``alias`` is the path at which the same layer was made before."""

    path: str
    kind: str
    layer: Layer | None = None
    alias: str = ""
    children: dict[str, Tree] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.path.rpartition(".")[2]

    @property
    def numbered(self) -> bool:
        """Whether the children are named 0, 1, 2, ... as those of torch's Sequential and ModuleList."""
        return bool(self.children) and list(self.children) == [str(i) for i in range(len(self.children))]

    @property
    def container(self) -> str:
        """The class of torch.nn that holds the children, where no class is written for that; else an empty text."""
        if self.kind == "Sequential":
            return "Sequential"
        if self.kind in HOLDERS and self.path:
            return "ModuleList" if self.numbered else "ModuleDict"
        return ""

    def modules(self) -> Iterator[Tree]:
        """All modules below and including this one, the innermost first."""
        for child in self.children.values():
            if child.layer is None:
                yield from child.modules()
        yield self


def tree_of(graph: Graph) -> Tree:
    """The tree of all that a graph owns, and of the modules that were called.

    >>> from convcalc import zoo, trace
    >>> list(tree_of(trace(zoo.load("lenet5")[0], (1, 1, 32, 32))).children)[:2]
    ['conv1', 'relu1']
    """
    root = Tree("", graph.modules.get("", "Module"))
    first: dict[int, str] = {}
    for path, layer in graph.owned.items():
        alias = first.setdefault(id(layer), path)
        if not path:
            root.layer = layer
        else:
            _grow(graph, root, path, Tree(path, type(layer).__name__, layer, alias if alias != path else ""))
    for path in graph.modules:
        if path:
            _grow(graph, root, path, Tree(path, graph.modules[path]))
    return root


def _grow(graph: Graph, root: Tree, path: str, leaf: Tree) -> None:
    """Put ``leaf`` into the tree, with the modules on the way to it."""
    parts = path.split(".")
    at = root
    for i, part in enumerate(parts[:-1], 1):
        inner = ".".join(parts[:i])
        at = at.children.setdefault(part, Tree(inner, graph.modules.get(inner, "Module")))
    at.children.setdefault(parts[-1], leaf)


def reached(scope: Tree, path: str) -> str:
    """How the module at ``scope`` reaches what is at ``path`` below it: ``self.layer1[0].conv1``."""
    if path == scope.path:
        return "super().forward"  # the network is a single layer, and its class a kind of that
    at, said = scope, "self"
    for part in path[len(scope.path) :].lstrip(".").split("."):
        if at.numbered:
            said += f"[{part}]"
        elif at.container == "ModuleDict":
            said += f'["{part}"]'
        else:
            said += f".{part}" if plain_name(part) else f'.get_submodule("{part}")'
        at = at.children[part]
    return said


def plain_name(name: str) -> bool:
    """Whether a name can be an attribute in source text."""
    return name.isidentifier() and not iskeyword(name)
