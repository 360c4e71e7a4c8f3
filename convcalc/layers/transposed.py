"""Transposed convolutions, after arXiv:1603.07285, chapter 4, and unpooling."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from math import gcd
from typing import Any

from convcalc.algebra.dims import at_least, maximum, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import MAX_PERIOD, Reach, Taps, spread
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Fields, Lazy, Shapes, Tensors, Work, _Idle, record
from convcalc.layers.checks import PerAxis
from convcalc.layers.conv import MACS, WINDOW, _Conv
from convcalc.layers.demands import require, require_alike
from convcalc.layers.formulas import FIELD, GIVEN_SIZE, SPREAD_JUMP, Seen, rules
from convcalc.layers.pool import _Strided

TRANSPOSED_SIZE = Formula(
    "transposed convolution size",
    "(n - 1)*s - 2*p + d*(k - 1) + o + 1",
    {**WINDOW, "o": "output padding"},
    mistakes={
        "padding added": "(n - 1)*s + 2*p + d*(k - 1) + o + 1",
        "output padding forgotten": "(n - 1)*s - 2*p + d*(k - 1) + 1",
        "n instead of n - 1": "n*s - 2*p + d*(k - 1) + o + 1",
    },
    source="torch.nn.ConvTranspose2d; arXiv:1603.07285, relationship 14",
)

SPREAD_FIELD = Formula(
    "receptive field of a transposed window",
    "r + (ceildiv(k*g, s) - 1)*quotient(d, g)*j",
    {
        "r": FIELD.symbols["r"],
        "k": "kernel size",
        "g": "greatest common divisor of stride and dilation",
        "s": SPREAD_JUMP.symbols["s"],
        "d": "dilation",
        "j": FIELD.symbols["j"],
    },
    mistakes={"as a convolution's": "r + d*(k - 1)*j"},
    source="arXiv:1603.07285, chapter 4: each of s units in a row meets every s-th kernel element; the largest field",
)

MOST_TAPS = 1_000_000  # phases times kernel positions; beyond it the field is bounded, not listed

TRANSPOSED_MACS = Formula(
    "multiply–accumulates of a transposed convolution",
    "n*i*C_in*quotient(C_out, g)*t",
    {
        "n": "batch size",
        "i": "positions of the input",
        **{name: MACS.symbols[name] for name in ("C_in", "C_out", "g", "t")},
    },
    mistakes={"groups ignored": "n*i*C_in*C_out*t", "input channels forgotten": "n*i*quotient(C_out, g)*t"},
    source="each input element meets each kernel element once; torch.utils.flop_counter",
)

UNPOOLED_SIZE = Formula(
    "unpooled size",
    "(n - 1)*s - 2*p + k",
    {name: WINDOW[name] for name in "nksp"},
    mistakes={"padding added": "(n - 1)*s + 2*p + k", "n instead of n - 1": "n*s - 2*p + k"},
    source="torch.nn.MaxUnpool2d",
)


class _ConvTranspose(_Conv):
    """A transposed convolution."""

    sheet = "convT"
    output_padding: PerAxis = 0
    order = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode"
    modes = ("zeros",)
    named_paddings = ()
    formulas = rules(size=(TRANSPOSED_SIZE,), macs=(TRANSPOSED_MACS,), field=(SPREAD_FIELD, SPREAD_JUMP))

    def check(self) -> None:
        super().check()
        self.each_at_least(0, "output_padding")
        for o, s, d in zip(self.output_padding, self.stride, self.dilation):
            if at_least(o, s) is True and at_least(o, d) is True:
                self.refuse_argument(
                    "output_padding",
                    f"must be smaller than stride or dilation; received {o} with {s} and {d}",
                    "stride",
                    "dilation",
                )

    def weights(self) -> Tensors:
        kernel = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        return self.weight_and_bias(kernel, (self.out_channels,))

    def _size(self, axis: int, n: Dim) -> Dim:
        k, s, p, d = self._window(axis)
        o = self.output_padding[axis]
        if (
            at_least(s - 1, o) is not True and at_least(d - 1, o) is not True
        ):  # for letters this can be demanded only here
            what = f"output_padding {show(o)} must be smaller than stride or dilation"
            error = ShapeError(what, about=["output_padding", "stride", "dilation"])
            require(at_least(maximum(s, d) - 1, o), error)
        return TRANSPOSED_SIZE(n, k, s, p, d, o, axis=axis - self.rank)

    def reaches(self) -> Sequence[tuple[Dim, Dim]]:
        return ()  # padding is cut off the output

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(TRANSPOSED_MACS, inputs[0], (self.in_channels, self.out_channels), output)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        return _spread(self._window(axis))

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what the units with the largest field see along ``axis``."""
        return _seen_spread(self, before[0], axis - len(inputs[0]) + self.rank)


def _seen_spread(layer: _ConvTranspose | _MaxUnpool, before: Seen, along: int) -> Seen | None:
    """Return what the units with the largest field see after a spread window; None where ``along`` is not spatial."""
    if along < 0:
        return None
    k, s, _, d = layer._window(along)
    r, j, _, extent = before
    common = gcd(s, d) if isinstance(s, int) and isinstance(d, int) else 1
    return Seen(SPREAD_FIELD(r, k, common, s, d, j), SPREAD_JUMP(j, s), None, extent)


def _spread(window: list[Any]) -> Taps | Reach | None:
    if not all(isinstance(number, int) for number in window):
        return None
    k, s, p, d = window
    if s > MAX_PERIOD or s * k > MOST_TAPS:
        return Reach(Fraction(1, s), Fraction(p - d * (k - 1), s), Fraction(p, s))
    return spread(k, s, p, d)


class ConvTranspose1d(_ConvTranspose, rank=1):
    """A transposed convolution over (N, C_in, L) or (C_in, L), as `torch.nn.ConvTranspose1d`.

    >>> ConvTranspose1d(4, 8, 2, stride=2).output_shape((1, 4, 8))
    (1, 8, 16)
    """


class ConvTranspose2d(_ConvTranspose, rank=2):
    """A transposed convolution over (N, C_in, H, W) or (C_in, H, W), as `torch.nn.ConvTranspose2d`.

    >>> ConvTranspose2d(4, 8, 3, stride=2, padding=1, output_padding=1).output_shape((1, 4, 8, 8))
    (1, 8, 16, 16)
    """


class ConvTranspose3d(_ConvTranspose, rank=3):
    """A transposed convolution over (N, C_in, D, H, W) or (C_in, D, H, W), as `torch.nn.ConvTranspose3d`.

    >>> ConvTranspose3d(4, 8, 2, stride=2).output_shape((1, 4, 8, 8, 8))
    (1, 8, 16, 16, 16)
    """


class LazyConvTranspose1d(Lazy, becomes=ConvTranspose1d):
    """A `ConvTranspose1d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose1d`.

    >>> LazyConvTranspose1d(8, 3).resolve((1, 4, 8))
    ConvTranspose1d(4, 8, 3)
    """


class LazyConvTranspose2d(Lazy, becomes=ConvTranspose2d):
    """A `ConvTranspose2d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose2d`.

    >>> LazyConvTranspose2d(8, 3).resolve((1, 4, 8, 8))
    ConvTranspose2d(4, 8, 3)
    """


class LazyConvTranspose3d(Lazy, becomes=ConvTranspose3d):
    """A `ConvTranspose3d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConvTranspose3d`.

    >>> LazyConvTranspose3d(8, 3).resolve((1, 4, 8, 8, 8))
    ConvTranspose3d(4, 8, 3)
    """


class _MaxUnpool(_Strided, _Idle):
    """The inverse of maximum pooling, from values and indices; ``output_size`` is a tensor of the size wanted."""

    index_input = 1

    arity = (2, 3)
    formulas = rules(
        size=(UNPOOLED_SIZE, GIVEN_SIZE),
        field=(SPREAD_FIELD, SPREAD_JUMP),
    )

    def check(self) -> None:
        super().check()
        self.each_at_least(0, "padding")

    def torch_inputs(self, shapes: Sequence[Shape], read: Collection[str]) -> str:
        """Return values and indices, and the size of the third input where there is one."""
        if len(shapes) < 3:
            return "{all}"
        batched = len(shapes[2]) > self.rank + 1  # torch drops the batch and channels of a size only if both are there
        return "{x}, {y}, output_size={z}.shape" + ("" if batched else f"[-{self.rank}:]")

    def forward(self, *inputs: Any, output_size: Any = None) -> Any:
        if isinstance(output_size, (tuple, list)):
            hint = "pass the tensor whose size it should have: unpool(x, indices, output_size=y)"
            raise SpecError(f"output_size takes a tensor; received {output_size!r}", where=repr(self), hint=hint)
        return record(self, *inputs, *(() if output_size is None else (output_size,)))

    def output_shape(self, *inputs: Shape) -> Shape:
        x, indices, *target = inputs
        self.require_rank(x)
        what = f"values and indices must have the same shape; received {show_shape(x)} and {show_shape(indices)}"
        require_alike(x, indices, what)
        usual = self._sizes(x)
        if not target:
            return (*x[: -self.rank], *usual)
        self.require_rank(target[0])
        ends = target[0][-self.rank :]
        for size, n, s in zip(usual, ends, self.stride):  # a pooling loses less than a stride
            least, most = size - s + 1, size + s - 1
            what = f"output_size must be between {show(least)} and {show(most)}; received {show(n)}"
            require(at_least(n, least), what)
            require(at_least(most, n), what)
        return (*x[: -self.rank], *[GIVEN_SIZE(n, axis=axis) for axis, n in enumerate(ends, -self.rank)])

    def _size(self, axis: int, n: Dim) -> Dim:
        return UNPOOLED_SIZE(n, *self._window(axis)[:3], axis=axis - self.rank)

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        joint = join(fields[:2], inputs[0])
        return joint and super().field([joint], inputs, output)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        return _spread(self._window(axis))

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what the units with the largest field see along ``axis``."""
        return _seen_spread(self, before[0], axis - len(inputs[0]) + self.rank)


class MaxUnpool1d(_MaxUnpool, rank=1):
    """Maxima of (N, C, L) or (C, L) put back in their places, as `torch.nn.MaxUnpool1d`.

    >>> MaxUnpool1d(2).output_shape((1, 4, 8), (1, 4, 8))
    (1, 4, 16)
    """


class MaxUnpool2d(_MaxUnpool, rank=2):
    """Maxima of (N, C, H, W) or (C, H, W) put back in their places, as `torch.nn.MaxUnpool2d`.

    >>> MaxUnpool2d(2).output_shape((1, 4, 8, 8), (1, 4, 8, 8), (1, 4, 17, 16))
    (1, 4, 17, 16)
    """


class MaxUnpool3d(_MaxUnpool, rank=3):
    """Maxima of (N, C, D, H, W) or (C, D, H, W) put back in their places, as `torch.nn.MaxUnpool3d`.

    >>> MaxUnpool3d(2).output_shape((1, 4, 8, 8, 8), (1, 4, 8, 8, 8))
    (1, 4, 16, 16, 16)
    """
