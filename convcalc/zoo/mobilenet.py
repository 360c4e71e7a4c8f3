"""MobileNet v1, each convolution factored into one per channel and one of 1 x 1; v2 and v3, inverted residuals.

v1: Howard et al. 2017, arXiv:1704.04861, table 1. Published (tables 6 and 7): 4.2M parameters and 569M mult-adds; 2.6M
and 325M at width 0.75, 1.3M and 149M at 0.5, 0.5M and 41M at 0.25; all exact to those digits, normalisation included.

v2: Sandler et al. 2018, arXiv:1801.04381, table 2.

v3: Howard et al. 2019, arXiv:1905.02244, tables 1 and 2. The squeezed channels are torchvision's: a quarter of the
expanded ones, rounded to a multiple of 8.
"""

from __future__ import annotations

from functools import partial

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, InvertedResidual, SqueezeExcite, align, conv_norm, inverted

_V3 = "Howard et al. 2019, arXiv:1905.02244"

STEPS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
"""Stride and channels of each factored convolution. The table's last stride of 2 must be 1: the size stays 7 x 7."""

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""For each stage of v2: expansion, channels, number of blocks, stride of the first; columns t, c, n, s of the table."""

Row = tuple[int, int, int, bool, bool, int]
"""A block, as in the tables: kernel, expanded channels, channels, squeeze and excitation, hard swish, stride."""

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


class MobileNetV1(Chain):
    """A convolution, thirteen factored ones, and a dense layer."""

    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in = max(1, int(32 * width))
        self.features = nn.Sequential(conv_norm(in_channels, c_in, 3, stride=2))
        for stride, channels in STEPS:
            c = max(1, int(channels * width))
            self.features.append(nn.Sequential(conv_norm(c_in, c_in, 3, stride, groups=c_in), conv_norm(c_in, c, 1)))
            c_in = c
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(c_in, num_classes))


@network("Howard et al. 2017, arXiv:1704.04861")
def mobilenet_v1(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.001
) -> MobileNetV1:
    """MobileNet v1: 4,231,976 parameters (published: 4.2M); ``width`` multiplies all channels."""
    return MobileNetV1(num_classes, in_channels, width, dropout)


class MobileNetV2(Chain):
    """Seven stages of inverted residuals between two convolutions, and a dense layer."""

    def __init__(self, num_classes: int, in_channels: int, width: float, dropout: float) -> None:
        c_in, last, unit = align(32 * width), align(1280 * max(1.0, width)), partial(conv_norm, act=nn.ReLU6)
        self.features = nn.Sequential(unit(in_channels, c_in, 3, stride=2))
        for expansion, channels, repeats, first in STAGES:
            c = align(channels * width)
            for stride in (first, *[1] * (repeats - 1)):
                *steps, down = inverted(unit, c_in, c_in * expansion, c, 3, stride)
                conv, adds = nn.Sequential(*steps, *down), stride == 1 and c_in == c
                self.features.append(InvertedResidual(adds, input_first=True, conv=conv))
                c_in = c
        self.features.append(unit(c_in, last, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))


@network("Sandler et al. 2018, arXiv:1801.04381")
def mobilenet_v2(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2
) -> MobileNetV2:
    """MobileNet v2; ``width`` multiplies all channels."""
    return MobileNetV2(num_classes, in_channels, width, dropout)


class MobileNetV3(Chain):
    """Inverted residuals; ``output_stride`` 16, for segmentation, dilates the last stage instead of striding."""

    def __init__(
        self, rows: tuple[Row, ...], fc: int, classes: int, c_in: int, width: float, dropout: float, output_stride: int
    ) -> None:
        if output_stride not in (16, 32):
            raise SpecError(f"output_stride must be 16 or 32; received {output_stride}", where="MobileNetV3")
        outer = partial(conv_norm, act=nn.Hardswish, eps=0.001)
        stem, fc = align(16 * width), align(fc * width)
        self.features, c_in = nn.Sequential(outer(c_in, stem, 3, stride=2)), stem
        for i, (kernel, hidden, c, squeezes, swish, stride) in enumerate(rows):
            hidden, c = align(hidden * width), align(c * width)
            unit = outer if swish else partial(conv_norm, eps=0.001)
            squeeze = [SqueezeExcite(hidden, align(hidden // 4), gate=nn.Hardsigmoid)] if squeezes else []
            dilation = 32 // output_stride if i >= len(rows) - 3 else 1
            block = nn.Sequential(*inverted(unit, c_in, hidden, c, kernel, stride, squeeze, dilation))
            self.features.append(InvertedResidual(stride == 1 and c_in == c, block=block))
            c_in = c
        self.features.append(outer(c_in, 6 * c_in, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        head = [nn.Linear(6 * c_in, fc), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(fc, classes)]
        self.classifier = nn.Sequential(*head)


@network(_V3)
def mobilenet_v3_large(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2, output_stride: int = 32
) -> MobileNetV3:
    """MobileNet v3 large; ``width`` multiplies all channels."""
    return MobileNetV3(LARGE, 1280, num_classes, in_channels, width, dropout, output_stride)


@network(_V3)
def mobilenet_v3_small(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2, output_stride: int = 32
) -> MobileNetV3:
    """MobileNet v3 small; ``width`` multiplies all channels."""
    return MobileNetV3(SMALL, 1024, num_classes, in_channels, width, dropout, output_stride)
