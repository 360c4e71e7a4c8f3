"""Tiling: how to run a network over an image piece by piece so that the outputs, put together, equal the whole's.

A unit of a tile is right where nothing on its way read beyond the tile, and where the tile begins at a multiple of all
strides on the way, so that phases agree. Both are exact here, from the layers' taps; running a network is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import lcm
from typing import NamedTuple

from convcalc.algebra.dims import Shape, show_shape
from convcalc.algebra.field import Axis, Field, Interval
from convcalc.analysis.sight import Sight, read_by
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.graph import Graph

Build = Callable[[Shape], Graph]


class Tile(NamedTuple):
    """One piece along one axis: take ``input`` of the image, keep ``keep`` of its output, put it at ``output``.

    Each is a start and a stop, as for a slice.
    """

    input: Interval
    keep: Interval
    output: Interval


class Strip(NamedTuple):
    """The tiling along one axis of the input.

    Tiles of ``size`` pixels overlap by ``overlap``; they begin at multiples of ``step``, itself one of ``alignment``.
    Of an inner tile's output, ``spoilt`` units at its two ends have read beyond the tile. ``place`` is the axis of the
    output tensor that runs along this one.
    """

    place: int
    size: int
    overlap: int
    step: int
    alignment: int
    spoilt: tuple[int, int]
    tiles: tuple[Tile, ...]


def tiling(build: Build, shape: Shape, layer: Callable[[Graph], str], sizes: Sequence[int]) -> tuple[Strip, ...]:
    """The tiling of an input of ``shape`` for the output of a layer, with tiles of ``sizes``, axis by axis.

    Raises SpecError where no overlap is enough (a unit sees the whole input), where the tile is too small, and where
    the network does not treat a tile as it treats the whole (sizes fixed in it).

    >>> from convcalc import nn, trace
    >>> net = nn.Conv2d(1, 1, 5, padding=2)
    >>> tiling(lambda shape: trace(net, shape), (1, 1, 100, 100), lambda graph: graph.outputs[0], (64, 64))[0].overlap
    4
    """
    whole = _Half(build(shape), layer)
    cuts = [_cut(whole, axis, size) for axis, size in enumerate(sizes)]
    lasts = [lengths[-1] for _, lengths in cuts]
    tile = _Half(_built(build, shape, [lengths[0] for _, lengths in cuts], whole.alignments), layer)
    last = _Half(_built(build, shape, lasts, whole.alignments), layer)
    for part in (tile, last):
        _check_alike(whole, part)
    return tuple(_strip(axis, size, whole, tile, last) for axis, size in enumerate(sizes))


class _Half:
    """The part of a graph that a layer hangs on, with the fields there."""

    def __init__(self, graph: Graph, layer: Callable[[Graph], str]) -> None:
        self.sight = Sight(graph)
        self.name = layer(graph)
        self.nodes = [node for node in graph.nodes if node.name in _ancestors(graph, self.name)]
        self.fields = {name: self.sight.fields[name] for name in [*graph.inputs, *[node.name for node in self.nodes]]}
        self._check_local()
        self.axes = self.sight.axes(self.name)
        found: list[list[Axis]] = [[], [], []]
        for field in self.fields.values():
            for axis in field.axes if field else ():
                if isinstance(axis, Axis):
                    found[axis.source].append(axis)
        self.alignments = [lcm(*[axis.advance for axis in axes]) for axes in found if axes]

    def _check_local(self) -> None:
        for name, field in self.fields.items():
            if field is None:
                raise SpecError(f"the receptive field is not defined at {name}, so no overlap is known")
            if field.whole or field.gates:
                what = "through a gate" if field.gates - field.whole else "from end to end"
                raise SpecError(
                    f"units of {name} see the input {what}, so no overlap is enough",
                    hint="choose a layer before it: convcalc field NETWORK LAYER --tile N",
                )
            if not all(axis.exact for axis in field.axes if axis):
                raise SpecError(f"the receptive field at {name} is only bounded, so no overlap is known")

    def place(self, axis: int) -> int:
        """The tensor axis of the layer's output that runs along this axis of the input."""
        return next(i for i in self.axes if self._along(i).source == axis)

    def units(self, axis: int) -> int:
        """The size of the layer's output along an axis of the input."""
        return self.sight.shapes[self.name][self.place(axis)]

    def per_step(self, axis: int) -> int:
        """Units of the layer's output for each alignment of the input."""
        return int(self.alignments[axis] / self._along(self.place(axis)).jump)

    def _along(self, place: int) -> Axis:
        along = (self.fields[self.name] or Field(())).axes[place]
        assert isinstance(along, Axis)
        return along

    def spoilt(self, axis: int) -> tuple[int, int]:
        """How many units at the two ends of the layer's output read beyond the ends of the input's axis."""
        taints: dict[tuple[str, int], tuple[set[int], set[int]]] = {}
        for node in self.nodes:
            here = self.sight.step(node)
            assert here is not None  # checked with the fields
            for j, routes in enumerate(here.routes):
                low, high = set[int](), set[int]()
                for (k, a), chain in routes:
                    below, above = taints.get((node.inputs[k], a), (set[int](), set[int]()))
                    size = self.sight.shapes[node.inputs[k]][a]
                    for unit in range(self.sight.shapes[node.name][j]):
                        seen = [unit]
                        for taps in reversed(chain):
                            seen = [i for position in seen for i in read_by(taps, position)]
                        if any(i < 0 or i in below for i in seen):
                            low.add(unit)
                        if any(i >= size or i in above for i in seen):
                            high.add(unit)
                taints[node.name, j] = low, high
        low, high = taints.get((self.name, self.place(axis)), (set[int](), set[int]()))
        units = self.units(axis)
        return max(low, default=-1) + 1, units - min(high, default=units)


def _ancestors(graph: Graph, name: str) -> set[str]:
    """The nodes that a node hangs on, itself included."""
    needed = {name}
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return needed


def _cut(whole: _Half, axis: int, size: int) -> tuple[int, tuple[int, int]]:
    """Where the last tile begins, and the lengths of the others and of it: it ends where the input does."""
    pixels = next(iter(whole.sight.graph.inputs.values()))[axis + 2]
    assert isinstance(pixels, int)  # as sight demands
    alignment = whole.alignments[axis]
    if pixels <= size:
        return 0, (size, pixels)  # one tile is enough; what larger inputs need is told all the same
    origin = -(-(pixels - size) // alignment) * alignment
    return origin, (size, pixels - origin)


def _built(build: Build, shape: Shape, sizes: Sequence[int], alignments: Sequence[int]) -> Graph:
    try:
        return build((*shape[:2], *sizes))
    except ConvcalcError as error:
        hint = f"multiples of {' x '.join(map(str, alignments))} mostly fit"
        what = f"the network does not take a tile of {show_shape(sizes)}: {error.what}"
        raise SpecError(what, where=error.where, hint=hint) from None


def _check_alike(whole: _Half, part: _Half) -> None:
    """Raise SpecError where a tile is not treated as the whole is."""
    for name, field in whole.fields.items():
        if part.fields.get(name) != field:
            size = show_shape(next(iter(part.sight.graph.inputs.values()))[2:])
            raise SpecError(
                f"at {name} a tile of {size} is not treated as the whole input is",
                hint="padding and interpolation that go by the size of the input cannot be tiled, unless all sizes are "
                f"multiples of {' x '.join(map(str, whole.alignments))}",
            )


def _strip(axis: int, size: int, whole: _Half, tile: _Half, last: _Half) -> Strip:
    """The tiling along one axis."""
    alignment, per_step = whole.alignments[axis], whole.per_step(axis)
    origin, _ = _cut(whole, axis, size)
    low, high = tile.spoilt(axis)
    step = (tile.units(axis) - low - high) // per_step * alignment
    if step < 1:
        raise SpecError(
            f"a tile of {size} is too small: {low + high} of its {tile.units(axis)} units read beyond it",
            hint=f"at least {per_step} must be left; try --tile {2 * size}",
        )
    starts = [*range(0, origin, step), origin] if origin else [0]
    tiles = tuple(_tiles(axis, starts, whole, tile, last))
    return Strip(tile.place(axis), size, size - step, step, alignment, (low, high), tiles)


def _tiles(axis: int, starts: Sequence[int], whole: _Half, tile: _Half, last: _Half) -> Iterator[Tile]:
    """The tiles along one axis; each goes on where the one before ends."""
    done = 0
    for start in starts:
        part = last if start == starts[-1] else tile
        pixels = next(iter(part.sight.graph.inputs.values()))[axis + 2]
        assert isinstance(pixels, int)
        offset = start // whole.alignments[axis] * whole.per_step(axis)
        low, high = part.spoilt(axis) if len(starts) > 1 else (0, 0)
        stop = offset + part.units(axis) - (high if part is tile else 0)
        if (start and offset + low > done) or (part is last and stop != whole.units(axis)):
            raise SpecError("the outputs of the tiles do not meet those of the whole", where=whole.name)
        yield Tile((start, start + pixels), (done - offset, stop - offset), (done, stop))
        done = stop
