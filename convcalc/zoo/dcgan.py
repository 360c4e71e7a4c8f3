"""DCGAN: a generator of transposed convolutions and a discriminator of strided ones.

Radford et al. 2015, arXiv:1511.06434, figure 1 (64 x 64 images, from 1024 maps of 4 x 4) and section 3; 5 x 5 kernels
as in the authors' code. The paper prints no parameter count. PyTorch's tutorial has ``width`` 64 and ``kernel`` 4,
which give 3,576,704 and 2,765,568 parameters.
"""

from __future__ import annotations

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "Radford et al. 2015, arXiv:1511.06434"


def choose_padding(kernel: int) -> int:
    """Return the padding for a stride of 2; raise SpecError if the kernel would skip positions."""
    if kernel < 2:
        raise SpecError(f"kernel must be at least 2, the stride; received {kernel}", where="dcgan")
    return (kernel - 1) // 2


class Generator(Chain):
    """Transposed convolutions from one position to 4 x 4, which then double the size four times."""


@network(_PAPER, (100, 1, 1))
def dcgan_generator(in_channels: int = 100, out_channels: int = 3, width: int = 128, kernel: int = 5) -> Generator:
    """DCGAN's generator of 64 x 64 images from ``in_channels`` numbers; the last layer reads ``width`` channels."""
    padding = choose_padding(kernel)
    main = nn.Sequential(nn.ConvTranspose2d(in_channels, 8 * width, 4, bias=False))
    for c, after in ((8 * width, 4 * width), (4 * width, 2 * width), (2 * width, width), (width, out_channels)):
        twice = nn.ConvTranspose2d(c, after, kernel, 2, padding, kernel % 2, bias=False)
        main.extend([nn.BatchNorm2d(c), nn.ReLU(), twice])
    return Generator(main=main.append(nn.Tanh()))


class Discriminator(Chain):
    """Convolutions that halve an image four times to 4 x 4, and one that reduces it to a number."""


@network(_PAPER, (3, 64, 64))
def dcgan_discriminator(in_channels: int = 3, width: int = 128, kernel: int = 5) -> Discriminator:
    """DCGAN's discriminator of 64 x 64 images; the first layer gives ``width`` channels."""
    padding = choose_padding(kernel)
    main = nn.Sequential(nn.Conv2d(in_channels, width, kernel, 2, padding, bias=False), nn.LeakyReLU(0.2))
    for c in (width, 2 * width, 4 * width):
        conv = nn.Conv2d(c, 2 * c, kernel, 2, padding, bias=False)
        main.extend([conv, nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2)])
    return Discriminator(main=main.extend([nn.Conv2d(8 * width, 1, 4, bias=False), nn.Sigmoid()]))
