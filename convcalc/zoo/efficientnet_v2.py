"""EfficientNet v2: the first stages fused, searched anew; only the plans differ from `efficientnet`.

Tan and Le 2021, arXiv:2104.00298, table 4 (S; M and L after the authors' code). Attribute names as in torchvision.
"""

from __future__ import annotations

from convcalc.zoo.efficientnet import EfficientNet, Stage
from convcalc.zoo.registry import Factor, network

_PAPER = "Tan and Le 2021, arXiv:2104.00298"


def _v2(stem: int, channels: tuple[int, ...], repeats: tuple[int, ...]) -> tuple[Stage, ...]:
    """The seven (six in S) stages of a v2: three fused, then plain ones."""
    kinds = ((True, 1, 1), (True, 4, 2), (True, 4, 2), (False, 4, 2), (False, 6, 1), (False, 6, 2), (False, 6, 1))
    return tuple((fused, e, 3, s, c, n) for (fused, e, s), c, n in zip(kinds, (stem, *channels), repeats))


@network(input=(3, 384, 384), paper=_PAPER)
def efficientnet_v2_s(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.2
) -> EfficientNet:
    """EfficientNet v2-S."""
    stages = _v2(24, (48, 64, 128, 160, 256), (2, 4, 4, 6, 9, 15))
    return EfficientNet(stages, 24, width, depth, dropout, num_classes, in_channels)


@network(input=(3, 480, 480), paper=_PAPER)
def efficientnet_v2_m(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.3
) -> EfficientNet:
    """EfficientNet v2-M."""
    stages = _v2(24, (48, 80, 160, 176, 304, 512), (3, 5, 5, 7, 14, 18, 5))
    return EfficientNet(stages, 24, width, depth, dropout, num_classes, in_channels)


@network(input=(3, 480, 480), paper=_PAPER)
def efficientnet_v2_l(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, depth: Factor = 1.0, dropout: float = 0.4
) -> EfficientNet:
    """EfficientNet v2-L."""
    stages = _v2(32, (64, 96, 192, 224, 384, 640), (4, 7, 7, 10, 19, 25, 7))
    return EfficientNet(stages, 32, width, depth, dropout, num_classes, in_channels)
