"""FCN on a dilated ResNet: scores from the last map alone, interpolated.

Long et al. 2014, arXiv:1411.4038; on a ResNet, and without the paper's earlier maps, as in torchvision.
"""

from __future__ import annotations

from convcalc.zoo.registry import network
from convcalc.zoo.segmentation import ResNetBody, Segmenter, fcn_head

_PAPER = "Long et al. 2014, arXiv:1411.4038"


@network(input=(3, 520, 520), paper=_PAPER)
def fcn_resnet50(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """FCN on ResNet-50."""
    return Segmenter(ResNetBody((3, 4, 6, 3), in_channels), fcn_head(2048, num_classes), num_classes, aux_loss)


@network(input=(3, 520, 520), paper=_PAPER)
def fcn_resnet101(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """FCN on ResNet-101."""
    return Segmenter(ResNetBody((3, 4, 23, 3), in_channels), fcn_head(2048, num_classes), num_classes, aux_loss)
