"""ViT: an image as a sequence of patches.

Dosovitskiy et al. 2020, arXiv:2010.11929, table 1. The learned positions fix the input's size, which is a setting.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network
from convcalc.zoo.blocks import mlp

_PAPER = "Dosovitskiy et al. 2020, arXiv:2010.11929"


class EncoderBlock(nn.Module):
    """Attention and two dense layers, each after normalisation and with its input added."""

    def __init__(self, width: int, heads: int) -> None:
        self.ln_1 = nn.LayerNorm(width, eps=1e-06)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-06)
        self.mlp = mlp(width)

    def forward(self, x: Any) -> Any:
        y = self.ln_1(x)
        x = self.self_attention(y, y, y, need_weights=False)[0] + x
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Learned positions, which are added; then the blocks and normalisation."""

    def __init__(self, length: int, layers: int, width: int, heads: int) -> None:
        self.pos_embedding = nn.Parameter(1, length, width)
        self.layers = nn.Sequential({f"encoder_layer_{i}": EncoderBlock(width, heads) for i in range(layers)})
        self.ln = nn.LayerNorm(width, eps=1e-06)

    def forward(self, x: Any) -> Any:
        return self.ln(self.layers(x + self.pos_embedding))


class VisionTransformer(nn.Module):
    """Patches as tokens after a learned class token, the encoder, and a dense layer on the class token."""

    def __init__(
        self, patch: int, layers: int, width: int, heads: int, image_size: int, num_classes: int, in_channels: int
    ) -> None:
        if image_size % patch:
            what = f"image_size must be divisible by the patch size {patch}; received {image_size}"
            raise SpecError(what, where="VisionTransformer")
        self.class_token = nn.Parameter(1, 1, width)
        self.conv_proj = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.encoder = Encoder((image_size // patch) ** 2 + 1, layers, width, heads)
        self.heads = nn.Sequential({"head": nn.Linear(width, num_classes)})
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        x = self.conv_proj(x).flatten(2).permute(0, 2, 1)
        token = self.class_token.expand(x.shape[0], -1, -1)
        return self.heads(self.encoder(self.cat(token, x))[:, 0])


@network(_PAPER)
def vit_b_16(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-B with patches of 16 x 16."""
    return VisionTransformer(16, 12, 768, 12, image_size, num_classes, in_channels)


@network(_PAPER)
def vit_b_32(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-B with patches of 32 x 32."""
    return VisionTransformer(32, 12, 768, 12, image_size, num_classes, in_channels)


@network(_PAPER)
def vit_l_16(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-L with patches of 16 x 16."""
    return VisionTransformer(16, 24, 1024, 16, image_size, num_classes, in_channels)


@network(_PAPER)
def vit_l_32(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-L with patches of 32 x 32."""
    return VisionTransformer(32, 24, 1024, 16, image_size, num_classes, in_channels)


@network(_PAPER)
def vit_h_14(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-H with patches of 14 x 14."""
    return VisionTransformer(14, 32, 1280, 16, image_size, num_classes, in_channels)
