"""Identity and dropout, which do nothing in evaluation."""

from __future__ import annotations

from typing import Any

from convcalc.algebra.types import Shape
from convcalc.layers.base import _Idle


class Identity(_Idle):
    """Returns its input; takes any arguments and forgets them, as `torch.nn.Identity`.

    >>> Identity(54, unused=True).output_shape((128, 20))
    (128, 20)
    """

    rearranges = True
    sheet_example = "input(64, 56, 56)\nidentity()"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class _Dropout(_Idle):
    noisy = True
    any_rank = True
    p: float = 0.5
    inplace: bool = False

    def check(self) -> None:
        if not 0 <= self.p <= 1:
            self.refuse_argument("p", f"must lie between 0 and 1; received {self.p!r}")


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
