"""Normalisation with a mean and a variance for each channel: batch and instance normalisation, and their lazy kinds.

Counted in evaluation: a kind that tracks running statistics uses them and is pointwise, one that does not takes
statistics of its input. Sources: arXiv:1502.03167 (batch), 1607.08022 (instance), and torch's documentation. Training
is not modelled; group, layer, RMS and local response normalisation stand in `axis_norm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, at_least, prod, show_shape
from convcalc.algebra.field import Field
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer, Lazy
from convcalc.layers.checks import require, require_rank, require_size
from convcalc.layers.work import Work


class _ChannelNorm(Layer):
    """What batch and instance normalisation share: a mean, a variance, a scale and a shift for each channel."""

    num_features: Dim
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True
    factory: ClassVar[bool] = True

    def check(self) -> None:
        if type(self.num_features) is not int or self.num_features < 1:
            self.normalise(num_features=self.positive("num_features"))

    def weights(self) -> Mapping[str, Shape]:
        return scale_and_shift((self.num_features,), self.affine, self.affine and self.bias)

    def buffers(self) -> Mapping[str, Shape]:
        if not self.track_running_stats:
            return {}
        return {"running_mean": (self.num_features,), "running_var": (self.num_features,), "num_batches_tracked": ()}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return norm_work(prod(output), not self.track_running_stats, self.affine)

    def _require_channels(self, channels: Dim) -> None:
        """Torch compares the channels with whatever it holds one number a channel of, and with nothing else."""
        if self.affine or self.track_running_stats:
            require_size(channels, self.num_features, "num_features", "channels")


class _BatchNorm(_ChannelNorm):
    """What batch normalisation shares over all ranks."""

    ranks: ClassVar[tuple[int, ...]]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) not in self.ranks:
            require_rank(x, *self.ranks)
        self._require_channels(x[1])
        if not self.track_running_stats:
            require_several(x[0] * prod(x[2:]), "channel", x)
        return x

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        if self.track_running_stats:
            return fields[0]
        return fields[0].collapsed([axis for axis in range(len(output)) if axis != 1])


class BatchNorm1d(_BatchNorm):
    """Normalises each channel of (N, C) or (N, C, L) over the batch, as `torch.nn.BatchNorm1d`.

    >>> BatchNorm1d(100).weights()
    {'weight': (100,), 'bias': (100,)}
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of (N, C, H, W) over the batch, as `torch.nn.BatchNorm2d`.

    >>> BatchNorm2d(64).buffers()
    {'running_mean': (64,), 'running_var': (64,), 'num_batches_tracked': ()}
    """

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalises each channel of (N, C, D, H, W) over the batch, as `torch.nn.BatchNorm3d`.

    >>> BatchNorm3d(8).output_shape((2, 8, 4, 7, 7))
    (2, 8, 4, 7, 7)
    """

    ranks = (5,)


class _InstanceNorm(_ChannelNorm):
    """What instance normalisation shares over all ranks."""

    affine: bool = False
    track_running_stats: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_rank(x, self.rank + 1, self.rank + 2)
        self._require_channels(x[-self.rank - 1])
        if not self.track_running_stats:
            require_several(prod(x[-self.rank :]), "channel of an instance", x)
        return x

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return fields[0] if self.track_running_stats else fields[0].collapsed(range(-self.rank, 0))


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, L) or (C, L), as `torch.nn.InstanceNorm1d`.

    >>> InstanceNorm1d(100).output_shape((20, 100, 40))
    (20, 100, 40)
    """

    rank = 1


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, H, W) or (C, H, W), as `torch.nn.InstanceNorm2d`.

    >>> InstanceNorm2d(100, affine=True).weights()
    {'weight': (100,), 'bias': (100,)}
    """

    rank = 2


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each instance of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.InstanceNorm3d`.

    >>> InstanceNorm3d(8).output_shape((2, 8, 4, 7, 7))
    (2, 8, 4, 7, 7)
    """

    rank = 3


class _LazyNorm(Lazy):
    """What the lazy kinds share: channels are axis 1 even where the batch is left out (torch then refuses the input
    unless both agree), and all of them are affine and track statistics unless told otherwise."""

    becomes: ClassVar[type[Layer]] = BatchNorm1d
    channel_axis = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.arguments = {**cls.arguments, "affine": True, "track_running_stats": True}

    def resolve(self, *inputs: Shape) -> Layer:
        if len(inputs[0]) < 2:
            raise ShapeError(f"expected an input with channels, received {show_shape(inputs[0])}")
        return super().resolve(*inputs)


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


def scale_and_shift(shape: Shape, scale: Any, shift: Any) -> Mapping[str, Shape]:
    """The learned tensors that there are of a scale and a shift."""
    if not scale:
        return {}
    return {"weight": shape, "bias": shape} if shift else {"weight": shape}


def norm_work(elements: Dim, statistics: bool, affine: Any) -> Work:
    """The work on so many elements; statistics only where they are taken of the input."""
    return {"stat": elements if statistics else 0, "norm": elements, "affine": elements if affine else 0}


def require_several(values: Dim, whose: str, shape: Shape) -> None:
    """Raise ShapeError where statistics would be taken of a single value."""
    what = f"needs more than 1 value for each {whose} to take statistics of, received {show_shape(shape)}"
    require(at_least(values, 2), what)
