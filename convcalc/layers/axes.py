"""Layers that reorder, drop, add, stretch, index or shift axes, named with their arguments after torch's functions.

None computes anything, and none is in torch.nn. Indexing with lists or masks, whose shape hangs on values, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import as_dim, at_least, ceildiv, equal, show, show_shape, truth
from convcalc.algebra.field import Entry, Field
from convcalc.algebra.intervals import Taps
from convcalc.algebra.types import Condition, Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Shapes, _Idle
from convcalc.layers.binding import Dims
from convcalc.layers.demands import require
from convcalc.layers.formulas import JUMP, SHIFTED_START, UNCHANGED, Seen, rules
from convcalc.layers.shaping import axes_of, axis_of


class _Moving(_Idle):
    in_torch = False
    rearranges = True
    formulas = rules(size=("the input's, in another order",))

    def sources(self, x: Shape) -> Sequence[int | None]:
        """For each axis of the output the one of ``x`` that it is, None for a new one."""
        raise NotImplementedError

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return tuple([1 if i is None else x[i] for i in self.sources(x)])

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field:
        sources, axes = self.sources(inputs[0]), fields[0].axes
        gone = [i for i in range(len(axes)) if i not in sources]
        return fields[0].collapsed(gone).moved([None if i is None else axes[i] for i in sources])


class Permute(_Moving):
    """The axes in another order, as `torch.permute`.

    >>> Permute((0, 2, 3, 1)).output_shape((1, 64, 7, 9))
    (1, 7, 9, 64)
    """

    torch_call = "{x}.permute({*dims})"

    dims: Dims

    def sources(self, x: Shape) -> Sequence[int | None]:
        if len(self.dims) != len(x):
            raise ShapeError(f"orders {len(self.dims)} axes, received an input of {len(x)}")
        return axes_of(self.dims, len(x))


class Transpose(_Moving):
    """Two axes exchanged, as `torch.transpose`.

    >>> Transpose(1, 2).output_shape((1, 64, 49))
    (1, 49, 64)
    """

    torch_call = "{x}.transpose({dim0}, {dim1})"

    dim0: int
    dim1: int

    def sources(self, x: Shape) -> Sequence[int | None]:
        a, b = axis_of(self.dim0, len(x)), axis_of(self.dim1, len(x))
        return [b if i == a else a if i == b else i for i in range(len(x))]


class Squeeze(_Moving):
    """Drop axes of size 1: all, or those among ``dim``, as `torch.squeeze`. Letters are assumed to exceed 1.

    >>> Squeeze().output_shape((1, 64, 1, 1))
    (64,)
    """

    torch_call = "{x}.squeeze({**rest})"

    dim: int | Dims | None = None
    formulas = rules(size=("the input's without axes of size 1",))

    def sources(self, x: Shape) -> Sequence[int | None]:
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

    def sources(self, x: Shape) -> Sequence[int | None]:
        axis = axis_of(self.dim, len(x) + 1)
        return [*range(axis), None, *range(axis, len(x))]


class Expand(_Idle):
    """Axes of size 1 stretched, and new ones in front; -1 keeps a size. As `torch.Tensor.expand`.

    >>> Expand((8, -1, -1)).output_shape((1, 1, 768))
    (8, 1, 768)
    """

    in_torch = False
    torch_call = "{x}.expand({*sizes})"
    rearranges = True

    sizes: Dims
    formulas = rules(size=("as given, the input's for -1",))

    def check(self) -> None:
        if any(isinstance(n, int) and n < 1 and n != -1 for n in self.sizes):
            self.refuse_argument("sizes", f"must hold sizes of at least 1 or -1; received {self.sizes}")

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
    """The field after broadcasting: what is stretched from size 1 is a gate, held to see the whole."""
    new = len(after) - len(before)
    gone = [i for i, n in enumerate(before) if n == 1 and after[i + new] != 1]
    kept = field.collapsed(gone).gated() if gone else field
    return kept.moved((None,) * new + kept.axes)


class Span(NamedTuple):
    """A slice as a value: Python's own cannot be a key before 3.12."""

    start: Dim | None
    stop: Dim | None
    step: int

    def __repr__(self) -> str:
        return f"slice({self.start}, {self.stop}{f', {self.step}' if self.step != 1 else ''})"

    def of(self, n: Dim) -> tuple[Dim, Dim]:
        """The first position taken from an axis of ``n``, and how many are."""
        start = 0 if self.start is None else _counted(self.start, n)
        stop = n if self.stop is None else _counted(self.stop, n)
        size = ceildiv(stop - start, self.step)
        return start, max(size, 0) if isinstance(size, int) else size


def _counted(position: Dim, n: Dim) -> Dim:
    """``position``, from the end where it is negative, in an axis of ``n``, which is large enough if a letter."""
    if truth(at_least(position, 0)) is False:
        position = as_dim(n + position)
        return position if _known(at_least(position, 0)) else 0
    return position if _known(at_least(n, position)) else n


def _known(condition: Condition) -> bool:
    """Whether ``condition`` holds, which is assumed of letters."""
    if truth(condition) is None:
        require(condition, "")
    return condition is not False


class Slice(_Idle):
    """A part of a tensor as in ``x[...]``: for each axis a number (the axis goes) or a slice; None is a new axis.

    A size that is a letter is assumed to hold the slice.

    >>> Slice((slice(None), 0, ..., slice(0, None, 2))).output_shape((1, 3, 8, 9))
    (1, 8, 5)
    """

    in_torch = False
    torch_call = "{x}[{*index}]"
    rearranges = True

    index: Any
    formulas = rules(
        size=("the number of positions that a slice takes; an axis with a number goes, None is a new one of size 1",),
        field=(UNCHANGED, JUMP, SHIFTED_START),
    )

    def check(self) -> None:
        items = self.index if isinstance(self.index, tuple) else (self.index,)
        if sum(item is Ellipsis for item in items) > 1:
            self.refuse("an index holds at most one ...", about=["index"])
        self.normalise(index=tuple([self._item(item) for item in items]))

    def _item(self, item: Any) -> Any:
        """One index expression in its normal form: a dim, a Span, None or ``...``."""
        if item is None or item is Ellipsis or isinstance(item, Span):
            return item
        if not isinstance(item, slice):
            return self.dim_of("index", item)
        step = 1 if item.step is None else self.dim_of("step", item.step)
        if not isinstance(step, int) or step < 1:
            self.refuse(f"the step of a slice must be an integer of at least 1; received {step}")
        start, stop = (None if end is None else self.dim_of("index", end) for end in (item.start, item.stop))
        return Span(start, stop, step)

    def _pairs(self, rank: int) -> list[tuple[int, Any]]:
        """Each axis of the input with its expression; a new one as -1 and None."""
        given = sum(item is not None and item is not Ellipsis for item in self.index)
        if given > rank:
            raise ShapeError(f"{given} indices for an input of {rank} axes")
        pairs: list[tuple[int, Any]] = []
        axis = 0
        for item in self.index if Ellipsis in self.index else (*self.index, ...):
            if item is None:
                pairs.append((-1, None))
                continue
            run = [Span(None, None, 1)] * (rank - given) if item is Ellipsis else [item]
            pairs.extend(enumerate(run, axis))
            axis += len(run)
        return pairs

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        shape: list[Dim] = []
        for axis, item in self._pairs(len(x)):
            if item is None:
                shape.append(1)
            elif isinstance(item, Span):
                shape.append(item.of(x[axis])[1])
            else:
                negative = truth(at_least(item, 0)) is False
                inside = at_least(x[axis], -item if negative else item + 1)
                what = f"index {show(item)} is outside axis {axis} of {show_shape(x)}"
                require(inside, ShapeError(what, about=["index"]))
        return tuple(shape)

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        (field,), (x,) = fields, inputs
        axes: list[Entry] = []
        gone = []
        for i, item in self._pairs(len(x)):
            before = None if item is None else field.axes[i]
            if before and isinstance(item, Span):
                start = item.of(x[i])[0]
                if not isinstance(start, int):
                    return None
                axes.append(before.through(Taps(item.step, (range(start, start + 1),))))
            elif item is None or isinstance(item, Span):
                axes.append(None)
            elif before and x[i] != 1:
                return None  # all units see the same interval, which no map of positions says
            else:
                gone.append(i)
        return field.collapsed(gone).moved(axes)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along an axis that is sliced: as many pixels, further apart."""
        (item,) = [item for i, item in self._pairs(len(inputs[0])) if i == axis]
        if not isinstance(item, Span):
            return None
        r, j, a, extent = before[0]
        return Seen(r, JUMP(j, item.step), SHIFTED_START(a, item.of(inputs[0][axis])[0], j), extent)


class Roll(_Idle):
    """Elements shifted along axes, the last ones coming round to the front, as `torch.roll`.

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
            what = f"shifts and dims must be as many; received {self.shifts} and {dims}"
            self.refuse(what, about=["shifts", "dims"])
        self.normalise(dims=self.dims or None)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.dims and not x:
            raise ShapeError("takes a tensor with axes, received a number")
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
        """Return what units see along an axis that is shifted: as many pixels, from elsewhere."""
        shifts = [shift for dim, shift in zip(self.dims or (), self.shifts) if axis_of(dim, len(output)) == axis]
        if not shifts:
            return None
        r, j, a, extent = before[0]
        for shift in shifts:
            a = SHIFTED_START(a, -_shorter(shift, output[axis]), j)
        return Seen(r, j, a, extent)


def _shorter(shift: Any, n: Dim) -> Any:
    """Return a shift around an axis of ``n`` positions by the shorter way round."""
    return (shift + n // 2) % n - n // 2 if isinstance(n, int) and isinstance(shift, int) else shift
