"""The symbolic tensor: a shape and the name of the node that made it, with torch's operators and methods.

Each operator or method records a layer of `convcalc.layers`, which states what is computed. Parameters and buffers,
which have the same operators and methods, are in `network.parameter`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

from convcalc.algebra.dims import as_dim, at_least, ceildiv, equal, prod, show, show_shape
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.activation import ReLU, Sigmoid, Tanh
from convcalc.layers.axes import Expand, Permute, Roll, Squeeze, Transpose, Unsqueeze
from convcalc.layers.base import Layer, record
from convcalc.layers.linear import MatMul
from convcalc.layers.merging import Add, Cat, Div, Mul, Stack, Sub
from convcalc.layers.shaping import Flatten, Mean, Reshape, Sum, Unflatten, axis_of
from convcalc.layers.slicing import Slice
from convcalc.layers.softmax import Softmax
from convcalc.network.graph import Via


class Operand:
    """Something with a shape that can be recorded, with torch's operators and methods."""

    __slots__ = ()
    shape: Shape

    def __add__(self, other: Any) -> Tensor:
        return _pointwise(Add, self, other)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Tensor:
        return _pointwise(Mul, self, other)

    __rmul__ = __mul__

    def __sub__(self, other: Any) -> Tensor:
        return _pointwise(Sub, self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return _pointwise(Sub, self, other, reversed=True)

    def __truediv__(self, other: Any) -> Tensor:
        return _pointwise(Div, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _pointwise(Div, self, other, reversed=True)

    def __neg__(self) -> Tensor:
        return _pointwise(Mul, self, -1)

    def __matmul__(self, other: Any) -> Tensor:
        return _tensor(MatMul(), "operator", self, other)

    def __getitem__(self, index: Any) -> Tensor:
        return _tensor(Slice(index), "operator", self)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape or not isinstance(self.shape[0], int):
            raise SpecError("can be iterated over only if the size of its first axis is a number", where=repr(self))
        return iter([self[i] for i in range(self.shape[0])])

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    def dim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @overload
    def size(self) -> Shape: ...
    @overload
    def size(self, dim: int) -> Dim: ...
    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one axis."""
        return self.shape if dim is None else self.shape[axis_of(dim, len(self.shape))]

    def numel(self) -> Dim:
        """Return the number of elements."""
        return prod(self.shape)

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape, of which one size may be -1."""
        return _tensor(Reshape(listed(shape)), "method", self)

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Merge the axes from ``start_dim`` to ``end_dim`` into one."""
        return _tensor(Flatten(start_dim, end_dim), "method", self)

    def unflatten(self, dim: int, sizes: Sequence[Dim]) -> Tensor:
        """Split one axis into several, of which one may be -1."""
        return _tensor(Unflatten(dim, sizes), "method", self)

    def permute(self, *dims: Any) -> Tensor:
        """Return the axes in another order."""
        return _tensor(Permute(listed(dims)), "method", self)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two axes."""
        return _tensor(Transpose(dim0, dim1), "method", self)

    def squeeze(self, dim: Any = None) -> Tensor:
        """Drop the axes of size 1, or those among ``dim``."""
        return _tensor(Squeeze(dim), "method", self)

    def unsqueeze(self, dim: int) -> Tensor:
        """Add an axis of size 1 before axis ``dim``."""
        return _tensor(Unsqueeze(dim), "method", self)

    def expand(self, *sizes: Any) -> Tensor:
        """Stretch axes of size 1; -1 keeps a size."""
        return _tensor(Expand(listed(sizes)), "method", self)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """Shift elements along axes, the last ones wrapping around."""
        return _tensor(Roll(shifts, dims), "method", self)

    def mean(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Return the mean over the axes ``dim``, or over all."""
        return _tensor(Mean(dim, keepdim), "method", self)

    def sum(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        """Return the sum over the axes ``dim``, or over all."""
        return _tensor(Sum(dim, keepdim), "method", self)

    def contiguous(self) -> Any:
        """Return the tensor itself, since it has no values in memory."""
        return self

    clone = detach = contiguous

    def relu(self) -> Tensor:
        """Apply `ReLU` to each element."""
        return _tensor(ReLU(), "method", self)

    def sigmoid(self) -> Tensor:
        """Apply `Sigmoid` to each element."""
        return _tensor(Sigmoid(), "method", self)

    def tanh(self) -> Tensor:
        """Apply `Tanh` to each element."""
        return _tensor(Tanh(), "method", self)

    def softmax(self, dim: int) -> Tensor:
        """Apply `Softmax` along one axis."""
        return _tensor(Softmax(dim), "method", self)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Return at most ``chunks`` parts of equal size (the last may be smaller) along an axis."""
        if type(chunks) is not int or chunks < 1:
            raise SpecError(f"chunk: chunks must be an integer of at least 1; received {chunks}")
        n = self.size(dim)
        size = as_dim(ceildiv(n, chunks))
        parts = -(-n // size) if isinstance(n, int) and isinstance(size, int) else chunks
        return _parts(self, dim, [size * i for i in range(parts)] + [n])

    def split(self, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Return parts of one size (the last may be smaller), or of these sizes, along an axis."""
        n, size = self.size(dim), split_size_or_sections
        if isinstance(size, (tuple, list)):
            ends = [sum(size[:i]) for i in range(len(size) + 1)]
            if equal(as_dim(ends[-1]), n) is False:
                raise ShapeError(f"split: {tuple(size)} do not add up to the {show(n)} of {show_shape(self.shape)}")
            return _parts(self, dim, ends)
        if at_least(as_dim(size, "split_size"), 1) is False:
            raise SpecError(f"split: split_size must be at least 1; received {show(size)}")
        parts = as_dim(ceildiv(n, size))
        if not isinstance(parts, int):
            what = f"split: the number of parts must be an integer; received {show(parts)}"
            raise SpecError(what, hint="give the size of each part")
        return _parts(self, dim, [size * i for i in range(parts)] + [n])


class Tensor(Operand):
    """A tensor that has a shape but no values.

    >>> from convcalc import nn, trace
    >>> trace(lambda x: x + x, (1, 3, 8, 8)).nodes[0].layer
    Add()
    """

    __slots__ = ("name", "shape")

    def __init__(self, shape: Shape, name: str) -> None:
        self.shape = shape
        self.name = name

    def __repr__(self) -> str:
        return f"Tensor({self.name}: {show_shape(self.shape)})"


_OPERATORS = frozenset({Add, Mul, Sub, Div, MatMul, Slice})
_METHODS = frozenset({Reshape, Permute, Transpose, Squeeze, Unsqueeze, Expand, Roll, Mean, Sum})
_METHODS_AND_MODULES = frozenset({Flatten, Unflatten, ReLU, Sigmoid, Tanh, Softmax})
_FUNCTIONS = frozenset({Cat, Stack})


def usual_via(kind: type[Layer]) -> Via:
    """Return how a call of a kind is usually written where no module holds it, for files that do not say it.

    >>> usual_via(Add), usual_via(Flatten), usual_via(Cat)
    ('operator', 'method', 'function')
    """
    if kind in _OPERATORS:
        return "operator"
    return "method" if kind in _METHODS or kind in _METHODS_AND_MODULES else "function"


def is_unheld(kind: type[Layer]) -> bool:
    """Return whether torch.nn has no module for a kind, only an operator, a method or a function."""
    return kind in _OPERATORS or kind in _METHODS or kind in _FUNCTIONS


def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Concatenate tensors along axis ``dim``, as `torch.cat`."""
    return _tensor(Cat(dim), "function", *_several(tensors))


def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Stack tensors of equal shape along a new axis ``dim``, as `torch.stack`."""
    return _tensor(Stack(dim), "function", *_several(tensors))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the axes from ``start_dim`` to ``end_dim`` into one, as `torch.flatten`."""
    return _tensor(Flatten(start_dim, end_dim), "function", input)


def matmul(input: Any, other: Any) -> Tensor:
    """Return the matrix product, as `torch.matmul`."""
    return _tensor(MatMul(), "function", input, other)


def _tensor(layer: Layer, via: Via, *inputs: Any) -> Tensor:
    result: Tensor = record(layer, *inputs, via=via)
    return result


def _pointwise(kind: type[Layer], x: Any, other: Any, **reversed: bool) -> Tensor:
    """Record an operation on ``x`` and a tensor, a layer that holds one, a number or a dim."""
    if isinstance(other, (Operand, Layer)):
        return _tensor(kind(), "operator", *((other, x) if reversed else (x, other)))
    try:
        scalar = other if is_symbolic(other) else float(other)
    except (TypeError, ValueError):
        raise SpecError(f"takes symbolic tensors and numbers; received {other!r}", where=kind.__name__) from None
    return _tensor(kind(scalar, **reversed), "operator", x)


def _several(tensors: Any) -> Sequence[Any]:
    """Return a sequence of tensors; raise SpecError for a single tensor, which would be split along its batch."""
    if isinstance(tensors, (tuple, list)):
        return tensors
    raise SpecError(f"takes a tuple or list of tensors; received {tensors!r}", hint="write cat((x, y), dim=1)")


def listed(sizes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return sizes that are passed one by one or as one sequence.

    >>> listed((1, 3)), listed(((1, 3),))
    ((1, 3), (1, 3))
    """
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def _parts(x: Operand, dim: int, ends: Sequence[Dim]) -> tuple[Tensor, ...]:
    """Return the parts of ``x`` between successive ends along an axis."""
    before = (slice(None),) * axis_of(dim, x.ndim)
    return tuple([x[(*before, slice(start, stop))] for start, stop in pairwise(ends)])
