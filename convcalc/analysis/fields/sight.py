"""What units see on a map of a given size, exact to the pixel; at borders, `flow` only gives a bound.

A layer's rule for receptive fields says how far its units see. To learn *which* inputs a unit reads, the rule is run
once with a `Trail` in place of each field: a trail records the taps that the layer adds. The result is the layer's
`Footprint`: for each axis of the output, the routes that lead to its inputs.

What a unit sees is a union of boxes, which are products of sets of positions over the axes, since branches with
different kernels see a cross and not a rectangle.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.field import Field, Part, Slot
from convcalc.algebra.intervals import Interval, Reach, Taps
from convcalc.analysis.fields.flow import field_of, propagate
from convcalc.analysis.fields.positions import Chain, bits_of, read_by_each, read_by_one, union
from convcalc.errors import SpecError
from convcalc.network.graph import Graph, Node

AxisPlace = tuple[int, Slot]
"""An axis of one of a layer's inputs: the index of the input, and the slot in its field."""

Route = tuple[AxisPlace, Chain]
"""One way by which an output reads along an axis: the place where it ends, and the taps on the way."""

MOST_BOXES = 64
"""If there are more boxes, a single box that contains them all replaces them."""

Box = tuple[int, ...]
"""A set of positions for each axis along which the field moves, in the order of the tensor's axes."""


class Trail(NamedTuple):
    """A stand-in for the field along one axis of a layer's input, which records the taps that the layer adds.

    It has the methods that `field.Field` requires of its maps: `source`, `through` and `joined`.

    >>> Trail.at(0, 2).through(Taps(2, (range(3),))).routes
    (((0, 2), (Taps(advance=2, ranges=(range(0, 3),), border='zeros'),)),)
    """

    routes: tuple[Route, ...]

    @classmethod
    def at(cls, k: int, slot: Slot) -> "Trail":
        """Return a trail that begins at a slot of the k-th input, without taps."""
        return cls((((k, slot), ()),))

    @property
    def source(self) -> AxisPlace:
        """The place where the trail begins, by which maps from different axes are distinguished."""
        return self.routes[0][0]

    def through(self, taps: Taps | Reach) -> "Trail":
        """Return the trail with the taps of one more layer at its end."""
        return Trail(tuple([(place, (*chain, taps)) for place, chain in self.routes]))

    def joined(self, other: "Trail", units: object) -> "Trail":
        """Return the trail of a unit that reads by the routes of both."""
        return Trail(tuple(dict.fromkeys(self.routes + other.routes)))


class Footprint(NamedTuple):
    """What a node reads of its inputs: the ``routes`` of each output axis, and the input axes that it reads ``whole``.

    ``gates`` are input axes that it reads whole for a gate, a value that is stretched over the map.
    """

    routes: Mapping[Slot, tuple[Route, ...]]
    whole: frozenset[AxisPlace]
    gates: frozenset[AxisPlace]


def _footprint_of(node: Node, fields: Sequence[Field | None]) -> Footprint | None:
    """Return what a node reads of inputs with these fields; None if its field is not defined."""
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

    A pooled input is marked by the place (k, -1): if it is stretched over a map again, it is a gate.
    """
    trails: dict[int, Any] = {}  # the parts of one split axis share a trail

    def trail(slot: Slot, part: Any) -> Any:
        new = Trail.at(k, slot)
        return part.seeing(trails.setdefault(part.source, new)) if isinstance(part, Part) else new

    whole: Any = frozenset({(k, -1)} if field.whole else ())
    return Field(field.each(trail).axes, whole)


class Sight:
    """What each unit of a graph sees, and what sees each pixel; gates are followed only if ``through_gates``.

    Raises SpecError for a graph with letters in its shapes.

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
            raise SpecError(
                "all sizes must be numbers to find what a single unit sees", hint="give --input without letters"
            )
        self.shapes: Mapping[str, tuple[int, ...]] = shapes  # type: ignore[assignment]
        inputs = [Field.of_input(len(shape)) for shape in graph.inputs.values()]
        self.fields: dict[str, Field | None] = dict(zip(shapes, [*inputs, *propagate(graph).fields]))
        self._footprints: dict[str, Footprint | None] = {}

    def axes(self, name: str) -> tuple[Slot, ...]:
        """Return the slots along which a node's field moves: tensor axes, where windows and places in them are one."""
        field = self.fields[name]
        return tuple(field.maps()) if field else ()

    def units(self, name: str, slot: Slot) -> int:
        """Return the number of units of a node along a slot of its field."""
        return (self.fields[name] or Field(())).span(slot, self.shapes[name])  # type: ignore[return-value]

    def footprint(self, node: Node) -> Footprint | None:
        """Return what a node reads of its inputs; None if its field is not defined."""
        if node.name not in self._footprints:
            self._footprints[node.name] = _footprint_of(node, [self.fields[name] for name in node.inputs])
        return self._footprints[node.name]

    def defined_footprint(self, node: Node) -> Footprint:
        """Return what a node reads of its inputs; raise SpecError if its field is not defined."""
        footprint = self.footprint(node)
        if footprint is None:
            raise SpecError(f"the receptive field is not defined at {node.name}", where=repr(node.layer))
        return footprint

    def seen(self, name: str, unit: Sequence[int]) -> tuple[Interval, ...] | None:
        """Return the first and last position that ``unit`` of node ``name`` sees along each axis of the input.

        ``unit`` has a position for each of the node's `axes`. The answer is None if it sees nothing.
        """
        sets = [union(sets) for sets in zip(*self.boxes_seen(name, unit))]
        return tuple([((s & -s).bit_length() - 1, s.bit_length() - 1) for s in sets]) or None

    def boxes_seen(self, name: str, unit: Sequence[int]) -> list[Box]:
        """Return the boxes of input positions that ``unit`` of node ``name`` sees, along the spatial axes."""
        reached: dict[str, list[Box]] = {name: [tuple([1 << i for i in unit])]}
        for node in reversed(self.graph.nodes):
            if boxes := reached.pop(node.name, None):
                for k, source in enumerate(node.inputs):
                    inner = [box for outer in boxes for box in self._read(node, k, source, outer)]
                    reached[source] = _maximal([*reached.get(source, []), *inner])
        return _maximal([box for name in self.graph.inputs for box in reached.get(name, [])])

    def _read(self, node: Node, k: int, source: str, box: Box) -> Iterator[Box]:
        """Yield the box of the node's k-th input that the units in ``box`` read, unless it is empty along an axis."""
        footprint = self.defined_footprint(node)
        if not self._follows(footprint, k):
            return
        outer = dict(zip(self.axes(node.name), box))
        sets = [self._read_along((k, axis), self.units(source, axis), footprint, outer) for axis in self.axes(source)]
        if all(sets):
            yield tuple(sets)

    def _read_along(self, place: AxisPlace, n: int, footprint: Footprint, outer: Mapping[Slot, int]) -> int:
        """Return the positions on an input axis of size ``n`` that the units at positions ``outer`` read."""
        if place in footprint.whole | footprint.gates:
            return (1 << n) - 1
        return union(
            read_by_one(chain, n, unit)
            for slot, units in outer.items()
            for end, chain in footprint.routes.get(slot, ())
            if end == place
            for unit in bits_of(units)
        )

    def _follows(self, footprint: Footprint, k: int) -> bool:
        """Return whether to look through the k-th input: a gate only if ``through_gates``."""
        return self.through_gates or all(place[0] != k for place in footprint.gates)

    def covers(self, pixel: Sequence[int]) -> dict[str, list[Box]]:
        """Return for each node whose field is defined the boxes of units that see this position of the input."""
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
            reached[node.name] = _maximal(boxes)
        return reached

    def _reach(self, node: Node, footprint: Footprint, k: int, box: Box) -> Iterator[Box]:
        """Yield the box of units that read ``box`` of the node's k-th input, unless it is empty along an axis."""
        source = node.inputs[k]
        inside = dict(zip(self.axes(source), box))
        sets = []
        for slot in self.axes(node.name):
            n = self.units(node.name, slot)
            routes = [(axis, chain) for (i, axis), chain in footprint.routes.get(slot, ()) if i == k]
            if not routes:  # this input does not vary along the axis, so all units along it see it
                sets.append((1 << n) - 1)
                continue
            tables = [(read_by_each(chain, self.units(source, axis), n), inside[axis]) for axis, chain in routes]
            sets.append(union(1 << i for table, bits in tables for i, seen in enumerate(table) if seen & bits))
        if all(sets):
            yield tuple(sets)


def nodes_leading_to(graph: Graph, name: str) -> list[Node]:
    """Return node ``name`` and all nodes that it depends on, in the graph's order."""
    needed = {name}
    for node in reversed(graph.nodes):
        needed.update(node.inputs if node.name in needed else ())
    return [node for node in graph.nodes if node.name in needed]


def _maximal(boxes: list[Box]) -> list[Box]:
    """Return ``boxes`` without those that are inside another; a single box around them if there are too many."""
    kept: list[Box] = []
    for box in sorted(dict.fromkeys(boxes), key=lambda box: -sum(s.bit_count() for s in box)):
        if not any(all(s | t == t for s, t in zip(box, other)) for other in kept):
            kept.append(box)
    return kept if len(kept) <= MOST_BOXES else [tuple(map(union, zip(*kept)))]
