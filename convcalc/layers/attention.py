"""Multi-head attention: every position of a query looks at every position of a key.

Sources: Vaswani et al., *Attention Is All You Need*, arXiv:1706.03762, and torch's documentation. Blocks built on it
stand in `network.transformer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, equal, prod, show_shape, truth
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Layer, Output, record
from convcalc.layers.checks import require, require_rank, require_size
from convcalc.layers.work import Work

PROJECTION_MACS = Formula(
    "multiply–accumulates of attention's projections",
    "n*e*(2*l*e + s*(k + v))",
    {
        "n": "batch size",
        "e": "embedding size",
        "l": "positions of the query",
        "s": "positions of the key",
        "k": "key features",
        "v": "value features",
    },
    slips={"output projection forgotten": "n*e*(l*e + s*(k + v))", "batch forgotten": "e*(2*l*e + s*(k + v))"},
    source="arXiv:1706.03762, section 3.2.2: query, key, value and output are projected",
)

ATTENTION_MACS = Formula(
    "multiply–accumulates of attention itself",
    "2*n*l*s*e",
    {"n": "batch size", "l": "positions of the query", "s": "positions attended to", "e": "embedding size"},
    slips={"only the scores": "n*l*s*e", "square of the query": "2*n*l*l*e"},
    source="arXiv:1706.03762, section 3.2.1: scores QKᵀ and their product with V, over all heads together",
)


class MultiheadAttention(Layer):
    """Attention of a query (L, N, E) on a key (S, N, kdim) and a value (S, N, vdim), as `torch.nn.MultiheadAttention`.

    With ``batch_first`` the batch comes first; without a batch there are two axes. A call returns the output, shaped as
    the query, and the weights (N, L, S), averaged over the heads unless told otherwise, or None in their place.

    >>> MultiheadAttention(512, 8).output_shape((10, 2, 512), (20, 2, 512), (20, 2, 512))
    (10, 2, 512)
    """

    arity: ClassVar[tuple[int, int]] = (3, 3)

    embed_dim: Dim
    num_heads: Dim
    dropout: float = 0.0
    bias: bool = True
    add_bias_kv: bool = False
    add_zero_attn: bool = False
    kdim: Dim | None = None
    vdim: Dim | None = None
    batch_first: bool = False
    factory: ClassVar[bool] = True

    def check(self) -> None:
        self.normalise(embed_dim=self.positive("embed_dim"), num_heads=self.positive("num_heads"))
        if truth(equal(self.embed_dim % self.num_heads, 0)) is False:
            raise SpecError(
                f"embed_dim must be divisible by num_heads; received {self.embed_dim} and {self.num_heads}",
                where="MultiheadAttention",
            )
        for name in ("kdim", "vdim"):
            if getattr(self, name) is not None:
                self.normalise(**{name: self.positive(name)})

    @property
    def _features(self) -> tuple[Dim, Dim]:
        """Features of key and value."""
        kdim = self.embed_dim if self.kdim is None else self.kdim
        return kdim, self.embed_dim if self.vdim is None else self.vdim

    def __call__(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Record a call; returns the output and the weights, or None where they are not needed.

        Raises ShapeError for masks that do not fit; they change neither shapes nor counts.
        """
        output = record(self, query, key, value)
        self._check_masks(query.shape, key.shape, key_padding_mask, attn_mask)
        if is_causal and attn_mask is None:
            raise SpecError("is_causal needs the attn_mask that it speaks of (as in torch)", where=repr(self))
        if not need_weights:
            return output, None
        name = "weights" if average_attn_weights else "head_weights"
        return output, record(Output(self, name), output, query, key, value)

    def _check_masks(self, query: Shape, key: Shape, key_padding_mask: Any, attn_mask: Any) -> None:
        n, targets, sources = self._sizes(query, key)
        one_for_all, one_each = (targets, sources), (prod(n) * self.num_heads, targets, sources)
        for name, mask, fitting in (
            ("key_padding_mask", key_padding_mask, [(*n, sources)]),
            ("attn_mask", attn_mask, [one_for_all, one_each]),
        ):
            if mask is not None and mask.shape not in fitting:
                wanted = " or ".join(map(show_shape, fitting))
                what = f"expected {name} of {wanted}, received {show_shape(mask.shape)}"
                raise ShapeError(what, where=repr(self))

    def _sizes(self, query: Shape, key: Shape) -> tuple[Shape, Dim, Dim]:
        """The batch (an empty shape without one), and the positions of query and key."""
        if len(query) == 2:
            return (), query[0], key[0]
        at, batch = (1, 0) if self.batch_first else (0, 1)
        return (query[batch],), query[at], key[at]

    def weights(self) -> Mapping[str, Shape]:
        e, (k, v) = self.embed_dim, self._features
        if k == e and v == e:
            names: dict[str, Shape] = {"in_proj_weight": (3 * e, e)}
        else:
            names = {"q_proj_weight": (e, e), "k_proj_weight": (e, k), "v_proj_weight": (e, v)}
        if self.bias:
            names["in_proj_bias"] = (3 * e,)
        if self.add_bias_kv:
            names.update(bias_k=(1, 1, e), bias_v=(1, 1, e))
        names["out_proj.weight"] = (e, e)
        if self.bias:
            names["out_proj.bias"] = (e,)
        return names

    def output_shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        require_rank(query, 3, 2)
        shown = f"{show_shape(query)}, {show_shape(key)} and {show_shape(value)}"
        require(len(query) == len(key) == len(value), f"query, key and value must have as many axes; received {shown}")
        k, v = self._features
        require_size(query[-1], self.embed_dim, "embed_dim", "features of the query")
        require_size(key[-1], k, "kdim", "features of the key")
        require_size(value[-1], v, "vdim", "features of the value")
        for m, n in zip(key[:-1], value[:-1]):
            require(equal(m, n), f"key and value must be alike but for their features; received {shown}")
        if len(query) == 3:
            batch = 0 if self.batch_first else 1
            require_size(key[batch], query[batch], "the query's batch", "instances in the key")
        return query

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        n, targets, sources = self._sizes(*inputs[:2])
        each = (targets, self._attended(sources))
        return {"weights": (*n, *each), "head_weights": (*n, self.num_heads, *each)}

    def _attended(self, sources: Dim) -> Dim:
        """The positions attended to: those of the key, the learned one and the one of zeros."""
        return sources + (1 if self.add_bias_kv else 0) + (1 if self.add_zero_attn else 0)

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        n, targets, sources = self._sizes(*inputs[:2])
        e, batch, attended = self.embed_dim, prod(n), self._attended(sources)
        projections = PROJECTION_MACS(batch, e, targets, sources, *self._features)
        lines = batch * self.num_heads * targets  # of scores, each with a softmax of its own
        return {
            "mac": projections + ATTENTION_MACS(batch, targets, attended, e),
            "bias": 2 * batch * e * (targets + sources) if self.bias else 0,
            "exp": lines * attended,
            "add": lines * attended - lines,
            "mul": lines * attended + batch * targets * e,  # the softmax's divisions, and the scaling of the query
        }

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        positions = 1 if self.batch_first and len(output) == 3 else 0
        attended = join([field.collapsed([positions, -1]) for field in fields[1:]], inputs[1])
        joined = attended and join([fields[0].collapsed([-1]), attended], output)
        if joined is None:
            return None
        # a query that attends to what it came from sees it whole
        return joined.moved([axis if axis and axis.source not in joined.whole else None for axis in joined.axes])

    def further_field(self, name: str, main: Field) -> Field | None:
        return None  # the weights have axes of their own
