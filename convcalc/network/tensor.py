"""The symbolic tensor: a shape and the name of the node that made it, with torch's operators and methods.

Each operator or method records a layer of `layers.merging` or `layers.shaping`; what those compute is theirs.
"""

from __future__ import annotations

from typing import Any

from convcalc.algebra.dims import Dim, Shape, show_shape
from convcalc.layers.base import Layer, record
from convcalc.layers.merging import Add, Mul

Operand = "Tensor | Layer | int | float"


class Tensor:
    """A tensor that has a shape but no values.

    >>> from convcalc import nn, trace
    >>> trace(lambda x: x + x, (1, 3, 8, 8)).nodes[0].layer
    Add()
    """

    __slots__ = ("shape", "name")

    def __init__(self, shape: Shape, name: str) -> None:
        self.shape = shape
        self.name = name

    def __repr__(self) -> str:
        return f"Tensor({self.name}: {show_shape(self.shape)})"

    def __add__(self, other: Any) -> Tensor:
        return _pointwise(Add, self, other)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Tensor:
        return _pointwise(Mul, self, other)

    __rmul__ = __mul__


def _pointwise(kind: type[Layer], x: Tensor, other: Any) -> Tensor:
    result: Tensor = record(kind(float(other)), x) if isinstance(other, (int, float)) else record(kind(), x, other)
    return result
