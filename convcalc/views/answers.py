"""Answers as text: which sizes work, what letters must be, a convolution's matrix. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeAlias

from convcalc.algebra.dims import show, show_count, show_shape
from convcalc.algebra.types import Shape
from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.solving.budget import Best, Schedule
from convcalc.analysis.solving.problem import Answers, Solution
from convcalc.layers.demands import AXES
from convcalc.views.table import check_format, framed, tabulated

if TYPE_CHECKING:  # importing these loads sympy, which a matrix of numbers does not need
    from convcalc.analysis.matrix import Matrix
    from convcalc.analysis.solving.legal import LegalSizes, Loss, Verdict

Outcome: TypeAlias = "Answers | Best | list[Schedule]"
"""The answer to an inverse question: all solutions, the largest letter, or rows of layers."""

MOST_ROWS = 20
"""Solutions shown where their family is not stated."""


def sizes(network: str, legal: LegalSizes, verdict: Verdict | None = None, losses: Sequence[Loss] | None = None) -> str:
    """Return which sizes a network takes, or whether given ones work; then where a floor drops pixels, if asked.

    >>> from convcalc import nn, symbols, trace
    >>> from convcalc.analysis.solving.legal import find_legal_sizes
    >>> print(sizes("pool", find_legal_sizes(trace(nn.ReLU(), (1, 3, *symbols("H W"))))))
    pool, input 3 x H x W
    <BLANKLINE>
    works for any H, any W
    """
    lines = _legal(network, legal) if verdict is None else _verdict(verdict)
    return "\n".join([*lines, *([] if losses is None else ["", _losses(losses)])])


def _legal(name: str, legal: LegalSizes) -> Iterator[str]:
    yield f"{name}, input {', '.join(show_shape(shape[1:]) for shape in legal.shapes)}"
    for note in legal.held:
        yield f"Note  {note}"
    cases = legal.describe()
    yield ""
    if len(cases) > 1:
        yield "\n  ".join(["works for", *cases])
    else:
        yield f"works for {cases[0]}" if cases else "no size works"
    if legal.demands:
        yield ""
        yield tabulated(list(map(list, legal.demands)), ("Needs", "Layer", "Or else"))


def _losses(losses: Sequence[Loss]) -> str:
    if not losses:
        return "no floor drops a pixel"
    columns = 5 if any(loss.when for loss in losses) else 4
    rows = [[loss.node, loss.axis, show(loss.size), show(loss.lost), loss.when][:columns] for loss in losses]
    return tabulated(rows, ("Layer", "Axis", "Of", "Dropped", "Where")[:columns])


def _verdict(verdict: Verdict) -> Iterator[str]:
    """Yield whether given sizes work, and what to do if they do not."""
    sizes = _maps(verdict.shapes)
    if verdict.error is None:
        yield f"{sizes} works"
        return
    yield f"{sizes} does not work"
    yield from (f"  {line}" for line in str(verdict.error).splitlines())
    sides = {"below": verdict.below, "above": verdict.above}
    near = " and ".join(f"{_maps(shapes)} {side}" for side, shapes in sides.items() if shapes is not None)
    yield f"nearest that work: {near}" if near else "no size near it works"
    if verdict.above is not None:
        missing = zip(verdict.padding, AXES.get(len(verdict.padding), ()))
        padding = [f"{n} in {name} ({n // 2} before, {n - n // 2} after)" for n, name in missing if n]
        yield f"padding to {_maps(verdict.above)}: {', '.join(padding)}"


def _maps(shapes: Sequence[Shape]) -> str:
    return ", ".join(show_shape(shape[2:]) for shape in shapes)


def solved(letters: Sequence[str], outcome: Outcome, limits: Mapping[str, int] = {}) -> str:
    """Return the answer to an inverse question about these letters; ``limits`` are a budget's, by metric.

    >>> print(solved((), [Schedule("", (1, 1), 5)]))
    Layers    RF
    --------  ----
    2         5
    """
    if isinstance(outcome, Answers):
        return "\n".join(_answers(letters, outcome))
    if isinstance(outcome, Best):
        return "\n".join(_best(outcome, limits))
    named = any(way.name for way in outcome)
    titles = ["Layers", *(["Dilations", "One by one"] if named else []), "RF"]
    rows = [[str(len(way.dilations)), *([way.name, way.describe()] if named else []), str(way.size)] for way in outcome]
    return tabulated(rows, titles)


def _answers(letters: Sequence[str], answers: Answers) -> Iterator[str]:
    family = answers.family
    if not answers.solutions and not family:
        yield f"no solution{' with ' if answers.upto else ''}{answers.upto}"
        if miss := answers.miss:
            values = ", ".join(f"{name} = {value}" for name, value in miss.values.items())
            yield f"closest: {values} gives {' and '.join(_results(miss))} parameters"
        return
    if answers.endless or family:
        many = "infinitely many" if answers.endless else f"{'more than ' if answers.upto else ''}{answers.total:,}"
        yield "\n  ".join([f"{many} solutions:", *family])
    shown = answers.solutions[: 6 if family else MOST_ROWS]
    if shown:
        if family:
            yield "the simplest:"
        if answers.endless or family:
            yield ""
        yield _solutions(letters, shown)
    left = answers.total - len(shown)
    if left > 0 and not family:
        yield f"and {left} more"
    if answers.upto:
        yield f"tried: {answers.upto}"


def _solutions(letters: Sequence[str], solutions: Sequence[Solution]) -> str:
    layer = any(solution.layer for solution in solutions)
    titles = [*letters, *(["Layer"] if layer else []), "Output", "Params"]
    rows = [[*[str(s.values[name]) for name in letters], *([s.layer] if layer else [])] for s in solutions]
    return tabulated([[*row, *_results(s)] for row, s in zip(rows, solutions)], titles)


def _results(solution: Solution) -> list[str]:
    return [show_shape(solution.output), show_count(solution.params)]


def _best(best: Best, limits: Mapping[str, int]) -> Iterator[str]:
    for value, report, word in ((best.value, best.report, ""), (best.next, best.next_report, "the next, ")):
        if value is not None and report is not None:
            costs = [f"{show_count(report.totals[name])} {METRICS[name].unit}" for name in limits]
            yield f"{word}{best.name} = {value}: {', '.join(costs)}"
        elif not word:
            yield f"no {best.name} stays within the budget"
    budget = ", ".join(f"{show_count(limit)} {METRICS[name].unit}" for name, limit in limits.items())
    yield f"budget: {budget}{'' if best.exact else '; found by trial'}"


def matrix(matrix: Matrix, format: str = "simple") -> str:
    """Return a convolution's matrix in one of tabulate's formats: letters for shared weights, zeros elsewhere.

    Raises UnknownName for another format.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.matrix import matrix_of
    >>> print(matrix(matrix_of(trace(nn.Conv1d(1, 1, 3, stride=2, bias=False), (1, 1, 6))), "plain").split("Matrix")[0])
        x1    x2    x3    x4    x5    x6
    y1  a     b     c     0     0     0
    y2  0     0     a     b     c     0
    <BLANKLINE>
    <BLANKLINE>
    """
    check_format(format)
    channels, *positions = matrix.output
    cells = []
    for i, row in enumerate(entries(matrix)):
        cells.append([f"y{i + 1}", *row])
        if matrix.bias:
            cells[-1].append(f"+ bias{i // prod(positions) + 1 if channels > 1 else ''}")
    rows, columns, weights = len(matrix.entries), len(matrix.entries[0]), prod(matrix.shape)
    titles = ["", *[f"x{i + 1}" for i in range(columns)], *([""] if matrix.bias else [])]
    below = {
        "Matrix": f"{rows} x {columns}; a fully connected layer would have {show_count(rows * columns)} weights",
        "Shared": f"{show_count(weights)} weight{'' if weights == 1 else 's'} at {show_count(matrix.nonzero)} places; "
        "the rest is zero",
    }
    return framed([], [tabulated(cells, titles, format=format)], below.items(), format, None).lstrip("\n")


def entries(matrix: Matrix) -> list[list[str]]:
    """Return the entries of a matrix row by row: the letters of the weights that add up there, or 0."""
    letters = letters_for(matrix.shape)
    return [[" + ".join(letters[place] for place in entry) or "0" for entry in row] for row in matrix.entries]


def letters_for(shape: Sequence[int]) -> list[str]:
    """Return a name for each weight: a letter, or if these run out, a letter for each kernel with a number.

    >>> letters_for((1, 1, 3)), letters_for((2, 2, 7))[7:9], letters_for((64, 3, 3))[-1]
    (['a', 'b', 'c'], ['b1', 'b2'], 'w576')
    """
    count, kernel = prod(shape), prod(shape[2:])
    if count <= len(ascii_lowercase):
        return list(ascii_lowercase[:count])
    if count // kernel <= len(ascii_lowercase):
        return [f"{ascii_lowercase[i // kernel]}{i % kernel + 1}" for i in range(count)]
    return [f"w{i + 1}" for i in range(count)]
