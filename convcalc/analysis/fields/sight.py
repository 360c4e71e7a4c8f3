"""What units see on a map of a given size, to the pixel: borders cut off what `flow` only bounds there.

Sets of positions along an axis are ints, a bit for each; what a unit sees is a union of *boxes*, products of such sets
over the axes, since branches with unlike kernels see a cross and not a rectangle.
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

Route = tuple[tuple[int, Slot], Chain]
"""Where a layer's output reads along one axis: which input, and where in its field; and the taps on the way."""

MOST_BOXES = 64
"""More are put into one that holds them all."""

MOST_UNITS = 10_000
"""Whether each of more sees a pixel is not asked."""

Box = tuple[int, ...]
"""A set of positions for each axis along which the field moves, in the order of the tensor's axes."""


class Trail(NamedTuple):
    """Stands for the field along an axis of one layer's input, and notes the taps that the layer puts on top."""

    routes: tuple[Route, ...]

    @property
    def source(self) -> Any:
        return self.routes[0][0]

    def through(self, taps: Taps | Reach) -> "Trail":
        return Trail(tuple([(source, (*chain, taps)) for source, chain in self.routes]))

    def joined(self, other: "Trail", units: object) -> "Trail":
        return Trail(tuple(dict.fromkeys(self.routes + other.routes)))


class Step(NamedTuple):
    """What a node reads of each input: ``routes`` for each output axis, whole axes, and inputs read through gates."""

    routes: Mapping[Slot, tuple[Route, ...]]
    whole: frozenset[Any]
    gates: frozenset[Any]


def _step(node: Node, fields: Sequence[Field | None]) -> Step | None:
    trails: list[Any] = []
    for k, field in enumerate(fields):
        if field is None:
            return None
        whole: Any = frozenset({(k, -1)} if field.whole else ())  # what was pooled is a gate once it is stretched
        trails.append(Field(_trailed(field, k).axes, whole))
    if not trails:
        return Step({}, frozenset(), frozenset())
    after: Any = field_of(node.layer, trails, node.input_shapes, node.output_shape)
    return after and Step({slot: trail.routes for slot, trail in after.maps().items()}, after.whole, after.gates)


def _trailed(field: Field, k: int) -> Field:
    """A field with trails from the k-th input in place of its maps."""
    split: dict[int, Any] = {}

    def trail(slot: Slot, part: Any) -> Any:
        new = Trail((((k, slot), ()),))
        return part.seeing(split.setdefault(part.source, new)) if isinstance(part, Part) else new

    return field.each(trail)


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
        self._steps: dict[str, Step | None] = {}

    def axes(self, name: str) -> tuple[Slot, ...]:
        """Where a node's field moves: its tensor axes, windows and places inside them as one."""
        field = self.fields[name]
        return tuple(field.maps()) if field else ()

    def units(self, name: str, slot: Slot) -> int:
        return (self.fields[name] or Field(())).span(slot, self.shapes[name])  # type: ignore[return-value]

    def step(self, node: Node) -> Step | None:
        """What a node reads; None where its field is not defined."""
        if node.name not in self._steps:
            self._steps[node.name] = _step(node, [self.fields[name] for name in node.inputs])
        return self._steps[node.name]

    def sure_step(self, node: Node) -> Step:
        """As `step`; raises SpecError where it is not defined."""
        found = self.step(node)
        if found is None:
            raise SpecError(f"the receptive field is not defined at {node.name}", where=repr(node.layer))
        return found

    def seen(self, name: str, unit: Sequence[int]) -> tuple[Interval, ...] | None:
        """First and last position along each axis of the input that ``unit`` of node ``name`` sees, if any.

        ``unit`` has a place for each axis along which the node's field moves.
        """
        sets = [_union(sets) for sets in zip(*self.boxes_seen(name, unit))]
        return tuple([((s & -s).bit_length() - 1, s.bit_length() - 1) for s in sets]) or None

    def boxes_seen(self, name: str, unit: Sequence[int]) -> list[Box]:
        """What ``unit`` of node ``name`` sees of the input, along its spatial axes."""
        reached: dict[str, list[Box]] = {name: [tuple([1 << i for i in unit])]}
        for node in reversed(self.graph.nodes):
            if boxes := reached.pop(node.name, None):
                for k, source in enumerate(node.inputs):
                    found = [box for outer in boxes for box in self._read(node, k, source, outer)]
                    reached[source] = _without_lesser([*reached.get(source, []), *found])
        return _without_lesser([box for name in self.graph.inputs for box in reached.get(name, [])])

    def _read(self, node: Node, k: int, source: str, box: Box) -> Iterator[Box]:
        """What the units in ``box`` read of the node's k-th input; nothing where they read nothing along an axis."""
        here = self.sure_step(node)
        if not self._follows(here, k):
            return
        sets = []
        for a in self.axes(source):
            n = self.units(source, a)
            sets.append((1 << n) - 1 if (k, a) in here.whole | here.gates else 0)
            for j, bits in zip(self.axes(node.name), box):
                for chain in [chain for way, chain in here.routes.get(j, ()) if way == (k, a)]:
                    sets[-1] |= _union(_read_by_one(chain, n, i) for i in _bits(bits))
        if all(sets):
            yield tuple(sets)

    def _follows(self, here: Step, k: int) -> bool:
        """Whether the k-th input counts: a gate only if asked for."""
        return self.through_gates or all(way[0] != k for way in here.gates)

    def covers(self, pixel: Sequence[int]) -> dict[str, list[Box]]:
        """For each node whose field is defined, the units that see this position of the input."""
        reached: dict[str, list[Box]] = {}
        for name, shape in self.graph.inputs.items():
            reached[name] = [tuple([1 << i for i in pixel])] if len(shape) == len(pixel) + 2 else []
        for node in self.graph.nodes:
            here = self.step(node)
            if here is None or self.fields[node.name] is None:
                continue
            boxes = [
                box
                for k, source in enumerate(node.inputs)
                if self._follows(here, k)
                for inner in reached[source]
                for box in self._reach(node, here, k, source, inner)
            ]
            reached[node.name] = _without_lesser(boxes)
        return reached

    def _reach(self, node: Node, here: Step, k: int, source: str, box: Box) -> Iterator[Box]:
        """The units that read something in ``box`` of the k-th input; none where an axis holds none."""
        inside = dict(zip(self.axes(source), box))
        sets = []
        for j in self.axes(node.name):
            n = self.units(node.name, j)
            ways = [(a, chain) for (i, a), chain in here.routes.get(j, ()) if i == k]
            bits = 0 if ways else (1 << n) - 1  # along an axis that this input does not move along, all see it
            for a, chain in ways:
                table = reads(chain, self.units(source, a), n)
                bits |= sum([1 << i for i, seen in enumerate(table) if seen & inside[a]])
            sets.append(bits)
        if all(sets):
            yield tuple(sets)


@lru_cache(maxsize=1024)
def reads(chain: Chain, n: int, units: int) -> tuple[int, ...]:
    """For each of ``units`` outputs the set of positions that it reads of an axis of ``n``."""
    if units > MOST_UNITS:
        what = f"{units:,} units along an axis are too many to look through: the limit is {MOST_UNITS:,}"
        raise SpecError(what, hint="give a smaller --input")
    return tuple([_read_by_one(chain, n, unit) for unit in range(units)])


def read_through(chain: Chain, unit: int) -> set[int]:
    """The positions that one output reads through several layers, those beyond the borders too."""
    positions = {unit}
    for taps in reversed(chain):
        positions = {i for position in positions for i in read_by(taps, position)}
    return positions


def _read_by_one(chain: Chain, n: int, unit: int) -> int:
    """The set of positions that one output reads of an axis of ``n``."""
    border = getattr(chain[0], "border", "zeros") if chain else "zeros"
    return _union(1 << i for i in folded(read_through(chain, unit), n, border))


def folded(positions: Iterable[int], n: int, border: str) -> Iterator[int]:
    """Positions of an axis of ``n``, those beyond its ends as the border has them.

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
    """The positions that one output reads, those beyond the borders too."""
    if isinstance(taps, Reach):
        return range(ceil(unit * taps.jump + taps.low), floor(unit * taps.jump + taps.high) + 1)
    turn, phase = divmod(unit, len(taps.ranges))
    return [i + turn * taps.advance for i in taps.ranges[phase]]


def _bits(value: int) -> Iterator[int]:
    """The places of the bits that are set; a lone one far up costs one step."""
    while value:
        lowest = value & -value
        yield lowest.bit_length() - 1
        value ^= lowest


def leading_to(graph: Graph, name: str) -> list[Node]:
    """The nodes that node ``name`` hangs on, and itself."""
    needed = {name}
    for node in reversed(graph.nodes):
        needed.update(node.inputs if node.name in needed else ())
    return [node for node in graph.nodes if node.name in needed]


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def _without_lesser(boxes: list[Box]) -> list[Box]:
    """``boxes`` without those that lie within another."""
    kept: list[Box] = []
    for box in sorted(dict.fromkeys(boxes), key=lambda box: -sum(s.bit_count() for s in box)):
        if not any(all(s | t == t for s, t in zip(box, other)) for other in kept):
            kept.append(box)
    return kept if len(kept) <= MOST_BOXES else [tuple(map(_union, zip(*kept)))]
