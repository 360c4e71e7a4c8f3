"""Darknet-53: residual blocks of 1 x 1 and 3 x 3, the body of YOLO v3.

Redmon and Farhadi 2018, arXiv:1804.02767, table 1. Published (table 2): 18.7 Bn operations at 256 x 256, where the
convolutions have 18.57 (two for each multiply–accumulate); no number of parameters.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network

REPEATS = (1, 2, 8, 8, 4)
"""Residual blocks after each halving."""


def unit(c_in: int, c: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution padded to keep the size, normalisation, leaky rectifier."""
    conv = nn.Conv2d(c_in, c, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential({"conv": conv, "bn": nn.BatchNorm2d(c), "act": nn.LeakyReLU(0.1)})


class Residual(nn.Module):
    """1 x 1 to half the channels, 3 x 3 back, and the input added."""

    def __init__(self, c: int) -> None:
        self.conv1 = unit(c, c // 2, 1)
        self.conv2 = unit(c // 2, c, 3)

    def forward(self, x: Any) -> Any:
        """The block's output."""
        return x + self.conv2(self.conv1(x))


class Body(nn.Module):
    """A 3 x 3 stem and five stages, each half the size and twice the channels of the one before."""

    def __init__(self, in_channels: int, width: int) -> None:
        self.conv = unit(in_channels, width, 3)
        self.stages = nn.ModuleList()
        for i, repeats in enumerate(REPEATS, 1):
            c = width * 2**i
            self.stages.append(nn.Sequential(unit(c // 2, c, 3, 2), *[Residual(c) for _ in range(repeats)]))

    def forward(self, x: Any) -> list[Any]:
        """The stages' outputs."""
        outputs = [self.conv(x)]
        for stage in self.stages:
            outputs.append(stage(outputs[-1]))
        return outputs[1:]


class Darknet(nn.Module):
    """The body, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, width: int) -> None:
        self.body = Body(in_channels, width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(32 * width, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.fc(self.avgpool(self.body(x)[-1]).flatten(1))


@network(input=(3, 256, 256), paper="Redmon and Farhadi 2018, arXiv:1804.02767")
def darknet53(num_classes: int = 1000, in_channels: int = 3, width: int = 32) -> Darknet:
    """Darknet-53: 41,609,928 parameters; ``width`` is the stem's channels."""
    return Darknet(num_classes, in_channels, width)
