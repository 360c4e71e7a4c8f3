"""Answers to inverse questions as text or JSON. What the answers are is found by `readers.questions.solve`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import show_count, show_shape
from convcalc.analysis.budget import Best
from convcalc.analysis.metrics import METRICS
from convcalc.analysis.problem import Answers, Solution
from convcalc.analysis.reach import Schedule
from convcalc.writers.table import tabulated

MOST_ROWS = 20


def render(letters: Sequence[str], found: Any, limits: Mapping[str, int] = {}) -> str:
    """An answer as text.

    >>> from convcalc.analysis.reach import Schedule
    >>> print(render([], [Schedule("", (1, 1), 5)]))
    Layers    RF
    --------  ----
    2         5
    """
    if isinstance(found, Answers):
        return "\n".join(_answers(letters, found))
    if isinstance(found, Best):
        return "\n".join(_best(found, limits))
    return _schedules(found)


def _answers(letters: Sequence[str], found: Answers) -> list[str]:
    if not found.solutions and not found.family:
        lines = ["no solution"]
        if found.miss is not None:
            lines.append(f"closest: {_values(found.miss)} gives {_given(found.miss)}")
        return lines
    lines = []
    if found.endless:
        lines += ["endless solutions:", *[f"  {line}" for line in found.family]]
    elif found.family:
        lines += [f"{found.total:,} solutions:", *[f"  {line}" for line in found.family]]
    shown = found.solutions[: MOST_ROWS if not found.family else 6]
    if shown:
        lines += ["the simplest:"] if found.family else []
        titles = [*letters, *(["Layer"] if any(s.layer for s in shown) else []), "Output", "Params"]
        rows = [
            [*[str(s.values[name]) for name in letters], *([s.layer] if "Layer" in titles else []), *_columns(s)]
            for s in shown
        ]
        lines += [*([""] if lines else []), tabulated(rows, titles, ["left"] * len(titles), "simple")]
    left = found.total - len(shown)
    return [*lines, f"and {left} more"] if left > 0 and not found.family else lines


def _columns(solution: Solution) -> list[str]:
    return [show_shape(solution.output), show_count(solution.params)]


def _values(solution: Solution) -> str:
    return ", ".join(f"{name} = {value}" for name, value in solution.values.items())


def _given(solution: Solution) -> str:
    return f"{show_shape(solution.output)} and {show_count(solution.params)} parameters"


def _best(found: Best, limits: Mapping[str, int]) -> list[str]:
    lines = []
    for value, report, word in ((found.value, found.report, ""), (found.next, found.next_report, "the next, ")):
        if value is None or report is None:
            lines += [] if word else [f"no {found.name} stays within the budget"]
            continue
        told = [f"{show_count(report.totals[name])} {METRICS[name].unit}" for name in limits]
        lines.append(f"{word}{found.name} = {value}: {', '.join(told)}")
    kept = ", ".join(f"{show_count(limit)} {METRICS[name].unit}" for name, limit in limits.items())
    return [*lines, f"budget: {kept}{'' if found.exact else '; found by trying'}"]


def _schedules(found: Sequence[Schedule]) -> str:
    named = any(way.name for way in found)
    rows = [[str(len(way.dilations)), *([way.name, way.told()] if named else []), str(way.size)] for way in found]
    titles = ["Layers", *(["Dilations", "One by one"] if named else []), "RF"]
    return tabulated(rows, titles, ["left"] * len(titles), "simple")


def as_json(letters: Sequence[str], found: Any) -> str:
    """An answer as JSON text."""
    if isinstance(found, Answers):
        document: Any = {
            "letters": list(letters),
            "solutions": [_plain(solution) for solution in found.solutions],
            "endless": found.endless,
            "family": list(found.family),
            "closest": None if found.miss is None else _plain(found.miss),
        }
    elif isinstance(found, Best):
        totals = found.report.totals if found.report is not None else {}
        document = {
            "letter": found.name,
            "value": found.value,
            "next": found.next,
            "totals": {name: totals.get(name) for name in ("params", "macs", "flops")},
            "exact": found.exact,
        }
    else:
        document = {"schedules": [{**way._asdict(), "layers": len(way.dilations)} for way in found]}
    return json.dumps(document, ensure_ascii=False, indent=1)


def _plain(solution: Solution) -> dict[str, Any]:
    output = [n if isinstance(n, int) else str(n) for n in solution.output]
    params = solution.params if isinstance(solution.params, int) else str(solution.params)
    return {"values": dict(solution.values), "layer": solution.layer, "output": output, "params": params}
