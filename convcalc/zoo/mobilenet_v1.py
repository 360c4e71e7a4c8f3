"""MobileNet v1: each convolution factored into one per channel and one of 1 x 1.

Howard et al. 2017, arXiv:1704.04861, table 1. Published (tables 6 and 7): 4.2M parameters and 569M mult-adds; of width
0.75 2.6M and 325M, 0.5 1.3M and 149M, 0.25 0.5M and 41M: all exact to those digits, parameters of normalisation
included.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import conv_norm
from convcalc.zoo.registry import Factor, network

STEPS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
"""Stride and channels of each factored convolution. The table's last stride of 2 cannot be: it keeps 7 x 7."""


class MobileNetV1(nn.Module):
    """A strided convolution, thirteen factored ones, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in = max(1, int(32 * width))
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2))
        for stride, channels in STEPS:
            c = max(1, int(channels * width))
            self.features.append(nn.Sequential(conv_norm(c_in, c_in, 3, stride, groups=c_in), conv_norm(c_in, c, 1)))
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(c_in, num_classes))

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@network(input=(3, 224, 224), paper="Howard et al. 2017, arXiv:1704.04861")
def mobilenet_v1(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.001
) -> MobileNetV1:
    """MobileNet v1: 4,231,976 parameters (published: 4.2M); ``width`` multiplies all channels."""
    return MobileNetV1(num_classes, in_channels, width, dropout)
