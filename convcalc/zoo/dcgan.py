"""DCGAN: a generator of transposed convolutions and a discriminator of strided ones.

Radford et al. 2015, arXiv:1511.06434, figure 1 (64 x 64, 1024 maps of 4 x 4 first) and section 3; kernels of 5 as in
the authors' code. The paper prints no number of parameters. PyTorch's tutorial has ``width`` 64 and ``kernel`` 4: there
3,576,704 and 2,765,568.
"""

from __future__ import annotations

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "Radford et al. 2015, arXiv:1511.06434"


def _check(kernel: int) -> None:
    if kernel < 2:
        raise SpecError(f"kernel must be at least 2, the stride; received {kernel}", where="dcgan")


def twice(c_in: int, c: int, kernel: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(c_in, c, kernel, 2, (kernel - 1) // 2, kernel % 2, bias=False)


class Generator(Chain):
    def __init__(self, in_channels: int, out_channels: int, width: int, kernel: int) -> None:
        _check(kernel)
        self.main = nn.Sequential(nn.ConvTranspose2d(in_channels, 8 * width, 4, bias=False))
        for c in (8 * width, 4 * width, 2 * width):
            self.main.extend([nn.BatchNorm2d(c), nn.ReLU(), twice(c, c // 2, kernel)])
        self.main.extend([nn.BatchNorm2d(width), nn.ReLU(), twice(width, out_channels, kernel), nn.Tanh()])


class Discriminator(Chain):
    """An image reduced four times to 4 x 4, then to one number."""

    def __init__(self, in_channels: int, width: int, kernel: int) -> None:
        _check(kernel)
        padding = (kernel - 1) // 2
        self.main = nn.Sequential(nn.Conv2d(in_channels, width, kernel, 2, padding, bias=False), nn.LeakyReLU(0.2))
        for c in (width, 2 * width, 4 * width):
            conv = nn.Conv2d(c, 2 * c, kernel, 2, padding, bias=False)
            self.main.extend([conv, nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2)])
        self.main.extend([nn.Conv2d(8 * width, 1, 4, bias=False), nn.Sigmoid()])


@network(_PAPER, (100, 1, 1))
def dcgan_generator(in_channels: int = 100, out_channels: int = 3, width: int = 128, kernel: int = 5) -> Generator:
    """DCGAN's generator of 64 x 64 images from ``in_channels`` numbers; ``width`` is the last layer's input."""
    return Generator(in_channels, out_channels, width, kernel)


@network(_PAPER, (3, 64, 64))
def dcgan_discriminator(in_channels: int = 3, width: int = 128, kernel: int = 5) -> Discriminator:
    """DCGAN's discriminator of 64 x 64 images; ``width`` is the first layer's output."""
    return Discriminator(in_channels, width, kernel)
