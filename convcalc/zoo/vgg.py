"""VGG with 11 to 19 weighted layers, with and without batch normalisation.

Simonyan and Zisserman 2014, arXiv:1409.1556, table 1: configurations A, B, D and E.
"""

from __future__ import annotations

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, convs, dense_head

_PAPER = "Simonyan and Zisserman 2014, arXiv:1409.1556"

A, B, D, E = (1, 1, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)
"""Number of convolutions before each of the five poolings."""


class VGG(Chain):
    """Five stages and three dense layers; ``width`` is the number of channels in the first stage."""

    def __init__(self, plan: tuple[int, ...], norm: bool, classes: int, c_in: int, width: int, dropout: float) -> None:
        self.features = nn.Sequential()
        for stage, repeats in enumerate(plan):
            c = width * min(2**stage, 8)
            self.features.extend([*convs(c_in, (c,) * repeats, norm), nn.MaxPool2d(2)])
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = dense_head(c_in * 7 * 7, classes, dropout)


@network(_PAPER)
def vgg11(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-11, configuration A."""
    return VGG(A, False, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg11_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-11, configuration A, with batch normalisation."""
    return VGG(A, True, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg13(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-13, configuration B."""
    return VGG(B, False, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg13_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-13, configuration B, with batch normalisation."""
    return VGG(B, True, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg16(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-16, configuration D."""
    return VGG(D, False, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg16_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-16, configuration D, with batch normalisation."""
    return VGG(D, True, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg19(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-19, configuration E."""
    return VGG(E, False, num_classes, in_channels, width, dropout)


@network(_PAPER)
def vgg19_bn(num_classes: int = 1000, in_channels: int = 3, width: int = 64, dropout: float = 0.5) -> VGG:
    """VGG-19, configuration E, with batch normalisation."""
    return VGG(E, True, num_classes, in_channels, width, dropout)
