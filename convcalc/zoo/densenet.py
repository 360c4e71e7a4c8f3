"""DenseNet with 121 to 201 weighted layers: each layer reads all maps before it in its block.

Huang et al. 2016, arXiv:1608.06993, table 1 (the bottlenecked, compressing form). Attribute names as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network

_PAPER = "Huang et al. 2016, arXiv:1608.06993"


class DenseLayer(nn.Module):
    """1 x 1 to four times the growth, 3 x 3 to the growth, each after normalisation and rectifier."""

    def __init__(self, c_in: int, growth: int) -> None:
        self.cat = nn.Cat(1)
        self.norm1 = nn.BatchNorm2d(c_in)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, *maps: Any) -> Any:
        """The layer's new maps."""
        x = self.conv1(self.relu1(self.norm1(self.cat(*maps))))
        return self.conv2(self.relu2(self.norm2(x)))


class DenseBlock(nn.Module):
    """Layers, each on the concatenation of the block's input and all outputs before it."""

    def __init__(self, c_in: int, growth: int, layers: int) -> None:
        self.layers = [DenseLayer(c_in + i * growth, growth) for i in range(layers)]
        vars(self).update({f"denselayer{i}": layer for i, layer in enumerate(self.layers, 1)})
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        """The input and all layers' maps."""
        maps = [x]
        for layer in self.layers:
            maps.append(layer(*maps))
        return self.cat(*maps)


def transition(c: int) -> nn.Sequential:
    """Between blocks: half the channels, half the size."""
    return nn.Sequential(
        {
            "norm": nn.BatchNorm2d(c),
            "relu": nn.ReLU(),
            "conv": nn.Conv2d(c, c // 2, 1, bias=False),
            "pool": nn.AvgPool2d(2),
        }
    )


class DenseNet(nn.Module):
    """A 7 x 7 stem, four dense blocks with transitions between, the mean over positions, one dense layer."""

    def __init__(self, blocks: tuple[int, ...], growth: int, width: int, num_classes: int, in_channels: int) -> None:
        features: dict[str, Any] = {
            "conv0": nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=False),
            "norm0": nn.BatchNorm2d(width),
            "relu0": nn.ReLU(),
            "pool0": nn.MaxPool2d(3, stride=2, padding=1),
        }
        for i, layers in enumerate(blocks, 1):
            features[f"denseblock{i}"] = DenseBlock(width, growth, layers)
            width += layers * growth
            if i < len(blocks):
                features[f"transition{i}"] = transition(width)
                width //= 2
        features["norm5"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(features)
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.relu(self.features(x))).flatten(1))


@network(input=(3, 224, 224), paper=_PAPER)
def densenet121(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-121."""
    return DenseNet((6, 12, 24, 16), growth_rate, width, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def densenet161(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 48, width: int = 96) -> DenseNet:
    """DenseNet-161, of growth 48."""
    return DenseNet((6, 12, 36, 24), growth_rate, width, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def densenet169(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-169."""
    return DenseNet((6, 12, 32, 32), growth_rate, width, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def densenet201(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-201."""
    return DenseNet((6, 12, 48, 32), growth_rate, width, num_classes, in_channels)
