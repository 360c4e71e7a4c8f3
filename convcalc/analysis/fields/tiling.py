"""Tiling: how to run a network over an image tile by tile so that the joined outputs equal those for the whole image.

A unit of a tile is correct if no layer leading to it read beyond the tile, and if the tile begins at a multiple of all
strides on the way.
"""

from collections.abc import Callable, Sequence
from math import lcm
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_shape
from convcalc.algebra.field import Field, Slot
from convcalc.algebra.intervals import Axis, Interval
from convcalc.algebra.types import Shape
from convcalc.analysis.fields.positions import read_through
from convcalc.analysis.fields.sight import Sight, nodes_leading_to
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.graph import Graph

Build = Callable[[Shape], Graph]


class Tile(NamedTuple):
    """A tile along one axis: take ``input`` of the image, keep ``keep`` of its output, put that at ``output``.

    All three are slices: the first position, and the one after the last.
    """

    input: Interval
    keep: Interval
    output: Interval


class Strip(NamedTuple):
    """The tiling along one axis of the input.

    Tiles of ``size`` pixels overlap by ``overlap``; they begin at multiples of ``step``, which is a multiple of
    ``alignment``. ``spoilt`` is the number of units at each end of an inner tile that read beyond it. ``place`` is the
    output's axis that follows this axis of the input.
    """

    place: int
    size: int
    overlap: int
    step: int
    alignment: int
    spoilt: tuple[int, int]
    tiles: tuple[Tile, ...]


def plan_tiling(build: Build, shape: Shape, layer: Callable[[Graph], str], sizes: Sequence[int]) -> tuple[Strip, ...]:
    """Return the tiling of an input of ``shape`` for the output of a layer, with tiles of ``sizes``, axis by axis.

    ``build`` traces the network for a shape, and ``layer`` names the layer in such a graph. Raises SpecError if no
    overlap is enough (a unit sees the whole input), if the tile is too small, and if the network treats a tile
    differently from the whole input.

    >>> from convcalc import nn, trace
    >>> net = nn.Conv2d(1, 1, 5, padding=2)
    >>> strips = plan_tiling(lambda shape: trace(net, shape), (1, 1, 100, 100), lambda graph: "", (64, 64))
    >>> strips[0].overlap
    4
    """
    whole = _Subgraph(build(shape), layer)
    lasts = [n - whole.origin(axis, size) for axis, (n, size) in enumerate(zip(whole.pixels, sizes))]
    tile, last = (_Subgraph(_build_tile(build, (*shape[:2], *lengths), whole), layer) for lengths in (sizes, lasts))
    for part in (tile, last):
        _check_alike(whole, part)
    return tuple(_strip(axis, size, whole, tile, last) for axis, size in enumerate(sizes))


class _Subgraph:
    """The subgraph leading to a layer, on an input of a given size."""

    def __init__(self, graph: Graph, layer: Callable[[Graph], str]) -> None:
        self.sight = Sight(graph)
        self.name = layer(graph)
        self.nodes = nodes_leading_to(graph, self.name)
        self.fields = {name: self.sight.fields[name] for name in [*graph.inputs, *[node.name for node in self.nodes]]}
        self.field = self.fields[self.name] or Field(())
        self._check_local()
        self.pixels: Any = next(iter(graph.inputs.values()))[2:]  # numbers, since sight refuses letters
        advances: list[list[int]] = [[], [], []]  # by axis of the input
        for field in self.fields.values():
            for axis in field.maps().values() if field else ():
                if isinstance(axis, Axis):
                    advances[axis.source].append(axis.advance)
        self.alignments = [lcm(*along) for along in advances if along]

    def _check_local(self) -> None:
        """Raise SpecError unless every field is exact and covers a part of the input only."""
        for name, field in self.fields.items():
            name = name or "the layer"
            if field is None:
                raise SpecError(f"the receptive field is not defined at {name}, so the overlap is unknown")
            if field.whole or field.gates:
                what = "through a gate" if field.gates - field.whole else "from end to end"
                raise SpecError(
                    f"units of {name} see the input {what}, so no overlap is enough",
                    hint="choose a layer before it: convcalc field NETWORK LAYER --tile N",
                )
            if not all(axis.exact for axis in field.maps().values()):
                raise SpecError(f"the receptive field at {name} is only an outer bound, so the overlap is unknown")
        if self.field.split:
            hint = "name a layer that follows the windows"
            raise SpecError(f"{self.name or 'the layer'} is inside windows, so its outputs form no map", hint=hint)

    def origin(self, axis: int, size: int) -> int:
        """Return where the last tile begins, which ends where the input does."""
        alignment = self.alignments[axis]
        return max(0, -(-int(self.pixels[axis] - size) // alignment) * alignment)

    def place(self, axis: int) -> int:
        """Return the axis of the layer's output that follows this axis of the input."""
        return next(i for i, along in self.field.maps().items() if isinstance(i, int) and along.source == axis)

    def units(self, axis: int) -> int:
        """Return the number of units of the output along this axis of the input."""
        return self.sight.units(self.name, self.place(axis))

    def per_step(self, axis: int) -> int:
        """Return the number of units of the output for each alignment of the input."""
        return int(self.alignments[axis] / self.field.maps()[self.place(axis)].jump)

    def spoilt(self, axis: int) -> tuple[int, int]:
        """Return how many units at each end of the output read beyond the ends of the input's axis."""
        taints: dict[tuple[str, Slot], tuple[set[int], set[int]]] = {}
        for node in self.nodes:
            for j, routes in self.sight.defined_footprint(node).routes.items():
                low, high = taints[node.name, j] = set(), set()
                for (k, a), chain in routes:
                    if any(getattr(taps, "border", "") == "circular" for taps in chain):
                        raise SpecError(
                            "wraps around the border: a tile does not contain the other end", where=node.name
                        )
                    below, above = taints.get((node.inputs[k], a), (set(), set()))
                    size = self.sight.units(node.inputs[k], a)
                    for unit in range(self.sight.units(node.name, j)):
                        positions = read_through(chain, unit)
                        if any(i < 0 or i in below for i in positions):
                            low.add(unit)
                        if any(i >= size or i in above for i in positions):
                            high.add(unit)
        low, high = taints.get((self.name, self.place(axis)), (set(), set()))
        units = self.units(axis)
        return max(low, default=-1) + 1, units - min(high, default=units)


def _build_tile(build: Build, shape: Shape, whole: _Subgraph) -> Graph:
    """Return the graph for a tile; raise SpecError if the network does not take it."""
    try:
        return build(shape)
    except ConvcalcError as error:
        hint = f"multiples of {show_shape(whole.alignments)} usually work"
        what = f"the network does not take a tile of {show_shape(shape[2:])}: {error.what}"
        raise SpecError(what, where=error.where, hint=hint) from None


def _check_alike(whole: _Subgraph, part: _Subgraph) -> None:
    """Raise SpecError unless the layers see a part of the input as they see the whole."""
    for name, field in whole.fields.items():
        other = part.fields.get(name)
        if field is None or other is None or other.maps() != field.maps():
            raise SpecError(
                f"a tile of {show_shape(part.pixels)} is not treated like the whole input",
                where=name,
                hint="padding and interpolation that depend on the input's size cannot be tiled unless all sizes are "
                f"multiples of {show_shape(whole.alignments)}",
            )


def _strip(axis: int, size: int, whole: _Subgraph, tile: _Subgraph, last: _Subgraph) -> Strip:
    """Return the tiling along one axis, each tile keeping the units that follow those of the one before."""
    alignment, per_step = whole.alignments[axis], whole.per_step(axis)
    low, high = tile.spoilt(axis)
    step = (tile.units(axis) - low - high) // per_step * alignment
    if step < 1:
        raise SpecError(
            f"a tile of {size} is too small: {low + high} of its {tile.units(axis)} units read beyond it",
            hint=f"at least {per_step} must remain; try --tile {2 * size}",
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
            raise SpecError("the outputs of the tiles do not join to those of the whole input", where=whole.name)
        tiles.append(Tile((start, start + part.pixels[axis]), (done - offset, stop - offset), (done, stop)))
        done = stop
    return Strip(tile.place(axis), size, size - step, step, alignment, (low, high), tuple(tiles))
