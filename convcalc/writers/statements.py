"""The statements of a spec sheet that say a graph: layers, merges, calls of blocks, loops; and which blocks there are.

How they are laid out and what names they need stands in `layout`; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from convcalc.errors import ConvcalcError
from convcalc.layers.base import Layer, Output
from convcalc.layers.slicing import Slice
from convcalc.network.graph import Node
from convcalc.readers.names import FROM_INPUT, MERGES, build, families, short_name
from convcalc.writers.fold import Hole
from convcalc.writers.forms import Argument, arguments, value_form

_MERGES = {kind: name for name, kind in MERGES.items()}
MOST_REPEATED = 64  # statements in the body of a loop that is looked for


@dataclass(frozen=True)
class Statement:
    """One line of a sheet, or a loop with its ``body``.

    ``kind`` is layer, merge (alone, if of one value), slice, again, block or loop; ``refs`` are the values it reads,
    ``outs`` those it gives, of which the first flows; ``wanted`` is the name that keeps the path of what it calls,
    which matters if it ``holds`` tensors; ``alias`` is the name that it bears without one.
    """

    kind: str
    callee: str
    form: Any
    refs: tuple[str, ...]
    outs: tuple[str, ...]
    wanted: str = ""
    alias: str = ""
    holds: bool = False
    body: tuple[Statement, ...] = ()

    @property
    def flows(self) -> bool:
        """Whether what it gives is what flows after it."""
        return bool(self.refs) or self.kind == "loop"


def named_reads(kind: str, refs: Sequence[Any], flow: Any) -> tuple[Any, ...]:
    """The values that a statement reads by name, where ``flow`` is what flows.

    >>> named_reads("merge", ("a", "b"), "a"), named_reads("layer", ("a",), "a"), named_reads("layer", ("b",), "a")
    (('b',), (), ('b',))
    """
    refs = tuple(refs)
    if kind == "merge" and len(refs) == 2 and refs[0] == flow:
        return refs[1:]
    if kind == "again":
        return refs[:1] if refs[1:] == (flow,) else refs
    return () if refs in ((flow,), ()) and kind not in ("slice", "alone") else refs


def statement(node: Node, scope: str, first: str = "") -> Statement:
    """The statement of a call of a layer in the module at ``scope``; ``first`` is the call whose weights it shares."""
    layer, kind = node.layer, type(node.layer).__name__
    head, _, last = node.path.rpartition(".")
    holds = bool(layer.weights() or layer.buffers())
    wanted = last if head == scope else ""
    plain = Statement("layer", "", (), node.inputs, parts(node), wanted, "", holds)
    if first:
        return replace(plain, kind="again", refs=(first, *node.inputs))
    if isinstance(layer, Slice):
        return replace(plain, kind="slice", callee="slice", form=value_form("channels", layer.index))
    if kind in _MERGES:
        usual = "1" if kind == "Cat" else None  # on a sheet the batch is implied: channels are what is joined
        given = tuple(argument._replace(usual=usual or argument.usual) for argument in arguments(layer))
        alone = len(node.inputs) == 1 and getattr(layer, "scalar", None) is None
        return replace(plain, kind="alone" if alone else "merge", callee=_MERGES[kind], form=given)
    callee, form = spelled(layer, node)
    return replace(plain, callee=callee, form=form)


def parts(node: Node) -> tuple[str, ...]:
    """The values that a call gives: the main one, and further ones by the names that `further` gives them."""
    names = [*node.layer.further_outputs(*node.input_shapes)]
    return (node.name, *(f"{node.name}/{name}" for name in names if name != "head_weights"))


def further(nodes: Sequence[Node]) -> dict[str, str]:
    """Each further output of a layer, which is a node of its own, as a part of the call that gave it."""
    return {node.name: f"{node.inputs[0]}/{node.layer.name}" for node in nodes if isinstance(node.layer, Output)}


def spelled(layer: Layer, node: Node) -> tuple[str, tuple[Argument, ...]]:
    """The name and the arguments by which a sheet calls a layer: the short ones where they mean the same."""
    kind = type(layer).__name__
    if kind.startswith("AdaptiveAvgPool") and set(layer.output_size) == {1}:  # type: ignore[attr-defined]
        return "gap", ()
    short = short_name(kind)
    if short in families() and node.inputs:
        given = [name for name in FROM_INPUT if name in layer.arguments]
        rest = {name: value for name, value in vars(layer).items() if name not in given}
        try:
            if build(short, node.input_shapes[0], (), rest) == layer:
                return short, arguments(layer, given)
        except ConvcalcError:
            pass  # torch's own name then
    return kind, arguments(layer)


def looped(statements: Sequence[Statement], flow: str, read: frozenset[str]) -> tuple[Statement, ...]:
    """``statements`` with repeated runs as loops; ``flow`` is what flows before them, ``read`` what is read after."""
    flows = [flow]
    for s in statements:
        flows.append(s.outs[0] if s.flows else flows[-1])
    place = {out: i for i, s in enumerate(statements) for out in s.outs}
    last_read = {name: len(statements) for name in read}
    for i, s in reversed(list(enumerate(statements))):
        for ref in s.refs:
            last_read.setdefault(ref, i)
    result: list[Statement] = []
    i = 0
    while i < len(statements):
        size, times = found = _longest(statements, i, flows, place, last_read)
        better = not statements[i].holds and any(  # a loop reads best if it begins with what has weights
            statements[j].holds and _longest(statements, j, flows, place, last_read) == found
            for j in range(i + 1, i + size)
        )
        if times < 2 or better:
            result.append(statements[i])
            i += 1
            continue
        end = i + size * times
        before = flows[end - size]
        turns = zip(statements[i : i + size], statements[end - size : end])  # names of the first, values of the last
        body = [_reading(replace(t, wanted=s.wanted, alias=s.alias), before, flows[i]) for s, t in turns]
        inside = frozenset(out for s in body for out in s.outs if last_read.get(out, -1) >= end)
        loop = looped(body, flows[i], inside | {flows[end]}) if size > 1 else tuple(body)
        result.append(Statement("loop", "", Hole(times, "loop"), (), (flows[end],), body=loop))
        i = end
    return tuple(result)


def _reading(s: Statement, old: str, new: str) -> Statement:
    """A statement that reads ``new`` in place of ``old``."""
    refs = tuple(new if ref == old else ref for ref in s.refs)
    return replace(s, refs=refs)


def _longest(
    statements: Sequence[Statement],
    start: int,
    flows: Sequence[str],
    place: dict[str, int],
    last_read: dict[str, int],
) -> tuple[int, int]:
    """How long the run at ``start`` is that repeats, and how often; 1 and 1 where there is none worth a loop."""
    best, saved = (1, 1), 0
    for size in range(1, min(MOST_REPEATED, (len(statements) - start) // 2) + 1):
        times = 1
        while _same(statements, start, start + times * size, size, flows, place):
            times += 1
        while times > 1 and not _closed(statements, start, start + (times - 1) * size, size, flows, last_read):
            times -= 1
        worth = size * (times - 1) - (0 if statements[start].kind == "block" else 1)
        if times > 1 and worth > saved:
            best, saved = (size, times), worth
    return best


def _same(
    statements: Sequence[Statement], a: int, b: int, size: int, flows: Sequence[str], place: dict[str, int]
) -> bool:
    """Whether the runs of ``size`` at ``a`` and ``b`` say the same, each of what flows into it."""
    if b + size > len(statements):
        return False
    for s, t in zip(statements[a : a + size], statements[b : b + size]):
        if (s.kind, s.callee, s.form) != (t.kind, t.callee, t.form):
            return False
        if s.kind == "again" and place[s.refs[0]] >= a:
            return False  # in the next turn its name would still mean the layer of the first
        if [_relative(ref, a, flows, place) for ref in s.refs] != [_relative(ref, b, flows, place) for ref in t.refs]:
            return False
    return True


def _relative(ref: str, start: int, flows: Sequence[str], place: dict[str, int]) -> Any:
    """A value as the run at ``start`` sees it: its own, what flows in, or one from before."""
    at = place.get(ref, -1)
    return at - start if at >= start else "flow" if ref == flows[start] else ref


def _closed(
    statements: Sequence[Statement], start: int, last: int, size: int, flows: Sequence[str], last_read: dict[str, int]
) -> bool:
    """Whether runs up to that at ``last`` hand on nothing but what flows, and read what flows in without its name."""
    for run in range(start, last + 1, size):
        flow = flows[run]
        for i in range(run, run + size):
            s = statements[i]
            if flows[run] in named_reads(s.kind, s.refs, flow):
                return False
            handed = run + size + (i == run + size - 1)
            if run < last and any(last_read.get(out, -1) >= handed for out in s.outs):
                return False
            flow = s.outs[0] if s.flows else flow
    return True


def walk(statements: Sequence[Statement]) -> Iterator[Statement]:
    """All statements in the order in which they print; a loop comes before what is inside it."""
    for s in statements:
        yield s
        yield from walk(s.body)
