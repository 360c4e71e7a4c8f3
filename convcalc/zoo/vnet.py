"""V-Net: a U-Net of 5 x 5 x 5 convolutions for volumes, with the input of each stage added to its output.

Milletari et al. 2016, arXiv:1606.04797, figure 2. The paper prints no parameter count, but it does print receptive
fields (table 1): 5, 22, 72 and 172 on the way down, which are exact. On the way up it prints 476, 528, 546 and 551,
which treat each 2 x 2 x 2 transposed convolution as a window of two; but at stride 2 each of its outputs sees one
input, and the exact fields are 468, 516, 532, and 532 to 548 by position.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network

REPEATS = (1, 2, 3, 3, 3)
"""Number of convolutions in each stage, from top to bottom."""


def convs(c_in: int, c: int, repeats: int) -> nn.Sequential:
    """Return 5 x 5 x 5 convolutions with rectifiers of learned slope between them."""
    steps = nn.Sequential(nn.Conv3d(c_in, c, 5, padding=2))
    for _ in range(1, repeats):
        steps.extend([nn.PReLU(c), nn.Conv3d(c, c, 5, padding=2)])
    return steps


class First(nn.Module):
    """The first stage on the way down: convolutions, with the input repeated to all channels and added."""

    def __init__(self, in_channels: int, c: int) -> None:
        if c % in_channels:
            raise SpecError(f"in_channels must divide width ({c}); received {in_channels}", where="V-Net")
        self.convs = convs(in_channels, c, REPEATS[0])
        self.repeat = nn.Cat(1)
        self.copies = c // in_channels
        self.prelu = nn.PReLU(c)

    def forward(self, x: Any) -> Any:
        return self.prelu(self.convs(x) + self.repeat(*[x] * self.copies))


class Down(nn.Module):
    """Half the size and twice the channels; then convolutions, with their input added."""

    def __init__(self, c: int, repeats: int) -> None:
        self.down = nn.Sequential(nn.Conv3d(c // 2, c, 2, stride=2), nn.PReLU(c))
        self.convs = convs(c, c, repeats)
        self.prelu = nn.PReLU(c)

    def forward(self, x: Any) -> Any:
        x = self.down(x)
        return self.prelu(self.convs(x) + x)


class Up(nn.Module):
    """Twice the size, with the shortcut concatenated; then convolutions, with their input added."""

    def __init__(self, c_in: int, c: int, repeats: int) -> None:
        self.up = nn.Sequential(nn.ConvTranspose3d(c_in, c // 2, 2, stride=2), nn.PReLU(c // 2))
        self.cat = nn.Cat(1)
        self.convs = convs(c, c, repeats)
        self.prelu = nn.PReLU(c)

    def forward(self, x: Any, shortcut: Any) -> Any:
        x = self.cat(self.up(x), shortcut)
        return self.prelu(self.convs(x) + x)


class VNet(nn.Module):
    """Five stages down, four up with shortcuts, and a 1 x 1 x 1 convolution to the classes."""

    def __init__(self, num_classes: int, in_channels: int, width: int) -> None:
        if width % 2:
            raise SpecError(f"width must be even; received {width}", where="V-Net")
        self.first = First(in_channels, width)
        self.down = nn.ModuleList([Down(width * 2**i, REPEATS[i]) for i in range(1, 5)])
        self.up = nn.ModuleList()
        for i, c_in in (3, 16), (2, 16), (1, 8), (0, 4):
            self.up.append(Up(c_in * width, 2 ** (i + 1) * width, REPEATS[i]))
        self.conv = nn.Conv3d(2 * width, num_classes, 1)

    def forward(self, x: Any) -> Any:
        shortcuts = [self.first(x)]
        for down in self.down:
            shortcuts.append(down(shortcuts[-1]))
        x = shortcuts.pop()
        for up in self.up:
            x = up(x, shortcuts.pop())
        return self.conv(x)


@network("Milletari et al. 2016, arXiv:1606.04797", (1, 64, 128, 128))
def vnet(num_classes: int = 2, in_channels: int = 1, width: int = 16) -> VNet:
    """V-Net, for sizes that are multiples of 16: 65,175,314 parameters; ``width`` is the first stage's channels."""
    return VNet(num_classes, in_channels, width)
