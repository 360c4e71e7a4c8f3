"""Metrics: each is one decorated function from a call of a layer to a number.

Column, total, JSON key, row of a comparison and gate follow from the row in `METRICS`, which all who list metrics look
at when they are asked, so that one registered from outside is seen everywhere. What a FLOP is, conventions say.
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
    """Bytes in fp32 of all that is owned, and of the outputs of all calls side by side."""

    parameters: Count
    buffers: Count
    outputs: Count


class Metric(NamedTuple):
    """A number of a call, summed over all; what shows it follows from its row.

    ``owned``: of a layer, called or not, once for each layer object. ``priced``: ``value`` takes what the convention
    charges too. ``column``: one of a table's usual columns; every metric is a column where it is asked for, and its
    share (``macs%``) another. ``compared``: a total of a comparison. ``json``: its key there; None where it is left
    out. ``gate``: the name of its upper limit on the command line; empty where it has none.
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
"""By name, in the order of columns, totals and keys."""

RESERVED = frozenset(
    {
        *("name", "path", "call", "type", "layer", "spec", "inputs", "input_shape", "input_shapes", "output_shape"),
        *("rf", "counts", "depth", "count", "index", "output_bytes"),
    }
)
"""What no metric may be called: rows, columns and JSON have these already."""

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
    """Register a function as the metric of its name, from inside the package or outside.

    It takes a `Call`, and as a second argument, if it has one, the `Count` that the convention charges; it returns a
    number, None where that is not known, or a `Count`. The options are those of `Metric`. Raises SpecError for the
    name of one of convcalc's own, and for one that rows or columns have already.

    >>> @metric("Fan-in", "inputs")
    ... def fan_in(call: Call) -> int:
    ...     return len(call.inputs)
    >>> METRICS.pop("fan_in").gate
    'max-fan-in'
    """

    def register(value: Callable[..., Charge]) -> Metric:
        name = value.__name__
        if name in _OURS or name in RESERVED:
            raise SpecError(f"{name!r} is taken, so that no metric can be called so", hint="choose another name")
        key = (json if isinstance(json, str) else name) if json else None
        limit = f"max-{name.replace('_', '-')}" if gate else ""
        priced = value.__code__.co_argcount > 1
        row = METRICS[name] = Metric(name, title, unit, value, owned, priced, column, compared, key, limit)
        return row

    return register


@metric("Params", "parameters", owned=True, column=True)
def params(call: Call) -> Dim:
    """Return the elements of the learned tensors."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Trainable", "trainable parameters", owned=True, compared=False, gate=False)
def trainable_params(call: Call) -> Dim:
    """Return those that training changes; convcalc freezes none."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Buffers", "buffer elements", owned=True, compared=False, gate=False)
def buffers(call: Call) -> Dim:
    """Return the elements of other state, such as running means."""
    return sum(map(prod, call.layer.buffers().values()))


@metric("MACs", "MACs")
def macs(call: Call) -> Dim | None:
    """Return the multiply–accumulates of convolutions and matrix products."""
    return None if call.work is None else call.work.get("mac", 0)


@metric("FLOPs", "FLOPs", column=True)
def flops(call: Call, charge: Count) -> Count:
    """Return the floating-point operations, as the convention counts them."""
    return charge


@metric("Elements", "output elements", compared=False, json=False, gate=False)
def elements(call: Call) -> Dim:
    """Return the elements of the output."""
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


class Measured(NamedTuple):
    """A call's count of each metric, and ``values``, their numbers.

    ``complete``: all of them are; ``weighted``: the call has weights and multiplies by them.
    """

    call: Call
    counts: tuple[Count, ...]
    values: tuple[Dim | None, ...]
    complete: bool
    weighted: bool


@lru_cache(maxsize=64)
def make_meter(
    metrics: tuple[Metric, ...], convention: Convention
) -> Callable[[Layer, tuple[Shape, ...], Shape], Measured]:
    """Return a function that measures calls; networks repeat few distinct ones, and each is measured once.

    Under a convention that sees the site, what it charges is not known yet: `measure_at` adds that.
    """

    @lru_cache(maxsize=4096)
    def measure(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Measured:
        work = layer.work(inputs, output)
        call = Call(layer, inputs, output, work)
        weighted = bool(layer.weights()) and (work is None or work.get("mac", 0) != 0)
        charge = None if convention.sees_site else convention.charge(call)
        return _measured(call, weighted, [_count(metric, call, charge) for metric in metrics])

    return measure


def measure_at(
    sites: Iterable[Site], calls: Sequence[Measured], metrics: tuple[Metric, ...], convention: Convention
) -> list[Measured]:
    """Return the counts of calls under a convention that sees their ``sites``; those not priced stay as they are."""
    measured = []
    known: dict[tuple[int, Count], Measured] = {}  # equal calls that are charged alike share their counts
    for site, item in zip(sites, calls):
        charge = convention.charge(item.call, site)
        key = id(item), charge
        if key not in known:
            counts = zip(metrics, item.counts)
            priced = [_count(metric, item.call, charge) if metric.priced else count for metric, count in counts]
            known[key] = _measured(item.call, item.weighted, priced)
        measured.append(known[key])
    return measured


def measure_uncalled(layer: Layer, metrics: tuple[Metric, ...]) -> Measured:
    """Return the counts of a layer that is never called: what it owns, and nothing else."""
    call = Call(layer, (), (), {})
    zero = Count(0)
    return _measured(call, False, [_count(metric, call, zero) if metric.owned else zero for metric in metrics])


def _count(metric: Metric, call: Call, charge: Count | None) -> Count:
    if not metric.priced:
        return as_count(metric.value(call))
    return as_count(None if charge is None else metric.value(call, charge))


def _measured(call: Call, weighted: bool, counts: list[Count]) -> Measured:
    complete = all(count.complete for count in counts)
    return Measured(call, tuple(counts), tuple([count.value for count in counts]), complete, weighted)
