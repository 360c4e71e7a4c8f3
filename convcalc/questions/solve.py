"""Inverse questions: what the letters of a network must be; `analysis.solving` computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convcalc.algebra.claims import Claim, read_claim
from convcalc.algebra.parse import parse_shape
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.gates import parse_limits
from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.count.report import Report, analyze
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.solving.budget import Best, find_largest, find_schedules
from convcalc.analysis.solving.inverse import solve_problem
from convcalc.analysis.solving.problem import Answers, Problem
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.questions.answer import Answer, is_json
from convcalc.questions.lettered import Lettered
from convcalc.questions.sources import letters_in
from convcalc.views import answers, json
from convcalc.views.rows import plain


@dataclass(frozen=True, eq=False, repr=False)
class LetterValues(Answer):
    """The answer to an inverse question: the ``outcome`` for the ``letters``, within ``limits``.

    A row is a solution, a number of layers, or the largest value with its cost.
    """

    network: str
    letters: tuple[str, ...]
    outcome: answers.Outcome
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there is a solution."""
        if isinstance(self.outcome, Answers):
            return bool(self.outcome.solutions or self.outcome.family)
        return self.outcome.value is not None if isinstance(self.outcome, Best) else bool(self.outcome)

    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints, in ``text`` or ``json``; raise UnknownName for other formats."""
        if is_json(format):
            return json.indented(json.solved(self.letters, self.outcome))
        return answers.solved(self.letters, self.outcome, self.limits)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints, as plain Python."""
        return json.plain(json.solved(self.letters, self.outcome))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each solution, number of layers, or value within the limits and beyond."""
        outcome = self.outcome
        if isinstance(outcome, Answers):
            return [
                {**s.values, "layer": s.layer, "output": plain(s.output), "params": plain(s.params)}
                for s in outcome.solutions
            ]
        if isinstance(outcome, Best):
            costs = zip((outcome.value, outcome.next), (outcome.report, outcome.next_report))
            return [
                {outcome.name: value, **{name: report.totals[name] for name, row in METRICS.items() if row.gate}}
                for value, report in costs
                if report is not None
            ]
        return [
            {"layers": len(way.dilations), "way": way.name, "dilations": way.dilations, "rf": way.size}
            for way in outcome
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
) -> LetterValues:
    """Return what the letters of a network must be for it to have an output, parameters, a receptive field or a cost.

    The letters are those in the network's text and in ``shapes``, and the settings with the value ``"?"``. ``output``
    is the shape to reach, without the batch, at the end of the network or at the call named ``at``; ``where`` has
    further conditions. With limits (``max_params``, ``max_macs``, ``max_flops``), the answer is the largest value of
    the one letter that keeps them. Other arguments and errors are those of `summary`; in addition, raises SpecError if
    nothing is asked or there is no letter, and NoSolution if no number of layers has the receptive field.

    >>> answer = solve("Conv2d(3, 8, k)", "3x8x8", output="8x6x6", where=["k odd"])
    >>> answer.to_rows()
    [{'k': 3, 'layer': 'Conv2d(3, 8, 3)', 'output': (8, 6, 6), 'params': 224}]
    >>> solve("resnet50", "3xHxH", max_macs="1G").outcome.value
    100
    """
    texts = {"max-params": max_params, "max-macs": max_macs, "max-flops": max_flops}
    limits = {name.removeprefix("max-"): limit.number for name, limit in parse_limits(texts).items()}
    lettered = Lettered(network, shapes, batch, settings)
    if rf is not None:
        return _schedules(lettered, rf)
    if limits:
        return _largest(lettered, limits, where)
    if output is None and params is None:
        hint = "give --output 8x112x112, --params 9408, --rf 31, or a budget such as --max-macs 600M"
        raise SpecError("nothing is asked for", where="solve", hint=hint)
    return _answers(lettered, output, at, params, where)


def _answers(
    lettered: Lettered, output: str | None, at: str | None, params: int | None, where: Sequence[str]
) -> LetterValues:
    """Return all values of the letters for an output, a number of parameters, or both."""
    shape = None if output is None else parse_shape(output)
    free = set(letters_in(shape or ()))
    if shape is None and lettered.graph is not None:  # parameters do not depend on the sizes of an input
        layers = letters_in(*(_values(node.layer) for node in lettered.graph.nodes))
        free = letters_in(*(shape[2:] for shape in lettered.full)).keys() - layers
    letters = lettered.letters(without=free)
    if not letters:
        hint = "write one: Conv2d(3, 8, k), or --input 3xHxW"
        raise SpecError("there is no letter to solve for", where="solve", hint=hint)
    if lettered.graph is not None and at is not None:
        names = [node.name for node in lettered.graph.nodes]
        if at not in names:
            raise UnknownName(f"there is no call named {at!r}", hint=did_you_mean(at, names))
    problem = Problem(letters, lettered.build, lettered.graph, at, shape, params, _claims(where, letters))
    solutions = solve_problem(problem)
    if at is not None and not solutions.solutions and solutions.miss is None and (small := lettered.small()):
        problem.output_of(small)  # raises UnknownName if there is no such call
    return LetterValues(lettered.source.name, letters, solutions)


def _largest(lettered: Lettered, limits: Mapping[str, int], where: Sequence[str]) -> LetterValues:
    """Return the largest value of the one letter within limits."""
    letters = lettered.letters()
    if len(letters) != 1:
        received = f"there are {', '.join(letters)}" if letters else "there is none"
        hint = "write --set width=? or --input 3xHxH, with one letter in all"
        raise SpecError(f"a budget needs exactly one letter; {received}", where="solve", hint=hint)
    (name,) = letters
    report = None if lettered.graph is None else analyze(lettered.graph)
    best = find_largest(name, lambda n: _report(lettered, {name: n}), report, limits, _claims(where, letters))
    return LetterValues(lettered.source.name, letters, best, limits)


def _report(lettered: Lettered, values: Mapping[str, int]) -> Report:
    return analyze(lettered.build(values), network=lettered.source.name)


def _schedules(lettered: Lettered, rf: int) -> LetterValues:
    """Return numbers of layers for a receptive field: the network is repeated, and its letter is the dilation."""
    letters = lettered.letters(without=lettered.inputs)
    if len(letters) > 1:
        hint = "write the dilation as a letter and everything else as numbers"
        what = f"repeated layers can have one letter, the dilation; there are {', '.join(letters)}"
        raise SpecError(what, where="--rf", hint=hint)

    def one(dilation: int) -> Extent:
        rf = _report(lettered, dict.fromkeys(letters, dilation)).totals["rf"]
        if not isinstance(rf, Extent):
            hint = "use layers with a sliding window, such as convolutions"
            raise SpecError("the layers to repeat have no local receptive field", where="--rf", hint=hint)
        return rf

    return LetterValues(lettered.source.name, letters, find_schedules(one, rf, bool(letters)))


def _claims(where: Sequence[str], letters: Sequence[str]) -> tuple[Claim, ...]:
    return tuple(read_claim(text, letters) for text in where)


def _values(layer: Any) -> list[Any]:
    return [item for value in vars(layer).values() for item in (value if isinstance(value, tuple) else (value,))]
