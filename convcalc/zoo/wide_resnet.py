"""Wide ResNet for CIFAR: few layers, many channels; that for ImageNet stands in `resnext`.

Zagoruyko and Komodakis 2016, arXiv:1605.07146, table 1: depth 6n + 4, channels k times those of ResNet. WRN-28-10 is
published at 36.5M parameters (table 4), exact to that digit. Its 28 layers count the three projections in; on the
longest path lie 26 with weights.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo.registry import network


class WideBlock(nn.Module):
    """Normalisation and rectifier before each of two 3 x 3 convolutions; the input added, projected if it must be."""

    def __init__(self, c_in: int, c: int, stride: int, dropout: float) -> None:
        self.bn1 = nn.BatchNorm2d(c_in)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(c_in, c, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.shortcut = None if c_in == c else nn.Conv2d(c_in, c, 1, stride=stride, bias=False)

    def forward(self, x: Any) -> Any:
        """The block's output."""
        active = self.relu(self.bn1(x))
        y = self.conv2(self.dropout(self.relu(self.bn2(self.conv1(active)))))
        return y + (self.shortcut(active) if self.shortcut else x)


class CifarWideResNet(nn.Module):
    """A 3 x 3 stem, three stages, the last activation, the mean over positions, one dense layer."""

    def __init__(self, depth: int, width: int, num_classes: int, in_channels: int, dropout: float) -> None:
        if depth < 10 or depth % 6 != 4:
            raise SpecError(f"depth must be 10, 16, 22, 28, ... (6n + 4); received {depth}", where="CifarWideResNet")

        def stage(i: int) -> nn.Sequential:
            c_in, c = (8 * width * 2**i if i else 16), 16 * width * 2**i
            first = WideBlock(c_in, c, 2 if i else 1, dropout)
            return nn.Sequential(first, *[WideBlock(c, c, 1, dropout) for _ in range(1, (depth - 4) // 6)])

        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.conv2, self.conv3, self.conv4 = map(stage, range(3))
        self.bn = nn.BatchNorm2d(64 * width)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64 * width, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.relu(self.bn(self.conv4(self.conv3(self.conv2(self.conv1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


@network(input=(3, 32, 32), paper="Zagoruyko and Komodakis 2016, arXiv:1605.07146")
def wrn_28_10(
    num_classes: int = 10, in_channels: int = 3, depth: int = 28, width: int = 10, dropout: float = 0.0
) -> CifarWideResNet:
    """WRN-28-10 for CIFAR-10: 36,479,194 parameters (published: 36.5M); other depths and widths as settings."""
    return CifarWideResNet(depth, width, num_classes, in_channels, dropout)
