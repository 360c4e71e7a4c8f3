"""The lines of a written sheet: how a call is spelled, which runs become loops, which values need names."""

from collections.abc import Collection, Iterable, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any

from convcalc.errors import ConvcalcError
from convcalc.formats.code.arguments import arguments, value_form
from convcalc.formats.code.forms import Argument, CallForm, Hole, spell_arguments, text, walk_calls
from convcalc.formats.sheet.names import any_kind, build, families
from convcalc.formats.sheet.plan import Frame
from convcalc.layers.base import Layer
from convcalc.layers.slicing import Slice
from convcalc.network.graph import Node

INDENT = "    "
MOST_REPEATED = 64  # statements in the body of a loop; longer ones are not looked for


def statement(node: Node) -> tuple[str, str, Any]:
    """Return the kind of a statement, what it calls, and its arguments as a form.

    Kinds are ``layer``, ``merge``, ``alone`` (a merge of one value) and ``slice``.
    """
    layer: Any = node.layer
    if isinstance(layer, Slice):
        return "slice", layer.sheet_name(), value_form("channels", layer.index)
    if not layer.merges:
        return "layer", *_layer_call(layer, node)
    usual = layer.sheet_defaults
    form = tuple(a._replace(usual=repr(usual[a.name])) if a.name in usual else a for a in arguments(layer))
    alone = len(node.inputs) == 1 and getattr(layer, "scalar", None) is None
    return "alone" if alone else "merge", layer.sheet_name(), form


def _layer_call(layer: Layer, node: Node) -> tuple[str, tuple[Argument, ...]]:
    """Return the name of a layer on a sheet, the short one if it means the same layer, and the arguments."""
    kind = type(layer)
    for name, preset in kind.also.items():
        if preset and layer == kind(**preset):
            return name, ()
    short = kind.sheet_name()
    if short in families() and node.inputs:
        rest = {name: value for name, value in vars(layer).items() if name not in kind.infers}
        try:
            if build(short, node.input_shapes[0], (), rest) == layer:
                return short, arguments(layer, kind.infers)
        except ConvcalcError:
            pass  # so torch's own name is needed
    return kind.__name__, arguments(layer)


def named_reads(call: CallForm, flow: str) -> tuple[str, ...]:
    """Return the values that a statement has to read by name if ``flow`` is the output of the line before.

    >>> named_reads(CallForm("merge", "add", (), ("a", "b"), ()), "a")
    ('b',)
    """
    refs = call.refs
    if call.kind == "merge" and len(refs) == 2 and refs[0] == flow:
        return refs[1:]
    if call.kind == "again":
        return refs[:1] if refs[1:] == (flow,) else refs
    return () if refs in ((flow,), ()) and call.kind not in ("slice", "alone") else refs


class Run:
    """Statements in a row, and the flow before each; ``read`` are the values that are read after them."""

    def __init__(self, calls: Sequence[CallForm], flow: str, read: Iterable[str]) -> None:
        self.calls = calls
        self.flows = [flow]
        for call in calls:
            self.flows.append(call.outs[0] if call.refs else self.flows[-1])
        self.place = {out: i for i, call in enumerate(calls) for out in call.outs}
        self.last_read = {ref: i for i, call in enumerate(calls) for ref in call.refs}
        self.last_read.update(dict.fromkeys(read, len(calls)))

    def looped(self) -> tuple[CallForm, ...]:
        """Return the statements, with repeated runs as loops."""
        result: list[CallForm] = []
        calls, i = self.calls, 0
        while i < len(calls):
            size, times = longest = self._longest(i)
            better = not calls[i].holds and any(  # a loop is easiest to read if it begins with a layer that has weights
                calls[j].holds and self._longest(j) == longest for j in range(i + 1, i + size)
            )
            if times < 2 or better:
                result.append(calls[i])
                i += 1
                continue
            end = i + size * times
            before, flow, last = self.flows[end - size], self.flows[i], self.flows[end]
            body = [  # the names of the first iteration, the values of the last
                turn._replace(name=call.name, refs=tuple(flow if ref == before else ref for ref in turn.refs))
                for call, turn in zip(calls[i : i + size], calls[end - size : end])
            ]
            read = [out for call in body for out in call.outs if self.last_read.get(out, -1) >= end]
            inside = Run(body, flow, [*read, last]).looped() if size > 1 else tuple(body)
            result.append(CallForm("loop", "", Hole(times, "loop"), (), (last,), body=inside))
            i = end
        return tuple(result)

    def _longest(self, start: int) -> tuple[int, int]:
        """Return the length of the run at ``start`` that is worth a loop, and how often it is repeated; or 1 and 1."""
        best, saved = (1, 1), 0
        for size in range(1, min(MOST_REPEATED, (len(self.calls) - start) // 2) + 1):
            times = 1
            while self._same(start, start + times * size, size):
                times += 1
            while times > 1 and not self._closed(start, start + (times - 1) * size, size):
                times -= 1
            worth = size * (times - 1) - (self.calls[start].kind != "block")
            if times > 1 and worth > saved:
                best, saved = (size, times), worth
        return best

    def _same(self, a: int, b: int, size: int) -> bool:
        if b + size > len(self.calls):
            return False
        for one, other in zip(self.calls[a : a + size], self.calls[b : b + size]):
            if one[:3] != other[:3] or self._relative(one, a) != self._relative(other, b):
                return False
            if one.kind == "again" and self.place[one.refs[0]] >= a:
                return False  # in the next iteration its name would still mean the layer of the first
        return True

    def _relative(self, call: CallForm, start: int) -> list[Any]:
        """Return what a statement reads, relative to the run that begins at ``start``."""
        places = [(ref, self.place.get(ref, -1)) for ref in call.refs]
        return [at - start if at >= start else "flow" if ref == self.flows[start] else ref for ref, at in places]

    def _closed(self, start: int, last: int, size: int) -> bool:
        """Return whether the runs up to that at ``last`` pass on nothing but the flow, and do not read it by name."""
        for i in range(start, last + size):
            run = i - (i - start) % size
            call = self.calls[i]
            if self.flows[run] in named_reads(call, self.flows[i]):
                return False
            handed = run + size + (i == run + size - 1)
            if run < last and any(self.last_read.get(out, -1) >= handed for out in call.outs):
                return False
        return True


class Layout:
    """The lines of one body: a block, or the sheet itself.

    ``taken`` are names that no value may have, ``inputs`` are the names of the values from outside, of which the last
    is the first flow; the attribute ``flow`` is the flow after the last line.
    """

    def __init__(self, body: Sequence[CallForm], taken: Collection[str], inputs: Sequence[str]) -> None:
        self.body = body
        self.input_names = {str(i): name for i, name in enumerate(inputs)}
        self.taken = {"x", "i", "nn", *taken, *inputs, *(call.callee for call in walk_calls(body))}
        self.inside = {call.outs for loop in body for call in walk_calls(loop.body)}
        self.needed: set[str] = set()
        self.repeated: set[str] = set()
        self.start = self.flow = str(len(inputs) - 1)
        for call in walk_calls(body):
            self.needed.update(named_reads(call, self.flow))
            self.repeated.update(call.refs[:1] if call.kind == "again" else ())
            self.flow = call.outs[0] if call.refs else self.flow

    def lines(self, outputs: Sequence[str] = ()) -> list[str]:
        """Return the lines; ``outputs`` are values that need a name, since the end of the sheet lists them."""
        self.needed.update(outputs)
        self.names: dict[str, str] = {}
        for _ in range(3):  # unnamed layers may not take the names that are written, which changes their numbers
            reserved = frozenset(self.names.values())
            self.names, self.unsure = dict(self.input_names), set[str]()
            self.frame = Frame({}, reserved=reserved)
            for call in walk_calls(self.body):
                self._name(call)
            if reserved == frozenset(self.names.values()):
                break
        return self._print(self.body, self.start, "")[0]

    def _name(self, call: CallForm) -> None:
        base = _stem(call.callee)
        needed = not self.needed.isdisjoint(call.outs)
        if call.kind == "again":
            name = self._fresh(self.names[call.refs[0]]) if needed else ""
        else:
            name = self._name_for(call, base, needed)
        for i, out in enumerate(call.outs if name else ()):
            self.names[out] = self._fresh(name) if i else name
        if call.kind != "again":
            self.frame.place(name or base, not name)
            self.unsure.update((base,) if call.outs in self.inside else ())

    def _name_for(self, call: CallForm, base: str, needed: bool) -> str:
        outside, unsure = call.outs not in self.inside, base in self.unsure
        usual = self._usual(base) if outside and not unsure else ""
        if needed:
            hidden = call.outs[0] in self.repeated and call.name.name in families()  # fc() would be a new layer
            return self._legal("" if hidden else call.name.name) or self._legal(usual) or self._fresh(base)
        counted = unsure and call.name.name.removeprefix(base).isdigit()
        keeps = outside and call.name.kept and call.name.name != usual and not counted
        return self._legal(call.name.name) if keeps else ""

    def _usual(self, base: str) -> str:
        names = (f"{base}{i}" for i in count(self.frame.counts[base] + 1))
        return next(name for name in names if name not in self.frame.taken and name not in self.frame.reserved)

    def _legal(self, name: str) -> str:
        """Return ``name`` if it is legal and free; otherwise an empty text."""
        fits = name.isidentifier() and name.isascii() and not iskeyword(name) and not name.startswith("_")
        return name if fits and name not in self.taken and name not in self.names.values() else ""

    def _fresh(self, base: str) -> str:
        return next(name for i in count(1) if self._legal(name := f"{base}_{i}") and name not in self.frame.taken)

    def _print(self, body: Sequence[CallForm], flow: str, indent: str) -> tuple[list[str], str]:
        lines = []
        for call in body:
            if call.body:
                inner, flow = self._print(call.body, flow, indent + INDENT)
                lines.extend([f"{indent}for i in range({text(call.form)}):", *inner])
                continue
            names = ", ".join(self.names[out] for out in call.outs if out in self.names)
            lines.append(indent + (f"{names} = " if names else "") + self._call(call, flow))
            flow = call.outs[0] if call.refs else flow
        return lines, flow

    def _call(self, call: CallForm, flow: str) -> str:
        names = [self.names.get(ref, "") for ref in call.refs]
        read = named_reads(call, flow)
        if call.kind == "slice":
            return f"{names[0]}[{text(call.form)[1:-1].removesuffix(',')}]"
        if call.kind == "again":
            return f"{names[0]}()" + (f"({', '.join(names[1:])})" if len(read) > 1 else "")
        words = spell_arguments(call.form)
        if call.kind == "merge" and len(names) > 1:
            return f"{call.callee}({', '.join(filter(None, [*names[-len(read) :], words]))})"
        return f"{call.callee}({words})" + (f"({', '.join(names)})" if read else "")


def _stem(callee: str) -> str:
    """Return the usual name of a value without its number."""
    kind = any_kind(callee)
    return kind.sheet_name() if kind else callee
