"""Inverse questions: what the letters of a network must be; the analyses compute."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice, product
from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.claims import Claim, read_claim
from convcalc.algebra.dims import letter, substitute
from convcalc.algebra.parse import parse_shape
from convcalc.analysis.count.report import Report, analyze
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.solving.budget import Best, Schedule, largest, schedules
from convcalc.analysis.solving.inverse import answers
from convcalc.analysis.solving.legal import AXES
from convcalc.analysis.solving.problem import Answers, Problem
from convcalc.errors import ConvcalcError, SpecError, UnknownName, UnknownSetting, did_you_mean
from convcalc.formats.sheet.source import MOST_SECONDS, Source
from convcalc.network.graph import Graph
from convcalc.questions.sizes import letters_in
from convcalc.questions.sources import Network, full_shapes, read

Found: TypeAlias = "Answers | Best | list[Schedule]"


class Solved(NamedTuple):
    """An inverse question's answer."""

    name: str
    letters: tuple[str, ...]
    found: Found

    @property
    def answered(self) -> bool:
        """Whether there is a solution."""
        if isinstance(self.found, Answers):
            return bool(self.found.solutions or self.found.family)
        return self.found.value is not None if isinstance(self.found, Best) else bool(self.found)


class Wanted(NamedTuple):
    """What an inverse question wants."""

    output: str | None = None
    at: str | None = None
    params: int | None = None
    rf: int | None = None
    limits: Mapping[str, int] = {}
    where: Sequence[str] = ()


_NOTHING = Wanted()


def solve(
    network: Any,
    *shapes: str,
    batch: str | None = None,
    settings: Mapping[str, Any] = {},
    wanted: Wanted = _NOTHING,
) -> Solved:
    """What the letters of a network must be for its output, its parameters, its field or its cost to be as wanted.

    Letters are those in the network's text, in ``shapes``, and settings with the value ``"?"``. Raises SpecError,
    UnknownName; NoSolution where no number of layers sees so far.

    >>> asked = Wanted(output="8x112x112", where=["k in 1..7"])
    >>> found = solve("Conv2d(3, 8, k, stride=s, padding=p)", "3x224x224", wanted=asked).found
    >>> found.solutions[0].values, len(found.solutions)
    ({'k': 1, 's': 2, 'p': 0}, 7)
    """
    asker = _Asker(network, shapes, batch, {name: name if value == "?" else value for name, value in settings.items()})
    if wanted.rf is not None:
        return asker.schedules(wanted.rf)
    if wanted.limits:
        return asker.largest(wanted)
    if wanted.output is None and wanted.params is None:
        hint = "give --output 8x112x112, --params 9408, --rf 31, or a budget such as --max-macs 600M"
        raise SpecError("nothing is asked", where="solve", hint=hint)
    return asker.answers(wanted)


class _Asker:
    """A network with letters, and its graphs for numbers in their place."""

    def __init__(self, network: Any, shapes: Sequence[str], batch: str | None, settings: Mapping[str, Any]) -> None:
        self.network = network
        self.text = network if isinstance(network, str) else ""
        self.batch = batch
        self.settings = settings
        self.asked = [name for name, value in settings.items() if value == name]
        self.named = [*self.asked, *self._named()]
        self.source = self._read()
        self.shapes = shapes or self._made_up()
        self.full = full_shapes(self.source, self.shapes, batch)
        self.inputs = letters_in(*self.full)
        self.graph: Graph | None = None
        try:
            self.graph = self.source.graph(*self.full)
            self.found = self.graph.letters
        except ConvcalcError:
            self.found = tuple(dict.fromkeys([*self.named, *self.inputs]))
            if not self.found or not self._works_with_numbers():
                raise

    def _read(self) -> Network:
        """The network with letters for the settings asked for; without them where it needs their numbers."""
        try:
            return read(self.network, self.settings)
        except (UnknownName, UnknownSetting):
            raise
        except ConvcalcError:
            if not self.asked:
                raise
            return read(self.network, {name: value for name, value in self.settings.items() if name not in self.asked})

    def _named(self) -> list[str]:
        """Names in an inline text that have no value there: letters, where a layer needs their numbers."""
        try:  # within the limits of a sheet
            nodes = list(ast.walk(Source(self.text, "text").tree)) if "(" in self.text else []
        except ConvcalcError:
            nodes = []
        names = [node for node in nodes if isinstance(node, ast.Name)]
        known = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        known.update(node.id for node in names if isinstance(node.ctx, ast.Store))
        return [node.id for node in names if node.id not in known]

    def _works_with_numbers(self) -> bool:
        """Whether the network can be built for small numbers; else its own error says more."""
        return self._small() is not None or bool(self.asked)

    def _small(self) -> Graph | None:
        """The network for small numbers, for all letters the same if that will do."""
        alike = ((n,) * len(self.found) for n in reversed(range(9)))
        deadline = time.monotonic() + MOST_SECONDS  # each number is a sheet read anew
        for numbers in chain(alike, islice(product(range(4), repeat=len(self.found)), 64)):
            if time.monotonic() > deadline:
                break
            with suppress(ConvcalcError):
                return self.build(dict(zip(self.found, numbers)))
        return None

    def _made_up(self) -> tuple[str, ...]:
        """An input in letters for a text that begins with a layer's channels and rank."""
        found = re.match(r"\s*(?:nn\.)?[A-Z]\w*?([123])d\(\s*(\d+)", self.text)
        if found is None or self.source.input is not None:
            return ()
        return ("x".join([found[2], *AXES[int(found[1])]]),)

    def build(self, values: Mapping[str, int]) -> Graph:
        """The graph for numbers in place of letters."""
        named = {name: n for name, n in values.items() if name not in self.inputs or name in self.named}
        puts = {letter(name): n for name, n in values.items()}
        source = read(self.network, {**self.settings, **named})
        return source.graph(*[tuple(substitute(dim, puts) for dim in shape) for shape in self.full])

    def letters(self, given: Iterable[str] = ()) -> tuple[str, ...]:
        """The letters asked for, all but those given, as they stand in what was written."""
        text = f"{self.network} {' '.join(self.settings)} {' '.join(self.shapes)}"

        def place(name: str) -> int:
            found = re.search(rf"(?<![A-Za-z_0-9]){re.escape(name)}(?![A-Za-z_0-9])", text)
            return found.start() if found else len(text)

        return tuple(sorted((name for name in self.found if name not in given), key=place))

    def answers(self, wanted: Wanted) -> Solved:
        """All values of the letters for an output, a number of parameters, or both."""
        output = None if wanted.output is None else parse_shape(wanted.output)
        given = set(letters_in(output or ()))
        if output is None and self.graph is not None:  # of the sizes of an input, parameters say nothing
            layers = letters_in(*(_values(node.layer) for node in self.graph.nodes))
            given = letters_in(*(shape[2:] for shape in self.full)).keys() - layers
        letters = self.letters(given)
        if not letters:
            hint = "write one: Conv2d(3, 8, k), or --input 3xHxW"
            raise SpecError("there is no letter to solve for", where="solve", hint=hint)
        if self.graph is not None and wanted.at is not None:
            names = [node.name for node in self.graph.nodes]
            if wanted.at not in names:
                raise UnknownName(f"no call is named {wanted.at!r}", hint=did_you_mean(wanted.at, names))
        where = _claims(wanted, letters)
        problem = Problem(letters, self.build, self.graph, wanted.at, output, wanted.params, where)
        found = answers(problem)
        if wanted.at is not None and not found.solutions and found.miss is None and (small := self._small()):
            problem.output_of(small)  # says so where there is no such call
        return Solved(self.source.name, letters, found)

    def largest(self, wanted: Wanted) -> Solved:
        """The largest value of the one letter within limits."""
        letters = self.letters()
        if len(letters) != 1:
            told = f"there are {', '.join(letters)}" if letters else "there is none"
            hint = "write --set width=? or --input 3xHxH, with one letter in all"
            raise SpecError(f"a budget takes one letter; {told}", where="solve", hint=hint)
        (name,) = letters
        report = None if self.graph is None else analyze(self.graph)
        where = _claims(wanted, letters)
        found = largest(name, lambda n: self._report({name: n}), report, wanted.limits, where)
        return Solved(self.source.name, letters, found)

    def _report(self, values: Mapping[str, int]) -> Report:
        return analyze(self.build(values), network=self.source.name)

    def schedules(self, rf: int) -> Solved:
        """Layers for a receptive field: what is written is repeated; its letter is the dilation."""
        letters = self.letters(self.inputs)
        if len(letters) > 1:
            hint = "write the dilation as a letter and the rest in numbers"
            raise SpecError(f"a schedule has one letter; there are {', '.join(letters)}", where="--rf", hint=hint)

        def one(dilation: int) -> Extent:
            rf = self._report(dict.fromkeys(letters, dilation)).totals["rf"]
            if not isinstance(rf, Extent):
                hint = "give it layers that slide"
                raise SpecError("what is repeated has no field of its own", where="--rf", hint=hint)
            return rf

        return Solved(self.source.name, letters, schedules(one, rf, bool(letters)))


def _claims(wanted: Wanted, letters: Sequence[str]) -> tuple[Claim, ...]:
    return tuple(read_claim(text, letters) for text in wanted.where)


def _values(layer: Any) -> list[Any]:
    return [item for value in vars(layer).values() for item in (value if isinstance(value, tuple) else (value,))]
