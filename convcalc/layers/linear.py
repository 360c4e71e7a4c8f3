"""Matrix products: with learned weights (linear and bilinear layers), and of two tensors."""

from __future__ import annotations

from convcalc.algebra.dims import equal, prod, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Lazy, Shapes, Tensors, Work
from convcalc.layers.demands import require, require_alike, require_size
from convcalc.layers.formulas import MIXED, WHOLE_FIELD, rules
from convcalc.layers.merging import broadcast

LINEAR_MACS = Formula(
    "multiply–accumulates of a linear layer",
    "n*i*o",
    {"n": "rows", "i": "input features", "o": "output features"},
    mistakes={"rows forgotten": "i*o", "bias included": "n*(i + 1)*o"},
    source="torch.nn.Linear; torch.utils.flop_counter counts two FLOPs for each",
)

FEATURES = Formula(
    "output features",
    "o",
    {"o": "output features, out_features"},
    source="torch.nn.Linear: only the last axis changes",
)

BILINEAR_MACS = Formula(
    "multiply–accumulates of a bilinear layer",
    "n*o*(i*j + j)",
    {"n": "rows", "i": "first input features", "j": "second input features", "o": "output features"},
    mistakes={"only the first product": "n*o*i*j", "rows forgotten": "o*(i*j + j)"},
    source="torch.nn.Bilinear: x₁ᵀA takes i·j for each output, its product with x₂ another j",
)

MATRIX_MACS = Formula(
    "multiply–accumulates of a matrix product",
    "o*k",
    {"o": "elements of the output", "k": "products summed for each: the columns of the left matrix"},
    mistakes={"summed size forgotten": "o"},
    source="torch.matmul; torch.utils.flop_counter counts two FLOPs for each",
)


class _Product(Layer):
    """A product of the last axes with a learned matrix."""

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
        what = f"expected two inputs that differ only in the last axis, received {show_shape(x)} and {show_shape(y)}"
        require_alike(x[:-1], y[:-1], what)
        return output

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return self._tally(BILINEAR_MACS, output)


class MatMul(Layer):
    """The matrix product over the last two axes, the others broadcast, as `torch.matmul`; one axis is a vector.

    >>> MatMul().output_shape((8, 197, 64), (64, 197))
    (8, 197, 197)
    """

    in_torch = False
    operator = "@"
    merges = True
    sheet_example = "a = input(8, 197, 64)\nb = input(8, 64, 197)\nmatmul(a, b)"

    arity = (2, 2)
    formulas = rules(
        size=("the rows of the left matrix and the columns of the right one; other axes are broadcast",),
        macs=(MATRIX_MACS,),
        field=(WHOLE_FIELD, "this holds along the axis summed over; along the others as the inputs'"),
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        if not a or not b:
            raise ShapeError("expected vectors or matrices, received a scalar")
        inner, columns = (b[-2], b[-1:]) if len(b) > 1 else (b[0], ())
        if a[-1] != inner:
            left, right = f"{show(a[-1])} columns of {show_shape(a)}", f"{show(inner)} rows of {show_shape(b)}"
            require(equal(a[-1], inner), f"the {left} do not match the {right}")
        return (*broadcast(a[:-2], b[:-2]), *a[-2:-1], *columns)

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"mac": MATRIX_MACS(prod(output), inputs[0][-1])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        summed = -1 if len(inputs[1]) == 1 else -2
        a, b = fields[0].collapsed([-1]), fields[1].collapsed([summed])
        if len(inputs[0]) > 1 and a.axes[-2] and b.axes[-1]:
            b = b.collapsed([-1])  # positions against positions: the columns are channels
        if len(inputs[0]) > 1 and len(inputs[1]) > 1:
            return join([a, b], output)
        left = (*b.axes[:summed], *b.axes[len(b.axes) + summed + 1 :])
        return join([a.moved(a.axes[:-1]), b.moved(left)], output)
