"""LR-ASPP: the lean head that came with MobileNet v3.

Howard et al. 2019, arXiv:1905.02244, section 6.4 and figure 10. Attribute names as in torchvision, which takes the mean
over all positions where the paper has windows of 49 x 49.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import conv_norm
from convcalc.zoo.registry import network
from convcalc.zoo.segmentation import MobileNetBody, resized


class Head(nn.Module):
    """The last map, scaled by what its mean says, and an earlier one; each to classes, added."""

    def __init__(self, c_low: int, c_high: int, num_classes: int, c: int = 128) -> None:
        self.cbr = conv_norm(c_high, c, 1)
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c_high, c, 1, bias=False), nn.Sigmoid())
        self.low_classifier = nn.Conv2d(c_low, num_classes, 1)
        self.high_classifier = nn.Conv2d(c, num_classes, 1)

    def forward(self, low: Any, high: Any) -> Any:
        """Class scores at the earlier map's size."""
        x = resized(self.cbr(high) * self.scale(high), low)
        return self.low_classifier(low) + self.high_classifier(x)


class LRASPP(nn.Module):
    """The body, the head, scores at the input's size."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        self.backbone = MobileNetBody(in_channels)
        self.classifier = Head(*MobileNetBody.channels, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores of each pixel."""
        return resized(self.classifier(*self.backbone(x)), x)


@network(input=(3, 520, 520), paper="Howard et al. 2019, arXiv:1905.02244")
def lraspp_mobilenet_v3_large(num_classes: int = 21, in_channels: int = 3) -> LRASPP:
    """LR-ASPP on MobileNet v3 large."""
    return LRASPP(num_classes, in_channels)
