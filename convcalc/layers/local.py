"""Local connection: a convolution that does not share its weights (LeCun 1989, *Generalization and network design*)."""

from __future__ import annotations

from convcalc.algebra.types import Shape
from convcalc.layers.base import Tensors
from convcalc.layers.checks import PerAxis
from convcalc.layers.conv import _Conv
from convcalc.layers.demands import require_size


class _LocallyConnected(_Conv):
    """A convolution with a kernel and a bias of its own for every position, which torch does not have."""

    in_torch = False
    infers = {"in_channels": 1, "input_size": slice(2, None)}

    input_size: PerAxis
    order = "in_channels out_channels input_size kernel_size stride padding dilation groups bias padding_mode"
    modes = ("zeros",)

    def check(self) -> None:
        super().check()
        self.each_at_least(1, "input_size")

    def weights(self) -> Tensors:
        positions, shared = self._sizes(self.input_size), super().weights()["weight"]
        return self.weight_and_bias((*positions, *shared), (self.out_channels, *positions))

    def output_shape(self, *inputs: Shape) -> Shape:
        output = super().output_shape(*inputs)
        for n, expected in zip(inputs[0][-self.rank :], self.input_size):
            require_size(n, expected, "input_size", "positions")
        return output


class LocallyConnected1d(_LocallyConnected, rank=1):
    """A convolution over (N, C_in, L) with a kernel for every position.

    >>> LocallyConnected1d(1, 1, 6, 3, bias=False).weights()
    {'weight': (4, 1, 1, 3)}
    """

    sheet_example = "input(1, 6)\nlocallyconnected(1, 3, bias=False)"


class LocallyConnected2d(_LocallyConnected, rank=2):
    """A convolution over (N, C_in, H, W) with a kernel for every position.

    >>> LocallyConnected2d(1, 1, 6, 3, bias=False).weights()
    {'weight': (4, 4, 1, 1, 3, 3)}
    """

    sheet_example = "input(3, 6, 6)\nlocallyconnected(8, 3, bias=False)"


class LocallyConnected3d(_LocallyConnected, rank=3):
    """A convolution over (N, C_in, D, H, W) with a kernel for every position.

    >>> LocallyConnected3d(1, 1, 6, 3, bias=False).weights()
    {'weight': (4, 4, 4, 1, 1, 3, 3, 3)}
    """

    sheet_example = "input(1, 6, 6, 6)\nlocallyconnected(1, 3, bias=False)"
