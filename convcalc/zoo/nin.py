"""Network in Network: 1 x 1 convolutions after each convolution, and a mean instead of dense layers.

Lin et al. 2013, arXiv:1312.4400, figure 2, which gives no sizes: kernels and channels are those of the authors'
released models. Counts are published elsewhere: about 1M parameters for CIFAR-10 (Springenberg et al., arXiv:1412.6806,
table 3; exactly 966,986), and 29 MB for ImageNet (with the release; exactly 7,595,176 parameters of 4 bytes, 29.0 MiB).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.alexnet import conv, pool
from convcalc.zoo.blocks import Chain

_PAPER = "Lin et al. 2013, arXiv:1312.4400"


def mlpconv(c_in: int, channels: tuple[int, int, int], kernel: int, stride: int = 1, padding: int = 0) -> list[Any]:
    """Return a convolution and two of 1 x 1, each with a rectifier."""
    first, second, third = channels
    return [*conv(c_in, first, kernel, stride, padding), *conv(first, second, 1), *conv(second, third, 1)]


class NIN(Chain):
    """Convolutions, and the mean of each class's map as its score."""

    def __init__(self, *steps: Any) -> None:
        super().__init__(features=nn.Sequential(*steps), avgpool=nn.AdaptiveAvgPool2d(1))


@network(_PAPER, (3, 32, 32))
def nin(num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5) -> NIN:
    """Network in Network for CIFAR-10: 966,986 parameters."""
    return NIN(
        *mlpconv(in_channels, (192, 160, 96), 5, padding=2),
        pool(),
        nn.Dropout(dropout),
        *mlpconv(96, (192, 192, 192), 5, padding=2),
        nn.AvgPool2d(3, stride=2, ceil_mode=True),
        nn.Dropout(dropout),
        *mlpconv(192, (192, 192, num_classes), 3, padding=1),
    )


@network(_PAPER)
def nin_imagenet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> NIN:
    """Network in Network for ImageNet: 7,595,176 parameters."""
    return NIN(
        *mlpconv(in_channels, (96, 96, 96), 11, stride=4),
        pool(),
        *mlpconv(96, (256, 256, 256), 5, padding=2),
        pool(),
        *mlpconv(256, (384, 384, 384), 3, padding=1),
        pool(),
        nn.Dropout(dropout),
        *mlpconv(384, (1024, 1024, num_classes), 3, padding=1),
    )
