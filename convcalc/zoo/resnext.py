"""ResNets with other blocks: ResNeXt, Wide ResNet, SE-ResNet, and ResNet-200 with activation before convolution.

ResNeXt and Wide ResNet change only the 3 x 3 convolution of the bottleneck: Xie et al. 2016, arXiv:1611.05431;
Zagoruyko and Komodakis 2016, arXiv:1605.07146.

SE-ResNet-50 scales the channels of its blocks by squeeze and excitation before the addition: Hu et al. 2017,
arXiv:1709.01507, table 1. The paper gives about 2.5 million parameters more than ResNet-50, by the formula 2/r times
the sum of squared channels; that is exactly 2,514,944, and leaves out 16,048 biases.

ResNet-200 has activation before each convolution: He et al. 2016, arXiv:1603.05027, figure 4(e), section 4 and
appendix: ResNet-152 with 16 more blocks at 28 x 28. The first block uses the stem's activation as its own, and another
follows the last block. The paper prints no parameter count; Zagoruyko and Komodakis (table 8) print 64.7M, exact to
that digit.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import SqueezeExcite
from convcalc.zoo.resnet import Bottleneck, ResNet

_NEXT, _WIDE = "Xie et al. 2016, arXiv:1611.05431", "Zagoruyko and Komodakis 2016, arXiv:1605.07146"


@network(_NEXT)
def resnext50_32x4d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 32, width_per_group: int = 4, output_stride: int = 32
) -> ResNet:
    """ResNeXt-50, 32 groups of 4 channels."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_NEXT)
def resnext101_32x8d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 32, width_per_group: int = 8, output_stride: int = 32
) -> ResNet:
    """ResNeXt-101, 32 groups of 8 channels."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_NEXT)
def resnext101_64x4d(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 64, width_per_group: int = 4, output_stride: int = 32
) -> ResNet:
    """ResNeXt-101, 64 groups of 4 channels."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_WIDE)
def wide_resnet50_2(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 128, output_stride: int = 32
) -> ResNet:
    """ResNet-50 with 3 x 3 convolutions twice as wide."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_WIDE)
def wide_resnet101_2(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 128, output_stride: int = 32
) -> ResNet:
    """ResNet-101 with 3 x 3 convolutions twice as wide."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, output_stride, groups, width_per_group)


class SEBottleneck(Bottleneck):
    """A bottleneck whose channels are scaled by squeeze and excitation before the addition."""

    def __init__(self, c_in: int, c: int, stride: int, dilation: int, reduction: int) -> None:
        super().__init__(c_in, c, stride, dilation)
        self.se = SqueezeExcite(4 * c, 4 * c // reduction)

    def _residual(self, x: Any) -> Any:
        return self.se(super()._residual(x))


@network("Hu et al. 2017, arXiv:1709.01507")
def se_resnet50(num_classes: int = 1000, in_channels: int = 3, reduction: int = 16) -> ResNet:
    """SE-ResNet-50: 28,088,024 parameters; ``reduction`` divides the channels between squeeze and excitation."""
    if 256 % reduction:
        raise SpecError(f"reduction must divide 256; received {reduction}", where="se_resnet50")
    return ResNet(SEBottleneck, (3, 4, 6, 3), num_classes, in_channels, 32, reduction)


class PreactBottleneck(nn.Module):
    """A bottleneck with activation before each convolution; a projection also reads the activated input."""

    expansion = 4

    def __init__(self, c_in: int, c: int, stride: int, dilation: int) -> None:
        self.bn1 = None if c_in == c else nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c)
        self.conv3 = nn.Conv2d(c, 4 * c, 1, bias=False)
        self.relu = nn.ReLU()
        self.downsample = None if c_in == 4 * c else nn.Conv2d(c_in, 4 * c, 1, stride, bias=False)

    def forward(self, x: Any) -> Any:
        active = self.relu(self.bn1(x)) if self.bn1 else x
        y = self.conv2(self.relu(self.bn2(self.conv1(active))))
        return self.conv3(self.relu(self.bn3(y))) + (self.downsample(active) if self.downsample else x)


class PreactResNet(ResNet):
    """ResNet-200: pre-activation bottlenecks, with normalisation and a rectifier after the last."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(PreactBottleneck, (3, 24, 36, 3), num_classes, in_channels)
        self.bn, self.avgpool, self.fc = nn.BatchNorm2d(2048), vars(self).pop("avgpool"), vars(self).pop("fc")

    def forward(self, x: Any) -> Any:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.bn(self.layer4(self.layer3(self.layer2(self.layer1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


@network("He et al. 2016, arXiv:1603.05027")
def preact_resnet200(num_classes: int = 1000, in_channels: int = 3) -> PreactResNet:
    """ResNet-200 with activation before convolution: 64,666,152 parameters (published: 64.7M)."""
    return PreactResNet(num_classes, in_channels)
