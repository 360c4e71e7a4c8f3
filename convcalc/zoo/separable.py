"""Separable convolutions with shortcuts: Xception, and MNASNet (B1: without squeeze and excitation) at four widths.

Xception: Chollet 2016, arXiv:1610.02357, figure 5. Published (table 3): 22,855,952 parameters, which is exact.

MNASNet: Tan et al. 2018, arXiv:1807.11626, figure 7 a; widths as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, conv_norm, divisible


def separable(c_in: int, c: int) -> nn.Sequential:
    """3 x 3 for each channel, then 1 x 1, then normalisation."""
    within = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
    return nn.Sequential(within, *conv_norm(c_in, c, 1, act=None))


class Block(nn.Module):
    """Separable convolutions, each after a rectifier; one that strides ends in a pooling and projects its input."""

    def __init__(self, c_in: int, *channels: int, strides: bool = True, starts_active: bool = True) -> None:
        self.steps = nn.Sequential()
        for i, (before, c) in enumerate(zip((c_in, *channels), channels)):
            if i or starts_active:
                self.steps.append(nn.ReLU())
            self.steps.append(separable(before, c))
        self.skip = None
        if strides:
            self.steps.append(nn.MaxPool2d(3, stride=2, padding=1))
            self.skip = conv_norm(c_in, channels[-1], 1, stride=2, act=None)

    def forward(self, x: Any) -> Any:
        return self.steps(x) + (self.skip(x) if self.skip else x)


class Xception(Chain):
    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, 32, 3, stride=2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        first = Block(64, 128, 128, starts_active=False)
        self.entry = nn.Sequential(first, Block(128, 256, 256), Block(256, 728, 728))
        self.middle = nn.Sequential(*[Block(728, 728, 728, 728, strides=False) for _ in range(8)])
        self.exit = nn.Sequential(Block(728, 728, 1024), separable(1024, 1536), nn.ReLU())
        self.exit.extend([separable(1536, 2048), nn.ReLU()])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)


@network("Chollet 2016, arXiv:1610.02357", (3, 299, 299))
def xception(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> Xception:
    """Xception: 22,855,952 parameters, as published."""
    return Xception(num_classes, in_channels, dropout)


_PAPER = "Tan et al. 2018, arXiv:1807.11626"

STAGES = ((3, 3, 24, 3, 2), (3, 5, 40, 3, 2), (6, 5, 80, 3, 2), (6, 3, 96, 2, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))
"""Of each stage of MNASNet: expansion, kernel, channels, blocks, stride of the first."""


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
