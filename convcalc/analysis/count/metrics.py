"""Metrics, each one decorated function from a call of a layer to a number, and conventions: what a FLOP is."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from convcalc.algebra.dims import as_dim, prod
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.conventions import Convention, check_name, find
from convcalc.layers.base import Layer, Work


class Count(NamedTuple):
    """A number and whether it is all of it: else a lower bound, or None, not known at all."""

    value: Dim | None
    complete: bool = True


class Memory(NamedTuple):
    """Bytes in fp32 of all that is owned, and of the outputs of all calls side by side."""

    parameters: Count
    buffers: Count
    outputs: Count


class Call(NamedTuple):
    """What a metric looks at; ``work`` is None where it is not known."""

    layer: Layer
    inputs: tuple[Shape, ...]
    output: Shape
    work: Work | None
    convention: Convention


class Metric(NamedTuple):
    """A number of a call, summed over all; ``owned``: of a layer, called or not, once for each layer object."""

    name: str
    title: str
    unit: str
    owned: bool
    value: Callable[[Call], Dim | None]


METRICS: dict[str, Metric] = {}
"""By name."""


def metric(title: str, unit: str, *, owned: bool = False) -> Callable[[Callable[[Call], Dim | None]], Metric]:
    """Make a function a metric under its own name; it returns None where the number is not known."""

    def register(value: Callable[[Call], Dim | None]) -> Metric:
        row = METRICS[value.__name__] = Metric(value.__name__, title, unit, owned, value)
        return row

    return register


@metric("Params", "parameters", owned=True)
def params(call: Call) -> Dim:
    """Elements of the learned tensors."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Trainable", "trainable parameters", owned=True)
def trainable_params(call: Call) -> Dim:
    """Those that training changes; convcalc freezes none."""
    return sum(map(prod, call.layer.weights().values()))


@metric("Buffers", "buffer elements", owned=True)
def buffers(call: Call) -> Dim:
    """Elements of other state, such as running means."""
    return sum(map(prod, call.layer.buffers().values()))


@metric("MACs", "MACs")
def macs(call: Call) -> Dim | None:
    """Multiply–accumulates of convolutions and matrix products."""
    return None if call.work is None else call.work.get("mac", 0)


@metric("FLOPs", "FLOPs")
def flops(call: Call) -> Dim | None:
    """Floating-point operations, as the convention counts them."""
    return None if call.work is None else call.convention.price(call.work)


@metric("Elements", "output elements")
def elements(call: Call) -> Dim:
    """Elements of the output."""
    return prod(call.output)


DEFAULT = tuple(METRICS)
"""The metrics of a report unless others are asked for."""


def select(name: str) -> Metric:
    """The metric called ``name``; raises UnknownName.

    >>> select("macs").unit
    'MACs'
    """
    check_name(name, METRICS, "metric", "there are")
    return METRICS[name]


class Measured(NamedTuple):
    """A number for each metric asked for; ``weighted``: the call has weights and multiplies by them."""

    values: tuple[Dim | None, ...]
    weighted: bool


@lru_cache(maxsize=64)
def meter(names: tuple[str, ...], convention: str) -> Callable[[Layer, tuple[Shape, ...], Shape], Measured]:
    """A function that measures calls; networks repeat few distinct ones. Raises UnknownName."""
    metrics, prices = list(map(select, names)), find(convention)

    @lru_cache(maxsize=4096)
    def measure(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Measured:
        work = layer.work(inputs, output)
        call = Call(layer, inputs, output, work, prices)
        weighted = bool(layer.weights()) and (work is None or work.get("mac", 0) != 0)
        return Measured(tuple([whole(row.value(call)) for row in metrics]), weighted)

    return measure


def holdings(layer: Layer, names: tuple[str, ...], convention: str) -> tuple[Dim | None, ...]:
    """The metrics of a layer that is never called."""
    call = Call(layer, (), (), {}, find(convention))
    return tuple([whole(METRICS[name].value(call)) if METRICS[name].owned else 0 for name in names])


def whole(value: Any) -> Any:
    """``value`` in canonical form: metrics may leave sympy's sums as they fell."""
    return value if value is None or type(value) is int else as_dim(value)
