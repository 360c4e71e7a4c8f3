"""Functions of one tensor that torch has without a module for them: rows of a table, exponential, unit length.

Networks with attention inside windows need them. What joins or moves whole tensors stands in `merging` and `shaping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from convcalc.algebra.dims import Shape, equal, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer
from convcalc.layers.checks import require
from convcalc.layers.norm import norm_work
from convcalc.layers.shaping import axis_of
from convcalc.layers.work import Work


class IndexSelect(Layer):
    """The rows of a table that a tensor of whole numbers names, along axis ``dim``, as `torch.index_select`.

    >>> IndexSelect(0).output_shape((169, 3), (2401,))
    (2401, 3)
    """

    arity: ClassVar[tuple[int, int]] = (2, 2)

    dim: int

    def output_shape(self, *inputs: Shape) -> Shape:
        table, index = inputs
        axis = axis_of(self.dim, len(table))
        if len(index) > 1:
            raise ShapeError(f"expected an index of one axis, received {show_shape(index)}")
        if not table:
            require(equal(prod(index), 1), f"a single number has one row, received an index of {show_shape(index)}")
            return ()
        return (*table[:axis], *(index or (1,)), *table[axis + 1 :])

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"lookup": prod(inputs[1])}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed([self.dim] if output else [])


class Exp(Layer):
    """The exponential of each element, as `torch.exp`.

    >>> Exp().output_shape((3, 1, 1))
    (3, 1, 1)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"exp": prod(output)}


class Normalize(Layer):
    """Each vector along axis ``dim`` divided by its ``p``-norm, as `torch.nn.functional.normalize`.

    >>> Normalize(dim=-1).work([(64, 3, 49, 32)], (64, 3, 49, 32))["norm"]
    301056
    """

    p: float = 2.0
    dim: int = 1
    eps: float = 1e-12

    def output_shape(self, *inputs: Shape) -> Shape:
        axis_of(self.dim, len(inputs[0]))
        return inputs[0]

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return norm_work(prod(output), True, False)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed([self.dim] if output else [])
