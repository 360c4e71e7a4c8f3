"""Pooling by windows that slide: maximum, average, power sum; 1 to 3 dimensions.

Sizes and refusals are those of torch's documentation of each kind; ``padding="tf_same"`` is TensorFlow's SAME, which
torch lacks. Windows that divide the input into a given number of parts stand in `adaptive`, convolutions in `conv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, as_dim, at_least, prod, show, truth
from convcalc.algebra.field import Field, Taps, slide
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, Output, record
from convcalc.layers.checks import require, require_rank
from convcalc.layers.conv import SAME_SIZE, SIZE, Ints, same_pads
from convcalc.layers.work import Work

POOL_SIZE = Formula(
    "pooling size", SIZE.text, SIZE.symbols, SIZE.slips, source="torch.nn.MaxPool2d, torch.nn.AvgPool2d"
)

CEIL_SIZE = Formula(
    "pooling size, rounded up",
    "min(ceildiv(n + 2*p - d*(k - 1) - 1, s) + 1, ceildiv(n + p, s))",
    SIZE.symbols,
    slips={
        "rounded down": SIZE.text,
        "a last window may start in the right padding": "ceildiv(n + 2*p - d*(k - 1) - 1, s) + 1",
        "padding counted once": "min(ceildiv(n + p - d*(k - 1) - 1, s) + 1, ceildiv(n + p, s))",
    },
    source="torch.nn.MaxPool2d, ceil_mode: the last window must start inside the input or the left padding",
)

WINDOW_READS = Formula(
    "elements read by sliding windows",
    "o*k",
    {"o": "elements of the output", "k": "positions of the kernel"},
    source="as a convolution's multiplications, those in the padding included",
)


class _Pool(Layer):
    """What all sliding windows share, whatever they compute and their rank."""

    kernel_size: Ints
    stride: Ints = None  # type: ignore[assignment]  # the kernel's, until it is bound
    padding: Any = 0
    ceil_mode: bool = False
    per_axis: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding")

    def check(self) -> None:
        if self.stride is None:
            self.normalise(stride=self.kernel_size)
        self.each_at_least("kernel_size", 1)
        self.each_at_least("stride", 1)
        self._flag("ceil_mode")
        if isinstance(self.padding, str):
            self.one_of("padding", ("tf_same",))
        elif self.padding:
            self._check_padding()

    def _check_padding(self) -> None:
        self.each_at_least("padding", 0)
        for p, k in zip(self.padding, self.kernel_size):
            if truth(at_least(k // 2, p)) is False:
                raise SpecError(
                    f"padding must be at most half the kernel_size; received {show(p)} with {show(k)}",
                    where=type(self).__name__,
                )

    def _flag(self, name: str) -> None:
        value = getattr(self, name)
        if type(value) is not bool:
            raise SpecError(f"{name} must be True or False; received {value!r}", where=type(self).__name__)

    def _each_axis(self, name: str, value: Any) -> Any:
        if isinstance(value, (tuple, list)) and len(value) == 1:  # torch's pooling takes one for all in a tuple too
            value = value[0]
        return super()._each_axis(name, value)

    def defaults(self) -> dict[str, Any]:
        return {**self.arguments, "stride": self.kernel_size}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, self.rank + 2, self.rank + 1)
        sizes = [self._size(i, n) for i, n in enumerate(x[-self.rank :])]
        return (*x[: -self.rank], *sizes)

    def _size(self, axis: int, n: Dim) -> Dim:
        """The output's size along one axis."""
        k, s, p, d = self._window(axis)
        if p == "tf_same":
            return SAME_SIZE(n, s)
        return (CEIL_SIZE if self.ceil_mode else POOL_SIZE)(n, k, s, p, d)

    def _window(self, axis: int) -> tuple[int, int, Any, int]:
        """Kernel, stride, padding and dilation along one axis."""
        p = self.padding if isinstance(self.padding, str) else self.padding[axis]
        return self.kernel_size[axis], self.stride[axis], p, 1

    def _reads(self, output: Shape) -> Dim:
        """Elements read by all windows; those in the padding count, as a convolution's multiplications by them do."""
        return WINDOW_READS(prod(output), prod(self.kernel_size))

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        taps = [self._taps(i, n) for i, n in enumerate(inputs[0][-self.rank :])]
        return fields[0].through([tap for tap in taps if tap]) if all(taps) else None

    def _taps(self, axis: int, n: Dim) -> Taps | None:
        """Which inputs an output reads along one axis; None where that hangs on a letter."""
        k, s, p, d = self._window(axis)
        before = same_pads(n, d * (k - 1), s)[0] if p == "tf_same" else p
        numbers = (k, s, before, d)
        return slide(*numbers) if all(isinstance(v, int) for v in numbers) else None  # type: ignore[arg-type]


class _WithIndices(Layer):
    """Maximum windows: with ``return_indices`` a call returns also where each maximum was found."""

    return_indices: bool = False

    def __call__(self, *inputs: Any) -> Any:
        result = record(self, *inputs)
        return (result, record(Output(self, "indices"), result, *inputs)) if self.return_indices else result

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        return {"indices": self.output_shape(*inputs)} if self.return_indices else {}


class _MaxPool(_Pool, _WithIndices):
    """The largest element of each window."""

    dilation: Ints = 1  # type: ignore[assignment]
    return_indices: bool = False
    order: ClassVar[tuple[str, ...]] = (
        *("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"),
    )
    per_axis: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding", "dilation")

    def check(self) -> None:
        super().check()
        self.normalise(return_indices=bool(self.return_indices))
        self.each_at_least("dilation", 1)

    def _window(self, axis: int) -> tuple[int, int, Any, int]:
        k, s, p, _ = super()._window(axis)
        return k, s, p, self.dilation[axis]

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"compare": self._reads(output)}


class MaxPool1d(_MaxPool):
    """Maximum over windows of (N, C, L) or (C, L), as `torch.nn.MaxPool1d`; ``padding="tf_same"`` besides.

    >>> MaxPool1d(3, stride=2).output_shape((20, 16, 50))
    (20, 16, 24)
    """

    rank = 1


class MaxPool2d(_MaxPool):
    """Maximum over windows of (N, C, H, W) or (C, H, W), as `torch.nn.MaxPool2d`; ``padding="tf_same"`` besides.

    >>> MaxPool2d(3, stride=2, padding=1).output_shape((1, 64, 112, 112))
    (1, 64, 56, 56)
    """

    rank = 2


class MaxPool3d(_MaxPool):
    """Maximum over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.MaxPool3d`; ``padding="tf_same"`` besides.

    >>> MaxPool3d((1, 2, 2)).output_shape((1, 64, 16, 56, 56))
    (1, 64, 16, 28, 28)
    """

    rank = 3


class _AvgPool(_Pool):
    """The mean of each window; with ``padding="tf_same"`` of those of its elements that lie inside the input."""

    count_include_pad: bool = True
    divisor_override: Any = None
    order: ClassVar[tuple[str, ...]] = (
        *("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    )

    def check(self) -> None:
        super().check()
        self._flag("count_include_pad")
        divisor = self.divisor_override
        if divisor is not None and as_dim(divisor, f"{type(self).__name__}: divisor_override") == 0:
            raise SpecError("divisor_override must not be 0", where=type(self).__name__)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": self._reads(output), "mul": prod(output)}


class AvgPool1d(_AvgPool):
    """Mean over windows of (N, C, L) or (C, L), as `torch.nn.AvgPool1d`; ``padding="tf_same"`` besides.

    >>> AvgPool1d(3, stride=2, ceil_mode=True).output_shape((1, 16, 50))
    (1, 16, 25)
    """

    rank = 1
    order = _AvgPool.order[:-1]


class AvgPool2d(_AvgPool):
    """Mean over windows of (N, C, H, W) or (C, H, W), as `torch.nn.AvgPool2d`; ``padding="tf_same"`` besides.

    >>> AvgPool2d(2).output_shape((1, 128, 56, 56))
    (1, 128, 28, 28)
    """

    rank = 2


class AvgPool3d(_AvgPool):
    """Mean over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.AvgPool3d`; ``padding="tf_same"`` besides.

    As torch, it refuses inputs smaller than the kernel, whatever the padding.

    >>> AvgPool3d(2).output_shape((1, 8, 4, 6, 6))
    (1, 8, 2, 3, 3)
    """

    rank = 3

    def _size(self, axis: int, n: Dim) -> Dim:
        if self.padding != "tf_same":
            _require_kernel(n, self.kernel_size[axis])
        return super()._size(axis, n)


def _require_kernel(n: Dim, k: Dim) -> None:
    require(at_least(n, k), f"expected a size of at least {show(k)} (kernel_size), received {show(n)}")


def number(layer: Layer, name: str, value: Any) -> float:
    """Argument ``name`` of ``layer`` as a float, from all that ``float`` takes; raises SpecError."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SpecError(f"{name} must be a number; received {value!r}", where=type(layer).__name__) from None


class _LPPool(_Pool):
    """The power mean (without the division) of each window: the ``norm_type``-th root of a sum of powers."""

    norm_type: float
    order: ClassVar[tuple[str, ...]] = ("norm_type", "kernel_size", "stride", "ceil_mode")
    per_axis: ClassVar[tuple[str, ...]] = ("kernel_size", "stride")

    def check(self) -> None:
        self.normalise(norm_type=number(self, "norm_type", self.norm_type))
        if self.norm_type == 0:
            raise SpecError("norm_type must not be 0", where=type(self).__name__)
        super().check()

    @property
    def _is_maximum(self) -> bool:
        """Whether the norm is infinite: torch then takes the maximum of absolute values."""
        return self.norm_type in (inf, -inf)

    def _each_axis(self, name: str, value: Any) -> Any:
        if name == "kernel_size" and isinstance(value, (tuple, list)) and not self._takes_kernel(value):
            wanted = "a whole number" if self.rank == 1 else f"one whole number or {self.rank} of them"
            raise SpecError(f"kernel_size takes {wanted}; received {value!r}", where=type(self).__name__)
        return super()._each_axis(name, value)

    def _takes_kernel(self, kernel: Sequence[Any]) -> bool:
        """Whether torch takes a kernel in a tuple: in one dimension only for the maximum, which is another function."""
        return self._is_maximum if self.rank == 1 else len(kernel) == self.rank

    def _window(self, axis: int) -> tuple[int, int, Any, int]:
        return self.kernel_size[axis], self.stride[axis], 0, 1

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        if self._is_maximum:
            return {"compare": self._reads(output), "activation": prod(inputs[0])}  # absolute values
        return {"add": self._reads(output), "activation": prod(inputs[0]) + prod(output)}  # powers and roots


class LPPool1d(_LPPool):
    """Power sums over windows of (N, C, L) or (C, L), as `torch.nn.LPPool1d`.

    >>> LPPool1d(2, 3, stride=2).output_shape((20, 16, 50))
    (20, 16, 24)
    """

    rank = 1


class LPPool2d(_LPPool):
    """Power sums over windows of (N, C, H, W) or (C, H, W), as `torch.nn.LPPool2d`.

    >>> LPPool2d(2, 3, stride=2).output_shape((1, 16, 50, 31))
    (1, 16, 24, 15)
    """

    rank = 2


class LPPool3d(_LPPool):
    """Power sums over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.LPPool3d`.

    As torch, it refuses inputs smaller than the kernel unless the norm is infinite.

    >>> LPPool3d(2, 3, stride=2).output_shape((1, 16, 9, 9, 9))
    (1, 16, 4, 4, 4)
    """

    rank = 3

    def _size(self, axis: int, n: Dim) -> Dim:
        if not self._is_maximum:
            _require_kernel(n, self.kernel_size[axis])
        return super()._size(axis, n)
