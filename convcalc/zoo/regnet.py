"""RegNet X from 400 million to 32 billion multiply–accumulates; the Y plans stand in `regnet_y`.

Widths grow along a line and are then rounded: Radosavovic et al. 2020, arXiv:2003.13678, equations 2 to 4; the plans
are those of the models in section 5. Attribute names as in torchvision.
"""

from __future__ import annotations

from math import log
from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import SqueezeExcite, conv_norm, divisible
from convcalc.zoo.registry import network

_PAPER = "Radosavovic et al. 2020, arXiv:2003.13678"


def stages(depth: int, initial: int, slope: float, factor: float, group: int) -> list[tuple[int, int]]:
    """Width and number of blocks of each stage: the paper's w_0, w_a and w_m, and widths fit for the groups.

    >>> stages(16, 48, 27.89, 2.09, 8)
    [(48, 1), (104, 3), (208, 6), (440, 6)]
    """
    widths: dict[int, int] = {}
    for block in range(depth):
        power = round(log((initial + slope * block) / initial) / log(factor))
        width = round(initial * factor**power / 8) * 8
        widths[width] = widths.get(width, 0) + 1
    return [(divisible(w, min(group, w)), n) for w, n in widths.items()]


class Block(nn.Module):
    """1 x 1, grouped 3 x 3 (with squeeze and excitation in the Y networks), 1 x 1, and the input added."""

    def __init__(self, c_in: int, c: int, stride: int, group: int, squeezes: bool) -> None:
        self.proj = conv_norm(c_in, c, 1, stride, act=None) if stride > 1 or c_in != c else None
        self.f = nn.Sequential(
            {
                "a": conv_norm(c_in, c, 1),
                "b": conv_norm(c, c, 3, stride, groups=c // group),
                **({"se": SqueezeExcite(c, round(c_in / 4))} if squeezes else {}),
                "c": conv_norm(c, c, 1, act=None),
            }
        )
        self.activation = nn.ReLU()

    def forward(self, x: Any) -> Any:
        """The block's output."""
        return self.activation((self.proj(x) if self.proj else x) + self.f(x))


class RegNet(nn.Module):
    """A strided convolution, four stages that each halve the size, the mean over positions, one dense layer."""

    def __init__(
        self, plan: tuple[int, int, float, float, int], squeezes: bool, num_classes: int, in_channels: int
    ) -> None:
        self.stem = conv_norm(in_channels, 32, 3, stride=2)
        self.trunk_output = nn.Sequential()
        c_in = 32
        for i, (c, repeats) in enumerate(stages(*plan), 1):
            group = min(plan[-1], c)
            first = {f"block{i}-0": Block(c_in, c, 2, group, squeezes)}
            others = {f"block{i}-{k}": Block(c, c, 1, group, squeezes) for k in range(1, repeats)}
            setattr(self.trunk_output, f"block{i}", nn.Sequential({**first, **others}))
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(1))


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_400mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 400 million multiply–accumulates."""
    return RegNet((22, 24, 24.48, 2.54, 16), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_800mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 800 million multiply–accumulates."""
    return RegNet((16, 56, 35.73, 2.28, 16), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_1_6gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 1.6 billion multiply–accumulates."""
    return RegNet((18, 80, 34.01, 2.25, 24), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_3_2gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 3.2 billion multiply–accumulates."""
    return RegNet((25, 88, 26.31, 2.25, 48), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_8gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 8 billion multiply–accumulates."""
    return RegNet((23, 80, 49.56, 2.88, 120), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_16gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 16 billion multiply–accumulates."""
    return RegNet((22, 216, 55.59, 2.1, 128), False, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_x_32gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet X of about 32 billion multiply–accumulates."""
    return RegNet((23, 320, 69.86, 2.0, 168), False, num_classes, in_channels)
