"""Matrix products and tables; and Identity and dropout, which do nothing in evaluation."""

from __future__ import annotations

from typing import Any

from convcalc.algebra.dims import equal, prod, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Lazy, Shapes, Tensors, Work, _Idle, require, require_alike, require_size
from convcalc.layers.binding import Flag
from convcalc.layers.shaping import axis_of

LINEAR_MACS = Formula(
    "multiply–accumulates of a linear layer",
    "n*i*o",
    {"n": "rows", "i": "input features", "o": "output features"},
    slips={"rows forgotten": "i*o", "bias counted in": "n*(i + 1)*o"},
    source="torch.nn.Linear; torch.utils.flop_counter counts two FLOPs for each",
)

BILINEAR_MACS = Formula(
    "multiply–accumulates of a bilinear layer",
    "n*o*(i*j + j)",
    {"n": "rows", "i": "first input features", "j": "second input features", "o": "output features"},
    slips={"only the first product": "n*o*i*j", "rows forgotten": "o*(i*j + j)"},
    source="torch.nn.Bilinear: x₁ᵀA takes i·j for each output, its product with x₂ another j",
)


class Identity(_Idle):
    """Returns its input; takes any arguments and forgets them, as `torch.nn.Identity`.

    >>> Identity(54, unused=True).output_shape((128, 20))
    (128, 20)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class _Product(Layer):
    out_features: Dim
    bias: bool = True
    factory = True

    def _features(self) -> list[Dim]:
        return [getattr(self, name) for name in self.names[:-1]]

    def weights(self) -> Tensors:
        *features, out = self._features()
        return self.weight_and_bias((out, *features), (out,))

    def output_shape(self, *inputs: Shape) -> Shape:
        for x, name in zip(inputs, self.names):
            if not x:
                what = f"expected an input of at least 1 axis with {getattr(self, name)} features ({name})"
                raise ShapeError(f"{what}, received a scalar")
            require_size(x[-1], getattr(self, name), name, "features")
        return (*inputs[0][:-1], self.out_features)

    def _tally(self, macs: Formula, output: Shape) -> Work:
        return {"mac": macs(prod(output[:-1]), *self._features()), "bias": prod(output) if self.bias else 0}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        joined = join(fields, output)
        return joined and joined.collapsed([-1])


class Linear(_Product):
    """A matrix product over the last axis, (..., in_features) to (..., out_features), as `torch.nn.Linear`.

    >>> Linear(20, 30).output_shape((128, 20))
    (128, 30)
    """

    in_features: Dim
    order = "in_features out_features bias"

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(LINEAR_MACS, output)


class LazyLinear(Lazy, becomes=Linear):
    """A `Linear` that takes ``in_features`` from its first input, as `torch.nn.LazyLinear`.

    >>> LazyLinear(10).resolve((1, 512))
    Linear(512, 10)
    """


class Bilinear(_Product):
    """``x₁ᵀ A x₂ + b`` over the last axes, (..., in1) and (..., in2) to (..., out), as `torch.nn.Bilinear`.

    >>> Bilinear(20, 30, 40).output_shape((128, 20), (128, 30))
    (128, 40)
    """

    arity = (2, 2)
    in1_features: Dim
    in2_features: Dim
    order = "in1_features in2_features out_features bias"

    def output_shape(self, *inputs: Shape) -> Shape:
        x, y = inputs
        output = super().output_shape(x, y)
        what = f"expected two inputs alike but for the last axis, received {show_shape(x)} and {show_shape(y)}"
        require_alike(x[:-1], y[:-1], what)
        return output

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(BILINEAR_MACS, output)


class Embedding(Layer):
    """Whole numbers become rows of a table, (...) to (..., embedding_dim), as `torch.nn.Embedding`.

    >>> Embedding(1000, 64).output_shape((2, 12))
    (2, 12, 64)
    """

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

    def check(self) -> None:
        row, rows = self.padding_idx, self.num_embeddings
        # a table as long as a letter is taken to hold it
        if row is not None and isinstance(rows, int) and not -rows <= row < rows:
            self.refuse(f"padding_idx must name one of {rows} rows; received {row}")
        table, shape = self.weights()["weight"], getattr(self._weight, "shape", None)
        if self._weight is not None and shape != table:
            received = show_shape(shape) if isinstance(shape, tuple) else repr(self._weight)
            self.refuse(f"_weight must be {show_shape(table)}; received {received}")
        self.normalise(_weight=None)  # whose values say nothing here

    def weights(self) -> Tensors:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0], self.embedding_dim)

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"lookup": prod(inputs[0])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0].moved((*fields[0].axes, None))


class IndexSelect(Layer):
    """The rows that a tensor of whole numbers names, along axis ``dim``, as `torch.index_select`.

    >>> IndexSelect(0).output_shape((169, 3), (2401,))
    (2401, 3)
    """

    arity = (2, 2)
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

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"lookup": prod(inputs[1])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0].collapsed([self.dim] if output else [])


class _Dropout(_Idle):
    p: float = 0.5
    inplace: bool = False

    def check(self) -> None:
        if not 0 <= self.p <= 1:
            self.refuse(f"p must lie between 0 and 1; received {self.p!r}")


class Dropout(_Dropout):
    """Drops single elements of an input of any shape, as `torch.nn.Dropout` (Srivastava et al. 2014).

    >>> Dropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class Dropout1d(_Dropout, rank=1):
    """Drops whole channels of (N, C, L) or (C, L), as `torch.nn.Dropout1d`.

    >>> Dropout1d(0.2).output_shape((1, 4, 8))
    (1, 4, 8)
    """

    def output_shape(self, *inputs: Shape) -> Shape:
        self.require_rank(inputs[0])
        return inputs[0]


class Dropout2d(_Dropout, rank=2):
    """Drops whole channels of (N, C, H, W), as `torch.nn.Dropout2d`.

    >>> Dropout2d(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class Dropout3d(_Dropout, rank=3):
    """Drops whole channels of (N, C, D, H, W), as `torch.nn.Dropout3d`.

    >>> Dropout3d(0.2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 8, 8, 8)
    """


class AlphaDropout(_Dropout):
    """Drops elements but keeps mean and variance, as `torch.nn.AlphaDropout` (arXiv:1706.02515).

    >>> AlphaDropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels, as `torch.nn.FeatureAlphaDropout`.

    >>> FeatureAlphaDropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """
