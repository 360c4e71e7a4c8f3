"""AlexNet: the network of 2012 with its two groups, and the later one in one tower.

Krizhevsky et al. 2012, *ImageNet classification with deep convolutional neural networks*; Krizhevsky 2014,
arXiv:1404.5997, with torchvision's dense layers and attribute names. The paper of 2012 says 224 x 224; its own sizes
(55 x 55 after the first convolution) need 227 x 227.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network


class AlexNet(nn.Module):
    """Five convolutions, a pooling to 6 x 6, three dense layers."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet2012(nn.Module):
    """Two groups in the second, fourth and fifth convolution, response normalisation after the first two."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 96, 11, stride=4),
            nn.ReLU(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.features(x).flatten(1))


@network(input=(3, 224, 224), paper="Krizhevsky 2014, arXiv:1404.5997")
def alexnet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNet:
    """AlexNet in one tower, as in torchvision."""
    return AlexNet(num_classes, in_channels, dropout)


@network(input=(3, 227, 227), paper="Krizhevsky et al. 2012, NIPS 25")
def alexnet_2012(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNet2012:
    """AlexNet as published: 60,965,224 parameters."""
    return AlexNet2012(num_classes, in_channels, dropout)
