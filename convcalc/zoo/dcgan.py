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


def half(kernel: int) -> int:
    """The padding of a stride of 2. Raises SpecError for a kernel that would skip positions."""
    if kernel < 2:
        raise SpecError(f"kernel must be at least 2, the stride; received {kernel}", where="dcgan")
    return (kernel - 1) // 2


class Generator(Chain):
    """Transposed convolutions from one position to 4 x 4, then four times twice the size."""


@network(_PAPER, (100, 1, 1))
def dcgan_generator(in_channels: int = 100, out_channels: int = 3, width: int = 128, kernel: int = 5) -> Generator:
    """DCGAN's generator of 64 x 64 images from ``in_channels`` numbers; ``width`` is the last layer's input."""
    padding = half(kernel)
    main = nn.Sequential(nn.ConvTranspose2d(in_channels, 8 * width, 4, bias=False))
    for c, after in ((8 * width, 4 * width), (4 * width, 2 * width), (2 * width, width), (width, out_channels)):
        twice = nn.ConvTranspose2d(c, after, kernel, 2, padding, kernel % 2, bias=False)
        main.extend([nn.BatchNorm2d(c), nn.ReLU(), twice])
    return Generator(main=main.append(nn.Tanh()))


class Discriminator(Chain):
    """An image reduced four times to 4 x 4, then to one number."""


@network(_PAPER, (3, 64, 64))
def dcgan_discriminator(in_channels: int = 3, width: int = 128, kernel: int = 5) -> Discriminator:
    """DCGAN's discriminator of 64 x 64 images; ``width`` is the first layer's output."""
    padding = half(kernel)
    main = nn.Sequential(nn.Conv2d(in_channels, width, kernel, 2, padding, bias=False), nn.LeakyReLU(0.2))
    for c in (width, 2 * width, 4 * width):
        conv = nn.Conv2d(c, 2 * c, kernel, 2, padding, bias=False)
        main.extend([conv, nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2)])
    return Discriminator(main=main.extend([nn.Conv2d(8 * width, 1, 4, bias=False), nn.Sigmoid()]))
