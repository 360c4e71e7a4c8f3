"""Strategies for matrix products, normalisation, activations, dropout, attention and recurrent layers.

Only draws; what is compared with torch stands in test_layers.py.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, case, nd, rarely, sizes

# torch has tensors without elements and layers without features; convcalc has none, so sizes start at 1
EXTENTS = st.integers(1, 5)


def shape(draw: Any, low: int, high: int) -> tuple[int, ...]:
    """An input of so many axes."""
    return sizes(draw, draw(st.integers(low, high)), 1, 5)


def number(draw: Any) -> Any:
    """A number of any sign; now and then what is none."""
    return rarely(draw, draw(st.sampled_from([0, 1, -1, 0.5, -0.5, 2.5])), draw(st.sampled_from([None, "a"])))


@case("Identity")
def identity(draw: Any, rank: int, kind: str) -> Case:
    return Case(draw(st.sampled_from([{}, {"size": 3}, {"in_features": 3, "p": 0.1}])), [shape(draw, 0, 5)])


@case("Linear", "LazyLinear")
def linear(draw: Any, rank: int, kind: str) -> Case:
    features = draw(EXTENTS)
    kwargs = {
        "in_features": rarely(draw, features, draw(st.sampled_from([features + 1, -1, 2.0]))),
        "out_features": rarely(draw, draw(EXTENTS), draw(st.sampled_from([-1, 2.0]))),
        "bias": draw(st.booleans()),
    }
    if kind == "LazyLinear":
        del kwargs["in_features"]
    return Case(kwargs, [rarely(draw, (*shape(draw, 0, 4), features), ())])


@case("Bilinear")
def bilinear(draw: Any, rank: int, kind: str) -> Case:
    features = draw(EXTENTS), draw(EXTENTS)
    rows = shape(draw, 0, 3)
    other = rarely(draw, rows, draw(st.sampled_from([(*rows, 1), rows[:-1], (*rows[:-1], 7), (1,)])))
    kwargs = {
        "in1_features": rarely(draw, features[0], draw(st.sampled_from([features[0] + 1, -1]))),
        "in2_features": rarely(draw, features[1], draw(st.sampled_from([features[1] + 1, -1]))),
        "out_features": rarely(draw, draw(EXTENTS), -1),
        "bias": draw(st.booleans()),
    }
    return Case(kwargs, [(*rows, features[0]), (*other, features[1])])


@case("Embedding")
def embedding(draw: Any, rank: int, kind: str) -> Case:
    rows = draw(EXTENTS)
    kwargs = {
        "num_embeddings": rarely(draw, rows, -1),
        "embedding_dim": rarely(draw, draw(EXTENTS), -1),
        "padding_idx": draw(st.none() | st.integers(-rows, rows - 1) | st.sampled_from([rows, -rows - 1])),
        "max_norm": draw(st.sampled_from([None, 1.0])),
        "norm_type": draw(st.sampled_from([1.0, 2.0])),
        "scale_grad_by_freq": draw(st.booleans()),
        "sparse": draw(st.booleans()),
        "_freeze": draw(st.booleans()),
    }
    return Case(kwargs, [shape(draw, 0, 4)], integers=rows)


@case(*nd("Dropout"), "Dropout", "AlphaDropout", "FeatureAlphaDropout")
def dropout(draw: Any, rank: int, kind: str) -> Case:
    # a NaN is refused here by some kinds in the constructor, in torch by some in forward and by some never
    p = rarely(draw, draw(st.sampled_from([0, 0.2, 0.5, 1, True])), draw(st.sampled_from([-0.1, 1.1, None, "a"])))
    return Case({"p": p, "inplace": draw(st.booleans())}, [shape(draw, 0, 6)])


BATCH_KINDS = nd("BatchNorm", "LazyBatchNorm")
INSTANCE_KINDS = nd("InstanceNorm", "LazyInstanceNorm")


@case(*BATCH_KINDS, *INSTANCE_KINDS)
def channel_norm(draw: Any, rank: int, kind: str) -> Case:
    channels = draw(EXTENTS)
    spatial = sizes(draw, rank, 1, 3)
    kwargs = {
        "num_features": rarely(draw, channels, draw(st.sampled_from([channels + 1, -1]))),
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "momentum": draw(st.sampled_from([0.1, 1])) if "Instance" in kind else draw(st.sampled_from([0.1, None])),
        "affine": draw(st.booleans()),
        "track_running_stats": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    for name in draw(st.sets(st.sampled_from(["affine", "track_running_stats", "bias"]))):
        del kwargs[name]
    if kind.startswith("Lazy"):
        del kwargs["num_features"]
    elif not any(kwargs.get(name, "Batch" in kind) for name in ("affine", "track_running_stats")):
        kwargs["num_features"] = abs(kwargs["num_features"])  # torch makes nothing of it then, and lets -1 pass
    full = (draw(st.integers(1, 2)), channels, *spatial)
    odd = draw(st.sampled_from([full[1:], full[:2], full[:1], (1, *full), (channels, *full[1:])]))
    return Case(kwargs, [rarely(draw, full, odd)])


@case("GroupNorm")
def group_norm(draw: Any, rank: int, kind: str) -> Case:
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3))
    kwargs = {
        "num_groups": rarely(draw, groups, draw(st.sampled_from([2, 4, -1]))),
        "num_channels": channels,
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "affine": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    received = rarely(draw, channels, draw(st.sampled_from([channels + 1, 2 * channels])))
    full = (draw(st.integers(1, 2)), received, *shape(draw, 0, 3))
    return Case(kwargs, [rarely(draw, full, draw(st.sampled_from([full[1:], full[:1], ()])))])


@case("LayerNorm", "RMSNorm")
def shape_norm(draw: Any, rank: int, kind: str) -> Case:
    last = shape(draw, 1, 3)
    given = rarely(draw, last, draw(st.sampled_from([(), (-1,), (2.0,), (*last, 2), (last[0] + 1, *last[1:])])))
    kwargs = {
        "normalized_shape": draw(st.sampled_from([given, list(given), given[0]])) if len(given) == 1 else given,
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "elementwise_affine": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    if kind == "RMSNorm":
        del kwargs["bias"]
        kwargs["eps"] = draw(st.sampled_from([None, 0.1]))
    return Case(kwargs, [rarely(draw, (*shape(draw, 0, 2), *last), last[1:])])


@case("LocalResponseNorm")
def local_response_norm(draw: Any, rank: int, kind: str) -> Case:
    kwargs = {
        "size": rarely(draw, draw(st.integers(1, 9)), draw(st.sampled_from([0, -1, 2.0]))),
        "alpha": draw(st.sampled_from([1e-4, 1.0])),
        "beta": draw(st.sampled_from([0.75, 0.5])),
        "k": draw(st.sampled_from([1.0, 2.0])),
    }
    return Case(kwargs, [shape(draw, 1, 6)])


INPLACE = ("ReLU", "ReLU6", "SELU", "Hardsigmoid", "Hardswish", "SiLU", "Mish")
PLAIN = ("LogSigmoid", "Sigmoid", "Softsign", "Tanh", "Tanhshrink")
NUMBERS = {
    "CELU": ("alpha",),
    "ELU": ("alpha",),
    "Hardshrink": ("lambd",),
    "Hardtanh": ("min_val", "max_val"),
    "LeakyReLU": ("negative_slope",),
    "RReLU": ("lower", "upper"),
    "Softplus": ("beta", "threshold"),
    "Softshrink": ("lambd",),
    "Threshold": ("threshold", "value"),
}


@case(*INPLACE, *PLAIN, *NUMBERS)
def pointwise_activation(draw: Any, rank: int, kind: str) -> Case:
    kwargs = {name: number(draw) for name in NUMBERS.get(kind, ())}
    if kind not in PLAIN and kind not in ("Hardshrink", "Softplus", "Softshrink"):
        kwargs["inplace"] = draw(st.booleans())
    if kind == "Hardtanh" and draw(st.booleans()):
        kwargs["max_value"] = draw(st.sampled_from([None, 3.0]))
        kwargs["min_value"] = draw(st.sampled_from([None, -3.0]))
    if kind != "Threshold":  # the rest have defaults
        kwargs = {name: value for name, value in kwargs.items() if draw(st.booleans())}
    if draw(st.integers(0, 11)) == 0:
        kwargs["nonsense"] = 1
    return Case(kwargs, [shape(draw, 0, 5)])


@case("GELU")
def gelu(draw: Any, rank: int, kind: str) -> Case:
    return Case({"approximate": draw(st.sampled_from(["none", "tanh", "erf"]))}, [shape(draw, 0, 5)])


@case("PReLU")
def prelu(draw: Any, rank: int, kind: str) -> Case:
    full = shape(draw, 0, 5)
    channels = full[1] if len(full) > 1 else 1
    slopes = draw(st.sampled_from([1, channels, rarely(draw, channels, -1), rarely(draw, 1, 3)]))
    return Case({"num_parameters": slopes, "init": draw(st.sampled_from([0.25, 0.1]))}, [full])


@case("GLU")
def glu(draw: Any, rank: int, kind: str) -> Case:
    full = shape(draw, 0, 4)
    dim = draw(st.integers(-5, 4))
    if -len(full) <= dim < len(full):  # an even size there, mostly
        at = dim % len(full)
        full = rarely(draw, (*full[:at], 2 * full[at], *full[at + 1 :]), full)
    return Case({"dim": dim} if draw(st.booleans()) else {}, [full])


@case("Softmax", "Softmin", "LogSoftmax")
def softmax(draw: Any, rank: int, kind: str) -> Case:
    full = shape(draw, 0, 5)
    inside = st.integers(-max(len(full), 1), max(len(full), 1) - 1)
    return Case({"dim": rarely(draw, draw(st.none() | inside), draw(st.sampled_from([5, -6, 1.0])))}, [full])


@case("Softmax2d")
def softmax2d(draw: Any, rank: int, kind: str) -> Case:
    return Case({}, [rarely(draw, shape(draw, 3, 4), shape(draw, 0, 6))])


@case("MultiheadAttention")
def attention(draw: Any, rank: int, kind: str) -> Case:
    heads = draw(st.integers(1, 3))
    embed = heads * draw(st.integers(1, 3))
    kdim, vdim = draw(st.none() | EXTENTS), draw(st.none() | EXTENTS)
    kwargs = {
        "embed_dim": embed,
        "num_heads": rarely(draw, heads, draw(st.sampled_from([0, -1, 2]))),
        "dropout": draw(st.sampled_from([0.0, 0.5])),
        "bias": draw(st.booleans()),
        "add_bias_kv": draw(st.booleans()),
        "add_zero_attn": draw(st.booleans()),
        "kdim": rarely(draw, kdim, -1),
        "vdim": rarely(draw, vdim, -1),
        "batch_first": draw(st.booleans()),
    }
    batch, length = draw(EXTENTS), draw(EXTENTS)
    keys = [rarely(draw, length, length + 1), rarely(draw, batch, batch + 1)]
    queries = [draw(EXTENTS), batch]
    if kwargs["batch_first"]:
        keys.reverse(), queries.reverse()
    inputs = [
        (*queries, rarely(draw, embed, embed + 1)),
        (*keys, rarely(draw, kdim or embed, embed + 2)),
        (*rarely(draw, keys, [length, batch]), rarely(draw, vdim or embed, embed + 2)),
    ]
    if draw(st.booleans()):  # without a batch
        inputs = [shape[::2] for shape in inputs]
    inputs[draw(st.integers(0, 2))] = rarely(draw, inputs[0], draw(st.sampled_from([inputs[0][1:], (1, *inputs[0])])))
    calls = {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())}
    return Case(kwargs, inputs, calls=calls)


@case("RNN", "LSTM", "GRU")
def recurrent(draw: Any, rank: int, kind: str) -> Case:
    features, hidden = draw(EXTENTS), draw(EXTENTS)
    kwargs = {
        "input_size": rarely(draw, features, draw(st.sampled_from([features + 1, 0, -1, 2.0]))),
        "hidden_size": rarely(draw, hidden, draw(st.sampled_from([0, -1, 2.0]))),
        "num_layers": rarely(draw, draw(st.integers(1, 3)), draw(st.sampled_from([0, -1, 1.0]))),
        "bias": rarely(draw, draw(st.booleans()), 1),
        "batch_first": draw(st.booleans()),
        "dropout": rarely(draw, draw(st.sampled_from([0, 0.5, 1])), draw(st.sampled_from([1.5, -0.1, True, "a"]))),
        "bidirectional": draw(st.booleans()),
        "nonlinearity": rarely(draw, draw(st.sampled_from(["tanh", "relu"])), "sigmoid"),
        "proj_size": draw(st.sampled_from([0, rarely(draw, max(hidden - 1, 0), draw(st.sampled_from([hidden, -1])))])),
    }
    for name in [*kwargs][2:]:
        if not draw(st.booleans()):
            del kwargs[name]
    for name, owner in (("nonlinearity", "RNN"), ("proj_size", "LSTM")):
        if owner != kind and draw(st.integers(0, 19)):
            kwargs.pop(name, None)
    full = (draw(EXTENTS), draw(EXTENTS), features)
    return Case(
        kwargs, [rarely(draw, draw(st.sampled_from([full, full[1:]])), draw(st.sampled_from([(1, *full), full[2:]])))]
    )


@case("RNNCell", "LSTMCell", "GRUCell")
def cell(draw: Any, rank: int, kind: str) -> Case:
    features = draw(EXTENTS)
    kwargs = {
        "input_size": rarely(draw, features, draw(st.sampled_from([features + 1, 0, -1]))),
        "hidden_size": rarely(draw, draw(EXTENTS), -1),
        "bias": draw(st.booleans()),
    }
    if draw(st.integers(0, 11)) == 0 or (kind == "RNNCell" and draw(st.booleans())):
        kwargs["nonlinearity"] = rarely(draw, draw(st.sampled_from(["tanh", "relu"])), "sigmoid")
    full = (draw(EXTENTS), features)
    return Case(
        kwargs, [rarely(draw, draw(st.sampled_from([full, full[1:]])), draw(st.sampled_from([(1, *full), ()])))]
    )
