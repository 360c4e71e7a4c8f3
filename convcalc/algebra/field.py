"""Receptive fields of whole tensors: which of its axes move along which of the input's, and what is seen whole.

An axis that a reshape split into windows and places inside them is followed as the one axis that it was.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.intervals import MAX_PERIOD, STILL, Along, Axis, Reach, Taps, slide
from convcalc.algebra.types import Dim


class Undefined(Exception):
    """No field says what a layer's units see."""


class Part(NamedTuple):
    """One of two tensor axes into which an axis of ``size`` positions was split: windows, or places inside one.

    Both hold ``along``, the field along the axis as it was: its position ``q·window + r`` is place r of window q.
    """

    along: Along
    size: Dim
    window: Dim
    inner: bool

    @property
    def source(self) -> int:
        return self.along.source

    @property
    def exact(self) -> bool:
        return self.along.exact

    def through(self, taps: Taps | Reach) -> "Part":
        """Itself under taps that move nothing; others mean nothing along a part alone."""
        if taps != STILL:
            raise Undefined
        return self

    def joined(self, other: "Part", units: Dim) -> "Part | None":
        return self.seeing(self.along.joined(other.along, self.size)) if other[1:] == self[1:] else None

    def seeing(self, along: Along | None) -> "Part":
        if along is None:
            raise Undefined
        return self._replace(along=along)

    def mixed(self) -> Along:
        """The field along the axis once each position sees all of its window."""
        if not isinstance(self.window, int) or self.window > MAX_PERIOD:
            raise Undefined
        return self.along.through(Taps(self.window, (range(self.window),) * self.window))

    def alone(self) -> Along:
        """The field along the windows, each of which has been mixed."""
        if self.inner or not isinstance(self.window, int):
            raise Undefined
        return self.along.through(slide(1, self.window, 0, 1))


class Packed(NamedTuple):
    """Several axes laid into one tensor axis, parts among them: their sizes, and what is known of them."""

    sizes: tuple[Dim, ...]
    axes: tuple[Along | Part | None, ...]

    @property
    def exact(self) -> bool:
        return all(axis.exact for axis in self.axes if axis)

    def through(self, taps: Taps | Reach) -> "Packed":
        if taps != STILL:
            raise Undefined
        return self

    def joined(self, other: "Packed", units: Dim) -> "Packed | None":
        alike = other.sizes == self.sizes
        return self._replace(axes=tuple(map(_both, self.axes, other.axes, self.sizes))) if alike else None


Entry = Along | Part | Packed | None
"""What a field knows of one tensor axis; None where it does not move along it."""

Slot = int | tuple[int, int]
"""Where a map stands: its tensor axis, and which one it is where several are packed into that."""


def tensor_axis(slot: Slot) -> int:
    return slot if isinstance(slot, int) else slot[0]


def _both(a: Any, b: Any, units: Dim) -> Any:
    """What two entries of a tensor axis see together. Raises Undefined."""
    if a is None or b is None:
        return a or b
    unlike = type(a) is not type(b) and {Part, Packed} & {type(a), type(b)}
    both = None if unlike else a.joined(b, units)
    if both is None:
        raise Undefined
    return both


class Field(NamedTuple):
    """The field of a tensor's units: how it moves along each tensor axis, None along those where it does not.

    ``whole`` holds the axes of the input that every unit sees from end to end; ``gates`` those seen so only through a
    value stretched over the map, as in squeeze and excitation.
    """

    axes: tuple[Entry, ...]
    whole: frozenset[int] = frozenset()
    gates: frozenset[int] = frozenset()

    @classmethod
    def of_input(cls, rank: int) -> "Field":
        """The field of the input itself; its first two axes are batch and channels."""
        return cls((None,) * min(rank, 2) + tuple(Axis(i) for i in range(rank - 2)))

    def moved(self, axes: Sequence[Entry]) -> "Field":
        """The field with these axes."""
        return Field(tuple(axes), self.whole, self.gates)

    @property
    def split(self) -> bool:
        """Whether an axis of it is a part of one, or several."""
        return not {Part, Packed}.isdisjoint(map(type, self.axes))

    def parts(self) -> Iterator[tuple[Slot, Along | Part]]:
        """All that moves, packed or not, and where."""
        for i, entry in enumerate(self.axes):
            if isinstance(entry, Packed):
                yield from [((i, t), part) for t, part in enumerate(entry.axes) if part]
            elif entry:
                yield i, entry

    def maps(self) -> dict[Slot, Along]:
        """The maps of intervals by where they stand; those of an axis that was split, once."""
        if not self.split:
            return {i: entry for i, entry in enumerate(self.axes) if entry}  # type: ignore[misc]
        found: dict[Slot, Along] = {}
        split = set()
        for slot, part in self.parts():
            if not isinstance(part, Part):
                found[slot] = part
            elif part.source not in split:
                split.add(part.source)
                found[slot] = part.along
        return found

    def each(self, change: Callable[[Slot, Any], Any]) -> "Field":
        """The field with all that moves changed; ``change`` takes what `parts` gives."""
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
        """How many units a tensor of this shape has along the map at ``slot``."""
        entry, size = self.axes[tensor_axis(slot)], shape[tensor_axis(slot)]
        if isinstance(entry, Packed) and isinstance(slot, tuple):
            part, size = entry.axes[slot[1]], entry.sizes[slot[1]]
            return part.size if isinstance(part, Part) else size
        return entry.size if isinstance(entry, Part) else size

    def collapsed(self, axes: Sequence[int]) -> "Field":
        """The field after a layer that mixes all positions along these tensor axes.

        Where places inside windows are mixed, each sees its window; where windows are, all see the whole.
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
        """The field of a value stretched over a map: what it does not move along is seen through a gate."""
        moving = {along.source for along in self.maps().values()}
        return Field(self.axes, self.whole & moving, self.gates | (self.whole - moving))

    def through(self, taps: Sequence[Taps | Reach]) -> "Field":
        """The field after a layer that slides over the last ``len(taps)`` axes."""
        if taps.count(STILL) == len(taps):
            return self
        first = len(self.axes) - len(taps)
        axes = self.unsplit().axes if self.split else self.axes
        return self.moved([*axes[:first], *[axis and axis.through(tap) for axis, tap in zip(axes[first:], taps)]])

    def unsplit(self) -> "Field":
        """The field with windows whose places are gone as units of their own."""
        parts = [part for _, part in self.parts() if isinstance(part, Part)]
        held = {part.source for part in parts if part.inner}
        if held.issuperset([part.source for part in parts]):
            return self
        return self.each(lambda _, x: x.alone() if isinstance(x, Part) and x.source not in held else x)


def join(fields: Sequence[Field], shape: Sequence[Dim]) -> Field | None:
    """The field of units of a map of this shape that see what all of ``fields`` see, aligned from the last axis.

    Raises Undefined for maps along different axes of the input, or out of step with a letter for their size.
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
    """The field with one map for all parts of an axis: tensors may have met in one of them alone."""
    found: dict[int, Part] = {}
    for _, part in field.parts():
        if isinstance(part, Part):
            old = found.setdefault(part.source, part)
            found[part.source] = old.seeing(old.along.joined(part.along, old.size))
    return field.each(lambda _, x: x.seeing(found[x.source].along) if isinstance(x, Part) else x)
