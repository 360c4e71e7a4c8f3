"""ViT: an image as a sentence of patches.

Dosovitskiy et al. 2020, arXiv:2010.11929, table 1. Attribute names as in torchvision. The learned positions fix the
input's size, which is a setting.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo.registry import network

_PAPER = "Dosovitskiy et al. 2020, arXiv:2010.11929"


class EncoderBlock(nn.Module):
    """Attention and two dense layers, each after normalisation, the input added to each."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        self.ln_1 = nn.LayerNorm(width, eps=1e-06)
        self.self_attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width, eps=1e-06)
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(0.0), nn.Linear(hidden, width), nn.Dropout(0.0)
        )

    def forward(self, x: Any) -> Any:
        """The block's output."""
        y = self.ln_1(x)
        x = self.self_attention(y, y, y, need_weights=False)[0] + x
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Learned positions added, the blocks, a normalisation."""

    def __init__(self, length: int, layers: int, width: int, heads: int, hidden: int) -> None:
        self.pos_embedding = nn.Parameter(1, length, width)
        blocks = {f"encoder_layer_{i}": EncoderBlock(width, heads, hidden) for i in range(layers)}
        self.layers = nn.Sequential(blocks)
        self.ln = nn.LayerNorm(width, eps=1e-06)

    def forward(self, x: Any) -> Any:
        """The encoded sequence."""
        return self.ln(self.layers(x + self.pos_embedding))


class VisionTransformer(nn.Module):
    """Patches as a convolution whose stride is its kernel, a class token before them, the encoder, one dense layer."""

    def __init__(
        self,
        patch: int,
        layers: int,
        width: int,
        heads: int,
        hidden: int,
        *,
        image_size: int,
        num_classes: int,
        in_channels: int,
    ) -> None:
        if image_size % patch:
            raise SpecError(
                f"image_size must be divisible by the patch's size {patch}; received {image_size}",
                where="VisionTransformer",
            )
        self.class_token = nn.Parameter(1, 1, width)
        self.conv_proj = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.encoder = Encoder((image_size // patch) ** 2 + 1, layers, width, heads, hidden)
        self.heads = nn.Sequential({"head": nn.Linear(width, num_classes)})
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        """Class scores."""
        x = self.conv_proj(x).flatten(2).permute(0, 2, 1)
        token = self.class_token.expand(x.shape[0], -1, -1)
        return self.heads(self.encoder(self.cat(token, x))[:, 0])


@network(input=(3, 224, 224), paper=_PAPER)
def vit_b_16(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-B, patches of 16 x 16."""
    sizes = {"image_size": image_size, "num_classes": num_classes, "in_channels": in_channels}
    return VisionTransformer(16, 12, 768, 12, 3072, **sizes)


@network(input=(3, 224, 224), paper=_PAPER)
def vit_b_32(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-B, patches of 32 x 32."""
    sizes = {"image_size": image_size, "num_classes": num_classes, "in_channels": in_channels}
    return VisionTransformer(32, 12, 768, 12, 3072, **sizes)


@network(input=(3, 224, 224), paper=_PAPER)
def vit_l_16(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-L, patches of 16 x 16."""
    sizes = {"image_size": image_size, "num_classes": num_classes, "in_channels": in_channels}
    return VisionTransformer(16, 24, 1024, 16, 4096, **sizes)


@network(input=(3, 224, 224), paper=_PAPER)
def vit_l_32(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-L, patches of 32 x 32."""
    sizes = {"image_size": image_size, "num_classes": num_classes, "in_channels": in_channels}
    return VisionTransformer(32, 24, 1024, 16, 4096, **sizes)


@network(input=(3, 224, 224), paper=_PAPER)
def vit_h_14(num_classes: int = 1000, in_channels: int = 3, image_size: int = 224) -> VisionTransformer:
    """ViT-H, patches of 14 x 14."""
    sizes = {"image_size": image_size, "num_classes": num_classes, "in_channels": in_channels}
    return VisionTransformer(14, 32, 1280, 16, 5120, **sizes)
