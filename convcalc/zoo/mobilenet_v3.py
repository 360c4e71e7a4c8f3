"""MobileNet v3, large and small.

Howard et al. 2019, arXiv:1905.02244, tables 1 and 2. Attribute names as in torchvision, and its squeezed channels: a
quarter of the expanded ones, rounded to eights.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo.blocks import SqueezeExcite, divisible
from convcalc.zoo.blocks import conv_norm as usual_conv_norm
from convcalc.zoo.registry import Factor, network

conv_norm = partial(usual_conv_norm, eps=0.001)

_PAPER = "Howard et al. 2019, arXiv:1905.02244"

Row = tuple[int, int, int, bool, bool, int]
"""A block: kernel, expanded channels, channels, squeeze and excitation, hard swish, stride; as in the tables."""

LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)

SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)


class InvertedResidual(nn.Module):
    """1 x 1 up, k x k per channel, squeeze and excitation, 1 x 1 down; the input added where the shape allows."""

    def __init__(self, c_in: int, c: int, hidden: int, row: Row, dilation: int) -> None:
        kernel, _, _, squeezes, swish, stride = row
        act = nn.Hardswish if swish else nn.ReLU
        self.block = nn.Sequential(
            *([] if hidden == c_in else [conv_norm(c_in, hidden, 1, act=act)]),
            conv_norm(hidden, hidden, kernel, 1 if dilation > 1 else stride, hidden, act, dilation),
            *([SqueezeExcite(hidden, divisible(hidden // 4), gate=nn.Hardsigmoid)] if squeezes else []),
            conv_norm(hidden, c, 1, act=None),
        )
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        """The block's output."""
        return self.block(x) + x if self.adds else self.block(x)


class MobileNetV3(nn.Module):
    """A strided convolution, the rows' blocks, a 1 x 1 convolution, two dense layers.

    ``output_stride`` 16 dilates the last stage where it would stride, as segmentation wants it.
    """

    def __init__(
        self,
        rows: tuple[Row, ...],
        hidden: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        width: float = 1.0,
        dropout: float = 0.2,
        output_stride: int = 32,
    ) -> None:
        if output_stride not in (16, 32):
            raise SpecError(f"output_stride must be 16 or 32; received {output_stride}", where="MobileNetV3")
        c_in = divisible(16 * width)
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2, act=nn.Hardswish))
        for i, row in enumerate(rows):
            c, dilation = divisible(row[2] * width), 32 // output_stride if i >= len(rows) - 3 else 1
            self.features.append(InvertedResidual(c_in, c, divisible(row[1] * width), row, dilation))
            c_in = c
        self.features.append(conv_norm(c_in, 6 * c_in, 1, act=nn.Hardswish))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        hidden = divisible(hidden * width)
        self.classifier = nn.Sequential(
            nn.Linear(6 * c_in, hidden), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(hidden, num_classes)
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@network(input=(3, 224, 224), paper=_PAPER)
def mobilenet_v3_large(
    num_classes: int = 1000,
    in_channels: int = 3,
    width: Factor = 1.0,
    dropout: float = 0.2,
    output_stride: int = 32,
) -> MobileNetV3:
    """MobileNet v3 large; ``width`` multiplies all channels."""
    return MobileNetV3(LARGE, 1280, num_classes, in_channels, width, dropout, output_stride)


@network(input=(3, 224, 224), paper=_PAPER)
def mobilenet_v3_small(
    num_classes: int = 1000,
    in_channels: int = 3,
    width: Factor = 1.0,
    dropout: float = 0.2,
    output_stride: int = 32,
) -> MobileNetV3:
    """MobileNet v3 small; ``width`` multiplies all channels."""
    return MobileNetV3(SMALL, 1024, num_classes, in_channels, width, dropout, output_stride)
