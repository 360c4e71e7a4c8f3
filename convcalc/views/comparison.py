"""Comparisons as text: a table of the rows that differ, and one of the totals."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial

from convcalc.algebra.dims import show, show_count
from convcalc.algebra.types import Dim
from convcalc.analysis.count.compare import CHANGES, Comparison, Pair, Total
from convcalc.analysis.fields.flow import Extent, ReceptiveField
from convcalc.errors import SpecError
from convcalc.views.columns import SEPARATED, Column, count_text, headline, rf_text, select, separated
from convcalc.views.table import Cells, check_format, fitted, framed, heads, tabulated

MARKS = {"added": "+", "removed": "-", "changed": "~", "renamed": "=", "same": ""}

ARROW = " → "


def write(
    comparison: Comparison,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    every: bool = False,
    width: int | None = None,
) -> str:
    """Return ``comparison`` in a format, as `views.write` does; rows that are the same in both only if ``every``.

    Raises UnknownName for a format or column that does not exist.

    >>> from convcalc import summary
    >>> from convcalc.analysis.count.compare import compare
    >>> both = compare(summary("vgg11"), summary("vgg11", settings={"num_classes": 10}))
    >>> print(write(both, "csv", ["layer", "params"]))
    change,layer_a,layer_b,params_a,params_b
    changed,classifier.6,classifier.6,4097000,40970
    """
    pairs = comparison.pairs if every else comparison.changed
    if format == "json":
        from convcalc.views import json

        if columns:
            raise SpecError("json always has every number", hint="columns are for tables and csv")
        return json.lines(json.compared(comparison, pairs))
    chosen = select(columns, comparison.a, "spec")
    if format in SEPARATED:
        names = ["change", *[f"{name}_{side}" for name in chosen for side in "ab"]]
        return separated(names, (_values(pair, comparison, chosen) for pair in pairs), format)
    check_format(format)
    lines = [f"A  {headline(comparison.a)}", f"B  {headline(comparison.b)}"]
    return framed(lines, _tables(comparison, pairs, chosen, format, width), _below(comparison), format, width)


def _tables(
    comparison: Comparison, pairs: Sequence[Pair], chosen: Mapping[str, Column], format: str, width: int | None
) -> list[str]:
    """Return the table of rows, if there are any, and that of totals."""

    def table(cells: Cells, titles: Sequence[str], sides: str, names: Sequence[int] = ()) -> str:
        return tabulated(cells, titles, sides, format, width, partial(fitted, titles=titles, names=names))

    tables = []
    if pairs:
        titles, sides = heads(chosen)
        cells = [[MARKS[pair.change], *_cells(pair, comparison, chosen)] for pair in pairs]
        cut = [i for i, name in enumerate(chosen, 1) if name in ("layer", "spec", "type", "inputs")]
        tables = [table(cells, ["", *titles], "l" + sides, cut)]
    totals = [_total(total) for total in comparison.totals.values()]
    totals.append(["RF", *map(rf_text, comparison.rf), _grown(*comparison.rf), ""])
    return [*tables, table(totals, ["Total", "A", "B", "B - A", "%"], "lrrrr")]


def _values(pair: Pair, comparison: Comparison, chosen: Mapping[str, Column]) -> Iterator[str]:
    yield pair.change
    for column in chosen.values():
        yield column.raw(pair.a, comparison.a) if pair.a else ""
        yield column.raw(pair.b, comparison.b) if pair.b else ""


def _cells(pair: Pair, comparison: Comparison, chosen: Mapping[str, Column]) -> Iterator[str]:
    for name, column in chosen.items():
        a = column.cell(pair.a, comparison.a) if pair.a else ""
        b = column.cell(pair.b, comparison.b) if pair.b else ""
        if not (pair.a and pair.b):
            yield a or b
        elif name == "spec":
            rows = pair.a, pair.b
            inputs = ARROW.join(", ".join(row.inputs[:3]) + ", …" * (len(row.inputs) > 3) for row in rows)
            spec = pair.b.type if a == b else _arguments(pair) or f"{a}{ARROW}{b}"
            yield f"{spec}; its input {inputs}" if pair.rewired else spec
        elif a == b:
            yield a
        else:
            yield _sizes(a, b) if name.endswith("_shape") else f"{a}{ARROW}{b}"


def _arguments(pair: Pair) -> str:
    """Return the arguments that differ; empty if the layers are of different kinds."""
    assert pair.a and pair.b
    a, b = pair.a.layer, pair.b.layer
    if a is None or b is None or type(a) is not type(b):
        return ""
    differ = [name for name in type(a).names if a.shown(name) != b.shown(name)]
    return f"{pair.a.type}: " + ", ".join(f"{name} {a.shown(name)}→{b.shown(name)}" for name in differ)


def _sizes(a: str, b: str) -> str:
    """Return two shapes as one: ``64→128 x 56 x 56``."""
    one, two = a.split(" x "), b.split(" x ")
    if len(one) != len(two) or "," in a + b:
        return f"{a}{ARROW}{b}"
    return " x ".join(x if x == y else f"{x}→{y}" for x, y in zip(one, two))


def _total(total: Total) -> list[str]:
    delta, percent = total.delta.value, total.percent
    change = "?" if delta is None else _signed(delta)
    return [total.title, count_text(total.a), count_text(total.b), change, _percent(percent) if percent else ""]


def _signed(delta: Dim) -> str:
    """Return a difference with its sign."""
    text = show_count(delta)
    return "same" if delta == 0 else text if text.startswith("-") else f"+{text}"


def _percent(percent: Fraction) -> str:
    """Return a difference in percent, never rounded to zero."""
    value = float(percent)
    return f"{value:+,.1f}%" if abs(value) >= 0.05 else f"{value:+.1g}%"


def _grown(a: ReceptiveField, b: ReceptiveField) -> str:
    """Return by how much a field grew, if that is one number."""
    if a == b:
        return "same"
    if not (isinstance(a, Extent) and isinstance(b, Extent)) or len(a.size) != len(b.size):
        return ""
    if rf_text(a) == rf_text(b):
        return "same"
    plain_ones = all(rf.uniform and not any(rf.along) and len(set(rf.size)) == 1 for rf in (a, b))
    return _signed(b.size[0] - a.size[0]) if plain_ones else ""


def _below(comparison: Comparison) -> Iterator[tuple[str, str]]:
    counts = comparison.counts
    words = [f"{counts[name]} {name}" + f" ({MARKS[name]})" * bool(MARKS[name]) for name in CHANGES if counts[name]]
    yield "Rows", ", ".join(words) or "none"
    convention = comparison.a.convention
    yield "Convention", f"{convention.name}: {convention.description}"
    reports = {"A": comparison.a, "B": comparison.b}
    for name, report in reports.items():
        if report.assumptions:
            yield f"{name} needs", ", ".join(map(show, report.assumptions))  # type: ignore[arg-type]
    for name, report in reports.items():
        for note in report.notes:
            yield f"Note on {name}", note
