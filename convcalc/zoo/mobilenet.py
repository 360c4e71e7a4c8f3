"""MobileNet v1, each convolution factored into one per channel and one of 1 x 1; v2, inverted residuals.

v1: Howard et al. 2017, arXiv:1704.04861, table 1. Published (tables 6 and 7): 4.2M parameters and 569M mult-adds; of
width 0.75 2.6M and 325M, 0.5 1.3M and 149M, 0.25 0.5M and 41M: all exact to those digits, with normalisation.

v2: Sandler et al. 2018, arXiv:1801.04381, table 2.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, conv_norm, divisible

STEPS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
"""Stride and channels of each factored convolution. The table's last stride of 2 cannot be: it keeps 7 x 7."""

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Of each stage of v2: expansion, channels, blocks, stride of the first; columns t, c, n, s of the table."""


class MobileNetV1(Chain):
    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in = max(1, int(32 * width))
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2))
        for stride, channels in STEPS:
            c = max(1, int(channels * width))
            self.features.append(nn.Sequential(conv_norm(c_in, c_in, 3, stride, groups=c_in), conv_norm(c_in, c, 1)))
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(c_in, num_classes))


class InvertedResidual(nn.Module):
    """1 x 1 up, 3 x 3 per channel, 1 x 1 down without activation; the input added where the shape allows."""

    def __init__(self, c_in: int, c: int, stride: int, expansion: int) -> None:
        hidden = c_in * expansion
        self.conv = nn.Sequential(
            *([] if expansion == 1 else [conv_norm(c_in, hidden, 1, act=nn.ReLU6)]),
            conv_norm(hidden, hidden, 3, stride, groups=hidden, act=nn.ReLU6),
            *conv_norm(hidden, c, 1, act=None),
        )
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(Chain):
    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in, last = divisible(32 * width), divisible(1280 * max(1.0, width))
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2, act=nn.ReLU6))
        for expansion, channels, repeats, stride in STAGES:
            c = divisible(channels * width)
            for i in range(repeats):
                self.features.append(InvertedResidual(c_in, c, stride if i == 0 else 1, expansion))
                c_in = c
        self.features.append(conv_norm(c_in, last, 1, act=nn.ReLU6))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))


@network("Howard et al. 2017, arXiv:1704.04861")
def mobilenet_v1(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.001
) -> MobileNetV1:
    """MobileNet v1: 4,231,976 parameters (published: 4.2M); ``width`` multiplies all channels."""
    return MobileNetV1(num_classes, in_channels, width, dropout)


@network("Sandler et al. 2018, arXiv:1801.04381")
def mobilenet_v2(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2
) -> MobileNetV2:
    """MobileNet v2; ``width`` multiplies all channels."""
    return MobileNetV2(num_classes, in_channels, width, dropout)
