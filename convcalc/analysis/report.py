"""The report: every number of a graph, call by call and in total, frozen.

`analyze` folds metrics over a graph. The numbers of single calls are `metrics`, what flows between them is `flow`, and
how a report looks is the writers' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, NamedTuple

from convcalc.algebra.dims import Condition, Dim, Shape, show_count
from convcalc.algebra.field import Field
from convcalc.analysis.flow import ReceptiveField, propagate, receptive_field
from convcalc.analysis.metrics import (
    DEFAULT,
    METRICS,
    Convention,
    Count,
    Measured,
    Memory,
    find,
    holdings,
    memory,
    meter,
    whole,
)
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.network.graph import Graph, node_name


class Row(NamedTuple):
    """One call of a layer, or several folded into the module that holds them.

    Each metric is an attribute too (``row.params``): its value, or None where that is not known; ``counts`` says
    besides whether it is complete. ``layer`` is None for a module.
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
        """The path, with the number of the call where it is not the first."""
        return node_name(self.path, self.call)

    @property
    def spec(self) -> str:
        """The layer as it would be written; empty for a module."""
        return repr(self.layer) if self.layer is not None else ""

    def __getattr__(self, name: str) -> Any:
        if name in METRICS and name in self.counts:
            return self.counts[name].value
        raise AttributeError(f"a row has no {name!r}; it has {', '.join((*self._fields, 'spec', *self.counts))}")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The numbers of a graph. ``str(report)`` is the table, ``report["conv1"]`` a row, ``report.totals`` the totals.

    ``counts`` maps each metric to its total as a `Count`; ``totals`` to the bare value, with ``depth`` and ``rf`` (that
    of the first output) besides. ``network`` names the network; ``show_batch`` is whether shapes print with the batch;
    ``uncalled`` stands for all layers that are owned but never called; ``given`` is what was assumed of letters;
    ``through_gates`` is whether receptive fields follow gates.

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
        """Each metric's total, ``depth`` and ``rf``; a total of incomplete numbers is a lower bound (see `counts`)."""
        return {**{name: count.value for name, count in self.counts.items()}, "depth": self.depth, "rf": self._rf}

    @property
    def _rf(self) -> ReceptiveField:
        for i in range(len(self.graph.nodes) - 1, -1, -1):  # an output mostly comes last
            if self.graph.nodes[i].name == self.graph.outputs[0]:
                return receptive_field(self._fields[i], self.graph, self.through_gates)
        return None

    @property
    def complete(self) -> bool:
        """Whether every total is all of it."""
        return all(count.complete for count in self.counts.values())

    @property
    def assumptions(self) -> tuple[Condition, ...]:
        """What must hold of the letters in the shapes."""
        return self.graph.assumptions

    @property
    def memory(self) -> Memory:
        """Bytes in fp32; needs the metrics params, buffers and elements."""
        return memory(*[self.counts[name] for name in ("params", "buffers", "elements")])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row for each call, in the order of the calls."""
        rows = []
        known: dict[tuple[int, bool], Mapping[str, Count]] = {}  # equal calls share what was measured of them
        before, rf = None, receptive_field(None, self.graph)
        for node, measured, field in zip(self.graph.nodes, self._measured, self._fields):
            path, call, layer, inputs, shapes, output, _ = node
            key = id(measured), call == 0
            counts = known.get(key)
            if counts is None:
                counts = known[key] = _of_call(self.metrics, measured.values, call)
            if field is not before:  # pointwise layers pass on the field itself
                before, rf = field, receptive_field(field, self.graph, self.through_gates)
            rows.append(Row(path, call, type(layer).__name__, layer, inputs, shapes, output, rf, counts))
        return tuple(rows)

    def folded(self, depth: int) -> tuple[Row, ...]:
        """Rows folded to the modules ``depth`` levels deep; 0 makes one row of all. Sums stay what they are."""
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
        first, last = rows[0], rows[-1]
        kind = self.graph.modules[path]
        return Row(path, 0, kind, None, first.inputs, first.input_shapes, last.output_shape, last.rf, counts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the totals must know."""
        return tuple(_notes(self))

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        hint = did_you_mean(name, [row.name for row in self.rows])
        raise UnknownName(f"no call is named {name!r}", hint=hint)

    def __str__(self) -> str:
        from convcalc.writers.table import render

        return render(self)

    __repr__ = __str__  # what a console or notebook shows of a summary that nobody printed

    def _repr_html_(self) -> str:
        from convcalc.writers.table import render

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

    Receptive fields tell gates (squeeze and excitation) apart, or follow them if ``through_gates``. Raises UnknownName
    for a metric or convention that there is not.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    names = tuple(metrics)
    measured, uncalled, counts = _counted(graph, names, convention)
    flow = propagate(graph, [item.weighted for item in measured])
    prices = find(convention)
    known = (network, show_batch, uncalled, given, through_gates, measured, flow.fields)
    return Report(graph, names, prices, counts, flow.depth, *known)


def totals(graph: Graph, metrics: Iterable[str] = DEFAULT, convention: str = "torch") -> Mapping[str, Count]:
    """The totals of ``graph`` alone: what `Report.counts` holds, without rows, depth and receptive fields.

    Raises UnknownName as `analyze` does.

    >>> from convcalc import nn, trace
    >>> totals(trace(nn.Linear(8, 2), (1, 8)), ["params"])
    {'params': Count(value=18, complete=True)}
    """
    return _counted(graph, tuple(metrics), convention)[2]


def _counted(
    graph: Graph, names: tuple[str, ...], convention: str
) -> tuple[list[Measured], Row | None, dict[str, Count]]:
    """The numbers of each call, of what is never called, and of all together."""
    measure = meter(names, convention)
    measured = [measure(node.layer.shared, node.input_shapes, node.output_shape) for node in graph.nodes]
    uncalled = _uncalled(graph, names, convention)
    counts = _totals(graph, names, measured)
    if uncalled:
        counts = {name: count + uncalled.counts[name] for name, count in counts.items()}
    return measured, uncalled, counts


def _totals(graph: Graph, names: tuple[str, ...], measured: Sequence[Measured]) -> dict[str, Count]:
    """Each metric summed over the calls; what a layer owns only over the first call of each layer object."""
    firsts = [node.call == 0 for node in graph.nodes]
    columns: Iterable[Iterable[Any]] = zip(*[item.values for item in measured]) if measured else [()] * len(names)
    return {
        name: _sum(compress(column, firsts) if METRICS[name].owned else column) for name, column in zip(names, columns)
    }


def _sum(values: Iterable[Dim | None]) -> Count:
    """The sum of what is known; complete where all is, and not known where nothing is."""
    values = list(values)
    known = [value for value in values if value is not None]
    return Count(whole(sum(known)) if known or not values else None, len(known) == len(values))


def _of_call(names: tuple[str, ...], values: Sequence[Dim | None], call: int) -> dict[str, Count]:
    """The counts of one call; a layer that was called before owns nothing anew."""
    return {
        name: Count(0) if call and METRICS[name].owned else Count(value, value is not None)
        for name, value in zip(names, values)
    }


def _uncalled(graph: Graph, names: tuple[str, ...], convention: str) -> Row | None:
    """All layers that are owned but never called, as one row; None where there are none."""
    layers = {id(graph.owned[path]): graph.owned[path] for path in graph.unused}
    if not layers:
        return None
    columns = zip(*[holdings(layer, names, convention) for layer in layers.values()])
    counts = {name: _sum(column) for name, column in zip(names, columns)}
    kind = f"{len(layers)} layer{'s' * (len(layers) > 1)}"
    return Row("(never called)", 0, kind, None, (), (), (), None, counts)


def _notes(report: Report) -> Iterator[str]:
    """What a reader of the totals must know."""
    uncalled, counts = report.uncalled, report.counts
    if report.given:
        yield f"for {report.given}"
    if uncalled is not None and uncalled.counts.get("params", Count(0)).value:
        executed = counts["params"].value - uncalled.params
        owned = report.graph.owned
        paths = _listed([path for path in report.graph.unused if owned[path].weights()])
        yield f"never called, yet counted among the parameters: {paths}; without them {show_count(executed)} parameters"
    if not report.complete:
        unknown = [row.name for row in report.rows if not all(count.complete for count in row.counts.values())]
        yield f"work unknown, so that totals are lower bounds: {_listed(unknown)}"
    if len(report.graph.outputs) > 1:
        yield f"several outputs: {_listed(report.graph.outputs)}; the receptive field in total is that of the first"


def _listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a row, the rest of a long list as a number."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
