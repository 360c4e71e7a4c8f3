"""The classes of written torch code; modules whose children and ``forward`` differ only in numbers share one.

They are forms; their text is made in `write`.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.formats.code.arguments import arguments
from convcalc.formats.code.forms import (
    Argument,
    CallForm,
    Definition,
    Name,
    choose_name,
    group_alike,
    number_values,
    unify,
)
from convcalc.formats.code.structure import (
    HOLDERS,
    Invocation,
    Tree,
    build_tree,
    holds,
    levels,
    nest_calls,
    tensor_word,
)
from convcalc.formats.torch.operators import (
    called_as_function,
    function_form,
    integer_values,
    padding_form,
)
from convcalc.layers.base import Layer, Output
from convcalc.network.graph import Graph

PARAMETERS = {
    "out_channels": "channels",
    "num_features": "channels",
    "shape": "channels",
    "in_channels": "in_channels",
    "normalized_shape": "features",
}
"""The names of a class's parameters, by the argument of a layer that they are for."""

ENOUGH_ALIKE = 3  # similar Sequentials that are worth a class


class Class(NamedTuple):
    """A class: its name, its base in torch.nn, and as a form how its children are made, and its ``forward``.

    A child is a triple: the kind of a container (Sequential, Ordered, ModuleList, ModuleDict), an empty text, and its
    children; or no kind (or buffer, or parameter), a text with a gap, and the arguments for the gap.
    """

    name: str
    base: str
    definition: Definition


class ModuleCall(NamedTuple):
    """The form of a call of a module: how it is made, if that is done at the call, and what is around the call."""

    made: Any = None
    inputs: str = "{all}"
    """A template of what is in the brackets, as in `Spelling`."""
    padding: Any = ()
    """The padding that `torch.nn.functional.pad` adds to the input first, and its other arguments."""
    picked: str = ""
    """What follows the call: ``[0]`` if only the first item of a tuple is read."""


class Modules:
    """All classes that a graph needs, the innermost first; the last is the network itself."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.root = build_tree(graph)
        trees = levels(self.root)
        self.by_path = {tree.path: tree for level in trees for tree in level}
        self.parts = {node.name: node.layer.name for node in graph.nodes if isinstance(node.layer, Output)}
        integers = integer_values(graph)
        self.integers = {id(node.layer) for node in graph.nodes if node.name in integers}
        self.opened: set[str] = set()
        self.runs = self._runs()
        while more := self._differing():
            self.opened |= more
            self.runs = self._runs()
        self.classes: list[Class] = []
        self.made: dict[str, tuple[str, tuple[Argument, ...]]] = {}
        self.functions: dict[Any, str] = {}
        for level in trees:  # lists and dicts do not become classes
            self._define([tree for tree in level if not tree.path or tree.container in ("", "Sequential")])

    def _runs(self) -> dict[str, list[Invocation]]:
        """Return the calls of each module by its path."""
        runs: dict[str, list[Invocation]] = {}
        for level in levels(nest_calls(self.graph, lambda step: step.path in self.opened or not self._closed(step))):
            for step in level:
                runs.setdefault(step.path, []).append(step)
        return runs

    def _closed(self, step: Invocation) -> bool:
        inside = step.path + "."
        return all(node.path.startswith(inside) or not holds(node.layer) for node in step.nodes)

    def _differing(self) -> set[str]:
        """Return the modules whose calls differ; their callers have to call what is inside them."""
        return {
            path
            for path, runs in self.runs.items()
            if len(runs) > 1 and len({repr(self._forward(self.by_path[path], run)) for run in runs}) > 1
        }

    def _plain(self, tree: Tree) -> bool:
        """Return whether a module does what torch's Sequential does."""
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

    def _is_child(self, step: Invocation, child: Tree) -> bool:
        same = step.path == child.path if step.node is None else step.node.layer is child.layer
        return same and len(step.outputs) == 1 and not _same_padded(child.layer)

    def _define(self, trees: Sequence[Tree]) -> None:
        forms = {tree.path: (tree.kind, self._form(tree)) for tree in trees}
        for paths in group_alike(forms):
            alike = [self.by_path[path] for path in paths]
            tree = alike[0]
            if tree.container and tree.path and self._plain(tree) and not self._repeats(alike):
                continue  # torch's Sequential itself is enough
            name = self._free(self._called(alike))
            base = "Sequential" if tree.sequential else "Module"
            if tree.layer is not None and tree.layer.in_torch:
                base = type(tree.layer).__name__
            definition = unify([forms[path][1] for path in paths], PARAMETERS, {"self", *tree.children})
            self.classes.append(Class(name, base, definition))
            self.made.update((path, (name, definition.arguments(i))) for i, path in enumerate(paths))

    def _repeats(self, alike: Sequence[Tree]) -> bool:
        """Return whether similar Sequentials are worth a class."""
        places = {
            (self.graph.modules.get(head), name) for head, _, name in (tree.path.rpartition(".") for tree in alike)
        }
        return len(alike) >= ENOUGH_ALIKE and len(places) > 1 and len(alike[0].children) > 1

    def _called(self, alike: Sequence[Tree]) -> str:
        """Return a name for a class: that of its modules, or of their attribute, or one made of what is inside."""
        first, named = alike[0], alike[0].kind not in ("Sequential", *HOLDERS)
        if not first.path:
            return _camel_case(first.kind if named else self.name) or "Network"
        names = {first.kind} if named else {tree.path.rpartition(".")[2] for tree in alike}
        inside = "".join(_camel_case(re.sub("[123]d$", "", child.kind)) for child in first.children.values())
        return (_camel_case(names.pop()) if len(names) == 1 else "") or (inside if len(inside) < 40 else "") or "Block"

    def _free(self, name: str) -> str:
        return choose_name(name, {"F", "nn", "torch", "OrderedDict", *(item.name for item in self.classes)})

    def _form(self, tree: Tree) -> Any:
        """Return as a form how a module's children are made, and its ``forward`` unless that of torch is enough."""
        if tree.layer is not None:
            (run,) = self.runs[""]
            alone = len(run.steps) == 1 and self._is_child(run.steps[0], tree) and run.steps[0].inputs == run.inputs
            alone = alone and all(tree.layer.torch_inputs(node.input_shapes, ()) == "{all}" for node in run.nodes)
            module = tree.layer.in_torch
            made = (("", self._made(tree, False)),) if module else ()
            return "Sequential", made, None if alone and module else self._forward(tree, run)
        sequential = tree.sequential
        plain = sequential and self._plain(tree)
        children = tuple(
            (name, self._made(child, plain))
            for name, child in tree.children.items()
            if sequential or child.layer is None or child.layer.in_torch
        )
        runs = self.runs.get(tree.path, [])
        forward = self._forward(tree, runs[0]) if runs and not plain else None
        return "Sequential" if tree.numbered else "Ordered", children, forward

    def _made(self, tree: Tree, chained: bool) -> Any:
        """Return as a form how a child is made; ``chained`` if a Sequential calls it."""
        if tree.layer is not None:
            kind, form = _constructed(tree.layer)
            if not tree.layer.in_torch:
                return "", (self._function_class(tree.layer) if chained else "nn.Identity") + "({})", ()
            word = tensor_word(tree.layer)
            if word:
                return word, self._dtype(tree.layer) if word == "buffer" else "", form
            return "", f"nn.{kind}({{}})", form
        if tree.path in self.made:
            name, form = self.made[tree.path]
            return "", name + "({})", form
        plain = tree.container == "Sequential"
        items = tuple((name, self._made(child, plain)) for name, child in tree.children.items())
        return "Ordered" if plain and not tree.numbered else tree.container, "", items

    def _dtype(self, layer: Layer) -> str:
        return ", dtype=torch.long" if id(layer) in self.integers else ""

    def _function_class(self, layer: Layer) -> str:
        if layer not in self.functions:
            self.functions[layer] = self._free(type(layer).__name__)
            call = CallForm("function", type(layer), function_form(layer), ("x",), ("y",))
            form = ("Sequential", (), _numbered([call], ("x",), ("y",)))
            self.classes.append(Class(self.functions[layer], "Module", unify([form], {})))
        return self.functions[layer]

    def _forward(self, tree: Tree, run: Invocation) -> Any:
        return _numbered([self._call(tree, step) for step in run.steps if step.outputs], run.inputs, run.outputs)

    def _call(self, scope: Tree, step: Invocation) -> CallForm:
        """Return a call inside the module ``scope``."""
        if step.node is None:
            name = Name(step.path.rpartition(".")[2])
            return CallForm("call", scope.reach(step.path), ModuleCall(), step.inputs, step.outputs, name)
        layer, shapes, outs = step.node.layer, step.node.input_shapes, step.outputs[:1]
        held = step.path.startswith(scope.path + "." if scope.path else "") and step.path in self.graph.owned
        if called_as_function(layer, held):
            return CallForm("function", type(layer), function_form(layer), step.inputs, outs)
        if tensor_word(layer):
            if held:
                return CallForm("value", scope.reach(step.path), (), (), outs)
            return CallForm("zeros", self._dtype(layer), arguments(layer), (), outs)
        read = [self.parts[out] for out in step.outputs if out in self.parts]
        callee, made = (scope.reach(step.path), None) if held else _made_here(layer)
        kind, padding = "parts" if read else "call", ()
        if _same_padded(layer):
            averages = layer.averages and getattr(layer, "divisor_override", None) is None
            kind, padding = "average" if averages else "pad", padding_form(step.node)
        picked = "[0]" * (len(step.outputs) > 1 and not read)
        form = ModuleCall(made, layer.torch_inputs(shapes, read), padding, picked)
        return CallForm(kind, callee, form, step.inputs, outs if picked else step.outputs)

    def ties(self) -> list[str]:
        """Return the assignments that put a layer with weights in a second place."""
        first: dict[int, str] = {}
        pairs = [(path, first.setdefault(id(layer), path), layer) for path, layer in self.graph.owned.items()]
        root = self.root
        return [root.put(path, root.reach(made), layer) for path, made, layer in pairs if path != made and holds(layer)]


def _numbered(calls: Sequence[CallForm], inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """Return a ``forward`` as a form: calls, the number of inputs, the values returned."""
    body, places = number_values(calls, inputs)
    return body, len(inputs), tuple(places[name] for name in outputs)


def _made_here(layer: Layer) -> tuple[str, Any]:
    """Return how a layer is made at its call; it is in training mode if its caller is."""
    kind, form = _constructed(layer)
    trains = layer.noisy or bool(layer.buffers() or getattr(layer, "dropout", 0))
    return f"nn.{kind}({{}})" + ".train(self.training)" * trains, form


def _same_padded(layer: Layer | None) -> bool:
    return getattr(layer, "padding", None) == "tf_same"


def _constructed(layer: Layer) -> tuple[str, Any]:
    return type(layer).__name__, arguments(layer, ["padding"] if _same_padded(layer) else [])


def _camel_case(name: str) -> str:
    """Return a name for a class: ``InvertedResidual`` for ``inverted_residual``; an empty text if it is illegal."""
    words = re.split("[^A-Za-z0-9]", name)
    word = "".join(word[:1].upper() + word[1:] for word in words)
    return word if word[:1].isalpha() else ""
