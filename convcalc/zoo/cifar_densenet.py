"""DenseNet-BC for CIFAR: three dense blocks on 32, 16 and 8 positions a side; the blocks are `densenet`'s.

Huang et al. 2016, arXiv:1608.06993, section 3 and table 2: depth 100, growth 12, published at 0.8M parameters, exact
to that digit.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo.densenet import DenseBlock, transition
from convcalc.zoo.registry import network


class CifarDenseNet(nn.Module):
    """A 3 x 3 convolution to twice the growth, three dense blocks, the mean over positions, one dense layer."""

    def __init__(self, depth: int, growth: int, num_classes: int, in_channels: int) -> None:
        if depth < 10 or depth % 6 != 4:
            raise SpecError(f"depth must be 10, 16, 22, ... (6n + 4); received {depth}", where="CifarDenseNet")
        layers, c = (depth - 4) // 6, 2 * growth
        features: dict[str, Any] = {"conv0": nn.Conv2d(in_channels, c, 3, padding=1, bias=False)}
        for i in range(1, 4):
            features[f"denseblock{i}"] = DenseBlock(c, growth, layers)
            c += layers * growth
            if i < 3:
                features[f"transition{i}"] = transition(c)
                c //= 2
        features["norm5"] = nn.BatchNorm2d(c)
        self.features = nn.Sequential(features)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.relu(self.features(x))).flatten(1))


@network(input=(3, 32, 32), paper="Huang et al. 2016, arXiv:1608.06993")
def cifar_densenet_bc_100_12(
    num_classes: int = 10, in_channels: int = 3, depth: int = 100, growth_rate: int = 12
) -> CifarDenseNet:
    """DenseNet-BC for CIFAR-10, 100 layers, growth 12: 769,162 parameters (published: 0.8M)."""
    return CifarDenseNet(depth, growth_rate, num_classes, in_channels)
