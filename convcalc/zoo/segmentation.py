"""What networks that label each pixel share: bodies that give two maps, and the frame around body and heads.

The networks themselves stand in `fcn`, `deeplabv3` and `lraspp`. Attribute names as in torchvision.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo.mobilenet_v3 import LARGE, MobileNetV3
from convcalc.zoo.resnet import Bottleneck, ResNet


class ResNetBody(ResNet):
    """A ResNet without its head, at an eighth of the input's size; gives its third and fourth stage."""

    channels = (1024, 2048)

    def __init__(self, repeats: tuple[int, ...], in_channels: int) -> None:
        super().__init__(Bottleneck, repeats, in_channels=in_channels, output_stride=8)
        del self.avgpool, self.fc

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The third and the fourth stage's output."""
        x = self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x))))))
        third = self.layer3(x)
        return third, self.layer4(third)


class MobileNetBody(nn.Module):
    """MobileNet v3 large without its head; gives a map of an eighth of the size and the last, of a sixteenth."""

    channels = (40, 960)

    def __init__(self, in_channels: int) -> None:
        vars(self).update(vars(MobileNetV3(LARGE, 1280, in_channels=in_channels, output_stride=16).features))

    def forward(self, x: Any) -> tuple[Any, Any]:
        """The output of the first block at an eighth of the size, and of the last."""
        early = x
        for name, block in vars(self).items():
            x = block(x)
            early = x if name == "4" else early
        return early, x


def resized(x: Any, like: Any) -> Any:
    """``x`` interpolated to the height and width of another tensor."""
    return nn.Upsample(size=like.shape[2:], mode="bilinear")(x)


def fcn_head(c_in: int, num_classes: int) -> nn.Sequential:
    """A 3 x 3 convolution to a quarter of the channels and a 1 x 1 to the classes."""
    c = c_in // 4
    conv = nn.Conv2d(c_in, c, 3, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(c, num_classes, 1))


class Segmenter(nn.Module):
    """A body, a head on its last map, and with ``aux_loss`` another on the earlier one; scores at the input's size."""

    def __init__(self, body: Any, head: Any, num_classes: int, aux_loss: bool) -> None:
        self.backbone = body
        self.classifier = head
        self.aux_classifier = fcn_head(body.channels[0], num_classes) if aux_loss else None

    def forward(self, x: Any) -> Any:
        """Class scores of each pixel, those of the auxiliary head after them."""
        early, last = self.backbone(x)
        scores = [resized(self.classifier(last), x)]
        return [*scores, resized(self.aux_classifier(early), x)] if self.aux_classifier else scores
