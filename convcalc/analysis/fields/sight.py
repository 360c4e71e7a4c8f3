"""What units see on a map of a given size, to the pixel: borders cut off what `flow` only bounds there.

The rule that a layer has for receptive fields says how far its units see. To know *which* inputs one unit reads, the
rule is run once on a `Trail` in place of each field: a trail sees nothing itself, and notes the taps that the layer
puts on top of it. What comes out is the layer's `Footprint`: for each axis of the output the ways that lead to its
inputs.

Sets of positions along an axis are ints, a bit for each position. What a unit sees is a union of boxes, products of
such sets over the axes, since branches with different kernels see a cross and not a rectangle.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from math import ceil, floor
from operator import or_
from typing import Any, NamedTuple

from convcalc.algebra.field import Field, Part, Slot
from convcalc.algebra.intervals import Interval, Reach, Taps
from convcalc.analysis.fields.flow import field_of, propagate
from convcalc.errors import SpecError
from convcalc.network.graph import Graph, Node

Chain = tuple[Taps | Reach, ...]
"""The taps on the way from an input to an output, which come last."""

Place = tuple[int, Slot]
"""An axis of one of a layer's inputs: which input, and where in its field."""

Route = tuple[Place, Chain]
"""One way by which an output reads along an axis: where it ends, and the taps on the way."""

MOST_BOXES = 64
"""More are replaced by one that holds them all."""

MOST_UNITS = 10_000
"""Whether each of more sees a pixel is not asked."""

Box = tuple[int, ...]
"""A set of positions for each axis along which the field moves, in the order of the tensor's axes."""


class Trail(NamedTuple):
    """Takes the place of the field along one axis of a layer's input, and notes the taps that the layer puts on top.

    It has what `field.Field` asks of the maps it is made of: `source`, `through` and `joined`.

    >>> Trail.at(0, 2).through(Taps(2, (range(3),))).routes
    (((0, 2), (Taps(advance=2, ranges=(range(0, 3),), border='zeros'),)),)
    """

    routes: tuple[Route, ...]

    @classmethod
    def at(cls, k: int, slot: Slot) -> "Trail":
        """Return the trail that begins at a slot of the k-th input, with no taps yet."""
        return cls((((k, slot), ()),))

    @property
    def source(self) -> Place:
        """Where the trail begins, which tells apart maps that come from different axes."""
        return self.routes[0][0]

    def through(self, taps: Taps | Reach) -> "Trail":
        """Return the trail with one more layer's taps at its end."""
        return Trail(tuple([(place, (*chain, taps)) for place, chain in self.routes]))

    def joined(self, other: "Trail", units: object) -> "Trail":
        """Return the trail of a unit that reads both ways."""
        return Trail(tuple(dict.fromkeys(self.routes + other.routes)))


class Footprint(NamedTuple):
    """What a node reads of its inputs: the ``routes`` of each output axis, and the axes of inputs read whole.

    ``gates`` are axes read whole for a gate, a value that is stretched over the map.
    """

    routes: Mapping[Slot, tuple[Route, ...]]
    whole: frozenset[Place]
    gates: frozenset[Place]


def _footprint_of(node: Node, fields: Sequence[Field | None]) -> Footprint | None:
    """Return what a node reads of inputs with these fields; None where its field is not defined."""
    if any(field is None for field in fields):
        return None
    trails: Any = [_with_trails(field, k) for k, field in enumerate(fields) if field is not None]
    if not trails:
        return Footprint({}, frozenset(), frozenset())
    after: Any = field_of(node.layer, trails, node.input_shapes, node.output_shape)
    if after is None:
        return None
    routes = {slot: trail.routes for slot, trail in after.maps().items()}
    return Footprint(routes, after.whole, after.gates)


def _with_trails(field: Field, k: int) -> Field:
    """Return the field of the k-th input with trails in place of its maps.

    What was pooled is marked by the place (k, -1): stretched over a map again, it is a gate.
    """
    begun: dict[int, Any] = {}  # the parts of one split axis share a trail

    def trail(slot: Slot, part: Any) -> Any:
        new = Trail.at(k, slot)
        return part.seeing(begun.setdefault(part.source, new)) if isinstance(part, Part) else new

    whole: Any = frozenset({(k, -1)} if field.whole else ())
    return Field(field.each(trail).axes, whole)


class Sight:
    """The sight of all units of a graph in numbers; gates are followed only if asked for.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)), (1, 1, 9, 9))
    >>> Sight(graph).seen("1", (0, 4))
    ((0, 2), (2, 6))
    """

    def __init__(self, graph: Graph, through_gates: bool = False) -> None:
        self.graph = graph
        self.through_gates = through_gates
        shapes = {**graph.inputs, **{node.name: node.output_shape for node in graph.nodes}}
        if any(not isinstance(n, int) for shape in shapes.values() for n in shape):
            raise SpecError("what single units see needs numbers for all sizes", hint="give --input without letters")
        self.shapes: Mapping[str, tuple[int, ...]] = shapes  # type: ignore[assignment]
        inputs = [Field.of_input(len(shape)) for shape in graph.inputs.values()]
        self.fields: dict[str, Field | None] = dict(zip(shapes, [*inputs, *propagate(graph).fields]))
        self._footprints: dict[str, Footprint | None] = {}

    def axes(self, name: str) -> tuple[Slot, ...]:
        """Return where a node's field moves: its tensor axes, windows and places inside them as one."""
        field = self.fields[name]
        return tuple(field.maps()) if field else ()

    def units(self, name: str, slot: Slot) -> int:
        """Return how many units a node has along a slot of its field."""
        return (self.fields[name] or Field(())).span(slot, self.shapes[name])  # type: ignore[return-value]

    def footprint(self, node: Node) -> Footprint | None:
        """Return what a node reads; None where its field is not defined."""
        if node.name not in self._footprints:
            self._footprints[node.name] = _footprint_of(node, [self.fields[name] for name in node.inputs])
        return self._footprints[node.name]

    def defined_footprint(self, node: Node) -> Footprint:
        """Return what a node reads; raise SpecError where its field is not defined."""
        footprint = self.footprint(node)
        if footprint is None:
            raise SpecError(f"the receptive field is not defined at {node.name}", where=repr(node.layer))
        return footprint

    def seen(self, name: str, unit: Sequence[int]) -> tuple[Interval, ...] | None:
        """Return the first and last position along each axis of the input that ``unit`` of node ``name`` sees, if any.

        ``unit`` has a place for each axis along which the node's field moves.
        """
        sets = [_union(sets) for sets in zip(*self.boxes_seen(name, unit))]
        return tuple([((s & -s).bit_length() - 1, s.bit_length() - 1) for s in sets]) or None

    def boxes_seen(self, name: str, unit: Sequence[int]) -> list[Box]:
        """Return what ``unit`` of node ``name`` sees of the input, along its spatial axes."""
        reached: dict[str, list[Box]] = {name: [tuple([1 << i for i in unit])]}
        for node in reversed(self.graph.nodes):
            if boxes := reached.pop(node.name, None):
                for k, source in enumerate(node.inputs):
                    inner = [box for outer in boxes for box in self._read(node, k, source, outer)]
                    reached[source] = _without_lesser([*reached.get(source, []), *inner])
        return _without_lesser([box for name in self.graph.inputs for box in reached.get(name, [])])

    def _read(self, node: Node, k: int, source: str, box: Box) -> Iterator[Box]:
        """Yield what the units in ``box`` read of the node's k-th input; nothing if nothing along some axis."""
        footprint = self.defined_footprint(node)
        if not self._follows(footprint, k):
            return
        outer = dict(zip(self.axes(node.name), box))
        sets = [self._read_along((k, axis), self.units(source, axis), footprint, outer) for axis in self.axes(source)]
        if all(sets):
            yield tuple(sets)

    def _read_along(self, place: Place, n: int, footprint: Footprint, outer: Mapping[Slot, int]) -> int:
        """Return the positions of an input's axis of ``n`` that units at the positions ``outer`` read."""
        if place in footprint.whole | footprint.gates:
            return (1 << n) - 1
        return _union(
            _read_by_one(chain, n, unit)
            for slot, units in outer.items()
            for end, chain in footprint.routes.get(slot, ())
            if end == place
            for unit in _bits(units)
        )

    def _follows(self, footprint: Footprint, k: int) -> bool:
        """Return whether the k-th input counts: a gate only if asked for."""
        return self.through_gates or all(place[0] != k for place in footprint.gates)

    def covers(self, pixel: Sequence[int]) -> dict[str, list[Box]]:
        """Return for each node whose field is defined the units that see this position of the input."""
        reached: dict[str, list[Box]] = {}
        for name, shape in self.graph.inputs.items():
            reached[name] = [tuple([1 << i for i in pixel])] if len(shape) == len(pixel) + 2 else []
        for node in self.graph.nodes:
            footprint = self.footprint(node)
            if footprint is None or self.fields[node.name] is None:
                continue
            boxes = [
                box
                for k, source in enumerate(node.inputs)
                if self._follows(footprint, k)
                for inner in reached[source]
                for box in self._reach(node, footprint, k, inner)
            ]
            reached[node.name] = _without_lesser(boxes)
        return reached

    def _reach(self, node: Node, footprint: Footprint, k: int, box: Box) -> Iterator[Box]:
        """Yield the units that read something in ``box`` of the node's k-th input; nothing if none along some axis."""
        source = node.inputs[k]
        inside = dict(zip(self.axes(source), box))
        sets = []
        for slot in self.axes(node.name):
            n = self.units(node.name, slot)
            routes = [(axis, chain) for (i, axis), chain in footprint.routes.get(slot, ()) if i == k]
            if not routes:  # along an axis that this input does not move along, all units see it
                sets.append((1 << n) - 1)
                continue
            tables = [(reads(chain, self.units(source, axis), n), inside[axis]) for axis, chain in routes]
            sets.append(_union(1 << i for table, bits in tables for i, seen in enumerate(table) if seen & bits))
        if all(sets):
            yield tuple(sets)


@lru_cache(maxsize=1024)
def reads(chain: Chain, n: int, units: int) -> tuple[int, ...]:
    """Return for each of ``units`` outputs the set of positions that it reads of an axis of ``n``."""
    if units > MOST_UNITS:
        what = f"{units:,} units along an axis are too many to look through: the limit is {MOST_UNITS:,}"
        raise SpecError(what, hint="give a smaller --input")
    return tuple([_read_by_one(chain, n, unit) for unit in range(units)])


def read_through(chain: Chain, unit: int) -> set[int]:
    """Return the positions that one output reads through several layers, those beyond the borders too."""
    positions = {unit}
    for taps in reversed(chain):
        positions = {i for position in positions for i in read_by(taps, position)}
    return positions


def _read_by_one(chain: Chain, n: int, unit: int) -> int:
    """Return the set of positions that one output reads of an axis of ``n``."""
    border = getattr(chain[0], "border", "zeros") if chain else "zeros"
    return _union(1 << i for i in folded(read_through(chain, unit), n, border))


def folded(positions: Iterable[int], n: int, border: str) -> Iterator[int]:
    """Yield positions of an axis of ``n``, those beyond its ends as the border has them.

    >>> [*folded(range(-2, 2), 9, "reflect")], [*folded(range(-2, 2), 9, "zeros")]
    ([2, 1, 0, 1], [0, 1])
    """
    for i in positions:
        if border == "circular":
            i %= n
        elif border == "replicate":
            i = min(max(i, 0), n - 1)
        elif border == "reflect":
            i = n - 1 - abs(n - 1 - abs(i))
        if 0 <= i < n:
            yield i


def read_by(taps: Taps | Reach, unit: int) -> Iterable[int]:
    """Return the positions that one output reads, those beyond the borders too."""
    if isinstance(taps, Reach):
        return range(ceil(unit * taps.jump + taps.low), floor(unit * taps.jump + taps.high) + 1)
    turn, phase = divmod(unit, len(taps.ranges))
    return [i + turn * taps.advance for i in taps.ranges[phase]]


def _bits(value: int) -> Iterator[int]:
    """Yield the places of the bits that are set; a lone one far up costs one step."""
    while value:
        lowest = value & -value
        yield lowest.bit_length() - 1
        value ^= lowest


def leading_to(graph: Graph, name: str) -> list[Node]:
    """Return the nodes that node ``name`` depends on, and itself."""
    needed = {name}
    for node in reversed(graph.nodes):
        needed.update(node.inputs if node.name in needed else ())
    return [node for node in graph.nodes if node.name in needed]


def _union(sets: Iterable[int]) -> int:
    """Return the positions that are in any of ``sets``."""
    return reduce(or_, sets, 0)


def _without_lesser(boxes: list[Box]) -> list[Box]:
    """Return ``boxes`` without those that lie within another."""
    kept: list[Box] = []
    for box in sorted(dict.fromkeys(boxes), key=lambda box: -sum(s.bit_count() for s in box)):
        if not any(all(s | t == t for s, t in zip(box, other)) for other in kept):
            kept.append(box)
    return kept if len(kept) <= MOST_BOXES else [tuple(map(_union, zip(*kept)))]
