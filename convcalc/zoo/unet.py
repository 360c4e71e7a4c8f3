"""Encoder–decoder networks that label each pixel: U-Net, and SegNet, which puts values back where the maxima were.

U-Net, as published without padding, and padded to keep the input's size: Ronneberger et al. 2015, arXiv:1505.04597,
figure 1: 23 convolutions, 572 x 572 in and 388 x 388 out. Shortcuts are cropped to their centre. The paper prints no
parameter count.

SegNet, VGG-16's convolutions and their mirror image, which puts values back where the maxima were: Badrinarayanan et
al. 2015, arXiv:1511.00561, figure 2, for the 12 labels of CamVid. The paper prints a model of 117 MB (table 6), which
is exact: 29,449,932 parameters of 4 bytes.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import convs

_PAPER = "Ronneberger et al. 2015, arXiv:1505.04597"


def crop_like(x: Any, like: Any) -> Any:
    """Return the centre of ``x``, with the height and width of ``like``."""
    (h, w), (height, width) = x.shape[-2:], like.shape[-2:]
    if (h, w) == (height, width):
        return x
    top, left = (h - height) // 2, (w - width) // 2
    return x[:, :, top : top + height, left : left + width]


class Up(nn.Module):
    """Twice the size and half the channels, the shortcut concatenated, and two convolutions."""

    def __init__(self, c: int, padding: int, norm: bool) -> None:
        self.up = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.cat = nn.Cat(1)
        self.conv = convs(2 * c, (c, c), norm, padding, bias=not norm)

    def forward(self, x: Any, shortcut: Any) -> Any:
        x = self.up(x)
        return self.conv(self.cat(crop_like(shortcut, x), x))


class UNet(nn.Module):
    """Five stages down and four up, with a shortcut between stages of the same width."""

    def __init__(self, num_classes: int, in_channels: int, width: int, padding: int, norm: bool) -> None:
        self.down = nn.ModuleList()
        channels = [width * 2**i for i in range(5)]
        for before, c in zip([in_channels, *channels], channels):
            self.down.append(convs(before, (c, c), norm, padding, bias=not norm))
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
    """U-Net padded to keep sizes that 16 divides (it rounds others down); ``norm`` replaces biases by normalisation."""
    return UNet(num_classes, in_channels, width, 1, norm)


STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of VGG-16's convolutions, by stage."""


class SegNet(nn.Module):
    """An encoder of five stages, and a decoder that unpools with the indices of the maxima."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        plan = list(zip([in_channels, *[stage[-1] for stage in STAGES]], STAGES))
        self.encoder = nn.ModuleList([convs(c_in, stage, norm=True) for c_in, stage in plan])
        self.pool = nn.ModuleList([nn.MaxPool2d(2, return_indices=True) for _ in STAGES])
        self.unpool = nn.ModuleList([nn.MaxUnpool2d(2) for _ in STAGES])
        mirror = [convs(stage[-1], (*stage[1:], c_in), norm=True) for c_in, stage in plan[:0:-1]]
        self.decoder = nn.ModuleList(mirror)
        self.decoder.append(convs(64, (64,), norm=True).append(nn.Conv2d(64, num_classes, 3, padding=1)))

    def forward(self, x: Any) -> Any:
        places = []
        for conv, pool in zip(self.encoder, self.pool):
            full = conv(x)
            x, indices = pool(full)
            places.append((indices, full))
        for conv, unpool in zip(self.decoder, self.unpool):
            indices, full = places.pop()
            x = conv(unpool(x, indices, output_size=full))
        return x


@network("Badrinarayanan et al. 2015, arXiv:1511.00561", (3, 360, 480))
def segnet(num_classes: int = 12, in_channels: int = 3) -> SegNet:
    """SegNet: 29,449,932 parameters (published: 117 MB)."""
    return SegNet(num_classes, in_channels)
