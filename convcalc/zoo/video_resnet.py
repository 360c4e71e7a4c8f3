"""Video ResNets of 18 layers: 3-d convolutions, 3-d ones in the first stage only, and 2-d ones followed by 1-d.

Tran et al. 2017, arXiv:1711.11248, sections 3.2, 3.3 and 3.5 (R3D, MC3, R(2+1)D). Inputs are clips: (N, C, frames, H,
W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER, _CLIP = "Tran et al. 2017, arXiv:1711.11248", (3, 16, 112, 112)

Triple = tuple[int, int, int]
Conv = Callable[[int, int, int, int], Any]
"""A block's convolution from input channels, channels, channels between the two of (2+1)D, and stride."""


def conv(c_in: int, c: int, kernel: Triple, stride: Triple | int = 1) -> nn.Conv3d:
    return nn.Conv3d(c_in, c, kernel, stride, tuple(k // 2 for k in kernel), bias=False)


def unit(c_in: int, c: int, kernel: Triple, stride: Triple = (1, 1, 1), eps: float = 1e-05) -> list[Any]:
    return [conv(c_in, c, kernel, stride), nn.BatchNorm3d(c, eps), nn.ReLU()]


def full(c_in: int, c: int, between: int, stride: int) -> nn.Conv3d:
    return conv(c_in, c, (3, 3, 3), stride)


def flat(c_in: int, c: int, between: int, stride: int) -> nn.Conv3d:
    """1 x 3 x 3: each frame by itself."""
    return conv(c_in, c, (1, 3, 3), (1, stride, stride))


def factored(c_in: int, c: int, between: int, stride: int) -> nn.Sequential:
    within = unit(c_in, between, (1, 3, 3), (1, stride, stride))
    return nn.Sequential(*within, conv(between, c, (3, 1, 1), (stride, 1, 1)))


class BasicBlock(nn.Module):
    """Two convolutions, and the input added."""

    def __init__(self, make: Conv, c_in: int, c: int, stride: int) -> None:
        between = 27 * c_in * c // (9 * c_in + 3 * c)  # as many weights as 3 x 3 x 3 would have
        self.conv1 = nn.Sequential(make(c_in, c, between, stride), nn.BatchNorm3d(c), nn.ReLU())
        self.conv2 = nn.Sequential(make(c, c, between, 1), nn.BatchNorm3d(c))
        self.relu = nn.ReLU()
        projection = conv(c_in, c, (1, 1, 1), (1 if make is flat else stride, stride, stride))
        self.downsample = nn.Sequential(projection, nn.BatchNorm3d(c)) if stride != 1 else None

    def forward(self, x: Any) -> Any:
        y = self.conv2(self.conv1(x))
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class VideoResNet(Chain):
    def __init__(self, stem: list[Any], first: Conv, rest: Conv, num_classes: int) -> None:
        def stage(i: int) -> nn.Sequential:
            c, stride, make = (64 * 2**i, 2, rest) if i else (64, 1, first)
            return nn.Sequential(BasicBlock(make, c // stride, c, stride), BasicBlock(make, c, c, 1))

        self.stem = nn.Sequential(*stem)
        self.layer1, self.layer2, self.layer3, self.layer4 = map(stage, range(4))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512, num_classes)


@network(_PAPER, _CLIP)
def r3d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions."""
    return VideoResNet(unit(in_channels, 64, (3, 7, 7), (1, 2, 2)), full, full, num_classes)


@network(_PAPER, _CLIP)
def mc3_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions in the first stage and 2-d ones after it."""
    return VideoResNet(unit(in_channels, 64, (3, 7, 7), (1, 2, 2)), full, flat, num_classes)


@network(_PAPER, _CLIP)
def r2plus1d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions factored into space and time."""
    stem = [*unit(in_channels, 45, (1, 7, 7), (1, 2, 2)), *unit(45, 64, (3, 1, 1))]
    return VideoResNet(stem, factored, factored, num_classes)
