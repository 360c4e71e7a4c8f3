"""One hypothesis strategy for each kind of layer: its arguments and the shapes of its inputs, legal or nearly so.

Only draws; what is compared with torch stands in test_layers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

CASES: dict[str, st.SearchStrategy[Case]] = {}


@dataclass
class Case:
    """A call to try on both sides: constructor arguments, input shapes, and torch inputs that are not floats."""

    kwargs: dict[str, Any]
    inputs: list[tuple[int, ...]]
    integers: int | None = None  # inputs are whole numbers below this
    calls: dict[str, Any] = field(default_factory=dict)


def case(*kinds: str) -> Callable[[Callable[..., Case]], Callable[..., Case]]:
    """Register a drawing function for kinds; it receives the kind's rank, read off its name (``Conv2d``: 2), and the kind."""

    def register(draw_case: Callable[..., Case]) -> Callable[..., Case]:
        for kind in kinds:
            rank = int(kind[-2]) if kind[-1] == "d" and kind[-2].isdigit() else 0
            CASES[kind] = st.composite(draw_case)(rank, kind)
        return draw_case

    return register


def nd(*names: str) -> list[str]:
    """Each name in its three ranks."""
    return [f"{name}{rank}d" for name in names for rank in (1, 2, 3)]


def axes(rank: int, low: int, high: int) -> st.SearchStrategy[Any]:
    """A per-axis argument: one number, or one for each axis."""
    number = st.integers(low, high)
    return number | st.tuples(*[number] * rank)


def sizes(draw: Any, rank: int, low: int = 1, high: int = 9) -> tuple[int, ...]:
    """Spatial sizes of an input."""
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


def rarely(draw: Any, usual: Any, odd: Any) -> Any:
    """Mostly the usual value, once in a while the odd one, which may be illegal."""
    return odd if draw(st.integers(0, 11)) == 0 else usual


def batched(draw: Any, channels: int, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """A full input shape; now and then without the batch, or with an axis too many."""
    full = (draw(st.integers(1, 2)), channels, *spatial)
    return rarely(draw, full, draw(st.sampled_from([full[1:], (1, *full), full[:1] + full[2:]])))


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


@case("Add", "Mul")
def pointwise(draw: Any, rank: int, kind: str) -> Case:
    shape = sizes(draw, draw(st.integers(1, 4)), 1, 4)
    other = tuple(draw(st.sampled_from([n, 1])) for n in shape)[draw(st.integers(0, len(shape))) :]
    other = rarely(draw, other, (*shape[:-1], shape[-1] + 1))
    return Case({}, draw(st.permutations([shape, other])))
