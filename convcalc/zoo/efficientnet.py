"""EfficientNet B0 to B7, with the compound scaling as settings, and v2, whose first stages are fused.

Tan and Le 2019, arXiv:1905.11946, table 1: B0, whose width and depth the others scale; Tan and Le 2021,
arXiv:2104.00298, table 4: v2-S (M and L follow the authors' code).
"""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import Any

from convcalc import nn
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, InvertedResidual, SqueezeExcite, align, conv_norm, inverted

_PAPER, _V2 = "Tan and Le 2019, arXiv:1905.11946", "Tan and Le 2021, arXiv:2104.00298"

B0 = (  # for each stage: expansion, kernel, stride of the first block, channels, number of blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class MBConv(InvertedResidual):
    """MobileNet's block; ``fused``, a full k x k convolution replaces its first two, without squeeze and excitation."""

    def __init__(self, unit: Any, c_in: int, c: int, fused: bool, expansion: int, kernel: int, stride: int) -> None:
        hidden = align(c_in * expansion)
        if fused:
            down = [unit(hidden, c, 1, act=None)] if hidden != c_in else []
            steps = [unit(c_in, hidden if down else c, kernel, stride), *down]
        else:
            squeeze = SqueezeExcite(hidden, max(1, c_in // 4), nn.SiLU)
            steps = inverted(unit, c_in, hidden, c, kernel, stride, [squeeze])
        super().__init__(stride == 1 and c_in == c, block=nn.Sequential(*steps))


class EfficientNet(Chain):
    """Stages of blocks between two convolutions; ``width`` multiplies the channels, ``depth`` the number of blocks."""

    def __init__(
        self, stages: Any, width: float, depth: float, dropout: float, classes: int, c_in: int, eps: float = 0.001
    ) -> None:
        stem, fused = (32, 0) if stages is B0 else (stages[0][3], 3)
        unit, c = partial(conv_norm, act=nn.SiLU, eps=eps), align(stem * width)
        self.features = nn.Sequential(unit(c_in, c, 3, stride=2))
        for i, (expansion, kernel, stride, channels, repeats) in enumerate(stages):
            c_in, c = c, align(channels * width)
            blocks = nn.Sequential(MBConv(unit, c_in, c, i < fused, expansion, kernel, stride))
            blocks.extend(MBConv(unit, c, c, i < fused, expansion, kernel, 1) for _ in range(1, ceil(repeats * depth)))
            self.features.append(blocks)
        last = 4 * c if stages is B0 else 1280
        self.features.append(unit(c, last, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, classes))


@network(_PAPER)
def efficientnet_b0(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet B0."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(_PAPER, (3, 240, 240))
def efficientnet_b1(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.1, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet B1."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(_PAPER, (3, 288, 288))
def efficientnet_b2(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.1, depth: Factor = 1.2, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet B2, at torchvision's resolution of 288 (the paper's is 260)."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(_PAPER, (3, 300, 300))
def efficientnet_b3(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.2, depth: Factor = 1.4, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet B3."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(_PAPER, (3, 380, 380))
def efficientnet_b4(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.4, depth: Factor = 1.8, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet B4."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels, 1e-05)


@network(_PAPER, (3, 456, 456))
def efficientnet_b5(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.6, depth: Factor = 2.2, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet B5."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels)


@network(_PAPER, (3, 528, 528))
def efficientnet_b6(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.8, depth: Factor = 2.6, dropout: float = 0.5
) -> EfficientNet:
    """EfficientNet B6."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels)


@network(_PAPER, (3, 600, 600))
def efficientnet_b7(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 2.0, depth: Factor = 3.1, dropout: float = 0.5
) -> EfficientNet:
    """EfficientNet B7."""
    return EfficientNet(B0, width, depth, dropout, num_classes, in_channels)


def v2(channels: tuple[int, ...], repeats: tuple[int, ...], *settings: Any) -> EfficientNet:
    """Return an EfficientNet v2 with these channels and numbers of blocks from stage to stage."""
    stages = zip((1, 4, 4, 4, 6, 6, 6), [3] * 7, (1, 2, 2, 2, 1, 2, 1), (channels[0] // 2, *channels), repeats)
    return EfficientNet(tuple(stages), *settings)


@network(_V2, (3, 384, 384))
def efficientnet_v2_s(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet v2-S."""
    return v2((48, 64, 128, 160, 256), (2, 4, 4, 6, 9, 15), width, depth, dropout, num_classes, in_channels)


@network(_V2, (3, 480, 480))
def efficientnet_v2_m(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet v2-M."""
    return v2((48, 80, 160, 176, 304, 512), (3, 5, 5, 7, 14, 18, 5), width, depth, dropout, num_classes, in_channels)


@network(_V2, (3, 480, 480))
def efficientnet_v2_l(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet v2-L."""
    return v2((64, 96, 192, 224, 384, 640), (4, 7, 7, 10, 19, 25, 7), width, depth, dropout, num_classes, in_channels)
