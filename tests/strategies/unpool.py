"""Strategies for unpooling, which stands in `convcalc.layers.transposed`. Strides of 0 and below are left out: torch
takes them for sizes without meaning."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, axes, batched, case, nd, rarely, sizes


@case(*nd("MaxUnpool"))
def max_unpool(draw: Any, rank: int, kind: str) -> Case:
    kwargs = {"kernel_size": draw(axes(rank, 1, 4)), "padding": draw(axes(rank, 0, 2))}
    if draw(st.booleans()):
        kwargs["stride"] = draw(axes(rank, 1, 3))
    shape = batched(draw, draw(st.integers(1, 2)), sizes(draw, rank, 1, 5))
    inputs = [shape, rarely(draw, shape, (*shape[:-1], shape[-1] + 1))]
    if draw(st.booleans()):
        stride = kwargs.get("stride", kwargs["kernel_size"])
        strides = stride if isinstance(stride, tuple) else (stride,) * rank
        wanted = [max(1, (n - 1) * s + draw(st.integers(-1, 5))) for n, s in zip(shape[-rank:], strides)]
        inputs.append((*shape[:-rank], *wanted))
    return Case(kwargs, inputs)
