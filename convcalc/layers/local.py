"""Local connection without sharing: the picture between a dense layer and a convolution.

Not in torch; the idea is LeCun's (*Generalization and network design strategies*, 1989). Arguments, sizes and work are
those of `conv`; only the weights differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from convcalc.algebra.dims import Shape
from convcalc.layers.checks import require_size
from convcalc.layers.conv import Ints, _Conv


class _LocallyConnected(_Conv):
    """A convolution without sharing: every output position has a kernel and a bias of its own (LeCun 1989).

    Between a fully connected layer (all weights) and a convolution (shared weights); ``input_size`` is the input's
    size along each axis.
    """

    input_size: Ints
    order: ClassVar[tuple[str, ...]] = (
        *("in_channels", "out_channels", "input_size", "kernel_size", "stride", "padding", "dilation"),
        *("groups", "bias", "padding_mode"),
    )
    per_axis: ClassVar[tuple[str, ...]] = ("input_size", *_Conv.per_axis)
    modes: ClassVar[tuple[str, ...]] = ("zeros",)

    def check(self) -> None:
        super().check()
        self.each_at_least("input_size", 1)

    def weights(self) -> Mapping[str, Shape]:
        positions = tuple(self._size(i, n) for i, n in enumerate(self.input_size))
        kernel = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        shape = (*positions, *kernel)
        return {"weight": shape, "bias": (self.out_channels, *positions)} if self.bias else {"weight": shape}

    def output_shape(self, *inputs: Shape) -> Shape:
        output = super().output_shape(*inputs)
        for received, expected in zip(inputs[0][-self.rank :], self.input_size):
            require_size(received, expected, "input_size", "positions")
        return output


class LocallyConnected1d(_LocallyConnected):
    """A convolution over (N, C_in, L) with a kernel for every position instead of a shared one.

    >>> LocallyConnected1d(1, 1, 6, 3, bias=False).weights()
    {'weight': (4, 1, 1, 3)}
    """

    rank = 1


class LocallyConnected2d(_LocallyConnected):
    """A convolution over (N, C_in, H, W) with a kernel for every position instead of a shared one.

    >>> LocallyConnected2d(3, 8, 6, 3, bias=False).weights()
    {'weight': (4, 4, 8, 3, 3, 3)}
    """

    rank = 2


class LocallyConnected3d(_LocallyConnected):
    """A convolution over (N, C_in, D, H, W) with a kernel for every position instead of a shared one.

    >>> LocallyConnected3d(1, 1, 6, 3, bias=False).weights()["weight"][:3]
    (4, 4, 4)
    """

    rank = 3
