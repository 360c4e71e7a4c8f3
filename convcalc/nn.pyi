"""torch.nn's names, typed: written by `python -m tests.nn_stub` from the arguments that the kinds declare."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from convcalc.algebra.types import Dim
from convcalc.layers import activation as _activation
from convcalc.layers import adaptive as _adaptive
from convcalc.layers import attention as _attention
from convcalc.layers import axes as _axes
from convcalc.layers import base as _base
from convcalc.layers import conv as _conv
from convcalc.layers import dropout as _dropout
from convcalc.layers import embedding as _embedding
from convcalc.layers import linear as _linear
from convcalc.layers import local as _local
from convcalc.layers import merging as _merging
from convcalc.layers import norm as _norm
from convcalc.layers import padding as _padding
from convcalc.layers import pool as _pool
from convcalc.layers import recurrent as _recurrent
from convcalc.layers import resize as _resize
from convcalc.layers import shaping as _shaping
from convcalc.layers import shuffle as _shuffle
from convcalc.layers import slicing as _slicing
from convcalc.layers import softmax as _softmax
from convcalc.layers import transposed as _transposed
from convcalc.layers.base import Layer as Layer
from convcalc.layers.dropout import Identity as Identity
from convcalc.network.module import Module as Module
from convcalc.network.module import ModuleDict as ModuleDict
from convcalc.network.module import ModuleList as ModuleList
from convcalc.network.module import Sequential as Sequential
from convcalc.network.parameter import Buffer as Buffer
from convcalc.network.parameter import Parameter as Parameter
from convcalc.network.transformer import TransformerEncoderLayer as TransformerEncoderLayer

_Axes1: TypeAlias = Dim | tuple[Dim] | list[Dim]
_Axes2: TypeAlias = Dim | tuple[Dim, Dim] | list[Dim]
_Axes3: TypeAlias = Dim | tuple[Dim, Dim, Dim] | list[Dim]
_Sizes: TypeAlias = Dim | Sequence[Dim]

class AdaptiveAvgPool1d(_adaptive.AdaptiveAvgPool1d):
    def __init__(self, output_size: _Axes1) -> None: ...

class AdaptiveAvgPool2d(_adaptive.AdaptiveAvgPool2d):
    def __init__(self, output_size: _Axes2) -> None: ...

class AdaptiveAvgPool3d(_adaptive.AdaptiveAvgPool3d):
    def __init__(self, output_size: _Axes3) -> None: ...

class AdaptiveMaxPool1d(_adaptive.AdaptiveMaxPool1d):
    def __init__(self, output_size: _Axes1, return_indices: bool = False) -> None: ...

class AdaptiveMaxPool2d(_adaptive.AdaptiveMaxPool2d):
    def __init__(self, output_size: _Axes2, return_indices: bool = False) -> None: ...

class AdaptiveMaxPool3d(_adaptive.AdaptiveMaxPool3d):
    def __init__(self, output_size: _Axes3, return_indices: bool = False) -> None: ...

class Add(_merging.Add):
    def __init__(self, scalar: Any = None) -> None: ...

class AlphaDropout(_dropout.AlphaDropout):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class AvgPool1d(_pool.AvgPool1d):
    def __init__(
        self,
        kernel_size: _Axes1,
        stride: _Axes1 | None = None,
        padding: _Axes1 | Literal["tf_same"] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None: ...

class AvgPool2d(_pool.AvgPool2d):
    def __init__(
        self,
        kernel_size: _Axes2,
        stride: _Axes2 | None = None,
        padding: _Axes2 | Literal["tf_same"] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Dim | None = None,
    ) -> None: ...

class AvgPool3d(_pool.AvgPool3d):
    def __init__(
        self,
        kernel_size: _Axes3,
        stride: _Axes3 | None = None,
        padding: _Axes3 | Literal["tf_same"] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Dim | None = None,
    ) -> None: ...

class BatchNorm1d(_norm.BatchNorm1d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class BatchNorm2d(_norm.BatchNorm2d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class BatchNorm3d(_norm.BatchNorm3d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Bilinear(_linear.Bilinear):
    def __init__(
        self,
        in1_features: Dim,
        in2_features: Dim,
        out_features: Dim,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class CELU(_activation.CELU):
    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None: ...

class Cat(_merging.Cat):
    def __init__(self, dim: Dim = 0) -> None: ...

class ChannelShuffle(_shuffle.ChannelShuffle):
    def __init__(self, groups: Dim) -> None: ...

class CircularPad1d(_padding.CircularPad1d):
    def __init__(self, padding: Any) -> None: ...

class CircularPad2d(_padding.CircularPad2d):
    def __init__(self, padding: Any) -> None: ...

class CircularPad3d(_padding.CircularPad3d):
    def __init__(self, padding: Any) -> None: ...

class ConstantPad1d(_padding.ConstantPad1d):
    def __init__(self, padding: Any, value: Any) -> None: ...

class ConstantPad2d(_padding.ConstantPad2d):
    def __init__(self, padding: Any, value: Any) -> None: ...

class ConstantPad3d(_padding.ConstantPad3d):
    def __init__(self, padding: Any, value: Any) -> None: ...

class Conv1d(_conv.Conv1d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes1,
        stride: _Axes1 = 1,
        padding: _Axes1 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes1 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Conv2d(_conv.Conv2d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes2,
        stride: _Axes2 = 1,
        padding: _Axes2 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes2 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Conv3d(_conv.Conv3d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes3,
        stride: _Axes3 = 1,
        padding: _Axes3 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes3 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class ConvTranspose1d(_transposed.ConvTranspose1d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes1,
        stride: _Axes1 = 1,
        padding: _Axes1 = 0,
        output_padding: _Axes1 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes1 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class ConvTranspose2d(_transposed.ConvTranspose2d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes2,
        stride: _Axes2 = 1,
        padding: _Axes2 = 0,
        output_padding: _Axes2 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes2 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class ConvTranspose3d(_transposed.ConvTranspose3d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        kernel_size: _Axes3,
        stride: _Axes3 = 1,
        padding: _Axes3 = 0,
        output_padding: _Axes3 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes3 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Div(_merging.Div):
    def __init__(self, scalar: Any = None, reversed: bool = False) -> None: ...

class Dropout(_dropout.Dropout):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class Dropout1d(_dropout.Dropout1d):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class Dropout2d(_dropout.Dropout2d):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class Dropout3d(_dropout.Dropout3d):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class ELU(_activation.ELU):
    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None: ...

class Embedding(_embedding.Embedding):
    def __init__(
        self,
        num_embeddings: Dim,
        embedding_dim: Dim,
        padding_idx: Dim | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Exp(_activation.Exp):
    def __init__(self) -> None: ...

class Expand(_axes.Expand):
    def __init__(self, sizes: _Sizes) -> None: ...

class FeatureAlphaDropout(_dropout.FeatureAlphaDropout):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None: ...

class Flatten(_shaping.Flatten):
    def __init__(self, start_dim: Dim = 1, end_dim: Dim = -1) -> None: ...

class GELU(_activation.GELU):
    def __init__(self, approximate: str = "none") -> None: ...

class GLU(_softmax.GLU):
    def __init__(self, dim: Dim = -1) -> None: ...

class GRU(_recurrent.GRU):
    def __init__(
        self,
        input_size: Dim,
        hidden_size: Dim,
        num_layers: Dim = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class GRUCell(_recurrent.GRUCell):
    def __init__(
        self, input_size: Dim, hidden_size: Dim, bias: bool = True, *, device: Any = None, dtype: Any = None
    ) -> None: ...

class GroupNorm(_norm.GroupNorm):
    def __init__(
        self,
        num_groups: Dim,
        num_channels: Dim,
        eps: float = 1e-05,
        affine: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Hardshrink(_activation.Hardshrink):
    def __init__(self, lambd: float = 0.5) -> None: ...

class Hardsigmoid(_activation.Hardsigmoid):
    def __init__(self, inplace: bool = False) -> None: ...

class Hardswish(_activation.Hardswish):
    def __init__(self, inplace: bool = False) -> None: ...

class Hardtanh(_activation.Hardtanh):
    def __init__(
        self,
        min_val: Any = -1.0,
        max_val: Any = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None: ...

class IndexSelect(_embedding.IndexSelect):
    def __init__(self, dim: Dim) -> None: ...

class InstanceNorm1d(_norm.InstanceNorm1d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class InstanceNorm2d(_norm.InstanceNorm2d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class InstanceNorm3d(_norm.InstanceNorm3d):
    def __init__(
        self,
        num_features: Dim,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LPPool1d(_pool.LPPool1d):
    def __init__(
        self, norm_type: Any, kernel_size: _Axes1, stride: _Axes1 | None = None, ceil_mode: bool = False
    ) -> None: ...

class LPPool2d(_pool.LPPool2d):
    def __init__(
        self, norm_type: Any, kernel_size: _Axes2, stride: _Axes2 | None = None, ceil_mode: bool = False
    ) -> None: ...

class LPPool3d(_pool.LPPool3d):
    def __init__(
        self, norm_type: Any, kernel_size: _Axes3, stride: _Axes3 | None = None, ceil_mode: bool = False
    ) -> None: ...

class LSTM(_recurrent.LSTM):
    def __init__(
        self,
        input_size: Dim,
        hidden_size: Dim,
        num_layers: Dim = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: Any = 0,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LSTMCell(_recurrent.LSTMCell):
    def __init__(
        self, input_size: Dim, hidden_size: Dim, bias: bool = True, *, device: Any = None, dtype: Any = None
    ) -> None: ...

class LayerNorm(_norm.LayerNorm):
    def __init__(
        self,
        normalized_shape: _Sizes,
        eps: float = 1e-05,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Lazy(_base.Lazy):
    def __init__(self, *, device: Any = None, dtype: Any = None) -> None: ...

class LazyBatchNorm1d(_norm.LazyBatchNorm1d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyBatchNorm2d(_norm.LazyBatchNorm2d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyBatchNorm3d(_norm.LazyBatchNorm3d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConv1d(_conv.LazyConv1d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes1,
        stride: _Axes1 = 1,
        padding: _Axes1 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes1 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConv2d(_conv.LazyConv2d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes2,
        stride: _Axes2 = 1,
        padding: _Axes2 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes2 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConv3d(_conv.LazyConv3d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes3,
        stride: _Axes3 = 1,
        padding: _Axes3 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes3 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConvTranspose1d(_transposed.LazyConvTranspose1d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes1,
        stride: _Axes1 = 1,
        padding: _Axes1 = 0,
        output_padding: _Axes1 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes1 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConvTranspose2d(_transposed.LazyConvTranspose2d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes2,
        stride: _Axes2 = 1,
        padding: _Axes2 = 0,
        output_padding: _Axes2 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes2 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyConvTranspose3d(_transposed.LazyConvTranspose3d):
    def __init__(
        self,
        out_channels: Dim,
        kernel_size: _Axes3,
        stride: _Axes3 = 1,
        padding: _Axes3 = 0,
        output_padding: _Axes3 = 0,
        groups: Dim = 1,
        bias: bool = True,
        dilation: _Axes3 = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyInstanceNorm1d(_norm.LazyInstanceNorm1d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyInstanceNorm2d(_norm.LazyInstanceNorm2d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyInstanceNorm3d(_norm.LazyInstanceNorm3d):
    def __init__(
        self,
        eps: float = 1e-05,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LazyLinear(_linear.LazyLinear):
    def __init__(self, out_features: Dim, bias: bool = True, *, device: Any = None, dtype: Any = None) -> None: ...

class LeakyReLU(_activation.LeakyReLU):
    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None: ...

class Linear(_linear.Linear):
    def __init__(
        self, in_features: Dim, out_features: Dim, bias: bool = True, *, device: Any = None, dtype: Any = None
    ) -> None: ...

class LocalResponseNorm(_pool.LocalResponseNorm):
    def __init__(self, size: Dim, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0) -> None: ...

class LocallyConnected1d(_local.LocallyConnected1d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        input_size: _Axes1,
        kernel_size: _Axes1,
        stride: _Axes1 = 1,
        padding: _Axes1 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes1 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LocallyConnected2d(_local.LocallyConnected2d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        input_size: _Axes2,
        kernel_size: _Axes2,
        stride: _Axes2 = 1,
        padding: _Axes2 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes2 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LocallyConnected3d(_local.LocallyConnected3d):
    def __init__(
        self,
        in_channels: Dim,
        out_channels: Dim,
        input_size: _Axes3,
        kernel_size: _Axes3,
        stride: _Axes3 = 1,
        padding: _Axes3 | Literal["same", "valid", "tf_same"] = 0,
        dilation: _Axes3 = 1,
        groups: Dim = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class LogSigmoid(_activation.LogSigmoid):
    def __init__(self) -> None: ...

class LogSoftmax(_softmax.LogSoftmax):
    def __init__(self, dim: Dim | None = None) -> None: ...

class MatMul(_linear.MatMul):
    def __init__(self) -> None: ...

class MaxPool1d(_pool.MaxPool1d):
    def __init__(
        self,
        kernel_size: _Axes1,
        stride: _Axes1 | None = None,
        padding: _Axes1 | Literal["tf_same"] = 0,
        dilation: _Axes1 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MaxPool2d(_pool.MaxPool2d):
    def __init__(
        self,
        kernel_size: _Axes2,
        stride: _Axes2 | None = None,
        padding: _Axes2 | Literal["tf_same"] = 0,
        dilation: _Axes2 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MaxPool3d(_pool.MaxPool3d):
    def __init__(
        self,
        kernel_size: _Axes3,
        stride: _Axes3 | None = None,
        padding: _Axes3 | Literal["tf_same"] = 0,
        dilation: _Axes3 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None: ...

class MaxUnpool1d(_transposed.MaxUnpool1d):
    def __init__(self, kernel_size: _Axes1, stride: _Axes1 | None = None, padding: _Axes1 = 0) -> None: ...

class MaxUnpool2d(_transposed.MaxUnpool2d):
    def __init__(self, kernel_size: _Axes2, stride: _Axes2 | None = None, padding: _Axes2 = 0) -> None: ...

class MaxUnpool3d(_transposed.MaxUnpool3d):
    def __init__(self, kernel_size: _Axes3, stride: _Axes3 | None = None, padding: _Axes3 = 0) -> None: ...

class Maximum(_merging.Maximum):
    def __init__(self) -> None: ...

class Mean(_shaping.Mean):
    def __init__(self, dim: _Sizes | None = None, keepdim: bool = False) -> None: ...

class Mish(_activation.Mish):
    def __init__(self, inplace: bool = False) -> None: ...

class Mul(_merging.Mul):
    def __init__(self, scalar: Any = None) -> None: ...

class MultiheadAttention(_attention.MultiheadAttention):
    def __init__(
        self,
        embed_dim: Dim,
        num_heads: Dim,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: Dim | None = None,
        vdim: Dim | None = None,
        batch_first: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class Normalize(_softmax.Normalize):
    def __init__(self, p: float = 2.0, dim: Dim = 1, eps: float = 1e-12) -> None: ...

class PReLU(_activation.PReLU):
    def __init__(
        self, num_parameters: Dim = 1, init: float = 0.25, *, device: Any = None, dtype: Any = None
    ) -> None: ...

class Permute(_axes.Permute):
    def __init__(self, dims: _Sizes) -> None: ...

class PixelShuffle(_shuffle.PixelShuffle):
    def __init__(self, upscale_factor: Dim) -> None: ...

class PixelUnshuffle(_shuffle.PixelUnshuffle):
    def __init__(self, downscale_factor: Dim) -> None: ...

class RMSNorm(_norm.RMSNorm):
    def __init__(
        self,
        normalized_shape: _Sizes,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class RNN(_recurrent.RNN):
    def __init__(
        self,
        input_size: Dim,
        hidden_size: Dim,
        num_layers: Dim = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class RNNCell(_recurrent.RNNCell):
    def __init__(
        self,
        input_size: Dim,
        hidden_size: Dim,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None: ...

class RReLU(_activation.RReLU):
    def __init__(self, lower: float = 0.125, upper: float = 0.3333333333333333, inplace: bool = False) -> None: ...

class ReLU(_activation.ReLU):
    def __init__(self, inplace: bool = False) -> None: ...

class ReLU6(_activation.ReLU6):
    def __init__(self, inplace: bool = False) -> None: ...

class ReflectionPad1d(_padding.ReflectionPad1d):
    def __init__(self, padding: Any) -> None: ...

class ReflectionPad2d(_padding.ReflectionPad2d):
    def __init__(self, padding: Any) -> None: ...

class ReflectionPad3d(_padding.ReflectionPad3d):
    def __init__(self, padding: Any) -> None: ...

class ReplicationPad1d(_padding.ReplicationPad1d):
    def __init__(self, padding: Any) -> None: ...

class ReplicationPad2d(_padding.ReplicationPad2d):
    def __init__(self, padding: Any) -> None: ...

class ReplicationPad3d(_padding.ReplicationPad3d):
    def __init__(self, padding: Any) -> None: ...

class Reshape(_shaping.Reshape):
    def __init__(self, shape: Any) -> None: ...

class Roll(_axes.Roll):
    def __init__(self, shifts: _Sizes, dims: _Sizes | None = None) -> None: ...

class SELU(_activation.SELU):
    def __init__(self, inplace: bool = False) -> None: ...

class SiLU(_activation.SiLU):
    def __init__(self, inplace: bool = False) -> None: ...

class Sigmoid(_activation.Sigmoid):
    def __init__(self) -> None: ...

class Slice(_slicing.Slice):
    def __init__(self, index: Any) -> None: ...

class Softmax(_softmax.Softmax):
    def __init__(self, dim: Dim | None = None) -> None: ...

class Softmax2d(_softmax.Softmax2d):
    def __init__(self) -> None: ...

class Softmin(_softmax.Softmin):
    def __init__(self, dim: Dim | None = None) -> None: ...

class Softplus(_activation.Softplus):
    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None: ...

class Softshrink(_activation.Softshrink):
    def __init__(self, lambd: float = 0.5) -> None: ...

class Softsign(_activation.Softsign):
    def __init__(self) -> None: ...

class Squeeze(_axes.Squeeze):
    def __init__(self, dim: _Sizes | None = None) -> None: ...

class Stack(_merging.Stack):
    def __init__(self, dim: Dim = 0) -> None: ...

class Sub(_merging.Sub):
    def __init__(self, scalar: Any = None, reversed: bool = False) -> None: ...

class Sum(_shaping.Sum):
    def __init__(self, dim: _Sizes | None = None, keepdim: bool = False) -> None: ...

class Tanh(_activation.Tanh):
    def __init__(self) -> None: ...

class Tanhshrink(_activation.Tanhshrink):
    def __init__(self) -> None: ...

class Threshold(_activation.Threshold):
    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None: ...

class Transpose(_axes.Transpose):
    def __init__(self, dim0: Dim, dim1: Dim) -> None: ...

class Unflatten(_shaping.Unflatten):
    def __init__(self, dim: Dim, unflattened_size: Any) -> None: ...

class Unsqueeze(_axes.Unsqueeze):
    def __init__(self, dim: Dim) -> None: ...

class Upsample(_resize.Upsample):
    def __init__(
        self,
        size: _Sizes | None = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: Any = None,
        recompute_scale_factor: bool | None = None,
    ) -> None: ...

class UpsamplingBilinear2d(_resize.UpsamplingBilinear2d):
    def __init__(self, size: _Sizes | None = None, scale_factor: Any = None) -> None: ...

class UpsamplingNearest2d(_resize.UpsamplingNearest2d):
    def __init__(self, size: _Sizes | None = None, scale_factor: Any = None) -> None: ...

class ZeroPad1d(_padding.ZeroPad1d):
    def __init__(self, padding: Any) -> None: ...

class ZeroPad2d(_padding.ZeroPad2d):
    def __init__(self, padding: Any) -> None: ...

class ZeroPad3d(_padding.ZeroPad3d):
    def __init__(self, padding: Any) -> None: ...

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "Add",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "Cat",
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Div",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "Exp",
    "Expand",
    "FeatureAlphaDropout",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "IndexSelect",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "Lazy",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "LocallyConnected3d",
    "LogSigmoid",
    "LogSoftmax",
    "MatMul",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Maximum",
    "Mean",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Mul",
    "MultiheadAttention",
    "Normalize",
    "PReLU",
    "Parameter",
    "Permute",
    "PixelShuffle",
    "PixelUnshuffle",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "Reshape",
    "Roll",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Squeeze",
    "Stack",
    "Sub",
    "Sum",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TransformerEncoderLayer",
    "Transpose",
    "Unflatten",
    "Unsqueeze",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]
