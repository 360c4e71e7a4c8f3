"""DenseNet with 121 to 201 weighted layers, each of which reads all earlier maps of its block; DenseNet-BC for CIFAR.

Huang et al. 2016, arXiv:1608.06993, table 1 (the form with bottlenecks and compression). For CIFAR, section 3 and table
2: three dense blocks on maps of 32 x 32, 16 x 16 and 8 x 8, depth 100, growth 12, 0.8M parameters, exact to that digit.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "Huang et al. 2016, arXiv:1608.06993"


class DenseLayer(nn.Module):
    """Convolutions of 1 x 1 and 3 x 3 on all maps so far, each after normalisation and rectifier."""

    def __init__(self, c_in: int, growth: int) -> None:
        self.cat = nn.Cat(1)
        self.norm1 = nn.BatchNorm2d(c_in)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, *maps: Any) -> Any:
        x = self.conv1(self.relu1(self.norm1(self.cat(*maps))))
        return self.conv2(self.relu2(self.norm2(x)))


class DenseBlock(nn.Module):
    """Layers, each of which reads the block's input and all outputs before its own."""

    def __init__(self, c_in: int, growth: int, layers: int) -> None:
        self.layers = [DenseLayer(c_in + i * growth, growth) for i in range(layers)]
        vars(self).update({f"denselayer{i}": layer for i, layer in enumerate(self.layers, 1)})
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        maps = [x]
        for layer in self.layers:
            maps.append(layer(*maps))
        return self.cat(*maps)


def transition(c: int) -> nn.Sequential:
    """Return the layers between two blocks, which halve the channels and the size."""
    conv = nn.Conv2d(c, c // 2, 1, bias=False)
    return nn.Sequential({"norm": nn.BatchNorm2d(c), "relu": nn.ReLU(), "conv": conv, "pool": nn.AvgPool2d(2)})


class DenseNet(Chain):
    """A stem of ``c`` channels, dense blocks with transitions between them, and a dense layer."""

    def __init__(self, stem: dict[str, Any], blocks: tuple[int, ...], growth: int, c: int, num_classes: int) -> None:
        for i, layers in enumerate(blocks, 1):
            if i > 1:
                stem[f"transition{i - 1}"] = transition(c)
                c //= 2
            stem[f"denseblock{i}"] = DenseBlock(c, growth, layers)
            c += layers * growth
        self.features = nn.Sequential({**stem, "norm5": nn.BatchNorm2d(c)})
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c, num_classes)


def large(blocks: tuple[int, ...], growth: int, width: int, num_classes: int, in_channels: int) -> DenseNet:
    """Return a DenseNet for ImageNet, whose stem has ``width`` channels."""
    stem = {
        "conv0": nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=False),
        "norm0": nn.BatchNorm2d(width),
        "relu0": nn.ReLU(),
        "pool0": nn.MaxPool2d(3, stride=2, padding=1),
    }
    return DenseNet(stem, blocks, growth, width, num_classes)


@network(_PAPER)
def densenet121(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-121."""
    return large((6, 12, 24, 16), growth_rate, width, num_classes, in_channels)


@network(_PAPER)
def densenet161(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 48, width: int = 96) -> DenseNet:
    """DenseNet-161, with a growth rate of 48."""
    return large((6, 12, 36, 24), growth_rate, width, num_classes, in_channels)


@network(_PAPER)
def densenet169(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-169."""
    return large((6, 12, 32, 32), growth_rate, width, num_classes, in_channels)


@network(_PAPER)
def densenet201(num_classes: int = 1000, in_channels: int = 3, growth_rate: int = 32, width: int = 64) -> DenseNet:
    """DenseNet-201."""
    return large((6, 12, 48, 32), growth_rate, width, num_classes, in_channels)


class CifarDenseNet(DenseNet):
    """Three dense blocks of equally many layers, for images of 32 x 32."""


@network(_PAPER, (3, 32, 32))
def cifar_densenet_bc_100_12(
    num_classes: int = 10, in_channels: int = 3, depth: int = 100, growth_rate: int = 12
) -> CifarDenseNet:
    """DenseNet-BC for CIFAR-10, 100 layers, growth rate 12: 769,162 parameters (published: 0.8M)."""
    if depth < 10 or depth % 6 != 4:
        raise SpecError(f"depth must be 10, 16, 22, ... (6n + 4); received {depth}", where="CifarDenseNet")
    stem = {"conv0": nn.Conv2d(in_channels, 2 * growth_rate, 3, padding=1, bias=False)}
    return CifarDenseNet(stem, ((depth - 4) // 6,) * 3, growth_rate, 2 * growth_rate, num_classes)
