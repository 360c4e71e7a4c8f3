"""A convolution as the matrix that maps its flattened input to its flattened output; `views` decide how it looks."""

from collections.abc import Iterator
from functools import reduce
from itertools import product
from math import prod
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_count
from convcalc.analysis.fields.positions import inside_borders
from convcalc.errors import SpecError
from convcalc.layers.base import Layer
from convcalc.layers.conv import _Conv
from convcalc.layers.transposed import _ConvTranspose
from convcalc.network.graph import Graph

LIMIT = 10_000  # entries of a matrix; nobody could read more

Integers = tuple[int, ...]


class Matrix(NamedTuple):
    """The matrix of a convolution; ``input`` and ``output`` are shapes without the batch, ``shape`` is the weight's.

    A row is an output, a column an input, both flattened with channels first. An entry lists the positions in the
    flattened ``weight`` whose sum it is; most entries are empty.
    """

    input: Integers
    output: Integers
    shape: Integers
    bias: bool
    entries: tuple[tuple[Integers, ...], ...]

    @property
    def nonzero(self) -> int:
        """The number of entries that are not empty."""
        return sum(bool(entry) for row in self.entries for entry in row)


def matrix_of(graph: Graph) -> Matrix:
    """Return the matrix of a network that is a single convolution, transposed or not, for a single image.

    Raises SpecError for any other network, for letters, and for more than 10,000 entries.

    >>> from convcalc import nn, trace
    >>> matrix_of(trace(nn.Conv1d(1, 1, 3, stride=2, bias=False), (1, 1, 6))).entries[1]
    ((), (), (0,), (1,), (2,), ())
    """
    layers: list[Layer] = [node.layer for node in graph.nodes]
    if len(layers) != 1 or not isinstance(layers[0], _Conv):
        received = ", ".join(map(repr, layers[:3])) + (", ..." if len(layers) > 3 else "")
        raise SpecError(f"takes one convolution; received {received or 'no layer'}", where="matrix")
    layer, node = layers[0], graph.nodes[0]
    if not all(isinstance(n, int) for n in (*node.input_shapes[0], *node.output_shape)):
        raise SpecError("takes numbers, not letters", where="matrix", hint="give an input such as --input 1x6")
    shape: Any = node.input_shapes[0][-layer.rank - 1 :]
    output: Any = node.output_shape[-layer.rank - 1 :]
    rows, columns = prod(output), prod(shape)
    if rows * columns > LIMIT:
        size = f"{rows:,} x {columns:,} = {show_count(rows * columns)}"
        what = f"the matrix has {size} entries; the limit is {LIMIT:,}"
        raise SpecError(what, where=repr(layer), hint="give a smaller --input")
    weight: Any = layer.weights()["weight"]
    entries: list[list[Integers]] = [[()] * columns for _ in range(rows)]
    for place, read, tap in _products(layer, shape, output):
        entries[_flat_index(place, output)][_flat_index(read, shape)] += (_flat_index(tap, weight),)
    return Matrix(shape, output, weight, layer.bias, tuple(map(tuple, entries)))


def _flat_index(index: Integers, shape: Integers) -> int:
    """Return the position of an index in the flattened tensor."""
    return reduce(lambda place, axis: place * axis[1] + axis[0], zip(index, shape), 0)


def _products(layer: Any, shape: Integers, output: Integers) -> Iterator[tuple[Integers, Integers, Integers]]:
    """Yield each product that a convolution adds up, as its indices in the output, the input and the weight."""
    axes = [list(_taps(layer, axis, shape[axis + 1], output[axis + 1])) for axis in range(layer.rank)]
    each_in, each_out = shape[0] // layer.groups, output[0] // layer.groups
    for group, i, o in product(range(layer.groups), range(each_in), range(each_out)):
        a, b = group * each_in + i, group * each_out + o
        channels = (a, o) if isinstance(layer, _ConvTranspose) else (b, i)
        for taps in product(*axes):
            places, reads, ks = zip(*taps)
            yield (b, *places), (a, *reads), (*channels, *ks)


def _taps(layer: Any, axis: int, n: int, size: int) -> Iterator[Integers]:
    """Yield the output, input and kernel position of each product along one axis."""
    k, s, d = layer.kernel_size[axis], layer.stride[axis], layer.dilation[axis]
    before = layer.pads(axis, n)[0]
    transposed = isinstance(layer, _ConvTranspose)
    for i, t in product(range(n if transposed else size), range(k)):
        for j in inside_borders(
            [i * s - before + t * d], *((size, "zeros") if transposed else (n, layer.padding_mode))
        ):
            yield (j, i, t) if transposed else (i, j, t)
