"""The report: every number of a graph, call by call and in total, frozen. How it looks is the business of `views`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.algebra.field import Field
from convcalc.algebra.types import Condition, Shape
from convcalc.analysis.count.call import Count, Site, canonical_count
from convcalc.analysis.count.conventions import Convention, convention_named
from convcalc.analysis.count.metrics import (
    Measured,
    Memory,
    Metric,
    make_meter,
    measure_at,
    measure_uncalled,
    metrics_named,
)
from convcalc.analysis.fields.flow import ReceptiveField, propagate, receptive_field
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.network.graph import SEVERAL_OUTPUTS, Graph, node_name


class Row(NamedTuple):
    """A row of a report: one call of a layer, or several folded into the module that holds them.

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
        """The path, with the number of the call where it is not the first."""
        return node_name(self.path, self.call)

    @property
    def spec(self) -> str:
        """The layer with its arguments; empty for a module."""
        return repr(self.layer) if self.layer is not None else ""

    def __getattr__(self, name: str) -> Any:
        if name in self.counts:
            return self.counts[name].value
        raise AttributeError(f"a row has no {name!r}; it has {', '.join((*self._fields, 'spec', *self.counts))}")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The numbers of a graph; ``report["conv1"]`` is a row.

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
    _metrics: Sequence[Metric] = ()
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
        """Whether no total is a lower bound."""
        return all(count.complete for count in self.counts.values())

    @property
    def assumptions(self) -> tuple[Condition, ...]:
        """What must hold of the letters."""
        return self.graph.assumptions

    @property
    def memory(self) -> Memory:
        """4 bytes for each element; needs the metrics params, buffers and elements."""
        elements = [self.counts[name] for name in ("params", "buffers", "elements")]
        return Memory(*[Count(None if n is None else n * 4, complete) for n, complete in elements])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One for each call, in order."""
        rows = []
        known: dict[tuple[int, bool], Mapping[str, Count]] = {}  # equal calls share them
        before, rf = None, receptive_field(None, self.graph)
        for node, measured, field in zip(self.graph.nodes, self._measured, self._fields):
            path, call, layer, inputs, shapes, output, _, _ = node
            key = id(measured), call == 0
            counts = known.get(key)
            if counts is None:
                counts = known[key] = {  # a layer that was called before owns nothing anew
                    metric.name: Count(0) if call and metric.owned else count
                    for metric, count in zip(self._metrics, measured.counts)
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
        counts = {name: _sum(row.counts[name] for row in rows) for name in self.metrics}
        first, last, kind = rows[0], rows[-1], self.graph.modules[path]
        return Row(path, 0, kind, None, first.inputs, first.input_shapes, last.output_shape, last.rf, counts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not say: layers never called, work that is not known, several outputs."""
        return tuple(_notes(self))

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise UnknownName(f"no call is named {name!r}", hint=did_you_mean(name, [row.name for row in self.rows]))


def analyze(
    graph: Graph,
    metrics: Iterable[str] | None = None,
    convention: str = "torch",
    *,
    network: str = "",
    show_batch: bool = False,
    given: str = "",
    through_gates: bool = False,
) -> Report:
    """Return the report of ``graph`` with these metrics, by default all, and FLOPs as ``convention`` counts them.

    Receptive fields follow gates (squeeze and excitation) if ``through_gates``, else tell them apart. Raises
    UnknownName for a metric or convention that does not exist.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    rows, rules = metrics_named(metrics), convention_named(convention)
    counted = _count(graph, rows, rules)
    fields, depth = propagate(graph, [item.weighted for item in counted.calls])
    return Report(
        graph=graph,
        metrics=tuple([metric.name for metric in rows]),
        convention=rules,
        counts=counted.totals,
        depth=depth,
        network=network,
        show_batch=show_batch,
        uncalled=counted.uncalled,
        given=given,
        through_gates=through_gates,
        _metrics=rows,
        _measured=counted.calls,
        _fields=fields,
    )


def totals(graph: Graph, metrics: Iterable[str]) -> Mapping[str, Count]:
    """Return the totals of ``graph`` alone, as `Report.counts` holds them; raise UnknownName.

    >>> from convcalc import nn, trace
    >>> totals(trace(nn.Linear(8, 2), (1, 8)), ["params"])
    {'params': Count(value=18, complete=True)}
    """
    return _count(graph, metrics_named(metrics), convention_named("torch")).totals


class _Counted(NamedTuple):
    """The counts of each call, of what is never called, and of all."""

    calls: list[Measured]
    uncalled: Row | None
    totals: dict[str, Count]


def _count(graph: Graph, metrics: tuple[Metric, ...], convention: Convention) -> _Counted:
    measure = make_meter(metrics, convention)
    calls = [measure(node.layer.shared, node.input_shapes, node.output_shape) for node in graph.nodes]
    if convention.sees_site:
        calls = measure_at(_sites(graph), calls, metrics, convention)
    layers = {id(graph.owned[path]): graph.owned[path] for path in graph.unused}
    held = [measure_uncalled(layer, metrics) for layer in layers.values()]
    uncalled = None
    if held:
        kind = f"{len(held)} layer{'s' * (len(held) > 1)}"
        sums = _total(held, metrics, [True] * len(held))
        uncalled = Row("(never called)", 0, kind, None, (), (), (), None, sums)
    once = [*[node.call == 0 for node in graph.nodes], *[True] * len(held)]
    return _Counted(calls, uncalled, _total([*calls, *held], metrics, once))


def _sites(graph: Graph) -> Iterator[Site]:
    """Yield the site of each call, in order."""
    calls = Counter([id(node.layer) for node in graph.nodes])
    for node in graph.nodes:
        kind = graph.modules.get(node.owner, "")
        yield Site(node.path, node.call, calls[id(node.layer)], node.owner, kind, node.via)


def _total(calls: Sequence[Measured], metrics: Sequence[Metric], once: Sequence[bool]) -> dict[str, Count]:
    """Return the sums over calls; what a layer owns counts where ``once`` says so."""
    if all(call.complete for call in calls):  # nearly always, and then numbers add up faster than counts
        values: Any = list(zip(*[call.values for call in calls])) or [()] * len(metrics)
        return {
            metric.name: Count(canonical_count(sum(compress(column, once) if metric.owned else column)))
            for metric, column in zip(metrics, values)
        }
    counts = zip(*[call.counts for call in calls])
    return {
        metric.name: _sum(compress(column, once) if metric.owned else column) for metric, column in zip(metrics, counts)
    }


def _sum(counts: Iterable[Count]) -> Count:
    """Return the sum of what is known; complete where all is, not known where nothing is."""
    counts = list(counts)
    known = [count.value for count in counts if count.value is not None]
    value = canonical_count(sum(known)) if known or not counts else None
    return Count(value, all(count.complete for count in counts))


def _notes(report: Report) -> Iterator[str]:
    uncalled, counts = report.uncalled, report.counts
    if report.given:
        yield f"for {report.given}"
    if uncalled is not None and uncalled.counts.get("params", Count(0)).value:
        executed = counts["params"].value - uncalled.params
        owned = report.graph.owned
        paths = join_names([path for path in report.graph.unused if owned[path].weights()])
        yield f"never called, yet counted among the parameters: {paths}; without them {show_count(executed)} parameters"
    if not report.complete:
        partial = [(node.name, call) for node, call in zip(report.graph.nodes, report._measured) if not call.complete]
        unruled = [name for name, call in partial if _has_no_rule(call, report._metrics)]
        unknown = [name for name, _ in partial if name not in set(unruled)]
        if unknown:
            yield f"work unknown, so that totals are lower bounds: {join_names(unknown)}"
        if unruled:
            rule = f"no full rule in the convention {report.convention.name}"
            yield f"{rule}, so that totals are lower bounds: {join_names(unruled)}"
    if len(report.graph.outputs) > 1:
        outputs = join_names(report.graph.outputs)
        yield f"{SEVERAL_OUTPUTS}: {outputs}; the receptive field in total is that of the first"


def _has_no_rule(call: Measured, metrics: Sequence[Metric]) -> bool:
    """Return whether it is the convention that leaves a call without a complete count."""
    priced = any(metric.priced and not count.complete for metric, count in zip(metrics, call.counts))
    return priced and call.call.work is not None


def join_names(names: Sequence[str], most: int = 6) -> str:
    """Return names in a row, the rest of a long list as a number.

    >>> join_names(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
