"""ResNet with activation before each convolution: the bottlenecked network of 200 layers.

He et al. 2016, arXiv:1603.05027, figure 4(e), section 4 and appendix: ResNet-152 with 16 blocks more at 28 x 28. The
first block takes the stem's activation as its own, and an activation follows the last block. The paper prints no
number of parameters; Zagoruyko and Komodakis (arXiv:1605.07146, table 8) print 64.7M, exact to that digit.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.registry import network


class PreactBottleneck(nn.Module):
    """Normalisation and rectifier before each of 1 x 1 down, 3 x 3 and 1 x 1 up; the input added, never activated.

    A projection reads the activated input, as the first convolution does.
    """

    def __init__(self, c_in: int, c: int, stride: int = 1, first: bool = False) -> None:
        self.bn1 = None if first else nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c)
        self.conv3 = nn.Conv2d(c, 4 * c, 1, bias=False)
        self.relu = nn.ReLU()
        self.downsample = None if c_in == 4 * c else nn.Conv2d(c_in, 4 * c, 1, stride, bias=False)

    def forward(self, x: Any) -> Any:
        """The block's output."""
        active = self.relu(self.bn1(x)) if self.bn1 else x
        y = self.conv2(self.relu(self.bn2(self.conv1(active))))
        return self.conv3(self.relu(self.bn3(y))) + (self.downsample(active) if self.downsample else x)


class PreactResNet(nn.Module):
    """A 7 x 7 stem, four stages of blocks, the last activation, the mean over positions, one dense layer."""

    def __init__(self, repeats: tuple[int, ...], num_classes: int, in_channels: int) -> None:
        def stage(i: int) -> nn.Sequential:
            c = 64 * 2**i
            head = PreactBottleneck(2 * c if i else 64, c, 2 if i else 1, first=i == 0)
            return nn.Sequential(head, *[PreactBottleneck(4 * c, c) for _ in range(1, repeats[i])])

        self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1, self.layer2, self.layer3, self.layer4 = map(stage, range(4))
        self.bn = nn.BatchNorm2d(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, num_classes)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.relu(self.bn(self.layer4(self.layer3(self.layer2(self.layer1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


@network(input=(3, 224, 224), paper="He et al. 2016, arXiv:1603.05027")
def preact_resnet200(num_classes: int = 1000, in_channels: int = 3) -> PreactResNet:
    """ResNet-200 with activation before convolution: 64,666,152 parameters (published: 64.7M)."""
    return PreactResNet((3, 24, 36, 3), num_classes, in_channels)
