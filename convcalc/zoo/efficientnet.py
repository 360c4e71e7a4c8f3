"""EfficientNet B0 to B7, with the compound scaling as settings; the second version's plans stand in `efficientnet_v2`.

Tan and Le 2019, arXiv:1905.11946, table 1: B0; the others scale its width and depth. Attribute names as in
torchvision; its stochastic depth does nothing outside training and has no layer here.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import SqueezeExcite, conv_norm, divisible
from convcalc.zoo.registry import Factor, network

_PAPER = "Tan and Le 2019, arXiv:1905.11946"

Stage = tuple[bool, int, int, int, int, int]
"""Blocks of one shape: fused, expansion, kernel, stride of the first, channels, blocks."""

B0: tuple[Stage, ...] = (
    (False, 1, 3, 1, 16, 1),
    (False, 6, 3, 2, 24, 2),
    (False, 6, 5, 2, 40, 2),
    (False, 6, 3, 2, 80, 3),
    (False, 6, 5, 1, 112, 3),
    (False, 6, 5, 2, 192, 4),
    (False, 6, 3, 1, 320, 1),
)


class MBConv(nn.Module):
    """1 x 1 up, k x k per channel, squeeze and excitation, 1 x 1 down; the input added where the shape allows.

    Fused, one full k x k convolution stands for the first two, without squeeze and excitation.
    """

    def __init__(self, c_in: int, c: int, fused: bool, expansion: int, kernel: int, stride: int, eps: float) -> None:
        hidden = divisible(c_in * expansion)
        if fused:
            steps: list[Any] = [conv_norm(c_in, hidden if hidden != c_in else c, kernel, stride, act=nn.SiLU, eps=eps)]
        else:
            steps = [] if hidden == c_in else [conv_norm(c_in, hidden, 1, act=nn.SiLU, eps=eps)]
            steps.append(conv_norm(hidden, hidden, kernel, stride, hidden, nn.SiLU, eps=eps))
            steps.append(SqueezeExcite(hidden, max(1, c_in // 4), nn.SiLU))
        if not fused or hidden != c_in:
            steps.append(conv_norm(hidden, c, 1, act=None, eps=eps))
        self.block = nn.Sequential(*steps)
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        """The block's output."""
        return self.block(x) + x if self.adds else self.block(x)


class EfficientNet(nn.Module):
    """A strided convolution, the stages' blocks, a 1 x 1 convolution, one dense layer.

    ``width`` multiplies channels, rounded to eights; ``depth`` multiplies blocks, rounded up.
    """

    def __init__(
        self,
        stages: tuple[Stage, ...],
        stem: int,
        width: float,
        depth: float,
        dropout: float,
        num_classes: int,
        in_channels: int,
        eps: float = 0.001,
    ) -> None:
        c_in = divisible(stem * width)
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2, act=nn.SiLU, eps=eps))
        for fused, expansion, kernel, stride, channels, repeats in stages:
            c, blocks = divisible(channels * width), nn.Sequential()
            for i in range(ceil(repeats * depth)):
                blocks.append(MBConv(c_in, c, fused, expansion, kernel, 1 if i else stride, eps))
                c_in = c
            self.features.append(blocks)
        last = 4 * c_in if stages is B0 else 1280
        self.features.append(conv_norm(c_in, last, 1, act=nn.SiLU, eps=eps))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@network(input=(3, 224, 224), paper=_PAPER)
def efficientnet_b0(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet B0."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(input=(3, 240, 240), paper=_PAPER)
def efficientnet_b1(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.1, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet B1."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(input=(3, 288, 288), paper=_PAPER)
def efficientnet_b2(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.1, depth: Factor = 1.2, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet B2, at torchvision's resolution of 288 (the paper's is 260)."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(input=(3, 300, 300), paper=_PAPER)
def efficientnet_b3(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.2, depth: Factor = 1.4, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet B3."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(input=(3, 380, 380), paper=_PAPER)
def efficientnet_b4(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.4, depth: Factor = 1.8, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet B4."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(input=(3, 456, 456), paper=_PAPER)
def efficientnet_b5(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.6, depth: Factor = 2.2, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet B5."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels)


@network(input=(3, 528, 528), paper=_PAPER)
def efficientnet_b6(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.8, depth: Factor = 2.6, dropout: float = 0.5
) -> EfficientNet:
    """EfficientNet B6."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels)


@network(input=(3, 600, 600), paper=_PAPER)
def efficientnet_b7(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 2.0, depth: Factor = 3.1, dropout: float = 0.5
) -> EfficientNet:
    """EfficientNet B7."""
    return EfficientNet(B0, 32, width, depth, dropout, num_classes, in_channels)
