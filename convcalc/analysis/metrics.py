"""Metrics: each one function from a call of a layer to a number, with its title and unit.

Adding a metric is adding one decorated function; reports, columns and totals then know it. How numbers are printed,
and what flows from node to node (receptive field, depth: `flow`), is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape, as_dim, prod
from convcalc.analysis.conventions import Convention, find
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.layers.work import Work


class Count(NamedTuple):
    """A number and whether it is all of it: incomplete is a lower bound, and None is not known at all.

    >>> Count(12) + Count(None, False)
    Count(value=12, complete=False)
    """

    value: Dim | None
    complete: bool = True

    def __add__(self, other: Any) -> Count:
        complete = self.complete and other.complete
        if self.value is None or other.value is None:
            return Count(other.value if self.value is None else self.value, complete)
        return Count(whole(self.value + other.value), complete)


class Call(NamedTuple):
    """What a metric looks at: a layer, the shapes in and out, the work (None where it is not known), the prices."""

    layer: Layer
    inputs: tuple[Shape, ...]
    output: Shape
    work: Work | None
    convention: Convention


class Metric(NamedTuple):
    """A number of a call.

    The total is the sum over all calls; ``owned`` metrics count what a layer holds, called or not, and so once for each
    layer object.
    """

    name: str
    title: str
    unit: str
    owned: bool
    value: Callable[[Call], Dim | None]


METRICS: dict[str, Metric] = {}
"""Every metric by its name."""


def metric(title: str, unit: str, *, owned: bool = False) -> Callable[[Callable[[Call], Dim | None]], Metric]:
    """Make the function below a metric under its own name; it returns None where the number is not known."""

    def register(value: Callable[[Call], Dim | None]) -> Metric:
        row = Metric(value.__name__, title, unit, owned, value)
        METRICS[row.name] = row
        return row

    return register


@metric("Params", "parameters", owned=True)
def params(call: Call) -> Dim:
    """Elements of the learned tensors."""
    return _elements(call.layer.weights())


@metric("Trainable", "trainable parameters", owned=True)
def trainable_params(call: Call) -> Dim:
    """Elements of the learned tensors that training changes; convcalc freezes none."""
    return _elements(call.layer.weights())


@metric("Buffers", "buffer elements", owned=True)
def buffers(call: Call) -> Dim:
    """Elements of state that is not learned, such as running means."""
    return _elements(call.layer.buffers())


@metric("MACs", "MACs")
def macs(call: Call) -> Dim | None:
    """Multiply–accumulates of convolutions and matrix products."""
    return None if call.work is None else call.work.get("mac", 0)


@metric("FLOPs", "FLOPs")
def flops(call: Call) -> Dim | None:
    """Floating-point operations, at the prices of the convention."""
    return None if call.work is None else call.convention.price(call.work)


@metric("Elements", "output elements")
def elements(call: Call) -> Dim:
    """Elements of the output (activations)."""
    return prod(call.output)


DEFAULT = tuple(METRICS)
"""The metrics of a report unless others are asked for: all that stand here."""


def select(name: str) -> Metric:
    """The metric called ``name``; raises UnknownName.

    >>> select("macs").unit
    'MACs'
    """
    if name not in METRICS:
        hint = did_you_mean(name, METRICS) or f"there are {', '.join(METRICS)}"
        raise UnknownName(f"no metric is called {name!r}", hint=hint)
    return METRICS[name]


class Measured(NamedTuple):
    """The numbers of one call, one for each metric asked for; ``weighted``: it has weights and multiplies by them."""

    values: tuple[Dim | None, ...]
    weighted: bool


@lru_cache(maxsize=64)
def meter(names: tuple[str, ...], convention: str) -> Callable[[Layer, tuple[Shape, ...], Shape], Measured]:
    """A function that measures a call: these metrics, under this convention.

    Raises UnknownName. Layers are values and a network repeats few distinct calls many times, so answers are kept.
    """
    metrics = [select(name) for name in names]
    prices = find(convention)

    @lru_cache(maxsize=4096)
    def measure(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> Measured:
        work = layer.work(inputs, output)
        call = Call(layer, inputs, output, work, prices)
        weighted = bool(layer.weights()) and (work is None or work.get("mac", 0) != 0)
        return Measured(tuple([whole(row.value(call)) for row in metrics]), weighted)

    return measure


def holdings(layer: Layer, names: tuple[str, ...], convention: str) -> tuple[Dim | None, ...]:
    """The metrics of a layer that no one calls: what it owns, and 0 for what calls would cost."""
    call = Call(layer, (), (), {}, find(convention))
    return tuple([whole(METRICS[name].value(call)) if METRICS[name].owned else 0 for name in names])


def _elements(tensors: Mapping[str, Shape]) -> Dim:
    total: Dim = 0
    for shape in tensors.values():
        total = total + prod(shape)
    return total


def whole(value: Any) -> Any:
    """``value`` in canonical form: metrics may leave sympy's sums as they fell."""
    return value if value is None or type(value) is int else as_dim(value)
