"""Video ResNets of 18 layers: 3-d convolutions, 3-d ones in the first stage only, and 2-d ones followed by 1-d.

Tran et al. 2017, arXiv:1711.11248, sections 3.2, 3.3 and 3.5 (R3D, MC3, R(2+1)D). Attribute names as in torchvision.
Inputs are clips: (N, C, frames, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network

_PAPER = "Tran et al. 2017, arXiv:1711.11248"

Triple = tuple[int, int, int]
Conv = Callable[[int, int, int, int], Any]
"""A block's convolution from input channels, channels, channels between the two of (2+1)D, and stride."""


def conv(c_in: int, c: int, kernel: Triple, stride: Triple | int = 1) -> nn.Conv3d:
    """A convolution padded to keep the size, without bias."""
    return nn.Conv3d(c_in, c, kernel, stride, tuple(k // 2 for k in kernel), bias=False)


def full(c_in: int, c: int, between: int, stride: int) -> nn.Conv3d:
    """3 x 3 x 3."""
    return conv(c_in, c, (3, 3, 3), stride)


def flat(c_in: int, c: int, between: int, stride: int) -> nn.Conv3d:
    """1 x 3 x 3: each frame by itself."""
    return conv(c_in, c, (1, 3, 3), (1, stride, stride))


def factored(c_in: int, c: int, between: int, stride: int) -> nn.Sequential:
    """1 x 3 x 3, then 3 x 1 x 1."""
    within = conv(c_in, between, (1, 3, 3), (1, stride, stride))
    return nn.Sequential(within, nn.BatchNorm3d(between), nn.ReLU(), conv(between, c, (3, 1, 1), (stride, 1, 1)))


class BasicBlock(nn.Module):
    """Two convolutions, and the input added."""

    def __init__(self, make: Conv, c_in: int, c: int, stride: int) -> None:
        between = 27 * c_in * c // (9 * c_in + 3 * c)  # as many weights as 3 x 3 x 3 would have
        self.conv1 = nn.Sequential(make(c_in, c, between, stride), nn.BatchNorm3d(c), nn.ReLU())
        self.conv2 = nn.Sequential(make(c, c, between, 1), nn.BatchNorm3d(c))
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1 or c_in != c:
            in_time = 1 if make is flat else stride
            projection = conv(c_in, c, (1, 1, 1), (in_time, stride, stride))
            self.downsample = nn.Sequential(projection, nn.BatchNorm3d(c))

    def forward(self, x: Any) -> Any:
        """The block's output."""
        y = self.conv2(self.conv1(x))
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class VideoResNet(nn.Module):
    """A stem, four stages of two blocks, the mean over frames and positions, one dense layer."""

    def __init__(self, stem: nn.Sequential, kinds: tuple[Conv, Conv, Conv, Conv], num_classes: int) -> None:
        def stage(i: int) -> nn.Sequential:
            c, stride = 64 * 2**i, 2 if i else 1
            return nn.Sequential(BasicBlock(kinds[i], c // stride, c, stride), BasicBlock(kinds[i], c, c, 1))

        self.stem = stem
        self.layer1, self.layer2, self.layer3, self.layer4 = map(stage, range(4))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return self.fc(self.avgpool(x).flatten(1))


def _stem(in_channels: int) -> nn.Sequential:
    return nn.Sequential(conv(in_channels, 64, (3, 7, 7), (1, 2, 2)), nn.BatchNorm3d(64), nn.ReLU())


@network(input=(3, 16, 112, 112), paper=_PAPER)
def r3d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions."""
    return VideoResNet(_stem(in_channels), (full, full, full, full), num_classes)


@network(input=(3, 16, 112, 112), paper=_PAPER)
def mc3_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions in the first stage and 2-d ones after it."""
    return VideoResNet(_stem(in_channels), (full, flat, flat, flat), num_classes)


@network(input=(3, 16, 112, 112), paper=_PAPER)
def r2plus1d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions factored into space and time."""
    space = [conv(in_channels, 45, (1, 7, 7), (1, 2, 2)), nn.BatchNorm3d(45), nn.ReLU()]
    stem = nn.Sequential(*space, conv(45, 64, (3, 1, 1)), nn.BatchNorm3d(64), nn.ReLU())
    return VideoResNet(stem, (factored, factored, factored, factored), num_classes)
