"""Pooling over sliding windows, and local response normalisation, whose windows are channels."""

from __future__ import annotations

from math import inf
from typing import Any

from convcalc.algebra.dims import at_least, prod, show
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer, Shapes, Tensors, Work, record
from convcalc.layers.checks import Flag, PerAxis
from convcalc.layers.conv import SAME_SIZE, SIZE, _Sliding
from convcalc.layers.demands import require, require_axes
from convcalc.layers.formulas import rules

POOL_SIZE = Formula(
    "pooling size", SIZE.text, SIZE.symbols, SIZE.mistakes, source="torch.nn.MaxPool2d, torch.nn.AvgPool2d"
)

CEIL_SIZE = Formula(
    "pooling size, rounded up",
    "min(ceildiv(n + 2*p - d*(k - 1) - 1, s) + 1, ceildiv(n + p, s))",
    SIZE.symbols,
    mistakes={
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
    source="as the multiplications of a convolution, those in the padding included",
)


class _Strided(_Sliding):
    """A kind whose stride is by default its kernel size."""

    stride: PerAxis = None
    padding: PerAxis = 0

    def check(self) -> None:
        if self.stride is None:
            self.normalise(stride=self.kernel_size)
        self.each_at_least(1, "kernel_size", "stride")

    def defaults(self) -> dict[str, Any]:
        return {**self.arguments, "stride": self.kernel_size}


class _Pool(_Strided):
    """Pooling over sliding windows."""

    ceil_mode: Flag = False
    named_paddings = ("tf_same",)
    formulas = rules(size=(POOL_SIZE, CEIL_SIZE, SAME_SIZE), reads=(WINDOW_READS,))

    def check(self) -> None:
        super().check()
        if self.padding and not isinstance(self.padding, str):
            self.each_at_least(0, "padding")
            for p, k in zip(self.padding, self.kernel_size):
                if at_least(k // 2, p) is False:
                    self.refuse_argument(
                        "padding",
                        f"must be at most half the kernel_size; received {show(p)} with {show(k)}",
                        "kernel_size",
                    )

    def _each_axis(self, name: str, value: Any) -> Any:
        # torch's pooling also accepts one number for all axes in a tuple
        alone = isinstance(value, (tuple, list)) and len(value) == 1 and value[0] is not None
        return super()._each_axis(name, value[0] if alone else value)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self.require_rank(x)
        return (*x[: -self.rank], *self._sizes(x))

    def _size(self, axis: int, n: Dim) -> Dim:
        k, s, p, d = self._window(axis)
        if self._wants_kernel():
            what = f"expected a size of at least {show(k)} (kernel_size), received {show(n)}"
            require(at_least(n, k), ShapeError(what, about=["kernel_size"]))
        if p == "tf_same":
            return SAME_SIZE(n, s, axis=axis - self.rank)
        if not (isinstance(k, int) and isinstance(p, int)):  # for letters this can be demanded only here
            what = f"padding {show(p)} must be at most half the kernel_size, {show(k)}"
            require(at_least(k // 2, p), ShapeError(what, about=["padding", "kernel_size"]))
        return (CEIL_SIZE if self.ceil_mode else POOL_SIZE)(n, k, s, p, d, axis=axis - self.rank)

    def _reads(self, output: Shape) -> Dim:
        return WINDOW_READS(prod(output), prod(self.kernel_size))

    def _wants_kernel(self) -> bool:
        """Return whether torch refuses inputs smaller than the kernel, whatever the padding."""
        return False


class _WithIndices(Layer):
    """A kind that also returns the indices of its maxima on demand."""

    return_indices: bool = False

    def forward(self, *inputs: Any) -> Any:
        result = record(self, *inputs)
        return (result, self.further("indices", result, *inputs)) if self.return_indices else result

    def further_outputs(self, *inputs: Shape) -> Tensors:
        return {"indices": self.output_shape(*inputs)} if self.return_indices else {}


class _MaxPool(_WithIndices, _Pool):
    """The maximum over sliding windows."""

    outside = -inf
    dilation: PerAxis = 1
    order = "kernel_size stride padding dilation return_indices ceil_mode"

    def check(self) -> None:
        super().check()
        self.each_at_least(1, "dilation")

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"compare": self._reads(output)}


class MaxPool1d(_MaxPool, rank=1):
    """The maximum over windows of (N, C, L) or (C, L), as `torch.nn.MaxPool1d`; also takes ``padding="tf_same"``.

    >>> MaxPool1d(3, stride=2).output_shape((20, 16, 50))
    (20, 16, 24)
    """


class MaxPool2d(_MaxPool, rank=2):
    """The maximum over windows of (N, C, H, W) or (C, H, W), as `torch.nn.MaxPool2d`; also takes ``padding="tf_same"``.

    >>> MaxPool2d(3, stride=2, padding=1).output_shape((1, 4, 8, 8))
    (1, 4, 4, 4)
    """


class MaxPool3d(_MaxPool, rank=3):
    """The maximum over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.MaxPool3d`.

    Also takes ``padding="tf_same"``.

    >>> MaxPool3d(3, stride=2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 3, 3, 3)
    """


class _AvgPool(_Pool):
    """The mean over sliding windows."""

    averages = True
    count_include_pad: Flag = True
    divisor_override: int | None = None

    def check(self) -> None:
        super().check()
        if self.divisor_override == 0:
            self.refuse_argument("divisor_override", "must not be 0")

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"add": self._reads(output), "mul": prod(output)}


class AvgPool1d(_AvgPool, rank=1):
    """The mean over windows of (N, C, L) or (C, L), as `torch.nn.AvgPool1d`; also takes ``padding="tf_same"``.

    >>> AvgPool1d(3, stride=2, ceil_mode=True).output_shape((1, 4, 8))
    (1, 4, 4)
    """

    order = "kernel_size stride padding ceil_mode count_include_pad"


class AvgPool2d(_AvgPool, rank=2):
    """The mean over windows of (N, C, H, W) or (C, H, W), as `torch.nn.AvgPool2d`; also takes ``padding="tf_same"``.

    >>> AvgPool2d(3, stride=2).output_shape((1, 4, 8, 8))
    (1, 4, 3, 3)
    """


class AvgPool3d(_AvgPool, rank=3):
    """The mean over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.AvgPool3d`.

    Also takes ``padding="tf_same"``.

    >>> AvgPool3d(3, stride=2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 3, 3, 3)
    """

    def _wants_kernel(self) -> bool:
        return bool(self.padding != "tf_same")


class _LPPool(_Pool):
    """The ``norm_type``-th root of a sum of powers; the maximum of absolute values if ``norm_type`` is infinite."""

    norm_type: Any
    order = "norm_type kernel_size stride ceil_mode"
    formulas = rules(size=(POOL_SIZE, CEIL_SIZE))

    def check(self) -> None:
        self.normalise(norm_type=self.number("norm_type", self.norm_type))
        if self.norm_type == 0:
            self.refuse_argument("norm_type", "must not be 0")
        super().check()

    @property
    def _is_maximum(self) -> bool:
        return self.norm_type in (inf, -inf)

    def _each_axis(self, name: str, value: Any) -> Any:
        several = name == "kernel_size" and isinstance(value, (tuple, list))
        # in one dimension torch accepts several numbers only for the maximum
        if several and not (self._is_maximum if self.rank == 1 else len(value) == self.rank):
            wanted = "an integer" if self.rank == 1 else f"one integer or {self.rank} of them"
            self.refuse_argument("kernel_size", f"takes {wanted}; received {value!r}")
        return super()._each_axis(name, value)

    def work(self, inputs: Shapes, output: Shape) -> Work:
        reads, inside = self._reads(output), prod(inputs[0])
        if self._is_maximum:
            return {"compare": reads, "activation": inside}  # absolute values
        return {"add": reads, "activation": inside + prod(output)}  # powers and roots


class LPPool1d(_LPPool, rank=1):
    """The root of a sum of powers over windows of (N, C, L) or (C, L), as `torch.nn.LPPool1d`.

    >>> LPPool1d(2, 3, stride=2).output_shape((1, 4, 8))
    (1, 4, 3)
    """


class LPPool2d(_LPPool, rank=2):
    """The root of a sum of powers over windows of (N, C, H, W) or (C, H, W), as `torch.nn.LPPool2d`.

    >>> LPPool2d(2, 3, stride=2).output_shape((1, 4, 8, 8))
    (1, 4, 3, 3)
    """


class LPPool3d(_LPPool, rank=3):
    """The root of a sum of powers over windows of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.LPPool3d`.

    >>> LPPool3d(2, 3, stride=2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 3, 3, 3)
    """

    def _wants_kernel(self) -> bool:
        return not self._is_maximum


class LocalResponseNorm(Layer):
    """Division by a power of the sum of squares over ``size`` neighbouring channels, as `torch.nn.LocalResponseNorm`.

    >>> LocalResponseNorm(5).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """

    sheet = "lrn"

    size: Dim
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def output_shape(self, *inputs: Shape) -> Shape:
        require_axes(inputs[0], 3)
        return inputs[0]

    def work(self, inputs: Shapes, output: Shape) -> Work:
        elements = prod(output)
        return {"mul": elements, "add": elements * self.size, "norm": elements}  # squares, their sum, a division
