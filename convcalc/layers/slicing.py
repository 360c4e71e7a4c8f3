"""Layers that take a part of a tensor or shift it: indexing with numbers and slices, and rolling.

They compute nothing and have no module in torch.nn. Indexing with lists or masks is not expressed: its shape hangs on
values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import Condition, Dim, Shape, as_dim, at_least, ceildiv, show, show_shape, truth
from convcalc.algebra.field import Entry, Field, Packed, Part
from convcalc.algebra.intervals import Along, Taps
from convcalc.errors import ShapeError
from convcalc.layers.base import require
from convcalc.layers.shaping import _Moving, axis_of


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
    """``position``, from the end where it is negative, as one in an axis of ``n``; letters must be large enough."""
    if truth(at_least(position, 0)) is False:
        position = as_dim(n + position)
        return 0 if not _known(at_least(position, 0)) else position
    return n if not _known(at_least(n, position)) else position


def _known(condition: Condition) -> bool:
    """Whether ``condition`` holds, which is assumed of the graph where it hangs on letters."""
    if truth(condition) is None:
        require(condition, "")
    return condition is not False


class Slice(_Moving):
    """A part of a tensor as in ``x[...]``: for each axis a number (the axis goes) or a slice; None is a new axis.

    Where a size is a letter, the slice is assumed to lie inside it.

    >>> Slice((slice(None), 0, ..., slice(0, None, 2))).output_shape((1, 3, 8, 9))
    (1, 8, 5)
    """

    index: Any

    def check(self) -> None:
        items = self.index if isinstance(self.index, tuple) else (self.index,)
        if sum(item is Ellipsis for item in items) > 1:
            self.refuse("an index holds at most one ...")
        self.normalise(index=tuple([self._item(item) for item in items]))

    def _item(self, item: Any) -> Any:
        """One index expression in its normal form: a dim, a Span, None or ``...``."""
        if item is None or item is Ellipsis or isinstance(item, Span):
            return item
        if not isinstance(item, slice):
            return self.dim_of("index", item)
        step = 1 if item.step is None else self.dim_of("step", item.step)
        if not isinstance(step, int) or step < 1:
            self.refuse(f"the step of a slice must be a whole number of at least 1; received {step}")
        start, stop = (None if end is None else self.dim_of("index", end) for end in (item.start, item.stop))
        return Span(start, stop, step)

    def _pairs(self, rank: int) -> list[tuple[int, Any]]:
        """Each axis of the input with its expression, in order; a new axis comes as -1 and None."""
        given = sum(item is not None and item is not Ellipsis for item in self.index)
        if given > rank:
            raise ShapeError(f"{given} indices for an input of {rank} axes")
        items = self.index if Ellipsis in self.index else (*self.index, ...)
        pairs: list[tuple[int, Any]] = []
        axis = 0
        for item in items:
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
                require(inside, f"index {show(item)} is outside axis {axis} of {show_shape(x)}")
        return tuple(shape)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        (field,), (x,) = fields, inputs
        axes: list[Entry] = []
        gone = []
        for i, item in self._pairs(len(x)):
            before = None if item is None else field.axes[i]
            if before is None:
                axes.extend([None] if item is None or isinstance(item, Span) else [])
            elif isinstance(item, Span):
                after = _sliced(before, item.of(x[i])[0], item.step)
                if after is None:
                    return None
                axes.append(after)
            elif x[i] == 1:
                gone.append(i)
            else:
                return None  # all units see the same interval, which no map of positions says
        return field.collapsed(gone).moved(axes)


def _sliced(axis: Along | Part | Packed, start: Dim, step: int) -> Entry:
    """The field along an axis of which every ``step``-th unit is taken; None where the first hangs on a letter."""
    return axis.through(Taps(step, (range(start, start + 1),))) if isinstance(start, int) else None


class Roll(_Moving):
    """Elements shifted along axes, the last ones coming round to the front, as `torch.roll`.

    >>> Roll((-3, -3), (1, 2)).output_shape((1, 56, 56, 96))
    (1, 56, 56, 96)
    """

    shifts: tuple[int, ...]
    dims: tuple[int, ...] | None = None

    def check(self) -> None:
        dims = () if self.dims is None else self.several("dims")
        shifts = self.several("shifts")
        if len(shifts) != (len(dims) or 1):
            self.refuse(f"shifts and dims must be as many; received {shifts} and {dims}")
        self.normalise(shifts=shifts, dims=dims or None)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        for dim in self.dims or ():
            axis_of(dim, len(x))
        return x

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
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
            if isinstance(n, int):  # the shorter way round
                shift = (shift + n // 2) % n - n // 2
            if shift:
                axes[i] = axis.through(Taps(1, (range(-shift, 1 - shift),), "circular"))
        return fields[0].moved(axes)
