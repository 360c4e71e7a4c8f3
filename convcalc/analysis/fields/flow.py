"""What flows along a graph's edges: receptive fields, and depth in weighted layers.

Fields are propagated as intervals that ignore where the map ends; `sight` is exact at borders.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from convcalc.algebra.field import Field, Undefined
from convcalc.algebra.intervals import Interval
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Layer
from convcalc.network.graph import Graph, node_name

_POINTWISE = Layer.field


class Extent(NamedTuple):
    """The extent of what units see along each spatial axis of the input, in its pixels.

    ``size`` is the largest and ``smallest`` the smallest over the phases; ``jump`` is the distance between what
    neighbouring units see; ``start`` is the first pixel that unit 0 sees (negative in the padding). Along an axis that
    every unit sees from end to end, size is the input's and jump is 0. ``phases`` lists first and last pixel for the
    units of one period. Where ``exact`` is false, a unit may see less (``smallest`` is 0), and phases are unknown.
    ``gated`` says of each axis whether units also see it from end to end through a gate, a value stretched over the
    map.
    """

    size: tuple[Dim, ...]
    smallest: tuple[Dim, ...]
    jump: tuple[Fraction, ...]
    start: tuple[int | None, ...]
    phases: tuple[tuple[Interval | None, ...], ...]
    exact: bool = True
    gated: tuple[bool, ...] = ()

    @property
    def uniform(self) -> bool:
        """Whether size, jump and start describe every unit."""
        return self.exact and all(len(phases) == 1 for phases in self.phases)

    @property
    def along(self) -> tuple[bool, ...]:
        """For each axis, whether a unit sees it from end to end."""
        return tuple([phases == (None,) and not jump for jump, phases in zip(self.jump, self.phases)])


ReceptiveField = Extent | str | None
"""An `Extent`; ``"global"`` where a unit sees the whole input; None where it is not defined."""

_Column = tuple[Dim, Dim, Fraction, int | None, tuple[Interval | None, ...]]


class Flow(NamedTuple):
    """The field of each node, in the graph's order, and the depth: weighted layers on the longest path."""

    fields: list[Field | None]
    depth: int


def propagate(graph: Graph, weighted: Sequence[bool] = ()) -> Flow:
    """Propagate fields and depth through ``graph``; ``weighted`` says of each node whether it adds to the depth.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Sequential(nn.Conv1d(1, 1, 3), nn.ReLU()), (1, 1, 9))
    >>> flow = propagate(graph, [True, False])
    >>> flow.depth, receptive_field(flow.fields[1], graph).size
    (1, (3,))
    """
    reached: dict[str, tuple[Field | None, int]] = {
        name: (Field.of_input(len(shape)), 0) for name, shape in graph.inputs.items()
    }
    fields = []
    deepest = 0
    for (path, call, layer, inputs, shapes, output, _, _), deep in zip(graph.nodes, weighted or repeat(False)):
        if len(inputs) == 1:
            field, depth = reached[inputs[0]]
            if field is not None and type(layer).field is not _POINTWISE:
                field = _field(layer.shared, (field,), shapes, output)
        else:
            before = tuple([reached[x][0] for x in inputs])
            if not before:
                field = Field((None,) * len(output))  # a parameter sees nothing of the input
            else:
                field = None if None in before else _field(layer.shared, before, shapes, output)
            depth = max([reached[x][1] for x in inputs], default=0)
        if deep:
            depth += 1
            deepest = max(depth, deepest)
        reached[node_name(path, call) if call else path] = field, depth
        fields.append(field)
    return Flow(fields, deepest)


def field_of(layer: Layer, fields: Sequence[Field], shapes: Sequence[Shape], output: Shape) -> Field | None:
    """Return a layer's field from the fields and shapes of its inputs; None where it is not defined."""
    try:
        return layer.field(fields, shapes, output)
    except Undefined:
        return None


_field = lru_cache(maxsize=4096)(field_of)


def receptive_field(field: Field | None, graph: Graph, through_gates: bool = False) -> ReceptiveField:
    """Return ``field`` by the axes of the graph's input; gates are followed if ``through_gates``, else only marked.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.AdaptiveAvgPool2d(1), (1, 3, 9, 9))
    >>> receptive_field(propagate(graph).fields[0], graph)
    'global'
    """
    pixels = graph.pixels
    if field is None or not pixels:
        return None
    maps = field.maps()
    axes = {along.source: along for along in maps.values()}
    if len(axes) < len(maps):
        return None  # two axes of the map follow the same axis of the input
    gates = frozenset[int]() if through_gates else field.gates
    whole = field.whole | (field.gates - gates)
    seen = {i for i in whole | gates if i in whole or i not in axes} if whole or gates else whole
    if len(seen) == len(pixels):
        return "global"
    if len(seen | axes.keys()) < len(pixels):
        return None
    columns: list[_Column] = []
    exact = True
    for i, n in enumerate(pixels):
        if i and not seen and axes[i][1:] == axes[i - 1][1:]:
            columns.append(columns[-1])  # usually the axes are equal
        elif i in seen:
            columns.append((n, n, Fraction(0), 0, (None,)))
        else:
            axis = axes[i]
            least, most = axis.size
            exact = exact and axis.exact
            columns.append((most, least, axis.jump, axis.start, axis.phases))
    gated = tuple([i not in seen and i in gates for i in range(len(pixels))]) if gates else ()
    size, smallest, jump, start, phases = zip(*columns)
    return Extent(size, smallest, jump, start, phases, exact, gated)
