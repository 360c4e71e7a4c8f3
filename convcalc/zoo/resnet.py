"""ResNet with 18 to 152 weighted layers; variants are in `resnext` and `cifar_resnet`.

He et al. 2015, arXiv:1512.03385, table 1. A bottleneck's stride is in its 3 x 3 convolution, as in torchvision, where
the paper has it in the 1 x 1 convolution before: same parameters, but 4.1 instead of 3.8 GMACs for ResNet-50.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, conv_norm

_PAPER = "He et al. 2015, arXiv:1512.03385"

_PLANS = {
    32: ((1, 1, 1), (2, 1, 1), (2, 1, 1), (2, 1, 1)),
    16: ((1, 1, 1), (2, 1, 1), (2, 1, 1), (1, 1, 2)),
    8: ((1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)),
}
"""By output stride, for each stage: the stride, the dilation of the first block, and that of the others."""


def shortcut(c_in: int, c: int, stride: int) -> nn.Sequential | None:
    """Return the projection for a block that changes the shape (option B of the paper), and None for any other."""
    return None if stride == 1 and c_in == c else conv_norm(c_in, c, 1, stride, act=None)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, with the input added; ``dilation`` is ignored."""

    expansion = 1

    def __init__(self, c_in: int, c: int, stride: int, dilation: int) -> None:
        self.conv1 = nn.Conv2d(c_in, c, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.downsample = shortcut(c_in, c, stride)

    def _residual(self, x: Any) -> Any:
        """Return what is added to the input."""
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))

    def forward(self, x: Any) -> Any:
        y = self._residual(x)
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class Bottleneck(BasicBlock):
    """1 x 1 to fewer channels, 3 x 3, and 1 x 1 to more; the input is added."""

    expansion = 4

    def __init__(self, c_in: int, c: int, stride: int, dilation: int, groups: int = 1, base: int = 64) -> None:
        width = c * base // 64 * groups
        self.conv1 = nn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * c, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * c)
        self.relu = nn.ReLU()
        self.downsample = shortcut(c_in, 4 * c, stride)

    def _residual(self, x: Any) -> Any:
        return self.bn3(self.conv3(self.relu(super()._residual(x))))


class ResNet(Chain):
    """A stem, four stages and a dense layer.

    ``output_stride`` 16 or 8 dilates the last stages instead of striding; ``more`` are further arguments of the blocks.
    """

    def __init__(
        self, block: Any, repeats: tuple[int, ...], classes: int, c_in: int, output_stride: int = 32, *more: int
    ) -> None:
        if output_stride not in _PLANS:
            raise SpecError(f"output_stride must be 8, 16 or 32; received {output_stride}", where="ResNet")

        def stage(i: int) -> nn.Sequential:
            c, (stride, first, rest) = 64 * 2**i, _PLANS[output_stride][i]
            blocks = [block(c // 2 * block.expansion if i else 64, c, stride, first, *more)]
            return nn.Sequential(
                *blocks, *[block(c * block.expansion, c, 1, rest, *more) for _ in range(1, repeats[i])]
            )

        self.conv1 = nn.Conv2d(c_in, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1, self.layer2, self.layer3, self.layer4 = map(stage, range(4))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, classes)


@network(_PAPER)
def resnet18(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """ResNet-18."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, in_channels)


@network(_PAPER)
def resnet34(num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """ResNet-34."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, in_channels)


@network(_PAPER)
def resnet50(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 64, output_stride: int = 32
) -> ResNet:
    """ResNet-50."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_PAPER)
def resnet101(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 64, output_stride: int = 32
) -> ResNet:
    """ResNet-101."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, in_channels, output_stride, groups, width_per_group)


@network(_PAPER)
def resnet152(
    num_classes: int = 1000, in_channels: int = 3, groups: int = 1, width_per_group: int = 64, output_stride: int = 32
) -> ResNet:
    """ResNet-152."""
    return ResNet(Bottleneck, (3, 8, 36, 3), num_classes, in_channels, output_stride, groups, width_per_group)
