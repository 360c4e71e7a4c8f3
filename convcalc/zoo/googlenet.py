"""GoogLeNet (Inception v1) with batch normalisation, as in torchvision.

Szegedy et al. 2014, arXiv:1409.4842, table 1. Where the paper has 5 x 5 convolutions torchvision's network, and so
this one, has 3 x 3; and it has batch normalisation, no biases and no response normalisation. The auxiliary heads
serve training: they are owned, but the forward pass calls them only with ``training``.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.blocks import ConvNorm
from convcalc.zoo.registry import network

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
"""Input channels; of 1 x 1; of 3 x 3, reduced and after; of 5 x 5, reduced and after; of the projected pooling."""


class Inception(nn.Module):
    """Four branches side by side: 1 x 1, two of 1 x 1 and 3 x 3, and a pooling with 1 x 1; concatenated."""

    def __init__(self, c_in: int, c1: int, c3_in: int, c3: int, c5_in: int, c5: int, pooled: int) -> None:
        self.branch1 = ConvNorm(c_in, c1, 1)
        self.branch2 = nn.Sequential(ConvNorm(c_in, c3_in, 1), ConvNorm(c3_in, c3, 3, padding=1))
        self.branch3 = nn.Sequential(ConvNorm(c_in, c5_in, 1), ConvNorm(c5_in, c5, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), ConvNorm(c_in, pooled, 1))
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        """All branches' channels."""
        return self.cat(self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x))


class InceptionAux(nn.Module):
    """An auxiliary head: a pooling to 4 x 4, a 1 x 1 convolution, two dense layers."""

    def __init__(self, c_in: int, num_classes: int) -> None:
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.conv = ConvNorm(c_in, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.conv(self.avgpool(x)).flatten(1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """A stem of three convolutions, nine inception modules, the mean over positions, one dense layer."""

    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        self.conv1 = ConvNorm(in_channels, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = ConvNorm(64, 64, 1)
        self.conv3 = ConvNorm(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name, channels in MODULES.items():
            setattr(self, f"inception{name}", Inception(*channels))
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        if aux_logits:
            self.aux1, self.aux2 = InceptionAux(512, num_classes), InceptionAux(528, num_classes)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        self.heads = {"4a": "aux1", "4d": "aux2"} if aux_logits and training else {}

    def forward(self, x: Any) -> Any:
        """Class scores; in training, those of the auxiliary heads after them."""
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        scores = []
        for name in MODULES:
            if name in ("4a", "5a"):
                x = self.maxpool3(x) if name == "4a" else self.maxpool4(x)
            x = vars(self)[f"inception{name}"](x)
            if name in self.heads:
                scores.append(vars(self)[self.heads[name]](x))
        return [self.fc(self.dropout(self.avgpool(x).flatten(1))), *scores]


@network(input=(3, 224, 224), paper="Szegedy et al. 2014, arXiv:1409.4842")
def googlenet(
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool = True,
    training: bool = False,
    dropout: float = 0.2,
) -> GoogLeNet:
    """GoogLeNet as in torchvision; 6,624,904 parameters without the auxiliary heads."""
    return GoogLeNet(num_classes, in_channels, aux_logits, training, dropout)
