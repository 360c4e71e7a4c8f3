"""S3D: GoogLeNet for clips, its convolutions factored into space and time.

Xie et al. 2017, arXiv:1712.04851, figure 2 and section 4; the modules' channels are `googlenet`'s. Attribute names as
in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.googlenet import MODULES
from convcalc.zoo.registry import network
from convcalc.zoo.video_resnet import Triple, conv


def unit(c_in: int, c: int, kernel: Triple = (1, 1, 1), stride: Triple = (1, 1, 1)) -> nn.Sequential:
    """Convolution, batch normalisation, rectifier."""
    return nn.Sequential(conv(c_in, c, kernel, stride), nn.BatchNorm3d(c, eps=0.001), nn.ReLU())


def separable(c_in: int, c: int, k: int, stride: int = 1) -> nn.Sequential:
    """1 x k x k, then k x 1 x 1."""
    return nn.Sequential(unit(c_in, c, (1, k, k), (1, stride, stride)), unit(c, c, (k, 1, 1), (stride, 1, 1)))


class Inception(nn.Module):
    """Four branches side by side, concatenated; see `googlenet`."""

    def __init__(self, c_in: int, c1: int, c3_in: int, c3: int, c5_in: int, c5: int, pooled: int) -> None:
        self.branch0 = unit(c_in, c1)
        self.branch1 = nn.Sequential(unit(c_in, c3_in), separable(c3_in, c3, 3))
        self.branch2 = nn.Sequential(unit(c_in, c5_in), separable(c5_in, c5, 3))
        self.branch3 = nn.Sequential(nn.MaxPool3d(3, stride=1, padding=1), unit(c_in, pooled))
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        """All branches' channels."""
        return self.cat(self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x))


class S3D(nn.Module):
    """A separable stem, nine inception modules, an average over positions, a 1 x 1 x 1 convolution, the mean."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        def pool() -> nn.MaxPool3d:
            return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))

        self.features = nn.Sequential(separable(in_channels, 64, 7, 2), pool(), unit(64, 64), separable(64, 192, 3))
        self.features.append(pool())
        for name, channels in MODULES.items():
            if name == "4a":
                self.features.append(nn.MaxPool3d(3, stride=2, padding=1))
            if name == "5a":
                self.features.append(nn.MaxPool3d(2, stride=2))
            self.features.append(Inception(*channels))
        self.avgpool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv3d(1024, num_classes, 1))

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@network(input=(3, 16, 224, 224), paper="Xie et al. 2017, arXiv:1712.04851")
def s3d(num_classes: int = 400, in_channels: int = 3, dropout: float = 0.2) -> S3D:
    """S3D, for clips of at least 13 frames of 209 x 209."""
    return S3D(num_classes, in_channels, dropout)
