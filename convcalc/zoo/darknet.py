"""Darknet-53, residual blocks of 1 x 1 and 3 x 3 convolutions, and YOLO v3, three heads on that body.

Redmon and Farhadi 2018, arXiv:1804.02767, tables 1 and 2, which print 18.7 Bn operations at 256 x 256, where the
convolutions have 18.57 (two for each multiply–accumulate), and no parameter count.

YOLO's heads (section 2) read maps at 1/32, 1/16 and 1/8 of the input's size. Each position predicts three boxes: four
coordinates, an objectness score, and a score for each class. The authors' page gives 65.86 Bn operations at 416 x 416,
which is exact.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network

_PAPER = "Redmon and Farhadi 2018, arXiv:1804.02767"


def unit(c_in: int, c: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution padded to keep the size, batch normalisation and a leaky rectifier."""
    conv = nn.Conv2d(c_in, c, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential({"conv": conv, "bn": nn.BatchNorm2d(c), "act": nn.LeakyReLU(0.1)})


class Residual(nn.Module):
    """1 x 1 to half the channels and 3 x 3 back; the input is added."""

    def __init__(self, c: int) -> None:
        self.conv1 = unit(c, c // 2, 1)
        self.conv2 = unit(c // 2, c, 3)

    def forward(self, x: Any) -> Any:
        return x + self.conv2(self.conv1(x))


class Body(nn.Module):
    """A stem and five stages, each of half the size and twice the channels; returns the maps of all stages."""

    def __init__(self, in_channels: int, width: int) -> None:
        self.conv = unit(in_channels, width, 3)
        self.stages = nn.ModuleList()
        for i, repeats in enumerate((1, 2, 8, 8, 4), 1):
            c = width * 2**i
            self.stages.append(nn.Sequential(unit(c // 2, c, 3, 2), *[Residual(c) for _ in range(repeats)]))

    def forward(self, x: Any) -> list[Any]:
        x, maps = self.conv(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Darknet(nn.Module):
    """The body, and a dense layer on the mean of its last maps."""

    def __init__(self, num_classes: int, in_channels: int, width: int) -> None:
        self.body = Body(in_channels, width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(32 * width, num_classes)

    def forward(self, x: Any) -> Any:
        return self.fc(self.avgpool(self.body(x)[-1]).flatten(1))


@network(_PAPER, (3, 256, 256))
def darknet53(num_classes: int = 1000, in_channels: int = 3, width: int = 32) -> Darknet:
    """Darknet-53: 41,609,928 parameters; ``width`` is the stem's channels."""
    return Darknet(num_classes, in_channels, width)


class Head(nn.Module):
    """Five convolutions, and a branch from them that predicts the boxes; returns both outputs."""

    def __init__(self, c_in: int, c: int, num_classes: int) -> None:
        kernels = ((c_in, c, 1), (c, 2 * c, 3), (2 * c, c, 1), (c, 2 * c, 3), (2 * c, c, 1))
        self.convs = nn.Sequential(*[unit(*step) for step in kernels])
        self.boxes = nn.Sequential(unit(c, 2 * c, 3), nn.Conv2d(2 * c, 3 * (5 + num_classes), 1))

    def forward(self, x: Any) -> tuple[Any, Any]:
        x = self.convs(x)
        return x, self.boxes(x)


class YOLOv3(nn.Module):
    """Heads from the coarsest grid to the finest; all but the first also read the enlarged maps of the one before."""

    def __init__(self, num_classes: int, in_channels: int, width: int) -> None:
        self.body = Body(in_channels, width)
        c = 16 * width
        self.head1 = Head(2 * c, c, num_classes)
        self.up1 = nn.Sequential(unit(c, c // 2, 1), nn.Upsample(scale_factor=2))
        self.cat1 = nn.Cat(1)
        self.head2 = Head(c + c // 2, c // 2, num_classes)
        self.up2 = nn.Sequential(unit(c // 2, c // 4, 1), nn.Upsample(scale_factor=2))
        self.cat2 = nn.Cat(1)
        self.head3 = Head(c // 2 + c // 4, c // 4, num_classes)

    def forward(self, x: Any) -> Any:
        *_, eighth, sixteenth, last = self.body(x)
        x, coarse = self.head1(last)
        x, middle = self.head2(self.cat1(self.up1(x), sixteenth))
        _, fine = self.head3(self.cat2(self.up2(x), eighth))
        return [coarse, middle, fine]


@network(_PAPER, (3, 416, 416))
def yolov3(num_classes: int = 80, in_channels: int = 3, width: int = 32) -> YOLOv3:
    """YOLO v3: 61,949,149 parameters, three outputs; ``width`` is the stem's channels."""
    return YOLOv3(num_classes, in_channels, width)
