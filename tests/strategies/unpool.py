"""Strategies for unpooling, which is in `convcalc.layers.transposed`. Strides below 1 are left out: torch
computes meaningless sizes with them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, axes, batched, case, each, fitting, nd


@case(*nd("MaxUnpool"))
def max_unpool(draw: Draw, rank: int, kind: str) -> Case:
    kwargs = {"kernel_size": draw(axes(rank, 1, 4)), "padding": draw(axes(rank, 0, 2))}
    if draw(st.booleans()):
        kwargs["stride"] = draw(axes(rank, 1, 3))
    windows = [each(kwargs.get(name, kwargs["kernel_size"]), rank) for name in ("kernel_size", "stride", "padding")]

    def size(axis: int, n: int) -> int:
        k, s, p = (values[axis] for values in windows)
        return (n - 1) * s - 2 * p + k

    spatial = fitting(draw, rank, lambda axis, n: size(axis, n) > 0, 4)
    shape = batched(draw, draw(st.integers(1, 2)), spatial)
    inputs = [shape, draw.off(shape, (*shape[:-1], shape[-1] + 1))]
    if draw(st.booleans()):  # torch accepts sizes less than a stride away
        wanted = []
        for axis, (n, s) in enumerate(zip(spatial, windows[1])):
            usual = size(axis, n)
            asked = draw(st.integers(max(1, usual - s + 1), max(1, usual + s - 1)))
            wanted.append(draw.off(asked, max(1, usual - s), max(1, usual + s)))
        inputs.append((*shape[:-rank], *wanted))
    return Case(kwargs, inputs)
