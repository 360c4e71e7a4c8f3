"""SegNet: VGG-16's convolutions, and a mirror of them that puts values back where the maxima were.

Badrinarayanan et al. 2015, arXiv:1511.00561, figure 2, for the 12 labels of CamVid. The paper prints a model of 117 MB
(table 6): exact, 29,449,932 parameters of 4 bytes.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.vgg import convs

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of VGG-16's convolutions, stage by stage."""


class SegNet(nn.Module):
    def __init__(self, num_classes: int, in_channels: int) -> None:
        inputs = [in_channels, *[stage[-1] for stage in STAGES]]
        self.encoder = nn.ModuleList([convs(c_in, stage) for c_in, stage in zip(inputs, STAGES)])
        self.pool = nn.ModuleList([nn.MaxPool2d(2, return_indices=True) for _ in STAGES])
        self.unpool = nn.ModuleList([nn.MaxUnpool2d(2) for _ in STAGES])
        mirrored = [(*stage[1:], c_in) for c_in, stage in list(zip(inputs, STAGES))[:0:-1]]
        self.decoder = nn.ModuleList([convs(stage[-1], mirror) for stage, mirror in zip(STAGES[::-1], mirrored)])
        self.decoder.append(convs(64, (64,)).append(nn.Conv2d(64, num_classes, 3, padding=1)))

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
