"""Identity and dropout, which change nothing in evaluation."""

from __future__ import annotations

from typing import Any

from convcalc.algebra.types import Shape
from convcalc.layers.base import _Idle


class Identity(_Idle):
    """The input unchanged; any arguments are accepted and ignored, as by `torch.nn.Identity`.

    >>> Identity(54, unused=True).output_shape((128, 20))
    (128, 20)
    """

    rearranges = True
    sheet_example = "input(64, 56, 56)\nidentity()"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class _Dropout(_Idle):
    """Elements or channels that are zero at random in training."""

    noisy = True
    any_rank = True
    p: float = 0.5
    inplace: bool = False

    def check(self) -> None:
        if not 0 <= self.p <= 1:
            self.refuse_argument("p", f"must be between 0 and 1; received {self.p!r}")


class Dropout(_Dropout):
    """Dropout of single elements, for inputs of any shape, as `torch.nn.Dropout` (Srivastava et al. 2014).

    >>> Dropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class Dropout1d(_Dropout, rank=1):
    """Dropout of whole channels of (N, C, L) or (C, L), as `torch.nn.Dropout1d`.

    >>> Dropout1d(0.2).output_shape((1, 4, 8))
    (1, 4, 8)
    """

    def output_shape(self, *inputs: Shape) -> Shape:
        self.require_rank(inputs[0])
        return inputs[0]


class Dropout2d(_Dropout, rank=2):
    """Dropout of whole channels of (N, C, H, W), as `torch.nn.Dropout2d`.

    >>> Dropout2d(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class Dropout3d(_Dropout, rank=3):
    """Dropout of whole channels of (N, C, D, H, W), as `torch.nn.Dropout3d`.

    >>> Dropout3d(0.2).output_shape((1, 4, 8, 8, 8))
    (1, 4, 8, 8, 8)
    """


class AlphaDropout(_Dropout):
    """Dropout of elements that keeps mean and variance, as `torch.nn.AlphaDropout` (arXiv:1706.02515).

    >>> AlphaDropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels, as `torch.nn.FeatureAlphaDropout`.

    >>> FeatureAlphaDropout(0.2).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """
