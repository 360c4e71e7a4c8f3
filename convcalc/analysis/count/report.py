"""The report: every number of a graph, call by call and in total, frozen. `views` decide how it looks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.algebra.field import Field
from convcalc.algebra.types import Condition, Shape
from convcalc.analysis.count.call import Count
from convcalc.analysis.count.conventions import Convention, convention_named
from convcalc.analysis.count.metrics import Measurement, Memory, Metric, metrics_named
from convcalc.analysis.count.tally import add_counts, tally
from convcalc.analysis.fields.flow import ReceptiveField, propagate, receptive_field
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.network.graph import SEVERAL_OUTPUTS, Graph, node_name


class Row(NamedTuple):
    """A row of a report: one call of a layer, or several folded into the module that contains them.

    The value of each metric is also an attribute (``row.params``). ``layer`` is None for a module.
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

    ``counts`` holds the totals. ``show_batch`` is whether shapes print with the batch; ``uncalled`` is one row for all
    layers that are owned but never called; ``given`` is what was assumed of letters, as text.

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
    _calls: Sequence[Measurement] = ()
    _fields: Sequence[Field | None] = ()

    @cached_property
    def totals(self) -> Mapping[str, Any]:
        """Each metric's total (a lower bound where that is incomplete), ``depth``, and ``rf`` of the first output."""
        pairs = zip(reversed(self.graph.nodes), reversed(self._fields))  # an output mostly comes last
        output = next((field for node, field in pairs if node.name == self.graph.outputs[0]), None)
        rf = receptive_field(output, self.graph, self.through_gates)
        return {**{name: count.value for name, count in self.counts.items()}, "depth": self.depth, "rf": rf}

    @property
    def complete(self) -> bool:
        """Whether no total is a lower bound."""
        return all(count.complete for count in self.counts.values())

    @property
    def assumptions(self) -> tuple[Condition, ...]:
        """The relations that the letters must satisfy."""
        return self.graph.assumptions

    @property
    def memory(self) -> Memory:
        """The memory in bytes, 4 for each element; needs the metrics params, buffers and elements."""
        elements = [self.counts[name] for name in ("params", "buffers", "elements")]
        return Memory(*[Count(None if n is None else n * 4, complete) for n, complete in elements])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row for each call, in order."""
        rows = []
        shared: dict[tuple[int, bool], Mapping[str, Count]] = {}  # by equal calls
        before, rf = None, receptive_field(None, self.graph)
        for node, measurement, field in zip(self.graph.nodes, self._calls, self._fields):
            path, call, layer, inputs, shapes, output, _, _ = node
            key = id(measurement), call == 0
            counts = shared.get(key)
            if counts is None:
                counts = shared[key] = {  # what a layer owns is counted at its first call only
                    metric.name: Count(0) if call and metric.owned else count
                    for metric, count in zip(self._metrics, measurement.counts)
                }
            if field is not before:  # pointwise layers pass on the field itself
                before, rf = field, receptive_field(field, self.graph, self.through_gates)
            rows.append(Row(path, call, type(layer).__name__, layer, inputs, shapes, output, rf, counts))
        return tuple(rows)

    def folded(self, depth: int) -> tuple[Row, ...]:
        """Return the rows folded to the modules ``depth`` levels deep; 0 makes a single row.

        >>> from convcalc import nn, trace
        >>> report = analyze(trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 6, 6)))
        >>> [(row.type, row.macs) for row in report.folded(0)]
        [('Sequential', 3456)]
        """
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
        counts = {name: add_counts(row.counts[name] for row in rows) for name in self.metrics}
        first, last, kind = rows[0], rows[-1], self.graph.modules[path]
        return Row(path, 0, kind, None, first.inputs, first.input_shapes, last.output_shape, last.rf, counts)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the numbers do not show: layers that are never called, unknown work, several outputs."""
        return tuple(_notes(self))

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        names = [row.name for row in self.rows]
        raise UnknownName(f"there is no call named {name!r}", hint=did_you_mean(name, names))


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

    Receptive fields pass through gates (squeeze and excitation) if ``through_gates``, else gates are marked only.
    Raises UnknownName for a metric or convention that does not exist.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    chosen, rules = metrics_named(metrics), convention_named(convention)
    counts = tally(graph, chosen, rules)
    fields, depth = propagate(graph, [call.weighted for call in counts.calls])
    uncalled = None
    if n := counts.uncalled_layers:
        kind = f"{n} layer{'s' * (n > 1)}"
        uncalled = Row("(never called)", 0, kind, None, (), (), (), None, counts.uncalled)
    return Report(
        graph=graph,
        metrics=tuple([metric.name for metric in chosen]),
        convention=rules,
        counts=counts.totals,
        depth=depth,
        network=network,
        show_batch=show_batch,
        uncalled=uncalled,
        given=given,
        through_gates=through_gates,
        _metrics=chosen,
        _calls=counts.calls,
        _fields=fields,
    )


def _notes(report: Report) -> Iterator[str]:
    """Yield the notes on a report, a line each."""
    uncalled, counts = report.uncalled, report.counts
    if report.given:
        yield f"for {report.given}"
    if uncalled is not None and uncalled.counts.get("params", Count(0)).value:
        executed = counts["params"].value - uncalled.params
        owned = report.graph.owned
        paths = join_names([path for path in report.graph.unused if owned[path].weights()])
        yield f"never called, but counted among the parameters: {paths}; without them {show_count(executed)} parameters"
    if not report.complete:
        partial = [(node.name, call) for node, call in zip(report.graph.nodes, report._calls) if not call.complete]
        unruled = [name for name, call in partial if _has_no_rule(call, report._metrics)]
        unknown = [name for name, _ in partial if name not in set(unruled)]
        if unknown:
            yield f"work unknown, so totals are lower bounds: {join_names(unknown)}"
        if unruled:
            rule = f"no full rule in the convention {report.convention.name}"
            yield f"{rule}, so totals are lower bounds: {join_names(unruled)}"
    if len(report.graph.outputs) > 1:
        outputs = join_names(report.graph.outputs)
        yield f"{SEVERAL_OUTPUTS}: {outputs}; the total receptive field is that of the first"


def _has_no_rule(call: Measurement, metrics: Sequence[Metric]) -> bool:
    """Return whether a call's count is incomplete because the convention has no rule for it."""
    priced = any(metric.priced and not count.complete for metric, count in zip(metrics, call.counts))
    return priced and call.call.work is not None


def join_names(names: Sequence[str], most: int = 6) -> str:
    """Return names joined by commas, of a long list the first ``most`` and how many more there are.

    >>> join_names(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
