"""Normalisation, as computed in evaluation: a kind that tracks running statistics is pointwise.

arXiv:1502.03167 (batch), 1607.08022 (instance), 1803.08494 (group), 1607.06450 (layer), 1910.07467 (RMS), torch.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.dims import at_least, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Fields, Layer, Lazy, Shapes, Tensors, Work
from convcalc.layers.checks import Dims
from convcalc.layers.demands import require, require_alike, require_divisible, require_size
from convcalc.layers.formulas import MIXED, WHOLE_FIELD, rules


class _Norm(Layer):
    """A kind that normalises elements by statistics of those around them."""

    affine = False
    bias = False
    track_running_stats = False
    factory = True
    whose = "channel"
    formulas = rules(field=(WHOLE_FIELD, MIXED))
    sized = "num_features"  # the argument that is the shape of the scale

    def _shape(self) -> Shape:
        shape = getattr(self, self.sized)
        return shape if isinstance(shape, tuple) else (shape,)

    def _over(self, rank: int) -> Sequence[int]:
        """Return the axes that statistics are computed over, for an input of ``rank`` axes."""
        raise NotImplementedError

    def weights(self) -> Tensors:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, self._shape()) if self.affine else {}

    def work(self, inputs: Shapes, output: Shape) -> Work:
        elements = prod(output)
        statistics, affine = 0 if self.track_running_stats else elements, elements if self.affine else 0
        return {"stat": statistics, "norm": elements, "affine": affine}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return fields[0] if self.track_running_stats else fields[0].collapsed(self._over(len(output)))

    def _require_several(self, values: Dim, x: Shape) -> None:
        if not self.track_running_stats:
            what = f"needs more than 1 value per {self.whose} to compute statistics, received {show_shape(x)}"
            require(at_least(values, 2), what)


class _ChannelNorm(_Norm):
    infers = {"num_features": 1}
    num_features: Dim
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True

    def _over(self, rank: int) -> Sequence[int]:
        return [0, *range(2, rank)]

    def buffers(self) -> Tensors:
        means = dict.fromkeys(("running_mean", "running_var"), self._shape())
        return {**means, "num_batches_tracked": ()} if self.track_running_stats else {}

    def _checked(self, x: Shape, channels: Dim) -> Shape:
        if self.affine or self.track_running_stats:  # torch compares the channels only with tensors that it holds
            require_size(channels, self.num_features, "num_features", "channels")
        self._require_several(prod([x[i] for i in self._over(len(x))]), x)
        return x


class _BatchNorm(_ChannelNorm):
    sheet = "bn"
    formulas = rules(field=("as the input's with running statistics; without them positions are mixed", WHOLE_FIELD))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self.require_rank(x, *((2, 3) if self.rank == 1 else (self.rank + 2,)))
        return self._checked(x, x[1])


class BatchNorm1d(_BatchNorm, rank=1):
    """Normalisation of each channel of (N, C) or (N, C, L) over the batch, as `torch.nn.BatchNorm1d`.

    >>> BatchNorm1d(4).weights()
    {'weight': (4,), 'bias': (4,)}
    """

    takes_vectors = True
    sheet_example = "input(100)\nBatchNorm1d(100)"


class BatchNorm2d(_BatchNorm, rank=2):
    """Normalisation of each channel of (N, C, H, W) over the batch, as `torch.nn.BatchNorm2d`.

    >>> BatchNorm2d(4).buffers()
    {'running_mean': (4,), 'running_var': (4,), 'num_batches_tracked': ()}
    """

    sheet_example = "input(64, 56, 56)\nbn()"


class BatchNorm3d(_BatchNorm, rank=3):
    """Normalisation of each channel of (N, C, D, H, W) over the batch, as `torch.nn.BatchNorm3d`.

    >>> BatchNorm3d(4).output_shape((1, 4, 8, 8, 8))
    (1, 4, 8, 8, 8)
    """


class _InstanceNorm(_ChannelNorm):
    affine: bool = False
    track_running_stats: bool = False
    whose = "channel of an instance"
    formulas = rules(field=("as the input's with running statistics; without them positions are mixed", WHOLE_FIELD))

    def _over(self, rank: int) -> Sequence[int]:
        return range(rank - self.rank, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        self.require_rank(x, self.rank + 1, self.rank + 2)
        return self._checked(x, x[-self.rank - 1])


class InstanceNorm1d(_InstanceNorm, rank=1):
    """Normalisation of each channel of each instance of (N, C, L) or (C, L), as `torch.nn.InstanceNorm1d`.

    >>> InstanceNorm1d(4).output_shape((1, 4, 8))
    (1, 4, 8)
    """


class InstanceNorm2d(_InstanceNorm, rank=2):
    """Normalisation of each channel of each instance of (N, C, H, W) or (C, H, W), as `torch.nn.InstanceNorm2d`.

    >>> InstanceNorm2d(4, affine=True).weights()
    {'weight': (4,), 'bias': (4,)}
    """

    sheet_example = "input(64, 56, 56)\ninstancenorm(affine=True)"


class InstanceNorm3d(_InstanceNorm, rank=3):
    """Normalisation of each channel of each instance of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.InstanceNorm3d`.

    >>> InstanceNorm3d(4).output_shape((1, 4, 8, 8, 8))
    (1, 4, 8, 8, 8)
    """


class _LazyNorm(Lazy):
    channel_axis = 1  # even without a batch, where torch accepts the input only if both axes agree
    affine = True
    track_running_stats = True


class LazyBatchNorm1d(_LazyNorm, becomes=BatchNorm1d):
    """A `BatchNorm1d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm1d`.

    >>> LazyBatchNorm1d().resolve((1, 4, 8))
    BatchNorm1d(4)
    """


class LazyBatchNorm2d(_LazyNorm, becomes=BatchNorm2d):
    """A `BatchNorm2d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm2d`.

    >>> LazyBatchNorm2d().resolve((1, 4, 8, 8))
    BatchNorm2d(4)
    """


class LazyBatchNorm3d(_LazyNorm, becomes=BatchNorm3d):
    """A `BatchNorm3d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm3d`.

    >>> LazyBatchNorm3d().resolve((1, 4, 8, 8, 8))
    BatchNorm3d(4)
    """


class LazyInstanceNorm1d(_LazyNorm, becomes=InstanceNorm1d):
    """An `InstanceNorm1d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm1d`.

    >>> LazyInstanceNorm1d().resolve((1, 4, 8))
    InstanceNorm1d(4, affine=True, track_running_stats=True)
    """


class LazyInstanceNorm2d(_LazyNorm, becomes=InstanceNorm2d):
    """An `InstanceNorm2d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm2d`.

    >>> LazyInstanceNorm2d(affine=False).resolve((1, 4, 8, 8))
    InstanceNorm2d(4, track_running_stats=True)
    """


class LazyInstanceNorm3d(_LazyNorm, becomes=InstanceNorm3d):
    """An `InstanceNorm3d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm3d`.

    >>> LazyInstanceNorm3d().resolve((1, 4, 8, 8, 8))
    InstanceNorm3d(4, affine=True, track_running_stats=True)
    """


class GroupNorm(_Norm):
    """Normalisation of groups of channels of (N, C, ...), for each instance by itself, as `torch.nn.GroupNorm`.

    >>> GroupNorm(2, 4).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """

    sheet = "gn"
    infers = {"num_channels": 1}

    num_groups: Dim
    num_channels: Dim
    eps: float = 1e-5
    affine: bool = True
    bias: bool = True
    whose = "group"
    sized = "num_channels"

    def check(self) -> None:
        self.divisible("num_channels", "num_groups")

    def _over(self, rank: int) -> Sequence[int]:
        return range(1, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) >= 2, f"expected an input of at least 2 axes, received {show_shape(x)}")
        if self.affine:
            require_size(x[1], self.num_channels, "num_channels", "channels")
        require_divisible(x[1], self.num_groups, "channels", "num_groups")
        # torch includes the batch, although each instance is normalised by itself
        self._require_several(x[0] * (x[1] // self.num_groups) * prod(x[2:]), x)
        return x


class _ShapeNorm(_Norm):
    infers = {"normalized_shape": -1}
    normalized_shape: Dims
    eps: float | None = 1e-5
    elementwise_affine: bool = True
    sized = "normalized_shape"

    def check(self) -> None:
        self.each_at_least(1, "normalized_shape")
        if not self.normalized_shape:
            self.refuse_argument("normalized_shape", "must have at least one size; received ()")

    def _repeats(self, name: str) -> int:
        return int(name == self.sized)

    @property
    def affine(self) -> bool:  # type: ignore[override]
        return self.elementwise_affine

    def _over(self, rank: int) -> Sequence[int]:
        return range(-len(self.normalized_shape), 0)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        what = f"expected an input whose shape ends in {show_shape(self.normalized_shape)}, received {show_shape(x)}"
        require_alike(x[-len(self.normalized_shape) :], self.normalized_shape, what)
        return x


class LayerNorm(_ShapeNorm):
    """Normalisation by mean and variance over the last axes, as `torch.nn.LayerNorm`.

    >>> LayerNorm(8).output_shape((1, 4, 8))
    (1, 4, 8)
    """

    sheet = "ln"

    eps: float = 1e-5
    bias: bool = True


class RMSNorm(_ShapeNorm):
    """Normalisation by the root mean square over the last axes, without a shift, as `torch.nn.RMSNorm`.

    >>> RMSNorm((2, 3)).weights()
    {'weight': (2, 3)}
    """

    sheet_example = "input(197, 768)\nrmsnorm()"

    eps: float | None = None
