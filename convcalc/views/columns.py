"""The columns of a report: what tables and csv files show for each row, and the lines above and below a table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import show, show_count, show_shape
from convcalc.algebra.types import Shape
from convcalc.analysis.count.call import Count
from convcalc.analysis.count.metrics import METRICS, Metric
from convcalc.analysis.count.report import Report, Row
from convcalc.analysis.fields.flow import Extent, ReceptiveField
from convcalc.errors import SpecError, UnknownName, did_you_mean

SEPARATED = {"csv": ",", "tsv": "\t"}

_PREFIXES = "kMGTPEZYRQ"  # SI's, each a thousand times the one before


def separated(names: Iterable[str], rows: Iterable[Iterable[Any]], format: str) -> str:
    """Return rows under the names of their columns as text in one of the formats of `SEPARATED`.

    >>> print(separated(["layer", "params"], [("conv1", 156)], "csv"))
    layer,params
    conv1,156
    """
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, delimiter=SEPARATED[format], lineterminator="\n").writerows([names, *rows])
    return text.getvalue().rstrip("\n")


Cell = Callable[[Row, Report], str]


class Column(NamedTuple):
    """A column: its title, what a ``cell`` shows to people, and what ``for_scripts`` writes if that is different."""

    title: str
    cell: Cell
    right: bool = False
    for_scripts: Cell | None = None

    def raw(self, row: Row, report: Report) -> str:
        """Return the text of a row's cell for scripts, as csv has it."""
        return (self.for_scripts or self.cell)(row, report)


def count_text(count: Count, exact: Callable[[Any], str] = show_count) -> str:
    """Return a count for people: ``?`` if it is not known, ``≥`` before a lower bound.

    >>> count_text(Count(9408)), count_text(Count(9408, False)), count_text(Count(None, False))
    ('9,408', '≥ 9,408', '?')
    """
    return "?" if count.value is None else f"{'' if count.complete else '≥ '}{exact(count.value)}"


def shape_text(shape: Shape, report: Report) -> str:
    """Return a shape for people, without the batch unless the report shows it."""
    return show_shape(shown(shape, report)) or "-"


def shown(shape: Shape, report: Report) -> Shape:
    """Return a shape as the report shows it: without the batch, unless that was asked for."""
    batch = next(iter(report.graph.inputs.values()))[0]
    return shape[1:] if not report.show_batch and len(shape) > 1 and shape[0] == batch else shape


def rf_text(rf: ReceptiveField) -> str:
    """Return a receptive field for people: ``11 x 7``, an outer bound ``≤ 59``, or ``851 + global gate``.

    >>> rf_text("global"), rf_text(None)
    ('global', '-')
    """
    if not isinstance(rf, Extent):
        return rf or "-"
    axes, gate = extents(rf), ""
    text = axes[0] if len(set(axes)) == 1 else " x ".join(axes)
    if any(rf.gated):
        gate = " + global gate" if all(g or a for g, a in zip(rf.gated, rf.along)) else " + gate"
    return f"{'' if rf.exact else '≤ '}{text}{gate}"


def extents(rf: Extent) -> list[str]:
    """Return the size along each axis: ``427``, ``46–54`` over phases, ``all``."""
    return [
        "all" if along else show(large) if small == large or not rf.exact else f"{show(small)}–{show(large)}"
        for small, large, along in zip(rf.smallest, rf.size, rf.along)
    ]


def _rf_cell() -> Cell:
    """Return the cell of a receptive field, which keeps its last text: rows in a run share one field, as an object."""
    last: tuple[ReceptiveField, str] = (None, rf_text(None))

    def cell(row: Row, _: Report) -> str:
        nonlocal last
        rf, text = last
        if row.rf is not rf:
            text = rf_text(row.rf)
            last = row.rf, text
        return text

    return cell


def _raw_shapes(shapes: Sequence[Shape], report: Report) -> str:
    return " ".join("x".join(map(str, shown(shape, report))) for shape in shapes)


def _number_of(metric: Metric) -> Column:
    name = metric.name
    return Column(
        metric.title,
        lambda row, _: count_text(row.counts[name]),
        True,
        lambda row, _: count_text(row.counts[name], str),
    )


def _share_of(metric: Metric) -> Column:
    name = metric.name

    def share(row: Row, report: Report) -> str:
        part, whole = row.counts[name], report.counts[name]
        if not (part.complete and whole.complete):
            return "?"
        if not (isinstance(part.value, int) and isinstance(whole.value, int) and whole.value):
            return "-"
        return f"{100 * part.value / whole.value:.1f}%"

    return Column(f"{metric.title} %", share, True)


_FACTS: Mapping[str, Column] = {
    "layer": Column("Layer", lambda row, report: row.name or report.network or "network"),
    "type": Column("Type", lambda row, _: row.type),
    "spec": Column("Spec", lambda row, _: row.spec or row.type),
    "inputs": Column("Inputs", lambda row, _: ", ".join(row.inputs)),
    "input_shape": Column(
        "Input shape",
        lambda row, report: ", ".join(shape_text(shape, report) for shape in row.input_shapes) or "-",
        for_scripts=lambda row, report: _raw_shapes(row.input_shapes, report),
    ),
    "output_shape": Column(
        "Output shape",
        lambda row, report: shape_text(row.output_shape, report),
        for_scripts=lambda row, report: _raw_shapes([row.output_shape], report),
    ),
    "rf": Column("RF", _rf_cell(), True),
}
"""The columns that are not metrics, by name."""


def every_column() -> dict[str, Column]:
    """Return every column by its name; each metric is one, and its share of the total another.

    >>> list(every_column())[-1]
    'elements%'
    """
    metrics = METRICS.values()
    return {
        **_FACTS,
        **{metric.name: _number_of(metric) for metric in metrics},
        **{f"{metric.name}%": _share_of(metric) for metric in metrics},
    }


def default_columns(kind: str = "type") -> tuple[str, ...]:
    """Return the names of a table's columns if none are asked for; the column ``kind`` shows a layer's kind.

    >>> default_columns("spec")
    ('layer', 'spec', 'output_shape', 'params', 'flops', 'rf')
    """
    return ("layer", kind, "output_shape", *[name for name, metric in METRICS.items() if metric.column], "rf")


def select(names: Sequence[str] | None, report: Report, kind: str = "type") -> dict[str, Column]:
    """Return columns by name, the default ones for None; raise UnknownName if one does not exist, SpecError for none.

    >>> from convcalc import summary
    >>> list(select(["layer", "macs"], summary("lenet5")))
    ['layer', 'macs']
    """
    missing = METRICS.keys() - report.counts.keys()
    columns = {name: column for name, column in every_column().items() if name.removesuffix("%") not in missing}
    if names is None:
        return {name: columns[name] for name in default_columns(kind) if name in columns}
    every = f"there are {', '.join(columns)}"
    for name in names:
        if name not in columns:
            raise UnknownName(f"no column is called {name!r}", hint=did_you_mean(name, columns) or every)
    if not names:
        raise SpecError("expected at least one column", hint=every)
    return {name: columns[name] for name in names}


def lines(report: Report, depth: int | None) -> list[Row]:
    """Return the rows of a report: calls, or modules at ``depth``; then a row for what is never called, if any."""
    rows = list(report.rows if depth is None else report.folded(depth))
    return [*rows, report.uncalled] if report.uncalled else rows


def headline(report: Report) -> str:
    """Return the line above a table: the network and its inputs."""
    inputs = ", ".join(shape_text(shape, report) for shape in report.graph.inputs.values())
    return f"{report.network or 'network'}, input {inputs}"


def footer(report: Report, chosen: Mapping[str, Column]) -> Iterator[tuple[str, str]]:
    """Yield the labels and texts below a table that shows the columns ``chosen``."""
    counts = report.counts
    yield from _work(report)
    if "params" in counts:
        learned, trainable = counts["params"], counts.get("trainable_params", counts["params"])
        yield "Total params", count_text(learned)
        yield "Trainable params", count_text(trainable)
        known = learned.value is not None and trainable.value is not None
        frozen = learned.value - trainable.value if known else None  # type: ignore[operator]
        yield "Non-trainable params", count_text(Count(frozen, learned.complete and trainable.complete))
    for name, count in counts.items():
        if name in chosen and name not in ("params", "trainable_params", "macs", "flops"):
            yield METRICS[name].title, f"{count_text(count)} {METRICS[name].unit}"
    if {"params", "buffers", "elements"} <= counts.keys():
        held = zip(("parameters", "buffers", "all outputs"), report.memory)
        yield "Memory in fp32", ", ".join(f"{name} {_bytes(count)}" for name, count in held)
    yield "Depth", f"{report.depth} weighted layer{'' if report.depth == 1 else 's'} on the longest path"
    if report.assumptions:
        yield "Needs", ", ".join(map(show, report.assumptions))  # type: ignore[arg-type]
    for note in report.notes:
        yield "Note", note


def _work(report: Report) -> Iterator[tuple[str, str]]:
    convention, flops, macs = report.convention, report.counts.get("flops"), report.counts.get("macs")
    in_macs = "" if macs is None else _with_noun(macs, "MACs")
    if flops is not None:
        yield "Convention", f"{convention.name}: {convention.description}"
        text = _with_noun(flops, convention.unit)
        if macs and convention.prices.keys() == {"mac"} and isinstance(flops.value, int) and flops.complete:
            text, in_macs = f"{text} = {convention.prices['mac']} x {in_macs}", ""
        yield "Total FLOPs", text
    if in_macs:
        yield "Total MACs", in_macs


def _with_noun(count: Count, noun: str) -> str:  # 8,178,368,512 (8.18 GFLOPs)
    value = count.value
    return f"{count_text(count)} ({scaled(value)}{noun})" if isinstance(value, int) else count_text(count)


def _bytes(count: Count) -> str:
    return f"{scaled(count.value) if isinstance(count.value, int) else count_text(count) + ' '}B"


def scaled(value: int) -> str:
    """Return a count with an SI prefix, to be followed by a noun; exact below a thousand.

    >>> scaled(4089184256) + "MACs", scaled(999), scaled(999_999)
    ('4.09 GMACs', '999 ', '1.00 M')
    """
    if value < 1000:
        return f"{value} "
    power = min((len(str(value)) - 1) // 3, len(_PREFIXES))
    if f"{value / 1000**power:.2f}" == "1000.00" and power < len(_PREFIXES):
        power += 1
    return f"{value / 1000**power:.2f} {_PREFIXES[power - 1]}"
