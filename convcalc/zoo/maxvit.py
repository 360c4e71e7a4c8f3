"""MaxViT: in each block a convolution, attention inside windows, and attention over a coarse grid.

Tu et al. 2022, arXiv:2204.01697, section 3 and table 1. Attribute names as in torchvision; its stochastic depth does
nothing outside training and has no layer here. Windows must tile each map: inputs are multiples of 32 windows.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import SqueezeExcite, conv_norm
from convcalc.zoo.registry import network

HEAD = 32
"""Channels of one head."""


class MBConv(nn.Module):
    """1 x 1 up, 3 x 3 per channel, squeeze and excitation, 1 x 1 down, after normalisation; the input added."""

    def __init__(self, c_in: int, c: int, stride: int) -> None:
        hidden = 4 * c
        self.proj = None
        if stride != 1 or c_in != c:
            self.proj = nn.Sequential(nn.AvgPool2d(3, stride, padding=1), nn.Conv2d(c_in, c, 1))
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
        """The block's output."""
        return (self.proj(x) if self.proj else x) + self.layers(x)


class RelativeAttention(nn.Module):
    """Attention of the positions of a part on themselves, with a learned bias for each relative position."""

    def __init__(self, c: int, window: int) -> None:
        self.relative_position_bias_table = nn.Parameter((2 * window - 1) ** 2, c // HEAD)
        self.relative_position_index = nn.Buffer(window**2, window**2)
        self.to_qkv = nn.Linear(c, 3 * c)
        self.merge = nn.Linear(c, c)

    def forward(self, x: Any) -> Any:
        """The layer's output; (N, parts, positions, C) in and out."""
        n, parts, length, c = x.shape
        q, k, v = [
            part.reshape(n, parts, length, c // HEAD, HEAD).permute(0, 1, 3, 2, 4)
            for part in self.to_qkv(x).chunk(3, -1)
        ]
        rows = nn.IndexSelect(0)(self.relative_position_bias_table, self.relative_position_index.flatten())
        bias = rows.reshape(length, length, c // HEAD).permute(2, 0, 1)
        scores = q @ (k * c**-0.5).transpose(-2, -1) + bias
        return self.merge((scores.softmax(-1) @ v).permute(0, 1, 3, 2, 4).reshape(n, parts, length, c))


class PartitionAttention(nn.Module):
    """Attention and two dense layers in each part of a map: a window, or a grid of positions far apart."""

    def __init__(self, c: int, window: int, grid: bool) -> None:
        self.window = window
        self.grid = grid
        self.attn_layer = nn.Sequential(nn.LayerNorm(c), RelativeAttention(c, window), nn.Dropout(0.0))
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(c), nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c), nn.Dropout(0.0)
        )

    def forward(self, x: Any) -> Any:
        """The layer's output."""
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


class MaxVitLayer(nn.Module):
    """Convolution, windows, grid."""

    def __init__(self, c_in: int, c: int, stride: int, window: int) -> None:
        self.layers = nn.Sequential(
            {
                "MBconv": MBConv(c_in, c, stride),
                "window_attention": PartitionAttention(c, window, grid=False),
                "grid_attention": PartitionAttention(c, window, grid=True),
            }
        )

    def forward(self, x: Any) -> Any:
        """The layer's output."""
        return self.layers(x)


class Stage(nn.Module):
    """Layers of one width; the first halves the size."""

    def __init__(self, c_in: int, c: int, repeats: int, window: int) -> None:
        self.layers = nn.Sequential(
            MaxVitLayer(c_in, c, 2, window), *[MaxVitLayer(c, c, 1, window) for _ in range(1, repeats)]
        )

    def forward(self, x: Any) -> Any:
        """The stage's output."""
        return self.layers(x)


class MaxVit(nn.Module):
    """A stem of two convolutions, four stages, the mean over positions, two dense layers."""

    def __init__(
        self, widths: tuple[int, ...], repeats: tuple[int, ...], window: int, num_classes: int, in_channels: int
    ) -> None:
        c = widths[0]
        stem = conv_norm(in_channels, c, 3, stride=2, act=nn.GELU, eps=0.001)
        self.stem = nn.Sequential(stem, nn.Sequential(nn.Conv2d(c, c, 3, padding=1)))
        self.blocks = nn.Sequential(*[Stage(c_in, c, n, window) for c_in, c, n in zip((c, *widths), widths, repeats)])
        last = widths[-1]
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(last),
            nn.Linear(last, last),
            nn.Tanh(),
            nn.Linear(last, num_classes, bias=False),
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.blocks(self.stem(x)))


@network(input=(3, 224, 224), paper="Tu et al. 2022, arXiv:2204.01697")
def maxvit_t(num_classes: int = 1000, in_channels: int = 3, window: int = 7) -> MaxVit:
    """MaxViT-T."""
    return MaxVit((64, 128, 256, 512), (2, 2, 5, 2), window, num_classes, in_channels)
