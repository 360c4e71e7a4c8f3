"""Normalisation of each instance by itself: over groups of channels, the last axes, and neighbouring channels.

Statistics are always of the input. Sources: arXiv:1803.08494 (group), 1607.06450 (layer), 1910.07467 (RMS),
Krizhevsky et al. 2012 (local response), and torch's documentation. Kinds with running statistics stand in `norm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, as_dim, equal, prod, show, show_shape, truth
from convcalc.algebra.field import Field
from convcalc.errors import SpecError
from convcalc.layers.base import Layer
from convcalc.layers.checks import require, require_size
from convcalc.layers.norm import norm_work, require_several, scale_and_shift
from convcalc.layers.work import Work


class GroupNorm(Layer):
    """Normalises groups of channels of (N, C, ...), each instance by itself, as `torch.nn.GroupNorm`.

    >>> GroupNorm(3, 6).output_shape((20, 6, 10, 10))
    (20, 6, 10, 10)
    """

    num_groups: Dim
    num_channels: Dim
    eps: float = 1e-5
    affine: bool = True
    bias: bool = True
    factory: ClassVar[bool] = True

    def check(self) -> None:
        self.normalise(num_groups=self.positive("num_groups"), num_channels=self.positive("num_channels"))
        if truth(equal(self.num_channels % self.num_groups, 0)) is False:
            raise SpecError(
                f"num_channels must be divisible by num_groups; received {self.num_channels} and {self.num_groups}",
                where="GroupNorm",
            )

    def weights(self) -> Mapping[str, Shape]:
        return scale_and_shift((self.num_channels,), self.affine, self.affine and self.bias)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) >= 2, f"expected an input of at least 2 axes, received {show_shape(x)}")
        if self.affine:
            require_size(x[1], self.num_channels, "num_channels", "channels")
        what = f"expected channels divisible by num_groups = {show(self.num_groups)}, received {show(x[1])}"
        require(equal(x[1] % self.num_groups, 0), what)
        # torch counts the batch in, although each instance is normalised by itself
        require_several(x[0] * (x[1] // self.num_groups) * prod(x[2:]), "group", x)
        return x

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return norm_work(prod(output), True, self.affine)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed(range(1, len(output)))


class _ShapeNorm(Layer):
    """What layer and RMS normalisation share: statistics over the last axes, whose sizes are ``normalized_shape``."""

    normalized_shape: Any
    eps: float | None = 1e-5
    elementwise_affine: bool = True
    factory: ClassVar[bool] = True

    def check(self) -> None:
        given = self.normalized_shape
        sizes = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        sizes = tuple(as_dim(size, f"{type(self).__name__}: normalized_shape") for size in sizes)
        if not sizes or any(isinstance(size, int) and size < 1 for size in sizes):
            raise SpecError(f"normalized_shape must be positive; received {given!r}", where=type(self).__name__)
        self.normalise(normalized_shape=sizes)

    def _compact(self, name: str, value: Any) -> str:
        if name == "normalized_shape" and len(value) == 1:
            value = value[0]
        return super()._compact(name, value)

    def weights(self) -> Mapping[str, Shape]:
        return scale_and_shift(self.normalized_shape, self.elementwise_affine, False)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        last = len(self.normalized_shape)
        what = f"expected an input that ends in {show_shape(self.normalized_shape)}, received {show_shape(x)}"
        require(len(x) >= last, what)
        for received, expected in zip(x[-last:], self.normalized_shape):
            require(equal(received, expected), what)
        return x

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return norm_work(prod(output), True, self.elementwise_affine)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0].collapsed(range(-len(self.normalized_shape), 0))


class LayerNorm(_ShapeNorm):
    """Normalises by mean and variance over the last axes, as `torch.nn.LayerNorm`.

    >>> LayerNorm(10).output_shape((20, 5, 10))
    (20, 5, 10)
    """

    bias: bool = True

    def weights(self) -> Mapping[str, Shape]:
        return scale_and_shift(self.normalized_shape, self.elementwise_affine, self.elementwise_affine and self.bias)


class RMSNorm(_ShapeNorm):
    """Normalises by the root mean square over the last axes, without a mean or a shift, as `torch.nn.RMSNorm`.

    >>> RMSNorm((2, 3)).weights()
    {'weight': (2, 3)}
    """

    eps: float | None = None


class LocalResponseNorm(Layer):
    """Divides by a power of the squares summed over ``size`` neighbouring channels, as `torch.nn.LocalResponseNorm`.

    Tallied as one square and one division for each element, and ``size`` additions for its window.

    >>> LocalResponseNorm(5).output_shape((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    size: Dim
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def check(self) -> None:
        self.normalise(size=self.positive("size"))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) >= 3, f"expected an input of at least 3 axes, received {len(x)}: {show_shape(x)}")
        return x

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        elements = prod(output)
        return {"mul": elements, "add": elements * self.size, "norm": elements}
