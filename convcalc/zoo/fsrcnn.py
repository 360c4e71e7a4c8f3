"""FSRCNN: super-resolution on the small image, enlarged by a transposed convolution at the end.

Dong et al. 2016, arXiv:1608.00367, section 3: FSRCNN(56, 12, 4), published with 12,464 parameters, which are the
weights alone; with the biases and the slopes of the rectifiers there are 12,809.
"""

from __future__ import annotations

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain


class FSRCNN(Chain):
    """Convolutions with rectifiers of learned slope, then a transposed convolution."""


@network("Dong et al. 2016, arXiv:1608.00367", (1, 85, 85))
def fsrcnn(in_channels: int = 1, scale: int = 3, width: int = 56, shrunk: int = 12, depth: int = 4) -> FSRCNN:
    """FSRCNN(56, 12, 4), which enlarges ``scale`` times: 12,809 parameters (published: 12,464 weights)."""

    def conv(c_in: int, c: int, kernel: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(c_in, c, kernel, padding=kernel // 2), nn.PReLU(c))

    return FSRCNN(
        extract=conv(in_channels, width, 5),
        shrink=conv(width, shrunk, 1),
        map=nn.Sequential(*[conv(shrunk, shrunk, 3) for _ in range(depth)]),
        expand=conv(shrunk, width, 1),
        enlarge=nn.ConvTranspose2d(width, in_channels, 9, stride=scale, padding=4, output_padding=scale - 1),
    )
