"""Networks that enlarge by transposed convolutions: U-Net, DCGAN, FSRCNN.

U-Net, without padding as published, and padded to keep the input's size: Ronneberger et al. 2015, arXiv:1505.04597,
figure 1: 23 convolutions, 572 x 572 in and 388 x 388 out. Shortcuts are cropped in the middle.

DCGAN: Radford et al. 2015, arXiv:1511.06434, figure 1 (64 x 64, 1024 maps of 4 x 4 first) and section 3; kernels of 5
as in the authors' code. PyTorch's tutorial has ``width`` 64 and ``kernel`` 4: there 3,576,704 and 2,765,568 parameters.

FSRCNN, super-resolution: Dong et al. 2016, arXiv:1608.00367, section 3: FSRCNN(56, 12, 4), published at 12,464
parameters: weights alone; with the biases and the slopes of the rectifiers there are 12,809.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_UNET, _DCGAN = "Ronneberger et al. 2015, arXiv:1505.04597", "Radford et al. 2015, arXiv:1511.06434"


def double(c_in: int, c: int, padding: int, norm: bool) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with a rectifier."""
    steps = nn.Sequential()
    for before in (c_in, c):
        normalised = [nn.BatchNorm2d(c)] if norm else []
        steps.extend([nn.Conv2d(before, c, 3, padding=padding, bias=not norm), *normalised, nn.ReLU()])
    return steps


def cropped(x: Any, like: Any) -> Any:
    """The middle of ``x``, of the height and width of another tensor."""
    (h, w), (height, width) = x.shape[2:], like.shape[2:]
    if (h, w) == (height, width):
        return x
    top, left = (h - height) // 2, (w - width) // 2
    return x[:, :, top : top + height, left : left + width]


class Up(nn.Module):
    """Twice the size and half the channels, the shortcut beside them, two convolutions."""

    def __init__(self, c: int, padding: int, norm: bool) -> None:
        self.up = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.cat = nn.Cat(1)
        self.conv = double(2 * c, c, padding, norm)

    def forward(self, x: Any, shortcut: Any) -> Any:
        x = self.up(x)
        return self.conv(self.cat(cropped(shortcut, x), x))


class UNet(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, width: int, padding: int, norm: bool) -> None:
        channels = [width * 2**i for i in range(5)]
        befores = [in_channels, *channels]
        self.down = nn.ModuleList([double(before, c, padding, norm) for before, c in zip(befores, channels)])
        self.pool = nn.ModuleList([nn.MaxPool2d(2) for _ in range(4)])
        self.up = nn.ModuleList([Up(c, padding, norm) for c in channels[-2::-1]])
        self.conv = nn.Conv2d(width, num_classes, 1)

    def forward(self, x: Any) -> Any:
        shortcuts = []
        for conv, pool in zip(self.down, self.pool):
            shortcuts.append(conv(x))
            x = pool(shortcuts[-1])
        x = self.down[4](x)
        for up in self.up:
            x = up(x, shortcuts.pop())
        return self.conv(x)


@network(_UNET, (1, 572, 572))
def unet_2015(num_classes: int = 2, in_channels: int = 1, width: int = 64) -> UNet:
    """U-Net as published, without padding: 572 x 572 in, 388 x 388 out; 31,030,658 parameters."""
    return UNet(num_classes, in_channels, width, 0, False)


@network(_UNET, (1, 512, 512))
def unet(num_classes: int = 2, in_channels: int = 1, width: int = 64, norm: bool = False) -> UNet:
    """U-Net padded to keep sizes that 16 divides (others it cuts); ``norm`` puts normalisation in the biases' place."""
    return UNet(num_classes, in_channels, width, 1, norm)


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


@network(_DCGAN, (100, 1, 1))
def dcgan_generator(in_channels: int = 100, out_channels: int = 3, width: int = 128, kernel: int = 5) -> Generator:
    """DCGAN's generator of 64 x 64 images from ``in_channels`` numbers; ``width`` is the last layer's input."""
    return Generator(in_channels, out_channels, width, kernel)


@network(_DCGAN, (3, 64, 64))
def dcgan_discriminator(in_channels: int = 3, width: int = 128, kernel: int = 5) -> Discriminator:
    """DCGAN's discriminator of 64 x 64 images; ``width`` is the first layer's output."""
    return Discriminator(in_channels, width, kernel)


class FSRCNN(Chain):
    def __init__(self, in_channels: int, scale: int, width: int, shrunk: int, depth: int) -> None:
        def conv(c_in: int, c: int, kernel: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(c_in, c, kernel, padding=kernel // 2), nn.PReLU(c))

        self.extract = conv(in_channels, width, 5)
        self.shrink = conv(width, shrunk, 1)
        self.map = nn.Sequential(*[conv(shrunk, shrunk, 3) for _ in range(depth)])
        self.expand = conv(shrunk, width, 1)
        self.enlarge = nn.ConvTranspose2d(width, in_channels, 9, stride=scale, padding=4, output_padding=scale - 1)


@network("Dong et al. 2016, arXiv:1608.00367", (1, 85, 85))
def fsrcnn(in_channels: int = 1, scale: int = 3, width: int = 56, shrunk: int = 12, depth: int = 4) -> FSRCNN:
    """FSRCNN(56, 12, 4), ``scale`` times larger: 12,809 parameters (published: 12,464 weights)."""
    return FSRCNN(in_channels, scale, width, shrunk, depth)
