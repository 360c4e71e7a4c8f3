"""CRNN: convolutions, then two bidirectional LSTMs along the width, to read words in images.

Shi et al. 2015, arXiv:1507.05717, table 1, for 37 classes (letters, digits, blank). It is published with 8.3 million
parameters, exact to the digits printed if a dense layer from 512 to 256 joins the directions between the LSTMs, as in
the authors' code; without that layer there are 8.7 million. The poolings printed as 1 x 2 halve the height only.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import convs


class CRNN(nn.Module):
    """Convolutions to one row of positions, two bidirectional LSTMs along it, and class scores at each position."""

    def __init__(self, num_classes: int, in_channels: int, hidden: int) -> None:
        self.features = nn.Sequential(
            *(convs(in_channels, (64,)), nn.MaxPool2d(2), convs(64, (128,)), nn.MaxPool2d(2)),
            *(convs(128, (256,)), convs(256, (256,)), nn.MaxPool2d((2, 1))),
            *(convs(256, (512,), norm=True), convs(512, (512,), norm=True), nn.MaxPool2d((2, 1))),
            *(nn.Conv2d(512, 512, 2), nn.ReLU()),
        )
        self.lstm1 = nn.LSTM(512, hidden, batch_first=True, bidirectional=True)
        self.join = nn.Linear(2 * hidden, hidden)
        self.lstm2 = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, num_classes)

    def forward(self, x: Any) -> Any:
        x = self.features(x).flatten(1, 2).transpose(1, 2)
        x = self.join(self.lstm1(x)[0])
        return self.fc(self.lstm2(x)[0])


@network("Shi et al. 2015, arXiv:1507.05717", (1, 32, 100))
def crnn(num_classes: int = 37, in_channels: int = 1, hidden: int = 256) -> CRNN:
    """CRNN: 8,330,789 parameters (published: 8.3 million); images of height 32 to 47."""
    return CRNN(num_classes, in_channels, hidden)
