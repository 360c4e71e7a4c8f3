"""Inception v3.

Szegedy et al. 2015, arXiv:1512.00567, table 1 and figures 5 to 7 and 10; widths that the paper leaves open are
torchvision's. The forward pass calls the auxiliary head only with ``training``.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.network.module import children
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, ConvNorm

ROW, COLUMN, NARROW, TALL = (1, 7), (7, 1), (1, 3), (3, 1)


class Mixed(nn.Module):
    """Branches of convolutions (channels, kernel) and a pooling, concatenated; the last step may have two kernels.

    Without channels for the pooling it is a grid reduction: the last steps and the pooling have stride 2.
    """

    def __init__(self, c_in: int, pooled: int = 0, **branches: list[tuple[Any, ...]]) -> None:
        self.branches = []
        for name, steps in branches.items():
            branch, c = [], c_in
            for i, (c_out, *kernels) in enumerate(steps, 1):
                step = f"{name}_{i}" if len(steps) > 1 else name
                stride = 2 if i == len(steps) and not pooled else 1
                units = [ConvNorm(c, c_out, kernel, stride, padded=stride == 1) for kernel in kernels]
                vars(self).update(zip([step] if len(units) == 1 else [f"{step}a", f"{step}b"], units))
                branch.append(units)
                c = c_out
            self.branches.append(branch)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1) if pooled else nn.MaxPool2d(3, stride=2)
        self.branch_pool = ConvNorm(c_in, pooled, 1) if pooled else None
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        pooled, outputs = self.pool(x), []
        for *steps, last in self.branches:
            y = x
            for (unit,) in steps:
                y = unit(y)
            outputs += [unit(y) for unit in last]
        return self.cat(*outputs, self.branch_pool(pooled) if self.branch_pool else pooled)


DOUBLE: list[tuple[Any, ...]] = [(64, 1), (96, 3), (96, 3)]


def _figure_5(c_in: int, pooled: int) -> Mixed:
    """Return a module of the 35 x 35 grid."""
    return Mixed(c_in, pooled, branch1x1=[(64, 1)], branch5x5=[(48, 1), (64, 5)], branch3x3dbl=DOUBLE)


def _figure_6(c: int) -> Mixed:
    """Return a module of the 17 x 17 grid, ``c`` channels wide inside."""
    single = [(c, 1), (c, ROW), (192, COLUMN)]
    double = [(c, 1), (c, COLUMN), (c, ROW), (c, COLUMN), (192, ROW)]
    return Mixed(768, 192, branch1x1=[(192, 1)], branch7x7=single, branch7x7dbl=double)


def _figure_7(c_in: int) -> Mixed:
    """Return a module of the 8 x 8 grid."""
    last = 384, NARROW, TALL
    return Mixed(c_in, 192, branch1x1=[(320, 1)], branch3x3=[(384, 1), last], branch3x3dbl=[(448, 1), (384, 3), last])


class InceptionAux(Chain):
    """The auxiliary head on the 17 x 17 grid."""


class Inception3(Chain):
    """A stem, eleven modules on three grids, a dense layer, and an auxiliary head."""

    flat = "dropout"

    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        self.Conv2d_1a_3x3 = ConvNorm(in_channels, 32, 3, 2, padded=False)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3, padded=False)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _figure_5(192, 32), _figure_5(256, 64), _figure_5(288, 64)
        self.Mixed_6a = Mixed(288, branch3x3=[(384, 3)], branch3x3dbl=DOUBLE)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = map(_figure_6, (128, 160, 160, 192))
        auxiliary = InceptionAux(
            pool=nn.AvgPool2d(5, stride=3),
            conv0=ConvNorm(768, 128, 1),
            conv1=ConvNorm(128, 768, 5, padded=False),
            avgpool=nn.AdaptiveAvgPool2d(1),
            fc=nn.Linear(768, num_classes),
        )
        self.AuxLogits = auxiliary if aux_logits else None
        factored = [(192, 1), (192, ROW), (192, COLUMN), (192, 3)]
        self.Mixed_7a = Mixed(768, branch3x3=[(192, 1), (320, 3)], branch7x7x3=factored)
        self.Mixed_7b, self.Mixed_7c = _figure_7(1280), _figure_7(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        self.training = training

    def forward(self, x: Any) -> Any:
        """Return the class scores, followed in training by those of the auxiliary head."""
        scores = []
        for name, child in children(self):
            if name != "AuxLogits":
                x = child(x).flatten(1) if name == self.flat else child(x)
            elif self.training:
                scores.append(child(x))
        return [x, *scores]


@network("Szegedy et al. 2015, arXiv:1512.00567", (3, 299, 299))
def inception_v3(
    num_classes: int = 1000, in_channels: int = 3, aux_logits: bool = True, training: bool = False, dropout: float = 0.5
) -> Inception3:
    """Inception v3; 23,834,568 parameters without the auxiliary head."""
    return Inception3(num_classes, in_channels, aux_logits, training, dropout)
