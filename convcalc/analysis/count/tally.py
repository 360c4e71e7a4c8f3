"""The counts of a graph's calls and their totals, before a report makes rows of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from convcalc.analysis.count.call import Count, Site, canonical_count
from convcalc.analysis.count.conventions import Convention, convention_named
from convcalc.analysis.count.metrics import (
    Measurement,
    Metric,
    make_meter,
    measure_at,
    measure_uncalled,
    metrics_named,
)
from convcalc.network.graph import Graph


class Tally(NamedTuple):
    """The counts of each call, in order, and their totals by metric.

    ``uncalled`` is the sum over the layers that are owned but never called, ``uncalled_layers`` how many these are.
    """

    calls: list[Measurement]
    totals: dict[str, Count]
    uncalled: dict[str, Count]
    uncalled_layers: int


def tally(graph: Graph, metrics: tuple[Metric, ...], convention: Convention) -> Tally:
    """Count every call of ``graph``, and what its layers that are never called own.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Linear(8, 2), (1, 8))
    >>> tally(graph, metrics_named(["params", "macs"]), convention_named("torch")).calls[0].values
    (18, 16)
    """
    measure = make_meter(metrics, convention)
    calls = [measure(node.layer.shared, node.input_shapes, node.output_shape) for node in graph.nodes]
    if convention.sees_site:
        calls = measure_at(_sites(graph), calls, metrics, convention)
    layers = {id(graph.owned[path]): graph.owned[path] for path in graph.unused}
    uncalled = [measure_uncalled(layer, metrics) for layer in layers.values()]
    first = [*[node.call == 0 for node in graph.nodes], *[True] * len(uncalled)]
    sums = _total(uncalled, metrics, [True] * len(uncalled)) if uncalled else {}
    return Tally(calls, _total([*calls, *uncalled], metrics, first), sums, len(uncalled))


def count_totals(graph: Graph, metrics: Iterable[str]) -> Mapping[str, Count]:
    """Return the totals of ``graph`` alone, as `Report.counts` holds them; raise UnknownName for an unknown metric.

    >>> from convcalc import nn, trace
    >>> count_totals(trace(nn.Linear(8, 2), (1, 8)), ["params"])
    {'params': Count(value=18, complete=True)}
    """
    return tally(graph, metrics_named(metrics), convention_named("torch")).totals


def add_counts(counts: Iterable[Count]) -> Count:
    """Return the sum of the known counts: a lower bound unless all are complete, None if none of them is known.

    >>> add_counts([Count(3), Count(None, False)])
    Count(value=3, complete=False)
    """
    counts = list(counts)
    values = [count.value for count in counts if count.value is not None]
    value = canonical_count(sum(values)) if values or not counts else None
    return Count(value, all(count.complete for count in counts))


def _sites(graph: Graph) -> Iterator[Site]:
    """Yield the site of each call, in order."""
    calls = Counter([id(node.layer) for node in graph.nodes])
    for node in graph.nodes:
        kind = graph.modules.get(node.owner, "")
        yield Site(node.path, node.call, calls[id(node.layer)], node.owner, kind, node.via)


def _total(calls: Sequence[Measurement], metrics: Sequence[Metric], first: Sequence[bool]) -> dict[str, Count]:
    """Return the sums over calls; what a layer owns is added at its ``first`` call only."""
    if all(call.complete for call in calls):  # nearly always, and then numbers add up faster than counts
        values: Any = list(zip(*[call.values for call in calls])) or [()] * len(metrics)
        return {
            metric.name: Count(canonical_count(sum(compress(column, first) if metric.owned else column)))
            for metric, column in zip(metrics, values)
        }
    counts = zip(*[call.counts for call in calls])
    return {
        metric.name: add_counts(compress(column, first) if metric.owned else column)
        for metric, column in zip(metrics, counts)
    }
