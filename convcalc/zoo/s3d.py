"""S3D: GoogLeNet for clips, its convolutions factored into space and time.

Xie et al. 2017, arXiv:1712.04851, figure 2 and section 4; the modules' channels are `googlenet`'s.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Branches
from convcalc.zoo.googlenet import MODULES, branches
from convcalc.zoo.video_resnet import unit


def separable(c_in: int, c: int, k: int, stride: int = 1) -> nn.Sequential:
    """1 x k x k, then k x 1 x 1; 1 x 1 x 1 is one convolution."""
    within = nn.Sequential(*unit(c_in, c, (1, k, k), (1, stride, stride), eps=0.001))
    if k == 1:
        return within
    return nn.Sequential(within, nn.Sequential(*unit(c, c, (k, 1, 1), (stride, 1, 1), eps=0.001)))


class Inception(Branches):
    def __init__(self, *channels: int) -> None:
        super().__init__(*branches(separable, channels, 3, nn.MaxPool3d))


class S3D(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        def pool() -> nn.MaxPool3d:
            return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))

        self.features = nn.Sequential(separable(in_channels, 64, 7, 2), pool(), separable(64, 64, 1))
        self.features.extend([separable(64, 192, 3), pool()])
        pools: dict[str, Any] = {"4a": nn.MaxPool3d(3, stride=2, padding=1), "5a": nn.MaxPool3d(2, stride=2)}
        for name, channels in MODULES.items():
            if name in pools:
                self.features.append(pools[name])
            self.features.append(Inception(*channels))
        self.avgpool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv3d(1024, num_classes, 1))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@network("Xie et al. 2017, arXiv:1712.04851", (3, 16, 224, 224))
def s3d(num_classes: int = 400, in_channels: int = 3, dropout: float = 0.2) -> S3D:
    """S3D, for clips of at least 13 frames of 209 x 209."""
    return S3D(num_classes, in_channels, dropout)
