"""Everything as JSON, the contract for scripts: keys, order and meaning are fixed for a ``schema_version``.

Symbolic values are strings that sympy reads back; what is not known or not asked for is null; nothing is rounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.count.report import Report, Row
from convcalc.analysis.fields.flow import Extent, ReceptiveField

if TYPE_CHECKING:
    from convcalc.analysis.count.compare import Comparison, Pair, Total
    from convcalc.analysis.fields.told import Told
    from convcalc.analysis.solving.legal import Loss
    from convcalc.questions.sizes import Answer
    from convcalc.questions.solve import Solved

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """``report`` as JSON text, a row on a line.

    >>> from convcalc.questions.summary import summary
    >>> json.loads(render(summary("lenet5")))["totals"]["params"]
    61706
    """
    totals = report.totals
    return _entries(
        network=report.network,
        inputs=report.graph.inputs.values(),
        convention=report.convention.name,
        rows=list(map(_row, report.rows)),
        totals={**_numbers(totals), "depth": report.depth, "rf": _field(totals["rf"])},
        **_picked(report, "assumptions", "notes"),
    )


def compared(comparison: Comparison, pairs: Iterable[Pair]) -> str:
    """A comparison and some of its pairs, a row on a line."""
    a, b = comparison.a, comparison.b
    return _entries(
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
    """Return the metrics that JSON holds by their keys; null where one was not asked for."""
    return {metric.json: values.get(name) for name, metric in METRICS.items() if metric.json is not None}


def _field(rf: ReceptiveField) -> Any:
    """An `Extent`, with ``phases`` where one size does not say it all, and ``gated`` where an axis is."""
    if not isinstance(rf, Extent):
        return rf
    more = ["phases"] if rf.exact and not rf.uniform else []
    return _picked(rf, "size", "jump", "start", "exact", *more, *(["gated"] if any(rf.gated) else []))


def told(told: Told) -> str:
    """What ``convcalc field`` says in words; a start and a stop are as for a slice.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.fields.focus import Focus
    >>> from convcalc.analysis.fields.told import Told
    >>> json.loads(told(Told("net", Focus(trace(nn.Conv1d(1, 1, 3), (1, 1, 32))))))["rf"]["size"]
    [3]
    """
    focus = told.focus
    node = focus.nodes[focus.name]
    more: dict[str, Any] = {}
    if told.local:
        more = {"centre": focus.centre, "effective_padding": focus.padding, "units": focus.units}
        more["unpadded_from"] = told.unpadded
    if told.unit is not None:
        more["unit"] = _unit(told)
    if told.pixel is not None:
        boxes = [[_positions(along) for along in box] for box in focus.covering(told.pixel)]
        more["covers"] = {"pixel": told.pixel, "units": boxes}
    if told.effective:
        more["effective"] = [
            {
                "start": profile.start,
                "paths": list(map(str, profile.paths)),
                "standard_deviation": profile.deviation,
                "holding_95": profile.holding(),
            }
            for profile in focus.profiles(told.unit)
        ]
    if told.tiling is not None:
        more["tiling"] = [{**s._asdict(), "tiles": [tile._asdict() for tile in s.tiles]} for s in told.tiling]
    if told.stack:
        more["stack"] = [
            {"layer": level.node.name, "rf": _field(level.rf), "growth": level.growth} for level in focus.stack()
        ]
    return _entries(
        network=told.network,
        layer=focus.name,
        type=type(node.layer).__name__,
        input=focus.pixels,
        output_shape=node.output_shape,
        rf=_field(focus.rf),
        **more,
    )


def _positions(bits: int) -> list[int]:
    return [i for i in range(bits.bit_length()) if bits >> i & 1]


def _unit(told: Told) -> dict[str, Any]:
    from convcalc.views.field import padding_share

    glimpses = told.focus.glimpse(told.unit or ())
    if glimpses is None:
        return {"unit": told.unit, "box": None}
    seen = {name: [getattr(glimpse, name) for glimpse in glimpses] for name in ("box", "inside", "padding")}
    return {"unit": told.unit, **seen, "padding_share": float(padding_share(glimpses))}


def sizes(answer: Answer, losses: Iterable[Loss] | None) -> str:
    """The sizes that a network takes, or the verdict on given ones; what floors drop.

    A box says for each letter: the members ``below`` a ``start``, and from there on all with one of these
    ``remainders`` by ``period``; of several boxes one must hold.
    """
    found, verdict = answer.legal, answer.verdict
    document: dict[str, Any]
    if verdict is None:
        document = {
            "inputs": found.shapes,
            "boxes": [
                {letter: {"text": sizes.told(letter), **sizes._asdict()} for letter, sizes in box.items()}
                for box in found.region.boxes
            ],
            "relations": found.region.rest,
            "demands": [demand._asdict() for demand in found.demands],
            "notes": found.held,
        }
    else:
        error = verdict.error and str(verdict.error)
        document = {"inputs": verdict.shapes, "works": verdict.works, "error": error}
        document |= _picked(verdict, "below", "above", "padding")
    if losses is not None:
        document["floor_loss"] = [loss._asdict() for loss in losses]
    return _text({"network": answer.name, **document}, indent=1)


def solved(answer: Solved) -> str:
    """The answer to an inverse question."""
    from convcalc.analysis.solving.budget import Best
    from convcalc.analysis.solving.problem import Answers

    found = answer.found
    document: dict[str, Any]
    if isinstance(found, Answers):
        document = {
            "letters": answer.letters,
            "solutions": [solution._asdict() for solution in found.solutions],
            **_picked(found, "endless", "family", "total", "upto"),
            "closest": found.miss and found.miss._asdict(),
        }
    elif isinstance(found, Best):
        totals = found.report.totals if found.report is not None else {}
        document = {
            "letter": found.name,
            **_picked(found, "value", "next"),
            "totals": {name: totals.get(name) for name, metric in METRICS.items() if metric.gate},
            "exact": found.exact,
        }
    else:
        document = {"schedules": [{**way._asdict(), "layers": len(way.dilations)} for way in found]}
    return _text(document, indent=1)


def _picked(thing: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _entries(**document: Any) -> str:
    """A document with an entry or row a line."""
    texts = {name: _text(value) for name, value in {"schema_version": SCHEMA_VERSION, **document}.items()}
    if document.get("rows"):
        texts["rows"] = "[\n  " + ",\n  ".join(map(_text, document["rows"])) + "]"
    return "{" + ",\n ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"


def _text(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON does not know: fractions and letters as text."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, Iterable) else str(value)
