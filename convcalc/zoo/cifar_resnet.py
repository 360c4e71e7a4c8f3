"""ResNet for CIFAR-10 with 20 to 1202 weighted layers, and Wide ResNet, with fewer layers and more channels.

He et al. 2015, arXiv:1512.03385, section 4.2 and table 6: 6n + 2 layers, 0.27M, 0.46M, 0.66M, 0.85M, 1.7M and 19.4M
parameters, all exact to the digits printed. Shortcuts have no parameters: where the shape changes, they take every
second position and fill the new channels with zeros (option A).

Wide ResNet: Zagoruyko and Komodakis 2016, arXiv:1605.07146, table 1: depth 6n + 4, k times ResNet's channels. WRN-28-10
is published with 36.5M parameters (table 4), exact to the digits printed. Its 28 layers include the three projections;
the longest path has 26 layers with weights.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "He et al. 2015, arXiv:1512.03385"


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, with the input added."""

    def __init__(self, c_in: int, c: int) -> None:
        grows = c != c_in
        self.conv1 = nn.Conv2d(c_in, c, 3, 2 if grows else 1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.pad = nn.ConstantPad3d((0, 0, 0, 0, c_in // 2, c_in - c_in // 2), 0) if grows else None

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (self.pad(x[:, :, ::2, ::2]) if self.pad else x))


class CifarResNet(Chain):
    """A convolution, three stages of ``n`` blocks, and a dense layer."""

    def __init__(self, n: int, num_classes: int, in_channels: int, width: int) -> None:
        def stage(i: int) -> nn.Sequential:
            c = width * 2**i
            return nn.Sequential(BasicBlock(c // 2 if i else c, c), *[BasicBlock(c, c) for _ in range(1, n)])

        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1, self.layer2, self.layer3 = map(stage, range(3))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * width, num_classes)


@network(_PAPER, (3, 32, 32))
def cifar_resnet20(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-20 for CIFAR-10: 269,722 parameters (published: 0.27M)."""
    return CifarResNet(3, num_classes, in_channels, width)


@network(_PAPER, (3, 32, 32))
def cifar_resnet32(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-32 for CIFAR-10: 464,154 parameters (published: 0.46M)."""
    return CifarResNet(5, num_classes, in_channels, width)


@network(_PAPER, (3, 32, 32))
def cifar_resnet44(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-44 for CIFAR-10: 658,586 parameters (published: 0.66M)."""
    return CifarResNet(7, num_classes, in_channels, width)


@network(_PAPER, (3, 32, 32))
def cifar_resnet56(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-56 for CIFAR-10: 853,018 parameters (published: 0.85M)."""
    return CifarResNet(9, num_classes, in_channels, width)


@network(_PAPER, (3, 32, 32))
def cifar_resnet110(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-110 for CIFAR-10: 1,727,962 parameters (published: 1.7M)."""
    return CifarResNet(18, num_classes, in_channels, width)


@network(_PAPER, (3, 32, 32))
def cifar_resnet1202(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-1202 for CIFAR-10: 19,421,274 parameters (published: 19.4M)."""
    return CifarResNet(200, num_classes, in_channels, width)


class WideBlock(nn.Module):
    """Two 3 x 3 convolutions, each after normalisation and rectifier; the input, projected if need be, is added."""

    def __init__(self, c_in: int, c: int, stride: int, dropout: float) -> None:
        self.bn1 = nn.BatchNorm2d(c_in)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(c_in, c, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.shortcut = None if c_in == c else nn.Conv2d(c_in, c, 1, stride, bias=False)

    def forward(self, x: Any) -> Any:
        active = self.relu(self.bn1(x))
        y = self.conv2(self.dropout(self.relu(self.bn2(self.conv1(active)))))
        return y + (self.shortcut(active) if self.shortcut else x)


class CifarWideResNet(Chain):
    """A convolution, three stages ``width`` times as wide as ResNet's, and a dense layer."""

    def __init__(self, depth: int, width: int, num_classes: int, in_channels: int, dropout: float) -> None:
        if depth < 10 or depth % 6 != 4:
            raise SpecError(f"depth must be 10, 16, 22, 28, ... (6n + 4); received {depth}", where="CifarWideResNet")

        def stage(i: int) -> nn.Sequential:
            c_in, c = (8 * width * 2**i if i else 16), 16 * width * 2**i
            first = WideBlock(c_in, c, 2 if i else 1, dropout)
            return nn.Sequential(first, *[WideBlock(c, c, 1, dropout) for _ in range(1, (depth - 4) // 6)])

        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.conv2, self.conv3, self.conv4 = map(stage, range(3))
        self.bn = nn.BatchNorm2d(64 * width)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64 * width, num_classes)


@network("Zagoruyko and Komodakis 2016, arXiv:1605.07146", (3, 32, 32))
def wrn_28_10(
    num_classes: int = 10, in_channels: int = 3, depth: int = 28, width: int = 10, dropout: float = 0.0
) -> CifarWideResNet:
    """WRN-28-10 for CIFAR-10: 36,479,194 parameters (published: 36.5M); settings give other depths and widths."""
    return CifarWideResNet(depth, width, num_classes, in_channels, dropout)
