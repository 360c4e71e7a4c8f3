"""Swin v2: cosine attention, normalisation after each layer, and biases that a small network computes from positions.

Liu et al. 2021, arXiv:2111.09883, section 3; all else is as in `swin`.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.swin import HEAD, Block, PatchMerging, Swin, WindowAttention

_PAPER = "Liu et al. 2021, arXiv:2111.09883"


class CosineAttention(WindowAttention):
    """Attention by the cosine of the angle between queries and keys."""

    def __init__(self, c: int, window: int, shift: int) -> None:
        super().__init__(c, window, shift)
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, c // HEAD, bias=False))

    def _add_position(self, heads: int, window: int) -> None:
        self.logit_scale = nn.Parameter(heads, 1, 1)
        self.relative_coords_table = nn.Buffer(1, 2 * window - 1, 2 * window - 1, 2)

    def _position_bias(self) -> Any:
        """Return a small network's output for each pair of positions, between 0 and 16."""
        table = self.cpb_mlp(self.relative_coords_table).reshape(-1, self.logit_scale.shape[0])
        return nn.IndexSelect(0)(table, self.relative_position_index).sigmoid() * 16

    def _scores(self, q: Any, k: Any) -> Any:
        cosines = nn.Normalize(dim=-1)(q) @ nn.Normalize(dim=-1)(k).transpose(-2, -1)
        return cosines * nn.Exp()(nn.Hardtanh(-inf, log(100))(self.logit_scale))  # a scale of at most 100


class PatchMergingV2(PatchMerging):
    """Patch merging with normalisation after the dense layer."""

    def __init__(self, c: int) -> None:
        super().__init__(c)
        self.norm = nn.LayerNorm(2 * c)

    def forward(self, x: Any) -> Any:
        return self.norm(self.reduction(self._merge(x)))


class BlockV2(Block):
    """A block with normalisation after the attention and after the dense layers."""

    attention = CosineAttention
    merging = PatchMergingV2

    def forward(self, x: Any) -> Any:
        x = x + self.norm1(self.attn(x))
        return x + self.norm2(self.mlp(x))


@network(_PAPER, (3, 256, 256))
def swin_v2_t(num_classes: int = 1000, in_channels: int = 3, window: int = 8) -> Swin:
    """Swin v2-T."""
    return Swin(BlockV2, 96, (2, 2, 6, 2), window, num_classes, in_channels)


@network(_PAPER, (3, 256, 256))
def swin_v2_s(num_classes: int = 1000, in_channels: int = 3, window: int = 8) -> Swin:
    """Swin v2-S."""
    return Swin(BlockV2, 96, (2, 2, 18, 2), window, num_classes, in_channels)


@network(_PAPER, (3, 256, 256))
def swin_v2_b(num_classes: int = 1000, in_channels: int = 3, window: int = 8) -> Swin:
    """Swin v2-B."""
    return Swin(BlockV2, 128, (2, 2, 18, 2), window, num_classes, in_channels)
