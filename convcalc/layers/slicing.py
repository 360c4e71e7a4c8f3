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
