"""Strategies for pooling, and for ``padding="tf_same"``, which torch.nn does not have."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, axes, batched, case, each, fitting, nd, rarely, sizes
from tests.strategies.conv import convolution, pads, spoilt, window

TF_SAME_LEGAL: dict[str, st.SearchStrategy[Case]] = {}
TF_SAME_NEARLY: dict[str, st.SearchStrategy[Case]] = {}
TF_SAME: dict[str, st.SearchStrategy[Case]] = {}
"""Cases of TensorFlow's SAME, for each kind that accepts it."""


def alone(draw: Any, value: Any) -> Any:
    """Draw now and then one number in a tuple, which torch's pooling takes for all axes."""
    return rarely(draw, value, (value,)) if isinstance(value, int) else value


def padding_of(draw: Any, rank: int, kernel: Any) -> Any:
    """Draw a padding of at most half the kernel along each axis."""
    halves = [k // 2 for k in each(kernel, rank)]
    return alone(draw, draw(st.integers(0, min(halves)) | st.tuples(*[st.integers(0, half) for half in halves])))


def pooling(draw: Draw, rank: int, kwargs: dict[str, Any], whole: bool = False) -> Case:
    """Draw pooling with these options, its stride and an input; with ``whole`` the kernel must fit without padding."""
    if draw(st.booleans()):
        kwargs["stride"] = alone(draw, draw(axes(rank, 1, 4)))
    kwargs["ceil_mode"] = draw(st.booleans())
    windows = {"stride": kwargs["kernel_size"], "dilation": 1, "padding": 0, **kwargs}

    def fits(axis: int, n: int) -> bool:
        (stride, reach), padding = window(windows, rank, axis), pads(windows, rank, axis, n)
        slack = stride - 1 if kwargs["ceil_mode"] and windows["padding"] != "tf_same" else 0
        return n + sum(padding) + slack > reach and (not whole or n > reach)

    spatial = fitting(draw, rank, fits)
    halves = [k // 2 for k in each(kwargs["kernel_size"], rank)]
    kwargs = spoilt(draw, kwargs, "kernel_size", "stride", "dilation")
    if kwargs.get("padding", "tf_same") != "tf_same":
        kwargs["padding"] = draw.off(kwargs["padding"], min(halves) + 1, max(halves) + 1, -1)
    kwargs["ceil_mode"] = draw.off(kwargs["ceil_mode"], None)
    return Case(kwargs, [batched(draw, draw(st.integers(1, 3)), spatial)])


def max_pooling(draw: Draw, rank: int, same: bool = False) -> Case:
    kernel = alone(draw, draw(axes(rank, 1, 4)))
    kwargs = {
        "kernel_size": kernel,
        "padding": "tf_same" if same else padding_of(draw, rank, kernel),
        "dilation": alone(draw, draw(axes(rank, 1, 3))),
        "return_indices": draw(st.booleans()),
    }
    return pooling(draw, rank, kwargs)


def average_pooling(draw: Draw, rank: int, same: bool = False) -> Case:
    kernel = alone(draw, draw(axes(rank, 1, 4)))
    kwargs = {
        "kernel_size": kernel,
        "padding": "tf_same" if same else padding_of(draw, rank, kernel),
        "count_include_pad": draw.off(draw(st.booleans()), None),
    }
    if rank > 1:
        kwargs["divisor_override"] = draw.off(draw(st.sampled_from([None, -2, -1, 1, 2, 3])), 0, 1.5)
    elif draw.off(False, True):
        kwargs["divisor_override"] = 2
    return pooling(draw, rank, kwargs, whole=rank == 3 and not same)


@case(*nd("MaxPool"))
def max_pool(draw: Draw, rank: int, kind: str) -> Case:
    return max_pooling(draw, rank)


@case(*nd("AvgPool"))
def avg_pool(draw: Draw, rank: int, kind: str) -> Case:
    return average_pooling(draw, rank)


@case(*nd("Conv", "MaxPool", "AvgPool"), legal=TF_SAME_LEGAL, nearly=TF_SAME_NEARLY, cases=TF_SAME)
def tf_same(draw: Draw, rank: int, kind: str) -> Case:
    if kind.startswith("Conv"):
        return convolution(draw, rank, st.just("tf_same"))
    return (max_pooling if kind.startswith("Max") else average_pooling)(draw, rank, same=True)


@case(*nd("LPPool"))
def lp_pool(draw: Draw, rank: int, kind: str) -> Case:
    power = draw(st.sampled_from([1, 2, 2.0, 0.5, -1, float("inf")]))
    several = rank > 1 or power == float("inf")  # in one dimension torch accepts a tuple only for the maximum
    kernel = draw(axes(rank, 1, 4) if several else st.integers(1, 4))
    if not several:
        kernel = draw.off(kernel, (kernel,))
    kwargs = {"norm_type": draw.off(power, 0, "2", None), "kernel_size": kernel}
    return pooling(draw, rank, kwargs, whole=rank == 3 and power != float("inf"))


@case(*nd("AdaptiveAvgPool", "AdaptiveMaxPool"))
def adaptive_pool(draw: Draw, rank: int, kind: str) -> Case:
    size = st.integers(1, 9) if rank == 1 else st.none() | st.integers(1, 9)
    output = draw(st.integers(1, 9) | st.tuples(*[size] * rank))
    kwargs = {"output_size": draw.off(output, None, 0, -1, 2.0, (3,), (2, 3), (None,) * rank)}
    if "Max" in kind:
        kwargs["return_indices"] = draw(st.booleans())
    spatial = sizes(draw, rank)
    if draw.off(False, rank > 1 and set(each(kwargs["output_size"], rank)) != {1}):
        # torch passes one window over everything to torch.mean, which needs no channels; convcalc needs them
        return Case(kwargs, [spatial])
    full = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *spatial)
    return Case(kwargs, [draw.off(draw(st.sampled_from([full, full, full[1:]])), (1, *full))])
