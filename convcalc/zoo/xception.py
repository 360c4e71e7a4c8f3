"""Xception: separable convolutions with shortcuts.

Chollet 2016, arXiv:1610.02357, figure 5. The published 22,855,952 parameters (table 3) are exact.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, conv_norm


def separable(c_in: int, c: int) -> nn.Sequential:
    """Return a 3 x 3 convolution per channel, a 1 x 1 convolution, and normalisation."""
    within = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
    return nn.Sequential(within, *conv_norm(c_in, c, 1, act=None))


class Block(nn.Module):
    """Separable convolutions, each after a rectifier; with ``strides``, a pooling follows, the input is projected."""

    def __init__(self, c_in: int, *channels: int, strides: bool = True, starts_active: bool = True) -> None:
        self.steps = nn.Sequential()
        for i, (before, c) in enumerate(zip((c_in, *channels), channels)):
            if i or starts_active:
                self.steps.append(nn.ReLU())
            self.steps.append(separable(before, c))
        self.skip = None
        if strides:
            self.steps.append(nn.MaxPool2d(3, stride=2, padding=1))
            self.skip = conv_norm(c_in, channels[-1], 1, stride=2, act=None)

    def forward(self, x: Any) -> Any:
        return self.steps(x) + (self.skip(x) if self.skip else x)


class Xception(Chain):
    """Entry flow, middle flow and exit flow."""


@network("Chollet 2016, arXiv:1610.02357", (3, 299, 299))
def xception(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> Xception:
    """Xception: 22,855,952 parameters, as published."""
    stem = nn.Sequential()
    for c_in, c, stride in (in_channels, 32, 2), (32, 64, 1):
        stem.extend([nn.Conv2d(c_in, c, 3, stride=stride, bias=False), nn.BatchNorm2d(c), nn.ReLU()])
    first, last = Block(64, 128, 128, starts_active=False), separable(1536, 2048)
    return Xception(
        stem=stem,
        entry=nn.Sequential(first, Block(128, 256, 256), Block(256, 728, 728)),
        middle=nn.Sequential(*[Block(728, 728, 728, 728, strides=False) for _ in range(8)]),
        exit=nn.Sequential(Block(728, 728, 1024), separable(1024, 1536), nn.ReLU(), last, nn.ReLU()),
        avgpool=nn.AdaptiveAvgPool2d(1),
        dropout=nn.Dropout(dropout),
        fc=nn.Linear(2048, num_classes),
    )
