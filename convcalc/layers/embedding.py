"""Rows selected by integers, from a learned table or from a tensor."""

from __future__ import annotations

from typing import Any

from convcalc.algebra.dims import equal, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Shapes, Tensors, Work
from convcalc.layers.checks import Flag
from convcalc.layers.demands import require
from convcalc.layers.formulas import MIXED, WHOLE_FIELD, rules
from convcalc.layers.shaping import axis_of

ROW_SIZE = Formula(
    "size of a row",
    "e",
    {"e": "embedding_dim: a new last axis"},
    source="torch.nn.Embedding",
)

ROWS = Formula(
    "rows selected",
    "t",
    {"t": "number of integers in the index"},
    source="torch.index_select",
)


class Embedding(Layer):
    """The rows of a learned table that integers select, (...) to (..., embedding_dim), as `torch.nn.Embedding`.

    >>> Embedding(1000, 64).output_shape((2, 12))
    (2, 12, 64)
    """

    index_input = 0

    num_embeddings: Dim
    embedding_dim: Dim
    padding_idx: int | None = None
    max_norm: float | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: Flag = False
    sparse: Flag = False
    _weight: Any = None
    _freeze: bool = False
    factory = True
    formulas = rules(channels=(ROW_SIZE,))

    def check(self) -> None:
        row, rows = self.padding_idx, self.num_embeddings
        # a table whose length is a letter is assumed to contain it
        if row is not None and isinstance(rows, int) and not -rows <= row < rows:
            self.refuse_argument("padding_idx", f"must be the index of one of the {rows} rows; received {row}")
        table, shape = self.weights()["weight"], getattr(self._weight, "shape", None)
        if self._weight is not None and shape != table:
            received = show_shape(shape) if isinstance(shape, tuple) else repr(self._weight)
            self.refuse_argument("_weight", f"must be {show_shape(table)}; received {received}")
        self.normalise(_weight=None)  # its values do not matter here

    def weights(self) -> Tensors:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0], ROW_SIZE(self.embedding_dim, axis=-1))

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"lookup": prod(inputs[0])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0].moved((*fields[0].axes, None))


class IndexSelect(Layer):
    """The rows that a tensor of integers selects along axis ``dim``, as `torch.index_select`.

    >>> IndexSelect(0).output_shape((169, 3), (2401,))
    (2401, 3)
    """

    in_torch = False
    torch_call = "{x}.index_select({dim}, {y})"
    index_input = 1

    arity = (2, 2)
    dim: int
    formulas = rules(size=(ROWS, MIXED), field=(WHOLE_FIELD, MIXED))

    def output_shape(self, *inputs: Shape) -> Shape:
        table, index = inputs
        axis = axis_of(self.dim, len(table))
        if len(index) > 1:
            raise ShapeError(f"expected an index of 1 axis, received {show_shape(index)}")
        if not table:
            require(equal(prod(index), 1), f"a scalar has only one row, received an index of {show_shape(index)}")
            return ()
        return (*table[:axis], ROWS(prod(index), axis=axis), *table[axis + 1 :])

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"lookup": prod(inputs[1])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0].collapsed([self.dim] if output else [])
