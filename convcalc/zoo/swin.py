"""Swin: attention inside windows, which every second block shifts; version 2 is in `swin_v2`.

Liu et al. 2021, arXiv:2103.14030, section 3. Tensors inside are (N, H, W, C). Sizes that windows do not tile are
padded.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, mlp

_PAPER = "Liu et al. 2021, arXiv:2103.14030"

HEAD = 32
"""Channels of each head."""


def pad(x: Any, multiple: int) -> Any:
    """Return (N, H, W, C) with zeros added below and to the right, up to multiples of ``multiple``."""
    below, right = [-(-n // multiple) * multiple - n for n in x.shape[1:3]]
    return x if below == 0 and right == 0 else nn.ConstantPad3d((0, 0, 0, right, 0, below), 0.0)(x)


class WindowAttention(nn.Module):
    """Attention inside windows, shifted by ``shift`` positions, with a learned bias for each relative position."""

    def __init__(self, c: int, window: int, shift: int) -> None:
        self.window, self.shift = window, shift
        self._add_position(c // HEAD, window)
        self.relative_position_index = nn.Buffer(window**4)
        self.qkv = nn.Linear(c, 3 * c)
        self.proj = nn.Linear(c, c)

    def _add_position(self, heads: int, window: int) -> None:
        self.relative_position_bias_table = nn.Parameter((2 * window - 1) ** 2, heads)

    def _position_bias(self) -> Any:
        """Return what is added to the scores: for each pair of positions a number for each head."""
        return nn.IndexSelect(0)(self.relative_position_bias_table, self.relative_position_index)

    def _scores(self, q: Any, k: Any) -> Any:
        """Return the scores of queries against keys, before the bias."""
        return (q * HEAD**-0.5) @ k.transpose(-2, -1)

    def forward(self, x: Any) -> Any:
        window = self.window
        n, h, w, c = x.shape
        x = pad(x, window)
        _, tall, wide, _ = x.shape
        shifts = tuple(0 if isinstance(size, int) and size <= window else self.shift for size in (tall, wide))
        if any(shifts):
            x = x.roll((-shifts[0], -shifts[1]), (1, 2))
        rows, columns = tall // window, wide // window
        x = x.reshape(n, rows, window, columns, window, c).permute(0, 1, 3, 2, 4, 5)
        x = self._attend(x.reshape(n * rows * columns, window**2, c), rows * columns if any(shifts) else 0)
        x = x.reshape(n, rows, columns, window, window, c).permute(0, 1, 3, 2, 4, 5).reshape(n, tall, wide, c)
        if any(shifts):
            x = x.roll(shifts, (1, 2))
        return x if (tall, wide) == (h, w) else x[:, :h, :w]

    def _attend(self, x: Any, masked: Any) -> Any:
        """Attend inside each of (windows, positions, C), with a mask if the image's ``masked`` windows are shifted."""
        n, length, c = x.shape
        heads = c // HEAD
        q, k, v = self.qkv(x).reshape(n, length, 3, heads, HEAD).permute(2, 0, 3, 1, 4)
        bias = self._position_bias().reshape(length, length, heads).permute(2, 0, 1)
        scores = self._scores(q, k) + bias.unsqueeze(0)
        if masked:
            scores = scores.reshape(n // masked, masked, heads, length, length) + nn.Buffer(masked, 1, length, length)
            scores = scores.reshape(n, heads, length, length)
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, c))


class PatchMerging(nn.Module):
    """Every 2 x 2 positions merged into one, with twice the channels."""

    def __init__(self, c: int) -> None:
        self.reduction = nn.Linear(4 * c, 2 * c, bias=False)
        self.norm = nn.LayerNorm(4 * c)
        self.cat = nn.Cat(-1)

    def _merge(self, x: Any) -> Any:
        """Return every 2 x 2 positions as one, their channels concatenated."""
        x = pad(x, 2)
        return self.cat(x[:, ::2, ::2], x[:, 1::2, ::2], x[:, ::2, 1::2], x[:, 1::2, 1::2])

    def forward(self, x: Any) -> Any:
        return self.reduction(self.norm(self._merge(x)))


class Block(nn.Module):
    """Attention and two dense layers, each after normalisation and with its input added."""

    attention: type[WindowAttention] = WindowAttention
    merging = PatchMerging

    def __init__(self, c: int, window: int, shift: int) -> None:
        self.norm1 = nn.LayerNorm(c)
        self.attn = self.attention(c, window, shift)
        self.norm2 = nn.LayerNorm(c)
        self.mlp = mlp(c)

    def forward(self, x: Any) -> Any:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Swin(Chain):
    """Patches of 4 x 4, four stages of blocks with merging between them, and a dense layer."""

    def __init__(
        self, block: type[Block], c: int, repeats: tuple[int, ...], window: int, classes: int, c_in: int
    ) -> None:
        patches = nn.Conv2d(c_in, c, 4, stride=4)
        self.features = nn.Sequential(nn.Sequential(patches, nn.Permute((0, 2, 3, 1)), nn.LayerNorm(c)))
        for stage, n in enumerate(repeats):
            if stage:
                self.features.append(block.merging(c))
                c *= 2
            self.features.append(nn.Sequential(*[block(c, window, window // 2 * (i % 2)) for i in range(n)]))
        self.norm = nn.LayerNorm(c)
        self.permute = nn.Permute((0, 3, 1, 2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(c, classes)


@network(_PAPER)
def swin_t(num_classes: int = 1000, in_channels: int = 3, window: int = 7) -> Swin:
    """Swin-T."""
    return Swin(Block, 96, (2, 2, 6, 2), window, num_classes, in_channels)


@network(_PAPER)
def swin_s(num_classes: int = 1000, in_channels: int = 3, window: int = 7) -> Swin:
    """Swin-S."""
    return Swin(Block, 96, (2, 2, 18, 2), window, num_classes, in_channels)


@network(_PAPER)
def swin_b(num_classes: int = 1000, in_channels: int = 3, window: int = 7) -> Swin:
    """Swin-B."""
    return Swin(Block, 128, (2, 2, 18, 2), window, num_classes, in_channels)
