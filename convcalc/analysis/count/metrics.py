"""Metrics: each is one decorated function from a call of a layer to a number.

Its column, total, JSON key, row of a comparison and gate follow from its row in `METRICS`. All code that lists metrics
reads that table when it runs, so a metric registered from outside appears everywhere. What counts as a FLOP is decided
by conventions, in a file of their own.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from convcalc.algebra.dims import prod
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.call import Call, Charge, Count, Site, as_count
from convcalc.analysis.count.conventions import Convention, check_name
from convcalc.errors import SpecError
from convcalc.layers.base import Layer


class Memory(NamedTuple):
    """Bytes in fp32 of the parameters, of the buffers, and of the outputs of all calls together."""

    parameters: Count
    buffers: Count
    outputs: Count


class Metric(NamedTuple):
    """A quantity of a call that is summed over all calls, and where it is shown.

    ``owned``: it belongs to the layer, called or not, and counts once for each layer object. ``priced``: ``value`` also
    takes what the convention charges. ``column``: it is one of a table's default columns; every metric is a column on
    request, and so is its share (``macs%``). ``compared``: its total is part of comparisons. ``json``: its key in
    JSON, None if it is left out. ``gate``: the name of its upper limit on the command line, empty if it has none.
    """

    name: str
    title: str
    unit: str
    value: Callable[..., Charge]
    owned: bool
    priced: bool
    column: bool
    compared: bool
    json: str | None
    gate: str


METRICS: dict[str, Metric] = {}
"""The metrics by name, in the order of columns, totals and JSON keys."""

RESERVED = frozenset(
    {
        *("name", "path", "call", "type", "layer", "spec", "inputs", "input_shape", "input_shapes", "output_shape"),
        *("rf", "counts", "depth", "count", "index", "output_bytes"),
    }
)
"""Names that no metric may have, since rows, columns and JSON use them already."""

_OURS: set[str] = set()


def metric(
    title: str,
    unit: str,
    *,
    owned: bool = False,
    column: bool = False,
    compared: bool = True,
    json: str | bool = True,
    gate: bool = True,
) -> Callable[[Callable[..., Charge]], Metric]:
    """Register a function as a metric under its own name, from inside the package or outside.

    The function takes a `Call` and, if it has a second argument, the `Count` that the convention charges; it returns a
    number, None for unknown, or a `Count`. The options are those of `Metric`. Raises SpecError for the name of one of
    convcalc's own metrics, and for a name that rows or columns use already.

    >>> @metric("Fan-in", "inputs")
    ... def fan_in(call: Call) -> int:
    ...     return len(call.inputs)
    >>> METRICS.pop("fan_in").gate
    'max-fan-in'
    """

    def register(value: Callable[..., Charge]) -> Metric:
        name = value.__name__
        if name in _OURS or name in RESERVED:
            raise SpecError(f"the name {name!r} is taken, so no metric can have it", hint="choose another name")
        key = (json if isinstance(json, str) else name) if json else None
        limit = f"max-{name.replace('_', '-')}" if gate else ""
        priced = value.__code__.co_argcount > 1
        row = METRICS[name] = Metric(name, title, unit, value, owned, priced, column, compared, key, limit)
        return row

    return register


@metric("Params", "parameters", owned=True, column=True)
def params(call: Call) -> Dim:
    """Return the number of learned values: the elements of the weights."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Trainable", "trainable parameters", owned=True, compared=False, gate=False)
def trainable_params(call: Call) -> Dim:
    """Return the number of learned values that training changes: all, since convcalc freezes none."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Buffers", "buffer elements", owned=True, compared=False, gate=False)
def buffers(call: Call) -> Dim:
    """Return the number of elements of other state, such as running means."""
    return sum(map(prod, call.layer.buffers().values()))


@metric("MACs", "MACs")
def macs(call: Call) -> Dim | None:
    """Return the number of multiply–accumulates in convolutions and matrix products; None where it is unknown."""
    return None if call.work is None else call.work.get("mac", 0)


@metric("FLOPs", "FLOPs", column=True)
def flops(call: Call, charge: Count) -> Count:
    """Return the number of floating-point operations, as the convention counts them."""
    return charge


@metric("Elements", "output elements", compared=False, json=False, gate=False)
def elements(call: Call) -> Dim:
    """Return the number of elements of the output."""
    return prod(call.output)


_OURS.update(METRICS)


def metrics_named(names: Iterable[str] | None) -> tuple[Metric, ...]:
    """Return the metrics of these names, or all of them; raise UnknownName for one that does not exist.

    >>> [metric.unit for metric in metrics_named(["macs", "params"])]
    ['MACs', 'parameters']
    """
    if names is None:
        return tuple(METRICS.values())
    names = tuple(names)
    for name in names:
        check_name(name, METRICS, "metric", "there are")
    return tuple([METRICS[name] for name in names])


class Measurement(NamedTuple):
    """A call's count of each metric, and ``values``, the numbers of these counts.

    ``complete``: all counts are; ``weighted``: the layer has weights, and the call multiplies by them.
    """

    call: Call
    counts: tuple[Count, ...]
    values: tuple[Dim | None, ...]
    complete: bool
    weighted: bool


@lru_cache(maxsize=64)
def make_meter(
    metrics: tuple[Metric, ...], convention: Convention
) -> Callable[[Layer, tuple[Shape, ...], Shape], Measurement]:
    """Return a function that measures calls, each distinct one only once, since networks repeat few distinct calls.

    A convention that sees the site cannot charge here, where no site is known: `measure_at` adds its charge.
    """

    @lru_cache(maxsize=4096)
    def measure(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Measurement:
        work = layer.work(inputs, output)
        call = Call(layer, inputs, output, work)
        weighted = bool(layer.weights()) and (work is None or work.get("mac", 0) != 0)
        charge = None if convention.sees_site else convention.charge(call)
        return _measurement(call, weighted, [_count(metric, call, charge) for metric in metrics])

    return measure


def measure_at(
    sites: Iterable[Site], calls: Sequence[Measurement], metrics: tuple[Metric, ...], convention: Convention
) -> list[Measurement]:
    """Return ``calls`` with their priced counts as a convention that sees ``sites`` charges them; others stay."""
    measurements = []
    shared: dict[tuple[int, Count], Measurement] = {}  # equal calls that are charged alike share their counts
    for site, item in zip(sites, calls):
        charge = convention.charge(item.call, site)
        key = id(item), charge
        if key not in shared:
            counts = zip(metrics, item.counts)
            priced = [_count(metric, item.call, charge) if metric.priced else count for metric, count in counts]
            shared[key] = _measurement(item.call, item.weighted, priced)
        measurements.append(shared[key])
    return measurements


def measure_uncalled(layer: Layer, metrics: tuple[Metric, ...]) -> Measurement:
    """Return the counts of a layer that is never called: only what it owns."""
    call = Call(layer, (), (), {})
    zero = Count(0)
    return _measurement(call, False, [_count(metric, call, zero) if metric.owned else zero for metric in metrics])


def _count(metric: Metric, call: Call, charge: Count | None) -> Count:
    if not metric.priced:
        return as_count(metric.value(call))
    return as_count(None if charge is None else metric.value(call, charge))


def _measurement(call: Call, weighted: bool, counts: list[Count]) -> Measurement:
    complete = all(count.complete for count in counts)
    return Measurement(call, tuple(counts), tuple([count.value for count in counts]), complete, weighted)
