"""Receptive fields of tensors: which axis of a tensor moves along which axis of the input, and what is seen in full.

The map along one axis is in `intervals`; this file combines axes. An axis that a reshape split into windows and
positions inside them is followed as the one axis that it was.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.intervals import MAX_PERIOD, STILL, Along, Axis, Reach, Taps, slide
from convcalc.algebra.types import Dim


class Undefined(Exception):
    """A receptive field that no `Field` can express."""


class Part(NamedTuple):
    """One of the two tensor axes that an axis was split into: windows, or (``inner``) the positions inside a window.

    Both have ``along``, the field along the original axis of ``size`` positions, of which ``q·window + r`` is position
    r of window q.
    """

    along: Along
    size: Dim
    window: Dim
    inner: bool

    @property
    def source(self) -> int:
        """The axis of the network's input."""
        return self.along.source

    @property
    def exact(self) -> bool:
        """Whether the field along the original axis is exact."""
        return self.along.exact

    def through(self, taps: Taps | Reach) -> "Part":
        """Return the part itself; raise Undefined for taps other than `STILL`, which would cross windows."""
        if taps != STILL:
            raise Undefined
        return self

    def joined(self, other: "Part", units: Dim) -> "Part | None":
        """Return the field of units that see what both parts see; None for parts of axes split differently."""
        return self.seeing(self.along.joined(other.along, self.size)) if other[1:] == self[1:] else None

    def seeing(self, along: Along | None) -> "Part":
        """Return the part with another field along the original axis; raise Undefined for None."""
        if along is None:
            raise Undefined
        return self._replace(along=along)

    def mixed(self) -> Along:
        """Return the field along the original axis once each position sees all of its window."""
        if not isinstance(self.window, int) or self.window > MAX_PERIOD:
            raise Undefined
        return self.along.through(Taps(self.window, (range(self.window),) * self.window))

    def alone(self) -> Along:
        """Return the field along the windows, each of which has been mixed into one unit."""
        if self.inner or not isinstance(self.window, int):
            raise Undefined
        return self.along.through(slide(1, self.window, 0, 1))


class Packed(NamedTuple):
    """Several axes, parts among them, merged into one tensor axis: their sizes, and the field along each."""

    sizes: tuple[Dim, ...]
    axes: tuple[Along | Part | None, ...]

    @property
    def exact(self) -> bool:
        """Whether the fields along all of the axes are exact."""
        return all(axis.exact for axis in self.axes if axis)

    def through(self, taps: Taps | Reach) -> "Packed":
        """Return the entry itself; raise Undefined for taps other than `STILL`."""
        if taps != STILL:
            raise Undefined
        return self

    def joined(self, other: "Packed", units: Dim) -> "Packed | None":
        """Return the field of units that see what both see; None if axes of other sizes were merged."""
        alike = other.sizes == self.sizes
        return self._replace(axes=tuple(map(_both, self.axes, other.axes, self.sizes))) if alike else None


Entry = Along | Part | Packed | None
"""The field along one tensor axis; None where it does not move along it."""

Slot = int | tuple[int, int]
"""The position of a map: its tensor axis, and its index among the axes merged into that, if several were."""


def tensor_axis(slot: Slot) -> int:
    """Return the tensor axis of a slot.

    >>> tensor_axis(2), tensor_axis((2, 1))
    (2, 2)
    """
    return slot if isinstance(slot, int) else slot[0]


def _both(a: Any, b: Any, units: Dim) -> Any:
    """Return what two entries of a tensor axis see together; raise Undefined if no entry can express it."""
    if a is None or b is None:
        return a or b
    differ = type(a) is not type(b) and {Part, Packed} & {type(a), type(b)}
    both = None if differ else a.joined(b, units)
    if both is None:
        raise Undefined
    return both


class Field(NamedTuple):
    """The field of a tensor's units: for each tensor axis how the field moves along it, None where it does not.

    ``whole`` are the axes of the input that every unit sees from end to end, ``gates`` those it sees so only through a
    value expanded over the map, as in squeeze and excitation.
    """

    axes: tuple[Entry, ...]
    whole: frozenset[int] = frozenset()
    gates: frozenset[int] = frozenset()

    @classmethod
    def of_input(cls, rank: int) -> "Field":
        """Return the field of the input itself, whose first two axes are batch and channels."""
        return cls((None,) * min(rank, 2) + tuple(Axis(i) for i in range(rank - 2)))

    def moved(self, axes: Sequence[Entry]) -> "Field":
        """Return the field with other entries for its axes."""
        return Field(tuple(axes), self.whole, self.gates)

    @property
    def split(self) -> bool:
        """Whether some tensor axis is a part of an axis, or several axes merged."""
        return not {Part, Packed}.isdisjoint(map(type, self.axes))

    def parts(self) -> Iterator[tuple[Slot, Along | Part]]:
        """Yield each entry that moves, also those merged into one tensor axis, with its slot."""
        for i, entry in enumerate(self.axes):
            if isinstance(entry, Packed):
                yield from [((i, t), part) for t, part in enumerate(entry.axes) if part]
            elif entry:
                yield i, entry

    def maps(self) -> dict[Slot, Along]:
        """Return the interval maps by slot; the map of an axis that was split only once."""
        if not self.split:
            return {i: entry for i, entry in enumerate(self.axes) if entry}  # type: ignore[misc]
        maps: dict[Slot, Along] = {}
        split = set()
        for slot, part in self.parts():
            if not isinstance(part, Part):
                maps[slot] = part
            elif part.source not in split:
                split.add(part.source)
                maps[slot] = part.along
        return maps

    def each(self, change: Callable[[Slot, Any], Any]) -> "Field":
        """Return the field with ``change(slot, entry)`` in place of each entry that `parts` yields."""
        changed = {slot: change(slot, part) for slot, part in self.parts()}
        axes: list[Entry] = []
        for i, entry in enumerate(self.axes):
            if isinstance(entry, Packed):
                inside = tuple([changed.get((i, t)) for t in range(len(entry.axes))])
                axes.append(entry._replace(axes=inside) if any(inside) else None)
            else:
                axes.append(changed.get(i))
        return self.moved(axes)

    def span(self, slot: Slot, shape: Sequence[Dim]) -> Dim:
        """Return how many units a tensor of this shape has along the map at ``slot``."""
        entry, size = self.axes[tensor_axis(slot)], shape[tensor_axis(slot)]
        if isinstance(entry, Packed) and isinstance(slot, tuple):
            part, size = entry.axes[slot[1]], entry.sizes[slot[1]]
            return part.size if isinstance(part, Part) else size
        return entry.size if isinstance(entry, Part) else size

    def collapsed(self, axes: Sequence[int]) -> "Field":
        """Return the field after a layer that mixes all positions along these tensor axes.

        If positions inside windows are mixed, each sees its window; if windows are, each sees the full axis.
        """
        if not any(map(self.axes.__getitem__, axes)):
            return self
        gone = {i % len(self.axes) for i in axes}
        lost = [part for slot, part in self.parts() if tensor_axis(slot) in gone]
        whole = self.whole | {part.source for part in lost if not (isinstance(part, Part) and part.inner)}
        windows = {part.source: part for part in lost if isinstance(part, Part) and part.source not in whole}
        seen = {source: part.mixed() for source, part in windows.items()}

        def change(slot: Slot, part: Any) -> Any:
            if tensor_axis(slot) in gone or (isinstance(part, Part) and part.source in whole):
                return None
            return part.seeing(seen[part.source]) if isinstance(part, Part) and part.source in seen else part

        return Field(self.each(change).axes, whole, self.gates - whole)

    def gated(self) -> "Field":
        """Return the field of a value expanded over a map: axes it does not move along are seen through a gate."""
        moving = {along.source for along in self.maps().values()}
        return Field(self.axes, self.whole & moving, self.gates | (self.whole - moving))

    def through(self, taps: Sequence[Taps | Reach]) -> "Field":
        """Return the field after a layer that slides over the last ``len(taps)`` axes; raise Undefined as `Part`."""
        if taps.count(STILL) == len(taps):
            return self
        first = len(self.axes) - len(taps)
        axes = self.unsplit().axes if self.split else self.axes
        return self.moved([*axes[:first], *[axis and axis.through(tap) for axis, tap in zip(axes[first:], taps)]])

    def unsplit(self) -> "Field":
        """Return the field with windows as plain units wherever no axis of positions inside them is left."""
        parts = [part for _, part in self.parts() if isinstance(part, Part)]
        held = {part.source for part in parts if part.inner}
        if held.issuperset([part.source for part in parts]):
            return self
        return self.each(lambda _, x: x.alone() if isinstance(x, Part) and x.source not in held else x)


def join(fields: Sequence[Field], shape: Sequence[Dim]) -> Field | None:
    """Return the field of a map of this shape whose units see what all ``fields`` see, aligned from the last axis.

    Raises Undefined for maps along different axes of the input, or with different jumps if their size is not a number.
    """
    rank = len(shape)
    axes: list[Entry] = [None] * rank
    for field in fields:
        for i, axis in enumerate(field.axes, rank - len(field.axes)):
            axes[i] = _both(axes[i], axis, shape[i])
    whole = frozenset[int]().union(*[field.whole for field in fields])
    joined = Field(tuple(axes), whole, frozenset[int]().union(*[field.gates for field in fields]) - whole)
    return _agreed(joined) if joined.split else joined


def _agreed(field: Field) -> Field:
    """Return the field with one map for all parts of an axis, since tensors may have been joined in one part alone."""
    by_source: dict[int, Part] = {}
    for _, part in field.parts():
        if isinstance(part, Part):
            old = by_source.setdefault(part.source, part)
            by_source[part.source] = old.seeing(old.along.joined(part.along, old.size))
    return field.each(lambda _, x: x.seeing(by_source[x.source].along) if isinstance(x, Part) else x)
