"""Activation functions, which count one "activation" per element whatever the function, and the exponential."""

from __future__ import annotations

from typing import Any

from convcalc.algebra.dims import prod, show
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Layer, Shapes, Tensors, Work
from convcalc.layers.demands import require, require_size


class _Activation(Layer):
    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"activation": prod(output)}


class _InPlace(_Activation):
    inplace: bool = False


class ELU(_Activation):
    """``x`` or ``α(eˣ − 1)``, as `torch.nn.ELU` (arXiv:1511.07289).

    >>> ELU(0.5).output_shape((2, 3))
    (2, 3)
    """

    alpha: float = 1.0
    inplace: bool = False


class Hardshrink(_Activation):
    """Zero between −λ and λ, elsewhere ``x``, as `torch.nn.Hardshrink`.

    >>> Hardshrink().output_shape((2, 3))
    (2, 3)
    """

    lambd: float = 0.5


class Hardsigmoid(_InPlace):
    """A piecewise linear sigmoid, as `torch.nn.Hardsigmoid`.

    >>> Hardsigmoid().output_shape((2, 3))
    (2, 3)
    """


class Hardtanh(_Activation):
    """``x`` clipped to an interval, as `torch.nn.Hardtanh`; ``min_value`` and ``max_value`` are older names.

    >>> Hardtanh(min_value=-2.0)
    Hardtanh(min_val=-2.0)
    """

    sheet_example = "input(64, 56, 56)\nhardtanh(min_val=-2.0)"

    min_val: Any = -1.0
    max_val: Any = 1.0
    inplace: bool = False
    min_value: float | None = None
    max_value: float | None = None

    def check(self) -> None:
        for end in ("min", "max"):
            older = getattr(self, f"{end}_value")
            value = getattr(self, f"{end}_val") if older is None else older
            self.normalise(**{f"{end}_val": self.real(f"{end}_val", value), f"{end}_value": None})
        if self.max_val <= self.min_val:
            received = f"{self.max_val} and {self.min_val}"
            self.refuse_argument("max_val", f"must be greater than min_val; received {received}", "min_val")


class Hardswish(_InPlace):
    """``x`` times `Hardsigmoid`, as `torch.nn.Hardswish` (arXiv:1905.02244).

    >>> Hardswish().output_shape((2, 3))
    (2, 3)
    """


class LeakyReLU(_Activation):
    """``x`` above zero, a small multiple of it below, as `torch.nn.LeakyReLU`.

    >>> LeakyReLU(0.1).output_shape((2, 3))
    (2, 3)
    """

    negative_slope: float = 0.01
    inplace: bool = False


class LogSigmoid(_Activation):
    """The logarithm of the sigmoid, as `torch.nn.LogSigmoid`.

    >>> LogSigmoid().output_shape((2, 3))
    (2, 3)
    """


class PReLU(_Activation):
    """A leaky ReLU with a learned slope, one for all channels or one for each, as `torch.nn.PReLU` (arXiv:1502.01852).

    >>> PReLU(64).weights()
    {'weight': (64,)}
    """

    sheet_example = "input(64, 56, 56)\nprelu(64)"

    num_parameters: Dim = 1
    init: float = 0.25
    factory = True

    def weights(self) -> Tensors:
        return {"weight": (self.num_parameters,)}

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.num_parameters != 1:
            require(len(x) > 0, f"expected an input with {show(self.num_parameters)} channels, received a scalar")
            # torch takes a single axis for a batch of single channels
            require_size(x[1] if len(x) > 1 else 1, self.num_parameters, "num_parameters", "channels")
        return x


class ReLU(_InPlace):
    """``max(x, 0)``, as `torch.nn.ReLU`.

    >>> ReLU(inplace=True).output_shape((2, 3))
    (2, 3)
    """

    torch_call = "F.relu({all})"


class ReLU6(_InPlace):
    """``x`` clipped to 0 … 6, as `torch.nn.ReLU6`.

    >>> ReLU6().output_shape((2, 3))
    (2, 3)
    """


class RReLU(_Activation):
    """A leaky ReLU whose slope is random in training, as `torch.nn.RReLU` (arXiv:1505.00853).

    >>> RReLU(0.1, 0.3).output_shape((2, 3))
    (2, 3)
    """

    noisy = True

    lower: float = 1 / 8
    upper: float = 1 / 3
    inplace: bool = False

    def check(self) -> None:
        if not self.lower <= self.upper:
            self.refuse_argument("lower", f"must not exceed upper; received {self.lower} and {self.upper}", "upper")


class SELU(_InPlace):
    """A scaled `ELU` that keeps mean 0 and variance 1, as `torch.nn.SELU` (arXiv:1706.02515).

    >>> SELU().output_shape((2, 3))
    (2, 3)
    """


class CELU(_Activation):
    """An `ELU` whose slope is continuous for every α but 0, as `torch.nn.CELU` (arXiv:1704.07483).

    >>> CELU(2.0).output_shape((2, 3))
    (2, 3)
    """

    alpha: float = 1.0
    inplace: bool = False

    def check(self) -> None:
        if self.alpha == 0:
            self.refuse_argument("alpha", "must not be 0")


class GELU(_Activation):
    """``x·Φ(x)``, exactly or by its tanh approximation, as `torch.nn.GELU` (arXiv:1606.08415).

    >>> GELU("tanh").output_shape((2, 3))
    (2, 3)
    """

    approximate: str = "none"

    def check(self) -> None:
        self.one_of("approximate", "none", "tanh")


class Sigmoid(_Activation):
    """``1/(1 + e⁻ˣ)``, as `torch.nn.Sigmoid`.

    >>> Sigmoid().output_shape((2, 3))
    (2, 3)
    """

    torch_call = "torch.sigmoid({all})"


class SiLU(_InPlace):
    """``x`` times its sigmoid, also called swish, as `torch.nn.SiLU` (arXiv:1702.03118).

    >>> SiLU().output_shape((2, 3))
    (2, 3)
    """


class Mish(_InPlace):
    """``x`` times the tanh of its softplus, as `torch.nn.Mish` (arXiv:1908.08681).

    >>> Mish().output_shape((2, 3))
    (2, 3)
    """


class Softplus(_Activation):
    """``log(1 + e^{βx})/β``, linear above the threshold, as `torch.nn.Softplus`.

    >>> Softplus(2.0).output_shape((2, 3))
    (2, 3)
    """

    beta: float = 1.0
    threshold: float = 20.0


class Softshrink(_Activation):
    """``x`` moved by λ towards zero, as `torch.nn.Softshrink`.

    >>> Softshrink(0.1).output_shape((2, 3))
    (2, 3)
    """

    lambd: float = 0.5

    def check(self) -> None:
        if not self.lambd >= 0:
            self.refuse_argument("lambd", f"must be at least 0; received {self.lambd}")


class Softsign(_Activation):
    """``x/(1 + |x|)``, as `torch.nn.Softsign`.

    >>> Softsign().output_shape((2, 3))
    (2, 3)
    """


class Tanh(_Activation):
    """The hyperbolic tangent, as `torch.nn.Tanh`.

    >>> Tanh().output_shape((2, 3))
    (2, 3)
    """

    torch_call = "torch.tanh({all})"


class Tanhshrink(_Activation):
    """``x − tanh x``, as `torch.nn.Tanhshrink`.

    >>> Tanhshrink().output_shape((2, 3))
    (2, 3)
    """


class Threshold(_Activation):
    """``x`` above the threshold, a fixed value below it, as `torch.nn.Threshold`.

    >>> Threshold(0.1, 20).output_shape((2, 3))
    (2, 3)
    """

    threshold: float
    value: float
    inplace: bool = False


class Exp(Layer):
    """The exponential of each element, as `torch.exp`.

    >>> Exp().output_shape((2, 3))
    (2, 3)
    """

    in_torch = False
    torch_call = "{x}.exp()"

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"exp": prod(output)}
