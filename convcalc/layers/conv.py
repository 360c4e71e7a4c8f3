"""Convolutions of 1 to 3 dimensions, and the lazy kinds that take their channels from the first input.

Sizes after Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, and torch's
documentation of each kind. ``padding="tf_same"`` is TensorFlow's SAME, which torch lacks. Transposed convolutions
and those without shared weights stand in `transposed` and `local`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, as_dim, at_least, ceildiv, equal, maximum, prod, show, truth
from convcalc.algebra.field import Field, Reach, Taps, slide
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, Lazy
from convcalc.layers.checks import require, require_rank, require_size
from convcalc.layers.work import Work

Ints = tuple[int, ...]

WINDOW = {
    "n": "input size",
    "k": "kernel size",
    "s": "stride",
    "p": "padding on each side",
    "d": "dilation",
}

SIZE = Formula(
    "convolution size",
    "(n + 2*p - d*(k - 1) - 1)//s + 1",
    WINDOW,
    slips={
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
    slips={"stride ignored": "n", "rounded down": "n//s"},
    source="tf.nn.convolution, padding='SAME'",
)

MACS = Formula(
    "multiply–accumulates of a convolution",
    "n*o*c_out*(c_in//g)*k",
    {
        "n": "batch size",
        "o": "positions of the output",
        "c_out": "output channels",
        "c_in": "input channels",
        "g": "groups",
        "k": "positions of the kernel",
    },
    slips={"input channels forgotten": "n*o*c_out*k", "groups ignored": "n*o*c_out*c_in*k"},
    source="arXiv:1603.07285; torch.utils.flop_counter counts two FLOPs for each",
)


def same_pads(n: Dim, reach: Dim, stride: Dim) -> tuple[Dim, Dim]:
    """TensorFlow's SAME padding before and after an input of ``n``; a window's last tap is ``reach`` from its first.

    >>> same_pads(6, 2, 2)
    (0, 1)
    """
    total = maximum(as_dim((ceildiv(n, stride) - 1) * stride + reach + 1 - n), 0)
    return total // 2, total - total // 2


class _Conv(Layer):
    """What all convolutions share; the rank-named kinds below only say their rank."""

    in_channels: Dim
    out_channels: Dim
    kernel_size: Ints
    stride: Ints = 1  # type: ignore[assignment]  # one number for all axes, until it is bound
    padding: Any = 0
    dilation: Ints = 1  # type: ignore[assignment]
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"
    per_axis: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding", "dilation")
    factory: ClassVar[bool] = True
    modes: ClassVar[tuple[str, ...]] = ("zeros", "reflect", "replicate", "circular")
    named_paddings: ClassVar[tuple[str, ...]] = ("same", "valid", "tf_same")

    def check(self) -> None:
        self.normalise(bias=bool(self.bias))
        for name in ("in_channels", "out_channels", "groups"):
            self.normalise(**{name: self.positive(name)})
        for name in ("kernel_size", "stride", "dilation"):
            self.each_at_least(name, 1)
        if self.padding_mode == "zeros":  # in the other modes torch pads apart, where a negative padding crops
            self.each_at_least("padding", 0)
        for name in ("in_channels", "out_channels"):
            fits = truth(equal(getattr(self, name) % self.groups, 0))
            if fits is None and not isinstance(self.groups, int):
                raise SpecError(
                    f"groups must be a number, or a letter that {name} is a multiple of; received {show(self.groups)}",
                    where=type(self).__name__,
                    hint=f"write groups=2, or a multiple of {show(self.groups)} for {name}",
                )
            if fits is False:
                raise SpecError(
                    f"{name} must be divisible by groups; received {getattr(self, name)} and {self.groups}",
                    where=type(self).__name__,
                )
        self.one_of("padding_mode", self.modes)
        if isinstance(self.padding, str):
            self.one_of("padding", self.named_paddings)
            if self.padding == "same" and set(self.stride) != {1}:
                raise SpecError(
                    "padding='same' needs stride 1 (as in torch)",
                    where=type(self).__name__,
                    hint="padding='tf_same' is TensorFlow's SAME, which takes any stride",
                )

    def weights(self) -> Mapping[str, Shape]:
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return {"weight": shape, "bias": (self.out_channels,)} if self.bias else {"weight": shape}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, self.rank + 2, self.rank + 1)
        require_size(x[-self.rank - 1], self.in_channels, "in_channels", "channels")
        if self.groups != 1:
            for name in ("in_channels", "out_channels"):  # of letters it is only now that this can be demanded
                fits = equal(getattr(self, name) % self.groups, 0)
                require(fits, f"{name} {show(getattr(self, name))} must be divisible by groups {show(self.groups)}")
        sizes = tuple([self._size(i, n) for i, n in enumerate(x[-self.rank :])])
        return (*x[: -self.rank - 1], self.out_channels, *sizes)

    def _size(self, axis: int, n: Dim) -> Dim:
        """The output's size along one axis."""
        k, s, d = self.kernel_size[axis], self.stride[axis], self.dilation[axis]
        if self.padding in ("same", "tf_same"):
            if self.padding_mode != "zeros":
                self._check_pads(n, *self.pads(axis, n))
            return n if self.padding == "same" else SAME_SIZE(n, s)
        p = 0 if self.padding == "valid" else self.padding[axis]
        self._check_pads(n, p, p)
        return SIZE(n, k, s, p, d)

    def _check_pads(self, n: Dim, before: Dim, after: Dim) -> None:
        """Reflected and wrapped padding cannot take more than the input holds."""
        if self.padding_mode in ("reflect", "circular"):
            most = n - 1 if self.padding_mode == "reflect" else n
            what = f"padding_mode={self.padding_mode!r} cannot pad {maximum(before, after)} onto an input of {n}"
            require(at_least(most, maximum(before, after)), what)

    def pads(self, axis: int, n: Dim) -> tuple[Dim, Dim]:
        """Padding before and after the input along one axis."""
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1)
        if self.padding == "valid":
            return 0, 0
        if self.padding == "same":
            return reach // 2, reach - reach // 2
        if self.padding == "tf_same":
            return same_pads(n, reach, self.stride[axis])
        return self.padding[axis], self.padding[axis]

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        batch, positions = prod(output[: -self.rank - 1]), prod(output[-self.rank :])
        kernel = prod(self.kernel_size)
        macs = MACS(batch, positions, self.out_channels, self.in_channels, self.groups, kernel)
        return {"mac": macs, "bias": prod(output) if self.bias else 0}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        taps = [self._taps(i, n) for i, n in enumerate(inputs[0][-self.rank :])]
        field = fields[0].collapsed([-self.rank - 1])  # a position that stands in the channels' place is mixed away
        return field.through([tap for tap in taps if tap]) if all(taps) else None

    def _taps(self, axis: int, n: Dim) -> Taps | Reach | None:
        """Which inputs an output reads along one axis; None where that hangs on a letter."""
        numbers = (self.kernel_size[axis], self.stride[axis], self.pads(axis, n)[0], self.dilation[axis])
        if not all(isinstance(v, int) for v in numbers):
            return None
        taps = slide(*numbers)  # type: ignore[arg-type]
        return taps if self.padding_mode == "zeros" else taps._replace(border=self.padding_mode)


class Conv1d(_Conv):
    """Convolution over (N, C_in, L) or (C_in, L), as `torch.nn.Conv1d`; ``padding="tf_same"`` besides.

    >>> Conv1d(16, 33, 3, stride=2).output_shape((20, 16, 50))
    (20, 33, 24)
    """

    rank = 1


class Conv2d(_Conv):
    """Convolution over (N, C_in, H, W) or (C_in, H, W), as `torch.nn.Conv2d`; ``padding="tf_same"`` besides.

    >>> Conv2d(3, 64, 7, stride=2, padding=3).output_shape((1, 3, 224, 224))
    (1, 64, 112, 112)
    """

    rank = 2


class Conv3d(_Conv):
    """Convolution over (N, C_in, D, H, W) or (C_in, D, H, W), as `torch.nn.Conv3d`; ``padding="tf_same"`` besides.

    >>> Conv3d(3, 8, (1, 3, 3)).output_shape((1, 3, 16, 32, 32))
    (1, 8, 16, 30, 30)
    """

    rank = 3


class LazyConv1d(Lazy):
    """A `Conv1d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv1d`.

    >>> LazyConv1d(8, 3).resolve((1, 4, 9))
    Conv1d(4, 8, 3)
    """

    becomes = Conv1d
    channel_axis = -2


class LazyConv2d(Lazy):
    """A `Conv2d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv2d`.

    >>> LazyConv2d(8, 3).resolve((1, 4, 9, 9))
    Conv2d(4, 8, 3)
    """

    becomes = Conv2d
    channel_axis = -3


class LazyConv3d(Lazy):
    """A `Conv3d` that takes ``in_channels`` from its first input, as `torch.nn.LazyConv3d`.

    >>> LazyConv3d(8, 3).resolve((1, 4, 9, 9, 9))
    Conv3d(4, 8, 3)
    """

    becomes = Conv3d
    channel_axis = -4
