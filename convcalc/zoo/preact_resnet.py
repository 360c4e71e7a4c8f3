"""ResNet with activation before each convolution: the bottlenecked network of 200 layers.

He et al. 2016, arXiv:1603.05027, figure 4(e), section 4 and appendix: ResNet-152 with 16 blocks more at 28 x 28. The
first block takes the stem's activation as its own, and one follows the last block. The paper prints no number of
parameters; Zagoruyko and Komodakis (arXiv:1605.07146, table 8) print 64.7M, exact to that digit.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.resnet import ResNet


class PreactBottleneck(nn.Module):
    """Normalisation and rectifier before each convolution; a projection reads the activated input, too."""

    expansion = 4

    def __init__(self, c_in: int, c: int, stride: int, *plain: int) -> None:
        self.bn1 = None if c_in == c else nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c)
        self.conv3 = nn.Conv2d(c, 4 * c, 1, bias=False)
        self.relu = nn.ReLU()
        self.downsample = None if c_in == 4 * c else nn.Conv2d(c_in, 4 * c, 1, stride, bias=False)

    def forward(self, x: Any) -> Any:
        active = self.relu(self.bn1(x)) if self.bn1 else x
        y = self.conv2(self.relu(self.bn2(self.conv1(active))))
        return self.conv3(self.relu(self.bn3(y))) + (self.downsample(active) if self.downsample else x)


class PreactResNet(ResNet):
    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__(PreactBottleneck, (3, 24, 36, 3), num_classes, in_channels)
        self.bn, self.avgpool, self.fc = nn.BatchNorm2d(2048), vars(self).pop("avgpool"), vars(self).pop("fc")

    def forward(self, x: Any) -> Any:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.bn(self.layer4(self.layer3(self.layer2(self.layer1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


@network("He et al. 2016, arXiv:1603.05027")
def preact_resnet200(num_classes: int = 1000, in_channels: int = 3) -> PreactResNet:
    """ResNet-200 with activation before convolution: 64,666,152 parameters (published: 64.7M)."""
    return PreactResNet(num_classes, in_channels)
