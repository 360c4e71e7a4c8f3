"""Answers as JSON, the contract for scripts: keys, order and meaning are fixed for each ``schema_version``.

There is a function for each answer that returns its document; `lines` and `indented` write a document, and `plain`
makes it plain Python. Sizes in letters are strings that sympy parses; what is not known or was not asked for is null;
nothing is rounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.count.report import Report, Row
from convcalc.analysis.fields.flow import Extent, ReceptiveField
from convcalc.formats.json.write import SCHEMA_VERSION

if TYPE_CHECKING:
    from convcalc.analysis.count.compare import Comparison, Pair, Total
    from convcalc.analysis.fields.survey import Survey, UnitView
    from convcalc.analysis.solving.legal import LegalSizes, Loss, Verdict
    from convcalc.views.answers import Outcome

Document: TypeAlias = dict[str, Any]


def report(report: Report) -> Document:
    """Return the document of a report: a row for each call, and the totals.

    >>> from convcalc import summary
    >>> report(summary("lenet5"))["totals"]["params"]
    61706
    """
    totals = report.totals
    return _versioned(
        network=report.network,
        inputs=report.graph.inputs.values(),
        convention=report.convention.name,
        rows=list(map(_row, report.rows)),
        totals={**_numbers(totals), "depth": report.depth, "rf": _field(totals["rf"])},
        **_picked(report, "assumptions", "notes"),
    )


def compared(comparison: Comparison, pairs: Iterable[Pair]) -> Document:
    """Return the document of a comparison with some of its pairs."""
    a, b = comparison.a, comparison.b
    return _versioned(
        a=_network(a),
        b=_network(b),
        convention=a.convention.name,
        counts=comparison.counts,
        rows=[
            {**_picked(pair, "change", "rewired"), "a": pair.a and _row(pair.a), "b": pair.b and _row(pair.b)}
            for pair in pairs
        ],
        totals={
            **{name: _total(total) for name, total in comparison.totals.items()},
            "rf": dict(zip("ab", map(_field, comparison.rf))),
        },
    )


def _network(report: Report) -> dict[str, Any]:
    inputs = report.graph.inputs.values()
    return {"network": report.network, "inputs": inputs, **_picked(report, "assumptions", "notes")}


def _total(total: Total) -> dict[str, Any]:
    percent = None if total.percent is None else float(total.percent)
    return {"a": total.a._asdict(), "b": total.b._asdict(), "delta": total.delta.value, "percent": percent}


def _row(row: Row) -> dict[str, Any]:
    return {
        **_picked(row, "path", "call", "type", "spec", "inputs", "input_shapes", "output_shape"),
        **_numbers({name: count.value for name, count in row.counts.items()}),
        "rf": _field(row.rf),
    }


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics by their keys in JSON, null for one that was not asked for."""
    return {metric.json: values.get(name) for name, metric in METRICS.items() if metric.json is not None}


def _field(rf: ReceptiveField) -> Any:
    """Return a field as data: ``phases`` only if their sizes differ, ``gated`` only if an axis is."""
    if not isinstance(rf, Extent):
        return rf
    more = ["phases"] if rf.exact and not rf.uniform else []
    return _picked(rf, "size", "jump", "start", "exact", *more, *(["gated"] if any(rf.gated) else []))


def surveyed(network: str, survey: Survey) -> Document:
    """Return the document of a layer's field; starts and stops are those of Python slices.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.fields.focus import Focus
    >>> from convcalc.analysis.fields.survey import Survey
    >>> surveyed("net", Survey(Focus(trace(nn.Conv1d(1, 1, 3), (1, 1, 32)))))["rf"]["size"]
    (3,)
    """
    focus = survey.focus
    node = focus.nodes[focus.name]
    more: Document = {}
    if survey.local:
        more = {"centre": focus.centre, "effective_padding": focus.padding, "units": focus.units}
        more["unpadded_from"] = survey.unpadded
    if survey.seen is not None:
        more["unit"] = _seen(survey.seen)
    if survey.covered is not None:
        boxes = [[_positions(along) for along in box] for box in survey.covered.boxes]
        more["covers"] = {"pixel": survey.covered.pixel, "units": boxes}
    if survey.profiles is not None:
        more["effective"] = [
            {
                "start": profile.start,
                "paths": list(map(str, profile.paths)),
                "standard_deviation": profile.deviation,
                "holding_95": profile.holding(),
            }
            for profile in survey.profiles
        ]
    if survey.tiling is not None:
        more["tiling"] = [{**s._asdict(), "tiles": [tile._asdict() for tile in s.tiles]} for s in survey.tiling]
    if survey.levels is not None:
        more["stack"] = [
            {"layer": level.node.name, "rf": _field(level.rf), "growth": level.growth} for level in survey.levels
        ]
    return _versioned(
        network=network,
        layer=focus.name,
        type=type(node.layer).__name__,
        input=focus.pixels,
        output_shape=node.output_shape,
        rf=_field(focus.rf),
        **more,
    )


def _positions(bits: int) -> list[int]:
    return [i for i in range(bits.bit_length()) if bits >> i & 1]


def _seen(seen: UnitView) -> Document:
    if seen.glimpses is None:
        return {"unit": seen.unit, "box": None}
    along = {name: [getattr(glimpse, name) for glimpse in seen.glimpses] for name in ("box", "inside", "padding")}
    return {"unit": seen.unit, **along, "padding_share": float(seen.padding_share)}


def sizes(network: str, legal: LegalSizes, verdict: Verdict | None, losses: Iterable[Loss] | None) -> Document:
    """Return the document of the sizes that a network takes, or of the verdict on given ones, and of what floors drop.

    A box says for each letter which sizes work: those listed in ``below``, all less than ``start``; and of the sizes
    ``start`` or larger, those whose remainder by ``period`` is in ``remainders``. Sizes work if one of the boxes holds.
    """
    document: Document
    if verdict is None:
        document = {
            "inputs": legal.shapes,
            "boxes": [
                {letter: {"text": sizes.describe(letter), **sizes._asdict()} for letter, sizes in box.items()}
                for box in legal.region.cases
            ],
            "relations": legal.region.rest,
            "demands": [demand._asdict() for demand in legal.demands],
            "notes": legal.held,
        }
    else:
        error = verdict.error and str(verdict.error)
        document = {"inputs": verdict.shapes, "works": verdict.works, "error": error}
        document |= _picked(verdict, "below", "above", "padding")
    if losses is not None:
        document["floor_loss"] = [loss._asdict() for loss in losses]
    return {"network": network, **document}


def solved(letters: Iterable[str], outcome: Outcome) -> Document:
    """Return the document of the answer to an inverse question about these letters."""
    from convcalc.analysis.solving.budget import Best
    from convcalc.analysis.solving.problem import Answers

    if isinstance(outcome, Answers):
        return {
            "letters": letters,
            "solutions": [solution._asdict() for solution in outcome.solutions],
            **_picked(outcome, "endless", "family", "total", "upto"),
            "closest": outcome.miss and outcome.miss._asdict(),
        }
    if isinstance(outcome, Best):
        totals = outcome.report.totals if outcome.report is not None else {}
        return {
            "letter": outcome.name,
            **_picked(outcome, "value", "next"),
            "totals": {name: totals.get(name) for name, metric in METRICS.items() if metric.gate},
            "exact": outcome.exact,
        }
    return {"schedules": [{**way._asdict(), "layers": len(way.dilations)} for way in outcome]}


def _picked(thing: Any, *names: str) -> Document:
    return {name: getattr(thing, name) for name in names}


def _versioned(**entries: Any) -> Document:
    return {"schema_version": SCHEMA_VERSION, **entries}


def lines(document: Document) -> str:
    """Return a document as text, with each entry and each row on a line.

    >>> print(lines({"network": "net", "rows": [1, 2]}))
    {"network": "net",
     "rows": [
      1,
      2]}
    """
    texts = {name: _text(value) for name, value in document.items()}
    if document.get("rows"):
        texts["rows"] = "[\n  " + ",\n  ".join(map(_text, document["rows"])) + "]"
    return "{" + ",\n ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


def indented(document: Any) -> str:
    """Return a document as text, with each number and each string on a line."""
    return _text(document, indent=1)


def plain(document: Document) -> Document:
    """Return a document as reading its text gives it: lists, dicts, numbers and strings."""
    parsed: Document = json.loads(_text(document))
    return parsed


def _text(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    """Return what JSON can hold for a value that it cannot: strings for fractions and letters, lists for the rest."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, Iterable) else str(value)
