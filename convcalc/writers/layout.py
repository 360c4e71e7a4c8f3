"""The lines of a spec sheet from its statements: which values need names, what they are called, how each line reads.

Values are numbers here: -1 is what flows into a block, or the last input of the sheet; statements count from 0 in the
order in which they print. What is said is the business of `statements` and `fold`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple

from convcalc.readers.names import families, kinds, short_name
from convcalc.readers.plan import Frame
from convcalc.writers.forms import shown, text
from convcalc.writers.statements import Statement, named_reads, walk

INDENT = "    "
WORDS = ("x", "i", "nn", "True", "False", "None")


class Wish(NamedTuple):
    """The name that keeps a statement's path, or an empty text, and whether tensors hang on that path."""

    name: str
    holds: bool


class Body(NamedTuple):
    """Statements as a form, whose numbers are holes until it is filled; a wish for each; the places of all values."""

    form: Any
    wishes: tuple[Wish, ...]
    places: Mapping[str, int]


class Line(NamedTuple):
    """One statement out of a filled form; ``parts`` is how many values it gives."""

    kind: str
    callee: str
    form: Any
    refs: tuple[int, ...]
    parts: int
    body: tuple[Any, ...]

    @property
    def flows(self) -> bool:
        """Whether what it gives is what flows after it."""
        return bool(self.refs) or self.kind == "loop"


def body_of(statements: Sequence[Statement], inputs: Mapping[str, int]) -> Body:
    """Statements as a form; ``inputs`` are the numbers of the values from outside."""
    places = dict(inputs)
    for s in walk(statements):
        for out in s.outs if s.kind != "loop" else ():
            places[out] = len(places) - len(inputs)
    form = tuple(_form(s, places) for s in statements)
    plain = [s for s in walk(statements) if s.kind != "loop"]
    return Body(form, tuple(Wish(s.wanted or s.alias, s.holds and bool(s.wanted)) for s in plain), places)


def _form(s: Statement, places: Mapping[str, int]) -> Any:
    refs = tuple(str(places[ref]) for ref in s.refs)  # as text: they are no numbers that may differ
    return (s.kind, s.callee, s.form, refs, str(len(s.outs)), tuple(_form(inner, places) for inner in s.body))


def _lines(form: Any) -> Iterator[Line]:
    for kind, callee, inner, refs, parts, body in form:
        yield Line(kind, callee, inner, tuple(map(int, refs)), int(parts), body)


def common(wishes: Sequence[Sequence[Wish]]) -> tuple[Wish, ...]:
    """For each statement of several equal bodies the name that all of them wish, if they agree."""
    return tuple(
        each[0] if len({wish.name for wish in each}) == 1 else Wish("", each[0].holds) for each in zip(*wishes)
    )


class Layout:
    """Lays out one body: a block, or the sheet itself.

    ``names`` are those of the values from outside, ``taken`` what else a value may not be called; ``flow`` is the value
    that flows at the end.
    """

    def __init__(self, form: Any, wishes: Sequence[Wish], taken: Collection[str], names: Mapping[int, str]) -> None:
        self.form = form
        self.wishes = wishes
        self.given = dict(names)
        self.taken = {*WORDS, *taken, *names.values(), *_callees(form)}
        self.names: dict[int, str] = {}
        self.frame = Frame({})
        self.unsure: set[str] = set()
        self.needed: set[int] = set()
        self.repeated: set[int] = set()
        self.flow = self._need(form, -1, count())

    def lines(self, outputs: Sequence[int] = ()) -> list[str]:
        """The body's lines; ``outputs`` are values that the end of the sheet names."""
        self.needed.update(outputs)
        for _ in range(3):  # names that are given keep unnamed layers from taking them, and so change what is needed
            reserved = frozenset(self.names.values())
            self.names, self.unsure = dict(self.given), set()
            self.frame = Frame({}, reserved=reserved)
            self._name(self.form, count(), iter(self.wishes), True)
            if reserved == frozenset(self.names.values()):
                break
        return self._print(self.form, -1, count(), "")[0]

    def _need(self, form: Any, flow: int, places: Iterator[int]) -> int:
        """Find the values that are read by name; returns what flows at the end."""
        for line in _lines(form):
            if line.kind == "loop":
                flow = self._need(line.body, flow, places)
                continue
            self.needed.update(named_reads(line.kind, line.refs, flow))
            self.repeated.update(line.refs[:1] if line.kind == "again" else ())
            place, *_ = [next(places) for _ in range(line.parts)]
            flow = place if line.flows else flow
        return flow

    def _name(self, form: Any, places: Iterator[int], wishes: Iterator[Wish], outside: bool) -> None:
        """Choose names: where they are needed, and where they keep a path on which tensors hang."""
        for line in _lines(form):
            if line.kind == "loop":
                self._name(line.body, places, wishes, False)
                continue
            mine, wish = [next(places) for _ in range(line.parts)], next(wishes)
            base = _base(line.callee)
            if line.kind == "again":
                name = self._fresh(self.names[line.refs[0]]) if self.needed.intersection(mine) else ""
            else:
                name = self._name_for(mine, wish, base, outside)
            for place in mine if name else ():
                self.names[place] = name if place == mine[0] else self._fresh(name)
            if line.kind != "again":
                self.frame.place(name or base, not name)
                self.unsure.update(() if outside else (base,))

    def _name_for(self, mine: Sequence[int], wish: Wish, base: str, outside: bool) -> str:
        """The name of one statement's value; empty where it needs none."""
        usual = self._usual(base) if outside and base not in self.unsure else ""
        if self.needed.intersection(mine):
            wished = "" if mine[0] in self.repeated and wish.name in families() else wish.name  # fc() is a layer
            return self._legal(wished) or self._legal(usual) or self._fresh(base)
        counted = base in self.unsure and wish.name.removeprefix(base).isdigit()
        return self._legal(wish.name) if outside and wish.holds and wish.name != usual and not counted else ""

    def _usual(self, base: str) -> str:
        """The name that the reader would give."""
        names = (f"{base}{i}" for i in count(self.frame.counts[base] + 1))
        return next(name for name in names if name not in self.frame.taken and name not in self.frame.reserved)

    def _legal(self, name: str) -> str:
        """``name`` where it may be given, else an empty text."""
        fits = name.isidentifier() and name.isascii() and not iskeyword(name) and not name.startswith("_")
        return name if fits and name not in self.taken and name not in self.names.values() else ""

    def _fresh(self, base: str) -> str:
        return next(name for i in count(1) if self._legal(name := f"{base}_{i}") and name not in self.frame.taken)

    def _print(self, form: Any, flow: int, places: Iterator[int], indent: str) -> tuple[list[str], int]:
        """The lines, and what flows after them."""
        lines = []
        for line in _lines(form):
            if line.kind == "loop":
                inner, flow = self._print(line.body, flow, places, indent + INDENT)
                lines.extend([f"{indent}for i in range({text(line.form)}):", *inner])
                continue
            mine = [next(places) for _ in range(line.parts)]
            names = ", ".join(self.names[place] for place in mine if place in self.names)
            lines.append(indent + (f"{names} = " if names else "") + self._said(line, flow))
            flow = mine[0] if line.flows else flow
        return lines, flow

    def _said(self, line: Line, flow: int) -> str:
        """One statement, but for the name that it gives."""
        names = [self.names.get(ref, "") for ref in line.refs]
        read = named_reads(line.kind, line.refs, flow)
        if line.kind == "slice":
            return f"{names[0]}[{text(line.form)[1:-1].removesuffix(',')}]"
        if line.kind == "again":
            return f"{names[0]}()" + (f"({', '.join(names[1:])})" if len(read) > 1 else "")
        words = [word for word in [shown(line.form)] if word]
        if line.kind == "merge" and len(names) > 1:
            return f"{line.callee}({', '.join(names[-len(read) :] + words)})"
        return f"{line.callee}({', '.join(words)})" + (f"({', '.join(names)})" if read else "")


def _base(callee: str) -> str:
    """What the reader calls a value without a name, but for its number."""
    return short_name("AdaptiveAvgPool2d" if callee == "gap" else callee) if callee in (*kinds(), "gap") else callee


def _callees(form: Any) -> Iterator[str]:
    """What the lines call: a value of that name would stand in the way."""
    for line in _lines(form):
        yield line.callee
        yield from _callees(line.body)
