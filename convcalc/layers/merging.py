"""Layers that join several tensors: sums, products, concatenation, matrix products.

They have no weights and no counterpart in torch.nn; operators and methods of the symbolic tensor record them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcalc.algebra.dims import Condition, Dim, Shape, at_least, equal, prod, show, show_shape, truth
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer, require
from convcalc.layers.work import Work


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape that two shapes are stretched to, as in torch; raises ShapeError where they differ.

    >>> broadcast((1, 64, 7, 7), (64, 1, 1))
    (1, 64, 7, 7)
    """
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b)
    return tuple([_stretched(m, n, a, b) for m, n in pairs])


def _stretched(m: Dim, n: Dim, a: Shape, b: Shape) -> Dim:
    if m == n or n == 1:
        return m
    if m == 1:
        return n
    require(equal(m, n), f"{show_shape(a)} and {show_shape(b)} do not fit: {show(m)} against {show(n)}")
    return m


class _Pointwise(Layer):
    """Two tensors of broadcastable shapes, or one and a number, element by element."""

    scalar: float | None = None

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        for other in inputs[1:]:
            shape = broadcast(shape, other)
        return shape


class Add(_Pointwise):
    """The sum of tensors, or of a tensor and a number: ``x + y``.

    >>> Add().output_shape((1, 64, 7, 7), (1, 64, 7, 7))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(output)}


class Mul(_Pointwise):
    """The product of tensors element by element, or of a tensor and a number: ``x * y``.

    >>> Mul().output_shape((1, 64, 7, 7), (1, 64, 1, 1))
    (1, 64, 7, 7)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"mul": prod(output)}
