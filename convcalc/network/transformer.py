"""The encoder block of a transformer, a composite of layers, as in torch.nn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc.algebra.types import Dim
from convcalc.errors import SpecError
from convcalc.layers.activation import GELU, ReLU
from convcalc.layers.attention import MultiheadAttention
from convcalc.layers.dropout import Dropout
from convcalc.layers.linear import Linear
from convcalc.layers.norm import LayerNorm
from convcalc.network.module import Module


class TransformerEncoderLayer(Module):
    """Self-attention and two linear layers, each with a shortcut and a norm, as `torch.nn.TransformerEncoderLayer`.

    Source: arXiv:1706.03762, section 3.1; with ``norm_first`` arXiv:2002.04745. Attention is in `layers.attention`.
    Takes (L, N, d_model), (N, L, d_model) with ``batch_first``, or (L, d_model). ``activation`` is "relu", "gelu"
    or anything that maps a tensor to a tensor, such as ``nn.SiLU()``. Raises SpecError for arguments its layers refuse.

    >>> from convcalc import trace
    >>> trace(TransformerEncoderLayer(512, 8), (10, 32, 512)).nodes[-1].output_shape
    (10, 32, 512)
    """

    def __init__(
        self,
        d_model: Dim,
        nhead: Dim,
        dim_feedforward: Dim = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return the block's output, shaped as ``src``; masks change neither shapes nor counts."""
        masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask, "is_causal": is_causal}
        if self.norm_first:
            x = src + self._attend(self.norm1(src), masks)
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(src + self._attend(src, masks))
        return self.norm2(x + self._feed_forward(x))

    def _attend(self, x: Any, masks: dict[str, Any]) -> Any:
        return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

    def _feed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


def _activation(activation: Any) -> Any:
    """Return the layer that an activation names, or the activation itself if it can be called; raise SpecError."""
    if isinstance(activation, str) and activation in ("relu", "gelu"):
        return ReLU() if activation == "relu" else GELU()
    if callable(activation) and not isinstance(activation, type):
        return activation
    what = f"activation must be 'relu', 'gelu' or a layer; received {activation!r}"
    hint = "call the class to make a layer: nn.SiLU(), not nn.SiLU"
    raise SpecError(what, where="TransformerEncoderLayer", hint=hint)
