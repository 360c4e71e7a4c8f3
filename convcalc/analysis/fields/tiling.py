"""Tiling: how to run a network over an image piece by piece so that the outputs, put together, equal the whole's.

A unit of a tile is right where nothing on its way read beyond the tile, and where the tile begins at a multiple of all
strides on the way.
"""

from collections.abc import Callable, Sequence
from math import lcm
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_shape
from convcalc.algebra.field import Field, Slot
from convcalc.algebra.intervals import Axis, Interval
from convcalc.algebra.types import Shape
from convcalc.analysis.fields.sight import Sight, leading_to, read_through
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.graph import Graph

Build = Callable[[Shape], Graph]


class Tile(NamedTuple):
    """Along one axis: take ``input`` of the image, keep ``keep`` of its output, put it at ``output``, as slices."""

    input: Interval
    keep: Interval
    output: Interval


class Strip(NamedTuple):
    """The tiling along one axis of the input.

    Tiles of ``size`` pixels overlap by ``overlap``; they begin at multiples of ``step``, itself one of ``alignment``.
    At an inner tile's two ends ``spoilt`` units have read beyond it. ``place`` is the output's axis that runs along
    this one.
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
    the network does not treat a tile as it treats the whole.

    >>> from convcalc import nn, trace
    >>> net = nn.Conv2d(1, 1, 5, padding=2)
    >>> tiling(lambda shape: trace(net, shape), (1, 1, 100, 100), lambda graph: graph.outputs[0], (64, 64))[0].overlap
    4
    """
    whole = _Half(build(shape), layer)
    lasts = [n - whole.origin(axis, size) for axis, (n, size) in enumerate(zip(whole.pixels, sizes))]
    tile, last = (_Half(_built(build, (*shape[:2], *lengths), whole), layer) for lengths in (sizes, lasts))
    for part in (tile, last):
        _check_alike(whole, part)
    return tuple(_strip(axis, size, whole, tile, last) for axis, size in enumerate(sizes))


class _Half:
    """The part of a graph that a layer hangs on."""

    def __init__(self, graph: Graph, layer: Callable[[Graph], str]) -> None:
        self.sight = Sight(graph)
        self.name = layer(graph)
        self.nodes = leading_to(graph, self.name)
        self.fields = {name: self.sight.fields[name] for name in [*graph.inputs, *[node.name for node in self.nodes]]}
        self.field = self.fields[self.name] or Field(())
        self._check_local()
        self.pixels: Any = next(iter(graph.inputs.values()))[2:]  # in numbers, as sight demands
        found: list[list[int]] = [[], [], []]
        for field in self.fields.values():
            for axis in field.maps().values() if field else ():
                if isinstance(axis, Axis):
                    found[axis.source].append(axis.advance)
        self.alignments = [lcm(*advances) for advances in found if advances]

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
            if not all(axis.exact for axis in field.maps().values()):
                raise SpecError(f"the receptive field at {name} is only bounded, so no overlap is known")
        if self.field.split:
            hint = "name a layer behind them"
            raise SpecError(f"{self.name} stands inside windows, whose outputs lie in no map", hint=hint)

    def origin(self, axis: int, size: int) -> int:
        """Where the last tile begins: it ends where the input does."""
        alignment = self.alignments[axis]
        return max(0, -(-int(self.pixels[axis] - size) // alignment) * alignment)

    def place(self, axis: int) -> int:
        """The axis of the layer's output that runs along this axis of the input."""
        return next(i for i, along in self.field.maps().items() if isinstance(i, int) and along.source == axis)

    def units(self, axis: int) -> int:
        return self.sight.units(self.name, self.place(axis))

    def per_step(self, axis: int) -> int:
        """Units of the output for each alignment of the input."""
        return int(self.alignments[axis] / self.field.maps()[self.place(axis)].jump)

    def spoilt(self, axis: int) -> tuple[int, int]:
        """How many units at the two ends of the output read beyond the ends of the input's axis."""
        taints: dict[tuple[str, Slot], tuple[set[int], set[int]]] = {}
        for node in self.nodes:
            for j, routes in self.sight.defined_footprint(node).routes.items():
                low, high = taints[node.name, j] = set(), set()
                for (k, a), chain in routes:
                    if any(getattr(taps, "border", "") == "circular" for taps in chain):
                        raise SpecError("goes round the border: a tile lacks what the other end shows", where=node.name)
                    below, above = taints.get((node.inputs[k], a), (set(), set()))
                    size = self.sight.units(node.inputs[k], a)
                    for unit in range(self.sight.units(node.name, j)):
                        seen = read_through(chain, unit)
                        if any(i < 0 or i in below for i in seen):
                            low.add(unit)
                        if any(i >= size or i in above for i in seen):
                            high.add(unit)
        low, high = taints.get((self.name, self.place(axis)), (set(), set()))
        units = self.units(axis)
        return max(low, default=-1) + 1, units - min(high, default=units)


def _built(build: Build, shape: Shape, whole: _Half) -> Graph:
    try:
        return build(shape)
    except ConvcalcError as error:
        hint = f"multiples of {show_shape(whole.alignments)} mostly fit"
        what = f"the network does not take a tile of {show_shape(shape[2:])}: {error.what}"
        raise SpecError(what, where=error.where, hint=hint) from None


def _check_alike(whole: _Half, part: _Half) -> None:
    for name, field in whole.fields.items():
        other = part.fields.get(name)
        if field is None or other is None or other.maps() != field.maps():
            raise SpecError(
                f"at {name} a tile of {show_shape(part.pixels)} is not treated as the whole input is",
                hint="padding and interpolation that go by the size of the input cannot be tiled, unless all sizes are "
                f"multiples of {show_shape(whole.alignments)}",
            )


def _strip(axis: int, size: int, whole: _Half, tile: _Half, last: _Half) -> Strip:
    """Each tile goes on where the one before ends."""
    alignment, per_step = whole.alignments[axis], whole.per_step(axis)
    low, high = tile.spoilt(axis)
    step = (tile.units(axis) - low - high) // per_step * alignment
    if step < 1:
        raise SpecError(
            f"a tile of {size} is too small: {low + high} of its {tile.units(axis)} units read beyond it",
            hint=f"at least {per_step} must be left; try --tile {2 * size}",
        )
    origin = whole.origin(axis, size)
    tiles = []
    done = 0
    for start in [*range(0, origin, step), origin]:
        part = last if start == origin else tile
        offset = start // alignment * per_step
        before, after = part.spoilt(axis) if origin else (0, 0)
        stop = offset + part.units(axis) - (after if part is tile else 0)
        if (start and offset + before > done) or (part is last and stop != whole.units(axis)):
            raise SpecError("the outputs of the tiles do not meet those of the whole", where=whole.name)
        tiles.append(Tile((start, start + part.pixels[axis]), (done - offset, stop - offset), (done, stop)))
        done = stop
    return Strip(tile.place(axis), size, size - step, step, alignment, (low, high), tuple(tiles))
