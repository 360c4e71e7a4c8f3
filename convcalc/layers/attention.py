"""Multi-head attention (Vaswani et al., arXiv:1706.03762)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from convcalc.algebra.dims import prod, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Fields, Layer, Shapes, Tensors, Work, record
from convcalc.layers.demands import require, require_alike, require_size
from convcalc.layers.formulas import WHOLE_FIELD, rules

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
    mistakes={"output projection forgotten": "n*e*(l*e + s*(k + v))", "batch forgotten": "e*(2*l*e + s*(k + v))"},
    source="arXiv:1706.03762, section 3.2.2: query, key, value and output are projected",
)

ATTENTION_MACS = Formula(
    "multiply–accumulates of attention itself",
    "2*n*l*s*e",
    {"n": "batch size", "l": "positions of the query", "s": "positions attended to", "e": "embedding size"},
    mistakes={"only the scores": "n*l*s*e", "square of the query's positions": "2*n*l*l*e"},
    source="arXiv:1706.03762, section 3.2.1: scores QKᵀ and their product with V, over all heads together",
)


class MultiheadAttention(Layer):
    """Attention of a query (L, N, E) on a key (S, N, kdim) and a value (S, N, vdim), as `torch.nn.MultiheadAttention`.

    With ``batch_first`` the batch comes first; it may be absent. A call returns the output, shaped as the query, and
    the weights (N, L, S) or None.

    >>> MultiheadAttention(512, 8).output_shape((10, 2, 512), (20, 2, 512), (20, 2, 512))
    (10, 2, 512)
    """

    sheet = "mha"
    infers = {"embed_dim": -1}
    sheet_example = "x = input(197, 512)\nmha(8)(x, x, x)"
    printed = None
    alternatives = ("weights", "head_weights")

    arity = (3, 3)

    embed_dim: Dim
    num_heads: Dim
    dropout: float = 0.0
    bias: bool = True
    add_bias_kv: bool = False
    add_zero_attn: bool = False
    kdim: Dim | None = None
    vdim: Dim | None = None
    batch_first: bool = False
    factory = True
    formulas = rules(
        size=("as the query's",),
        macs=(PROJECTION_MACS, ATTENTION_MACS),
        field=(WHOLE_FIELD, "this holds along the positions attended to; along the others as the query's"),
    )

    def check(self) -> None:
        self.divisible("embed_dim", "num_heads")

    @property
    def _features(self) -> tuple[Dim, Dim]:
        """Return the features of key and value."""
        return self.kdim or self.embed_dim, self.vdim or self.embed_dim

    def torch_inputs(self, shapes: Sequence[Shape], read: Collection[str]) -> str:
        """Return the inputs and the option that says which weights are used, if any."""
        if not read:
            return "{all}, need_weights=False"
        return "{all}" + ", average_attn_weights=False" * ("head_weights" in read)

    def forward(
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
        """Record a call; masks change nothing, but raise ShapeError where they do not fit."""
        output = record(self, query, key, value)
        n, targets, sources, _ = self._sizes(query.shape, key.shape)
        self._check_mask("key_padding_mask", key_padding_mask, (*n, sources))
        self._check_mask("attn_mask", attn_mask, (targets, sources), (prod(n) * self.num_heads, targets, sources))
        if is_causal and attn_mask is None:
            raise SpecError("is_causal=True needs an attn_mask (as in torch)", where=repr(self))
        if not need_weights:
            return output, None
        name = "weights" if average_attn_weights else "head_weights"
        return output, self.further(name, output, query, key, value)

    def _check_mask(self, name: str, mask: Any, *fitting: Shape) -> None:
        shape = getattr(mask, "shape", None)
        if mask is not None and shape not in fitting:
            received = show_shape(shape) if isinstance(shape, tuple) else repr(mask)
            what = f"expected {name} of {' or '.join(map(show_shape, fitting))}, received {received}"
            raise ShapeError(what, where=repr(self))

    def _sizes(self, query: Shape, key: Shape) -> tuple[Shape, Dim, Dim, Dim]:
        """Return the batch, if any, the positions of query and of key, and the positions attended to."""
        at = int(self.batch_first and len(query) == 3)
        batch = () if len(query) == 2 else (query[1 - at],)
        return batch, query[at], key[at], key[at] + (self.add_bias_kv + self.add_zero_attn)

    def weights(self) -> Tensors:
        e, (k, v) = self.embed_dim, self._features
        is_one_matrix = k == e and v == e
        separate: Tensors = {"q_proj_weight": (e, e), "k_proj_weight": (e, k), "v_proj_weight": (e, v)}
        return {
            **({"in_proj_weight": (3 * e, e)} if is_one_matrix else separate),
            **({"in_proj_bias": (3 * e,)} if self.bias else {}),
            **({"bias_k": (1, 1, e), "bias_v": (1, 1, e)} if self.add_bias_kv else {}),
            "out_proj.weight": (e, e),
            **({"out_proj.bias": (e,)} if self.bias else {}),
        }

    def output_shape(self, *inputs: Shape) -> Shape:
        query, key, value = inputs
        self.require_rank(query, 3, 2)
        shown = f"{show_shape(query)}, {show_shape(key)} and {show_shape(value)}"
        what = f"query, key and value must have the same number of axes; received {shown}"
        require(len(query) == len(key) == len(value), what)
        k, v = self._features
        require_size(query[-1], self.embed_dim, "embed_dim", "features of the query")
        require_size(key[-1], k, "kdim", "features of the key")
        require_size(value[-1], v, "vdim", "features of the value")
        require_alike(key[:-1], value[:-1], f"key and value may differ only in their features; received {shown}")
        if len(query) == 3:
            batch = int(not self.batch_first)
            require_size(key[batch], query[batch], "the query's batch", "instances in the key")
        return query

    def further_outputs(self, *inputs: Shape) -> Tensors:
        n, targets, _, attended = self._sizes(*inputs[:2])
        return {"weights": (*n, targets, attended), "head_weights": (*n, self.num_heads, targets, attended)}

    def work(self, inputs: Shapes, output: Shape) -> Work:
        n, targets, sources, attended = self._sizes(*inputs[:2])
        e, batch = self.embed_dim, prod(n)
        projections = PROJECTION_MACS(batch, e, targets, sources, *self._features)
        rows = batch * self.num_heads * targets  # of scores, each with its own softmax
        return {
            "mac": projections + ATTENTION_MACS(batch, targets, attended, e),
            "bias": 2 * batch * e * (targets + sources) if self.bias else 0,
            "exp": rows * attended,
            "add": rows * attended - rows,
            "mul": rows * attended + batch * targets * e,  # the softmax's divisions, and the scaling of the query
        }

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        positions = int(self.batch_first and len(output) == 3)
        attended = join([field.collapsed([positions, -1]) for field in fields[1:]], inputs[1])
        joined = attended and join([fields[0].collapsed([-1]), attended], output)
        # a query that attends to the positions it was computed from sees all of them
        return joined and joined.each(lambda _, part: None if part.source in joined.whole else part)

    def further_field(self, name: str, main: Field) -> Field | None:
        return None  # the weights have axes of their own
