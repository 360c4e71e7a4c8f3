"""Counting forward passes of convolutions, pooling, resizing: window by window."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from tests.forwards.base import Array, Call, forward
from tests.strategies import nd

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def each(value: Any, rank: int) -> tuple[int, ...]:
    """A per-axis argument, written out for each axis."""
    return tuple(value) * (rank // len(value)) if isinstance(value, (tuple, list)) else (value,) * rank


def padding_of(call: Call, spatial: tuple[int, ...], window: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """The elements put before and after each axis."""
    padding = call.kwargs.get("padding", 0)
    if padding == "valid":
        padding = 0
    if padding not in ("same", "tf_same"):
        return [(p, p) for p in each(padding, len(spatial))]
    pads = []
    for n, k, s, d in zip(spatial, *window):
        outputs = math.ceil(n / s)
        total = max((outputs - 1) * s + d * (k - 1) + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def sizes(call: Call) -> list[tuple[int, ...]]:
    """Kernel, stride and dilation of each axis."""
    kernel = each(call.kwargs["kernel_size"], call.rank)
    stride = call.kwargs.get("stride")
    stride = kernel if stride is None and "Pool" in call.kind else 1 if stride is None else stride
    return [kernel, each(stride, call.rank), each(call.kwargs.get("dilation", 1), call.rank)]


def read(x: Array, starts: list[Any], window: list[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Each output's place, and the window that it reads."""
    reaches = [d * (k - 1) for k, _, d in zip(*window)]
    for place in product(*map(enumerate, starts)):
        slices = [slice(start, start + reach + 1, d) for (_, start), reach, d in zip(place, reaches, window[2])]
        yield tuple(at for at, _ in place), x[(..., *slices)]


@forward(*nd("Conv", "LazyConv", "LocallyConnected"))
def convolution(call: Call, x: Array) -> Array:
    window, rank = sizes(call), call.rank
    pads = padding_of(call, x.shape[-rank:], window)
    x = np.pad(x, [(0, 0)] * (x.ndim - rank) + pads, MODES[call.kwargs.get("padding_mode", "zeros")])
    starts = [range(0, n - d * (k - 1), s) for n, k, s, d in zip(x.shape[-rank:], *window)]
    weight, groups = call.weight("weight"), call.kwargs.get("groups", 1)
    shared = weight.ndim == rank + 2
    channels = weight.shape[-rank - 2]
    out = np.zeros((*x.shape[: -rank - 1], channels, *map(len, starts)))
    for group in range(groups):
        inside = np.split(x, groups, -rank - 1)[group]
        filters = range(group * channels // groups, (group + 1) * channels // groups)
        for place, values in read(inside, starts, window):
            for channel in filters:
                kernel = weight[channel] if shared else weight[place][channel]
                out[(..., channel, *place)] = call.sum("mac", values * kernel, tuple(range(-rank - 1, 0)))
    bias = call.weight("bias")
    return call.biased(out, None if bias is None else bias.reshape(-1, *[1] * rank) if shared else bias)


@forward(*nd("ConvTranspose", "LazyConvTranspose"))
def transposed(call: Call, x: Array) -> Array:
    (kernel, stride, dilation), rank = sizes(call), call.rank
    weight, groups = call.weight("weight"), call.kwargs.get("groups", 1)
    more = each(call.kwargs.get("output_padding", 0), rank)
    full = [(n - 1) * s + d * (k - 1) + 1 + o for n, k, s, d, o in zip(x.shape[-rank:], kernel, stride, dilation, more)]
    out = np.zeros((*x.shape[: -rank - 1], groups, weight.shape[1], *full))
    for place in product(*map(range, x.shape[-rank:])):
        slices = [slice(i * s, i * s + d * (k - 1) + 1, d) for i, k, s, d in zip(place, kernel, stride, dilation)]
        for channel in range(weight.shape[0]):
            value = x[(..., channel, *place)]
            written = call.count("mac", value.reshape(*value.shape, *[1] * (rank + 1)) * weight[channel])
            out[(..., channel * groups // weight.shape[0], slice(None), *slices)] += written
    out = out.reshape(*x.shape[: -rank - 1], -1, *full)
    crops = [slice(p, size - p) for p, size in zip(each(call.kwargs.get("padding", 0), rank), full)]
    bias = call.weight("bias")
    return call.biased(out[(..., *crops)], None if bias is None else bias.reshape(-1, *[1] * rank))


def pooled(call: Call, x: Array, fill: float) -> Iterator[tuple[tuple[int, ...], Array, Array, Array]]:
    """Each output's place with the values, which of them are input, and which of them are input or padding."""
    window, rank, ceil = sizes(call), call.rank, bool(call.kwargs.get("ceil_mode"))
    pads = padding_of(call, x.shape[-rank:], window)
    kernel, stride, dilation = window
    starts, ends = [], []
    for n, (low, high), k, s, d in zip(x.shape[-rank:], pads, kernel, stride, dilation):
        reach, padded = d * (k - 1), n + low + high
        first = [i for i in range(0, padded, s) if i + reach < padded]
        if ceil and call.kwargs.get("padding") != "tf_same":
            more = [i for i in range(0, padded + s, s) if i + reach < padded + s - 1]  # torch rounds the number up,
            first = [i for i in more if i + reach < padded or i < n + low]  # but no window begins behind the input
        starts.append(first)
        ends.append(max(first[-1] + reach + 1 - padded, 0))
    margin = [(0, 0)] * (x.ndim - rank)
    over = [*margin, *((0, end) for end in ends)]
    inside = np.pad(np.pad(np.ones_like(x), [*margin, *pads]), over)
    counted = np.pad(np.ones_like(np.pad(x, [*margin, *pads])), over)
    values = np.pad(np.pad(x, [*margin, *pads], constant_values=fill), over, constant_values=fill)
    same = (read(array, starts, window) for array in (values, inside, counted))
    for (place, window_values), (_, real), (_, known) in zip(*same):
        yield place, window_values, real, known


def gathered(call: Call, places: dict[tuple[int, ...], Array]) -> Array:
    """The outputs by place as an array."""
    shape = [max(place[axis] for place in places) + 1 for axis in range(call.rank)]
    out = np.zeros((*next(iter(places.values())).shape, *shape))
    for place, value in places.items():
        out[(..., *place)] = value
    return out


@forward(*nd("MaxPool"))
def max_pool(call: Call, x: Array) -> Array:
    over = tuple(range(-call.rank, 0))
    found = {place: call.count("compare", values).max(over) for place, values, _, _ in pooled(call, x, -np.inf)}
    return gathered(call, found)


@forward(*nd("AvgPool"))
def average_pool(call: Call, x: Array) -> Array:
    over, found = tuple(range(-call.rank, 0)), {}
    for place, values, real, known in pooled(call, x, 0):
        among = known if call.kwargs.get("count_include_pad", True) or call.kwargs["padding"] == "tf_same" else real
        divisor = call.kwargs.get("divisor_override") or among.sum(over)
        found[place] = call.count("mul", call.sum("add", values, over) / divisor)
    return gathered(call, found)


@forward(*nd("LPPool"))
def power_pool(call: Call, x: Array) -> Array:
    power, over, found = float(call.kwargs["norm_type"]), tuple(range(-call.rank, 0)), {}
    if math.isinf(power):
        values = call.count("activation", abs(x))
        found = {place: call.count("compare", some).max(over) for place, some, _, _ in pooled(call, values, -np.inf)}
        return gathered(call, found)
    for place, values, real, _ in pooled(call, call.count("activation", x**power), 0):
        # where a window hangs over the end, torch scales the sum up to a whole one
        total = call.sum("add", values, over) * math.prod(values.shape[-call.rank :]) / real.sum(over)
        found[place] = call.count("activation", total ** (1 / power))
    return gathered(call, found)


def adaptive(call: Call, x: Array, output: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Each output's place, and the window that it reads: from ⌊i·n/o⌋ up to ⌈(i + 1)·n/o⌉."""
    sides = list(zip(x.shape[-len(output) :], output))
    for place in product(*map(range, output)):
        window = [slice(i * n // o, -(-(i + 1) * n // o)) for i, (n, o) in zip(place, sides)]
        yield place, x[(..., *window)]


@forward(*nd("AdaptiveAvgPool", "AdaptiveMaxPool"))
def adaptive_pool(call: Call, x: Array) -> Array:
    rank, wanted = call.rank, each(call.kwargs["output_size"], call.rank)
    output = tuple(n if o is None else o for n, o in zip(x.shape[-rank:], wanted))
    out = np.zeros((*x.shape[:-rank], *output))
    for place, values in adaptive(call, x, output):
        out[(..., *place)] = extreme(call, values, rank) if "Max" in call.kind else mean(call, values, rank)
    return out


def extreme(call: Call, values: Array, rank: int) -> Array:
    return call.count("compare", values).max(tuple(range(-rank, 0)))


def mean(call: Call, values: Array, rank: int) -> Array:
    total = call.sum("add", values, tuple(range(-rank, 0)))
    return call.count("mul", total / math.prod(values.shape[-rank:]))


def sources(n: int, o: int, factor: float | None, corners: bool, cubic: bool) -> tuple[Array, Array]:
    """For each output along an axis the inputs that it is made of, and their weights."""
    factor = None if n == o and not cubic else factor  # an axis that keeps its size is copied, whatever its factor
    step = ((n - 1) / (o - 1) if o > 1 else 0) if corners else 1 / factor if factor else n / o
    at = np.arange(o) * step if corners else (np.arange(o) + 0.5) * step - 0.5
    at = at if cubic else at.clip(0)
    low = np.floor(at).astype(int)
    part = (at - low)[:, None]
    if not cubic:
        return (low[:, None] + [0, 1]).clip(0, n - 1), np.hstack([1 - part, part])
    far = abs(part - [-1, 0, 1, 2])  # the distances from the four, by Keys' kernel with a = -3/4
    near = (1.25 * far - 2.25) * far**2 + 1
    outer = ((-0.75 * far + 3.75) * far - 6) * far + 3
    return (low[:, None] + [-1, 0, 1, 2]).clip(0, n - 1), np.where(far <= 1, near, outer)


@forward("Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d")
def upsample(call: Call, x: Array) -> Array | None:
    module, rank = call.module, x.ndim - 2
    factors = each(module.scale_factor, rank) if module.scale_factor else (None,) * rank
    output = each(module.size, rank) if module.size else tuple(int(n * f) for n, f in zip(x.shape[2:], factors))
    if module.mode.startswith("nearest"):
        return None
    if module.mode == "area":
        out = np.zeros((*x.shape[:2], *output))
        for place, values in adaptive(call, x, output):
            out[(..., *place)] = mean(call, values, rank)
        return out
    if module.recompute_scale_factor:
        factors = (None,) * rank
    for axis, (n, o, factor) in enumerate(zip(x.shape[2:], output, factors)):  # one axis becomes two: output, source
        index, weight = sources(n, o, factor, bool(module.align_corners), module.mode == "bicubic")
        x = np.moveaxis(np.moveaxis(x, 2 + axis, -1)[..., index] * weight, -2, 2 + axis)
    return call.sum("interpolate", x, tuple(range(2 + rank, 2 + 2 * rank)))
