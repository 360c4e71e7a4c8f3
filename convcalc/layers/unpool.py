"""The way back from maximum pooling: values put where the maxima were, zeros elsewhere; 1 to 3 dimensions.

Sizes and refusals are those of torch's documentation. The pooling itself stands in `pool`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, at_least, equal, show, show_shape
from convcalc.algebra.field import Field, join, spread
from convcalc.algebra.formula import Formula
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, record
from convcalc.layers.checks import require, require_rank
from convcalc.layers.conv import WINDOW, Ints
from convcalc.layers.work import NOTHING, Work

UNPOOLED_SIZE = Formula(
    "unpooled size",
    "(n - 1)*s - 2*p + k",
    {name: WINDOW[name] for name in "nksp"},
    slips={"padding added": "(n - 1)*s + 2*p + k", "n for n - 1": "n*s - 2*p + k"},
    source="torch.nn.MaxUnpool2d",
)


class _MaxUnpool(Layer):
    """A call takes the values and the indices that a maximum pooling with ``return_indices`` gave.

    The size may miss that of the pooling's input by less than the stride. A call's ``output_size`` settles it: the
    tensor whose size is wanted, where torch takes the size itself.
    """

    kernel_size: Ints
    stride: Ints = None  # type: ignore[assignment]  # the kernel's, until it is bound
    padding: Ints = 0  # type: ignore[assignment]
    per_axis: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding")
    arity: ClassVar[tuple[int, int]] = (2, 3)

    def check(self) -> None:
        if self.stride is None:
            self.normalise(stride=self.kernel_size)
        self.each_at_least("kernel_size", 1)
        self.each_at_least("stride", 1)
        self.each_at_least("padding", 0)

    def defaults(self) -> dict[str, Any]:
        return {**self.arguments, "stride": self.kernel_size}

    def __call__(self, *inputs: Any, output_size: Any = None) -> Any:
        """Record a call on values and indices; ``output_size`` is a tensor of the size wanted."""
        if isinstance(output_size, (tuple, list)):
            hint = "give the tensor whose size it is: unpool(x, indices, output_size=y)"
            raise SpecError(f"output_size takes a tensor; received {output_size!r}", where=repr(self), hint=hint)
        return record(self, *inputs, *(() if output_size is None else (output_size,)))

    def output_shape(self, *inputs: Shape) -> Shape:
        x, indices, *wanted = inputs
        require_rank(x, self.rank + 2, self.rank + 1)
        what = f"values of {show_shape(x)} against indices of {show_shape(indices)}"
        require(len(x) == len(indices), what)
        for m, n in zip(x, indices):
            require(equal(m, n), what)
        lead = len(x) - self.rank
        sizes = [UNPOOLED_SIZE(n, *window) for n, window in zip(x[lead:], self._windows())]
        if not wanted:
            return (*x[:lead], *sizes)
        require_rank(wanted[0], self.rank + 2, self.rank + 1)
        ends = wanted[0][-self.rank :]
        for size, n, s in zip(sizes, ends, self.stride):
            self._check_size(size, n, s)
        return (*x[:lead], *ends)

    def _windows(self) -> Sequence[tuple[int, int, int]]:
        """Kernel, stride and padding along each axis."""
        return list(zip(self.kernel_size, self.stride, self.padding))

    def _check_size(self, usual: Dim, wanted: Dim, stride: int) -> None:
        """Raise ShapeError where the wanted size is further from the usual one than a pooling can have lost."""
        what = f"output_size lies between {show(usual - stride + 1)} and {show(usual + stride - 1)}"
        for condition in (at_least(wanted, usual - stride + 1), at_least(usual + stride - 1, wanted)):
            require(condition, f"{what}; received {show(wanted)}")

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        if not all(isinstance(v, int) for window in self._windows() for v in window):
            return None
        taps = [spread(k, s, p, 1) for k, s, p in self._windows()]
        seen = join(fields[:2], inputs[0])
        return seen and seen.through(taps)


class MaxUnpool1d(_MaxUnpool):
    """Maxima of (N, C, L) or (C, L) put back where they were, as `torch.nn.MaxUnpool1d`.

    >>> MaxUnpool1d(2).output_shape((1, 16, 25), (1, 16, 25))
    (1, 16, 50)
    """

    rank = 1


class MaxUnpool2d(_MaxUnpool):
    """Maxima of (N, C, H, W) or (C, H, W) put back where they were, as `torch.nn.MaxUnpool2d`.

    >>> MaxUnpool2d(2).output_shape((1, 64, 22, 30), (1, 64, 22, 30), (1, 64, 45, 60))
    (1, 64, 45, 60)
    """

    rank = 2


class MaxUnpool3d(_MaxUnpool):
    """Maxima of (N, C, D, H, W) or (C, D, H, W) put back where they were, as `torch.nn.MaxUnpool3d`.

    >>> MaxUnpool3d((1, 2, 2)).output_shape((1, 8, 4, 7, 7), (1, 8, 4, 7, 7))
    (1, 8, 4, 14, 14)
    """

    rank = 3
