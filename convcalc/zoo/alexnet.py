"""AlexNet of 2012 with its two groups, the later AlexNet in one tower, and ZFNet.

AlexNet: Krizhevsky et al. 2012, *ImageNet classification with deep convolutional neural networks*; Krizhevsky 2014,
arXiv:1404.5997, with torchvision's dense layers. The paper of 2012 says 224 x 224, but its own sizes (55 x 55 after the
first convolution) require 227 x 227.

ZFNet: Zeiler and Fergus 2013, arXiv:1311.2901, figure 3, which prints sizes (110, 55, 26, 13, 13, 13, 13, 6) and no
parameter count. Poolings round up, or 110 would not become 55. Its contrast normalisation is taken to be AlexNet's
response normalisation.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, convs, dense_head


def conv(c_in: int, c: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> list[Any]:
    """Return a convolution and its rectifier."""
    return [nn.Conv2d(c_in, c, kernel, stride, padding, groups=groups), nn.ReLU()]


def pool(ceil_mode: bool = True) -> nn.MaxPool2d:
    """Return a max pooling of 3 x 3 with stride 2; ``ceil_mode`` rounds sizes up."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=ceil_mode)


class AlexNet(Chain):
    """Five convolutions and three dense layers."""


@network("Krizhevsky 2014, arXiv:1404.5997")
def alexnet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNet:
    """AlexNet in one tower, as in torchvision."""
    features = nn.Sequential(
        *conv(in_channels, 64, 11, 4, 2),
        pool(ceil_mode=False),
        *conv(64, 192, 5, padding=2),
        pool(ceil_mode=False),
        *convs(192, (384, 256, 256)),
        pool(ceil_mode=False),
    )
    head = dense_head(256 * 6 * 6, num_classes, dropout)
    classifier = nn.Sequential(nn.Dropout(dropout), *head[:5], head[6])
    return AlexNet(features=features, avgpool=nn.AdaptiveAvgPool2d(6), classifier=classifier)


class AlexNet2012(Chain):
    """AlexNet with two groups, one for each of the paper's two GPUs."""

    flat = "features"


@network("Krizhevsky et al. 2012, NIPS 25", (3, 227, 227))
def alexnet_2012(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNet2012:
    """AlexNet as published: 60,965,224 parameters."""
    features = nn.Sequential(
        *conv(in_channels, 96, 11, 4),
        nn.LocalResponseNorm(5, k=2.0),
        pool(ceil_mode=False),
        *conv(96, 256, 5, padding=2, groups=2),
        nn.LocalResponseNorm(5, k=2.0),
        pool(ceil_mode=False),
        *conv(256, 384, 3, padding=1),
        *conv(384, 384, 3, padding=1, groups=2),
        *conv(384, 256, 3, padding=1, groups=2),
        pool(ceil_mode=False),
    )
    return AlexNet2012(features=features, classifier=dense_head(256 * 6 * 6, num_classes, dropout))


class ZFNet(Chain):
    """AlexNet with a smaller first kernel."""

    flat = "features"


@network("Zeiler and Fergus 2013, arXiv:1311.2901")
def zfnet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> ZFNet:
    """ZFNet: 62,357,608 parameters; accepts 207 x 207 to 238 x 238."""
    features = nn.Sequential(
        *conv(in_channels, 96, 7, 2, 1),
        pool(),
        nn.LocalResponseNorm(5, k=2.0),
        *conv(96, 256, 5, 2),
        pool(),
        nn.LocalResponseNorm(5, k=2.0),
        *convs(256, (384, 384, 256)),
        pool(),
    )
    return ZFNet(features=features, classifier=dense_head(256 * 6 * 6, num_classes, dropout))
