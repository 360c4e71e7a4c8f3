"""Graphs to sheets: blocks and loops for repeated structure, and short names of layers where they mean the same.

A module with one input and one output can become a block; modules that differ only in numbers share one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convcalc.errors import ConvcalcError, UnsupportedOperation
from convcalc.formats.code.arguments import dim_text
from convcalc.formats.code.forms import (
    KINDS,
    Argument,
    CallForm,
    Definition,
    Name,
    choose_name,
    fill_holes,
    group_alike,
    number_values,
    unify,
    walk_calls,
)
from convcalc.formats.code.structure import Invocation, holds, is_plain_name, levels, nest_calls
from convcalc.formats.sheet.expressions import FUNCTIONS
from convcalc.formats.sheet.names import FORMS, families, is_layer
from convcalc.formats.sheet.names import kinds as layer_kinds
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.statements import INDENT, Layout, Run, statement
from convcalc.network.graph import Graph

PARAMETERS = {
    **{name: "c" for name, kind in KINDS.items() if kind == "channels" and name != "groups"},
    "kernel_size": "k",
    "loop": "n",
    "output_size": "size",
}
"""The names of a block's parameters, by the argument of a layer that they are for."""

CONTAINERS = ("Sequential", "Module")
"""Types of modules that say nothing about the contents."""

_WORDS = frozenset(("x", "i", "nn", "range", *FORMS, *FUNCTIONS))
"""Names that a block may not have, in addition to the names of layers."""


def write_spec(graph: Graph, name: str = "") -> str:
    """Return the sheet of a graph, without its batch; ``name`` is that of the network.

    Raises UnsupportedOperation if a sheet cannot express the graph, such as inputs with different batches.

    >>> from convcalc import nn, trace
    >>> print(write_spec(trace(nn.Conv2d(3, 8, 3), (1, 3, 32, 32))))
    input(3, 32, 32)
    <BLANKLINE>
    conv(8, 3)
    """
    batches = {shape[:1] for shape in graph.inputs.values()}
    if len(batches) != 1 or not all(len(shape) > 1 for shape in graph.inputs.values()):
        raise UnsupportedOperation(
            "a sheet needs inputs of one batch, each with sizes after the batch",
            details=[f"{name}: {shape}" for name, shape in graph.inputs.items()],
        )
    text = "\n".join([*([f"net({name!r})"] if name else []), *_Sheet(graph).lines()])
    try:
        difference = first_difference(graph, read_spec(text, "sheet", batch=batches.pop()[0]).graph)
    except ConvcalcError as error:
        difference = str(error)
    if difference:
        raise UnsupportedOperation("a sheet cannot express this network", details=difference.split("\n"))
    return text


def first_difference(a: Graph, b: Graph) -> str:
    """Return the first difference between two graphs, names aside; an empty text if there is none.

    >>> from convcalc import nn, trace
    >>> first_difference(*[trace(nn.Conv2d(3, c, 3), (1, 3, 8, 8)) for c in (8, 9)])
    'Conv2d(3, 8, 3) against Conv2d(3, 9, 3)'
    """
    pairs = [pair for one, other in zip(_wired(a), _wired(b)) for pair in zip(one, other)]
    return next((f"{x} against {y}" for x, y in pairs if x != y), "")


def _wired(graph: Graph) -> Iterator[tuple[object, ...]]:
    """Yield inputs, calls and outputs without names; for a call also the earlier one with the same weights."""
    places = {name: i for i, name in enumerate([*graph.inputs, *(node.name for node in graph.nodes)])}
    first: dict[int, int] = {}
    yield (f"inputs {[*graph.inputs.values()]}",)
    for i, node in enumerate(graph.nodes):
        shared = first.setdefault(id(node.layer), i) if holds(node.layer) else i
        yield node.layer, [places[name] for name in node.inputs], node.input_shapes, node.output_shape, shared
    yield (f"outputs {[places[name] for name in graph.outputs]}",)


class _Block(NamedTuple):
    """A block: its name, text, modules, and whether these are mere containers."""

    name: str
    definition: Definition
    paths: Sequence[str]
    contained: bool


class _Sheet:
    """The blocks and statements that a graph is written as."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.calls: dict[int, list[str]] = {}
        for node in graph.nodes:
            if holds(node.layer):
                self.calls.setdefault(id(node.layer), []).append(node.name)
        self.opened: set[str] = set()
        self._build()
        while more := self._plain():
            self.opened |= more
            self._build()

    def _build(self) -> None:
        """Find blocks, the innermost first, and the statements of the sheet itself."""
        self.aliases: dict[str, str] = {}
        self.blocks: list[_Block] = []
        self.called: dict[str, tuple[str, tuple[Argument, ...]]] = {}
        *inner, (network,) = levels(nest_calls(self.graph, self._opens))
        for steps in inner:
            self._define(steps)
        self.body, self.places = self._body(network)

    def _opens(self, step: Invocation) -> bool:
        """Return whether a module is written out and not a block; its output then keeps its name if possible."""
        if step.path not in self.opened and self._foldable(step):
            return False
        if len(step.outputs) == 1:
            self.aliases[step.outputs[0]] = step.path.rpartition(".")[2]
        return True

    def _foldable(self, step: Invocation) -> bool:
        """Return whether a module can be a block: one input, the last call as one output, no weights shared outside."""
        nodes = list(step.nodes)
        own = Counter(id(node.layer) for node in nodes)
        closed = all(len(self.calls.get(layer, ())) in (0, times) for layer, times in own.items())
        return closed and len(step.inputs) == 1 and step.outputs == (nodes[-1].name,)

    def _define(self, steps: Sequence[Invocation]) -> None:
        kinds = [self.graph.modules.get(step.path, "Module") for step in steps]
        kinds = ["" if kind in CONTAINERS else kind for kind in kinds]
        forms = {i: (kinds[i], self._body(step)[0]) for i, step in enumerate(steps)}
        for places in group_alike(forms):
            kind, alike = kinds[places[0]], [steps[i] for i in places]
            definition = unify([forms[i][1] for i in places], PARAMETERS, ("x", "i"))
            name = choose_name(
                _named(kind, alike), {*_WORDS, *families(), *layer_kinds(), *(block.name for block in self.blocks)}
            )
            self.blocks.append(_Block(name, definition, [step.path for step in alike], not kind))
            self.called.update((step.outputs[0], (name, definition.arguments(i))) for i, step in enumerate(alike))

    def _body(self, step: Invocation) -> tuple[tuple[CallForm, ...], dict[str, str]]:
        calls = [self._statement(inner, step.path) for inner in step.steps]
        return number_values(Run(calls, step.inputs[-1], step.outputs).looped(), step.inputs)

    def _statement(self, step: Invocation, scope: str) -> CallForm:
        head, _, last = step.path.rpartition(".")
        own = last if head == scope else ""
        held = any(holds(node.layer) for node in step.nodes)
        name = Name(own, kept=held and bool(own))
        if step.node is None:
            return CallForm("block", *self.called[step.outputs[0]], step.inputs, step.outputs, name, held)
        name = name if own else Name(self.aliases.get(step.node.name, ""))
        first = self.calls.get(id(step.node.layer), [step.node.name])[0]
        if first != step.node.name:
            return CallForm("again", "", (), (first, *step.inputs), step.outputs, name, held)
        return CallForm(*statement(step.node), step.inputs, step.outputs, name, held)

    def _plain(self) -> set[str]:
        """Return the modules not worth a block: containers called at one place, and bodies of one statement."""
        bodies = [self.body, *(block.definition.body for block in self.blocks)]
        places = Counter(call.callee for body in bodies for call in walk_calls(body) if call.kind == "block")
        plain: set[str] = set()
        for name, definition, paths, contained in self.blocks:
            named = any(call.name.kept and call.name.name.isidentifier() for call in walk_calls(definition.body))
            short = len(definition.body) == 1
            if (contained or short) and not named and (places[name] == 1 or short):
                plain.update(paths)
        return plain

    def lines(self) -> list[str]:
        """Return the lines of the sheet."""
        reserved = {*self.graph.letters, *FUNCTIONS, *FORMS}
        names = self._inputs()
        layout = Layout(fill_holes(self.body), reserved, names)
        outputs = [self.places[name] for name in self.graph.outputs]
        ends = outputs == [layout.flow]
        main = layout.lines(() if ends else outputs)
        lines = []
        for i, (name, shape) in enumerate(zip(names, self.graph.inputs.values())):
            usual = name == (f"input{i + 1}" if i else "input") and str(i) not in layout.needed
            lines.append(("" if usual else f"{name} = ") + f"input({', '.join(map(dim_text, shape[1:]))})")
        for block in self.blocks:
            parameters = block.definition.parameters
            words = [p.name if p.default is None else f"{p.name}={p.default!r}" for p in parameters]
            body = Layout(block.definition.body, {*reserved, *(p.name for p in parameters)}, ["x"])
            lines += ["", f"def {block.name}({', '.join(words)}):", *(INDENT + line for line in body.lines())]
        if not ends:
            main.append(f"output({', '.join(layout.names[place] for place in outputs)})")
        return [*lines, "", *main]

    def _inputs(self) -> list[str]:
        """Return names for the inputs that are legal in a sheet."""
        names: list[str] = []
        for name in self.graph.inputs:
            fits = is_plain_name(name) and name not in _WORDS and not is_layer(name)
            usual = f"input{len(names) + 1}" if names else "input"
            names.append(choose_name(name if fits else usual, names))
        return names


def _named(kind: str, alike: Sequence[Invocation]) -> str:
    """Return a name for a block: that of its type, or else what the paths of all its modules have in common."""
    if kind:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
        return re.sub(r"\W", "_", words)
    parts = [[part for part in step.path.split(".") if not part.isdigit()] for step in alike]
    last = {re.sub(r"\d+$", "", names[-1]) if names else "" for names in parts}
    name = last.pop() if len(last) == 1 else ""
    return name if is_plain_name(name) else "block"
