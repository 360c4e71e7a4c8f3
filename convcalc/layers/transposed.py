"""Transposed convolutions, their lazy kinds, and unpooling, after arXiv:1603.07285, chapter 4, and torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from convcalc.algebra.dims import Dim, Shape, at_least, maximum, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, Reach, Taps, spread
from convcalc.errors import SpecError
from convcalc.layers.base import Lazy, Work, _Idle, record, require, require_alike, require_rank, weight_and_bias
from convcalc.layers.binding import PerAxis
from convcalc.layers.conv import WINDOW, _Conv
from convcalc.layers.pool import _Strided

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

UNPOOLED_SIZE = Formula(
    "unpooled size",
    "(n - 1)*s - 2*p + k",
    {name: WINDOW[name] for name in "nksp"},
    slips={"padding added": "(n - 1)*s + 2*p + k", "n for n - 1": "n*s - 2*p + k"},
    source="torch.nn.MaxUnpool2d",
)


class _ConvTranspose(_Conv):
    output_padding: PerAxis = 0
    order = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode"
    modes = ("zeros",)
    named_paddings = ()

    def check(self) -> None:
        super().check()
        self.each_at_least(0, "output_padding")
        for o, s, d in zip(self.output_padding, self.stride, self.dilation):
            if at_least(o, s) is True and at_least(o, d) is True:
                self.refuse(f"output_padding must be smaller than stride or dilation; received {o} with {s} and {d}")

    def weights(self) -> Mapping[str, Shape]:
        kernel = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        return weight_and_bias(kernel, (self.out_channels,), self.bias)

    def _size(self, axis: int, n: Dim) -> Dim:
        k, s, p, d = self._window(axis)
        o = self.output_padding[axis]
        if not isinstance(o, int):  # only now can that be demanded of a letter
            fits = at_least(maximum(s, d) - 1, o)
            require(fits, f"output_padding {show(o)} must be smaller than stride or dilation")
        return TRANSPOSED_SIZE(n, k, s, p, d, o)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return self._tally(TRANSPOSED_MACS, inputs[0], (self.in_channels, self.out_channels), output)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        k, s, p, d = numbers = self._window(axis)
        if not all(isinstance(v, int) for v in numbers):
            return None
        if s > MAX_PERIOD or s * k > MOST_TAPS:  # too many to list, though easily bounded
            return Reach(Fraction(1, s), Fraction(p - d * (k - 1), s), Fraction(p, s))
        return spread(k, s, p, d)


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over (N, C_in, L) or (C_in, L), as `torch.nn.ConvTranspose1d`.

    >>> ConvTranspose1d(16, 8, 4, stride=2, padding=1).output_shape((1, 16, 50))
    (1, 8, 100)
    """


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over (N, C_in, H, W) or (C_in, H, W), as `torch.nn.ConvTranspose2d`.

    >>> ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1).output_shape((1, 16, 7, 7))
    (1, 8, 14, 14)
    """


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over (N, C_in, D, H, W) or (C_in, D, H, W), as `torch.nn.ConvTranspose3d`.

    >>> ConvTranspose3d(16, 8, 2, stride=2).output_shape((1, 16, 4, 7, 7))
    (1, 8, 8, 14, 14)
    """


class LazyConvTranspose1d(Lazy):
    """A `ConvTranspose1d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose1d`.

    >>> LazyConvTranspose1d(8, 3).resolve((1, 4, 9))
    ConvTranspose1d(4, 8, 3)
    """

    becomes = ConvTranspose1d


class LazyConvTranspose2d(Lazy):
    """A `ConvTranspose2d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose2d`.

    >>> LazyConvTranspose2d(8, 3).resolve((1, 4, 9, 9))
    ConvTranspose2d(4, 8, 3)
    """

    becomes = ConvTranspose2d


class LazyConvTranspose3d(Lazy):
    """A `ConvTranspose3d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose3d`.

    >>> LazyConvTranspose3d(8, 3).resolve((1, 4, 9, 9, 9))
    ConvTranspose3d(4, 8, 3)
    """

    becomes = ConvTranspose3d


class _MaxUnpool(_Strided, _Idle):
    """Takes the values and the indices of a maximum pooling, whose input's size is known up to the stride.

    A call's ``output_size`` settles it: the tensor whose size is wanted, where torch takes the size itself.
    """

    arity = (2, 3)

    def check(self) -> None:
        super().check()
        self.each_at_least(0, "padding")

    def forward(self, *inputs: Any, output_size: Any = None) -> Any:
        if isinstance(output_size, (tuple, list)):
            hint = "give the tensor whose size it is: unpool(x, indices, output_size=y)"
            raise SpecError(f"output_size takes a tensor; received {output_size!r}", where=repr(self), hint=hint)
        return record(self, *inputs, *(() if output_size is None else (output_size,)))

    def output_shape(self, *inputs: Shape) -> Shape:
        x, indices, *wanted = inputs
        require_rank(x, self.rank + 2, self.rank + 1)
        require_alike(x, indices, f"values of {show_shape(x)} against indices of {show_shape(indices)}")
        usual = self._sizes(x)
        if not wanted:
            return (*x[: -self.rank], *usual)
        require_rank(wanted[0], self.rank + 2, self.rank + 1)
        ends = wanted[0][-self.rank :]
        for size, n, s in zip(usual, ends, self.stride):  # a pooling can have lost less than a stride
            least, most = size - s + 1, size + s - 1
            what = f"output_size lies between {show(least)} and {show(most)}; received {show(n)}"
            require(at_least(n, least), what)
            require(at_least(most, n), what)
        return (*x[: -self.rank], *ends)

    def _size(self, axis: int, n: Dim) -> Dim:
        return UNPOOLED_SIZE(n, *self._window(axis)[:3])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        seen = join(fields[:2], inputs[0])
        return seen and super().field([seen], inputs, output)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        window = self._window(axis)
        return spread(*window) if all(isinstance(v, int) for v in window) else None


class MaxUnpool1d(_MaxUnpool):
    """Maxima of (N, C, L) or (C, L) put back where they were, as `torch.nn.MaxUnpool1d`.

    >>> MaxUnpool1d(2).output_shape((1, 16, 25), (1, 16, 25))
    (1, 16, 50)
    """


class MaxUnpool2d(_MaxUnpool):
    """Maxima of (N, C, H, W) or (C, H, W) put back where they were, as `torch.nn.MaxUnpool2d`.

    >>> MaxUnpool2d(2).output_shape((1, 64, 22, 30), (1, 64, 22, 30), (1, 64, 45, 60))
    (1, 64, 45, 60)
    """


class MaxUnpool3d(_MaxUnpool):
    """Maxima of (N, C, D, H, W) or (C, D, H, W) put back where they were, as `torch.nn.MaxUnpool3d`.

    >>> MaxUnpool3d((1, 2, 2)).output_shape((1, 8, 4, 7, 7), (1, 8, 4, 7, 7))
    (1, 8, 4, 14, 14)
    """
