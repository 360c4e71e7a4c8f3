"""Strategies for padding, resizing and shuffling layers."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, axes, batched, case, nd, sizes


@case(*nd("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"))
def pad(draw: Draw, rank: int, kind: str) -> Case:
    spatial = sizes(draw, rank, 1, 7)
    shape = batched(draw, draw(st.integers(1, 3)), spatial)
    if kind.startswith(("Zero", "Constant")) and draw(st.integers(0, 3)) == 0:
        shape = spatial  # these need no channels
    limit = {"Reflection": -1, "Circular": 0}.get(kind.split("Pad")[0])
    most = [6 if limit is None else n + limit for n in spatial]
    if draw(st.booleans()):
        sides = [side for n, m in zip(spatial[::-1], most[::-1]) for side in two_sides(draw, n, m, kind)]
        padding: Any = tuple(sides)
    else:
        padding = draw(st.integers(-((min(spatial) - 1) // 2), min(3, *most)))
    wrong = [
        (-spatial[-1], 0),
        tuple(draw(st.integers(-6, 6)) for _ in range(2 * rank)),
        7,
        -4,
        (),
        (1,) * 7,
        1.0,
        None,
    ]
    kwargs = {"padding": draw.off(padding, *wrong)}
    if kind.startswith("Constant"):
        kwargs["value"] = draw.off(draw(st.sampled_from([0, 2.5, -1, True, None])), "2")
    if kind.startswith("Circular") and wraps_cropped(kwargs["padding"], shape):
        kwargs["padding"] = 1  # depending on layout, torch then wraps unwritten memory or refuses; convcalc refuses
    return Case(kwargs, [shape])


def two_sides(draw: Any, n: int, most: int, kind: str) -> tuple[int, int]:
    """Draw the padding on both sides of an axis of ``n``, at most ``most`` each; where negative, something is left."""
    first = draw(st.integers(-n + 1, most))
    low = -n + 1 - min(first, 0)  # both sides together crop less than everything
    if kind.startswith("Circular"):  # and there are enough elements to wrap
        most = most + min(first, 0)
        low = max(low, first - n)
    return draw(st.permutations([first, draw(st.integers(low, most))]))


def wraps_cropped(padding: Any, shape: tuple[int, ...]) -> bool:
    """Return whether one side wraps more than the other side's cropping leaves."""
    sides = padding if isinstance(padding, tuple) else (padding,) * 6
    pairs = zip(shape[::-1], zip(sides[::2], sides[1::2]))
    return any(min(pair) < 0 and max(pair) > n + min(pair) for n, pair in pairs if all(type(p) is int for p in pair))


SMOOTH = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


def scale(draw: Any, spatial: tuple[int, ...]) -> Any:
    """Draw a factor, or one for each axis, that leaves something; bounded, since torch computes the output."""
    several = draw(st.booleans())
    factors = []
    for n in spatial if several else [min(spatial)]:
        factor = draw(st.sampled_from([1, 2, 3, 0.5, 1.5, 0.7, 1.1, 1 / 3]) | st.floats(1 / n, 4))
        factors.append(factor if math.floor(n * factor) >= 1 else 1)
    return tuple(factors) if several else factors[0]


@case("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
def upsample(draw: Draw, rank: int, kind: str) -> Case:
    rank = rank or draw(st.integers(1, 3))
    spatial = sizes(draw, rank)
    kwargs: dict[str, Any] = {}
    if draw(st.booleans()):
        kwargs["size"] = draw.off(draw(axes(rank, 1, 9)), 0, -1, 2.0, (2,) * (rank + 1), None)
    else:
        odd = (0, -1.0, "2", "x", (2,) * (rank + 1), (2, 0.5), [2, 2], float("nan"), (0, 2), 0.05)
        kwargs["scale_factor"] = draw.off(scale(draw, spatial), *odd)
    if draw.off(False, True):
        kwargs["scale_factor"] = draw(st.sampled_from([None, 0, 2]))
    if kind == "Upsample":
        kwargs |= interpolation(draw, rank, given_size="size" in kwargs)
    full = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *spatial)
    return Case(kwargs, [draw.off(full, full[1:], (1, *full))])


def interpolation(draw: Draw, rank: int, given_size: bool) -> dict[str, Any]:
    """Draw the arguments that only `Upsample` has."""
    mode = draw(st.sampled_from([*SMOOTH[rank], "nearest", "nearest-exact", "area"]))
    mode = draw.off(mode, "linear", "bilinear", "trilinear", "lanczos", "x")
    corners = draw(st.sampled_from([None, True, False])) if mode in SMOOTH[rank] else None
    return {
        "mode": mode,
        "align_corners": draw.off(corners, True, False, 1),
        "recompute_scale_factor": draw.off(None, True) if given_size else draw(st.none() | st.booleans()),
    }


@case("PixelShuffle", "PixelUnshuffle")
def pixel_shuffle(draw: Draw, rank: int, kind: str) -> Case:
    r = draw(st.integers(1, 3))
    channels, (h, w) = draw(st.integers(1, 3)), sizes(draw, 2, 1, 4)
    shape = (channels * r * r, h, w) if kind == "PixelShuffle" else (channels, h * r, w * r)
    shape = draw.off(shape, (shape[0], shape[1] + 1, shape[2]), (shape[0] + 1, *shape[1:]), shape[1:])
    name = "upscale_factor" if kind == "PixelShuffle" else "downscale_factor"
    batch = draw(st.lists(st.integers(1, 2), max_size=2))
    return Case({name: draw.off(r, 0, -1, r + 1, 2.0)}, [(*batch, *shape)])


@case("ChannelShuffle")
def channel_shuffle(draw: Draw, rank: int, kind: str) -> Case:
    groups = draw(st.integers(1, 3))
    channels = draw.off(groups * draw(st.integers(1, 3)), 5)
    spatial = sizes(draw, draw.off(draw(st.integers(1, 3)), 0), 1, 4)
    return Case({"groups": draw.off(groups, 0, -1, 2.0)}, [(draw(st.integers(1, 2)), channels, *spatial)])
