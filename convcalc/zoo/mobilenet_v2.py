"""MobileNet v2: inverted residuals with linear bottlenecks.

Sandler et al. 2018, arXiv:1801.04381, table 2. Attribute names as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import conv_norm, divisible
from convcalc.zoo.registry import Factor, network

_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Of each stage: expansion, channels, blocks, stride of the first; columns t, c, n, s of the table."""


class InvertedResidual(nn.Module):
    """1 x 1 up, 3 x 3 per channel, 1 x 1 down without activation; the input added where the shape allows."""

    def __init__(self, c_in: int, c: int, stride: int, expansion: int) -> None:
        hidden = c_in * expansion
        self.conv = nn.Sequential(
            *([] if expansion == 1 else [conv_norm(c_in, hidden, 1, act=nn.ReLU6)]),
            conv_norm(hidden, hidden, 3, stride, groups=hidden, act=nn.ReLU6),
            nn.Conv2d(hidden, c, 1, bias=False),
            nn.BatchNorm2d(c),
        )
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        """The block's output."""
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """A strided convolution, seven stages of inverted residuals, a 1 x 1 convolution, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in, last = divisible(32 * width), divisible(1280 * max(1.0, width))
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2, act=nn.ReLU6))
        for expansion, channels, repeats, stride in _STAGES:
            c = divisible(channels * width)
            for i in range(repeats):
                self.features.append(InvertedResidual(c_in, c, stride if i == 0 else 1, expansion))
                c_in = c
        self.features.append(conv_norm(c_in, last, 1, act=nn.ReLU6))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@network(input=(3, 224, 224), paper="Sandler et al. 2018, arXiv:1801.04381")
def mobilenet_v2(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2
) -> MobileNetV2:
    """MobileNet v2; ``width`` multiplies all channels."""
    return MobileNetV2(num_classes, in_channels, width, dropout)
