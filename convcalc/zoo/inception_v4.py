"""Inception v4, and Inception-ResNet v2, whose modules' outputs are scaled and added to their inputs.

Szegedy et al. 2016, arXiv:1602.07261, figures 3 to 9, prints no parameter counts; the authors' released models have
42.7 and 55.8 million, as these networks do. Figure 5 repeats 1 x 7 where the release has 1 x 7 and 7 x 1.

The figures of Inception-ResNet v2 contradict one another: modules add 1154 and 2048 channels (figures 17 and 19) to
inputs of 1152 and 2144. The release has Inception v3's stem, and 10, 20 and 10 modules on 320, 1088 and 2080 channels.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Branches, Chain, ConvNorm, Size
from convcalc.zoo.inception import COLUMN, DOUBLE, NARROW, ROW, TALL

_PAPER = "Szegedy et al. 2016, arXiv:1602.07261"


def chain(c_in: int, *steps: tuple[int, Size], strided: bool = False, valid: bool = False) -> nn.Sequential:
    """Return convolutions in a row, given as channels and kernel; the last may have stride 2 or no padding."""
    units = nn.Sequential()
    for i, (c, kernel) in enumerate(steps, 1):
        last = i == len(steps)
        units.append(ConvNorm(c_in, c, kernel, 2 if last and strided else 1, not (last and (strided or valid))))
        c_in = c
    return units


def average(c_in: int, c: int) -> nn.Sequential:
    """Return an average pooling that keeps the size, and a 1 x 1 convolution."""
    return nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), ConvNorm(c_in, c, 1))


def reduction(c_in: int, *chains: list[tuple[int, Size]]) -> Branches:
    """Return chains of stride 2, side by side with a max pooling of stride 2."""
    return Branches(*[chain(c_in, *steps, strided=True) for steps in chains], nn.MaxPool2d(3, stride=2))


def inception_a() -> Branches:
    """Return the module of figure 4, on 35 x 35."""
    return Branches(chain(384, (96, 1)), chain(384, (64, 1), (96, 3)), chain(384, *DOUBLE), average(384, 96))


def inception_b() -> Branches:
    """Return the module of figure 5, on 17 x 17."""
    single = chain(1024, (192, 1), (224, ROW), (256, COLUMN))
    double = chain(1024, (192, 1), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW))
    return Branches(chain(1024, (384, 1)), single, double, average(1024, 128))


def inception_c() -> Branches:
    """Return the module of figure 6, on 8 x 8."""

    def split(c_in: int) -> Branches:
        return Branches(chain(c_in, (256, NARROW)), chain(c_in, (256, TALL)))

    single = nn.Sequential(chain(1536, (384, 1)), split(384))
    double = nn.Sequential(chain(1536, (384, 1), (448, TALL), (512, NARROW)), split(512))
    return Branches(chain(1536, (256, 1)), single, double, average(1536, 256))


def first_convs(in_channels: int) -> list[nn.Sequential]:
    """Return the three convolutions with which both stems begin."""
    return [chain(in_channels, (32, 3), strided=True), chain(32, (32, 3), valid=True), chain(32, (64, 3))]


def head(c: int, num_classes: int, dropout: float) -> dict[str, Any]:
    """Return, by name, the mean over positions, dropout and the dense layer."""
    return {"avgpool": nn.AdaptiveAvgPool2d(1), "dropout": nn.Dropout(dropout), "fc": nn.Linear(c, num_classes)}


class InceptionV4(Chain):
    """A stem, modules of three kinds, and two reductions between them."""


@network(_PAPER, (3, 299, 299))
def inception_v4(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> InceptionV4:
    """Inception v4: 42,679,816 parameters."""
    factored = chain(160, (64, 1), (64, ROW), (64, COLUMN), (96, 3), valid=True)
    stem = nn.Sequential(
        *first_convs(in_channels),
        Branches(nn.MaxPool2d(3, stride=2), chain(64, (96, 3), strided=True)),
        Branches(chain(160, (64, 1), (96, 3), valid=True), factored),
        reduction(192, [(192, 3)]),
    )
    double: list[tuple[int, Size]] = [(256, 1), (256, ROW), (320, COLUMN), (320, 3)]
    return InceptionV4(
        stem=stem,
        inception_a=nn.Sequential(*[inception_a() for _ in range(4)]),
        reduction_a=reduction(384, [(384, 3)], [(192, 1), (224, 3), (256, 3)]),
        inception_b=nn.Sequential(*[inception_b() for _ in range(7)]),
        reduction_b=reduction(1024, [(192, 1), (192, 3)], double),
        inception_c=nn.Sequential(*[inception_c() for _ in range(3)]),
        **head(1536, num_classes, dropout),
    )


class Residual(nn.Module):
    """Chains of convolutions, then 1 x 1 to the input's channels; the output is scaled and the input added."""

    def __init__(self, c: int, scale: float, *chains: tuple[tuple[int, Size], ...], active: bool = True) -> None:
        self.mixed = Branches(*[chain(c, *steps) for steps in chains])
        self.conv = nn.Conv2d(sum(steps[-1][0] for steps in chains), c, 1)
        self.scale = scale
        self.relu = nn.ReLU() if active else None

    def forward(self, x: Any) -> Any:
        y = x + self.conv(self.mixed(x)) * self.scale
        return self.relu(y) if self.relu else y


class InceptionResNetV2(Chain):
    """A stem, residual modules of three kinds, and two reductions between them."""


@network(_PAPER, (3, 299, 299))
def inception_resnet_v2(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2) -> InceptionResNetV2:
    """Inception-ResNet v2: 55,843,464 parameters."""
    stem = nn.Sequential(
        *first_convs(in_channels),
        nn.MaxPool2d(3, stride=2),
        ConvNorm(64, 80, 1),
        chain(80, (192, 3), valid=True),
        nn.MaxPool2d(3, stride=2),
        Branches(chain(192, (96, 1)), chain(192, (48, 1), (64, 5)), chain(192, *DOUBLE), average(192, 64)),
    )
    branches = ((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))
    factored = (128, 1), (160, ROW), (192, COLUMN)
    tail = ((192, 1),), ((192, 1), (224, NARROW), (256, TALL))
    last = Residual(2080, 1.0, *tail, active=False)
    return InceptionResNetV2(
        stem=stem,
        block35=nn.Sequential(*[Residual(320, 0.17, *branches) for _ in range(10)]),
        reduction_a=reduction(320, [(384, 3)], [(256, 1), (256, 3), (384, 3)]),
        block17=nn.Sequential(*[Residual(1088, 0.1, ((192, 1),), factored) for _ in range(20)]),
        reduction_b=reduction(1088, [(256, 1), (384, 3)], [(256, 1), (288, 3)], [(256, 1), (288, 3), (320, 3)]),
        block8=nn.Sequential(*[Residual(2080, 0.2, *tail) for _ in range(9)], last),
        conv=ConvNorm(2080, 1536, 1),
        **head(1536, num_classes, dropout),
    )
