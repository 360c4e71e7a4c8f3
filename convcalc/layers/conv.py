"""Convolutions, with sizes after Dumoulin and Visin, arXiv:1603.07285, and what sliding windows share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from convcalc.algebra.dims import as_dim, at_least, ceildiv, equal, maximum, prod, show
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import Reach, Taps, slide
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Lazy, Shapes, Tensors, Work, slid
from convcalc.layers.checks import PerAxis
from convcalc.layers.demands import require, require_size
from convcalc.layers.formulas import FIELD, JUMP, START, Seen, rules

WINDOW = {"n": "input size", "k": "kernel size", "s": "stride", "p": "padding on each side", "d": "dilation"}

SIZE = Formula(
    "convolution size",
    "(n + 2*p - d*(k - 1) - 1)//s + 1",
    WINDOW,
    mistakes={
        "padding counted once": "(n + p - d*(k - 1) - 1)//s + 1",
        "the + 1 forgotten": "(n + 2*p - d*(k - 1) - 1)//s",
        "stride ignored": "n + 2*p - d*(k - 1)",
        "dilation ignored": "(n + 2*p - k)//s + 1",
        "rounded up": "ceildiv(n + 2*p - d*(k - 1) - 1, s) + 1",
    },
    source="torch.nn.Conv2d; arXiv:1603.07285, relationship 15",
)

SAME_SIZE = Formula(
    "SAME size",
    "ceildiv(n, s)",
    {"n": "input size", "s": "stride"},
    mistakes={"stride ignored": "n", "rounded down": "n//s"},
    source="tf.nn.convolution, padding='SAME'",
)

CHANNELS = Formula(
    "output channels of a convolution",
    "C_out",
    {"C_out": "filters, out_channels: each makes one channel, whatever the input's channels"},
    source="torch.nn.Conv2d",
)

MACS = Formula(
    "multiply–accumulates of a convolution",
    "n*o*C_out*quotient(C_in, g)*t",
    {
        "n": "batch size",
        "o": "positions of the output",
        "C_out": "output channels",
        "C_in": "input channels",
        "g": "groups",
        "t": "positions of the kernel, K·K in two dimensions",
    },
    mistakes={
        "input channels forgotten": "n*o*C_out*t",
        "groups ignored": "n*o*C_out*C_in*t",
        "positions forgotten": "n*C_out*quotient(C_in, g)*t",
    },
    source="arXiv:1603.07285; torch.utils.flop_counter counts two FLOPs for each",
)


def same_pads(n: Dim, reach: Dim, stride: Dim) -> tuple[Dim, Dim]:
    """Return TensorFlow's SAME padding before and after; ``reach`` is the distance between a window's ends.

    >>> same_pads(6, 2, 2)
    (0, 1)
    """
    total = maximum(as_dim((ceildiv(n, stride) - 1) * stride + reach + 1 - n), 0)
    return total // 2, total - total // 2


class _Sliding(Layer):
    """A kind whose units read windows that slide along the spatial axes."""

    kernel_size: PerAxis
    stride: PerAxis
    padding: PerAxis
    formulas = rules(field=(FIELD, JUMP, START))

    def _window(self, axis: int) -> list[Any]:
        """Return kernel size, stride, padding and dilation along one axis."""
        values = (self.kernel_size, self.stride, self.padding, getattr(self, "dilation", 1))
        return [value[axis] if isinstance(value, tuple) else value for value in values]

    def _size(self, axis: int, n: Dim) -> Dim:
        """Return the output's size along one spatial axis, for an input of size ``n``."""
        raise NotImplementedError

    def _sizes(self, x: Shape) -> Shape:
        return tuple([self._size(i, n) for i, n in enumerate(x[-self.rank :])])

    def pads(self, axis: int, n: Dim) -> tuple[Dim, Dim]:
        """Return the padding before and after the input along one axis.

        >>> Conv2d(3, 8, 4, padding="same").pads(0, 32)
        (1, 2)
        """
        k, s, p, d = self._window(axis)
        reach = d * (k - 1)
        if p == "tf_same":
            return same_pads(n, reach, s)
        if p == "same":
            return reach // 2, reach - reach // 2
        return (0, 0) if p == "valid" else (p, p)

    def reaches(self) -> Sequence[tuple[Dim, Dim]]:
        windows = [self._window(axis) for axis in range(self.rank)]
        return [(d * (k - 1), p) for k, _, p, d in windows] if isinstance(self.padding, tuple) else ()

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return slid(fields[0], _taps_of(self, inputs[0][-self.rank :]))

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along ``axis`` after the window."""
        along = axis - len(inputs[0]) + self.rank
        if along < 0:
            return None
        k, s, _, d = self._window(along)
        return before[0].slid(k, s, self.pads(along, inputs[0][axis])[0], d)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        """Return which inputs an output reads along one axis; None where that depends on a letter."""
        k, s, _, d = self._window(axis)
        numbers: Any = (k, s, self.pads(axis, n)[0], d)
        return slide(*numbers) if all(isinstance(v, int) for v in numbers) else None


@lru_cache(maxsize=1024)
def _taps_of(layer: _Sliding, sizes: Shape) -> list[Taps | Reach | None]:
    """Return the taps along all axes; cached, since few layers differ and many fields pass through them."""
    return [layer._taps(i, n) for i, n in enumerate(sizes)]


class _Conv(_Sliding):
    """A convolution with a kernel for each output channel."""

    infers = {"in_channels": 1}
    in_channels: Dim
    out_channels: Dim
    stride: PerAxis = 1
    padding: PerAxis = 0
    dilation: PerAxis = 1
    groups: Dim = 1
    bias: bool = True
    padding_mode: str = "zeros"
    order = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode"
    factory = True
    modes: ClassVar[tuple[str, ...]] = ("zeros", "reflect", "replicate", "circular")
    named_paddings: ClassVar[tuple[str, ...]] = ("same", "valid", "tf_same")
    formulas = rules(size=(SIZE, SAME_SIZE), channels=(CHANNELS,), macs=(MACS,))

    def check(self) -> None:
        self.each_at_least(1, "kernel_size", "stride", "dilation")
        if self.padding_mode == "zeros":  # in other modes torch pads in a step of its own, where negative padding crops
            self.each_at_least(0, "padding")
        groups = show(self.groups)
        for name in ("in_channels", "out_channels"):
            if not isinstance(self.groups, int) and not isinstance(equal(getattr(self, name) % self.groups, 0), bool):
                what = f"groups must be a number, or a letter of which {name} is a multiple; received {groups}"
                self.refuse(what, f"write groups=2, or a multiple of {groups} for {name}", about=["groups", name])
            self.divisible(name, "groups")
        self.one_of("padding_mode", *self.modes)
        if self.padding == "same" and set(self.stride) != {1}:
            hint = "padding='tf_same' is TensorFlow's SAME, which takes any stride"
            self.refuse("padding='same' needs stride 1 (as in torch)", hint, about=["padding", "stride"])

    def weights(self) -> Tensors:
        kernel = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return self.weight_and_bias(kernel, (self.out_channels,))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self.require_rank(x)
        require_size(x[-self.rank - 1], self.in_channels, "in_channels", "channels")
        if self.groups != 1:
            for name in ("in_channels", "out_channels"):  # for letters this can be demanded only here
                channels = getattr(self, name)
                what = f"{name} {show(channels)} must be divisible by groups {show(self.groups)}"
                require(equal(channels % self.groups, 0), ShapeError(what, about=[name, "groups"]))
        channels = CHANNELS(self.out_channels, axis=-self.rank - 1)
        return (*x[: -self.rank - 1], channels, *self._sizes(x))

    def _size(self, axis: int, n: Dim) -> Dim:
        k, s, p, d = self._window(axis)
        if self.padding_mode in ("reflect", "circular"):  # which cannot pad by more than the input holds
            most, pad = n - 1 if self.padding_mode == "reflect" else n, maximum(*self.pads(axis, n))
            what = f"padding_mode={self.padding_mode!r} cannot pad {pad} onto an input of {n}"
            require(at_least(most, pad), ShapeError(what, about=["padding_mode"]))
        if p in ("tf_same", "same"):  # torch's "same" has stride 1
            return SAME_SIZE(n, s, axis=axis - self.rank)
        return SIZE(n, k, s, 0 if p == "valid" else p, d, axis=axis - self.rank)

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(MACS, output, (self.out_channels, self.in_channels), output)

    def _tally(self, macs: Formula, positions: Shape, channels: tuple[Dim, Dim], output: Shape) -> Work:
        sizes = (prod(positions[: -self.rank - 1]), prod(positions[-self.rank :]))
        return {
            "mac": macs(*sizes, *channels, self.groups, prod(self.kernel_size)),
            "bias": prod(output) if self.bias else 0,
        }

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        # if positions are in the axis of the channels, they are mixed
        return super().field([fields[0].collapsed([-self.rank - 1])], inputs, output)

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        taps = super()._taps(axis, n)
        return taps._replace(border=self.padding_mode) if isinstance(taps, Taps) else taps


class Conv1d(_Conv, rank=1):
    """A convolution over (N, C_in, L) or (C_in, L), as `torch.nn.Conv1d`; also takes ``padding="tf_same"``.

    >>> Conv1d(16, 33, 3, stride=2).output_shape((20, 16, 50))
    (20, 33, 24)
    """


class Conv2d(_Conv, rank=2):
    """A convolution over (N, C_in, H, W) or (C_in, H, W), as `torch.nn.Conv2d`; also takes ``padding="tf_same"``.

    >>> Conv2d(3, 64, 7, stride=2, padding=3).output_shape((1, 3, 224, 224))
    (1, 64, 112, 112)
    """


class Conv3d(_Conv, rank=3):
    """A convolution over (N, C_in, D, H, W) or (C_in, D, H, W), as `torch.nn.Conv3d`; also takes ``padding="tf_same"``.

    >>> Conv3d(3, 8, (1, 3, 3)).output_shape((1, 3, 16, 32, 32))
    (1, 8, 16, 30, 30)
    """


class LazyConv1d(Lazy, becomes=Conv1d):
    """A `Conv1d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv1d`.

    >>> LazyConv1d(8, 3).resolve((1, 4, 8))
    Conv1d(4, 8, 3)
    """


class LazyConv2d(Lazy, becomes=Conv2d):
    """A `Conv2d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv2d`.

    >>> LazyConv2d(8, 3).resolve((1, 4, 8, 8))
    Conv2d(4, 8, 3)
    """


class LazyConv3d(Lazy, becomes=Conv3d):
    """A `Conv3d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv3d`.

    >>> LazyConv3d(8, 3).resolve((1, 4, 8, 8, 8))
    Conv3d(4, 8, 3)
    """
