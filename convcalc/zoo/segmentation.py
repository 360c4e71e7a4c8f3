"""Networks that label each pixel, on backbones that return two maps: FCN, DeepLab v3, LR-ASPP.

- FCN: Long et al. 2014, arXiv:1411.4038; on a dilated ResNet and without the paper's earlier maps, as in torchvision.
- DeepLab v3, parallel dilated convolutions: Chen et al. 2017, arXiv:1706.05587, section 3.3, at torchvision's rates.
- LR-ASPP, the light head introduced with MobileNet v3: Howard et al. 2019, arXiv:1905.02244, section 6.4 and figure 10;
  with the mean over all positions, as in torchvision, where the paper has windows of 49 x 49.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.network.module import children
from convcalc.zoo import network
from convcalc.zoo.blocks import conv_norm
from convcalc.zoo.mobilenet import mobilenet_v3_large
from convcalc.zoo.resnet import resnet50, resnet101

_FCN, _DEEPLAB, _SIZE = "Long et al. 2014, arXiv:1411.4038", "Chen et al. 2017, arXiv:1706.05587", (3, 520, 520)


class ResNetBody(nn.Module):
    """A ResNet at 1/8 of the input's size; returns the map after the child ``early``, and the last map."""

    early, channels = "layer3", (1024, 2048)

    def __init__(self, resnet: Any, in_channels: int) -> None:
        vars(self).update([*children(resnet(in_channels=in_channels, output_stride=8))][:-2])  # without its head

    def forward(self, x: Any) -> tuple[Any, Any]:
        maps = {}
        for name, child in children(self):
            x = maps[name] = child(x)
        return maps[self.early], x


class MobileNetBody(ResNetBody):
    """MobileNet v3 large, whose fifth map has 1/8 of the input's size."""

    early, channels = "4", (40, 960)

    def __init__(self, in_channels: int) -> None:
        vars(self).update(children(mobilenet_v3_large(in_channels=in_channels, output_stride=16).features))


def resize_like(x: Any, like: Any) -> Any:
    """Return ``x`` interpolated to the height and width of ``like``."""
    return nn.Upsample(size=like.shape[2:], mode="bilinear")(x)


def fcn_head(c_in: int, num_classes: int) -> nn.Sequential:
    """Return a 3 x 3 convolution to a quarter of the channels, dropout, and a 1 x 1 convolution to the classes."""
    return nn.Sequential(*conv_norm(c_in, c_in // 4, 3), nn.Dropout(0.1), nn.Conv2d(c_in // 4, num_classes, 1))


class Segmenter(nn.Module):
    """A backbone and a head on its last map, then (``aux_loss``) one on the earlier map; scores are interpolated."""

    def __init__(self, body: Any, head: Any, num_classes: int, aux_loss: bool) -> None:
        self.backbone = body
        self.classifier = head(body.channels[1], num_classes)
        self.aux_classifier = fcn_head(body.channels[0], num_classes) if aux_loss else None

    def forward(self, x: Any) -> Any:
        early, last = self.backbone(x)
        scores = [resize_like(self.classifier(last), x)]
        return [*scores, resize_like(self.aux_classifier(early), x)] if self.aux_classifier else scores


@network(_FCN, _SIZE)
def fcn_resnet50(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """FCN on ResNet-50."""
    return Segmenter(ResNetBody(resnet50, in_channels), fcn_head, num_classes, aux_loss)


@network(_FCN, _SIZE)
def fcn_resnet101(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """FCN on ResNet-101."""
    return Segmenter(ResNetBody(resnet101, in_channels), fcn_head, num_classes, aux_loss)


class Pooled(nn.Sequential):
    """The mean over positions, convolved and interpolated to the input's size."""

    def forward(self, x: Any) -> Any:
        return resize_like(super().forward(x), x)


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: 1 x 1, three dilated 3 x 3 and the mean over positions, side by side."""

    def __init__(self, c_in: int, c: int = 256) -> None:
        dilated = [conv_norm(c_in, c, 3, dilation=rate) for rate in (12, 24, 36)]
        pooled = Pooled(nn.AdaptiveAvgPool2d(1), *conv_norm(c_in, c, 1))
        self.convs = nn.ModuleList([conv_norm(c_in, c, 1), *dilated, pooled])
        self.cat = nn.Cat(1)
        self.project = nn.Sequential(*conv_norm(5 * c, c, 1), nn.Dropout(0.5))

    def forward(self, x: Any) -> Any:
        return self.project(self.cat(*[conv(x) for conv in self.convs]))


def deeplab_head(c_in: int, num_classes: int) -> nn.Sequential:
    """Return atrous pyramid pooling, a 3 x 3 convolution, and a 1 x 1 convolution to the classes."""
    return nn.Sequential(ASPP(c_in), *conv_norm(256, 256, 3), nn.Conv2d(256, num_classes, 1))


@network(_DEEPLAB, _SIZE)
def deeplabv3_resnet50(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on ResNet-50."""
    return Segmenter(ResNetBody(resnet50, in_channels), deeplab_head, num_classes, aux_loss)


@network(_DEEPLAB, _SIZE)
def deeplabv3_resnet101(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on ResNet-101."""
    return Segmenter(ResNetBody(resnet101, in_channels), deeplab_head, num_classes, aux_loss)


@network(_DEEPLAB, _SIZE)
def deeplabv3_mobilenet_v3_large(num_classes: int = 21, in_channels: int = 3, aux_loss: bool = False) -> Segmenter:
    """DeepLab v3 on MobileNet v3 large."""
    return Segmenter(MobileNetBody(in_channels), deeplab_head, num_classes, aux_loss)


class Head(nn.Module):
    """Class scores of the last map, scaled by a gate on its mean, added to those of an earlier map."""

    def __init__(self, c_low: int, c_high: int, num_classes: int) -> None:
        self.cbr = conv_norm(c_high, 128, 1)
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c_high, 128, 1, bias=False), nn.Sigmoid())
        self.low_classifier = nn.Conv2d(c_low, num_classes, 1)
        self.high_classifier = nn.Conv2d(128, num_classes, 1)

    def forward(self, low: Any, high: Any) -> Any:
        x = resize_like(self.cbr(high) * self.scale(high), low)
        return self.low_classifier(low) + self.high_classifier(x)


class LRASPP(nn.Module):
    """MobileNet v3 large with the LR-ASPP head; scores are interpolated."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        self.backbone = MobileNetBody(in_channels)
        self.classifier = Head(*MobileNetBody.channels, num_classes)

    def forward(self, x: Any) -> Any:
        return resize_like(self.classifier(*self.backbone(x)), x)


@network("Howard et al. 2019, arXiv:1905.02244", _SIZE)
def lraspp_mobilenet_v3_large(num_classes: int = 21, in_channels: int = 3) -> LRASPP:
    """LR-ASPP on MobileNet v3 large."""
    return LRASPP(num_classes, in_channels)
