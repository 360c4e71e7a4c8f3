"""ZFNet: AlexNet with a smaller first kernel and stride, in one tower.

Zeiler and Fergus 2013, arXiv:1311.2901, figure 3. The paper prints sizes (110, 55, 26, 13, 13, 13, 13, 6) and no number
of parameters; poolings round up, without which 110 does not become 55. Its contrast normalisation is taken to be
AlexNet's response normalisation.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network


class ZFNet(nn.Module):
    """Five convolutions, three poolings, three dense layers."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 96, 7, stride=2, padding=1),
            nn.ReLU(),
            pool(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.Conv2d(96, 256, 5, stride=2),
            nn.ReLU(),
            pool(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            pool(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Any) -> Any:
        """Class scores."""
        return self.classifier(self.features(x).flatten(1))


@network(input=(3, 224, 224), paper="Zeiler and Fergus 2013, arXiv:1311.2901")
def zfnet(num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> ZFNet:
    """ZFNet: 62,357,608 parameters; takes 207 x 207 to 238 x 238."""
    return ZFNet(num_classes, in_channels, dropout)
