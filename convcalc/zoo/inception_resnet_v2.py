"""Inception-ResNet v2: inception modules whose result is scaled and added to their input.

Szegedy et al. 2016, arXiv:1602.07261, as in the authors' released model (55.8 million parameters). The paper's figures
contradict one another: its modules add 1154 and 2048 channels (figures 17 and 19) to inputs of 1152 and 2144, and it
prints no number of parameters. The release has Inception v3's stem, and 10, 20 and 10 modules on 320, 1088 and 2080
channels.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import Branches, ConvNorm
from convcalc.zoo.inception_v4 import COLUMN, NARROW, ROW, TALL, average, chain
from convcalc.zoo.registry import network


class Residual(nn.Module):
    """Branches, a 1 x 1 convolution to the input's channels, scaled, and the input added."""

    def __init__(self, c: int, scale: float, *branches: Any, width: int, active: bool = True) -> None:
        self.mixed = Branches(*branches)
        self.conv = nn.Conv2d(width, c, 1)
        self.scale = scale
        self.relu = nn.ReLU() if active else None

    def forward(self, x: Any) -> Any:
        """The module's output."""
        y = x + self.conv(self.mixed(x)) * self.scale
        return self.relu(y) if self.relu else y


def block35() -> Residual:
    """On 35 x 35."""
    double = chain(320, (32, 1), (48, 3), (64, 3))
    return Residual(320, 0.17, chain(320, (32, 1)), chain(320, (32, 1), (32, 3)), double, width=128)


def block17() -> Residual:
    """On 17 x 17."""
    factored = chain(1088, (128, 1), (160, ROW), (192, COLUMN))
    return Residual(1088, 0.1, chain(1088, (192, 1)), factored, width=384)


def block8(active: bool = True) -> Residual:
    """On 8 x 8; the last one is not activated."""
    factored = chain(2080, (192, 1), (224, NARROW), (256, TALL))
    return Residual(2080, 0.2 if active else 1.0, chain(2080, (192, 1)), factored, width=448, active=active)


def stem(in_channels: int) -> nn.Sequential:
    """Five convolutions and two poolings, and a module of four branches."""
    return nn.Sequential(
        chain(in_channels, (32, 3), strided=True),
        chain(32, (32, 3), valid=True),
        chain(32, (64, 3)),
        nn.MaxPool2d(3, stride=2),
        ConvNorm(64, 80, 1),
        chain(80, (192, 3), valid=True),
        nn.MaxPool2d(3, stride=2),
        Branches(
            chain(192, (96, 1)),
            chain(192, (48, 1), (64, 5)),
            chain(192, (64, 1), (96, 3), (96, 3)),
            average(192, 64),
        ),
    )


def reduction_a() -> Branches:
    """From 35 x 35 to 17 x 17."""
    double = chain(320, (256, 1), (256, 3), (384, 3), strided=True)
    return Branches(chain(320, (384, 3), strided=True), double, nn.MaxPool2d(3, stride=2))


def reduction_b() -> Branches:
    """From 17 x 17 to 8 x 8."""
    return Branches(
        chain(1088, (256, 1), (384, 3), strided=True),
        chain(1088, (256, 1), (288, 3), strided=True),
        chain(1088, (256, 1), (288, 3), (320, 3), strided=True),
        nn.MaxPool2d(3, stride=2),
    )


class InceptionResNetV2(nn.Module):
    """The stem, residual modules on three grids, a 1 x 1 convolution, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.stem = stem(in_channels)
        self.block35 = nn.Sequential(*[block35() for _ in range(10)])
        self.reduction_a = reduction_a()
        self.block17 = nn.Sequential(*[block17() for _ in range(20)])
        self.reduction_b = reduction_b()
        self.block8 = nn.Sequential(*[block8(active=i < 9) for i in range(10)])
        self.conv = ConvNorm(2080, 1536, 1)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1536, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.reduction_a(self.block35(self.stem(x)))
        x = self.conv(self.block8(self.reduction_b(self.block17(x))))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


@network(input=(3, 299, 299), paper="Szegedy et al. 2016, arXiv:1602.07261")
def inception_resnet_v2(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> InceptionResNetV2:
    """Inception-ResNet v2: 55,843,464 parameters."""
    return InceptionResNetV2(num_classes, in_channels, dropout)
