"""Inception v4.

Szegedy et al. 2016, arXiv:1602.07261, figures 3 to 9; no shortcuts. The paper prints no number of parameters; the
authors' released model has this network's 42.7 million. Figure 5 repeats 1 x 7 where the release has 1 x 7 and 7 x 1.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import Branches, ConvNorm, Size
from convcalc.zoo.registry import network

ROW, COLUMN, NARROW, TALL = (1, 7), (7, 1), (1, 3), (3, 1)


def chain(c_in: int, *steps: tuple[int, Size], strided: bool = False, valid: bool = False) -> nn.Sequential:
    """Convolutions in order, given as channels and kernel; the last may have stride 2 or no padding."""
    units = nn.Sequential()
    for i, (c, kernel) in enumerate(steps):
        last = i == len(steps) - 1
        sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        padding = 0 if last and (strided or valid) else tuple(k // 2 for k in sides)
        units.append(ConvNorm(c_in, c, kernel, 2 if last and strided else 1, padding))
        c_in = c
    return units


def average(c_in: int, c: int) -> nn.Sequential:
    """The mean over 3 x 3 and a 1 x 1 convolution."""
    return nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), ConvNorm(c_in, c, 1))


def inception_a() -> Branches:
    """Figure 4, on 35 x 35."""
    double = chain(384, (64, 1), (96, 3), (96, 3))
    return Branches(chain(384, (96, 1)), chain(384, (64, 1), (96, 3)), double, average(384, 96))


def inception_b() -> Branches:
    """Figure 5, on 17 x 17."""
    single = chain(1024, (192, 1), (224, ROW), (256, COLUMN))
    double = chain(1024, (192, 1), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW))
    return Branches(chain(1024, (384, 1)), single, double, average(1024, 128))


def inception_c() -> Branches:
    """Figure 6, on 8 x 8."""
    single = nn.Sequential(chain(1536, (384, 1)), Branches(chain(384, (256, NARROW)), chain(384, (256, TALL))))
    narrow_tall = chain(1536, (384, 1), (448, TALL), (512, NARROW))
    double = nn.Sequential(narrow_tall, Branches(chain(512, (256, NARROW)), chain(512, (256, TALL))))
    return Branches(chain(1536, (256, 1)), single, double, average(1536, 256))


def stem(in_channels: int) -> nn.Sequential:
    """Figure 3."""
    factored = chain(160, (64, 1), (64, ROW), (64, COLUMN), (96, 3), valid=True)
    return nn.Sequential(
        chain(in_channels, (32, 3), strided=True),
        chain(32, (32, 3), valid=True),
        chain(32, (64, 3)),
        Branches(nn.MaxPool2d(3, stride=2), chain(64, (96, 3), strided=True)),
        Branches(chain(160, (64, 1), (96, 3), valid=True), factored),
        Branches(chain(192, (192, 3), strided=True), nn.MaxPool2d(3, stride=2)),
    )


def reduction_a() -> Branches:
    """Figure 7 with the widths of table 1: from 35 x 35 to 17 x 17."""
    double = chain(384, (192, 1), (224, 3), (256, 3), strided=True)
    return Branches(chain(384, (384, 3), strided=True), double, nn.MaxPool2d(3, stride=2))


def reduction_b() -> Branches:
    """Figure 8: from 17 x 17 to 8 x 8."""
    factored = chain(1024, (256, 1), (256, ROW), (320, COLUMN), (320, 3), strided=True)
    return Branches(chain(1024, (192, 1), (192, 3), strided=True), factored, nn.MaxPool2d(3, stride=2))


class InceptionV4(nn.Module):
    """The stem, modules on three grids with reductions between, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.stem = stem(in_channels)
        self.inception_a = nn.Sequential(*[inception_a() for _ in range(4)])
        self.reduction_a = reduction_a()
        self.inception_b = nn.Sequential(*[inception_b() for _ in range(7)])
        self.reduction_b = reduction_b()
        self.inception_c = nn.Sequential(*[inception_c() for _ in range(3)])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1536, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.reduction_a(self.inception_a(self.stem(x)))
        x = self.inception_c(self.reduction_b(self.inception_b(x)))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


@network(input=(3, 299, 299), paper="Szegedy et al. 2016, arXiv:1602.07261")
def inception_v4(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> InceptionV4:
    """Inception v4: 42,679,816 parameters."""
    return InceptionV4(num_classes, in_channels, dropout)
