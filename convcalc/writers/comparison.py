"""Comparisons as text: a table of the rows that differ and one of the totals, or JSON, or values for scripts.

What a cell says of one network is the business of `columns`; here two cells become one. Nothing is computed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, show, show_count
from convcalc.analysis.compare import CHANGES, Comparison, Pair, Total
from convcalc.analysis.flow import Extent, ReceptiveField
from convcalc.analysis.metrics import Count
from convcalc.analysis.report import Report
from convcalc.errors import SpecError
from convcalc.writers.columns import Column, count_text, rf_text, select
from convcalc.writers.json import SCHEMA_VERSION, as_field, as_row, plain
from convcalc.writers.table import HTML, PREFIXES, check_format, framed, headline, tabulated, widest
from convcalc.writers.wrap import fitted

DEFAULT = ("layer", "spec", "output_shape", "params", "flops", "rf")

MARKS = {"added": "+", "removed": "-", "changed": "~", "renamed": "=", "same": ""}

ARROW = " → "


def write(
    comparison: Comparison,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    every: bool = False,
    width: int | None = None,
) -> str:
    """``comparison`` in a format: ``json``, ``csv``, ``tsv``, or any of tabulate's.

    Rows that are the same in both are left out unless ``every`` is true; ``columns`` are those of a report, ``width``
    is that of the terminal. Raises UnknownName for a format or column that there is not.

    >>> from convcalc.readers import summary
    >>> from convcalc.analysis.compare import compare
    >>> both = compare(summary("vgg11"), summary("vgg11", settings={"num_classes": 10}))
    >>> print(write(both, "csv", ["layer", "params"]))
    change,layer_a,layer_b,params_a,params_b
    changed,classifier.6,classifier.6,4097000,40970
    """
    pairs = [pair for pair in comparison.pairs if every or pair.change != "same"]
    if format == "json":
        if columns:
            raise SpecError("json holds every number", hint="columns are for tables and for csv")
        return _json(comparison, pairs)
    names = DEFAULT if columns is None else columns
    chosen = select(names, comparison.a)
    if format in ("csv", "tsv"):
        return _csv(comparison, pairs, chosen, "," if format == "csv" else "\t")
    check_format(format)
    return _tables(comparison, pairs, chosen, format, width)


def _tables(
    comparison: Comparison, pairs: Sequence[Pair], chosen: dict[str, Column], format: str, width: int | None
) -> str:
    """The rows, then the totals."""
    if format in (*HTML, *PREFIXES):
        width = None
    heads = [f"{name}  {headline(report)}" for name, report in (("A", comparison.a), ("B", comparison.b))]
    tables = []
    if pairs:
        titles = ["", *[column.title for column in chosen.values()]]
        sides = ["left", *["right" if column.right else "left" for column in chosen.values()]]
        cells = [[MARKS[pair.change], *_cells(pair, comparison, chosen)] for pair in pairs]
        names = [i for i, name in enumerate(chosen, 1) if name in ("layer", "spec", "type", "inputs")]
        tables.append(_table(cells, titles, sides, format, width, names))
    tables.append(_totals(comparison, format, width))
    return framed(heads, tables, list(_below(comparison)), format, width)


def _cells(pair: Pair, comparison: Comparison, chosen: dict[str, Column]) -> list[str]:
    """What a row says; where the two differ, both."""
    cells = []
    for name, column in chosen.items():
        a = column.cell(pair.a, comparison.a) if pair.a else ""
        b = column.cell(pair.b, comparison.b) if pair.b else ""
        if pair.a is None or pair.b is None:
            cells.append(a or b)
        elif name == "spec":
            cells.append(pair.b.type if a == b else _arguments(pair) or f"{a}{ARROW}{b}")
        elif a == b:
            cells.append(a)
        else:
            cells.append(_sizes(a, b) if name.endswith("_shape") else f"{a}{ARROW}{b}")
    if pair.rewired and pair.a and pair.b and "spec" in chosen:
        inputs = [", ".join(row.inputs[:3]) + ", …" * (len(row.inputs) > 3) for row in (pair.a, pair.b)]
        cells[list(chosen).index("spec")] += f"; its input {ARROW.join(inputs)}"
    return cells


def _arguments(pair: Pair) -> str:
    """The arguments that differ between two layers of a kind; nothing for layers of two kinds."""
    assert pair.a and pair.b
    a, b = pair.a.layer, pair.b.layer
    if a is None or b is None or type(a) is not type(b):
        return ""
    differ = [name for name in type(a).names if a.shown(name) != b.shown(name)]
    return f"{pair.a.type}: " + ", ".join(f"{name} {a.shown(name)}→{b.shown(name)}" for name in differ)


def _sizes(a: str, b: str) -> str:
    """Two shapes as one, the sizes that differ doubled.

    >>> _sizes("64 x 56 x 56", "128 x 56 x 56")
    '64→128 x 56 x 56'
    """
    one, two = a.split(" x "), b.split(" x ")
    if len(one) != len(two) or "," in a + b:
        return f"{a}{ARROW}{b}"
    return " x ".join(x if x == y else f"{x}→{y}" for x, y in zip(one, two))


def _totals(comparison: Comparison, format: str, width: int | None) -> str:
    cells = [_total(total) for total in comparison.totals.values()]
    a, b = comparison.rf
    cells.append(["RF", rf_text(a), rf_text(b), _grown(a, b), ""])
    titles, sides = ["Total", "A", "B", "B - A", "%"], ["left", "right", "right", "right", "right"]
    return _table(cells, titles, sides, format, width, ())


def _table(
    cells: list[list[str]],
    titles: Sequence[str],
    sides: Sequence[str],
    format: str,
    width: int | None,
    names: Sequence[int],
) -> str:
    """Cells as a table; where it is wider than ``width``, broken into lines, and at last columns ``names`` cut."""
    text = tabulated(cells, titles, sides, format)
    excess = 0 if width is None else widest(text) - width
    return tabulated(fitted(cells, titles, excess, names), titles, sides, format) if excess > 0 else text


def _total(total: Total) -> list[str]:
    delta, percent = total.delta.value, total.percent
    change = "?" if delta is None else _signed(delta)
    return [total.title, count_text(total.a), count_text(total.b), change, "" if not percent else _percent(percent)]


def _signed(delta: Dim) -> str:
    """A difference with its sign.

    >>> _signed(1200), _signed(-5), _signed(0)
    ('+1,200', '-5', 'same')
    """
    text = show_count(delta)
    return "same" if delta == 0 else text if text.startswith("-") else f"+{text}"


def _percent(percent: Any) -> str:
    """A difference in percent, never rounded to nothing."""
    value = float(percent)
    return f"{value:+,.1f}%" if abs(value) >= 0.05 else f"{value:+.1g}%"


def _grown(a: ReceptiveField, b: ReceptiveField) -> str:
    """By how much a receptive field grew, where that is one number."""
    if a == b:
        return "same"
    if not (isinstance(a, Extent) and isinstance(b, Extent)) or len(a.size) != len(b.size):
        return ""
    if rf_text(a) == rf_text(b):
        return "same"
    plain_ones = all(rf.uniform and not any(rf.along) and len(set(rf.size)) == 1 for rf in (a, b))
    return _signed(b.size[0] - a.size[0]) if plain_ones else ""


def _below(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What stands below the tables: labels and texts."""
    marks = {change: f" ({mark})" if mark else "" for change, mark in MARKS.items()}
    counts = comparison.counts
    words = [f"{counts[change]} {change}{marks[change]}" for change in CHANGES if counts[change]]
    yield "Rows", ", ".join(words) or "none"
    convention = comparison.a.convention
    yield "Convention", f"{convention.name}: {convention.description}"
    reports = {"A": comparison.a, "B": comparison.b}
    for name, report in reports.items():
        if report.assumptions:
            yield f"{name} needs", ", ".join(show(relation) for relation in report.assumptions)  # type: ignore[arg-type]
    for name, report in reports.items():
        for note in report.notes:
            yield f"Note on {name}", note


def _csv(comparison: Comparison, pairs: Sequence[Pair], chosen: dict[str, Column], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["change", *[f"{name}_{side}" for name in chosen for side in "ab"]])
    for pair in pairs:
        sides = ((pair.a, comparison.a), (pair.b, comparison.b))
        values = [column.raw(row, report) if row else "" for column in chosen.values() for row, report in sides]
        writer.writerow([pair.change, *values])
    return text.getvalue().rstrip("\n")


def _json(comparison: Comparison, pairs: Sequence[Pair]) -> str:
    """The comparison as JSON, a row on a line; A, B and their totals are told as in a report's JSON."""
    a, b = comparison.a, comparison.b
    rows = [
        {
            "change": pair.change,
            "rewired": pair.rewired,
            "a": as_row(pair.a) if pair.a else None,
            "b": as_row(pair.b) if pair.b else None,
        }
        for pair in pairs
    ]
    totals = {name: _total_as_dict(total) for name, total in comparison.totals.items()}
    totals["rf"] = {"a": as_field(comparison.rf[0]), "b": as_field(comparison.rf[1])}
    lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    entries = {
        "schema_version": SCHEMA_VERSION,
        "a": _network(a),
        "b": _network(b),
        "convention": a.convention.name,
        "counts": dict(comparison.counts),
        "rows": None,
        "totals": totals,
    }
    told = {name: json.dumps(value, ensure_ascii=False) for name, value in entries.items()}
    told["rows"] = f"[\n  {lines}]" if rows else "[]"
    return "{" + ",\n ".join(f'"{name}": {text}' for name, text in told.items()) + "}"


def _network(report: Report) -> dict[str, Any]:
    inputs = plain(report.graph.inputs.values())
    return {
        "network": report.network,
        "inputs": inputs,
        "assumptions": plain(report.assumptions),
        "notes": list(report.notes),
    }


def _total_as_dict(total: Total) -> dict[str, Any]:
    def told(count: Count) -> dict[str, Any]:
        return {"value": plain(count.value), "complete": count.complete}

    percent = None if total.percent is None else float(total.percent)
    return {"a": told(total.a), "b": told(total.b), "delta": plain(total.delta.value), "percent": percent}
