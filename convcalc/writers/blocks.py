"""Which modules of a graph become blocks of a spec sheet, and the text of the whole sheet.

A module becomes a block where it has one input and one output; modules whose bodies agree up to numbers share one.
Those that would be used once and say nothing by their name are written out in place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import Any

from convcalc.layers.base import Output
from convcalc.network.graph import Graph
from convcalc.readers.arithmetic import FUNCTIONS
from convcalc.readers.names import FORMS, MERGES, families, kinds
from convcalc.writers.fold import Definition, fresh, groups, literal, unify
from convcalc.writers.forms import Argument, dim_text, letters
from convcalc.writers.layout import INDENT, Body, Layout, Wish, body_of, common
from convcalc.writers.statements import Statement, further, looped, statement
from convcalc.writers.structure import Step, nested

PARAMETERS = {
    **dict.fromkeys(("out_channels", "num_features", "in_channels", "channels", "num_channels", "shape"), "c"),
    **dict.fromkeys(("out_features", "in_features", "normalized_shape", "embed_dim"), "c"),
    "kernel_size": "k",
    "loop": "n",
    "output_size": "size",
}
"""What a block's parameters are called, by the argument that they stand for."""

CONTAINERS = ("Sequential", "Module")
"""Types that say nothing of what is inside."""


@dataclass(frozen=True)
class Block:
    """A block of the sheet: its name, its text, the names that keep paths, the modules that it stands for."""

    name: str
    definition: Definition
    wishes: tuple[Wish, ...]
    paths: tuple[str, ...]
    contained: bool


class Sheet:
    """The blocks and statements of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.further = further(graph.nodes)
        self.calls: dict[int, list[str]] = {}
        for node in graph.nodes:
            if node.layer.weights() or node.layer.buffers():
                self.calls.setdefault(id(node.layer), []).append(node.name)
        self.opened: set[str] = set()
        self._build()
        while more := self._plain():
            self.opened |= more
            self._build()

    def _build(self) -> None:
        """Find blocks, from the innermost modules outwards, and the statements of the sheet itself."""
        self.aliases: dict[str, str] = {}
        steps = nested(self.graph, self._opens)
        self.blocks: list[Block] = []
        self.called: dict[str, tuple[Block, int]] = {}
        levels: dict[int, list[Step]] = {}
        for step in steps:
            _by_height(step, levels)
        for height in sorted(levels):
            self._define(levels[height])
        inputs = {name: i - len(self.graph.inputs) for i, name in enumerate(self.graph.inputs)}
        self.body = body_of(self._statements(steps, "", [*inputs][-1], self.graph.outputs), inputs)

    def _opens(self, step: Step) -> bool:
        """Whether a module is written out in place; then its output may still bear its name."""
        if step.path not in self.opened and self._foldable(step):
            return False
        if len(step.outputs) == 1:
            self.aliases[step.outputs[0]] = step.path.rpartition(".")[2]
        return True

    def _foldable(self, step: Step) -> bool:
        """Whether a sheet can say a module as a block: one input, the last call its one output, no shared weights."""
        nodes = list(step.nodes)
        own = Counter(id(node.layer) for node in nodes)
        closed = all(len(self.calls.get(layer, ())) in (0, times) for layer, times in own.items())
        last = nodes[-1]
        return closed and len(step.inputs) == 1 and step.outputs == (last.name,) and not isinstance(last.layer, Output)

    def _define(self, steps: Sequence[Step]) -> None:
        """Blocks for modules that hold no module but those that are blocks already."""
        bodies = [self._body(step) for step in steps]
        forms = {i: (self._type(step), bodies[i].form) for i, step in enumerate(steps)}
        for (kind, _), places in groups(forms).items():
            alike, same = [steps[i] for i in places], [bodies[i] for i in places]
            definition = unify([body.form for body in same], PARAMETERS, ("x", "i"))
            name = fresh(_named(kind, alike), {*_WORDS, *(block.name for block in self.blocks)})
            block = Block(
                name, definition, common([body.wishes for body in same]), tuple(s.path for s in alike), not kind
            )
            self.blocks.append(block)
            self.called.update({step.outputs[0]: (block, i) for i, step in enumerate(alike)})

    def _type(self, step: Step) -> str:
        kind = self.graph.modules.get(step.path, "Module")
        return "" if kind in CONTAINERS else kind

    def _body(self, step: Step) -> Body:
        statements = self._statements(step.steps, step.path, step.inputs[0], step.outputs)
        return body_of(statements, {step.inputs[0]: -1})

    def _statements(self, steps: Sequence[Step], scope: str, flow: str, outputs: Sequence[str]) -> Sequence[Statement]:
        """The statements of a body, with loops."""
        found = [self._statement(step, scope) for step in steps if step.outputs[0] not in self.further]
        return looped(found, self._value(flow), frozenset(map(self._value, outputs)))

    def _statement(self, step: Step, scope: str) -> Statement:
        if step.node is not None:
            first = self.calls.get(id(step.node.layer), [step.node.name])[0]
            node = step.node._replace(inputs=tuple(map(self._value, step.node.inputs)))
            found = statement(node, scope, "" if first == node.name else first)
            return replace(found, alias=self.aliases.get(node.name, ""))
        block, i = self.called[step.outputs[0]]
        head, _, last = step.path.rpartition(".")
        given = tuple(
            Argument("" if hole.default is None else name, hole, None if hole.default is None else repr(hole.default))
            for name, hole in block.definition.arguments(i)
        )
        holds = any(node.layer.weights() or node.layer.buffers() for node in step.nodes)
        wanted = last if head == scope else ""
        return Statement("block", block.name, given, (self._value(step.inputs[0]),), step.outputs, wanted, "", holds)

    def _value(self, name: str) -> str:
        return self.further.get(name, name)

    def _plain(self) -> set[str]:
        """Modules that are better written out in place: containers called at one place, and of one statement."""
        places: Counter[str] = Counter()
        for form in (self.body.form, *(block.definition.body for block in self.blocks)):
            places.update(_called(form))
        plain: set[str] = set()
        for block in self.blocks:
            named = any(wish.name.isidentifier() for wish in block.wishes if wish.holds)
            short = len(block.definition.body) == 1
            if (block.contained or short) and not named and (places[block.name] == 1 or short):
                plain.update(block.paths)
        return plain

    def lines(self) -> list[str]:
        """The sheet: its inputs, its blocks, its statements."""
        reserved = {*letters(tuple(self.graph.inputs.values())), *FUNCTIONS, *FORMS}
        layout = Layout(literal(self.body.form), self.body.wishes, reserved, self._inputs())
        outputs = [self.body.places[self._value(name)] for name in self.graph.outputs]
        ends = outputs == [layout.flow]
        main = layout.lines(() if ends else outputs)
        lines = [self._input(place, name, place in layout.needed) for place, name in self._inputs().items()]
        for block in self.blocks:
            lines += ["", *self._block(block, reserved)]
        if not ends:
            main.append(f"output({', '.join(layout.names[place] for place in outputs)})")
        return [*lines, "", *main]

    def _inputs(self) -> dict[int, str]:
        """The places of the inputs, and names for them that a sheet can give."""
        names: dict[int, str] = {}
        for place, name in enumerate(self.graph.inputs, -len(self.graph.inputs)):
            fits = name.isidentifier() and not iskeyword(name) and name not in (*FUNCTIONS, *FORMS[1:], *_WORDS)
            usual = f"input{len(names) + 1}" if names else "input"
            names[place] = fresh(name if fits else usual, names.values())
        return names

    def _input(self, place: int, name: str, named: bool) -> str:
        i = place + len(self.graph.inputs)
        sizes = ", ".join(map(dim_text, [*self.graph.inputs.values()][i][1:]))
        usual = name == (f"input{i + 1}" if i else "input")
        return f"input({sizes})" if usual and not named else f"{name} = input({sizes})"

    def _block(self, block: Block, reserved: set[str]) -> list[str]:
        words = [p.name if p.default is None else f"{p.name}={p.default!r}" for p in block.definition.parameters]
        taken = {*reserved, *(p.name for p in block.definition.parameters)}
        body = Layout(block.definition.body, block.wishes, taken, {-1: "x"}).lines()
        return [f"def {block.name}({', '.join(words)}):", *(INDENT + line for line in body)]


_WORDS = frozenset(("x", "i", "nn", "range", *families(), *kinds(), *MERGES, *FORMS, *FUNCTIONS))
"""What a block may not be called."""


def _by_height(step: Step, levels: dict[int, list[Step]]) -> int:
    """Sort a module and those inside it by how many modules are nested in them; returns that number."""
    height = max((_by_height(inner, levels) for inner in step.steps), default=0)
    if step.node is None:
        levels.setdefault(height + 1, []).append(step)
        return height + 1
    return height


def _called(form: Any) -> Iterator[str]:
    """The names of the blocks that a body calls, once for each line."""
    for kind, callee, _, _, _, body in form:
        if kind == "block":
            yield callee
        yield from _called(body)


def _named(kind: str, alike: Sequence[Step]) -> str:
    """A block's name: its type's, else what all places have in common, else what it begins with."""
    if kind:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
        return re.sub(r"\W", "_", words)
    parts = [[part for part in step.path.split(".") if not part.isdigit()] for step in alike]
    last = {re.sub(r"\d+$", "", names[-1]) if names else "" for names in parts}
    name = last.pop() if len(last) == 1 else ""
    return name if name.isidentifier() and not iskeyword(name) else "block"
