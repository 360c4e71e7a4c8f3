"""ResNet's grouped and wide kin: ResNeXt and Wide ResNet.

Xie et al. 2016, arXiv:1611.05431; Zagoruyko and Komodakis 2016, arXiv:1605.07146. Both change only the 3 x 3
convolution of `resnet`'s bottleneck.
"""

from __future__ import annotations

from convcalc.zoo import network
from convcalc.zoo.resnet import Bottleneck, ResNet

_NEXT = "Xie et al. 2016, arXiv:1611.05431"
_WIDE = "Zagoruyko and Komodakis 2016, arXiv:1605.07146"


@network(_NEXT)
def resnext50_32x4d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 32, width_per_group: int = 4, output_stride: int = 32
) -> ResNet:
    """ResNeXt-50, 32 groups of 4 channels."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, groups, width_per_group, output_stride)


@network(_NEXT)
def resnext101_32x8d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 32, width_per_group: int = 8, output_stride: int = 32
) -> ResNet:
    """ResNeXt-101, 32 groups of 8 channels."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, groups, width_per_group, output_stride)


@network(_NEXT)
def resnext101_64x4d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 64, width_per_group: int = 4, output_stride: int = 32
) -> ResNet:
    """ResNeXt-101, 64 groups of 4 channels."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, groups, width_per_group, output_stride)


@network(_WIDE)
def wide_resnet50_2(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 128, output_stride: int = 32
) -> ResNet:
    """ResNet-50 with 3 x 3 convolutions twice as wide."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, groups, width_per_group, output_stride)


@network(_WIDE)
def wide_resnet101_2(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 128, output_stride: int = 32
) -> ResNet:
    """ResNet-101 with 3 x 3 convolutions twice as wide."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, groups, width_per_group, output_stride)
