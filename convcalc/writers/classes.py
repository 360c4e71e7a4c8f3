"""The classes of a torch module tree: modules whose children and ``forward`` agree up to numbers share one.

A class is a form (see `forms`) until its numbers are named; `torch` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.layers.base import Layer, Output
from convcalc.network.graph import Graph
from convcalc.network.parameter import Buffer, Parameter
from convcalc.writers.forms import Argument, Call, Definition, arguments, fresh, groups, numbered, unify
from convcalc.writers.operators import FUNCTIONS, ONLY_FUNCTIONS, function_form, function_says, padding_form, whole
from convcalc.writers.structure import HOLDERS, Step, Tree, holds, levels, nested, tree_of

PARAMETERS = {
    "out_channels": "channels",
    "num_features": "channels",
    "shape": "channels",
    "in_channels": "in_channels",
    "normalized_shape": "features",
}
"""What a class's arguments are called, by the layer's argument that they stand for."""

ENOUGH_ALIKE = 3  # plain Sequentials of one kind that are worth a class


class Class(NamedTuple):
    """A class to be printed: ``base`` is of torch.nn; its body holds how and what children are made, and ``forward``.

    A child is made by a container (Sequential, Ordered, ModuleList, ModuleDict) of children, or by a call: then its
    kind is empty (or Buffer or Parameter), and a text with a gap for the arguments stands beside it.
    """

    name: str
    base: str
    definition: Definition


class Modules:
    """All classes of a graph, the innermost first; the last is the network itself."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.root = tree_of(graph)
        trees = levels(self.root)
        self.by_path = {tree.path: tree for level in trees for tree in level}
        self.parts = {node.name: node.layer.name for node in graph.nodes if isinstance(node.layer, Output)}
        read = whole(graph)
        self.whole = {id(node.layer) for node in graph.nodes if node.name in read}
        self.opened: set[str] = set()
        self.runs = self._runs()
        while more := self._unlike():
            self.opened |= more
            self.runs = self._runs()
        self.classes: list[Class] = []
        self.made: dict[str, tuple[str, tuple[Argument, ...]]] = {}
        self.functions: dict[Any, str] = {}
        self.names: set[str] = {"F", "nn", "torch", "OrderedDict"}
        for level in trees:  # lists and dicts are no classes
            self._define([tree for tree in level if not tree.path or tree.container in ("", "Sequential")])

    def _runs(self) -> dict[str, list[Step]]:
        """The calls of each module, and of the whole under the empty path."""
        runs: dict[str, list[Step]] = {}
        for level in levels(nested(self.graph, lambda step: step.path in self.opened or not self._closed(step))):
            for step in level:
                runs.setdefault(step.path, []).append(step)
        return runs

    def _closed(self, step: Step) -> bool:
        inside = step.path + "."
        return all(node.path.startswith(inside) or not holds(node.layer) for node in step.nodes)

    def _unlike(self) -> set[str]:
        """Modules whose calls differ: their callers reach into them."""
        several = {path: runs for path, runs in self.runs.items() if len(runs) > 1}
        return {
            path
            for path, runs in several.items()
            if len({repr(self._forward(self.by_path[path], r)) for r in runs}) > 1
        }

    def _plain(self, tree: Tree) -> bool:
        """Whether a module does what torch's Sequential does: each child once, in order, on what went before."""
        for run in self.runs.get(tree.path, []):
            flow = run.inputs
            if len(run.steps) != len(tree.children) or len(flow) != 1:
                return False
            for step, child in zip(run.steps, tree.children.values()):
                if step.inputs != flow or not self._is_child(step, child):
                    return False
                flow = step.outputs
            if run.outputs != flow:
                return False
        return True

    def _is_child(self, step: Step, child: Tree) -> bool:
        same = step.path == child.path if step.node is None else step.node.layer is child.layer
        return same and len(step.outputs) == 1 and not _same_padded(child.layer)

    def _define(self, trees: Sequence[Tree]) -> None:
        forms = {tree.path: (tree.kind, self._form(tree)) for tree in trees}
        for paths in groups(forms):
            alike = [self.by_path[path] for path in paths]
            tree = alike[0]
            if tree.container and tree.path and self._plain(tree) and not self._repeats(alike):
                continue  # torch's Sequential itself does
            name = self._fresh(self._called(alike))
            base = "Sequential" if tree.sequential else "Module"
            if tree.layer is not None and type(tree.layer).__name__ not in ONLY_FUNCTIONS:
                base = type(tree.layer).__name__
            definition = unify([forms[path][1] for path in paths], PARAMETERS, {"self", *tree.children})
            self.classes.append(Class(name, base, definition))
            self.made.update((path, (name, definition.arguments(i))) for i, path in enumerate(paths))

    def _repeats(self, alike: Sequence[Tree]) -> bool:
        """Whether a Sequential is worth a class: it has several children and stands in unlike places."""
        places = {
            (self.graph.modules.get(head), name) for head, _, name in (tree.path.rpartition(".") for tree in alike)
        }
        return len(alike) >= ENOUGH_ALIKE and len(places) > 1 and len(alike[0].children) > 1

    def _called(self, alike: Sequence[Tree]) -> str:
        """What a class is called: as the module's, else as its attribute, else by what is inside."""
        first, named = alike[0], alike[0].kind not in ("Sequential", *HOLDERS)
        if not first.path:
            return _camel_case(first.kind if named else self.name) or "Network"
        names = {first.kind} if named else {tree.path.rpartition(".")[2] for tree in alike}
        inside = "".join(_camel_case(re.sub("[123]d$", "", child.kind)) for child in first.children.values())
        return (_camel_case(names.pop()) if len(names) == 1 else "") or (inside if len(inside) < 40 else "") or "Block"

    def _fresh(self, name: str) -> str:
        name = fresh(name, self.names)
        self.names.add(name)
        return name

    def _form(self, tree: Tree) -> Any:
        """How a module's children are made, and what its ``forward`` says; None for that where torch's own serves."""
        if tree.layer is not None:
            (run,) = self.runs[""]
            alone = len(run.steps) == 1 and self._is_child(run.steps[0], tree) and run.steps[0].inputs == run.inputs
            alone = alone and not _way(tree.layer, len(run.inputs))
            functional = type(tree.layer).__name__ in ONLY_FUNCTIONS
            made = () if functional else (("", self._made(tree, False)),)
            return "Sequential", made, None if alone and not functional else self._forward(tree, run)
        sequential = tree.sequential
        plain = sequential and self._plain(tree)
        children = tuple(
            (name, self._made(child, plain))
            for name, child in tree.children.items()
            if sequential or child.layer is None or type(child.layer).__name__ not in ONLY_FUNCTIONS
        )
        runs = self.runs.get(tree.path, [])
        forward = self._forward(tree, runs[0]) if runs and not plain else None
        return "Sequential" if tree.numbered else "Ordered", children, forward

    def _made(self, tree: Tree, chained: bool) -> Any:
        """How a child is made; ``chained`` where a Sequential calls it."""
        if tree.layer is not None:
            kind, form = _constructed(tree.layer)
            if kind in ONLY_FUNCTIONS:
                return "", (self._function_class(tree.layer) if chained else "nn.Identity") + "({})", ()
            if kind == "Buffer":
                return kind, self._whole(tree.layer), form
            return ("Parameter", "", form) if kind == "Parameter" else ("", f"nn.{kind}({{}})", form)
        if tree.path in self.made:
            name, given = self.made[tree.path]
            return "", name + "({})", given
        plain = tree.container == "Sequential"
        items = tuple((name, self._made(child, plain)) for name, child in tree.children.items())
        return "Ordered" if plain and not tree.numbered else tree.container, "", items

    def _whole(self, layer: Layer) -> str:
        return ", dtype=torch.long" if id(layer) in self.whole else ""

    def _function_class(self, layer: Layer) -> str:
        if layer not in self.functions:
            kind = type(layer).__name__
            self.functions[layer] = self._fresh(kind)
            call = Call("function", kind, function_form(layer), ("x",), ("y",))
            form = ("Sequential", (), _numbered([call], ("x",), ("y",)))
            self.classes.append(Class(self.functions[layer], "Module", unify([form], {})))
        return self.functions[layer]

    def _forward(self, tree: Tree, run: Step) -> Any:
        return _numbered([self._call(tree, step) for step in run.steps if step.outputs], run.inputs, run.outputs)

    def _call(self, scope: Tree, step: Step) -> Call:
        """The call that a step amounts to inside the module at ``scope``."""
        if step.node is None:
            said = scope.reach(step.path)
            return Call("call", said, _PLAIN, step.inputs, step.outputs, step.path.rpartition(".")[2])
        layer, kind, outs = step.node.layer, type(step.node.layer).__name__, step.outputs[:1]
        held = step.path.startswith(scope.path + "." if scope.path else "") and step.path in self.graph.owned
        if kind in ONLY_FUNCTIONS or (kind in FUNCTIONS and not held and function_says(layer)):
            return Call("function", kind, function_form(layer), step.inputs, outs)
        if isinstance(layer, (Parameter, Buffer)):
            if held:
                return Call("value", scope.reach(step.path), (), (), outs)
            return Call("zeros", self._whole(layer), arguments(layer), (), outs)
        read = [self.parts[out] for out in step.outputs if out in self.parts]
        said, made = (scope.reach(step.path), None) if held else _made_here(layer)
        options, picked = "", "[0]" * (len(step.outputs) > 1 and not read)  # of a tuple, the first is all that is read
        if kind == "MultiheadAttention":
            options = ", average_attn_weights=False" * ("head_weights" in read) if read else ", need_weights=False"
        way = _way(layer, len(step.inputs))
        form = (made, padding_form(step.node) if way in ("pad", "average") else (), options, picked)
        return Call("parts" if read else way or "call", said, form, step.inputs, outs if picked else step.outputs)

    def ties(self) -> list[str]:
        """Assignments that put one layer with weights in two places."""
        first: dict[int, str] = {}
        pairs = [(path, first.setdefault(id(layer), path), layer) for path, layer in self.graph.owned.items()]
        root = self.root
        return [root.put(path, root.reach(made)) for path, made, layer in pairs if path != made and holds(layer)]


def _numbered(calls: Sequence[Call], inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """What a ``forward`` says as a form: calls, how many inputs there are, the values that it returns."""
    body, places = numbered(calls, inputs)
    return body, len(inputs), tuple(places[name] for name in outputs)


_PLAIN = (None, (), "", "")
"""The form of a call: what makes the layer where it is made here, its padding, and what stands behind the inputs."""


def _way(layer: Layer, inputs: int) -> str:
    """How a call differs from that of a layer on its inputs, if it does."""
    kind = type(layer).__name__
    if _same_padded(layer):
        return "average" if kind.startswith("AvgPool") and getattr(layer, "divisor_override", None) is None else "pad"
    if inputs < 3:
        return ""
    return "state" if hasattr(layer, "step") else "unpool" if "Unpool" in kind else ""


def _made_here(layer: Layer) -> tuple[str, Any]:
    """What makes a layer where it is called; it trains or not as the module does that calls it."""
    kind, form = _constructed(layer)
    noisy = "Dropout" in kind or kind == "RReLU" or bool(layer.buffers() or getattr(layer, "dropout", 0))
    return f"nn.{kind}({{}})" + ".train(self.training)" * noisy, form


def _same_padded(layer: Layer | None) -> bool:
    return getattr(layer, "padding", None) == "tf_same"


def _constructed(layer: Layer) -> tuple[str, Any]:
    return type(layer).__name__, arguments(layer, ["padding"] if _same_padded(layer) else [])


def _camel_case(name: str) -> str:
    """A name as that of a class: ``inverted_residual`` becomes ``InvertedResidual``; empty where that is none."""
    words = re.split("[^A-Za-z0-9]", name)
    word = "".join(word[:1].upper() + word[1:] for word in words)
    return word if word[:1].isalpha() else ""
