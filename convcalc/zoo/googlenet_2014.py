"""GoogLeNet as the paper has it: 5 x 5 branches, response normalisation, no batch normalisation.

Szegedy et al. 2014, arXiv:1409.4842, table 1; the channels of its modules are `googlenet`'s. The paper says 12 times
fewer parameters than AlexNet (that would be 5 million); its own table sums to 6.8 million, and exact are 6,998,552
with biases, of which 1,025,000 in the dense layer.

The table counts weights without biases, with K = 1024. Of the nine inception rows one agrees so (3a: 163,328, 159K);
eight differ: 3b 379K (printed 380K), 4a 366.8K (364K), 4b 438K (437K), 4c 497.5K (463K), 4d 590.5K (580K), 4e 847K
(840K), 5a 1018K (1072K), 5b 1409K (1388K). Row 5a, with its 54M operations, is exact for 928 input channels, where its
input has 832. In the other rows the operations printed do follow from the widths printed, so the parameters stand
beside widths that are not theirs. The first row (2.7K, 34M) fits no 7 x 7 convolution from 3 to 64 channels, which has
9,408 weights and 118M MACs; it fits a separable one, 7 x 7 with 8 filters for each channel and 1 x 1 (2,712 weights).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import Branches
from convcalc.zoo.googlenet import MODULES
from convcalc.zoo.registry import network


def conv(c_in: int, c: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution padded to keep the size, and a rectifier."""
    return nn.Sequential({"conv": nn.Conv2d(c_in, c, kernel, stride, kernel // 2), "relu": nn.ReLU()})


def inception(c_in: int, c1: int, c3_in: int, c3: int, c5_in: int, c5: int, pooled: int) -> Branches:
    """Four branches: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 5 x 5; a pooling and 1 x 1."""
    return Branches(
        conv(c_in, c1, 1),
        nn.Sequential(conv(c_in, c3_in, 1), conv(c3_in, c3, 3)),
        nn.Sequential(conv(c_in, c5_in, 1), conv(c5_in, c5, 5)),
        nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(c_in, pooled, 1)),
    )


def auxiliary(c_in: int, num_classes: int) -> nn.Sequential:
    """An auxiliary head (section 5): an average over 5 x 5, a 1 x 1 convolution, two dense layers."""
    return nn.Sequential(
        nn.AvgPool2d(5, stride=3),
        conv(c_in, 128, 1),
        nn.Flatten(),
        nn.Linear(128 * 4 * 4, 1024),
        nn.ReLU(),
        nn.Dropout(0.7),
        nn.Linear(1024, num_classes),
    )


class GoogLeNet2014(nn.Module):
    """A stem of three convolutions, nine inception modules, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)

        self.conv1, self.pool1, self.norm1 = conv(in_channels, 64, 7, 2), pool(), nn.LocalResponseNorm(5)
        self.conv2_reduce, self.conv2, self.norm2 = conv(64, 64, 1), conv(64, 192, 3), nn.LocalResponseNorm(5)
        self.pool2, self.pool3, self.pool4 = pool(), pool(), pool()
        for name, channels in MODULES.items():
            setattr(self, f"inception{name}", inception(*channels))
        if aux_logits:
            self.aux1, self.aux2 = auxiliary(512, num_classes), auxiliary(528, num_classes)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        self.heads = {"4a": "aux1", "4d": "aux2"} if aux_logits and training else {}
        self.pools = {"4a": self.pool3, "5a": self.pool4}

    def forward(self, x: Any) -> Any:
        """Class scores; in training, those of the auxiliary heads after them."""
        x = self.norm1(self.pool1(self.conv1(x)))
        x = self.pool2(self.norm2(self.conv2(self.conv2_reduce(x))))
        scores = []
        for name in MODULES:
            x = self.pools[name](x) if name in self.pools else x
            x = vars(self)[f"inception{name}"](x)
            if name in self.heads:
                scores.append(vars(self)[self.heads[name]](x))
        return [self.fc(self.dropout(self.avgpool(x).flatten(1))), *scores]


@network(input=(3, 224, 224), paper="Szegedy et al. 2014, arXiv:1409.4842")
def googlenet_2014(
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool = False,
    training: bool = False,
    dropout: float = 0.4,
) -> GoogLeNet2014:
    """GoogLeNet of 2014: 6,998,552 parameters, 13,378,280 with the auxiliary heads (224 x 224 only)."""
    return GoogLeNet2014(num_classes, in_channels, aux_logits, training, dropout)
