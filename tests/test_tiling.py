"""Tiling: torch networks are run on tiles and on the whole input, and the joined outputs are the same."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import assume, given

from convcalc import nn, trace
from convcalc.analysis.fields.tiling import Strip, plan_tiling
from convcalc.errors import ConvcalcError, SpecError
from tests.random_networks import Network, Plan, plans
from tests.torch_modules import FromGraph


def output(graph: Any) -> str:
    return graph.outputs[0]


def strips_of(net: Any, shape: tuple[int, ...], size: int) -> tuple[Strip, ...]:
    return plan_tiling(lambda shape: trace(net, shape), shape, output, (size,) * (len(shape) - 2))


def built(net: Any, shape: tuple[int, ...]) -> FromGraph:
    torch.manual_seed(0)  # the same weights each time
    return FromGraph(trace(net, shape)).double()


def assert_tiles_equal_the_whole(net: Any, shape: tuple[int, ...], size: int) -> tuple[Strip, ...]:
    strips = strips_of(net, shape, size)
    with torch.no_grad():
        x = torch.randn(shape, dtype=torch.float64)
        (expected,) = built(net, shape)(x)
        found = torch.full_like(expected, torch.nan)
        for tiles in product(*[strip.tiles for strip in strips]):
            piece = x[(..., *[slice(*tile.input) for tile in tiles])]
            assert all(tile.input[1] - tile.input[0] <= size for tile in tiles)
            (part,) = built(net, tuple(piece.shape))(piece)
            where, keep = [slice(None)] * part.dim(), [slice(None)] * part.dim()
            for strip, tile in zip(strips, tiles):
                where[strip.place], keep[strip.place] = slice(*tile.output), slice(*tile.keep)
            assert found[tuple(where)].isnan().all()  # no unit twice
            found[tuple(where)] = part[tuple(keep)]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    return strips


class UNet(nn.Module):
    """Three levels down and up with skips; upsampled by a transposed convolution or by interpolation."""

    def __init__(self, up: str = "transposed", padding: Any = 1) -> None:
        self.first = self.double(1, 2, padding)
        self.down = nn.ModuleList([self.double(2, 2, padding) for _ in range(3)])
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            [
                nn.ConvTranspose2d(2, 2, 2, 2) if up == "transposed" else nn.Upsample(scale_factor=2, mode=up)
                for _ in range(3)
            ]
        )
        self.back = nn.ModuleList([self.double(4, 2, padding) for _ in range(3)])

    @staticmethod
    def double(before: int, after: int, padding: Any) -> Any:
        return nn.Sequential(nn.Conv2d(before, after, 3, padding=padding), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, x: Any) -> Any:
        skips = [self.first(x)]
        for block in self.down:
            skips.append(block(self.pool(skips[-1])))
        y = skips.pop()
        for up, block in zip(self.up, self.back):
            y = block(nn.Cat(1)(skips.pop(), up(y)))
        return y


class Strided(nn.Module):
    """Branches with different strides that meet, a dilated convolution, a pooling that rounds up."""

    def __init__(self) -> None:
        self.a = nn.Conv2d(1, 3, 3, stride=2, padding=1)
        self.b = nn.Sequential(nn.Conv2d(1, 3, 5, padding=2), nn.AvgPool2d(2))
        self.c = nn.Conv2d(3, 2, (3, 5), padding=(2, 4), dilation=2)
        self.pool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x: Any) -> Any:
        return self.pool(self.c(self.a(x) + self.b(x)))


class Windows(nn.Module):
    """A convolution, attention inside windows that may be shifted, or over a grid, another convolution."""

    def __init__(self, window: tuple[int, int], shift: tuple[int, int], grid: bool, kernel: int, stride: int) -> None:
        self.options = window, shift, grid
        self.before = nn.Conv2d(1, 4, kernel, stride, padding=kernel // 2)
        self.qkv = nn.Linear(4, 12)
        self.after = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Any) -> Any:
        (tall, wide), shift, grid = self.options
        x = self.before(x)
        n, c, h, w = x.shape
        y = x.roll(shift, (2, 3)).reshape(n, c, h // tall, tall, w // wide, wide).permute(0, 2, 4, 3, 5, 1)
        y = y.reshape(n, h // tall * (w // wide), tall * wide, c)
        y = y.transpose(1, 2) if grid else y
        q, k, v = self.qkv(y).chunk(3, -1)
        y = y + (q @ k.transpose(-2, -1)).softmax(-1) @ v
        y = y.transpose(1, 2) if grid else y
        y = y.reshape(n, h // tall, w // wide, tall, wide, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)
        return self.after(y.roll((-shift[0], -shift[1]), (2, 3)) + x)


@pytest.mark.parametrize(
    ("net", "shape", "size", "overlap"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 5, padding=2), nn.ReLU(), nn.Conv2d(2, 1, 3)), (1, 1, 50, 61), 24, 6),
        (Strided(), (1, 1, 96, 132), 48, 16),
        (UNet(), (1, 1, 160, 136), 96, 48),
        (UNet("nearest"), (1, 1, 160, 136), 96, 48),
        (UNet("bilinear"), (1, 1, 176, 160), 112, 64),
        (UNet(padding="tf_same"), (1, 1, 160, 136), 96, 48),
        (nn.ConvTranspose2d(1, 1, 4, 2, 1), (1, 1, 30, 33), 10, 1),
        (
            nn.Sequential(nn.Conv1d(1, 1, 3, 2, "tf_same"), nn.Conv1d(1, 1, 2, dilation=3)),
            (1, 1, 64),
            20,
            8,
        ),
        (nn.Conv3d(1, 1, 3, padding=1), (1, 1, 9, 12, 10), 6, 2),
        (Windows((4, 2), (0, 0), False, 3, 2), (1, 1, 64, 72), 40, 16),
    ],
)
def test_tiles_equal_the_whole(net: Any, shape: tuple[int, ...], size: int, overlap: int) -> None:
    strips = assert_tiles_equal_the_whole(net, shape, size)
    assert strips[0].overlap == overlap
    assert all(strip.step % strip.alignment == 0 for strip in strips)


@given(plans(high=14, head=False))
def test_tiles_of_random_networks_equal_the_whole(plan: Plan) -> None:
    size, more = {1: (48, 19), 2: (32, 8), 3: (16, 4)}[plan.rank]
    shape = (*plan.shapes[0][:2], *[size + more] * plan.rank)
    try:
        strips_of(Network(plan), shape, size)
    except ConvcalcError:  # a gate, a tile that is too small, sizes at which a skip does not fit
        assume(False)
    assert_tiles_equal_the_whole(Network(plan), shape, size)


def test_what_cannot_be_tiled_is_refused() -> None:
    pooled = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1))
    with pytest.raises(SpecError, match="see the input from end to end"):
        strips_of(pooled, (1, 1, 64, 64), 32)
    with pytest.raises(SpecError, match="is too small: 8 of its 8 units"):
        strips_of(nn.Conv2d(1, 1, 9, padding=4), (1, 1, 64, 64), 8)
    with pytest.raises(SpecError, match="is not treated like the whole input"):
        strips_of(nn.AdaptiveAvgPool2d(4), (1, 1, 64, 64), 32)
    for net in (Windows((4, 2), (2, 1), False, 3, 2), nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")):
        with pytest.raises(SpecError, match="wraps around the border"):
            strips_of(net, (1, 1, 64, 64), 32)
    with pytest.raises(SpecError, match="does not take a tile of 30 x 30"):
        strips_of(UNet(), (1, 1, 64, 64), 30)
