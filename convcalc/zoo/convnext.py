"""ConvNeXt, tiny to large.

Liu et al. 2022, arXiv:2201.03545, section 3.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, mlp

_PAPER = "Liu et al. 2022, arXiv:2201.03545"


def _norm(name: str, c: int) -> dict[str, Any]:
    """Return normalisation over the channels, by this name, between permutations that move channels last and back."""
    return {"last": nn.Permute((0, 2, 3, 1)), name: nn.LayerNorm(c, eps=1e-06), "first": nn.Permute((0, 3, 1, 2))}


class Block(nn.Module):
    """7 x 7 per channel, normalisation, two dense layers over the channels, a learned scale; the input is added."""

    def __init__(self, c: int) -> None:
        self.layer_scale = nn.Parameter(c, 1, 1)
        dense = [*mlp(c)[:2], nn.Linear(4 * c, c), nn.Permute((0, 3, 1, 2))]
        conv = nn.Conv2d(c, c, 7, padding=3, groups=c)
        self.block = nn.Sequential(conv, nn.Permute((0, 2, 3, 1)), nn.LayerNorm(c, eps=1e-06), *dense)

    def forward(self, x: Any) -> Any:
        return self.layer_scale * self.block(x) + x


class ConvNeXt(Chain):
    """A stem of 4 x 4 patches, four stages of blocks with a halving convolution between them, and a dense layer."""

    flat = ""  # the classifier flattens

    def __init__(self, widths: tuple[int, ...], repeats: tuple[int, ...], num_classes: int, in_channels: int) -> None:
        stem = {"0": nn.Conv2d(in_channels, widths[0], 4, stride=4), **_norm("1", widths[0])}
        self.features = nn.Sequential(nn.Sequential(stem))
        for i, (c, n) in enumerate(zip(widths, repeats)):
            if i:
                halving = {**_norm("0", widths[i - 1]), "1": nn.Conv2d(widths[i - 1], c, 2, stride=2)}
                self.features.append(nn.Sequential(halving))
            self.features.append(nn.Sequential(*[Block(c) for _ in range(n)]))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        head = {**_norm("0", widths[-1]), "1": nn.Flatten(), "2": nn.Linear(widths[-1], num_classes)}
        self.classifier = nn.Sequential(head)


@network(_PAPER)
def convnext_tiny(num_classes: int = 1000, in_channels: int = 3) -> ConvNeXt:
    """ConvNeXt-T."""
    return ConvNeXt((96, 192, 384, 768), (3, 3, 9, 3), num_classes, in_channels)


@network(_PAPER)
def convnext_small(num_classes: int = 1000, in_channels: int = 3) -> ConvNeXt:
    """ConvNeXt-S."""
    return ConvNeXt((96, 192, 384, 768), (3, 3, 27, 3), num_classes, in_channels)


@network(_PAPER)
def convnext_base(num_classes: int = 1000, in_channels: int = 3) -> ConvNeXt:
    """ConvNeXt-B."""
    return ConvNeXt((128, 256, 512, 1024), (3, 3, 27, 3), num_classes, in_channels)


@network(_PAPER)
def convnext_large(num_classes: int = 1000, in_channels: int = 3) -> ConvNeXt:
    """ConvNeXt-L."""
    return ConvNeXt((192, 384, 768, 1536), (3, 3, 27, 3), num_classes, in_channels)
