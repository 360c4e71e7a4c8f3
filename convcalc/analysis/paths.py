"""How outputs hang on inputs: the paths from a unit to the pixels it sees, and a convolution as a matrix.

Luo, Li, Urtasun and Zemel (*Understanding the Effective Receptive Field in Deep Convolutional Neural Networks*, 2016)
show that with uniform weights the influence of a pixel is the number of paths to it, which piles up in the middle. Here
paths are counted exactly, as if the map had no borders.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import accumulate, product
from math import prod, sqrt
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.algebra.field import Slot
from convcalc.analysis.sight import Sight, folded, read_by
from convcalc.errors import SpecError
from convcalc.layers.base import Layer
from convcalc.layers.conv import _Conv
from convcalc.layers.transposed import _ConvTranspose
from convcalc.network.graph import Graph

LIMIT = 10_000  # entries of a matrix; more cannot be read

Sizes = tuple[int, ...]


class Profile(NamedTuple):
    """Paths from a unit to each position along one axis of the input: ``paths[i]`` lead to position ``start + i``."""

    start: int
    paths: tuple[int, ...]

    @property
    def total(self) -> int:
        """All paths."""
        return sum(self.paths)

    @property
    def mean(self) -> Fraction:
        """The position where the paths end on average."""
        return self.start + Fraction(sum([i * n for i, n in enumerate(self.paths)]), self.total)

    @property
    def variance(self) -> Fraction:
        """The mean square distance from `mean`, in pixels squared."""
        square = Fraction(sum([i * i * n for i, n in enumerate(self.paths)]), self.total)
        return square - (self.mean - self.start) ** 2

    @property
    def deviation(self) -> float:
        """The standard deviation, in pixels."""
        return sqrt(self.variance)

    def holding(self, share: Fraction = Fraction(95, 100)) -> tuple[int, int]:
        """First and last position of the shortest stretch that holds this share of the paths, the middle one of these.

        >>> Profile(-2, (1, 2, 3, 2, 1)).holding(Fraction(3, 4))
        (-1, 1)
        """
        upto = [0, *accumulate(self.paths)]
        ends = [(first, bisect_left(upto, before + share * self.total)) for first, before in enumerate(upto[:-1])]
        least = min(last - first for first, last in ends if last < len(upto))
        found = [(first, last) for first, last in ends if last < len(upto) and last - first == least]
        first, last = found[(len(found) - 1) // 2]
        return self.start + first, self.start + last - 1


def profile(sight: Sight, name: str, axis: Slot, unit: int) -> Profile:
    """The paths from ``unit`` of node ``name`` along ``axis`` of its field; gates are not followed.

    Raises SpecError where the field is not defined or the unit sees the axis from end to end.

    >>> from convcalc import nn, trace
    >>> graph = trace(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 3, padding=1)), (1, 1, 9))
    >>> profile(Sight(graph), "1", 2, 4)
    Profile(start=2, paths=(1, 2, 3, 2, 1))
    """
    counts: dict[tuple[str, Slot], Counter[int]] = {(name, axis): Counter([unit])}
    for node in reversed(sight.graph.nodes):
        reached = [(key, counts.pop(key)) for key in [key for key in counts if key[0] == node.name]]
        if not reached:
            continue
        here = sight.step(node)
        if here is None:
            raise SpecError(f"the receptive field is not defined at {node.name}", where=repr(node.layer))
        gates = {k for k, _ in here.gates}
        for (_, j), ends in reached:
            if not here.routes.get(j):
                what = f"every unit of {name} sees the whole axis, from {node.name} on"
                raise SpecError(what, where=repr(node.layer))
            for (k, a), chain in here.routes[j]:
                if k not in gates:
                    into = counts.setdefault((node.inputs[k], a), Counter())
                    into.update(_led(ends, chain))
    total = sum(counts.values(), Counter[int]()) or Counter({0: 0})
    first, last = min(total), max(total)
    return Profile(first, tuple([total[i] for i in range(first, last + 1)]))


def _led(ends: Mapping[int, int], chain: Any) -> Mapping[int, int]:
    """The paths that end at these positions, led through a layer, on to the positions that it reads."""
    for taps in reversed(chain):
        further: Counter[int] = Counter()
        for position, number in ends.items():
            for read in read_by(taps, position):
                further[read] += number
        ends = further
    return ends


class Matrix(NamedTuple):
    """The matrix of a convolution between an input and an output, given without the batch.

    Row by row the outputs, column by column the inputs, channels first, then positions in order. An entry holds the
    places of the weights that add up there in the flattened ``weight``, and is mostly empty; ``shape`` is that of
    ``weight``. Each output channel has a bias if ``bias``.
    """

    input: Sizes
    output: Sizes
    shape: Sizes
    bias: bool
    entries: tuple[tuple[tuple[int, ...], ...], ...]

    @property
    def nonzero(self) -> int:
        """How many entries are not zero."""
        return sum(bool(entry) for row in self.entries for entry in row)


def matrix(graph: Graph) -> Matrix:
    """The matrix of a network that is one convolution, transposed or not, on one image.

    Raises SpecError for anything else, for letters, and for more than 10,000 entries.

    >>> from convcalc import nn, trace
    >>> matrix(trace(nn.Conv1d(1, 1, 3, stride=2, bias=False), (1, 1, 6))).entries[1]
    ((), (), (0,), (1,), (2,), ())
    """
    layers: list[Layer] = [node.layer for node in graph.nodes]
    if len(layers) != 1 or not isinstance(layers[0], _Conv):
        received = ", ".join(map(repr, layers[:3])) + (", ..." if len(layers) > 3 else "")
        raise SpecError(f"takes one convolution; received {received or 'no layer'}", where="matrix")
    layer, node = layers[0], graph.nodes[0]
    shape: Any = node.input_shapes[0][-layer.rank - 1 :]
    output: Any = node.output_shape[-layer.rank - 1 :]
    if not all(isinstance(n, int) for n in (*node.input_shapes[0], *node.output_shape)):
        raise SpecError("takes numbers, no letters", where="matrix", hint="give an input such as --input 1x6")
    rows, columns = prod(output), prod(shape)
    if rows * columns > LIMIT:
        what = f"the matrix has {rows:,} x {columns:,} = {show_count(rows * columns)} entries; {LIMIT:,} is the most"
        raise SpecError(what, where=repr(layer), hint="give a smaller --input")
    entries: list[list[tuple[int, ...]]] = [[()] * columns for _ in range(rows)]
    for row, column, weight in _links(layer, shape, output):
        entries[row][column] += (weight,)
    weights: Any = layer.weights()["weight"]
    return Matrix(shape, output, weights, layer.bias, tuple(map(tuple, entries)))


def _links(layer: Any, shape: Sizes, output: Sizes) -> Iterator[tuple[int, int, int]]:
    """Row, column and weight of all that a convolution adds up."""
    transposed = isinstance(layer, _ConvTranspose)
    axes = [list(_taps(layer, axis, shape[axis + 1], output[axis + 1])) for axis in range(layer.rank)]
    each_in, each_out = shape[0] // layer.groups, output[0] // layer.groups
    for group, i, o in product(range(layer.groups), range(each_in), range(each_out)):
        a, b = group * each_in + i, group * each_out + o
        channel = a * each_out + o if transposed else b * each_in + i
        for taps in product(*axes):
            places, reads, ks = zip(*taps)
            yield (
                _place((b, *places), output),
                _place((a, *reads), shape),
                _place((channel, *ks), (1, *layer.kernel_size)),
            )


def _place(index: Sizes, shape: Sizes) -> int:
    """The place of an index in the flattened tensor; the first size does not matter."""
    place = index[0]
    for i, n in zip(index[1:], shape[1:]):
        place = place * n + i
    return place


def _taps(layer: Any, axis: int, n: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Output, input and kernel position of each product along one axis."""
    k, s, d = layer.kernel_size[axis], layer.stride[axis], layer.dilation[axis]
    before = layer.pads(axis, n)[0]
    transposed = isinstance(layer, _ConvTranspose)
    for i, t in product(range(n if transposed else size), range(k)):
        for j in folded([i * s - before + t * d], *((size, "zeros") if transposed else (n, layer.padding_mode))):
            yield (j, i, t) if transposed else (i, j, t)
