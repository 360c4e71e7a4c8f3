"""RegNet X, and Y with squeeze and excitation in each block, from 400 million to 128 billion multiply–accumulates.

Radosavovic et al. 2020, arXiv:2003.13678: widths grow linearly and are then rounded by equations 2 to 4, with the plans
of section 5. The widest network is usually run at 384 x 384.
"""

from __future__ import annotations

from collections import Counter
from math import log
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, SqueezeExcite, align, conv_norm

_PAPER = "Radosavovic et al. 2020, arXiv:2003.13678"


def stages(depth: int, initial: int, slope: float, factor: float, group: int) -> list[tuple[int, int]]:
    """Return the width and number of blocks of each stage, from the paper's w_0, w_a and w_m; groups divide the widths.

    >>> stages(16, 48, 27.89, 2.09, 8)
    [(48, 1), (104, 3), (208, 6), (440, 6)]
    """

    def width(block: int) -> int:
        power = round(log((initial + slope * block) / initial, factor))
        return round(initial * factor**power / 8) * 8

    return [(align(c, min(group, c)), n) for c, n in Counter(map(width, range(depth))).items()]


class Block(nn.Module):
    """1 x 1, grouped 3 x 3 (with squeeze and excitation in the Y networks) and 1 x 1; the input is added."""

    def __init__(self, c_in: int, c: int, stride: int, group: int, squeezes: bool) -> None:
        self.proj = conv_norm(c_in, c, 1, stride, act=None) if stride > 1 else None
        steps = {"a": conv_norm(c_in, c, 1), "b": conv_norm(c, c, 3, stride, groups=c // group)}
        squeeze = {"se": SqueezeExcite(c, round(c_in / 4))} if squeezes else {}
        self.f = nn.Sequential({**steps, **squeeze, "c": conv_norm(c, c, 1, act=None)})
        self.activation = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.activation((self.proj(x) if self.proj else x) + self.f(x))


class RegNet(Chain):
    """A stem, four stages, and a dense layer."""

    def __init__(self, plan: tuple[int, int, float, float, int], squeezes: bool, classes: int, c_in: int) -> None:
        self.stem = conv_norm(c_in, 32, 3, stride=2)
        self.trunk_output, c_in = nn.Sequential(), 32
        for i, (c, repeats) in enumerate(stages(*plan), 1):
            group = min(plan[-1], c)
            blocks = [Block(c if k else c_in, c, 1 if k else 2, group, squeezes) for k in range(repeats)]
            named = {f"block{i}-{k}": block for k, block in enumerate(blocks)}
            setattr(self.trunk_output, f"block{i}", nn.Sequential(named))
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, classes)


@network(_PAPER)
def regnet_x_400mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 400 million multiply–accumulates."""
    return RegNet((22, 24, 24.48, 2.54, 16), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_800mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 800 million multiply–accumulates."""
    return RegNet((16, 56, 35.73, 2.28, 16), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_1_6gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 1.6 billion multiply–accumulates."""
    return RegNet((18, 80, 34.01, 2.25, 24), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_3_2gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 3.2 billion multiply–accumulates."""
    return RegNet((25, 88, 26.31, 2.25, 48), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_8gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 8 billion multiply–accumulates."""
    return RegNet((23, 80, 49.56, 2.88, 120), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_16gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 16 billion multiply–accumulates."""
    return RegNet((22, 216, 55.59, 2.1, 128), False, num_classes, in_channels)


@network(_PAPER)
def regnet_x_32gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X with about 32 billion multiply–accumulates."""
    return RegNet((23, 320, 69.86, 2.0, 168), False, num_classes, in_channels)


@network(_PAPER)
def regnet_y_400mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 400 million multiply–accumulates."""
    return RegNet((16, 48, 27.89, 2.09, 8), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_800mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 800 million multiply–accumulates."""
    return RegNet((14, 56, 38.84, 2.4, 16), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_1_6gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 1.6 billion multiply–accumulates."""
    return RegNet((27, 48, 20.71, 2.65, 24), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_3_2gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 3.2 billion multiply–accumulates."""
    return RegNet((21, 80, 42.63, 2.66, 24), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_8gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 8 billion multiply–accumulates."""
    return RegNet((17, 192, 76.82, 2.19, 56), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_16gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 16 billion multiply–accumulates."""
    return RegNet((18, 200, 106.23, 2.48, 112), True, num_classes, in_channels)


@network(_PAPER)
def regnet_y_32gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 32 billion multiply–accumulates."""
    return RegNet((20, 232, 115.89, 2.53, 232), True, num_classes, in_channels)


@network(_PAPER, (3, 384, 384))
def regnet_y_128gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y with about 128 billion multiply–accumulates at 224 x 224."""
    return RegNet((27, 456, 160.83, 2.52, 264), True, num_classes, in_channels)
