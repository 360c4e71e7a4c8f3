"""MobileNet v3, large and small.

Howard et al. 2019, arXiv:1905.02244, tables 1 and 2. The squeezed channels are torchvision's: a quarter of the expanded
ones, rounded to eights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import Factor, network
from convcalc.zoo.blocks import Chain, SqueezeExcite, conv_norm, divisible

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
    """1 x 1 up, k x k per channel, what ``squeeze`` holds, 1 x 1 down; the input added where the shape allows."""

    def __init__(
        self,
        unit: Callable[..., Any],
        c_in: int,
        hidden: int,
        c: int,
        kernel: int,
        stride: int,
        squeeze: list[Any],
        dilation: int = 1,
    ) -> None:
        up = [] if hidden == c_in else [unit(c_in, hidden, 1)]
        within = unit(hidden, hidden, kernel, 1 if dilation > 1 else stride, hidden, dilation=dilation)
        self.block = nn.Sequential(*up, within, *squeeze, unit(hidden, c, 1, act=None))
        self.adds = stride == 1 and c_in == c

    def forward(self, x: Any) -> Any:
        return self.block(x) + x if self.adds else self.block(x)


class MobileNetV3(Chain):
    """``output_stride`` 16 dilates the last stage where it would stride, as segmentation wants it."""

    def __init__(
        self,
        rows: tuple[Row, ...],
        dense: int,
        classes: int,
        c_in: int,
        width: float,
        dropout: float,
        output_stride: int,
    ) -> None:
        if output_stride not in (16, 32):
            raise SpecError(f"output_stride must be 16 or 32; received {output_stride}", where="MobileNetV3")
        outer = partial(conv_norm, act=nn.Hardswish, eps=0.001)
        stem, dense = divisible(16 * width), divisible(dense * width)
        self.features, c_in = nn.Sequential(outer(c_in, stem, 3, stride=2)), stem
        for i, (kernel, hidden, c, squeezes, swish, stride) in enumerate(rows):
            hidden, c = divisible(hidden * width), divisible(c * width)
            unit = outer if swish else partial(conv_norm, eps=0.001)
            squeeze = [SqueezeExcite(hidden, divisible(hidden // 4), gate=nn.Hardsigmoid)] if squeezes else []
            dilation = 32 // output_stride if i >= len(rows) - 3 else 1
            self.features.append(InvertedResidual(unit, c_in, hidden, c, kernel, stride, squeeze, dilation))
            c_in = c
        self.features.append(outer(c_in, 6 * c_in, 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        head = [nn.Linear(6 * c_in, dense), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(dense, classes)]
        self.classifier = nn.Sequential(*head)


@network(_PAPER)
def mobilenet_v3_large(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2, output_stride: int = 32
) -> MobileNetV3:
    """MobileNet v3 large; ``width`` multiplies all channels."""
    return MobileNetV3(LARGE, 1280, num_classes, in_channels, width, dropout, output_stride)


@network(_PAPER)
def mobilenet_v3_small(
    num_classes: int = 1000, in_channels: int = 3, width: Factor = 1.0, dropout: float = 0.2, output_stride: int = 32
) -> MobileNetV3:
    """MobileNet v3 small; ``width`` multiplies all channels."""
    return MobileNetV3(SMALL, 1024, num_classes, in_channels, width, dropout, output_stride)


class MobileNetBody(nn.Module):
    """MobileNet v3 large without its head; gives the first map of an eighth of the size, and the last."""

    channels = (40, 960)

    def __init__(self, in_channels: int) -> None:
        vars(self).update(vars(mobilenet_v3_large(in_channels=in_channels, output_stride=16).features))

    def forward(self, x: Any) -> tuple[Any, Any]:
        early = x
        for name, block in vars(self).items():
            x = block(x)
            early = x if name == "4" else early
        return early, x
