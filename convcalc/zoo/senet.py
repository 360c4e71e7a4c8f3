"""SE-ResNet-50: ResNet-50 whose blocks scale their channels by squeeze and excitation before the addition.

Hu et al. 2017, arXiv:1709.01507, table 1. Published: about 2.5 million parameters more than ResNet-50, by the formula
of 2/r times the sum of squared channels: exact 2,514,944, and 16,048 biases that it leaves out.
"""

from __future__ import annotations

from typing import Any

from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import SqueezeExcite
from convcalc.zoo.resnet import Bottleneck, ResNet


class SEBottleneck(Bottleneck):
    reduction = 16

    def __init__(self, c_in: int, c: int, stride: int, dilation: int, groups: int, base: int) -> None:
        super().__init__(c_in, c, stride, dilation, groups, base)
        self.se = SqueezeExcite(4 * c, 4 * c // self.reduction)

    def residual(self, x: Any) -> Any:
        return self.se(super().residual(x))


@network("Hu et al. 2017, arXiv:1709.01507")
def se_resnet50(num_classes: int = 1000, in_channels: int = 3, reduction: int = 16) -> ResNet:
    """SE-ResNet-50: 28,088,024 parameters; ``reduction`` divides the channels that squeeze leaves."""
    if 256 % reduction:
        raise SpecError(f"reduction must divide 256; received {reduction}", where="se_resnet50")
    block = type("SEBottleneck", (SEBottleneck,), {"reduction": reduction})
    return ResNet(block, (3, 4, 6, 3), num_classes, in_channels)
