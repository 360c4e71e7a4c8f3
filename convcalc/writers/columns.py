"""The columns that tables and csv files are made of: a name, a title, and the cell of a row, for people or for scripts.

Each metric is a column, and its share of the total another (``params%``). Which format puts cells side by side how is
not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from convcalc.algebra.dims import Shape, show, show_count, show_shape
from convcalc.analysis.flow import Extent, ReceptiveField
from convcalc.analysis.metrics import METRICS, Count
from convcalc.analysis.report import Report, Row
from convcalc.errors import SpecError, UnknownName, did_you_mean

DEFAULT = ("layer", "type", "output_shape", "params", "flops", "rf")


class Column(NamedTuple):
    """A column: ``cell`` is for people, ``raw`` for scripts; numbers stand to the right."""

    title: str
    right: bool
    cell: Callable[[Row, Report], str]
    raw: Callable[[Row, Report], str]


def count_text(count: Count, exact: Callable[[object], str] = show_count) -> str:  # type: ignore[assignment]
    """A count for people: ``?`` where it is not known, ``≥`` before a lower bound.

    >>> count_text(Count(9408)), count_text(Count(9408, False)), count_text(Count(None, False))
    ('9,408', '≥ 9,408', '?')
    """
    if count.value is None:
        return "?"
    return f"{'' if count.complete else '≥ '}{exact(count.value)}"


def shape_text(shape: Shape, report: Report) -> str:
    """A shape for people, without the batch unless the report shows it; a shape that does not begin with it stays."""
    return show_shape(_shown(shape, report)) if shape else "-"


def _shown(shape: Shape, report: Report) -> Shape:
    batch = next(iter(report.graph.inputs.values()))[0]
    return shape[1:] if not report.show_batch and len(shape) > 1 and shape[0] == batch else shape


def rf_text(rf: ReceptiveField) -> str:
    """A receptive field for people: ``427``, ``11 x 7`` for unequal axes, ``46–54`` over phases, ``all`` along an axis.

    ``≤ 59`` is an outer bound; a gate that sees the whole besides is told: ``851 + global gate``.

    >>> rf_text("global"), rf_text(None)
    ('global', '-')
    """
    if not isinstance(rf, Extent):
        return rf or "-"
    axes = [
        "all" if along else show(large) if small == large or not rf.exact else f"{show(small)}–{show(large)}"
        for small, large, along in zip(rf.smallest, rf.size, rf.along)
    ]
    text = axes[0] if len(set(axes)) == 1 else " x ".join(axes)
    gate = " + global gate" if all(g or a for g, a in zip(rf.gated, rf.along)) else " + gate"
    return f"{'' if rf.exact else '≤ '}{text}{gate if any(rf.gated) else ''}"


def _raw_shapes(shapes: Sequence[Shape], report: Report) -> str:
    return " ".join("x".join(map(str, _shown(shape, report))) for shape in shapes)


def _text(title: str, cell: Callable[[Row], str]) -> Column:
    return Column(title, False, lambda row, _: cell(row), lambda row, _: cell(row))


def _name(row: Row, report: Report) -> str:
    return row.name or report.network or "network"


def _metric(name: str) -> Column:
    return Column(
        METRICS[name].title,
        True,
        lambda row, _: count_text(row.counts[name]),
        lambda row, _: count_text(row.counts[name], str),
    )


def _share(name: str) -> Column:
    def share(row: Row, report: Report) -> str:
        part, whole = row.counts[name], report.counts[name]
        if not (part.complete and whole.complete):
            return "?"
        if not (isinstance(part.value, int) and isinstance(whole.value, int)):
            return "-"
        return f"{100 * part.value / whole.value:.1f}%" if whole.value else "-"

    return Column(f"{METRICS[name].title} %", True, share, share)


COLUMNS: Mapping[str, Column] = {
    "layer": Column("Layer", False, _name, _name),
    "type": _text("Type", lambda row: row.type),
    "spec": _text("Spec", lambda row: row.spec or row.type),
    "inputs": _text("Inputs", lambda row: ", ".join(row.inputs)),
    "input_shape": Column(
        "Input shape",
        False,
        lambda row, report: ", ".join(shape_text(shape, report) for shape in row.input_shapes) or "-",
        lambda row, report: _raw_shapes(row.input_shapes, report),
    ),
    "output_shape": Column(
        "Output shape",
        False,
        lambda row, report: shape_text(row.output_shape, report),
        lambda row, report: _raw_shapes([row.output_shape], report),
    ),
    "rf": Column("RF", True, lambda row, _: rf_text(row.rf), lambda row, _: rf_text(row.rf)),
    **{name: _metric(name) for name in METRICS},
    **{f"{name}%": _share(name) for name in METRICS},
}
"""Every column by its name."""


def select(names: Sequence[str] | None, report: Report) -> dict[str, Column]:
    """Columns by name, in this order; for None the default ones. Raises UnknownName.

    >>> from convcalc.readers import summary
    >>> list(select(["layer", "macs"], summary("lenet5")))
    ['layer', 'macs']
    """
    missing = METRICS.keys() - report.counts.keys()
    known = {name: column for name, column in COLUMNS.items() if name.removesuffix("%") not in missing}
    if names is None:
        return {name: known[name] for name in DEFAULT if name in known}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise UnknownName(f"no column is called {name!r}", hint=hint)
    if not names:
        raise SpecError("expected at least one column", hint=f"there are {', '.join(known)}")
    return {name: known[name] for name in names}


def lines(report: Report, depth: int | None) -> list[Row]:
    """The rows of a table: each call, or modules at ``depth``; then what is owned but never called."""
    rows = list(report.rows if depth is None else report.folded(depth))
    return [*rows, report.uncalled] if report.uncalled else rows
