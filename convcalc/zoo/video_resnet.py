"""Networks for clips, (N, C, frames, H, W): C3D; the ResNets R3D, MC3 and R(2+1)D; S3D, GoogLeNet for clips.

C3D, eight 3 x 3 x 3 convolutions: Tran et al. 2014, arXiv:1412.0767, figure 3, for clips of 16 frames of 112 x 112 and
the 487 classes of Sports-1M. It prints no parameter count; Carreira and Zisserman (arXiv:1705.07750, table 1) print 79M
for a network of this kind with fewer classes, and this one has 78.4M with the 101 classes of UCF-101.

The ResNets have 18 layers: R3D has 3-d convolutions, MC3 has them in the first stage only, and R(2+1)D has 2-d ones
followed by 1-d: Tran et al. 2017, arXiv:1711.11248, sections 3.2, 3.3 and 3.5.

S3D, its convolutions factored into space and time: Xie et al. 2017, arXiv:1712.04851, figure 2 and section 4; the
modules' channels are `googlenet`'s.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, dense_head
from convcalc.zoo.googlenet import MODULES, Inception, branches

_PAPER, _CLIP = "Tran et al. 2017, arXiv:1711.11248", (3, 16, 112, 112)

Triple = tuple[int, int, int]


class C3D(Chain):
    """Five stages, each with a pooling, of which the first keeps all frames, and three dense layers."""

    flat = "features"


@network("Tran et al. 2014, arXiv:1412.0767", _CLIP)
def c3d(num_classes: int = 487, in_channels: int = 3, dropout: float = 0.5) -> C3D:
    """C3D: 79,991,015 parameters; accepts 16 to 31 frames of 96 x 96 to 127 x 127."""
    features = nn.Sequential()
    for i, stage in enumerate(((64,), (128,), (256, 256), (512, 512), (512, 512))):
        for c in stage:
            features.extend([nn.Conv3d(in_channels, c, 3, padding=1), nn.ReLU()])
            in_channels = c
        features.append(nn.MaxPool3d(2 if i else (1, 2, 2), padding=(0, 1, 1) if i == 4 else 0))
    return C3D(features=features, classifier=dense_head(512 * 4 * 4, num_classes, dropout))


def conv(c_in: int, c: int, kernel: Triple, stride: Triple | int = 1) -> nn.Conv3d:
    """Return a convolution padded to keep the size, without bias."""
    depth, height, width = kernel
    return nn.Conv3d(c_in, c, kernel, stride, (depth // 2, height // 2, width // 2), bias=False)


def unit(c_in: int, c: int, kernel: Triple, stride: Triple = (1, 1, 1), eps: float = 1e-05) -> list[Any]:
    """Return a convolution padded to keep the size, batch normalisation and a rectifier."""
    return [conv(c_in, c, kernel, stride), nn.BatchNorm3d(c, eps), nn.ReLU()]


def block_conv(kind: str, c_in: int, c: int, between: int, stride: int) -> Any:
    """Return a block's convolution: 3d; 2d, on each frame alone; or 2+1d, with ``between`` channels in between."""
    if kind == "3d":
        return conv(c_in, c, (3, 3, 3), stride)
    if kind == "2d":
        return conv(c_in, c, (1, 3, 3), (1, stride, stride))
    plane = unit(c_in, between, (1, 3, 3), (1, stride, stride))
    return nn.Sequential(*plane, conv(between, c, (3, 1, 1), (stride, 1, 1)))


class BasicBlock(nn.Module):
    """Two convolutions, with the input added."""

    def __init__(self, kind: str, c_in: int, c: int, stride: int) -> None:
        between = 27 * c_in * c // (9 * c_in + 3 * c)  # so that there are as many weights as in 3 x 3 x 3
        self.conv1 = nn.Sequential(block_conv(kind, c_in, c, between, stride), nn.BatchNorm3d(c), nn.ReLU())
        self.conv2 = nn.Sequential(block_conv(kind, c, c, between, 1), nn.BatchNorm3d(c))
        self.relu = nn.ReLU()
        projection = conv(c_in, c, (1, 1, 1), (1 if kind == "2d" else stride, stride, stride))
        self.downsample = nn.Sequential(projection, nn.BatchNorm3d(c)) if stride != 1 else None

    def forward(self, x: Any) -> Any:
        y = self.conv2(self.conv1(x))
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class VideoResNet(Chain):
    """A stem, four stages and a dense layer; the stages' convolutions are of kind ``first``, then ``rest``."""

    def __init__(self, stem: list[Any], first: str, rest: str, num_classes: int) -> None:
        def stage(i: int) -> nn.Sequential:
            c, stride, kind = (64 * 2**i, 2, rest) if i else (64, 1, first)
            return nn.Sequential(BasicBlock(kind, c // stride, c, stride), BasicBlock(kind, c, c, 1))

        self.stem = nn.Sequential(*stem)
        self.layer1, self.layer2, self.layer3, self.layer4 = map(stage, range(4))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(512, num_classes)


@network(_PAPER, _CLIP)
def r3d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions."""
    return VideoResNet(unit(in_channels, 64, (3, 7, 7), (1, 2, 2)), "3d", "3d", num_classes)


@network(_PAPER, _CLIP)
def mc3_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions in the first stage and 2-d ones after it."""
    return VideoResNet(unit(in_channels, 64, (3, 7, 7), (1, 2, 2)), "3d", "2d", num_classes)


@network(_PAPER, _CLIP)
def r2plus1d_18(num_classes: int = 400, in_channels: int = 3) -> VideoResNet:
    """ResNet-18 of 3-d convolutions factored into space and time."""
    stem = [*unit(in_channels, 45, (1, 7, 7), (1, 2, 2)), *unit(45, 64, (3, 1, 1))]
    return VideoResNet(stem, "2+1d", "2+1d", num_classes)


def separable(c_in: int, c: int, k: int, stride: int = 1) -> nn.Sequential:
    """Return convolutions of 1 x k x k and k x 1 x 1, or of 1 x 1 x 1 alone."""
    space = nn.Sequential(*unit(c_in, c, (1, k, k), (1, stride, stride), 0.001))
    time = nn.Sequential(*unit(c, c, (k, 1, 1), (stride, 1, 1), 0.001))
    return nn.Sequential(space, time) if k > 1 else space


class S3D(nn.Module):
    """A stem and nine inception modules of separable convolutions; class scores are averaged over positions."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        def pool() -> nn.MaxPool3d:
            return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))

        pools = {"4a": nn.MaxPool3d(3, stride=2, padding=1), "5a": nn.MaxPool3d(2, stride=2)}
        self.features = nn.Sequential(separable(in_channels, 64, 7, 2), pool(), separable(64, 64, 1))
        self.features.extend([separable(64, 192, 3), pool()])
        for name, channels in MODULES.items():
            if name in pools:
                self.features.append(pools[name])
            self.features.append(Inception(*branches(separable, channels, 3, nn.MaxPool3d)))
        self.avgpool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Conv3d(1024, num_classes, 1))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x))).mean(dim=(2, 3, 4))


@network("Xie et al. 2017, arXiv:1712.04851", (3, 16, 224, 224))
def s3d(num_classes: int = 400, in_channels: int = 3, dropout: float = 0.2) -> S3D:
    """S3D, for clips of at least 13 frames of 209 x 209."""
    return S3D(num_classes, in_channels, dropout)
