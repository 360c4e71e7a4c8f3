"""MaxViT: in each block a convolution, attention inside windows, and attention over a coarse grid.

Tu et al. 2022, arXiv:2204.01697, section 3 and table 1. Windows must tile every map, so the input's height and width
must be multiples of 32 times ``window``.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, SqueezeExcite, conv_norm

HEAD = 32
"""Channels of each head."""


class MBConv(nn.Module):
    """An inverted residual with squeeze and excitation, which begins with normalisation."""

    def __init__(self, c_in: int, c: int, stride: int) -> None:
        hidden = 4 * c
        pool = nn.AvgPool2d(3, stride, padding=1)
        self.proj = nn.Sequential(pool, nn.Conv2d(c_in, c, 1)) if stride != 1 else None
        self.layers = nn.Sequential(
            {
                "pre_norm": nn.BatchNorm2d(c_in, eps=0.001),
                "conv_a": conv_norm(c_in, hidden, 1, act=nn.GELU, eps=0.001),
                "conv_b": conv_norm(hidden, hidden, 3, stride, hidden, nn.GELU, eps=0.001),
                "squeeze_excitation": SqueezeExcite(hidden, c // 4, nn.SiLU),
                "conv_c": nn.Conv2d(hidden, c, 1),
            }
        )

    def forward(self, x: Any) -> Any:
        return (self.proj(x) if self.proj else x) + self.layers(x)


class RelativeAttention(nn.Module):
    """Attention inside each part of (N, parts, positions, C), with a learned bias for each relative position."""

    def __init__(self, c: int, window: int) -> None:
        self.relative_position_bias_table = nn.Parameter((2 * window - 1) ** 2, c // HEAD)
        self.relative_position_index = nn.Buffer(window**2, window**2)
        self.to_qkv = nn.Linear(c, 3 * c)
        self.merge = nn.Linear(c, c)

    def forward(self, x: Any) -> Any:
        n, parts, length, c = x.shape
        split = n, parts, length, c // HEAD, HEAD
        q, k, v = [part.reshape(split).permute(0, 1, 3, 2, 4) for part in self.to_qkv(x).chunk(3, -1)]
        rows = nn.IndexSelect(0)(self.relative_position_bias_table, self.relative_position_index.flatten())
        bias = rows.reshape(length, length, c // HEAD).permute(2, 0, 1)
        scores = q @ (k * c**-0.5).transpose(-2, -1) + bias
        return self.merge((scores.softmax(-1) @ v).permute(0, 1, 3, 2, 4).reshape(n, parts, length, c))


class PartitionAttention(nn.Module):
    """Attention inside each part of a map, which is a window or a coarse grid of positions; then two dense layers."""

    def __init__(self, c: int, window: int, grid: bool) -> None:
        self.window, self.grid = window, grid
        self.attn_layer = nn.Sequential(nn.LayerNorm(c), RelativeAttention(c, window), nn.Dropout(0.0))
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(c), nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c), nn.Dropout(0.0)
        )

    def forward(self, x: Any) -> Any:
        n, c, h, w = x.shape
        rows, columns, tall, wide = h // self.window, w // self.window, self.window, self.window
        if self.grid:
            rows, columns, tall, wide = tall, wide, rows, columns
        x = x.reshape(n, c, rows, tall, columns, wide).permute(0, 2, 4, 3, 5, 1)
        x = x.reshape(n, rows * columns, tall * wide, c)
        x = x.transpose(1, 2) if self.grid else x
        x = x + self.attn_layer(x)
        x = x + self.mlp_layer(x)
        x = x.transpose(1, 2) if self.grid else x
        return x.reshape(n, rows, columns, tall, wide, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)


class MaxVitLayer(Chain):
    """A convolutional block, attention in windows, and attention over a grid."""

    def __init__(self, c_in: int, c: int, stride: int, window: int) -> None:
        windows, grid = PartitionAttention(c, window, grid=False), PartitionAttention(c, window, grid=True)
        steps = {"MBconv": MBConv(c_in, c, stride), "window_attention": windows, "grid_attention": grid}
        self.layers = nn.Sequential(steps)


class Stage(Chain):
    """Layers of one width; the first halves the size."""

    def __init__(self, window: int, c_in: int, c: int, repeats: int) -> None:
        others = [MaxVitLayer(c, c, 1, window) for _ in range(1, repeats)]
        self.layers = nn.Sequential(MaxVitLayer(c_in, c, 2, window), *others)


class MaxVit(Chain):
    """A stem, four stages, and two dense layers."""


@network("Tu et al. 2022, arXiv:2204.01697")
def maxvit_t(num_classes: int = 1000, in_channels: int = 3, window: int = 7) -> MaxVit:
    """MaxViT-T."""
    stem = conv_norm(in_channels, 64, 3, stride=2, act=nn.GELU, eps=0.001)
    stages = (64, 64, 2), (64, 128, 2), (128, 256, 5), (256, 512, 2)
    dense = [nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, num_classes, bias=False)]
    return MaxVit(
        stem=nn.Sequential(stem, nn.Sequential(nn.Conv2d(64, 64, 3, padding=1))),
        blocks=nn.Sequential(*[Stage(window, *stage) for stage in stages]),
        classifier=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(512), *dense),
    )
