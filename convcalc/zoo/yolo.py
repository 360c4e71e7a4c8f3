"""YOLO v3: Darknet-53 with three heads, on a thirty-second, a sixteenth and an eighth of the input's size.

Redmon and Farhadi 2018, arXiv:1804.02767, section 2. Each position of a head describes three boxes: four numbers of
place, one of presence, one for each class. The paper prints no number of parameters; the authors' page gives 65.86 Bn
operations at 416 x 416, which is exact with two for each multiply–accumulate.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.darknet import Body, unit
from convcalc.zoo.registry import network

BOXES = 3


class Head(nn.Module):
    """1 x 1 and 3 x 3 by turns, five in all; from there a branch to the boxes."""

    def __init__(self, c_in: int, c: int, num_classes: int) -> None:
        kernels = ((c_in, c, 1), (c, 2 * c, 3), (2 * c, c, 1), (c, 2 * c, 3), (2 * c, c, 1))
        self.convs = nn.Sequential(*[unit(*step) for step in kernels])
        self.boxes = nn.Sequential(unit(c, 2 * c, 3), nn.Conv2d(2 * c, BOXES * (5 + num_classes), 1))

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The maps for the next head, and the boxes."""
        x = self.convs(x)
        return x, self.boxes(x)


class YOLOv3(nn.Module):
    """The body, and heads from the coarsest grid to the finest, each but the first with the enlarged one before."""

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
        """The boxes on three grids."""
        *_, eighth, sixteenth, last = self.body(x)
        x, coarse = self.head1(last)
        x, middle = self.head2(self.cat1(self.up1(x), sixteenth))
        _, fine = self.head3(self.cat2(self.up2(x), eighth))
        return [coarse, middle, fine]


@network(input=(3, 416, 416), paper="Redmon and Farhadi 2018, arXiv:1804.02767")
def yolov3(num_classes: int = 80, in_channels: int = 3, width: int = 32) -> YOLOv3:
    """YOLO v3: 61,949,149 parameters, three outputs; ``width`` is the stem's channels."""
    return YOLOv3(num_classes, in_channels, width)
