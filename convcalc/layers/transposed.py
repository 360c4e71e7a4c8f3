"""Transposed convolutions of 1 to 3 dimensions, and their lazy kinds.

Sizes after Dumoulin and Visin, arXiv:1603.07285, chapter 4, and torch's documentation. The arguments' checks are those
of `conv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

from convcalc.algebra.dims import Dim, Shape, at_least, maximum, prod, show, truth
from convcalc.algebra.field import MAX_PERIOD, Reach, Taps, spread
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Lazy
from convcalc.layers.checks import require
from convcalc.layers.conv import WINDOW, Ints, _Conv
from convcalc.layers.work import Work

TRANSPOSED_SIZE = Formula(
    "transposed convolution size",
    "(n - 1)*s - 2*p + d*(k - 1) + o + 1",
    {**WINDOW, "o": "output padding"},
    slips={
        "padding added": "(n - 1)*s + 2*p + d*(k - 1) + o + 1",
        "output padding forgotten": "(n - 1)*s - 2*p + d*(k - 1) + 1",
        "n for n - 1": "n*s - 2*p + d*(k - 1) + o + 1",
    },
    source="torch.nn.ConvTranspose2d; arXiv:1603.07285, relationship 14",
)

MOST_TAPS = 1_000_000  # phases times kernel positions: beyond it the receptive field is bounded

TRANSPOSED_MACS = Formula(
    "multiply–accumulates of a transposed convolution",
    "n*i*c_in*(c_out//g)*k",
    {
        "n": "batch size",
        "i": "positions of the input",
        "c_in": "input channels",
        "c_out": "output channels",
        "g": "groups",
        "k": "positions of the kernel",
    },
    slips={"groups ignored": "n*i*c_in*c_out*k"},
    source="each input element meets each kernel element once; torch.utils.flop_counter",
)


class _ConvTranspose(_Conv):
    """What all transposed convolutions share."""

    output_padding: Ints = 0  # type: ignore[assignment]
    order: ClassVar[tuple[str, ...]] = (
        *("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups"),
        *("bias", "dilation", "padding_mode"),
    )
    per_axis: ClassVar[tuple[str, ...]] = (*_Conv.per_axis, "output_padding")
    modes: ClassVar[tuple[str, ...]] = ("zeros",)
    named_paddings: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        super().check()
        self.each_at_least("output_padding", 0)
        for o, s, d in zip(self.output_padding, self.stride, self.dilation):
            if truth(at_least(o, s)) is True and truth(at_least(o, d)) is True:
                raise SpecError(
                    f"output_padding must be smaller than stride or dilation; received {o} with {s} and {d}",
                    where=type(self).__name__,
                )

    def weights(self) -> Mapping[str, Shape]:
        shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        return {"weight": shape, "bias": (self.out_channels,)} if self.bias else {"weight": shape}

    def _size(self, axis: int, n: Dim) -> Dim:
        k, s, p, d = (getattr(self, name)[axis] for name in self.per_axis[:4])
        if not isinstance(self.output_padding[axis], int):  # only now can that be demanded of a letter
            fits = at_least(maximum(s, d) - 1, self.output_padding[axis])
            require(fits, f"output_padding {show(self.output_padding[axis])} must be smaller than stride or dilation")
        return TRANSPOSED_SIZE(n, k, s, p, d, self.output_padding[axis])

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        batch, positions = prod(inputs[0][: -self.rank - 1]), prod(inputs[0][-self.rank :])
        kernel = prod(self.kernel_size)
        macs = TRANSPOSED_MACS(batch, positions, self.in_channels, self.out_channels, self.groups, kernel)
        return {"mac": macs, "bias": prod(output) if self.bias else 0}

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        k, s, p, d = numbers = [getattr(self, name)[axis] for name in self.per_axis[:4]]
        if not all(isinstance(v, int) for v in numbers):
            return None
        if s > MAX_PERIOD or s * k > MOST_TAPS:  # too many to list, though easily bounded
            return Reach(Fraction(1, s), Fraction(p - d * (k - 1), s), Fraction(p, s))
        return spread(*numbers)


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over (N, C_in, L) or (C_in, L), as `torch.nn.ConvTranspose1d`.

    >>> ConvTranspose1d(16, 8, 4, stride=2, padding=1).output_shape((1, 16, 50))
    (1, 8, 100)
    """

    rank = 1


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over (N, C_in, H, W) or (C_in, H, W), as `torch.nn.ConvTranspose2d`.

    >>> ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1).output_shape((1, 16, 7, 7))
    (1, 8, 14, 14)
    """

    rank = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over (N, C_in, D, H, W) or (C_in, D, H, W), as `torch.nn.ConvTranspose3d`.

    >>> ConvTranspose3d(16, 8, 2, stride=2).output_shape((1, 16, 4, 7, 7))
    (1, 8, 8, 14, 14)
    """

    rank = 3


class LazyConvTranspose1d(Lazy):
    """A `ConvTranspose1d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose1d`.

    >>> LazyConvTranspose1d(8, 3).resolve((1, 4, 9))
    ConvTranspose1d(4, 8, 3)
    """

    becomes = ConvTranspose1d
    channel_axis = -2


class LazyConvTranspose2d(Lazy):
    """A `ConvTranspose2d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose2d`.

    >>> LazyConvTranspose2d(8, 3).resolve((1, 4, 9, 9))
    ConvTranspose2d(4, 8, 3)
    """

    becomes = ConvTranspose2d
    channel_axis = -3


class LazyConvTranspose3d(Lazy):
    """A `ConvTranspose3d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose3d`.

    >>> LazyConvTranspose3d(8, 3).resolve((1, 4, 9, 9, 9))
    ConvTranspose3d(4, 8, 3)
    """

    becomes = ConvTranspose3d
    channel_axis = -4
