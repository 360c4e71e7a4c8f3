"""LeNet-5 as taught today, and as published, with its partial connections and trained subsampling.

LeCun et al. 1998, *Gradient-based learning applied to document recognition*, section II.B. Both take 32 x 32 and have
maps of 28, 14, 10 and 5 a side. Today's form has rectifiers where the paper has hyperbolic tangents, max poolings where
it has averages with learned weights, and dense layers where it has a last convolution and distances.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain

_PAPER = "LeCun et al. 1998, Proc. IEEE 86(11)"


class LeNet(Chain):
    """Convolutions, poolings and dense layers in a row."""


@network(_PAPER, (1, 32, 32))
def lenet5(num_classes: int = 10, in_channels: int = 1) -> LeNet:
    """LeNet-5 as taught today: 61,706 parameters."""
    return LeNet(
        conv1=nn.Conv2d(in_channels, 6, 5),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(6, 16, 5),
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(16 * 5 * 5, 120),
        relu3=nn.ReLU(),
        fc2=nn.Linear(120, 84),
        relu4=nn.ReLU(),
        fc3=nn.Linear(84, num_classes),
    )


_THREE = ("012", "123", "234", "345", "045", "015")

_FOUR = ("0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235")

READS = (*_THREE, *_FOUR, "012345")
"""The maps of S2 that each map of C3 reads: table I of the paper."""


class Subsampling(nn.Module):
    """The mean of 2 x 2 positions, scaled and shifted by two learned numbers for each map; then the tangent."""

    def __init__(self, c: int) -> None:
        self.coefficient = nn.Parameter(c, 1, 1)
        self.bias = nn.Parameter(c, 1, 1)
        self.pool = nn.AvgPool2d(2)
        self.tanh = nn.Tanh()

    def forward(self, x: Any) -> Any:
        return self.tanh(self.pool(x) * self.coefficient + self.bias)


class PartialConvolution(nn.Module):
    """A 5 x 5 convolution whose output maps each read some of the input's maps."""

    def __init__(self) -> None:
        self.maps = nn.ModuleList([nn.Conv2d(len(reads), 1, 5) for reads in READS])
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        maps = x.split(1, 1)
        inputs = [nn.Cat(1)(*[maps[int(i)] for i in reads]) for reads in READS]
        return self.cat(*[conv(part) for conv, part in zip(self.maps, inputs)])


class LeNet1998(nn.Module):
    """The paper's layers under the paper's names."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.tanh1 = nn.Tanh()
        self.s2 = Subsampling(6)
        self.c3 = PartialConvolution()
        self.tanh3 = nn.Tanh()
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.tanh5 = nn.Tanh()
        self.f6 = nn.Linear(120, 84)
        self.tanh6 = nn.Tanh()
        self.centres = nn.Buffer(num_classes, 84)

    def forward(self, x: Any) -> Any:
        """Return the squared distance between the last layer's units and each class's fixed bitmap."""
        x = self.s4(self.tanh3(self.c3(self.s2(self.tanh1(self.c1(x))))))
        x = self.tanh6(self.f6(self.tanh5(self.c5(x)).flatten(1)))
        difference = x.unsqueeze(1) - self.centres
        return (difference * difference).sum(-1)


@network(_PAPER, (1, 32, 32))
def lenet5_1998(num_classes: int = 10, in_channels: int = 1) -> LeNet1998:
    """LeNet-5 as published: 60,000 learned parameters; the 840 fixed numbers of its output layer are buffers."""
    return LeNet1998(num_classes, in_channels)
