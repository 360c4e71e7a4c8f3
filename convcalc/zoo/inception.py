"""Inception v3.

Szegedy et al. 2015, arXiv:1512.00567, table 1 and figures 5 to 7, 10; widths that the paper leaves open are
torchvision's. The forward pass calls the auxiliary head only with ``training``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, ConvNorm, Size

Branch = tuple[tuple[str, int, Size], ...]
"""Convolutions in order: name, channels, kernel."""

ROW, COLUMN = (1, 7), (7, 1)


class Mixed(nn.Module):
    """Branches of convolutions and a pooling, concatenated; two names that end in ``a`` and ``b`` read the same input.

    Without channels for the pooling this is a grid reduction: the last steps and the pooling have stride 2.
    """

    def __init__(self, c_in: int, branches: tuple[Branch, ...], pooled: int = 0) -> None:
        self.branches = branches
        for branch in branches:
            c = c_in
            for name, c_out, kernel in branch:
                strides = not pooled and name == branch[-1][0]
                setattr(self, name, ConvNorm(c, c_out, kernel, 2 if strides else 1, padded=not strides))
                c = c if name.endswith("a") else c_out
        self.pool = nn.AvgPool2d(3, stride=1, padding=1) if pooled else nn.MaxPool2d(3, stride=2)
        self.branch_pool = ConvNorm(c_in, pooled, 1) if pooled else None
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        pooled = self.pool(x)
        outputs = [y for branch in self.branches for y in self._run(branch, x)]
        return self.cat(*outputs, self.branch_pool(pooled) if self.branch_pool else pooled)

    def _run(self, branch: Branch, x: Any) -> Iterator[Any]:
        for name, _, _ in branch:
            y = vars(self)[name](x)
            if name[-1] in "ab":
                yield y
            else:
                x = y
        if name[-1] not in "ab":
            yield x


def _chain(name: str, *steps: tuple[int, Size]) -> Branch:
    return tuple((f"{name}_{i}", c, kernel) for i, (c, kernel) in enumerate(steps, 1))


def _split(name: str, *steps: tuple[int, Size]) -> Branch:
    """Ends in 1 x 3 beside 3 x 1."""
    last = f"{name}_{len(steps) + 1}"
    return (*_chain(name, *steps), (f"{last}a", 384, (1, 3)), (f"{last}b", 384, (3, 1)))


def _figure_5(c_in: int, pooled: int) -> Mixed:
    double = _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3))
    return Mixed(c_in, ((("branch1x1", 64, 1),), _chain("branch5x5", (48, 1), (64, 5)), double), pooled)


def _figure_6(c: int) -> Mixed:
    double = _chain("branch7x7dbl", (c, 1), (c, COLUMN), (c, ROW), (c, COLUMN), (192, ROW))
    return Mixed(768, ((("branch1x1", 192, 1),), _chain("branch7x7", (c, 1), (c, ROW), (192, COLUMN)), double), 192)


def _figure_7(c_in: int) -> Mixed:
    double = _split("branch3x3dbl", (448, 1), (384, 3))
    return Mixed(c_in, ((("branch1x1", 320, 1),), _split("branch3x3", (384, 1)), double), 192)


class InceptionAux(Chain):
    """The auxiliary head on the 17 x 17 grid."""

    def __init__(self, num_classes: int) -> None:
        self.pool = nn.AvgPool2d(5, stride=3)
        self.conv0 = ConvNorm(768, 128, 1)
        self.conv1 = ConvNorm(128, 768, 5, padded=False)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(768, num_classes)


class Inception3(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, aux_logits: bool, training: bool, dropout: float) -> None:
        self.Conv2d_1a_3x3 = ConvNorm(in_channels, 32, 3, 2, padded=False)
        self.Conv2d_2a_3x3 = ConvNorm(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = ConvNorm(32, 64, 3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvNorm(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvNorm(80, 192, 3, padded=False)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _figure_5(192, 32), _figure_5(256, 64), _figure_5(288, 64)
        self.Mixed_6a = Mixed(288, ((("branch3x3", 384, 3),), _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3))))
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = map(_figure_6, (128, 160, 160, 192))
        self.AuxLogits = InceptionAux(num_classes) if aux_logits else None
        factored = _chain("branch7x7x3", (192, 1), (192, ROW), (192, COLUMN), (192, 3))
        self.Mixed_7a = Mixed(768, (_chain("branch3x3", (192, 1), (320, 3)), factored))
        self.Mixed_7b, self.Mixed_7c = _figure_7(1280), _figure_7(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        self.training = training

    def forward(self, x: Any) -> Any:
        """Class scores; in training, those of the auxiliary head after them."""
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        scores = [self.AuxLogits(x)] if self.AuxLogits and self.training else []
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return [self.fc(self.dropout(self.avgpool(x)).flatten(1)), *scores]


@network("Szegedy et al. 2015, arXiv:1512.00567", (3, 299, 299))
def inception_v3(
    num_classes: int = 1000, in_channels: int = 3, aux_logits: bool = True, training: bool = False, dropout: float = 0.5
) -> Inception3:
    """Inception v3; 23,834,568 parameters without the auxiliary head."""
    return Inception3(num_classes, in_channels, aux_logits, training, dropout)
