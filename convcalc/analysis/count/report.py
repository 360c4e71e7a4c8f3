"""The report: every number of a graph, call by call and in total, frozen. How it looks is the writers' business."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.algebra.field import Field
from convcalc.algebra.types import Condition, Dim, Shape
from convcalc.analysis.count.conventions import Convention, find
from convcalc.analysis.count.metrics import DEFAULT, METRICS, Count, Measured, Memory, holdings, meter, whole
from convcalc.analysis.fields.flow import ReceptiveField, propagate, receptive_field
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.network.graph import SEVERAL_OUTPUTS, Graph, node_name


class Row(NamedTuple):
    """One call of a layer, or several folded into the module that holds them.

    Each metric is an attribute too (``row.params``): the value of its count. ``layer`` is None for a module.
    """

    path: str
    call: int
    type: str
    layer: Layer | None
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    rf: ReceptiveField
    counts: Mapping[str, Count]

    @property
    def name(self) -> str:
        return node_name(self.path, self.call)

    @property
    def spec(self) -> str:
        return repr(self.layer) if self.layer is not None else ""

    def __getattr__(self, name: str) -> Any:
        if name in METRICS and name in self.counts:
            return self.counts[name].value
        raise AttributeError(f"a row has no {name!r}; it has {', '.join((*self._fields, 'spec', *self.counts))}")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The numbers of a graph. ``str(report)`` is the table, ``report["conv1"]`` a row.

    ``counts`` holds the totals. ``show_batch`` is whether shapes print with the batch; ``uncalled`` stands for all
    layers that are owned but never called; ``given`` is what was assumed of letters.

    >>> from convcalc import nn, trace
    >>> report = analyze(trace(nn.Sequential(nn.Conv2d(3, 8, 3)), (1, 3, 6, 6)))
    >>> report["0"].output_shape, report.totals["macs"]
    ((1, 8, 4, 4), 3456)
    """

    graph: Graph
    metrics: tuple[str, ...]
    convention: Convention
    counts: Mapping[str, Count]
    depth: int
    network: str = ""
    show_batch: bool = False
    uncalled: Row | None = None
    given: str = ""
    through_gates: bool = False
    _measured: Sequence[Measured] = ()
    _fields: Sequence[Field | None] = ()

    @cached_property
    def totals(self) -> Mapping[str, Any]:
        """Each metric's total (a lower bound where that is incomplete), ``depth``, and ``rf`` of the first output."""
        field = None
        for node, known in zip(reversed(self.graph.nodes), reversed(self._fields)):  # an output mostly comes last
            if node.name == self.graph.outputs[0]:
                field = known
                break
        rf = receptive_field(field, self.graph, self.through_gates)
        return {**{name: count.value for name, count in self.counts.items()}, "depth": self.depth, "rf": rf}

    @property
    def complete(self) -> bool:
        return all(count.complete for count in self.counts.values())

    @property
    def assumptions(self) -> tuple[Condition, ...]:
        """What must hold of the letters."""
        return self.graph.assumptions

    @property
    def memory(self) -> Memory:
        """4 bytes for each element; needs the metrics params, buffers and elements."""
        found = [self.counts[name] for name in ("params", "buffers", "elements")]
        return Memory(*[Count(None if n is None else n * 4, complete) for n, complete in found])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One for each call, in order."""
        rows = []
        known: dict[tuple[int, bool], Mapping[str, Count]] = {}  # equal calls share them
        before, rf = None, receptive_field(None, self.graph)
        for node, measured, field in zip(self.graph.nodes, self._measured, self._fields):
            path, call, layer, inputs, shapes, output, _ = node
            key = id(measured), call == 0
            counts = known.get(key)
            if counts is None:
                counts = known[key] = {  # a layer that was called before owns nothing anew
                    name: Count(0) if call and METRICS[name].owned else Count(value, value is not None)
                    for name, value in zip(self.metrics, measured.values)
                }
            if field is not before:  # pointwise layers pass on the field itself
                before, rf = field, receptive_field(field, self.graph, self.through_gates)
            rows.append(Row(path, call, type(layer).__name__, layer, inputs, shapes, output, rf, counts))
        return tuple(rows)

    def folded(self, depth: int) -> tuple[Row, ...]:
        """Rows folded to the modules ``depth`` levels deep; 0 makes one row of all."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            parts = row.path.split(".")
            module = ".".join(parts[:depth])
            inside = len(parts) > depth and module in self.graph.modules
            groups.setdefault(module if inside else row.name, []).append(row)
        return tuple(self._fold(path, rows) for path, rows in groups.items())

    def _fold(self, path: str, rows: list[Row]) -> Row:
        if path not in self.graph.modules:
            return rows[0]
        counts = {name: _sum(row.counts[name].value for row in rows) for name in self.metrics}
        first, last, kind = rows[0], rows[-1], self.graph.modules[path]
        return Row(path, 0, kind, None, first.inputs, first.input_shapes, last.output_shape, last.rf, counts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        return tuple(_notes(self))

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownName(f"no call is named {name!r}", hint=did_you_mean(name, [row.name for row in self.rows]))

    def __str__(self) -> str:
        from convcalc.views.table import render

        return render(self)

    __repr__ = __str__  # what a console or notebook shows of a summary that nobody printed

    def _repr_html_(self) -> str:
        from convcalc.views.table import render

        return render(self, "html")


def analyze(
    graph: Graph,
    metrics: Iterable[str] = DEFAULT,
    convention: str = "torch",
    *,
    network: str = "",
    show_batch: bool = False,
    given: str = "",
    through_gates: bool = False,
) -> Report:
    """The report of ``graph`` with these metrics, FLOPs at the prices of ``convention``.

    Receptive fields follow gates (squeeze and excitation) if ``through_gates``, else tell them apart. Raises
    UnknownName for a metric or convention that there is not.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    names = tuple(metrics)
    measured, uncalled, counts = _counted(graph, names, convention)
    fields, depth = propagate(graph, [item.weighted for item in measured])
    known = (network, show_batch, uncalled, given, through_gates, measured, fields)
    return Report(graph, names, find(convention), counts, depth, *known)


def totals(graph: Graph, metrics: Iterable[str]) -> Mapping[str, Count]:
    """The totals of ``graph`` alone, as `Report.counts` holds them; raises UnknownName.

    >>> from convcalc import nn, trace
    >>> totals(trace(nn.Linear(8, 2), (1, 8)), ["params"])
    {'params': Count(value=18, complete=True)}
    """
    return _counted(graph, tuple(metrics), "torch")[2]


def _counted(
    graph: Graph, names: tuple[str, ...], convention: str
) -> tuple[list[Measured], Row | None, dict[str, Count]]:
    """The numbers of each call, of what is never called, and of all."""
    measure = meter(names, convention)
    measured = [measure(node.layer.shared, node.input_shapes, node.output_shape) for node in graph.nodes]
    layers = {id(graph.owned[path]): graph.owned[path] for path in graph.unused}
    held = [holdings(layer, names, convention) for layer in layers.values()]
    uncalled = None
    if held:
        kind = f"{len(held)} layer{'s' * (len(held) > 1)}"
        sums = dict(zip(names, map(_sum, zip(*held))))
        uncalled = Row("(never called)", 0, kind, None, (), (), (), None, sums)
    once = [*[node.call == 0 for node in graph.nodes], *[True] * len(held)]  # what a layer owns counts once
    columns = list(zip(*[item.values for item in measured], *held)) or [()] * len(names)
    counts = {
        name: _sum(compress(column, once) if METRICS[name].owned else column) for name, column in zip(names, columns)
    }
    return measured, uncalled, counts


def _sum(values: Iterable[Dim | None]) -> Count:
    """The sum of what is known; complete where all is, not known where nothing is."""
    values = list(values)
    known = [value for value in values if value is not None]
    return Count(whole(sum(known)) if known or not values else None, len(known) == len(values))


def _notes(report: Report) -> Iterator[str]:
    uncalled, counts = report.uncalled, report.counts
    if report.given:
        yield f"for {report.given}"
    if uncalled is not None and uncalled.counts.get("params", Count(0)).value:
        executed = counts["params"].value - uncalled.params
        owned = report.graph.owned
        paths = listed([path for path in report.graph.unused if owned[path].weights()])
        yield f"never called, yet counted among the parameters: {paths}; without them {show_count(executed)} parameters"
    if not report.complete:
        unknown = [row.name for row in report.rows if not all(count.complete for count in row.counts.values())]
        yield f"work unknown, so that totals are lower bounds: {listed(unknown)}"
    if len(report.graph.outputs) > 1:
        yield f"{SEVERAL_OUTPUTS}: {listed(report.graph.outputs)}; the receptive field in total is that of the first"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a row, the rest of a long list as a number."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
