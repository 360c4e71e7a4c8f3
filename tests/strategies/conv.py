"""Strategies for convolutions: plain, transposed, lazy, without sharing."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, axes, batched, case, nd, rarely, sizes


@case(*nd("Conv"))
def conv(draw: Any, rank: int, kind: str) -> Case:
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels = groups * draw(st.integers(1, 3))
    kwargs = {
        "in_channels": channels,
        "out_channels": rarely(draw, groups * draw(st.integers(1, 3)), 5),
        "kernel_size": draw(axes(rank, 1, 4)),
        "stride": draw(axes(rank, 1, 3)),
        "padding": draw(axes(rank, 0, 3) | st.sampled_from(["same", "valid"])),
        "dilation": draw(axes(rank, 1, 3)),
        "groups": rarely(draw, groups, 0),
        "bias": draw(st.booleans()),
        "padding_mode": draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])),
    }
    if kwargs["padding"] == "same":
        kwargs["stride"] = rarely(draw, 1, kwargs["stride"])
    for name in ("kernel_size", "stride", "padding", "dilation"):
        kwargs[name] = rarely(draw, kwargs[name], draw(st.sampled_from([0, -1])))
    return Case(kwargs, [batched(draw, rarely(draw, channels, channels + 1), sizes(draw, rank))])


@case(*nd("ConvTranspose"))
def conv_transpose(draw: Any, rank: int, kind: str) -> Case:
    drawn = conv(draw, rank, kind)
    drawn.kwargs["output_padding"] = rarely(draw, draw(axes(rank, 0, 2)), -1)
    if isinstance(drawn.kwargs["padding"], str):
        drawn.kwargs["padding"] = rarely(draw, 0, drawn.kwargs["padding"])
    drawn.kwargs["padding_mode"] = rarely(draw, "zeros", "reflect")
    if drawn.kwargs["dilation"] in (0, -1):  # some of torch's CPU kernels let it pass where the kernel is 1
        drawn.kwargs["dilation"] = 1
    return drawn


@case(*nd("LazyConv", "LazyConvTranspose"))
def lazy_conv(draw: Any, rank: int, kind: str) -> Case:
    drawn = (conv_transpose if "Transpose" in kind else conv)(draw, rank, kind)
    del drawn.kwargs["in_channels"]
    if drawn.kwargs["groups"] and drawn.kwargs["out_channels"] % drawn.kwargs["groups"]:
        # torch's lazy kinds let this pass and then give fewer channels than asked for; convcalc refuses it
        drawn.kwargs["out_channels"] = drawn.kwargs["groups"]
    return drawn


@case(*nd("LocallyConnected"))
def locally_connected(draw: Any, rank: int, kind: str) -> Case:
    spatial = sizes(draw, rank, 2, 6)
    channels = draw(st.integers(1, 3))
    kwargs = {
        "in_channels": channels,
        "out_channels": draw(st.integers(1, 3)),
        "input_size": rarely(draw, spatial, 5),
        "kernel_size": draw(axes(rank, 1, 3)),
        "stride": draw(axes(rank, 1, 2)),
        "padding": draw(axes(rank, 0, 1)),
        "dilation": draw(axes(rank, 1, 2)),
        "bias": draw(st.booleans()),
    }
    return Case(kwargs, [(draw(st.integers(1, 2)), channels, *spatial)])
