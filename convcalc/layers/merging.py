"""Layers that join several tensors: sums, products, concatenation, matrix products.

They have no weights and no counterpart in torch.nn; operators and methods of the symbolic tensor record them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.algebra.dims import Dim, Shape, equal, is_symbolic, prod, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.errors import ShapeError
from convcalc.layers.axes import stretched
from convcalc.layers.base import ANY, Layer, Work, _Idle, axis_name, require, require_alike
from convcalc.layers.shaping import axis_of

MATRIX_MACS = Formula(
    "multiply–accumulates of a matrix product",
    "o*k",
    {"o": "elements of the output", "k": "products summed for each: the columns of the left matrix"},
    slips={"summed size forgotten": "o"},
    source="torch.matmul; torch.utils.flop_counter counts two FLOPs for each",
)


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape that two shapes are stretched to, as in torch; raises ShapeError where they differ.

    >>> broadcast((1, 64, 7, 7), (64, 1, 1))
    (1, 64, 7, 7)
    """
    if a == b:
        return a
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b)
    return tuple([_stretched(m, n, a, b) for m, n in pairs])


def _stretched(m: Dim, n: Dim, a: Shape, b: Shape) -> Dim:
    if m == n or n == 1:
        return m
    if m == 1:
        return n
    require(equal(m, n), f"{show_shape(a)} and {show_shape(b)} do not fit: {show(m)} against {show(n)}")
    return n if isinstance(n, int) else m


class _Broadcasting(Layer):
    """Tensors of broadcastable shapes, element by element."""

    arity = (1, ANY)

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        for other in inputs[1:]:
            shape = broadcast(shape, other)
        return shape

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return join([stretched(field, shape, output) for field, shape in zip(fields, inputs)], output)


class _Pointwise(_Broadcasting):
    """Tensors of broadcastable shapes, or one and a number, element by element."""

    scalar: Any = None  # a number; a dim where it is computed from sizes

    def check(self) -> None:
        if self.scalar is not None and not is_symbolic(self.scalar):
            self.real("scalar")


class Add(_Pointwise):
    """The sum of tensors, or of a tensor and a number: ``x + y``.

    >>> Add().output_shape((1, 64, 7, 7), (1, 64, 7, 7))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(output) * max(len(inputs) - 1, 1)}


class Mul(_Pointwise):
    """The product of tensors element by element, or of a tensor and a number: ``x * y``.

    >>> Mul().output_shape((1, 64, 7, 7), (1, 64, 1, 1))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"mul": prod(output) * max(len(inputs) - 1, 1)}


class _Directed(_Pointwise):
    """A pointwise kind whose operands are not exchangeable: ``reversed`` puts the number on the left."""

    reversed: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) != (2 if self.scalar is None else 1):
            raise ShapeError("takes two tensors, or one and a number")
        return super().output_shape(*inputs)


class Sub(_Directed):
    """The difference of two tensors, or of a tensor and a number (on the left if ``reversed``): ``x - y``.

    >>> Sub(1.0, reversed=True).output_shape((1, 64, 7, 7))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(output)}


class Div(_Directed):
    """The quotient of two tensors, or of a tensor and a number (on the left if ``reversed``): ``x / y``.

    >>> Div().output_shape((1, 64, 7, 7), (1, 1, 7, 7))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"mul": prod(output)}


class Maximum(_Broadcasting):
    """The larger of two tensors element by element, as `torch.maximum`.

    >>> Maximum().output_shape((1, 64, 7, 7), (64, 1, 1))
    (1, 64, 7, 7)
    """

    arity = (2, 2)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"compare": prod(output)}


class Cat(_Idle):
    """Tensors put one behind another along axis ``dim``; the other sizes must agree. As `torch.cat`.

    >>> Cat(1).output_shape((1, 64, 28, 28), (1, 32, 28, 28))
    (1, 96, 28, 28)
    """

    arity = (1, ANY)

    dim: int = 0

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs[0]:
            raise ShapeError("takes one or more tensors with axes, received a number")
        first = inputs[0]
        axis = axis_of(self.dim, len(first))
        shape = list(first)
        for x in inputs[1:]:
            if len(x) != len(first):
                raise ShapeError(f"{show_shape(first)} and {show_shape(x)} differ in the number of axes")
            for i, (m, n) in enumerate(zip(shape, x)):
                shape[i] = m + n if i == axis else m if m == n else _agreed(i, m, n, first, x)
        return tuple(shape)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        axis = axis_of(self.dim, len(output))
        return None if any(field.axes[axis] for field in fields) else join(fields, output)


def _agreed(axis: int, m: Dim, n: Dim, first: Shape, other: Shape) -> Dim:
    """The size of an axis off the one that is concatenated along; raises ShapeError where the two differ."""
    name = axis_name(len(first), axis)
    require(equal(m, n), f"{name} {show(m)} against {show(n)}, in {show_shape(first)} and {show_shape(other)}")
    return n if isinstance(n, int) else m


class Stack(_Idle):
    """Tensors of one shape put side by side along a new axis ``dim``, as `torch.stack`.

    >>> Stack(1).output_shape((1, 64, 7), (1, 64, 7))
    (1, 2, 64, 7)
    """

    arity = (1, ANY)

    dim: int = 0

    def output_shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for x in inputs[1:]:
            require_alike(first, x, f"{show_shape(first)} and {show_shape(x)} differ")
        axis = axis_of(self.dim, len(first) + 1)
        return (*first[:axis], len(inputs), *first[axis:])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        joined = join(fields, inputs[0])
        axis = axis_of(self.dim, len(output))
        return joined and joined.moved((*joined.axes[:axis], None, *joined.axes[axis:]))


class MatMul(Layer):
    """The matrix product of the last two axes, the others broadcast; one axis is a vector. As `torch.matmul`.

    >>> MatMul().output_shape((8, 197, 64), (64, 197))
    (8, 197, 197)
    """

    arity = (2, 2)

    def output_shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        if not a or not b:
            raise ShapeError("takes vectors and matrices, received a number")
        rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
        inner = b[-2] if len(b) > 1 else b[0]
        fits = equal(a[-1], inner)
        if fits is not True:
            require(fits, f"{show(a[-1])} columns of {show_shape(a)} against {show(inner)} rows of {show_shape(b)}")
        return (*broadcast(a[:-2], b[:-2]), *rows, *columns)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"mac": MATRIX_MACS(prod(output), inputs[0][-1])}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        summed = -1 if len(inputs[1]) == 1 else -2
        a, b = fields[0].collapsed([-1]), fields[1].collapsed([summed])
        if len(inputs[0]) > 1 and a.axes[-2] and b.axes[-1]:
            b = b.collapsed([-1])  # positions against positions: the columns are channels
        if len(inputs[0]) > 1 and len(inputs[1]) > 1:
            return join([a, b], output)
        left = (*b.axes[:summed], *b.axes[len(b.axes) + summed + 1 :])
        return join([a.moved(a.axes[:-1]), b.moved(left)], output)
