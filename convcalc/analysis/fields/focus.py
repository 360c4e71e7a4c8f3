"""One layer's receptive field in full, as ``convcalc field`` tells it.

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
from convcalc.analysis.fields.sight import Box, Chain, Sight, leading_to, read_by
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.network.graph import Graph, Node


class Level(NamedTuple):
    """A call of a layer, and what it adds to the size of the field, axis by axis."""

    node: Node
    rf: ReceptiveField
    growth: tuple[int, ...]


class Glimpse(NamedTuple):
    """What one unit sees along one axis: ``box`` goes into the padding, ``inside`` is what it reads of the input."""

    box: Interval
    inside: Interval
    pixels: int

    @property
    def padding(self) -> tuple[int, int]:
        """Positions of the box before and after the input."""
        return max(-self.box[0], 0), max(self.box[1] - self.pixels + 1, 0)


class Focus:
    """A layer of a graph, and what its units see; without a layer, the last one whose units do not see everything.

    ``layer`` names a call, or a module, which stands for its last call. Raises UnknownName.

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
        self.name = self._last_local() if layer is None else find(graph, layer)
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
        """What single units see; needs sizes in numbers."""
        return Sight(self.graph, self.through_gates)

    def along(self) -> list[Along]:
        """The field along each axis of the input; raises SpecError where it is not one of intervals."""
        if not isinstance(self.rf, Extent) or any(self.rf.along):
            what = "not defined" if self.rf is None else "the whole input"
            raise SpecError(f"the receptive field is {what}", where=self.name, hint="name a layer before it")
        return [axis for _, axis in self.maps]

    @property
    def places(self) -> tuple[Slot, ...]:
        """Where the layer's field runs along each axis of the input."""
        return tuple([slot for slot, _ in self.maps])

    @property
    def units(self) -> tuple[Dim, ...]:
        """How many units the layer has along each axis of the input."""
        return tuple([self.field.span(slot, self.nodes[self.name].output_shape) for slot in self.places])

    @property
    def centre(self) -> tuple[Fraction | None, ...]:
        """The middle of what unit 0 sees along each axis; the first pixel's middle is 0."""
        seen = [axis.interval(0) for axis in self.along()]
        return tuple([None if ends is None else Fraction(sum(ends), 2) for ends in seen])

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding: how far unit 0 sees beyond the first pixel (negative: it begins inside)."""
        return tuple([None if axis.start is None else -axis.start for axis in self.along()])

    def middle(self) -> tuple[int, ...]:
        return tuple([n // 2 for n in self._numbers()])

    def _numbers(self) -> tuple[int, ...]:
        sight = self.sight  # refuses letters
        return tuple([sight.units(self.name, slot) for slot in self.places])

    def check_unit(self, unit: Sequence[int]) -> tuple[int, ...]:
        """``unit``, where the layer has it; raises SpecError."""
        units = self._numbers()
        hint = f"units of {self.name} {_ends(units)}"
        if len(unit) != len(units):
            raise SpecError(f"takes {len(units)} numbers, received {len(unit)}", where="--unit", hint=hint)
        if any(not 0 <= i < n for i, n in zip(unit, units)):
            raise SpecError(f"{self.name} has no unit {_told(unit)}", where="--unit", hint=hint)
        return tuple(unit)

    def glimpse(self, unit: Sequence[int]) -> tuple[Glimpse, ...] | None:
        """What ``unit`` sees along each axis, if anything."""
        unit = self.check_unit(unit)
        boxes = [axis.interval(i) for axis, i in zip(self.along(), unit)]
        by_place = dict(zip(self.places, unit))
        seen = self.sight.seen(self.name, [by_place[slot] for slot in self.sight.axes(self.name)])
        if seen is None:
            return None
        sizes = [n for n in self.pixels if isinstance(n, int)]
        return tuple([Glimpse(box or (0, -1), inside, n) for box, inside, n in zip(boxes, seen, sizes)])

    @property
    def share(self) -> Fraction:
        """The part of the input that the unit in the middle sees, box by box."""
        glimpses = self.glimpse(self.middle())
        if glimpses is None:
            return Fraction(0)
        return Fraction(prod(g.inside[1] - g.inside[0] + 1 for g in glimpses), prod(g.pixels for g in glimpses))

    def covering(self, pixel: Sequence[int]) -> list[Box]:
        """The units that see ``pixel``: products of sets of positions along the output's axes, a bit for each."""
        sizes = self.pixels
        if len(pixel) != len(sizes) or any(not 0 <= i < n for i, n in zip(pixel, sizes) if isinstance(n, int)):
            hint = f"the input's pixels {_ends(sizes)}"
            raise SpecError(f"there is no pixel {_told(pixel)}", where="--covers", hint=hint)
        self.along()
        order = [self.sight.axes(self.name).index(slot) for slot in self.places]
        return [tuple([box[i] for i in order]) for box in self.sight.covers(pixel)[self.name]]

    def profiles(self, unit: Sequence[int] | None = None) -> tuple["Profile", ...]:
        """The paths from a unit, or the one in the middle, along each axis of the input."""
        self.along()
        chosen = self.middle() if unit is None else self.check_unit(unit)
        return tuple([profile(self.sight, self.name, place, i) for place, i in zip(self.places, chosen)])

    def stack(self) -> list[Level]:
        """The calls that the layer hangs on, in order, with how the field grows over their inputs'."""
        levels = []
        for node in leading_to(self.graph, self.name):
            rf = self.rfs[node.name]
            levels.append(Level(node, rf, _growth(rf, [self.rfs.get(x, ()) for x in node.inputs])))
        return levels


def _growth(rf: ReceptiveField, before: Sequence[object]) -> tuple[int, ...]:
    """What is added to the largest size; the input itself (an empty tuple here) has size 1."""
    if not isinstance(rf, Extent) or not all(isinstance(x, Extent) or x == () for x in before):
        return ()
    ones: tuple[Dim, ...] = (1,) * len(rf.size)
    largest = map(max, zip(*([x.size if isinstance(x, Extent) else ones for x in before] or [ones])))
    return tuple([n - m for n, m in zip(rf.size, largest) if isinstance(n, int) and isinstance(m, int)])


def find(graph: Graph, layer: str) -> str:
    """The node called ``layer``, or the last one in the module of that name; raises UnknownName.

    >>> from convcalc import nn, trace
    >>> find(trace(nn.Sequential(nn.Sequential(nn.ReLU(), nn.Tanh())), (1, 1, 4)), "0")
    '0.1'
    """
    names = [node.name for node in graph.nodes]
    if layer in names:
        return layer
    inside = [name for name in names if name.startswith(layer + ".")]
    if layer in graph.modules and inside:
        return inside[-1]
    hint = did_you_mean(layer, [*names, *graph.modules]) or f"the first is {names[0]}, the last {names[-1]}"
    raise UnknownName(f"no layer is called {layer!r}", hint=hint)


def _told(position: Sequence[Dim]) -> str:
    return ",".join(map(str, position))


def _ends(sizes: Sequence[Dim]) -> str:
    return f"go from {_told([0] * len(sizes))} to {_told([n - 1 for n in sizes])}"


class Profile(NamedTuple):
    """Paths from a unit to each position along one axis of the input: ``paths[i]`` lead to ``start + i``."""

    start: int
    paths: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.paths)

    @property
    def mean(self) -> Fraction:
        return self.start + Fraction(sum([i * n for i, n in enumerate(self.paths)]), self.total)

    @property
    def variance(self) -> Fraction:
        square = Fraction(sum([i * i * n for i, n in enumerate(self.paths)]), self.total)
        return square - (self.mean - self.start) ** 2

    @property
    def deviation(self) -> float:
        """In pixels."""
        return sqrt(self.variance)

    def holding(self, share: Fraction = Fraction(95, 100)) -> tuple[int, int]:
        """First and last position of the shortest stretch, the middle one of these, that holds this share of the paths.

        >>> Profile(-2, (1, 2, 3, 2, 1)).holding(Fraction(3, 4))
        (-1, 1)
        """
        upto = [0, *accumulate(self.paths)]
        ends = [(first, bisect_left(upto, before + share * self.total)) for first, before in enumerate(upto[:-1])]
        ends = [(first, last) for first, last in ends if last < len(upto)]
        least = min(last - first for first, last in ends)
        found = [first for first, last in ends if last - first == least]
        first = self.start + found[(len(found) - 1) // 2]
        return first, first + least - 1


def profile(sight: Sight, name: str, axis: Slot, unit: int) -> Profile:
    """The paths from ``unit`` of node ``name`` along ``axis`` of its field; gates are not followed.

    Raises SpecError where the field is not defined, and where the unit sees the axis from end to end or nothing of it.

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
                what = f"every unit of {name} sees the whole axis, from {node.name} on"
                raise SpecError(what, where=repr(node.layer))
            gates = {k for k, _ in here.gates}
            for (k, a), chain in here.routes[key[1]]:
                if k not in gates:
                    counts.setdefault((node.inputs[k], a), Counter()).update(_led(ends, chain))
    total = sum(counts.values(), Counter[int]())
    if not total:  # between the strides of a transposed convolution
        raise SpecError(f"no path leads from unit {unit} to the input: it sees nothing", where=name)
    first, last = min(total), max(total)
    return Profile(first, tuple([total[i] for i in range(first, last + 1)]))


def _led(ends: Counter[int], chain: Chain) -> Counter[int]:
    """The paths that end at these positions, led on through a layer to the positions that it reads."""
    for taps in reversed(chain):
        further = Counter[int]()
        for position, number in ends.items():
            for read in read_by(taps, position):
                further[read] += number
        ends = further
    return ends
