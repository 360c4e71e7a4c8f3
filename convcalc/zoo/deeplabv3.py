"""DeepLab v3: dilated convolutions of several rates side by side on the last map.

Chen et al. 2017, arXiv:1706.05587, section 3.3. Attribute names and the head's rates, 12, 24 and 36, as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import conv_norm
from convcalc.zoo.registry import network
from convcalc.zoo.segmentation import MobileNetBody, ResNetBody, Segmenter, resized

_PAPER = "Chen et al. 2017, arXiv:1706.05587"


class Pooled(nn.Sequential):
    """What the whole map says, at every position."""

    def forward(self, x: Any) -> Any:
        """The mean over positions, convolved, stretched to the input's size again."""
        return resized(super().forward(x), x)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1 x 1, three dilated 3 x 3 and the mean side by side, then a 1 x 1."""

    def __init__(self, c_in: int, c: int = 256, rates: tuple[int, ...] = (12, 24, 36)) -> None:
        pooled = Pooled(nn.AdaptiveAvgPool2d(1), *conv_norm(c_in, c, 1))
        dilated = [conv_norm(c_in, c, 3, dilation=rate) for rate in rates]
        self.convs = nn.ModuleList([conv_norm(c_in, c, 1), *dilated, pooled])
        self.cat = nn.Cat(1)
        self.project = nn.Sequential(*conv_norm((len(rates) + 2) * c, c, 1), nn.Dropout(0.5))

    def forward(self, x: Any) -> Any:
        """The pyramid's output."""
        return self.project(self.cat(*[conv(x) for conv in self.convs]))


def deeplab_head(c_in: int, num_classes: int) -> nn.Sequential:
    """The pyramid, a 3 x 3 convolution, and a 1 x 1 to the classes."""
    return nn.Sequential(ASPP(c_in), *conv_norm(256, 256, 3), nn.Conv2d(256, num_classes, 1))


@network(input=(3, 520, 520), paper=_PAPER)
def deeplabv3_resnet50(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on ResNet-50."""
    return Segmenter(ResNetBody((3, 4, 6, 3), in_channels), deeplab_head(2048, num_classes), num_classes, aux_loss)


@network(input=(3, 520, 520), paper=_PAPER)
def deeplabv3_resnet101(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on ResNet-101."""
    return Segmenter(ResNetBody((3, 4, 23, 3), in_channels), deeplab_head(2048, num_classes), num_classes, aux_loss)


@network(input=(3, 520, 520), paper=_PAPER)
def deeplabv3_mobilenet_v3_large(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on MobileNet v3 large."""
    return Segmenter(MobileNetBody(in_channels), deeplab_head(960, num_classes), num_classes, aux_loss)
