"""VGG with 11, 13, 16 and 19 weighted layers, with and without batch normalisation.

Simonyan and Zisserman 2014, arXiv:1409.1556, table 1: configurations A, B, D and E. Attribute names as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network

A, B, D, E = (1, 1, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)
"""Convolutions before each of the five poolings."""

_PAPER = "Simonyan and Zisserman 2014, arXiv:1409.1556"


class VGG(nn.Module):
    """Five stages of 3 x 3 convolutions, a pooling to 7 x 7, three dense layers; ``width`` is the first stage's."""

    def __init__(
        self, stages: tuple[int, ...], norm: bool, num_classes: int, in_channels: int, width: int, dropout: float
    ) -> None:
        self.features = nn.Sequential()
        for stage, repeats in enumerate(stages):
            channels = width * min(2**stage, 8)
            for _ in range(repeats):
                self.features.append(nn.Conv2d(in_channels, channels, 3, padding=1))
                if norm:
                    self.features.append(nn.BatchNorm2d(channels))
                self.features.append(nn.ReLU())
                in_channels = channels
            self.features.append(nn.MaxPool2d(2))
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(in_channels * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@network(input=(3, 224, 224), paper=_PAPER)
def vgg11(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-11, configuration A."""
    return VGG(A, False, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg11_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-11, configuration A, with batch normalisation."""
    return VGG(A, True, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg13(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-13, configuration B."""
    return VGG(B, False, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg13_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-13, configuration B, with batch normalisation."""
    return VGG(B, True, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg16(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-16, configuration D."""
    return VGG(D, False, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg16_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-16, configuration D, with batch normalisation."""
    return VGG(D, True, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg19(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-19, configuration E."""
    return VGG(E, False, num_classes, in_channels, width, dropout)


@network(input=(3, 224, 224), paper=_PAPER)
def vgg19_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-19, configuration E, with batch normalisation."""
    return VGG(E, True, num_classes, in_channels, width, dropout)
