"""Slices of a tensor, ``x[...]``. Indexing with lists or masks, whose shape depends on values, is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import as_dim, at_least, ceildiv, show, show_shape, truth
from convcalc.algebra.field import Entry, Field
from convcalc.algebra.intervals import Taps
from convcalc.algebra.types import Condition, Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Shapes, _Idle
from convcalc.layers.demands import require
from convcalc.layers.formulas import JUMP, SHIFTED_START, UNCHANGED, Seen, rules


class Span(NamedTuple):
    """A slice that can be hashed, as Python's own cannot before 3.12."""

    start: Dim | None
    stop: Dim | None
    step: int

    def __repr__(self) -> str:
        return f"slice({self.start}, {self.stop}{f', {self.step}' if self.step != 1 else ''})"

    def of(self, n: Dim) -> tuple[Dim, Dim]:
        """Return the first position taken from an axis of size ``n``, and the number of positions.

        >>> Span(-3, None, 2).of(8)
        (5, 2)
        """
        start = 0 if self.start is None else _counted(self.start, n)
        stop = n if self.stop is None else _counted(self.stop, n)
        size = ceildiv(stop - start, self.step)
        return start, max(size, 0) if isinstance(size, int) else size


def _counted(position: Dim, n: Dim) -> Dim:
    """Return a position in an axis of size ``n``, negative ones counted from the end; a letter is taken to be large."""
    if truth(at_least(position, 0)) is False:
        position = as_dim(n + position)
        return position if _holds(at_least(position, 0)) else 0
    return position if _holds(at_least(n, position)) else n


def _holds(condition: Condition) -> bool:
    """Return whether a condition holds; a condition on letters is assumed to."""
    if truth(condition) is None:
        require(condition, "")
    return condition is not False


class Slice(_Idle):
    """A part of a tensor, ``x[...]``: each axis has an index, which drops it, or a slice; None is a new axis.

    A size that is a letter is assumed to contain the slice.

    >>> Slice((slice(None), 0, ..., slice(0, None, 2))).output_shape((1, 3, 8, 9))
    (1, 8, 5)
    """

    in_torch = False
    torch_call = "{x}[{*index}]"
    rearranges = True

    index: Any
    formulas = rules(
        size=("the number of positions that a slice takes; an index drops its axis, None adds one of size 1",),
        field=(UNCHANGED, JUMP, SHIFTED_START),
    )

    def check(self) -> None:
        items = self.index if isinstance(self.index, tuple) else (self.index,)
        if sum(item is Ellipsis for item in items) > 1:
            self.refuse("an index contains at most one ...", about=["index"])
        self.normalise(index=tuple([self._item(item) for item in items]))

    def _item(self, item: Any) -> Any:
        """Return one item of the index in its normal form: a dim, a Span, None or ``...``."""
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
        """Return each axis of the input with its item; a new axis is -1 with None."""
        taken = sum(item is not None and item is not Ellipsis for item in self.index)
        if taken > rank:
            raise ShapeError(f"{taken} indices for an input of {rank} axes")
        pairs: list[tuple[int, Any]] = []
        axis = 0
        for item in self.index if Ellipsis in self.index else (*self.index, ...):
            if item is None:
                pairs.append((-1, None))
                continue
            run = [Span(None, None, 1)] * (rank - taken) if item is Ellipsis else [item]
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
        dropped = []
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
                return None  # all units see the same interval, which a map of positions cannot state
            else:
                dropped.append(i)
        return field.collapsed(dropped).moved(axes)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along a sliced axis: the same number of pixels, further apart."""
        (item,) = [item for i, item in self._pairs(len(inputs[0])) if i == axis]
        if not isinstance(item, Span):
            return None
        r, j, a, extent = before[0]
        return Seen(r, JUMP(j, item.step), SHIFTED_START(a, item.of(inputs[0][axis])[0], j), extent)
