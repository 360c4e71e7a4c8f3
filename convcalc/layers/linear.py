"""Layers of matrix products and tables: Linear, Bilinear, Embedding, and Identity, which does nothing.

Products inside attention and recurrent layers stand with those layers, dropout in `dropout`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, as_dim, equal, prod, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Layer, Lazy
from convcalc.layers.checks import require, require_size
from convcalc.layers.work import NOTHING, Work

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


class Identity(Layer):
    """Returns its input; takes any arguments and forgets them, as `torch.nn.Identity`.

    >>> Identity(54, unused=True).output_shape((128, 20))
    (128, 20)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING


class Linear(Layer):
    """A matrix product over the last axis, (..., in_features) to (..., out_features), as `torch.nn.Linear`.

    >>> Linear(20, 30).output_shape((128, 20))
    (128, 30)
    """

    in_features: Dim
    out_features: Dim
    bias: bool = True
    factory: ClassVar[bool] = True

    def check(self) -> None:
        self.normalise(
            in_features=self.positive("in_features"),
            out_features=self.positive("out_features"),
            bias=bool(self.bias),
        )

    def weights(self) -> Mapping[str, Shape]:
        shape = (self.out_features, self.in_features)
        return {"weight": shape, "bias": (self.out_features,)} if self.bias else {"weight": shape}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _require_features(x, self.in_features, "in_features")
        return (*x[:-1], self.out_features)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        macs = LINEAR_MACS(prod(output[:-1]), self.in_features, self.out_features)
        return {"mac": macs, "bias": prod(output) if self.bias else 0}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed([-1])


class LazyLinear(Lazy):
    """A `Linear` that takes ``in_features`` from its first input, as `torch.nn.LazyLinear`.

    >>> LazyLinear(10).resolve((1, 512))
    Linear(512, 10)
    """

    becomes = Linear
    channel_axis = -1


class Bilinear(Layer):
    """``x₁ᵀ A x₂ + b`` over the last axes, (..., in1) and (..., in2) to (..., out), as `torch.nn.Bilinear`.

    >>> Bilinear(20, 30, 40).output_shape((128, 20), (128, 30))
    (128, 40)
    """

    arity: ClassVar[tuple[int, int]] = (2, 2)

    in1_features: Dim
    in2_features: Dim
    out_features: Dim
    bias: bool = True
    factory: ClassVar[bool] = True

    def check(self) -> None:
        self.normalise(bias=bool(self.bias))
        for name in ("in1_features", "in2_features", "out_features"):
            self.normalise(**{name: self.positive(name)})

    def weights(self) -> Mapping[str, Shape]:
        shape = (self.out_features, self.in1_features, self.in2_features)
        return {"weight": shape, "bias": (self.out_features,)} if self.bias else {"weight": shape}

    def output_shape(self, *inputs: Shape) -> Shape:
        x, y = inputs
        _require_features(x, self.in1_features, "in1_features")
        _require_features(y, self.in2_features, "in2_features")
        what = f"expected two inputs alike but for the last axis, received {show_shape(x)} and {show_shape(y)}"
        require(len(x) == len(y), what)
        for m, n in zip(x[:-1], y[:-1]):
            require(equal(m, n), what)
        return (*x[:-1], self.out_features)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        macs = BILINEAR_MACS(prod(output[:-1]), self.in1_features, self.in2_features, self.out_features)
        return {"mac": macs, "bias": prod(output) if self.bias else 0}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        joined = join(fields, output)
        return joined and joined.collapsed([-1])


class Embedding(Layer):
    """A table of vectors: each whole number becomes its row, (...) to (..., embedding_dim), as `torch.nn.Embedding`.

    >>> Embedding(1000, 64).output_shape((2, 12))
    (2, 12, 64)
    """

    num_embeddings: Dim
    embedding_dim: Dim
    padding_idx: int | None = None
    max_norm: float | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False
    _weight: Any = None
    _freeze: bool = False
    factory: ClassVar[bool] = True

    def check(self) -> None:
        for name in ("num_embeddings", "embedding_dim"):
            self.normalise(**{name: self.positive(name)})
        if self.padding_idx is not None:
            self.normalise(padding_idx=as_dim(self.padding_idx, "Embedding: padding_idx"))
            if not self._holds(self.padding_idx):
                raise SpecError(
                    f"padding_idx must name one of {self.num_embeddings} rows; received {self.padding_idx}",
                    where="Embedding",
                )
        if self._weight is not None:  # only its shape says anything here
            if tuple(self._weight.shape) != (self.num_embeddings, self.embedding_dim):
                wanted = show_shape((self.num_embeddings, self.embedding_dim))
                raise SpecError(
                    f"_weight must be {wanted}; received {show_shape(self._weight.shape)}",
                    where="Embedding",
                )
            self.normalise(_weight=None)

    def _holds(self, row: int) -> bool:
        """Whether there is such a row, counted from either end; a table as long as a letter is taken to hold it."""
        rows = self.num_embeddings
        return not isinstance(rows, int) or -rows <= row < rows

    def weights(self) -> Mapping[str, Shape]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return (*x, self.embedding_dim)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"lookup": prod(inputs[0])}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].moved((*fields[0].axes, None))


def _require_features(shape: Shape, expected: Dim, name: str) -> None:
    """Raise ShapeError unless the last axis has the size that argument ``name`` announced."""
    if not shape:
        raise ShapeError(f"expected an input of at least 1 axis with {expected} features ({name}), received a scalar")
    require_size(shape[-1], expected, name, "features")
