"""Questions to a network that is named: which sizes it takes, and what its letters must be.

Here it is read and the analysis asked; what is computed stands in `analysis.legal`, `inverse`, `budget` and `reach`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.conditions import Condition, condition
from convcalc.algebra.dims import Dim, Shape, is_symbolic, letter, parse_shape, substitute
from convcalc.analysis.budget import Best, largest
from convcalc.analysis.flow import Extent
from convcalc.analysis.inverse import answers
from convcalc.analysis.legal import AXES, Legal, Verdict, judge, lettered, study
from convcalc.analysis.problem import Answers, Problem
from convcalc.analysis.reach import Schedule, schedules
from convcalc.analysis.report import Report, analyze
from convcalc.errors import ConvcalcError, SpecError, UnknownName, did_you_mean
from convcalc.network.graph import Graph
from convcalc.readers import Network, full_shapes, read


class Answer(NamedTuple):
    """The sizes that a network takes; a verdict where numbers were given, and then the graph of those, if they work."""

    name: str
    legal: Legal
    verdict: Verdict | None
    graph: Graph | None


def sizes(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
) -> Answer:
    """The legal sizes of a network, its arguments as those of `summary`; shapes in numbers get a verdict.

    Raises SpecError, UnknownName, and what a network raises that takes no letters.

    >>> sizes("alexnet").legal.told(), sizes("alexnet", "3x62x62").verdict.above
    (['H ≥ 63, W ≥ 63'], ((1, 3, 63, 63),))
    """
    source = read(network, settings)
    full = full_shapes(source, shapes, batch)
    letters = [(shape[0], *lettered(shape[1:])) for shape in full]
    found = study(source.graph, letters, _usual(source, full))
    if not shapes or any(is_symbolic(dim) for shape in full for dim in shape):
        return Answer(source.name, found, None, found.graph)
    verdict = judge(source.graph, found, full)
    return Answer(source.name, found, verdict, source.graph(*full) if verdict.works else None)


def _usual(source: Network, full: Sequence[Shape]) -> list[Shape]:
    """Numbers for the axes that may have to be held: those given, else the network's usual ones."""
    if any(is_symbolic(dim) for shape in full for dim in shape) and source.input is not None:
        return [(shape[0], *usual) for shape, usual in zip(full, source.inputs)]
    return list(full)


Found: TypeAlias = "Answers | Best | list[Schedule]"


class Solved(NamedTuple):
    """An inverse question's answer, with the letters that were asked for."""

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
    """What an inverse question wants; None of what is not asked."""

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
    settings = {name: name if value == "?" else value for name, value in settings.items()}
    asker = _Asker(network, shapes, batch, settings)
    if wanted.rf is not None:
        return asker.schedules(wanted)
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
        self.batch = batch
        self.settings = settings
        self.named: list[str] = []
        self.source = read(network, settings) if not self._asked() else self._lettered()
        self.shapes = shapes or self._made_up()
        self.full = full_shapes(self.source, tuple(self.shapes), batch)
        try:
            self.graph: Graph | None = self.source.graph(*self.full)
        except ConvcalcError:
            self.named = self._named()
            if not self.letters_without_graph() or not self._works_with_numbers():
                raise
            self.graph = None

    def _named(self) -> list[str]:
        """Names in an inline text that nothing there gives a value: letters, where a layer needs their numbers."""
        try:
            tree = ast.parse(self.network.replace(";", "\n")) if isinstance(self.network, str) else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            tree = None
        nodes = list(ast.walk(tree)) if tree is not None and "(" in self.network else []
        called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        loaded = [n.id for n in nodes if isinstance(n, ast.Name) and n.id not in called | stored]
        return list(dict.fromkeys(loaded))

    def letters_without_graph(self) -> list[str]:
        """The letters where no graph tells them."""
        inputs = [str(s) for shape in self.full for dim in shape if is_symbolic(dim) for s in dim.free_symbols]  # type: ignore[union-attr]
        return list(dict.fromkeys([*self._asked(), *self.named, *inputs]))

    def _works_with_numbers(self) -> bool:
        """Whether the network can be built where each letter is some small number; else its own error says more."""
        for n in range(4):
            try:
                self.build(dict.fromkeys(self.letters_without_graph(), n))
                return True
            except ConvcalcError:
                continue
        return bool(self._asked())

    def _asked(self) -> list[str]:
        """The settings that are asked for."""
        return [name for name, value in self.settings.items() if value == name]

    def _lettered(self) -> Network:
        """The network with letters for the settings asked for; without them where it needs their numbers."""
        try:
            return read(self.network, self.settings)
        except ConvcalcError as error:
            rest = {name: value for name, value in self.settings.items() if value != name}
            if isinstance(error, UnknownName) or "has no setting" in error.what:
                raise
            return read(self.network, rest)

    def _made_up(self) -> tuple[str, ...]:
        """For a text that begins with a layer that says its channels and rank: an input in letters."""
        found = (
            re.match(r"\s*(?:nn\.)?[A-Z]\w*?([123])d\(\s*(\d+)", self.network)
            if isinstance(self.network, str)
            else None
        )
        if found is None or self.source.input is not None:
            return ()
        return ("x".join([found[2], *AXES[int(found[1])]]),)

    def build(self, values: Mapping[str, int]) -> Graph:
        """The graph for numbers in place of letters."""
        inputs = {str(s) for shape in self.full for dim in shape if is_symbolic(dim) for s in dim.free_symbols}  # type: ignore[union-attr]
        named = {name: n for name, n in values.items() if name not in inputs or name in self.settings}
        puts = {letter(name): n for name, n in values.items()}
        source = read(self.network, {**self.settings, **named})
        return source.graph(*[tuple(substitute(dim, puts) for dim in shape) for shape in self.full])

    def letters(self, given: Sequence[str] = ()) -> tuple[str, ...]:
        """The letters asked for: all but those given."""
        found = self.letters_without_graph() if self.graph is None else list(self.graph.letters)
        names = tuple(dict.fromkeys(name for name in found if name not in given))
        return tuple(sorted(names, key=self._place))

    def _place(self, name: str) -> int:
        """Where a letter first stands in what was written."""
        text = f"{self.network} {' '.join(self.settings)} {' '.join(self.shapes)}"
        found = re.search(rf"(?<![A-Za-z_0-9]){re.escape(name)}(?![A-Za-z_0-9])", text)
        return found.start() if found else len(text)

    def conditions(self, texts: Sequence[str], letters: Sequence[str]) -> tuple[Condition, ...]:
        return tuple(condition(text, letters) for text in texts)

    def answers(self, wanted: Wanted) -> Solved:
        """All values of the letters for an output, a number of parameters, or both."""
        output = None if wanted.output is None else parse_shape(wanted.output)
        stated = [str(s) for dim in output or () if is_symbolic(dim) for s in dim.free_symbols]  # type: ignore[union-attr]
        letters = self.letters(stated)
        free = self._free(wanted)
        letters = tuple(name for name in letters if name not in free)
        if not letters:
            raise SpecError(
                "there is no letter to solve for", where="solve", hint="write one: Conv2d(3, 8, k), or --input 3xHxW"
            )
        if self.graph is not None and wanted.at is not None:
            names = [node.name for node in self.graph.nodes]
            if wanted.at not in names:
                raise UnknownName(f"no call is named {wanted.at!r}", hint=did_you_mean(wanted.at, names))
        where = self.conditions(wanted.where, letters)
        problem = Problem(letters, self.build, self.graph, wanted.at, output, wanted.params, where)
        return Solved(self.source.name, letters, answers(problem))

    def _free(self, wanted: Wanted) -> set[str]:
        """Letters of a made-up input, of which a question of parameters says nothing."""
        if wanted.output is not None or self.graph is None:
            return set()
        inputs = {str(s) for shape in self.full for dim in shape[2:] if is_symbolic(dim) for s in dim.free_symbols}  # type: ignore[union-attr]
        layers = {str(s) for node in self.graph.nodes for s in _letters_of(node.layer)}
        return inputs - layers

    def largest(self, wanted: Wanted) -> Solved:
        """The largest value of the one letter within limits."""
        letters = self.letters()
        if len(letters) != 1:
            told = f"there are {', '.join(letters)}" if letters else "there is none"
            hint = "write --set width=? or --input 3xHxH, with one letter in all"
            raise SpecError(f"a budget takes one letter; {told}", where="solve", hint=hint)
        (name,) = letters
        report = None if self.graph is None else analyze(self.graph)
        found = largest(
            name,
            lambda n: self._report({name: n}),
            report,
            wanted.limits,
            self.conditions(wanted.where, letters),
        )
        return Solved(self.source.name, letters, found)

    def _report(self, values: Mapping[str, int]) -> Report:
        return analyze(self.build(values), network=self.source.name)

    def schedules(self, wanted: Wanted) -> Solved:
        """Layers for a receptive field: what is written is repeated; its letter is the dilation."""
        assert wanted.rf is not None
        inputs = {str(s) for shape in self.full for dim in shape if is_symbolic(dim) for s in dim.free_symbols}  # type: ignore[union-attr]
        letters = self.letters(sorted(inputs))
        if len(letters) > 1:
            hint = "write the dilation as a letter and the rest in numbers"
            raise SpecError(f"a schedule has one letter; there are {', '.join(letters)}", where="--rf", hint=hint)

        def one(dilation: int) -> Extent:
            rf = self._report(dict.fromkeys(letters, dilation)).totals["rf"]
            if not isinstance(rf, Extent):
                raise SpecError(
                    "what is repeated has no field of its own", where="--rf", hint="give it layers that slide"
                )
            return rf

        return Solved(self.source.name, letters, schedules(one, wanted.rf, bool(letters)))


def _letters_of(layer: Any) -> set[Any]:
    values = [item for value in vars(layer).values() for item in (value if isinstance(value, tuple) else (value,))]
    return {symbol for item in values if is_symbolic(item) for symbol in item.free_symbols}
