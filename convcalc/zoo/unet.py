"""U-Net: as published, without padding, and padded to keep the input's size.

Ronneberger et al. 2015, arXiv:1505.04597, figure 1: 23 convolutions, 572 x 572 in and 388 x 388 out. Shortcuts are
cropped in the middle. The paper prints no number of parameters.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network

_PAPER = "Ronneberger et al. 2015, arXiv:1505.04597"


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


@network(_PAPER, (1, 572, 572))
def unet_2015(num_classes: int = 2, in_channels: int = 1, width: int = 64) -> UNet:
    """U-Net as published, without padding: 572 x 572 in, 388 x 388 out; 31,030,658 parameters."""
    return UNet(num_classes, in_channels, width, 0, False)


@network(_PAPER, (1, 512, 512))
def unet(num_classes: int = 2, in_channels: int = 1, width: int = 64, norm: bool = False) -> UNet:
    """U-Net padded to keep sizes that 16 divides (others it cuts); ``norm`` puts normalisation in the biases' place."""
    return UNet(num_classes, in_channels, width, 1, norm)
