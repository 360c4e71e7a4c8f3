"""One layer's receptive field in full: the facts of `flow` and `sight` that ``convcalc field`` tells.

Tiling is `tiling`, the effective field `paths`; how it looks is the writers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from math import ceil, prod
from typing import NamedTuple

from convcalc.algebra.dims import Dim, Shape
from convcalc.algebra.field import Field, Slot
from convcalc.algebra.intervals import Along, Interval
from convcalc.analysis.flow import Extent, ReceptiveField, propagate, receptive_field
from convcalc.analysis.paths import Profile, profile
from convcalc.analysis.sight import Box, Sight
from convcalc.errors import ConvcalcError, SpecError, UnknownName, did_you_mean
from convcalc.network.graph import Graph, Node

MOST_TRIES = 200
"""So many inputs are tried for one that a unit sees without padding."""


class Level(NamedTuple):
    """A call of a layer in the growth of the field: ``growth`` is what it adds to the size, axis by axis."""

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

    ``layer`` is the name of a call, or of a module, which stands for its last call. Raises UnknownName.

    >>> from convcalc import nn, trace
    >>> focus = Focus(trace(nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)), (1, 1, 32, 32)))
    >>> focus.name, focus.rf.size, focus.centre
    ('1', (4, 4), (Fraction(3, 2), Fraction(3, 2)))
    """

    def __init__(self, graph: Graph, layer: str | None = None, through_gates: bool = False) -> None:
        self.graph = graph
        self.through_gates = through_gates
        self.nodes = {node.name: node for node in graph.nodes}
        found = propagate(graph, [False] * len(graph.nodes)).fields
        self.fields: dict[str, Field | None] = dict(zip(self.nodes, found))
        self.rfs = {name: receptive_field(field, graph, through_gates) for name, field in self.fields.items()}
        self.name = self._last_local() if layer is None else find(graph, layer)
        undefined = [name for name, field in self.fields.items() if field is None]
        self.beyond = undefined[0] if layer is None and undefined and self.rfs.get(graph.outputs[0]) is None else ""
        self.rf = self.rfs[self.name]

    def _last_local(self) -> str:
        names = list(self.nodes)
        if not names:
            raise SpecError("the network calls no layer")
        output = self.graph.outputs[0]
        local = [name for name in names if isinstance(self.rfs[name], Extent)]
        return output if output in local or not local else local[-1]

    @cached_property
    def sight(self) -> Sight:
        """What single units see; needs numbers for all sizes."""
        return Sight(self.graph, self.through_gates)

    @property
    def pixels(self) -> Shape:
        """The input's size along each axis."""
        return self.graph.pixels

    def along(self) -> list[Along]:
        """The field along each axis of the input; raises SpecError where it is not one of intervals."""
        field = self.fields[self.name]
        if not isinstance(self.rf, Extent) or field is None or any(self.rf.along):
            what = "not defined" if self.rf is None else "the whole input"
            raise SpecError(f"the receptive field is {what}", where=self.name, hint="name a layer before it")
        return sorted(field.maps().values(), key=lambda axis: axis.source)

    @property
    def places(self) -> tuple[Slot, ...]:
        """For each axis of the input, where the layer's field runs along it."""
        maps = (self.fields[self.name] or Field(())).maps()
        return tuple(sorted(maps, key=lambda slot: maps[slot].source))

    @property
    def units(self) -> tuple[Dim, ...]:
        """How many units the layer has along each axis of the input."""
        field, shape = self.fields[self.name] or Field(()), self.nodes[self.name].output_shape
        return tuple([field.span(slot, shape) for slot in self.places])

    @property
    def centre(self) -> tuple[Fraction | None, ...]:
        """The middle of what unit 0 sees along each axis, in pixels; the first pixel's middle is 0."""
        seen = [axis.interval(0) for axis in self.along()]
        return tuple([None if ends is None else Fraction(sum(ends), 2) for ends in seen])

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding: how far unit 0 sees beyond the input's first pixel (negative: it begins inside)."""
        return tuple([None if axis.start is None else -axis.start for axis in self.along()])

    def middle(self) -> tuple[int, ...]:
        """The unit in the middle of the map."""
        return tuple([n // 2 for n in self._numbers()])

    def _numbers(self) -> tuple[int, ...]:
        self.sight  # noqa: B018  # refuses letters
        return tuple([n for n in self.units if isinstance(n, int)])

    def check_unit(self, unit: Sequence[int]) -> tuple[int, ...]:
        """``unit``, where the layer has it; raises SpecError."""
        units = self._numbers()
        if len(unit) != len(units):
            raise SpecError(f"takes {len(units)} numbers, received {len(unit)}", where="--unit", hint=self._range())
        if any(not 0 <= i < n for i, n in zip(unit, units)):
            raise SpecError(f"{self.name} has no unit {_told(unit)}", where="--unit", hint=self._range())
        return tuple(unit)

    def _range(self) -> str:
        return f"units of {self.name} go from {_told([0] * len(self.units))} to {_told([n - 1 for n in self.units])}"

    def glimpse(self, unit: Sequence[int]) -> tuple[Glimpse, ...] | None:
        """What ``unit`` sees along each axis; None where it sees nothing."""
        unit = self.check_unit(unit)
        boxes = [axis.interval(i) for axis, i in zip(self.along(), unit)]
        seen = self.sight.seen(self.name, self._in_place(unit))
        if seen is None:
            return None
        sizes = [n for n in self.pixels if isinstance(n, int)]
        return tuple([Glimpse(box or (0, -1), inside, n) for box, inside, n in zip(boxes, seen, sizes)])

    def _in_place(self, unit: Sequence[int]) -> tuple[int, ...]:
        """A unit given by the input's axes as one by the tensor's."""
        by_place = dict(zip(self.places, unit))
        return tuple([by_place[slot] for slot in self.sight.axes(self.name)])

    @property
    def share(self) -> Fraction:
        """The part of the input that the unit in the middle sees: the box around it, inside the input."""
        glimpses = self.glimpse(self.middle()) or ()
        return Fraction(prod(g.inside[1] - g.inside[0] + 1 for g in glimpses), prod(g.pixels for g in glimpses))

    def covering(self, pixel: Sequence[int]) -> list[Box]:
        """The units that see ``pixel``: products of sets of positions along the output's axes, a bit for each."""
        sizes = self.pixels
        if len(pixel) != len(sizes) or any(not 0 <= i < n for i, n in zip(pixel, sizes) if isinstance(n, int)):
            hint = f"the input's pixels go from {_told([0] * len(sizes))} to {_told([n - 1 for n in sizes])}"
            raise SpecError(f"there is no pixel {_told(pixel)}", where="--covers", hint=hint)
        self.along()
        order = [self.sight.axes(self.name).index(slot) for slot in self.places]
        boxes = self.sight.covers(pixel)[self.name]
        return [tuple([box[i] for i in order]) for box in boxes]

    def profiles(self, unit: Sequence[int] | None = None) -> tuple[Profile, ...]:
        """The paths from a unit (the one in the middle, if none is given) along each axis of the input."""
        self.along()
        chosen = self.middle() if unit is None else self.check_unit(unit)
        return tuple([profile(self.sight, self.name, place, i) for place, i in zip(self.places, chosen)])

    def stack(self) -> list[Level]:
        """The calls that the layer hangs on, in order, with how the field grows over their inputs'."""
        needed = {self.name}
        for node in reversed(self.graph.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        levels = []
        for name in [name for name in self.nodes if name in needed]:
            rf, node = self.rfs[name], self.nodes[name]
            levels.append(Level(node, rf, _growth(rf, [self.rfs.get(x, ()) for x in node.inputs])))
        return levels


def _growth(rf: ReceptiveField, before: Sequence[object]) -> tuple[int, ...]:
    """What is added to the largest size; the input itself (an empty tuple here) has size 1."""
    if not isinstance(rf, Extent) or not all(isinstance(x, Extent) or x == () for x in before):
        return ()
    sizes = [x.size if isinstance(x, Extent) else (1,) * len(rf.size) for x in before] or [(1,) * len(rf.size)]
    largest = [max(column) for column in zip(*sizes)]
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


def unpadded(build: Callable[[Shape], Graph], shape: Shape, layer: str) -> tuple[int, ...] | None:
    """The smallest input, axis by axis, at which some unit of ``layer`` sees no padding; None where none was found.

    >>> from convcalc import nn, trace
    >>> unpadded(lambda shape: trace(nn.Conv2d(1, 1, 5, stride=2, padding=2), shape), (1, 1, 9, 9), "")
    (5, 5)
    """
    sizes = [1] * (len(shape) - 2)
    for _ in range(MOST_TRIES):
        try:
            focus = Focus(build((*shape[:2], *sizes)), layer)
            axes, units = focus.along(), focus.units
        except ConvcalcError:  # too small for the network, or of a size that does not fit a skip
            sizes = [n + 1 for n in sizes]
            continue
        needed = [_enough(axis, n, m) for axis, n, m in zip(axes, sizes, units) if isinstance(m, int)]
        if needed == sizes:
            return tuple(sizes)
        if None in needed:
            return None
        sizes = [n for n in needed if n is not None]
    return None


def _enough(axis: Along, pixels: int, units: int) -> int | None:
    """``pixels`` if one of the units sees only these; else more, at which one may. None where none ever does."""
    if axis.jump <= 0:
        return None
    free = range(4 * len(axis.phases) + 4 * ceil(axis.size[1] / axis.jump) + 4)
    held = [(ends[1] + 1, i) for i in free if (ends := axis.interval(i)) and ends[0] >= 0]
    if any(n <= pixels and i < units for n, i in held):
        return pixels
    return max(min(held)[0], pixels + 1) if held else None


def _told(position: Sequence[Dim]) -> str:
    return ",".join(map(str, position))
