"""What layers demand of their inputs, and the one place where a call's shape is inferred and checked.

A demand that hangs on letters becomes an assumption of the graph. Arguments are checked where they are bound: `base`.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TypeAlias

from convcalc.algebra.dims import Condition, Dim, Shape, as_dim, at_least, equal, show, show_shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""The names of the spatial axes in messages, by their number."""

Assumed: TypeAlias = "tuple[Condition, str]"
"""What was assumed of letters, and what is wrong where it does not hold."""

_assumed: ContextVar[list[Assumed] | None] = ContextVar("assumed", default=None)


def require(condition: Condition, what: str, *details: str) -> None:
    """Raise ShapeError where ``condition`` is false; where it hangs on letters, make it an assumption of the graph."""
    if condition is True:
        return
    if condition is False:
        raise ShapeError(what, details=details)
    assumed = _assumed.get()
    if assumed is not None:
        assumed.append((condition, what))


def require_rank(shape: Shape, *ranks: int) -> None:
    """Raise ShapeError unless ``shape`` has one of these numbers of axes."""
    if len(shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise ShapeError(f"expected an input of {wanted} axes, received {len(shape)}: {show_shape(shape)}")


def require_size(received: Dim, expected: Dim, name: str, axis: str) -> None:
    """Raise ShapeError unless the input's ``axis`` has the size that argument ``name`` announced."""
    if received != expected:
        what = f"expected {show(expected)} {axis} ({name}), received {show(received)}"
        require(equal(received, expected), what)


def infer(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Shape, tuple[Assumed, ...]]:
    """The output shape of a call, checked to be positive, and what was assumed of letters to get there."""
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        wanted = f"{least} input{'s' * (least != 1)}" if least == most else f"at least {least} inputs"
        raise ShapeError(f"takes {wanted}, received {len(inputs)}")
    token = _assumed.set([])
    try:
        shape = layer.output_shape(*inputs)
        if any(type(dim) is not int for dim in shape):
            shape = tuple(map(as_dim, shape))
        for i, dim in enumerate(shape):
            if type(dim) is not int or dim <= 0:
                require(at_least(dim, 1), f"the output {axis_name(len(shape), i)} is {show(dim)}")
        return shape, tuple(_assumed.get() or ())
    finally:
        _assumed.reset(token)


def axis_name(rank: int, axis: int) -> str:
    """The name of a tensor's axis in messages.

    >>> axis_name(4, 2)
    'height'
    """
    names = ("batch size", "number of channels", *AXES.get(rank - 2, ()))
    return names[axis] if axis < len(names) else f"axis {axis}"
