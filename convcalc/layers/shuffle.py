"""Shuffles of pixels and channels, which move elements and do no arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, Taps, slide
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Fields, Shapes, _Idle
from convcalc.layers.demands import require_axes, require_divisible
from convcalc.layers.formulas import FIELD, JUMP, SPREAD_JUMP, START, UNCHANGED, Seen, rules
from convcalc.layers.resize import SCALED_SIZE

SHUFFLED_CHANNELS = Formula(
    "channels after a pixel shuffle",
    "quotient(c, r*r)",
    {"c": "input channels", "r": "upscale_factor"},
    mistakes={"divided once": "quotient(c, r)"},
    source="arXiv:1609.05158, section 2.2",
)

UNSHUFFLED_CHANNELS = Formula(
    "channels after a pixel unshuffle",
    "c*r*r",
    {"c": "input channels", "r": "downscale_factor"},
    mistakes={"multiplied once": "c*r"},
    source="torch.nn.PixelUnshuffle",
)

UNSHUFFLED_SIZE = Formula(
    "size after a pixel unshuffle",
    "quotient(n, r)",
    {"n": "input size", "r": "downscale_factor"},
    mistakes={"divided by the square": "n//(r*r)"},
    source="torch.nn.PixelUnshuffle",
)


class PixelShuffle(_Idle):
    """Channels moved into space, (*, C·r², H, W) to (*, C, H·r, W·r), as `torch.nn.PixelShuffle` (arXiv:1609.05158).

    >>> PixelShuffle(2).output_shape((1, 4, 8, 8))
    (1, 1, 16, 16)
    """

    rearranges = True

    upscale_factor: Dim
    formulas = rules(size=(SCALED_SIZE,), channels=(SHUFFLED_CHANNELS,), field=(UNCHANGED, SPREAD_JUMP))

    def output_shape(self, *inputs: Shape) -> Shape:
        require_axes(inputs[0], 3)
        *batch, c, h, w = inputs[0]
        r = self.upscale_factor
        require_divisible(c, r * r, "channels", "upscale_factor²")
        return (
            *batch,
            SHUFFLED_CHANNELS(c, r, axis=-3),
            SCALED_SIZE(h, r, axis=-2),
            SCALED_SIZE(w, r, axis=-1),
        )

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        r = self.upscale_factor
        if not isinstance(r, int) or r > MAX_PERIOD:
            return None
        repeated = Taps(1, (range(1),) * r)  # r units in a row come from one position
        return fields[0].through([slide(r * r, r * r, 0, 1), repeated, repeated])

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along the height or the width: the same number of pixels, closer together."""
        r, j, _, extent = before[0]
        along = axis - len(output)
        return Seen(r, SPREAD_JUMP(j, self.upscale_factor), None, extent) if along in (-2, -1) else None


class PixelUnshuffle(_Idle):
    """Space moved into channels, (*, C, H·r, W·r) to (*, C·r², H, W), as `torch.nn.PixelUnshuffle`.

    >>> PixelUnshuffle(2).output_shape((1, 4, 8, 8))
    (1, 16, 4, 4)
    """

    rearranges = True

    downscale_factor: Dim
    formulas = rules(size=(UNSHUFFLED_SIZE,), channels=(UNSHUFFLED_CHANNELS,), field=(FIELD, JUMP, START))

    def output_shape(self, *inputs: Shape) -> Shape:
        require_axes(inputs[0], 3)
        *batch, c, h, w = inputs[0]
        r = self.downscale_factor
        for size, axis in ((h, "a height"), (w, "a width")):
            require_divisible(size, r, axis, "downscale_factor")
        return (
            *batch,
            UNSHUFFLED_CHANNELS(c, r, axis=-3),
            UNSHUFFLED_SIZE(h, r, axis=-2),
            UNSHUFFLED_SIZE(w, r, axis=-1),
        )

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        r = self.downscale_factor
        if not isinstance(r, int) or r * r > MAX_PERIOD:
            return None
        block = slide(r, r, 0, 1)  # of all channels of a position together
        return fields[0].through([Taps(1, (range(1),) * (r * r)), block, block])

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what the channels of a position together see along the height or the width."""
        r = self.downscale_factor
        return before[0].slid(r, r, 0, 1) if axis - len(output) in (-2, -1) else None


class ChannelShuffle(_Idle):
    """The channels of (N, C, *), in ``groups`` taken in turn, as `torch.nn.ChannelShuffle` (arXiv:1707.01083).

    >>> ChannelShuffle(2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """

    rearranges = True

    groups: Dim

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_axes(x, 3)
        require_divisible(x[1], self.groups, "channels", "groups")
        return x
