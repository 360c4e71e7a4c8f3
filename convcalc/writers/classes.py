"""The classes of a torch module tree: modules whose children and ``forward`` agree up to numbers share one.

A class is a form (see `fold`) until its numbers are named; `torch` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.layers.base import Output
from convcalc.network.graph import Graph, Node
from convcalc.network.parameter import Buffer, Parameter
from convcalc.writers.fold import Definition, fresh, groups, unify
from convcalc.writers.forms import Argument
from convcalc.writers.forward import Operation, numbered
from convcalc.writers.modules import Tree, reached, tree_of
from convcalc.writers.operators import (
    FUNCTIONS,
    ONLY_FUNCTIONS,
    check,
    constructed,
    function_form,
    pad_mode,
    pads_form,
    whole_layers,
)
from convcalc.writers.structure import Step, nested

PARAMETERS = {
    "out_channels": "channels",
    "num_features": "channels",
    "shape": "channels",
    "in_channels": "in_channels",
    "normalized_shape": "features",
}
"""What a class's arguments are called, by the layer's argument that they stand for."""


ENOUGH_ALIKE = 3  # plain Sequentials of one kind that are worth a class


@dataclass(frozen=True)
class Class:
    """A class to be printed: ``base`` is of torch.nn; its body holds the children's forms and that of ``forward``."""

    name: str
    base: str
    definition: Definition


class Modules:
    """All classes of a graph, the innermost first; the last is the network itself."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.root = tree_of(graph)
        self.by_path = {tree.path: tree for tree in self.root.modules()}
        self.parts = {node.name: node for node in graph.nodes if isinstance(node.layer, Output)}
        self.whole: set[int] = whole_layers(graph)
        self.opened: set[str] = set()
        self.runs = self._runs()
        while more := self._unlike():
            self.opened |= more
            self.runs = self._runs()
        self.classes: list[Class] = []
        self.made: dict[str, tuple[Class, int]] = {}
        self.functions: dict[Any, str] = {}
        self.names: set[str] = {"F", "nn", "torch", "OrderedDict"}
        levels: dict[int, list[Tree]] = {}
        _by_height(self.root, levels)
        for height in sorted(levels):
            self._define([tree for tree in levels[height] if self._classed(tree)], name)

    def _runs(self) -> dict[str, list[Step]]:
        """The calls of each module, and of the whole under the empty path."""
        steps = nested(self.graph, lambda step: step.path in self.opened or not self._closed(step))
        runs: dict[str, list[Step]] = {"": [Step("", None, steps, tuple(self.graph.inputs), self.graph.outputs)]}
        for step in _modules(steps):
            runs.setdefault(step.path, []).append(step)
        return runs

    def _closed(self, step: Step) -> bool:
        """Whether a module holds all layers with tensors that it calls."""
        inside = step.path + "."
        return all(node.path.startswith(inside) or not _holds(node) for node in step.nodes)

    def _unlike(self) -> set[str]:
        """Modules whose calls differ: their callers reach into them."""
        found = set()
        for path, runs in self.runs.items():
            if len(runs) > 1 and len({repr(self._forward(self.by_path[path], run)) for run in runs}) > 1:
                found.add(path)
        return found

    def _classed(self, tree: Tree) -> bool:
        """Whether a class may be written for a module: not for lists and dicts."""
        return not tree.path or tree.container in ("", "Sequential")

    def _plain(self, tree: Tree) -> bool:
        """Whether a module does what torch's Sequential does: each child once, in order, on what went before."""
        children = list(tree.children.values())
        for run in self.runs.get(tree.path, []):
            flow = run.inputs
            if len(run.steps) != len(children) or len(flow) != 1:
                return False
            for step, child in zip(run.steps, children):
                if step.inputs != flow or len(step.outputs) != 1 or not self._is_child(step, child):
                    return False
                flow = step.outputs
            if run.outputs != flow:
                return False
        return True

    def _is_child(self, step: Step, child: Tree) -> bool:
        if step.node is None:
            return step.path == child.path
        layer = step.node.layer
        plain = getattr(layer, "padding", None) != "tf_same" and not layer.further_outputs(*step.node.input_shapes)
        return child.layer is layer and plain

    def _define(self, trees: Sequence[Tree], name: str) -> None:
        """Classes for modules that hold no module but those that have one already."""
        forms = {tree.path: (tree.kind, self._form(tree)) for tree in trees}
        for (kind, _), paths in groups(forms).items():
            tree = self.by_path[paths[0]]
            if tree.container and tree.path and self._plain(tree) and not self._repeats(tree, paths):
                continue  # torch's Sequential itself does
            called = fresh(self._called(kind, [self.by_path[path] for path in paths], name), self.names)
            self.names.add(called)
            base = "Sequential" if tree.numbered or kind == "Sequential" else "Module"
            if tree.layer is not None and type(tree.layer).__name__ not in ONLY_FUNCTIONS:
                base = type(tree.layer).__name__
            taken = {"self", *tree.children}
            definition = unify([forms[path][1] for path in paths], PARAMETERS, taken)
            self.classes.append(Class(called, base, definition))
            self.made.update({path: (self.classes[-1], i) for i, path in enumerate(paths)})

    def _repeats(self, tree: Tree, paths: Sequence[str]) -> bool:
        """Whether a Sequential is worth a class: it has several children and stands in unlike places."""
        places = {(self.graph.modules.get(path.rpartition(".")[0]), path.rpartition(".")[2]) for path in paths}
        return len(paths) >= ENOUGH_ALIKE and len(places) > 1 and len(tree.children) > 1

    def _called(self, kind: str, trees: Sequence[Tree], name: str) -> str:
        """What a class is called: as the module's, else as its attribute, else by what is inside."""
        if not trees[0].path:
            return camel_case(kind if kind not in ("Sequential", "Module") else name) or "Network"
        names = {tree.name for tree in trees} if kind in ("Sequential", "Module") else {kind}
        inside = "".join(camel_case(_stem(child.kind)) for child in trees[0].children.values())
        return (camel_case(names.pop()) if len(names) == 1 else "") or (inside if len(inside) < 40 else "") or "Block"

    def _form(self, tree: Tree) -> Any:
        """The children of a module and what its ``forward`` says; None for that where torch's own serves."""
        if tree.layer is not None:
            (run,) = self.runs[""]
            alone = len(run.steps) == 1 and self._is_child(run.steps[0], tree) and run.steps[0].inputs == run.inputs
            functional = type(tree.layer).__name__ in ONLY_FUNCTIONS
            made = () if functional else (("", self._made(tree, False)),)
            return (made, "False", None if alone and not functional else self._forward(tree, run))
        sequential = tree.numbered or tree.kind == "Sequential"
        plain = sequential and self._plain(tree)
        children = tuple(
            (name, self._made(child, plain))
            for name, child in tree.children.items()
            if sequential or child.layer is None or type(child.layer).__name__ not in ONLY_FUNCTIONS
        )
        runs = self.runs.get(tree.path, [])
        return (children, str(tree.numbered), self._forward(tree, runs[0]) if runs and not plain else None)

    def _made(self, tree: Tree, chained: bool) -> Any:
        """The form of what makes a child; ``chained`` where a Sequential calls it."""
        if tree.layer is not None:
            check(tree.layer, tree.path)
            kind, form = constructed(tree.layer)
            if kind in ONLY_FUNCTIONS:
                return ("class", self._function_class(tree), ()) if chained else ("nn", "Identity", ())
            if isinstance(tree.layer, (Parameter, Buffer)):
                return (kind, "long" if id(tree.layer) in self.whole else "", form)
            return ("nn", kind, form)
        if tree.path in self.made:
            made, i = self.made[tree.path]
            given = tuple(
                Argument(
                    "" if hole.default is None else name, hole, None if hole.default is None else repr(hole.default)
                )
                for name, hole in made.definition.arguments(i)
            )
            return ("class", made.name, given)
        plain = tree.container == "Sequential"
        items = tuple((name, self._made(child, plain)) for name, child in tree.children.items())
        return (tree.container, "" if tree.numbered else "named", items)

    def _function_class(self, tree: Tree) -> str:
        """The name of a class for a function that a Sequential calls."""
        assert tree.layer is not None
        if tree.layer not in self.functions:
            kind = type(tree.layer).__name__
            name = fresh(kind, self.names)
            self.names.add(name)
            self.functions[tree.layer] = name
            operation = Operation("function", kind, function_form(tree.layer), ("x",), ("y",))
            form = ((), "False", numbered([operation], ["x"], ["y"]))
            self.classes.append(Class(name, "Module", unify([form], {})))
        return self.functions[tree.layer]

    def _forward(self, tree: Tree, run: Step) -> Any:
        operations = [self._operation(tree, step) for step in run.steps if step.outputs and step.path not in self.parts]
        return numbered([o for o in operations if o.outs], run.inputs, run.outputs)

    def _operation(self, scope: Tree, step: Step) -> Operation:
        """The call that a step amounts to inside the module at ``scope``."""
        if step.node is None:
            said = reached(scope, step.path) + "({})"
            return Operation("call", said, (), step.inputs, step.outputs, step.path.rpartition(".")[2])
        node, layer, kind = step.node, step.node.layer, type(step.node.layer).__name__
        if node.name in self.parts:
            return Operation("call", "", (), (), ())
        check(layer, node.path)
        refs, outs = node.inputs, (node.name,)
        if kind in ONLY_FUNCTIONS or (kind in FUNCTIONS and not self._held(scope, node)):
            return Operation("function", kind, function_form(layer), refs, outs)
        if not self._held(scope, node):
            return Operation("new", *constructed(layer), refs, outs)
        said = reached(scope, node.path)
        if isinstance(layer, (Parameter, Buffer)):
            return Operation("value", said, (), (), outs)
        if getattr(layer, "padding", None) == "tf_same":
            way = "average" if kind.startswith("AvgPool") else "pad"
            return Operation(way, said, (pads_form(node), pad_mode(layer)), refs, outs)
        return self._call(node, said)

    def _call(self, node: Node, said: str) -> Operation:
        """A call of a layer that its module holds, with the tuple that it may return taken apart."""
        names = list(node.layer.further_outputs(*node.input_shapes))
        form = "state" if hasattr(node.layer, "step") else "unpool" if "Unpool" in type(node.layer).__name__ else ""
        if not names:
            return Operation("call", said + "({})", form, node.inputs, (node.name,))
        read = {part.layer.name: name for name, part in self.parts.items() if part.inputs[0] == node.name}  # type: ignore[attr-defined]
        heads = type(node.layer).__name__ == "MultiheadAttention"
        options = ""
        if heads:
            options = ", need_weights=False" if not read else ", average_attn_weights=False" * ("head_weights" in read)
            names = ["head_weights" if "head_weights" in read else "weights"]
        said += "({}" + options + ")"
        if not read:
            return Operation("call", said + "[0]", form, node.inputs, (node.name,))
        outs = (node.name, *(read.get(name, f"{node.name}/{name}") for name in names))
        return Operation("parts", said, form, node.inputs, outs)

    def _held(self, scope: Tree, node: Node) -> bool:
        """Whether the layer that is called stands below the module at ``scope``."""
        inside = scope.path + "." if scope.path else ""
        return node.path.startswith(inside) and node.path in self.graph.owned

    def ties(self) -> list[str]:
        """Assignments that put one layer with weights in two places."""
        found = []
        places: dict[int, str] = {}
        for path, layer in self.graph.owned.items():
            first = places.setdefault(id(layer), path)
            if first != path and (layer.weights() or layer.buffers()):
                found.append(f"{reached(self.root, path)} = {reached(self.root, first)}")
        return found


def camel_case(name: str) -> str:
    """A name as that of a class: ``inverted_residual`` becomes ``InvertedResidual``.

    >>> camel_case("inverted_residual"), camel_case("ResNet"), camel_case("0")
    ('InvertedResidual', 'ResNet', '')
    """
    words = "".join(c if c.isalnum() and c.isascii() else "_" for c in name).split("_")
    word = "".join(word[:1].upper() + word[1:] for word in words)
    return word if word[:1].isalpha() else ""


def _stem(kind: str) -> str:
    return kind[:-2] if kind[-2:] in ("1d", "2d", "3d") else kind


def _holds(node: Node) -> bool:
    return bool(node.layer.weights() or node.layer.buffers())


def _modules(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        if step.node is None:
            yield step
            yield from _modules(step.steps)


def _by_height(tree: Tree, levels: dict[int, list[Tree]]) -> int:
    """Sort modules by how many are nested in them; returns that number for ``tree``."""
    inner = [_by_height(child, levels) for child in tree.children.values() if child.layer is None]
    height = max(inner, default=0) + 1
    levels.setdefault(height, []).append(tree)
    return height
