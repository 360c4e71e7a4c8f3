"""Inverse questions: what the letters of a network must be; the analyses compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convcalc.algebra.claims import Claim, read_claim
from convcalc.algebra.parse import parse_shape
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.gates import limits as parsed
from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.count.report import Report, analyze
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.solving.budget import Best, largest, schedules
from convcalc.analysis.solving.inverse import answers as solutions_of
from convcalc.analysis.solving.problem import Answers, Problem
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.questions.answer import Answer, is_json
from convcalc.questions.lettered import Lettered
from convcalc.questions.sources import letters_in
from convcalc.views import answers, json
from convcalc.views.rows import plain


@dataclass(frozen=True, eq=False, repr=False)
class Solved(Answer):
    """The answer to an inverse question: what was ``found`` for the ``letters``, within ``limits``.

    A row is a solution, a number of layers, or the largest value with what it costs.
    """

    network: str
    letters: tuple[str, ...]
    found: answers.Outcome
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there is a solution."""
        if isinstance(self.found, Answers):
            return bool(self.found.solutions or self.found.family)
        return self.found.value is not None if isinstance(self.found, Best) else bool(self.found)

    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints in this format; raises UnknownName for another one."""
        if is_json(format):
            return json.indented(json.solved(self.letters, self.found))
        return answers.solved(self.letters, self.found, self.limits)

    def to_dict(self) -> dict[str, Any]:
        """Return the content in plain Python, as JSON holds it."""
        return json.plain(json.solved(self.letters, self.found))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the table as flat dicts."""
        found = self.found
        if isinstance(found, Answers):
            return [
                {**s.values, "layer": s.layer, "output": plain(s.output), "params": plain(s.params)}
                for s in found.solutions
            ]
        if isinstance(found, Best):
            costs = zip((found.value, found.next), (found.report, found.next_report))
            return [
                {found.name: value, **{name: report.totals[name] for name, row in METRICS.items() if row.gate}}
                for value, report in costs
                if report is not None
            ]
        return [
            {"layers": len(way.dilations), "way": way.name, "dilations": way.dilations, "rf": way.size} for way in found
        ]


def solve(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
    output: str | None = None,
    at: str | None = None,
    params: int | None = None,
    rf: int | None = None,
    where: Sequence[str] = (),
    max_params: str | int | None = None,
    max_macs: str | int | None = None,
    max_flops: str | int | None = None,
) -> Solved:
    """Return what the letters of a network must be for its output, its parameters, its field or its cost to be so.

    Letters are those in the network's text, in ``shapes``, and settings with the value ``"?"``. ``output`` is wanted
    of the network, or of the call named ``at``; ``where`` says what must hold too. With limits the answer is the
    largest value of the one letter that keeps them. Raises SpecError, UnknownName; NoSolution where no number of
    layers sees so far.

    >>> answer = solve("Conv2d(3, 8, k)", "3x8x8", output="8x6x6", where=["k odd"])
    >>> answer.to_rows()
    [{'k': 3, 'layer': 'Conv2d(3, 8, 3)', 'output': (8, 6, 6), 'params': 224}]
    >>> solve("resnet50", "3xHxH", max_macs="1G").found.value
    100
    """
    given = {"max-params": max_params, "max-macs": max_macs, "max-flops": max_flops}
    limits = {name.removeprefix("max-"): limit.number for name, limit in parsed(given).items()}
    asked = Lettered(network, shapes, batch, settings)
    if rf is not None:
        return _schedules(asked, rf)
    if limits:
        return _largest(asked, limits, where)
    if output is None and params is None:
        hint = "give --output 8x112x112, --params 9408, --rf 31, or a budget such as --max-macs 600M"
        raise SpecError("nothing is asked", where="solve", hint=hint)
    return _answers(asked, output, at, params, where)


def _answers(asked: Lettered, output: str | None, at: str | None, params: int | None, where: Sequence[str]) -> Solved:
    """All values of the letters for an output, a number of parameters, or both."""
    shape = None if output is None else parse_shape(output)
    given = set(letters_in(shape or ()))
    if shape is None and asked.graph is not None:  # of the sizes of an input, parameters say nothing
        layers = letters_in(*(_values(node.layer) for node in asked.graph.nodes))
        given = letters_in(*(shape[2:] for shape in asked.full)).keys() - layers
    letters = asked.letters(given)
    if not letters:
        hint = "write one: Conv2d(3, 8, k), or --input 3xHxW"
        raise SpecError("there is no letter to solve for", where="solve", hint=hint)
    if asked.graph is not None and at is not None:
        names = [node.name for node in asked.graph.nodes]
        if at not in names:
            raise UnknownName(f"no call is named {at!r}", hint=did_you_mean(at, names))
    problem = Problem(letters, asked.build, asked.graph, at, shape, params, _claims(where, letters))
    found = solutions_of(problem)
    if at is not None and not found.solutions and found.miss is None and (small := asked.small()):
        problem.output_of(small)  # says so where there is no such call
    return Solved(asked.source.name, letters, found)


def _largest(asked: Lettered, limits: Mapping[str, int], where: Sequence[str]) -> Solved:
    """The largest value of the one letter within limits."""
    letters = asked.letters()
    if len(letters) != 1:
        received = f"there are {', '.join(letters)}" if letters else "there is none"
        hint = "write --set width=? or --input 3xHxH, with one letter in all"
        raise SpecError(f"a budget takes one letter; {received}", where="solve", hint=hint)
    (name,) = letters
    report = None if asked.graph is None else analyze(asked.graph)
    found = largest(name, lambda n: _report(asked, {name: n}), report, limits, _claims(where, letters))
    return Solved(asked.source.name, letters, found, limits)


def _report(asked: Lettered, values: Mapping[str, int]) -> Report:
    return analyze(asked.build(values), network=asked.source.name)


def _schedules(asked: Lettered, rf: int) -> Solved:
    """Layers for a receptive field: what is written is repeated; its letter is the dilation."""
    letters = asked.letters(asked.inputs)
    if len(letters) > 1:
        hint = "write the dilation as a letter and the rest in numbers"
        raise SpecError(f"a schedule has one letter; there are {', '.join(letters)}", where="--rf", hint=hint)

    def one(dilation: int) -> Extent:
        rf = _report(asked, dict.fromkeys(letters, dilation)).totals["rf"]
        if not isinstance(rf, Extent):
            hint = "give it layers that slide"
            raise SpecError("what is repeated has no field of its own", where="--rf", hint=hint)
        return rf

    return Solved(asked.source.name, letters, schedules(one, rf, bool(letters)))


def _claims(where: Sequence[str], letters: Sequence[str]) -> tuple[Claim, ...]:
    return tuple(read_claim(text, letters) for text in where)


def _values(layer: Any) -> list[Any]:
    return [item for value in vars(layer).values() for item in (value if isinstance(value, tuple) else (value,))]
