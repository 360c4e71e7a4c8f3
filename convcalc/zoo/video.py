"""Networks for clips, (N, C, frames, H, W): ResNets of 18 layers, and S3D, GoogLeNet's modules over frames.

ResNets of 3-d convolutions, of 3-d ones in the first stage only, and of 2-d ones followed by 1-d (R3D, MC3, R(2+1)D):
Tran et al. 2017, arXiv:1711.11248, sections 3.2, 3.3 and 3.5.

S3D, factored into space and time: Xie et al. 2017, arXiv:1712.04851, figure 2 and section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Branches, Chain
from convcalc.zoo.googlenet import MODULES, branches

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


_PAPER, _CLIP = "Tran et al. 2017, arXiv:1711.11248", (3, 16, 112, 112)


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


def separable(c_in: int, c: int, k: int, stride: int = 1) -> nn.Sequential:
    """1 x k x k, then k x 1 x 1; 1 x 1 x 1 is one convolution."""
    within = nn.Sequential(*unit(c_in, c, (1, k, k), (1, stride, stride), eps=0.001))
    if k == 1:
        return within
    return nn.Sequential(within, nn.Sequential(*unit(c, c, (k, 1, 1), (stride, 1, 1), eps=0.001)))


class Inception(Branches):
    def __init__(self, *channels: int) -> None:
        super().__init__(*branches(separable, channels, 3, nn.MaxPool3d))


class S3D(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        def pool() -> nn.MaxPool3d:
            return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))

        self.features = nn.Sequential(separable(in_channels, 64, 7, 2), pool(), separable(64, 64, 1))
        self.features.extend([separable(64, 192, 3), pool()])
        pools: dict[str, Any] = {"4a": nn.MaxPool3d(3, stride=2, padding=1), "5a": nn.MaxPool3d(2, stride=2)}
        for name, channels in MODULES.items():
            if name in pools:
                self.features.append(pools[name])
            self.features.append(Inception(*channels))
        self.avgpool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv3d(1024, num_classes, 1))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@network("Xie et al. 2017, arXiv:1712.04851", (3, 16, 224, 224))
def s3d(num_classes: int = 400, in_channels: int = 3, dropout: float = 0.2) -> S3D:
    """S3D, for clips of at least 13 frames of 209 x 209."""
    return S3D(num_classes, in_channels, dropout)
