"""A convolution as a matrix: a fully connected layer most of whose weights are zero and the rest shared.

Row by row the outputs, column by column the inputs, channels first, then positions in order. How a matrix looks is the
writers' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.errors import SpecError
from convcalc.layers.base import Layer
from convcalc.layers.conv import _Conv
from convcalc.layers.transposed import _ConvTranspose
from convcalc.network.graph import Graph

LIMIT = 10_000  # entries; more cannot be read

Sizes = tuple[int, ...]


class Matrix(NamedTuple):
    """The matrix of a convolution between an input and an output, given without the batch.

    An entry holds the places of the weights that add up there in the flattened ``weight``, and is mostly empty;
    ``shape`` is that of ``weight``. Each output channel has a bias if ``bias``.
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
    layer, shape, output = _only_convolution(graph)
    rows, columns = prod(output), prod(shape)
    if rows * columns > LIMIT:
        what = f"the matrix has {rows:,} x {columns:,} = {show_count(rows * columns)} entries; {LIMIT:,} is the most"
        raise SpecError(what, where=repr(layer), hint="give a smaller --input")
    entries: list[list[tuple[int, ...]]] = [[()] * columns for _ in range(rows)]
    for row, column, weight in _links(layer, shape, output):
        entries[row][column] += (weight,)
    weights = layer.weights()["weight"]
    return Matrix(shape, output, weights, layer.bias, tuple(map(tuple, entries)))  # type: ignore[arg-type]


def _only_convolution(graph: Graph) -> tuple[_Conv, Sizes, Sizes]:
    """The one layer of a graph with its input and output, without the batch."""
    layers: list[Layer] = [node.layer for node in graph.nodes]
    if len(layers) != 1 or not isinstance(layers[0], _Conv):
        received = ", ".join(map(repr, layers[:3])) + (", ..." if len(layers) > 3 else "")
        raise SpecError(f"takes one convolution; received {received or 'no layer'}", where="matrix")
    node = graph.nodes[0]
    if not all(isinstance(n, int) for n in (*node.input_shapes[0], *node.output_shape)):
        raise SpecError("takes numbers, no letters", where="matrix", hint="give an input such as --input 1x6")
    rank = layers[0].rank + 1
    return layers[0], node.input_shapes[0][-rank:], node.output_shape[-rank:]  # type: ignore[return-value]


def _links(layer: _Conv, shape: Sizes, output: Sizes) -> Iterator[tuple[int, int, int]]:
    """Row, column and weight of all that a convolution adds up."""
    transposed = isinstance(layer, _ConvTranspose)
    axes = [list(_taps(layer, axis, shape[axis + 1], output[axis + 1])) for axis in range(layer.rank)]
    c_in, c_out, groups = shape[0], output[0], layer.groups
    each_in, each_out = c_in // groups, c_out // groups
    kernel = layer.kernel_size
    for group, i, o in product(range(groups), range(each_in), range(each_out)):
        a, b = group * each_in + i, group * each_out + o
        channel = a * each_out + o if transposed else b * each_in + i
        for taps in product(*axes):
            places, reads, ks = zip(*taps)
            yield _place((b, *places), output), _place((a, *reads), shape), _place((channel, *ks), (1, *kernel))


def _place(index: tuple[int, ...], shape: Sizes) -> int:
    """The place of an index in the flattened tensor; the first size does not matter."""
    place = index[0]
    for i, n in zip(index[1:], shape[1:]):
        place = place * n + i
    return place


def _taps(layer: _Conv, axis: int, n: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Output, input and kernel position of each product along one axis."""
    k, s, d = layer.kernel_size[axis], layer.stride[axis], layer.dilation[axis]
    before = layer.pads(axis, n)[0]
    assert isinstance(before, int)
    if isinstance(layer, _ConvTranspose):
        for i, t in product(range(n), range(k)):
            place = i * s - before + t * d
            if 0 <= place < size:
                yield place, i, t
        return
    for place, t in product(range(size), range(k)):
        read = _inside(place * s - before + t * d, n, layer.padding_mode)
        if read is not None:
            yield place, read, t


def _inside(i: int, n: int, mode: str) -> int | None:
    """The input position that padding puts at ``i``; None for a zero.

    >>> [_inside(-2, 5, mode) for mode in ("zeros", "reflect", "replicate", "circular")]
    [None, 2, 0, 3]
    """
    if 0 <= i < n:
        return i
    if mode == "zeros":
        return None
    if mode == "circular":
        return i % n
    if mode == "replicate":
        return min(max(i, 0), n - 1)
    return -i if i < 0 else 2 * (n - 1) - i
