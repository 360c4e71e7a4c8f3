"""Normalisation, as counted in evaluation: a kind that tracks running statistics is pointwise.

Sources: arXiv:1502.03167 (batch), 1607.08022 (instance), 1803.08494 (group), 1607.06450 (layer), 1910.07467 (RMS),
and torch's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, Shape, at_least, equal, prod, show, show_shape
from convcalc.algebra.field import Field
from convcalc.layers.base import Layer, Lazy, Work, require, require_alike, require_rank, require_size


class _Norm(Layer):
    affine = True
    bias = False
    track_running_stats = False
    factory = True

    def _shape(self) -> Shape:
        """The shape of the scale and of the shift."""
        return (getattr(self, self.positives[-1]),)

    def _over(self, rank: int) -> Sequence[int]:
        """The axes that statistics are taken over."""
        raise NotImplementedError

    def weights(self) -> Mapping[str, Shape]:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, self._shape()) if self.affine else {}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return norm_work(prod(output), not self.track_running_stats, self.affine)

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0] if self.track_running_stats else fields[0].collapsed(self._over(len(output)))

    def _require_several(self, values: Dim, whose: str, x: Shape) -> None:
        if not self.track_running_stats:
            what = f"needs more than 1 value for each {whose} to take statistics of, received {show_shape(x)}"
            require(at_least(values, 2), what)


class _ChannelNorm(_Norm):
    num_features: Dim
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True
    whose = "channel"

    def _over(self, rank: int) -> Sequence[int]:
        return [0, *range(2, rank)]

    def buffers(self) -> Mapping[str, Shape]:
        if not self.track_running_stats:
            return {}
        return {"running_mean": (self.num_features,), "running_var": (self.num_features,), "num_batches_tracked": ()}

    def _checked(self, x: Shape, channels: Dim) -> Shape:
        if self.affine or self.track_running_stats:  # torch compares them with whatever it holds one for each of
            require_size(channels, self.num_features, "num_features", "channels")
        self._require_several(prod([x[i] for i in self._over(len(x))]), self.whose, x)
        return x


class _BatchNorm(_ChannelNorm):
    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, *((2, 3) if self.rank == 1 else (self.rank + 2,)))
        return self._checked(x, x[1])


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch, as `torch.nn.BatchNorm1d`.

    >>> BatchNorm1d(100).weights()
    {'weight': (100,), 'bias': (100,)}
    """


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of (N, C, H, W) over the batch, as `torch.nn.BatchNorm2d`.

    >>> BatchNorm2d(64).buffers()
    {'running_mean': (64,), 'running_var': (64,), 'num_batches_tracked': ()}
    """


class BatchNorm3d(_BatchNorm):
    """Normalises each channel of (N, C, D, H, W) over the batch, as `torch.nn.BatchNorm3d`.

    >>> BatchNorm3d(8).output_shape((2, 8, 4, 7, 7))
    (2, 8, 4, 7, 7)
    """


class _InstanceNorm(_ChannelNorm):
    affine: bool = False
    track_running_stats: bool = False
    whose = "channel of an instance"

    def _over(self, rank: int) -> Sequence[int]:
        return range(rank - self.rank, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, self.rank + 1, self.rank + 2)
        return self._checked(x, x[-self.rank - 1])


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, L) or (C, L), as `torch.nn.InstanceNorm1d`.

    >>> InstanceNorm1d(100).output_shape((20, 100, 40))
    (20, 100, 40)
    """


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, H, W) or (C, H, W), as `torch.nn.InstanceNorm2d`.

    >>> InstanceNorm2d(100, affine=True).weights()
    {'weight': (100,), 'bias': (100,)}
    """


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.InstanceNorm3d`.

    >>> InstanceNorm3d(8).output_shape((2, 8, 4, 7, 7))
    (2, 8, 4, 7, 7)
    """


class _LazyNorm(Lazy):
    """Channels are axis 1 even without a batch, where torch refuses the input unless both agree."""

    channel_axis = 1
    affine = True
    track_running_stats = True


class LazyBatchNorm1d(_LazyNorm):
    """A `BatchNorm1d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm1d`.

    >>> LazyBatchNorm1d().resolve((20, 100, 40))
    BatchNorm1d(100)
    """

    becomes = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm):
    """A `BatchNorm2d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm2d`.

    >>> LazyBatchNorm2d().resolve((1, 64, 7, 7))
    BatchNorm2d(64)
    """

    becomes = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm):
    """A `BatchNorm3d` that takes ``num_features`` from its first input, as `torch.nn.LazyBatchNorm3d`.

    >>> LazyBatchNorm3d().resolve((1, 64, 2, 7, 7))
    BatchNorm3d(64)
    """

    becomes = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm):
    """An `InstanceNorm1d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm1d`.

    >>> LazyInstanceNorm1d().resolve((20, 100, 40))
    InstanceNorm1d(100, affine=True, track_running_stats=True)
    """

    becomes = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm):
    """An `InstanceNorm2d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm2d`.

    >>> LazyInstanceNorm2d(affine=False).resolve((1, 64, 7, 7))
    InstanceNorm2d(64, track_running_stats=True)
    """

    becomes = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm):
    """An `InstanceNorm3d` that takes ``num_features`` from its first input, as `torch.nn.LazyInstanceNorm3d`.

    >>> LazyInstanceNorm3d().resolve((1, 64, 2, 7, 7)).buffers()["running_mean"]
    (64,)
    """

    becomes = InstanceNorm3d


class GroupNorm(_Norm):
    """Normalises groups of channels of (N, C, ...), each instance by itself, as `torch.nn.GroupNorm`.

    >>> GroupNorm(3, 6).output_shape((20, 6, 10, 10))
    (20, 6, 10, 10)
    """

    num_groups: Dim
    num_channels: Dim
    eps: float = 1e-5
    affine: bool = True
    bias: bool = True

    def check(self) -> None:
        self.divisible("num_channels", "num_groups")

    def _over(self, rank: int) -> Sequence[int]:
        return range(1, rank)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(len(x) >= 2, f"expected an input of at least 2 axes, received {show_shape(x)}")
        if self.affine:
            require_size(x[1], self.num_channels, "num_channels", "channels")
        what = f"expected channels divisible by num_groups = {show(self.num_groups)}, received {show(x[1])}"
        require(equal(x[1] % self.num_groups, 0), what)
        # torch counts the batch in, although each instance is normalised by itself
        self._require_several(x[0] * (x[1] // self.num_groups) * prod(x[2:]), "group", x)
        return x


class _ShapeNorm(_Norm):
    normalized_shape: Any
    eps: float | None = 1e-5
    elementwise_affine: bool = True

    def check(self) -> None:
        given = self.normalized_shape
        sizes = given if isinstance(given, (tuple, list)) else (given,)
        sizes = tuple([self.dim_of("normalized_shape", size) for size in sizes])
        if not sizes or any(isinstance(size, int) and size < 1 for size in sizes):
            self.refuse(f"normalized_shape must be positive; received {given!r}")
        self.normalise(normalized_shape=sizes)

    def _repeats(self, name: str) -> int:
        return int(name == "normalized_shape")

    @property
    def affine(self) -> bool:  # type: ignore[override]
        return self.elementwise_affine

    def _shape(self) -> Shape:
        return tuple(self.normalized_shape)

    def _over(self, rank: int) -> Sequence[int]:
        return range(-len(self.normalized_shape), 0)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        what = f"expected an input that ends in {show_shape(self.normalized_shape)}, received {show_shape(x)}"
        require_alike(x[-len(self.normalized_shape) :], self.normalized_shape, what)
        return x


class LayerNorm(_ShapeNorm):
    """Normalises by mean and variance over the last axes, as `torch.nn.LayerNorm`.

    >>> LayerNorm(10).output_shape((20, 5, 10))
    (20, 5, 10)
    """

    eps: float = 1e-5
    bias: bool = True


class RMSNorm(_ShapeNorm):
    """Normalises by the root mean square over the last axes, without a mean or a shift, as `torch.nn.RMSNorm`.

    >>> RMSNorm((2, 3)).weights()
    {'weight': (2, 3)}
    """

    eps: float | None = None


def norm_work(elements: Dim, statistics: bool, affine: Any) -> Work:
    return {"stat": elements if statistics else 0, "norm": elements, "affine": elements if affine else 0}
