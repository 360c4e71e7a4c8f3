"""The body of a torch module's ``forward``: calls in order, and the variables that carry values between them.

How one call reads stands in `operators`; which module holds what, in `torch`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from keyword import iskeyword
from typing import Any, NamedTuple

from convcalc.writers.forms import shown, text
from convcalc.writers.operators import Said, finite, said

MOST_COLUMNS = 100
MOST_NESTED = 3


class Operation(NamedTuple):
    """One call: ``kind`` is call, parts (which gives several values), value, new, function, pad or average.

    ``said`` is what is called, with ``{}`` for its inputs; ``refs`` are the values it reads, ``outs`` those it gives,
    ``name`` what its value may be called.
    """

    kind: str
    said: str
    form: Any
    refs: tuple[Any, ...]
    outs: tuple[Any, ...]
    name: str = ""


def numbered(operations: Sequence[Operation], inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """Operations as a form: values by number, as text (they are no numbers that may differ)."""
    places = {name: str(i) for i, name in enumerate(inputs)}
    for operation in operations:
        for out in operation.outs:
            places[out] = str(len(places))
    form = [
        tuple(o._replace(refs=tuple(places[r] for r in o.refs), outs=tuple(places[out] for out in o.outs)))
        for o in operations
    ]
    return (tuple(form), str(len(inputs)), tuple(places[name] for name in outputs))


class Forward:
    """Lays out a filled form made by `numbered`."""

    def __init__(self, form: Any) -> None:
        body, inputs, outputs = form
        self.operations = [Operation(*item) for item in body]
        names = ["x", "y", "z"] if int(inputs) <= 3 else [f"x{i + 1}" for i in range(int(inputs))]
        self.arguments = names[: int(inputs)]
        self.values: dict[str, Said] = {str(i): Said(name) for i, name in enumerate(self.arguments)}
        self.depth: Counter[str] = Counter()
        self.outputs: tuple[str, ...] = outputs
        self.last: dict[str, int] = {}
        self.reads: Counter[str] = Counter()
        for i, operation in enumerate(self.operations):
            self.last.update(dict.fromkeys(operation.refs, i))
            self.reads.update(operation.refs)
        self.last.update(dict.fromkeys(outputs, len(self.operations)))
        self.reads.update(outputs)
        self.live: dict[str, str] = {str(i): name for i, name in enumerate(self.arguments)}  # variables still read
        self.pending: dict[str, str] = {}  # expressions that a later operation takes up
        self.used: dict[str, None] = dict.fromkeys(self.arguments)

    def lines(self) -> list[str]:
        """The statements, and what is returned."""
        lines: list[str] = []
        for i, operation in enumerate(self.operations):
            lines.extend(self._line(i, operation))
        returned = ", ".join(self.values[out].text for out in self.outputs)
        return [*lines, f"return {returned}"] if self.outputs else [*lines, "pass"]

    def _line(self, i: int, operation: Operation) -> Iterator[str]:
        """One operation: a statement, or nothing where the next one takes it up."""
        (main, *further), inputs = operation.outs, [self.values[ref] for ref in operation.refs]
        expression = self._said(operation, inputs)
        depth = 1 + max((self.depth[ref] for ref in operation.refs), default=0)
        if not further and (operation.kind == "value" or self._taken_up(i, main, expression, depth)):
            self.values[main], self.depth[main] = expression, depth if operation.kind != "value" else 0
            self._free(i)
            self.pending[main] = expression.text
            return
        free = self._free(i)
        names = []
        for out in operation.outs:
            lives = self.last.get(out, -1) > i + 1
            name = self._name(out, operation.name if lives else "", free)
            self.values[out] = Said(name)
            self.used.setdefault(name)
            names.append(name)
            if self.last.get(out, -1) > i:
                self.live[out] = name
        target = names[0]
        if further:
            nested = operation.kind == "parts" and len(further) > 1  # an LSTM's states come as a tuple of their own
            target = f"{names[0]}, ({', '.join(names[1:])})" if nested else ", ".join(names)
        yield f"{target} = {expression.text}"

    def _taken_up(self, i: int, out: str, expression: Said, depth: int) -> bool:
        """Whether the next operation, or the return, reads this value and nothing else does."""
        if self.reads[out] != 1 or depth >= MOST_NESTED or len(expression.text) > MOST_COLUMNS - 40:
            return False
        if self.last[out] == len(self.operations):
            return i == len(self.operations) - 1
        following = self.operations[i + 1] if i + 1 < len(self.operations) else None
        return following is not None and out in following.refs

    def _free(self, i: int) -> list[str]:
        """Variables whose values nothing reads any more after operation ``i``, those that it reads itself first."""
        own = []
        for ref in dict.fromkeys(self.operations[i].refs):
            if self.last[ref] <= i:
                self.pending.pop(ref, "")
                own.append(self.live.pop(ref, "x"))
        alive = {"_", *self.live.values(), *re.findall(r"\w+", " ".join(self.pending.values()))}
        return [name for name in dict.fromkeys([*own, "x", *self.used]) if name not in alive]

    def _name(self, out: str, wish: str, free: list[str]) -> str:
        """A variable for a value: its own name, one that is free, or the next letter."""
        if self.reads[out] == 0:
            return "_"
        taken = {*self.used, "F", "torch", "nn", "self"}
        if wish.isidentifier() and not iskeyword(wish) and wish not in taken:
            return wish
        if free:
            return str(free.pop(0))
        names: list[str] = [*"yz", *(f"y{i}" for i in range(2, len(taken) + 3))]
        return next(name for name in names if name not in taken)

    def _said(self, operation: Operation, inputs: Sequence[Said]) -> Said:
        """The expression of one operation."""
        kind, what, form = operation.kind, operation.said, operation.form
        words = ", ".join(x.text for x in inputs)
        if kind == "value":
            return Said(what)
        if kind == "function":
            return said(what, inputs, form)
        if kind == "new":
            made = finite(shown(form))
            return Said(f"torch.zeros({made})" if what == "Buffer" else f"nn.{what}({made})({words})")
        if kind in ("pad", "average"):
            pads, mode = text(form[0]), form[1]
            pad = f"F.pad({{}}, {pads}{mode})"
            if kind == "pad":
                return Said(f"{what}({pad.format(words)})")
            ones = pad.format(f"torch.ones_like({words})")
            return Said(f"{what}({pad.format(words)}) / {what}({ones})", True)
        if form == "unpool" and len(inputs) == 3:
            words = f"{inputs[0].text}, {inputs[1].text}, output_size={inputs[2].operand}.shape"
        if form == "state" and len(inputs) > 1:
            states = ", ".join(x.text for x in inputs[1:])
            words = f"{inputs[0].text}, " + (f"({states})" if len(inputs) > 2 else states)
        return Said(what.format(words))
