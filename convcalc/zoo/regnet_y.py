"""RegNet Y from 400 million to 128 billion multiply–accumulates: `regnet` with squeeze and excitation in each block.

Radosavovic et al. 2020, arXiv:2003.13678. The widest is usual at 384 x 384.
"""

from __future__ import annotations

from convcalc.zoo.registry import network
from convcalc.zoo.regnet import RegNet

_PAPER = "Radosavovic et al. 2020, arXiv:2003.13678"


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_400mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 400 million multiply–accumulates."""
    return RegNet((16, 48, 27.89, 2.09, 8), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_800mf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 800 million multiply–accumulates."""
    return RegNet((14, 56, 38.84, 2.4, 16), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_1_6gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 1.6 billion multiply–accumulates."""
    return RegNet((27, 48, 20.71, 2.65, 24), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_3_2gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 3.2 billion multiply–accumulates."""
    return RegNet((21, 80, 42.63, 2.66, 24), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_8gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 8 billion multiply–accumulates."""
    return RegNet((17, 192, 76.82, 2.19, 56), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_16gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 16 billion multiply–accumulates."""
    return RegNet((18, 200, 106.23, 2.48, 112), True, num_classes, in_channels)


@network(input=(3, 224, 224), paper=_PAPER)
def regnet_y_32gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 32 billion multiply–accumulates."""
    return RegNet((20, 232, 115.89, 2.53, 232), True, num_classes, in_channels)


@network(input=(3, 384, 384), paper=_PAPER)
def regnet_y_128gf(num_classes: int = 1000, in_channels: int = 3) -> RegNet:
    """RegNet Y of about 128 billion multiply–accumulates at 224 x 224."""
    return RegNet((27, 456, 160.83, 2.52, 264), True, num_classes, in_channels)
