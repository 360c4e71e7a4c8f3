"""One layer's receptive field in detail, as ``convcalc field`` reports it.

The effective field is that of Luo, Li, Urtasun and Zemel (*Understanding the Effective Receptive Field in Deep
Convolutional Neural Networks*, 2016): with uniform weights the influence of a pixel is the number of paths to it. Paths
are counted exactly, as if the map had no borders.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import prod, sqrt
from typing import NamedTuple

from convcalc.algebra.field import Field, Slot
from convcalc.algebra.intervals import Along, Interval
from convcalc.algebra.types import Dim
from convcalc.analysis.fields.flow import Extent, ReceptiveField, propagate, receptive_field
from convcalc.analysis.fields.positions import Chain, read_by
from convcalc.analysis.fields.sight import Box, Sight, nodes_leading_to
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.network.graph import Graph, Node


class Level(NamedTuple):
    """A call of a layer, and how much it adds to the size of the field along each axis."""

    node: Node
    rf: ReceptiveField
    growth: tuple[int, ...]


class Glimpse(NamedTuple):
    """What a unit sees along one axis of ``pixels``: ``box`` includes the padding, ``inside`` is only the input.

    Both are the first and the last position.
    """

    box: Interval
    inside: Interval
    pixels: int

    @property
    def padding(self) -> tuple[int, int]:
        """How many positions of the box are before the input, and how many after it."""
        return max(-self.box[0], 0), max(self.box[1] - self.pixels + 1, 0)


class Focus:
    """A layer of a graph and what its units see; by default the last layer whose units do not see the whole input.

    ``layer`` names a call, or a module, which means the last call in it. Where the layer is chosen by default and a
    later field is not defined, ``beyond`` names the first such call. Raises UnknownName for a name that does not exist.

    >>> from convcalc import nn, trace
    >>> focus = Focus(trace(nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)), (1, 1, 32, 32)))
    >>> focus.name, focus.rf.size, focus.centre
    ('1', (4, 4), (Fraction(3, 2), Fraction(3, 2)))
    """

    def __init__(self, graph: Graph, layer: str | None = None, through_gates: bool = False) -> None:
        self.graph = graph
        self.through_gates = through_gates
        self.nodes = {node.name: node for node in graph.nodes}
        fields = dict(zip(self.nodes, propagate(graph).fields))
        self.rfs = {name: receptive_field(field, graph, through_gates) for name, field in fields.items()}
        self.name = self._last_local() if layer is None else resolve_layer(graph, layer)
        undefined = [name for name, field in fields.items() if field is None]
        self.beyond = undefined[0] if layer is None and undefined and self.rfs.get(graph.outputs[0]) is None else ""
        self.rf = self.rfs[self.name]
        self.field = fields[self.name] or Field(())
        self.pixels = graph.pixels
        self.maps = sorted(self.field.maps().items(), key=lambda place: place[1].source)

    def _last_local(self) -> str:
        if not self.nodes:
            raise SpecError("the network calls no layer")
        output = self.graph.outputs[0]
        local = [name for name, rf in self.rfs.items() if isinstance(rf, Extent)]
        return output if output in local or not local else local[-1]

    @cached_property
    def sight(self) -> Sight:
        """What single units see; raises SpecError unless all sizes are numbers."""
        return Sight(self.graph, self.through_gates)

    def along(self) -> list[Along]:
        """Return the field along each axis of the input; raise SpecError if it is undefined or covers a whole axis."""
        if not isinstance(self.rf, Extent) or any(self.rf.along):
            what = "not defined" if self.rf is None else "the whole input"
            raise SpecError(f"the receptive field is {what}", where=self.name, hint="name a layer before it")
        return [axis for _, axis in self.maps]

    @property
    def places(self) -> tuple[Slot, ...]:
        """The slot of the layer's field that follows each axis of the input."""
        return tuple([slot for slot, _ in self.maps])

    @property
    def units(self) -> tuple[Dim, ...]:
        """The number of units of the layer along each axis of the input."""
        return tuple([self.field.span(slot, self.nodes[self.name].output_shape) for slot in self.places])

    @property
    def centre(self) -> tuple[Fraction | None, ...]:
        """The middle of what unit 0 sees along each axis, in pixels; pixel 0 has its middle at 0."""
        intervals = [axis.interval(0) for axis in self.along()]
        return tuple([None if ends is None else Fraction(sum(ends), 2) for ends in intervals])

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding: how far unit 0 sees before the first pixel (negative if it begins after it)."""
        return tuple([None if axis.start is None else -axis.start for axis in self.along()])

    def middle(self) -> tuple[int, ...]:
        """Return the unit in the middle of the layer's output."""
        return tuple([n // 2 for n in self._numbers()])

    def _numbers(self) -> tuple[int, ...]:
        sight = self.sight  # which refuses letters
        return tuple([sight.units(self.name, slot) for slot in self.places])

    def check_unit(self, unit: Sequence[int]) -> tuple[int, ...]:
        """Return ``unit`` as a tuple; raise SpecError if the layer has no such unit."""
        units = self._numbers()
        hint = f"units of {self.name or 'the layer'} {_ends(units)}"
        if len(unit) != len(units):
            raise SpecError(f"takes {len(units)} numbers, received {len(unit)}", where="--unit", hint=hint)
        if any(not 0 <= i < n for i, n in zip(unit, units)):
            what = f"{self.name or 'the layer'} has no unit {_show_position(unit)}"
            raise SpecError(what, where="--unit", hint=hint)
        return tuple(unit)

    def glimpse(self, unit: Sequence[int]) -> tuple[Glimpse, ...] | None:
        """Return what ``unit`` sees along each axis; None if it sees nothing of the input."""
        unit = self.check_unit(unit)
        boxes = [axis.interval(i) for axis, i in zip(self.along(), unit)]
        by_place = dict(zip(self.places, unit))
        intervals = self.sight.seen(self.name, [by_place[slot] for slot in self.sight.axes(self.name)])
        if intervals is None:
            return None
        sizes = [n for n in self.pixels if isinstance(n, int)]
        return tuple([Glimpse(box or (0, -1), inside, n) for box, inside, n in zip(boxes, intervals, sizes)])

    @property
    def share(self) -> Fraction:
        """The share of the input in the box around what the unit in the middle sees."""
        glimpses = self.glimpse(self.middle())
        if glimpses is None:
            return Fraction(0)
        return Fraction(prod(g.inside[1] - g.inside[0] + 1 for g in glimpses), prod(g.pixels for g in glimpses))

    def covering(self, pixel: Sequence[int]) -> list[Box]:
        """Return the units that see ``pixel`` as boxes: a set of positions, a bit for each, along each axis.

        Raises SpecError for a pixel that does not exist.
        """
        sizes = self.pixels
        if len(pixel) != len(sizes) or any(not 0 <= i < n for i, n in zip(pixel, sizes) if isinstance(n, int)):
            hint = f"the input's pixels {_ends(sizes)}"
            raise SpecError(f"there is no pixel {_show_position(pixel)}", where="--covers", hint=hint)
        self.along()
        order = [self.sight.axes(self.name).index(slot) for slot in self.places]
        return [tuple([box[i] for i in order]) for box in self.sight.covers(pixel)[self.name]]

    def profiles(self, unit: Sequence[int] | None = None) -> tuple["Profile", ...]:
        """Return the paths from a unit, by default the one in the middle, along each axis of the input."""
        self.along()
        chosen = self.middle() if unit is None else self.check_unit(unit)
        return tuple([profile(self.sight, self.name, place, i) for place, i in zip(self.places, chosen)])

    def stack(self) -> list[Level]:
        """Return the calls that the layer depends on, in order, and how much each adds to the field of its inputs."""
        levels = []
        for node in nodes_leading_to(self.graph, self.name):
            rf = self.rfs[node.name]
            levels.append(Level(node, rf, _growth(rf, [self.rfs.get(x, ()) for x in node.inputs])))
        return levels


def _growth(rf: ReceptiveField, before: Sequence[object]) -> tuple[int, ...]:
    """Return what a call adds to the largest field ``before`` it; the graph's input, here ``()``, has size 1."""
    if not isinstance(rf, Extent) or not all(isinstance(x, Extent) or x == () for x in before):
        return ()
    ones: tuple[Dim, ...] = (1,) * len(rf.size)
    largest = map(max, zip(*([x.size if isinstance(x, Extent) else ones for x in before] or [ones])))
    return tuple([n - m for n, m in zip(rf.size, largest) if isinstance(n, int) and isinstance(m, int)])


def resolve_layer(graph: Graph, layer: str) -> str:
    """Return the name of the node called ``layer``, or of the last node in the module of that name.

    Raises UnknownName where there is neither.

    >>> from convcalc import nn, trace
    >>> resolve_layer(trace(nn.Sequential(nn.Sequential(nn.ReLU(), nn.Tanh())), (1, 1, 4)), "0")
    '0.1'
    """
    names = [node.name for node in graph.nodes]
    if layer in names:
        return layer
    inside = [name for name in names if name.startswith(layer + ".")]
    if layer in graph.modules and inside:
        return inside[-1]
    hint = did_you_mean(layer, [*names, *graph.modules]) or f"the first is {names[0]}, the last {names[-1]}"
    raise UnknownName(f"there is no layer called {layer!r}", hint=hint)


def _show_position(position: Sequence[Dim]) -> str:
    return ",".join(map(str, position))


def _ends(sizes: Sequence[Dim]) -> str:
    return f"go from {_show_position([0] * len(sizes))} to {_show_position([n - 1 for n in sizes])}"


class Profile(NamedTuple):
    """The paths from a unit to each position along one axis of the input: ``paths[i]`` paths lead to ``start + i``."""

    start: int
    paths: tuple[int, ...]

    @property
    def total(self) -> int:
        """The number of paths."""
        return sum(self.paths)

    @property
    def mean(self) -> Fraction:
        """The mean position at which paths end."""
        return self.start + Fraction(sum([i * n for i, n in enumerate(self.paths)]), self.total)

    @property
    def variance(self) -> Fraction:
        """The variance of the positions, in pixels squared."""
        square = Fraction(sum([i * i * n for i, n in enumerate(self.paths)]), self.total)
        return square - (self.mean - self.start) ** 2

    @property
    def deviation(self) -> float:
        """The standard deviation of the positions, in pixels."""
        return sqrt(self.variance)

    def holding(self, share: Fraction = Fraction(95, 100)) -> tuple[int, int]:
        """Return the first and last position of the shortest interval that contains this share of the paths.

        Of several such intervals it is the middle one.

        >>> Profile(-2, (1, 2, 3, 2, 1)).holding(Fraction(3, 4))
        (-1, 1)
        """
        upto = [0, *accumulate(self.paths)]
        ends = [(first, bisect_left(upto, before + share * self.total)) for first, before in enumerate(upto[:-1])]
        ends = [(first, last) for first, last in ends if last < len(upto)]
        least = min(last - first for first, last in ends)
        firsts = [first for first, last in ends if last - first == least]
        first = self.start + firsts[(len(firsts) - 1) // 2]
        return first, first + least - 1


def profile(sight: Sight, name: str, axis: Slot, unit: int) -> Profile:
    """Return the paths from ``unit`` of node ``name`` along ``axis`` of its field; gates are not followed.

    Raises SpecError if the field is not defined, and if the unit sees the whole axis or nothing of it.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 3, padding=1)), (1, 1, 9))
    >>> profile(Sight(graph), "1", 2, 4)
    Profile(start=2, paths=(1, 2, 3, 2, 1))
    """
    counts: dict[tuple[str, Slot], Counter[int]] = {(name, axis): Counter([unit])}
    for node in reversed(sight.graph.nodes):
        for key in [key for key in counts if key[0] == node.name]:
            ends, here = counts.pop(key), sight.defined_footprint(node)
            if not here.routes.get(key[1]):
                what = f"every unit of {name} sees the whole axis through {node.name}"
                raise SpecError(what, where=repr(node.layer))
            gates = {k for k, _ in here.gates}
            for (k, a), chain in here.routes[key[1]]:
                if k not in gates:
                    counts.setdefault((node.inputs[k], a), Counter()).update(_extend_paths(ends, chain))
    total = sum(counts.values(), Counter[int]())
    if not total:  # it is between the strides of a transposed convolution
        raise SpecError(f"no path leads from unit {unit} to the input: it sees nothing", where=name)
    first, last = min(total), max(total)
    return Profile(first, tuple([total[i] for i in range(first, last + 1)]))


def _extend_paths(ends: Counter[int], chain: Chain) -> Counter[int]:
    """Return the number of paths by their end, after those that end at ``ends`` go through one more layer."""
    for taps in reversed(chain):
        further = Counter[int]()
        for position, number in ends.items():
            for read in read_by(taps, position):
                further[read] += number
        ends = further
    return ends
