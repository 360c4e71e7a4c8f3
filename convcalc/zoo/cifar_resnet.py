"""ResNet for CIFAR-10 with 20 to 1202 weighted layers.

He et al. 2015, arXiv:1512.03385, section 4.2 and table 6: 6n + 2 layers, 0.27M, 0.46M, 0.66M, 0.85M, 1.7M and 19.4M
parameters, exact to those digits. Shortcuts have no parameters: where the shape changes they skip every second
position and fill new channels with zeros (option A).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network

_PAPER = "He et al. 2015, arXiv:1512.03385"


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, and the input added."""

    def __init__(self, c_in: int, c: int) -> None:
        grows = c != c_in
        self.conv1 = nn.Conv2d(c_in, c, 3, stride=2 if grows else 1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.pad = nn.ConstantPad3d((0, 0, 0, 0, c_in // 2, c_in - c_in // 2), 0) if grows else None

    def forward(self, x: Any) -> Any:
        """The block's output."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (self.pad(x[:, :, ::2, ::2]) if self.pad else x))


class CifarResNet(nn.Module):
    """A 3 x 3 stem, three stages of ``n`` blocks, the mean over positions, one dense layer."""

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

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet20(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-20 for CIFAR-10: 269,722 parameters (published: 0.27M)."""
    return CifarResNet(3, num_classes, in_channels, width)


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet32(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-32 for CIFAR-10: 464,154 parameters (published: 0.46M)."""
    return CifarResNet(5, num_classes, in_channels, width)


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet44(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-44 for CIFAR-10: 658,586 parameters (published: 0.66M)."""
    return CifarResNet(7, num_classes, in_channels, width)


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet56(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-56 for CIFAR-10: 853,018 parameters (published: 0.85M)."""
    return CifarResNet(9, num_classes, in_channels, width)


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet110(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-110 for CIFAR-10: 1,727,962 parameters (published: 1.7M)."""
    return CifarResNet(18, num_classes, in_channels, width)


@network(input=(3, 32, 32), paper=_PAPER)
def cifar_resnet1202(num_classes: int = 10, in_channels: int = 3, width: int = 16) -> CifarResNet:
    """ResNet-1202 for CIFAR-10: 19,421,274 parameters (published: 19.4M)."""
    return CifarResNet(200, num_classes, in_channels, width)
