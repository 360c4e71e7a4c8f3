"""The dropout family: in evaluation, which is all that is counted here, they pass their input on.

Ranks are those that torch refuses, not those that it merely warns of. What a kind drops in training is not modelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import Shape
from convcalc.errors import SpecError
from convcalc.layers.base import Layer
from convcalc.layers.checks import require_rank
from convcalc.layers.work import NOTHING, Work


class _Dropout(Layer):
    """What all dropout shares; the kinds below differ in what they drop during training."""

    p: float = 0.5
    inplace: bool = False

    def check(self) -> None:
        if not isinstance(self.p, (int, float)) or not 0 <= self.p <= 1:
            raise SpecError(f"p must lie between 0 and 1; received {self.p!r}", where=type(self).__name__)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING


class Dropout(_Dropout):
    """Drops single elements of an input of any shape, as `torch.nn.Dropout` (Srivastava et al. 2014).

    >>> Dropout(0.2).output_shape((20, 16))
    (20, 16)
    """


class Dropout1d(_Dropout):
    """Drops whole channels of (N, C, L) or (C, L), as `torch.nn.Dropout1d`; the one kind that refuses other ranks.

    >>> Dropout1d(0.2).output_shape((20, 16, 32))
    (20, 16, 32)
    """

    def output_shape(self, *inputs: Shape) -> Shape:
        require_rank(inputs[0], 3, 2)
        return inputs[0]


class Dropout2d(_Dropout):
    """Drops whole channels of (N, C, H, W), as `torch.nn.Dropout2d`.

    >>> Dropout2d(0.2).output_shape((20, 16, 32, 32))
    (20, 16, 32, 32)
    """


class Dropout3d(_Dropout):
    """Drops whole channels of (N, C, D, H, W), as `torch.nn.Dropout3d`.

    >>> Dropout3d(0.2).output_shape((20, 16, 4, 32, 32))
    (20, 16, 4, 32, 32)
    """


class AlphaDropout(_Dropout):
    """Drops elements yet keeps mean and variance, for SELU networks, as `torch.nn.AlphaDropout` (arXiv:1706.02515).

    >>> AlphaDropout(0.2).output_shape((20, 16))
    (20, 16)
    """


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels, as `torch.nn.FeatureAlphaDropout`.

    >>> FeatureAlphaDropout(0.2).output_shape((20, 16, 4, 32, 32))
    (20, 16, 4, 32, 32)
    """
