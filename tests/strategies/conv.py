"""Strategies for convolutions: plain, transposed, lazy and local."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, axes, batched, case, each, fitting, nd

MODES = ("zeros", "zeros", "reflect", "replicate", "circular")


def common(draw: Draw, rank: int) -> dict[str, Any]:
    """Draw the arguments of any convolution, except the padding."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    return {
        "in_channels": groups * draw(st.integers(1, 3)),
        "out_channels": draw.off(groups * draw(st.integers(1, 3)), 5),
        "kernel_size": draw(axes(rank, 1, 4)),
        "stride": draw(axes(rank, 1, 3)),
        "dilation": draw(axes(rank, 1, 3)),
        "groups": groups,
        "bias": draw(st.booleans()),
    }


def spoilt(draw: Draw, kwargs: dict[str, Any], *names: str) -> dict[str, Any]:
    """Draw the arguments; when off, one of these is not positive."""
    return kwargs | {name: draw.off(kwargs[name], 0, -1) for name in names if name in kwargs}


def window(kwargs: dict[str, Any], rank: int, axis: int) -> tuple[int, int]:
    """Return stride and reach (the distance from a window's first input to its last) along one axis."""
    k, s, d = (each(kwargs[name], rank)[axis] for name in ("kernel_size", "stride", "dilation"))
    return s, d * (k - 1)


def pads(kwargs: dict[str, Any], rank: int, axis: int, n: int) -> tuple[int, int]:
    """Return the padding on both sides of an axis of ``n`` elements, by the documented rule of each named padding."""
    stride, reach = window(kwargs, rank, axis)
    if kwargs["padding"] == "tf_same":
        total = max((-(-n // stride) - 1) * stride + reach + 1 - n, 0)
        return total // 2, total - total // 2
    if kwargs["padding"] == "same":
        return reach // 2, reach - reach // 2
    p = 0 if kwargs["padding"] == "valid" else each(kwargs["padding"], rank)[axis]
    return p, p


def conv_fits(kwargs: dict[str, Any], rank: int, axis: int, n: int) -> bool:
    """Return whether a window fits into ``n`` padded elements, and they suffice for the padding."""
    left, right = pads(kwargs, rank, axis, n)
    most = {"reflect": n - 1, "circular": n}.get(kwargs["padding_mode"], left + right)
    return n + left + right > window(kwargs, rank, axis)[1] and max(left, right) <= most


def convolution(draw: Draw, rank: int, padding: st.SearchStrategy[Any]) -> Case:
    kwargs = common(draw, rank) | {"padding": draw(padding), "padding_mode": draw(st.sampled_from(MODES))}
    if kwargs["padding"] == "same":
        kwargs["stride"] = draw.off(1, 2)
    spatial = fitting(draw, rank, lambda axis, n: conv_fits(kwargs, rank, axis, n), 6 if rank < 3 else 4)
    channels = draw.off(kwargs["in_channels"], kwargs["in_channels"] + 1)
    kwargs = spoilt(draw, kwargs, "kernel_size", "stride", "dilation")
    kwargs["groups"] = draw.off(kwargs["groups"], 0)
    if kwargs["padding"] != "tf_same":
        kwargs["padding"] = draw.off(kwargs["padding"], -1)
    return Case(kwargs, [batched(draw, channels, spatial)])


@case(*nd("Conv"))
def conv(draw: Draw, rank: int, kind: str) -> Case:
    return convolution(draw, rank, axes(rank, 0, 3) | st.sampled_from(["same", "valid"]))


@case(*nd("ConvTranspose"))
def conv_transpose(draw: Draw, rank: int, kind: str) -> Case:
    kwargs = common(draw, rank) | {"padding": draw(axes(rank, 0, 3))}
    stride, dilation = each(kwargs["stride"], rank), each(kwargs["dilation"], rank)
    below = [max(pair) for pair in zip(stride, dilation)]
    alike = st.integers(0, min(below) - 1)
    kwargs["output_padding"] = draw(alike | st.tuples(*[st.integers(0, most - 1) for most in below]))

    def fits(axis: int, n: int) -> bool:
        s, reach = window(kwargs, rank, axis)
        p, more = each(kwargs["padding"], rank)[axis], each(kwargs["output_padding"], rank)[axis]
        return (n - 1) * s - 2 * p + reach + more + 1 > 0

    spatial = fitting(draw, rank, fits, 6 if rank < 3 else 3)
    channels = draw.off(kwargs["in_channels"], kwargs["in_channels"] + 1)
    # not the dilation: some of torch's CPU kernels accept 0 where the kernel is 1
    kwargs = spoilt(draw, kwargs, "kernel_size", "stride")
    kwargs["output_padding"] = draw.off(kwargs["output_padding"], max(below), -1)
    kwargs["padding"] = draw.off(kwargs["padding"], "same", "valid", -1)
    kwargs["padding_mode"] = draw.off("zeros", "reflect")
    kwargs["groups"] = draw.off(kwargs["groups"], 0)
    return Case(kwargs, [batched(draw, channels, spatial)])


@case(*nd("LazyConv", "LazyConvTranspose"))
def lazy_conv(draw: Draw, rank: int, kind: str) -> Case:
    drawn = (conv_transpose if "Transpose" in kind else conv)(draw, rank, kind)
    del drawn.kwargs["in_channels"]
    if drawn.kwargs["groups"] and drawn.kwargs["out_channels"] % drawn.kwargs["groups"]:
        # torch's lazy kinds accept this and then return fewer channels than requested; convcalc refuses it
        drawn.kwargs["out_channels"] = drawn.kwargs["groups"]
    return drawn


@case(*nd("LocallyConnected"))
def locally_connected(draw: Draw, rank: int, kind: str) -> Case:
    kwargs = {
        "in_channels": draw(st.integers(1, 3)),
        "out_channels": draw(st.integers(1, 3)),
        "kernel_size": draw(axes(rank, 1, 3)),
        "stride": draw(axes(rank, 1, 2)),
        "padding": draw(axes(rank, 0, 1)),
        "padding_mode": "zeros",
        "dilation": draw(axes(rank, 1, 2)),
        "bias": draw(st.booleans()),
    }
    spatial = fitting(draw, rank, lambda axis, n: conv_fits(kwargs, rank, axis, n), 4)
    del kwargs["padding_mode"]
    kwargs["input_size"] = draw.off(spatial, (*spatial[:-1], spatial[-1] + 1), 7)
    kwargs = spoilt(draw, kwargs, "kernel_size", "stride", "dilation")
    channels = draw.off(kwargs["in_channels"], kwargs["in_channels"] + 1)
    return Case(kwargs, [(draw(st.integers(1, 2)), channels, *spatial)])
