"""MNASNet (B1: without squeeze and excitation) at four widths.

Tan et al. 2018, arXiv:1807.11626, figure 7 a; widths as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, conv_norm, divisible

_PAPER = "Tan et al. 2018, arXiv:1807.11626"

STAGES = ((3, 3, 24, 3, 2), (3, 5, 40, 3, 2), (6, 5, 80, 3, 2), (6, 3, 96, 2, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))
"""Of each stage: expansion, kernel, channels, blocks, stride of the first."""


class InvertedResidual(nn.Module):
    """1 x 1 up, k x k per channel, 1 x 1 down; the input added where the shape allows."""

    def __init__(self, c_in: int, c: int, kernel: int, stride: int, expansion: int) -> None:
        hidden = c_in * expansion
        within = conv_norm(hidden, hidden, kernel, stride, groups=hidden)
        self.layers = nn.Sequential(*conv_norm(c_in, hidden, 1), *within, *conv_norm(hidden, c, 1, act=None))
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        return self.layers(x) + x if self.adds else self.layers(x)


class MNASNet(Chain):
    def __init__(self, width: float, num_classes: int, in_channels: int, dropout: float) -> None:
        stem, c_in = divisible(32 * width), divisible(16 * width)
        self.layers = nn.Sequential(*conv_norm(in_channels, stem, 3, stride=2), *conv_norm(stem, stem, 3, groups=stem))
        self.layers.extend(conv_norm(stem, c_in, 1, act=None))
        for expansion, kernel, channels, repeats, stride in STAGES:
            c = divisible(channels * width)
            first = InvertedResidual(c_in, c, kernel, stride, expansion)
            others = [InvertedResidual(c, c, kernel, 1, expansion) for _ in range(1, repeats)]
            self.layers.append(nn.Sequential(first, *others))
            c_in = c
        self.layers.extend(conv_norm(c_in, 1280, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))


@network(_PAPER)
def mnasnet0_5(num_classes: int = 1000, in_channels: int = 3, width: Factor = 0.5, dropout: float = 0.2) -> MNASNet:
    """MNASNet with 0.5 times the channels."""
    return MNASNet(width, num_classes, in_channels, dropout)


@network(_PAPER)
def mnasnet0_75(num_classes: int = 1000, in_channels: int = 3, width: Factor = 0.75, dropout: float = 0.2) -> MNASNet:
    """MNASNet with 0.75 times the channels."""
    return MNASNet(width, num_classes, in_channels, dropout)


@network(_PAPER)
def mnasnet1_0(num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2) -> MNASNet:
    """MNASNet with 1.0 times the channels."""
    return MNASNet(width, num_classes, in_channels, dropout)


@network(_PAPER)
def mnasnet1_3(num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.3, dropout: float = 0.2) -> MNASNet:
    """MNASNet with 1.3 times the channels."""
    return MNASNet(width, num_classes, in_channels, dropout)
