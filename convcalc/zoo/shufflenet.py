"""ShuffleNet v2 at four widths.

Ma et al. 2018, arXiv:1807.11164, table 5 and figure 3(c) and (d).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, conv_norm

_PAPER = "Ma et al. 2018, arXiv:1807.11164"


class InvertedResidual(nn.Module):
    """Half the channels pass through, half are convolved, then all are shuffled; strided, both branches read all."""

    def __init__(self, c_in: int, c: int, stride: int) -> None:
        def within(c_in: int) -> list[Any]:
            per_channel = conv_norm(c_in, c_in, 3, stride, groups=c_in, act=None)
            return [*per_channel, *conv_norm(c_in, c // 2, 1)]

        self.branch1 = nn.Sequential(*within(c_in)) if stride > 1 else None
        self.branch2 = nn.Sequential(*conv_norm(c_in if stride > 1 else c // 2, c // 2, 1), *within(c // 2))
        self.cat = nn.Cat(1)
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: Any) -> Any:
        left, right = (self.branch1(x), x) if self.branch1 else x.chunk(2, 1)
        return self.shuffle(self.cat(left, self.branch2(right)))


class ShuffleNetV2(Chain):
    """A stem, three stages and a 1 x 1 convolution of the given widths, and a dense layer."""

    def __init__(self, widths: tuple[int, int, int, int], num_classes: int, in_channels: int) -> None:
        def stage(c_in: int, c: int, repeats: int) -> nn.Sequential:
            first = InvertedResidual(c_in, c, 2)
            return nn.Sequential(first, *[InvertedResidual(c, c, 1) for _ in range(1, repeats)])

        self.conv1 = conv_norm(in_channels, 24, 3, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2 = stage(24, widths[0], 4)
        self.stage3 = stage(widths[0], widths[1], 8)
        self.stage4 = stage(widths[1], widths[2], 4)
        self.conv5 = conv_norm(widths[2], widths[3], 1)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[3], num_classes)


@network(_PAPER)
def shufflenet_v2_x0_5(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2, about 0.5 times as wide."""
    return ShuffleNetV2((48, 96, 192, 1024), num_classes, in_channels)


@network(_PAPER)
def shufflenet_v2_x1_0(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2, about 1.0 times as wide."""
    return ShuffleNetV2((116, 232, 464, 1024), num_classes, in_channels)


@network(_PAPER)
def shufflenet_v2_x1_5(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2, about 1.5 times as wide."""
    return ShuffleNetV2((176, 352, 704, 1024), num_classes, in_channels)


@network(_PAPER)
def shufflenet_v2_x2_0(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2, about 2.0 times as wide."""
    return ShuffleNetV2((244, 488, 976, 2048), num_classes, in_channels)
