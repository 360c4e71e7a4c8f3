"""SqueezeNet 1.0 and 1.1.

Iandola et al. 2016, arXiv:1602.07360, table 1; 1.1, which pools earlier, follows the authors' repository.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "Iandola et al. 2016, arXiv:1602.07360"


class Fire(nn.Module):
    """A 1 x 1 convolution that squeezes the channels, and two convolutions side by side that expand them."""

    def __init__(self, c_in: int, squeeze: int) -> None:
        self.squeeze = nn.Conv2d(c_in, squeeze, 1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeeze, 4 * squeeze, 1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeeze, 4 * squeeze, 3, padding=1)
        self.expand3x3_activation = nn.ReLU()
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        x = self.squeeze_activation(self.squeeze(x))
        return self.cat(self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x)))


class SqueezeNet(Chain):
    """Fire modules between two convolutions; ``fires`` lists their squeezed channels, with 0 for a pooling."""

    flat = "classifier"

    def __init__(self, c: int, kernel: int, fires: tuple[int, ...], classes: int, c_in: int, dropout: float) -> None:
        self.features = nn.Sequential(nn.Conv2d(c_in, c, kernel, stride=2), nn.ReLU())
        for squeeze in fires:
            self.features.append(Fire(c, squeeze) if squeeze else nn.MaxPool2d(3, stride=2, ceil_mode=True))
            c = 8 * squeeze or c
        conv = nn.Conv2d(512, classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1))


@network(_PAPER)
def squeezenet1_0(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> SqueezeNet:
    """SqueezeNet 1.0: AlexNet's accuracy with 1.2 million parameters."""
    return SqueezeNet(96, 7, (0, 16, 16, 32, 0, 32, 48, 48, 64, 0, 64), num_classes, in_channels, dropout)


@network(_PAPER)
def squeezenet1_1(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> SqueezeNet:
    """SqueezeNet 1.1: less than half the MACs of 1.0."""
    return SqueezeNet(64, 3, (0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64), num_classes, in_channels, dropout)
