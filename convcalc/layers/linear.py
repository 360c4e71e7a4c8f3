"""Matrix products with learned weights: linear and bilinear layers."""

from __future__ import annotations

from convcalc.algebra.dims import prod, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Lazy, Shapes, Tensors, Work
from convcalc.layers.demands import require_alike, require_size
from convcalc.layers.formulas import MIXED, WHOLE_FIELD, rules

LINEAR_MACS = Formula(
    "multiply–accumulates of a linear layer",
    "n*i*o",
    {"n": "rows", "i": "input features", "o": "output features"},
    mistakes={"rows forgotten": "i*o", "bias counted in": "n*(i + 1)*o"},
    source="torch.nn.Linear; torch.utils.flop_counter counts two FLOPs for each",
)

FEATURES = Formula(
    "output features",
    "o",
    {"o": "output features, out_features"},
    source="torch.nn.Linear: the last axis alone is replaced",
)

BILINEAR_MACS = Formula(
    "multiply–accumulates of a bilinear layer",
    "n*o*(i*j + j)",
    {"n": "rows", "i": "first input features", "j": "second input features", "o": "output features"},
    mistakes={"only the first product": "n*o*i*j", "rows forgotten": "o*(i*j + j)"},
    source="torch.nn.Bilinear: x₁ᵀA takes i·j for each output, its product with x₂ another j",
)


class _Product(Layer):
    out_features: Dim
    bias: bool = True
    factory = True
    formulas = rules(channels=(FEATURES,), field=(WHOLE_FIELD, MIXED))

    def _features(self) -> list[Dim]:
        return [getattr(self, name) for name in self.names[:-1]]

    def weights(self) -> Tensors:
        *features, out = self._features()
        return self.weight_and_bias((out, *features), (out,))

    def output_shape(self, *inputs: Shape) -> Shape:
        for x, name in zip(inputs, self.names):
            if not x:
                what = f"expected an input of at least 1 axis with {getattr(self, name)} features ({name})"
                raise ShapeError(f"{what}, received a scalar", about=[name])
            require_size(x[-1], getattr(self, name), name, "features")
        return (*inputs[0][:-1], FEATURES(self.out_features, axis=-1))

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

    also = {"fc": {}}
    infers = {"in_features": -1}
    wants_vector = True

    in_features: Dim
    order = "in_features out_features bias"
    formulas = rules(macs=(LINEAR_MACS,))

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
    formulas = rules(macs=(BILINEAR_MACS,))

    def output_shape(self, *inputs: Shape) -> Shape:
        x, y = inputs
        output = super().output_shape(x, y)
        what = f"expected two inputs alike but for the last axis, received {show_shape(x)} and {show_shape(y)}"
        require_alike(x[:-1], y[:-1], what)
        return output

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(BILINEAR_MACS, output)
