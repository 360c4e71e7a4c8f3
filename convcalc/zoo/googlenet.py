"""GoogLeNet (Inception v1): with batch normalisation, as in torchvision, and as in the paper.

Szegedy et al. 2014, arXiv:1409.4842, table 1. Torchvision has 3 x 3 convolutions where the paper has 5 x 5, and batch
normalisation instead of biases and response normalisation. Auxiliary heads are counted, but run only with ``training``.

The paper says 12 times fewer parameters than AlexNet (that would be 5 million); its own table sums to 6.8 million, and
the exact count is 6,998,552 with biases, of which 1,025,000 are in the dense layer. The table counts weights alone,
with K = 1024. Of its nine inception rows one agrees (3a: 163,328, 159K) and eight differ: 3b 379K (printed 380K), 4a
366.8K (364K), 4b 438K (437K), 4c 497.5K (463K), 4d 590.5K (580K), 4e 847K (840K), 5a 1018K (1072K), 5b 1409K (1388K).
Row 5a, with its 54M operations, is exact for 928 input channels, but its input has 832. The other rows' operations do
follow from the widths beside them, so their parameters were computed for other widths. The first row (2.7K, 34M) fits
no 7 x 7 convolution from 3 to 64 channels (9,408 weights, 118M MACs), but does fit a separable one: 7 x 7 with 8
filters for each channel, then 1 x 1 (2,712 weights).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Branches, Chain, ConvNorm

_PAPER = "Szegedy et al. 2014, arXiv:1409.4842"

MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}
"""Channels of each module: input; 1 x 1; 3 x 3, before and after; 5 x 5, before and after; the projected pooling."""


def pool(size: int = 3) -> nn.MaxPool2d:
    """Return a max pooling with stride 2 that rounds sizes up."""
    return nn.MaxPool2d(size, stride=2, ceil_mode=True)


def branches(conv: Any, channels: tuple[int, ...], largest: int, pool: Any = nn.MaxPool2d) -> list[Any]:
    """Return an inception module's branches: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and ``largest``; a pooling and 1 x 1."""
    c_in, c1, c3_in, c3, c5_in, c5, pooled = channels
    return [
        conv(c_in, c1, 1),
        nn.Sequential(conv(c_in, c3_in, 1), conv(c3_in, c3, 3)),
        nn.Sequential(conv(c_in, c5_in, 1), conv(c5_in, c5, largest)),
        nn.Sequential(pool(3, stride=1, padding=1), conv(c_in, pooled, 1)),
    ]


class Inception(Branches):
    """An inception module whose convolutions have batch normalisation."""


class InceptionAux(Chain):
    """An auxiliary head, as in torchvision."""

    flat = "conv"

    def __init__(self, c_in: int, num_classes: int) -> None:
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.conv = ConvNorm(c_in, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)


class GoogLeNet(nn.Module):
    """A stem, nine inception modules, a dense layer, and two auxiliary heads."""

    conv1: Any
    conv2: Any

    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        self.conv1, self.maxpool1 = ConvNorm(in_channels, 64, 7, 2), pool()
        self.conv2, self.conv3, self.maxpool2 = ConvNorm(64, 64, 1), ConvNorm(64, 192, 3), pool()
        self.stem = list(vars(self).values())
        for name, channels in MODULES.items():
            setattr(self, f"inception{name}", Inception(*branches(ConvNorm, channels, 3), start=1))
        self.maxpool3, self.maxpool4 = pool(), pool(2)
        self.pools = {"4a": self.maxpool3, "5a": self.maxpool4}
        self._end(InceptionAux, num_classes, aux_logits, training, dropout)

    def _end(self, aux: Callable[[int, int], Any], classes: int, owned: bool, called: bool, dropout: float) -> None:
        if owned:
            self.aux1, self.aux2 = aux(512, classes), aux(528, classes)
        self.heads = {"4a": self.aux1, "4d": self.aux2} if owned and called else {}
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, classes)

    def forward(self, x: Any) -> Any:
        """Return the class scores, followed in training by those of the auxiliary heads."""
        scores = []
        for layer in self.stem:
            x = layer(x)
        for name in MODULES:
            x = self.pools[name](x) if name in self.pools else x
            x = vars(self)[f"inception{name}"](x)
            if name in self.heads:
                scores.append(self.heads[name](x))
        return [self.fc(self.dropout(self.avgpool(x).flatten(1))), *scores]


@network(_PAPER)
def googlenet(
    num_classes: int = 1000, in_channels: int = 3, aux_logits: bool = True, training: bool = False, dropout: float = 0.2
) -> GoogLeNet:
    """GoogLeNet as in torchvision; 6,624,904 parameters without the auxiliary heads."""
    return GoogLeNet(num_classes, in_channels, aux_logits, training, dropout)


def conv(c_in: int, c: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution padded to keep the size, and a rectifier."""
    return nn.Sequential({"conv": nn.Conv2d(c_in, c, kernel, stride, kernel // 2), "relu": nn.ReLU()})


def auxiliary(c_in: int, num_classes: int) -> nn.Sequential:
    """Return an auxiliary head (section 5): an average over 5 x 5, a 1 x 1 convolution, two dense layers."""
    dense = [nn.Flatten(), nn.Linear(128 * 4 * 4, 1024), nn.ReLU(), nn.Dropout(0.7), nn.Linear(1024, num_classes)]
    return nn.Sequential(nn.AvgPool2d(5, stride=3), conv(c_in, 128, 1), *dense)


class GoogLeNet2014(GoogLeNet):
    """GoogLeNet with 5 x 5 branches and response normalisation, without batch normalisation."""

    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        self.conv1, self.pool1, self.norm1 = conv(in_channels, 64, 7, 2), pool(), nn.LocalResponseNorm(5)
        self.conv2_reduce, self.conv2, self.norm2 = conv(64, 64, 1), conv(64, 192, 3), nn.LocalResponseNorm(5)
        self.pool2 = pool()
        self.stem = list(vars(self).values())
        self.pool3, self.pool4 = pool(), pool()
        self.pools = {"4a": self.pool3, "5a": self.pool4}
        for name, channels in MODULES.items():
            setattr(self, f"inception{name}", Branches(*branches(conv, channels, 5)))
        self._end(auxiliary, num_classes, aux_logits, training, dropout)


@network(_PAPER)
def googlenet_2014(
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool = False,
    training: bool = False,
    dropout: float = 0.4,
) -> GoogLeNet2014:
    """GoogLeNet as published: 6,998,552 parameters, 13,378,280 with the auxiliary heads (223 x 223 to 270 x 270)."""
    return GoogLeNet2014(num_classes, in_channels, aux_logits, training, dropout)
