"""MNASNet (B1: without squeeze and excitation) at four widths.

Tan et al. 2018, arXiv:1807.11626, figure 7(a); widths as in torchvision.
"""

from __future__ import annotations

from itertools import chain

from convcalc import nn
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, InvertedResidual, align, conv_norm, inverted

_PAPER = "Tan et al. 2018, arXiv:1807.11626"

STAGES = ((3, 3, 24, 3, 2), (3, 5, 40, 3, 2), (6, 5, 80, 3, 2), (6, 3, 96, 2, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))
"""For each stage: expansion, kernel, channels, number of blocks, stride of the first."""


class MNASNet(Chain):
    """A stem, six stages of inverted residuals, a 1 x 1 convolution, and a dense layer."""

    def __init__(self, width: float, num_classes: int, in_channels: int, dropout: float) -> None:
        stem, c_in = align(32 * width), align(16 * width)
        self.layers = nn.Sequential(*conv_norm(in_channels, stem, 3, stride=2), *conv_norm(stem, stem, 3, groups=stem))
        self.layers.extend(conv_norm(stem, c_in, 1, act=None))
        for expansion, kernel, channels, repeats, stride in STAGES:
            c, blocks = align(channels * width), nn.Sequential()
            for step in (stride, *[1] * (repeats - 1)):
                units = inverted(conv_norm, c_in, c_in * expansion, c, kernel, step)
                blocks.append(InvertedResidual(step == 1 and c_in == c, layers=nn.Sequential(*chain(*units))))
                c_in = c
            self.layers.append(blocks)
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
