"""Strategies of pooling, resizing, padding and shuffling layers, and of ``padding="tf_same"``, which torch.nn lacks."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, axes, batched, case, nd, rarely, sizes
from tests.strategies.conv import conv

TF_SAME: dict[str, st.SearchStrategy[Case]] = {}
"""Cases of TensorFlow's SAME, for each kind that takes it."""


def _single(draw: Any, value: Any) -> Any:
    """Now and then one number in a tuple, which torch's pooling takes for all axes."""
    return rarely(draw, value, (value,)) if isinstance(value, int) else value


def _pool(draw: Any, rank: int, options: dict[str, Any]) -> Case:
    kwargs = {"kernel_size": _single(draw, draw(axes(rank, 1, 4))), **options}
    if draw(st.booleans()):
        kwargs["stride"] = _single(draw, draw(axes(rank, 1, 4)))
    for name in ("kernel_size", "stride", "padding"):
        if name in kwargs:
            kwargs[name] = rarely(draw, kwargs[name], draw(st.sampled_from([0, -1])))
    kwargs["ceil_mode"] = rarely(draw, draw(st.booleans()), None)
    return Case(kwargs, [batched(draw, draw(st.integers(1, 3)), sizes(draw, rank, 1, 9))])


def _padding(draw: Any, rank: int) -> Any:
    return _single(draw, rarely(draw, draw(axes(rank, 0, 1)), 2))


@case(*nd("MaxPool"))
def max_pool(draw: Any, rank: int, kind: str) -> Case:
    dilation = rarely(draw, draw(axes(rank, 1, 3)), draw(st.sampled_from([0, -1])))
    options = {"dilation": _single(draw, dilation), "return_indices": draw(st.booleans())}
    return _pool(draw, rank, {"padding": _padding(draw, rank), **options})


@case(*nd("AvgPool"))
def avg_pool(draw: Any, rank: int, kind: str) -> Case:
    options = {"padding": _padding(draw, rank), "count_include_pad": rarely(draw, draw(st.booleans()), None)}
    if rank > 1 or draw(st.integers(0, 11)) == 0:
        options["divisor_override"] = rarely(draw, draw(st.none() | st.integers(-2, 3)), 1.5)
    return _pool(draw, rank, options)


@case(*nd("LPPool"))
def lp_pool(draw: Any, rank: int, kind: str) -> Case:
    powers = st.sampled_from([1, 2, 2.0, 0.5, -1, float("inf")])
    return _pool(draw, rank, {"norm_type": rarely(draw, draw(powers), draw(st.sampled_from([0, "2", None])))})


@case(*nd("AdaptiveAvgPool", "AdaptiveMaxPool"))
def adaptive_pool(draw: Any, rank: int, kind: str) -> Case:
    size = st.none() | st.integers(1, 9)
    output = draw(st.integers(1, 9) | st.tuples(*[size] * rank))
    kwargs = {"output_size": rarely(draw, output, draw(st.sampled_from([None, 0, -1, 2.0, (3,), (2, 3)])))}
    if "Max" in kind:
        kwargs["return_indices"] = draw(st.booleans())
    return Case(kwargs, [batched(draw, draw(st.integers(1, 3)), sizes(draw, rank))])


def tf_same(*names: str) -> Any:
    """Register the ordinary strategy of kinds with SAME for their padding."""
    for kind in nd(*names):

        @st.composite
        def drawn(draw: Any, kind: str = kind) -> Case:
            family = {"Conv": conv, "MaxPool": max_pool, "AvgPool": avg_pool}[kind[:-2]]
            found = family(draw, int(kind[-2]), kind)
            found.kwargs["padding"] = "tf_same"
            return found

        TF_SAME[kind] = drawn()


tf_same("Conv", "MaxPool", "AvgPool")


@case(*nd("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"))
def pad(draw: Any, rank: int, kind: str) -> Case:
    side = st.integers(0, 3) | st.integers(-6, 6)
    odd = st.lists(side, max_size=7).map(tuple) | st.sampled_from([1.0, None])
    kwargs = {"padding": rarely(draw, draw(side | st.tuples(*[side] * (2 * rank))), draw(odd))}
    if kind.startswith("Constant"):
        kwargs["value"] = rarely(draw, draw(st.sampled_from([0, 2.5, -1, True, None])), "2")
    shape = rarely(draw, batched(draw, draw(st.integers(1, 3)), sizes(draw, rank, 1, 7)), sizes(draw, rank))
    if kind.startswith("Circular") and _wraps_cropped(kwargs["padding"], shape):
        kwargs["padding"] = 1  # torch then wraps memory never written, or refuses, by the layout; convcalc refuses
    return Case(kwargs, [shape])


def _wraps_cropped(padding: Any, shape: tuple[int, ...]) -> bool:
    """Whether one side wraps more than is left after the other side's cropping."""
    sides = padding if isinstance(padding, tuple) else (padding,) * 6
    pairs = zip(shape[::-1], zip(sides[::2], sides[1::2]))
    return any(min(pair) < 0 and max(pair) > n + min(pair) for n, pair in pairs if all(type(p) is int for p in pair))


@case("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
def upsample(draw: Any, rank: int, kind: str) -> Case:
    rank = rank or draw(st.integers(1, 3))
    kwargs: dict[str, Any] = {}
    # bounded, since torch really computes the output
    factor = st.sampled_from([1, 2, 3, 0.5, 1.5, 0.7, 1.1, 1 / 3]) | st.floats(0.05, 4)
    if draw(st.booleans()):
        kwargs["size"] = rarely(draw, draw(axes(rank, 1, 9)), draw(st.sampled_from([0, -1, 2.0, (2,), (2, 3), None])))
    else:
        odd = st.sampled_from([0, -1.0, "2", "x", (2,), (2, 0.5), [2, 2], float("nan"), (0, 2)])
        kwargs["scale_factor"] = rarely(draw, draw(factor | st.tuples(*[factor] * rank)), draw(odd))
    if draw(st.integers(0, 11)) == 0:
        kwargs["scale_factor"] = draw(st.sampled_from([None, 0, 2]))
    if kind == "Upsample":
        smooth = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}[rank]
        mode = draw(st.sampled_from([*smooth, "nearest", "nearest-exact", "area"]))
        kwargs["mode"] = rarely(draw, mode, draw(st.sampled_from(["linear", "bilinear", "trilinear", "lanczos", "x"])))
        corners = draw(st.sampled_from([None, True, False])) if kwargs["mode"] in smooth else None
        kwargs["align_corners"] = rarely(draw, corners, draw(st.sampled_from([True, False, 1])))
        kwargs["recompute_scale_factor"] = (
            rarely(draw, None, True) if "size" in kwargs else draw(st.none() | st.booleans())
        )
    return Case(kwargs, [batched(draw, draw(st.integers(1, 2)), sizes(draw, rank))])


@case("PixelShuffle", "PixelUnshuffle")
def pixel_shuffle(draw: Any, rank: int, kind: str) -> Case:
    r = draw(st.integers(1, 3))
    channels, (h, w) = draw(st.integers(1, 3)), sizes(draw, 2, 1, 4)
    shape = (channels * r * r, h, w) if kind == "PixelShuffle" else (channels, h * r, w * r)
    shape = rarely(draw, shape, draw(st.permutations(shape)))
    name = "upscale_factor" if kind == "PixelShuffle" else "downscale_factor"
    batch = draw(st.lists(st.integers(1, 2), max_size=2))
    return Case(
        {name: rarely(draw, r, draw(st.sampled_from([0, -1, 2, 2.0])))}, [rarely(draw, (*batch, *shape), shape[1:])]
    )


@case("ChannelShuffle")
def channel_shuffle(draw: Any, rank: int, kind: str) -> Case:
    groups = draw(st.integers(1, 3))
    channels = rarely(draw, groups * draw(st.integers(1, 3)), 5)
    shape = (draw(st.integers(1, 2)), channels, *sizes(draw, draw(st.integers(0, 3)), 1, 4))
    return Case({"groups": rarely(draw, groups, draw(st.sampled_from([0, -1, 2.0])))}, [shape])
