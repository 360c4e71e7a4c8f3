"""Layers that reorder, drop, add, stretch or shift axes, with the names and arguments of torch's functions.

They do no arithmetic, and torch.nn has none of them. Slices are in `layers.slicing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.algebra.dims import at_least, equal, show, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.intervals import Taps
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Shapes, _Idle
from convcalc.layers.checks import Dims
from convcalc.layers.demands import require
from convcalc.layers.formulas import SHIFTED_START, UNCHANGED, Seen, rules
from convcalc.layers.shaping import axes_of, axis_of


class _Moving(_Idle):
    """A kind whose output has axes of the input, or new ones of size 1."""

    in_torch = False
    rearranges = True
    formulas = rules(size=("the input's, in another order",))

    def _sources(self, x: Shape) -> Sequence[int | None]:
        """Return for each axis of the output the axis of ``x`` that it is, None for a new one."""
        raise NotImplementedError

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return tuple([1 if i is None else x[i] for i in self._sources(x)])

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field:
        sources, axes = self._sources(inputs[0]), fields[0].axes
        dropped = [i for i in range(len(axes)) if i not in sources]
        return fields[0].collapsed(dropped).moved([None if i is None else axes[i] for i in sources])


class Permute(_Moving):
    """The axes in another order, as `torch.permute`.

    >>> Permute((0, 2, 3, 1)).output_shape((1, 64, 7, 9))
    (1, 7, 9, 64)
    """

    torch_call = "{x}.permute({*dims})"

    dims: Dims

    def _sources(self, x: Shape) -> Sequence[int | None]:
        if len(self.dims) != len(x):
            raise ShapeError(f"permutes {len(self.dims)} axes, received an input of {len(x)} axes")
        return axes_of(self.dims, len(x))


class Transpose(_Moving):
    """Two axes exchanged, as `torch.transpose`.

    >>> Transpose(1, 2).output_shape((1, 64, 49))
    (1, 49, 64)
    """

    torch_call = "{x}.transpose({dim0}, {dim1})"

    dim0: int
    dim1: int

    def _sources(self, x: Shape) -> Sequence[int | None]:
        a, b = axis_of(self.dim0, len(x)), axis_of(self.dim1, len(x))
        return [b if i == a else a if i == b else i for i in range(len(x))]


class Squeeze(_Moving):
    """The input without its axes of size 1, or without those among ``dim``, as `torch.squeeze`.

    Sizes that are letters are assumed to exceed 1.

    >>> Squeeze().output_shape((1, 64, 1, 1))
    (64,)
    """

    torch_call = "{x}.squeeze({**rest})"

    dim: int | Dims | None = None
    formulas = rules(size=("the input's without axes of size 1",))

    def _sources(self, x: Shape) -> Sequence[int | None]:
        dims = range(len(x)) if self.dim is None else self.dims_of("dim", self.dim)
        axes = [i for i in axes_of(dims, len(x)) if i < len(x)]
        for i in axes:
            if not isinstance(x[i], int):
                require(at_least(x[i], 2), f"squeeze needs to know whether {show(x[i])} is 1")
        return [i for i, n in enumerate(x) if n != 1 or i not in axes]


class Unsqueeze(_Moving):
    """A new axis of size 1 before axis ``dim``, as `torch.unsqueeze`.

    >>> Unsqueeze(-1).output_shape((1, 64))
    (1, 64, 1)
    """

    torch_call = "{x}.unsqueeze({dim})"

    dim: int
    formulas = rules(size=("the input's, and 1 for the new axis",))

    def _sources(self, x: Shape) -> Sequence[int | None]:
        axis = axis_of(self.dim, len(x) + 1)
        return [*range(axis), None, *range(axis, len(x))]


class Expand(_Idle):
    """Axes of size 1 stretched, and new axes in front, as `torch.Tensor.expand`; -1 keeps a size.

    >>> Expand((8, -1, -1)).output_shape((1, 1, 768))
    (8, 1, 768)
    """

    in_torch = False
    torch_call = "{x}.expand({*sizes})"
    rearranges = True

    sizes: Dims
    formulas = rules(size=("the sizes given; where one is -1, the input's",))

    def check(self) -> None:
        if any(isinstance(n, int) and n < 1 and n != -1 for n in self.sizes):
            self.refuse_argument("sizes", f"must contain sizes of at least 1, or -1; received {self.sizes}")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        new = len(self.sizes) - len(x)
        what = f"cannot expand {show_shape(x)} to {show_shape(self.sizes)}"
        if new < 0 or -1 in self.sizes[:new]:
            raise ShapeError(what)
        for n, wanted in zip(x, self.sizes[new:]):
            if n != 1 and wanted != -1:
                require(equal(n, wanted), f"{what}: {n} is not 1")
        return (*self.sizes[:new], *[n if wanted == -1 else wanted for n, wanted in zip(x, self.sizes[new:])])

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field:
        return stretched(fields[0], inputs[0], output)


def stretched(field: Field, before: Shape, after: Shape) -> Field:
    """Return the field after broadcasting; an axis stretched from size 1 is a gate, taken to see the full extent."""
    new = len(after) - len(before)
    gates = [i for i, n in enumerate(before) if n == 1 and after[i + new] != 1]
    kept = field.collapsed(gates).gated() if gates else field
    return kept.moved((None,) * new + kept.axes)


class Roll(_Idle):
    """Elements shifted along axes, the last ones wrapping around to the front, as `torch.roll`.

    >>> Roll((-3, -3), (1, 2)).output_shape((1, 56, 56, 96))
    (1, 56, 56, 96)
    """

    in_torch = False
    torch_call = "{x}.roll({shifts}, {**rest})"
    rearranges = True

    shifts: Dims
    dims: Dims | None = None
    formulas = rules(field=(UNCHANGED, SHIFTED_START))

    def check(self) -> None:
        dims = self.dims or ()
        if len(self.shifts) != (len(dims) or 1):
            what = f"shifts and dims must have the same length; received {self.shifts} and {dims}"
            self.refuse(what, about=["shifts", "dims"])
        self.normalise(dims=self.dims or None)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.dims and not x:
            raise ShapeError("expected an input of at least 1 axis, received a scalar")
        for dim in self.dims or ():
            axis_of(dim, len(x))
        return x

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        axes = list(fields[0].axes)
        if self.dims is None:
            return None if any(axes) else fields[0]
        for dim, shift in zip(self.dims, self.shifts):
            i = axis_of(dim, len(axes))
            n, axis = output[i], axes[i]
            if axis is None:
                continue
            if not isinstance(shift, int):
                return None
            if shift := _shorter(shift, n):
                axes[i] = axis.through(Taps(1, (range(-shift, 1 - shift),), "circular"))
        return fields[0].moved(axes)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along a shifted axis: the same number of pixels, elsewhere."""
        shifts = [shift for dim, shift in zip(self.dims or (), self.shifts) if axis_of(dim, len(output)) == axis]
        if not shifts:
            return None
        r, j, a, extent = before[0]
        for shift in shifts:
            a = SHIFTED_START(a, -_shorter(shift, output[axis]), j)
        return Seen(r, j, a, extent)


def _shorter(shift: Any, n: Dim) -> Any:
    """Return the equal shift by the shorter way around an axis of ``n`` positions."""
    return (shift + n // 2) % n - n // 2 if isinstance(n, int) and isinstance(shift, int) else shift
