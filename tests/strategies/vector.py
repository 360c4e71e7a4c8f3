"""Strategies for matrix products, normalisation, activations, dropout, attention and recurrent layers.

These only draw; test_layers.py compares with torch.
"""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, case, nd, sizes

# torch has tensors without elements and layers without features; convcalc does not, so sizes start at 1
EXTENTS = st.integers(1, 5)


def shape(draw: Draw, low: int, high: int) -> tuple[int, ...]:
    """Draw an input with this number of axes."""
    return sizes(draw, draw(st.integers(low, high)), 1, 5)


def number(draw: Draw, positive: bool = False) -> Any:
    """Draw a number of any sign; when off, something else."""
    numbers = [0.5, 1, 2.5] if positive else [0, 1, -1, 0.5, -0.5, 2.5]
    return draw.off(draw(st.sampled_from(numbers)), None, "a")


@case("Identity")
def identity(draw: Draw, rank: int, kind: str) -> Case:
    return Case(draw(st.sampled_from([{}, {"size": 3}, {"in_features": 3, "p": 0.1}])), [shape(draw, 0, 5)])


@case("Linear", "LazyLinear")
def linear(draw: Draw, rank: int, kind: str) -> Case:
    features = draw(EXTENTS)
    kwargs = {
        "in_features": draw.off(features, features + 1, -1, 2.0),
        "out_features": draw.off(draw(EXTENTS), -1, 2.0),
        "bias": draw(st.booleans()),
    }
    if kind == "LazyLinear":
        del kwargs["in_features"]
    return Case(kwargs, [draw.off((*shape(draw, 0, 4), features), ())])


@case("Bilinear")
def bilinear(draw: Draw, rank: int, kind: str) -> Case:
    features = draw(EXTENTS), draw(EXTENTS)
    rows = shape(draw, 0, 3)
    kwargs = {
        "in1_features": draw.off(features[0], features[0] + 1, -1),
        "in2_features": draw.off(features[1], features[1] + 1, -1),
        "out_features": draw.off(draw(EXTENTS), -1),
        "bias": draw(st.booleans()),
    }
    other = draw.off(rows, (*rows, 1), rows[:-1], (*rows[:-1], 7), (1,))
    return Case(kwargs, [(*rows, features[0]), (*other, features[1])])


@case("Embedding")
def embedding(draw: Draw, rank: int, kind: str) -> Case:
    rows = draw(EXTENTS)
    kwargs = {
        "num_embeddings": draw.off(rows, -1),
        "embedding_dim": draw.off(draw(EXTENTS), -1),
        "padding_idx": draw.off(draw(st.none() | st.integers(-rows, rows - 1)), rows, -rows - 1),
        "max_norm": draw(st.sampled_from([None, 1.0])),
        "norm_type": draw(st.sampled_from([1.0, 2.0])),
        "scale_grad_by_freq": draw(st.booleans()),
        "sparse": draw(st.booleans()),
        "_freeze": draw(st.booleans()),
    }
    return Case(kwargs, [shape(draw, 0, 4)], integers=rows)


@case(*nd("Dropout"), "Dropout", "AlphaDropout", "FeatureAlphaDropout")
def dropout(draw: Draw, rank: int, kind: str) -> Case:
    # some kinds refuse NaN in the constructor here, in torch some do in forward and some never
    p = draw.off(draw(st.sampled_from([0, 0.2, 0.5, 1, True])), -0.1, 1.1, None, "a")
    x = draw.off(shape(draw, 2, 3), (3,), (1, 2, 3, 4)) if kind == "Dropout1d" else shape(draw, 0, 6)
    return Case({"p": p, "inplace": draw(st.booleans())}, [x])


BATCH_KINDS = nd("BatchNorm", "LazyBatchNorm")
INSTANCE_KINDS = nd("InstanceNorm", "LazyInstanceNorm")


@case(*BATCH_KINDS, *INSTANCE_KINDS)
def channel_norm(draw: Draw, rank: int, kind: str) -> Case:
    instance, lazy = "Instance" in kind, kind.startswith("Lazy")
    channels = draw(EXTENTS)
    kwargs = {
        "num_features": draw.off(channels, channels + 1, -1),
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "momentum": draw(st.sampled_from([0.1, 1] if instance else [0.1, None])),
        "affine": draw(st.booleans()),
        "track_running_stats": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    for name in draw(st.sets(st.sampled_from(["affine", "track_running_stats", "bias"]))):
        del kwargs[name]
    held = {name: kwargs.get(name, not instance or lazy) for name in ("affine", "track_running_stats")}
    if lazy:
        del kwargs["num_features"]
    elif not any(held.values()):
        kwargs["num_features"] = abs(kwargs["num_features"])  # torch does not use it then, and accepts -1
    batch, spatial = draw(st.integers(1, 2)), sizes(draw, rank, 1, 3)
    if not held["track_running_stats"] and set(spatial) == {1} and (instance or batch == 1):
        # statistics need more than one value
        spatial = draw.off((*spatial[:-1], 2), spatial)
    full = (batch, channels, *spatial)
    shapes = [full]
    if instance and (not lazy or spatial[0] == channels or not any(held.values())):
        shapes.append(full[1:])  # lazy kinds take the size of the second axis, with or without a batch
    elif not instance and rank == 1 and (held["track_running_stats"] or batch > 1):
        shapes.append(full[:2])
    odd = (full[1:], full[:2], full[:1], (1, *full), (channels, *full[1:]))
    return Case(kwargs, [draw.off(draw(st.sampled_from(shapes)), *odd)])


@case("GroupNorm")
def group_norm(draw: Draw, rank: int, kind: str) -> Case:
    groups = draw(st.integers(1, 3))
    channels = groups * draw(st.integers(1, 3))
    kwargs = {
        "num_groups": draw.off(groups, 2, 4, -1),
        "num_channels": channels,
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "affine": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    received = channels if kwargs["affine"] else channels * draw(st.integers(1, 2))
    received = draw.off(received, channels + 1, 2 * channels)
    full = (draw(st.integers(1, 2)), received, *shape(draw, 0, 3))
    if full[0] * math.prod(full[1:]) == groups:  # statistics need more than one value
        full = draw.off((2, *full[1:]), full)
    return Case(kwargs, [draw.off(full, full[1:], full[:1], ())])


@case("LayerNorm", "RMSNorm")
def shape_norm(draw: Draw, rank: int, kind: str) -> Case:
    last = shape(draw, 1, 3)
    given = draw.off(last, (), (-1,), (2.0,), (*last, 2), (last[0] + 1, *last[1:]))
    kwargs = {
        "normalized_shape": draw(st.sampled_from([given, list(given), given[0]])) if len(given) == 1 else given,
        "eps": draw(st.sampled_from([1e-5, 0.1])),
        "elementwise_affine": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    if kind == "RMSNorm":
        del kwargs["bias"]
        kwargs["eps"] = draw(st.sampled_from([None, 0.1]))
    return Case(kwargs, [draw.off((*shape(draw, 0, 2), *last), last[1:])])


@case("LocalResponseNorm")
def local_response_norm(draw: Draw, rank: int, kind: str) -> Case:
    kwargs = {
        "size": draw.off(draw(st.integers(1, 9)), 0, -1, 2.0),
        "alpha": draw(st.sampled_from([1e-4, 1.0])),
        "beta": draw(st.sampled_from([0.75, 0.5])),
        "k": draw(st.sampled_from([1.0, 2.0])),
    }
    return Case(kwargs, [draw.off(shape(draw, 3, 6), (2,), (2, 3))])


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


ENDS = {"Hardtanh": (-1, 1), "RReLU": (1 / 8, 1 / 3)}
"""Torch's defaults of two arguments that must be in order."""


@case(*INPLACE, *PLAIN, *NUMBERS)
def pointwise_activation(draw: Draw, rank: int, kind: str) -> Case:
    names = NUMBERS.get(kind, ())
    kwargs = {name: number(draw, positive=kind in ("CELU", "Softshrink")) for name in names}
    if kind in ("CELU", "Softshrink"):
        kwargs["alpha" if kind == "CELU" else "lambd"] = draw.off(*kwargs.values(), 0, -0.5)
    if kind not in PLAIN and kind not in ("Hardshrink", "Softplus", "Softshrink"):
        kwargs["inplace"] = draw(st.booleans())
    if kind == "Hardtanh" and draw(st.booleans()):
        kwargs["max_value"] = draw(st.sampled_from([None, 3.0]))
        kwargs["min_value"] = draw(st.sampled_from([None, -3.0]))
    if kind != "Threshold":  # the rest have defaults
        kwargs = {name: value for name, value in kwargs.items() if draw(st.booleans())}
    if kind in ENDS:
        put_in_order(draw, kwargs, NUMBERS[kind], ENDS[kind])
    if draw.off(False, True):
        kwargs["nonsense"] = 1
    return Case(kwargs, [shape(draw, 0, 5)])


def put_in_order(draw: Draw, kwargs: dict[str, Any], names: tuple[str, str], defaults: tuple[float, float]) -> None:
    """Make the first of two arguments the smaller where both are numbers; when off, the larger."""
    ends = [kwargs.get(name, default) for name, default in zip(names, defaults)]
    if draw.is_wrong or ends[0] < ends[1]:
        return
    if not draw.off(False, True):
        for name in names:
            kwargs.pop(name, None)


@case("GELU")
def gelu(draw: Draw, rank: int, kind: str) -> Case:
    return Case({"approximate": draw.off(draw(st.sampled_from(["none", "tanh"])), "erf")}, [shape(draw, 0, 5)])


@case("PReLU")
def prelu(draw: Draw, rank: int, kind: str) -> Case:
    full = shape(draw, 0, 5)
    channels = full[1] if len(full) > 1 else 1
    slopes = draw.off(draw(st.sampled_from([1, channels])), -1, 0, channels + 1)
    return Case({"num_parameters": slopes, "init": draw(st.sampled_from([0.25, 0.1]))}, [full])


@case("GLU")
def glu(draw: Draw, rank: int, kind: str) -> Case:
    full = shape(draw, 1, 4)
    dim = draw(st.integers(-len(full), len(full) - 1))
    if dim in (-1, len(full) - 1) and draw(st.booleans()):
        dim = -1
    at = dim % len(full)
    halved = draw.off(2 * full[at], 2 * full[at] + 1)
    full = (*full[:at], halved, *full[at + 1 :])
    dim = draw.off(dim, len(full), -len(full) - 1)
    return Case({} if dim == -1 and draw(st.booleans()) else {"dim": dim}, [draw.off(full, ())])


@case("Softmax", "Softmin", "LogSoftmax")
def softmax(draw: Draw, rank: int, kind: str) -> Case:
    full = shape(draw, 0, 5)
    inside = st.integers(-max(len(full), 1), max(len(full), 1) - 1)
    return Case({"dim": draw.off(draw(st.none() | inside), 5, -6, 1.0)}, [full])


@case("Softmax2d")
def softmax2d(draw: Draw, rank: int, kind: str) -> Case:
    return Case({}, [draw.off(shape(draw, 3, 4), (), (2,), (2, 3), (1, 2, 3, 1, 2))])


@case("MultiheadAttention")
def attention(draw: Draw, rank: int, kind: str) -> Case:
    heads = draw(st.integers(1, 3))
    embed = heads * draw(st.integers(1, 3))
    kdim, vdim = draw(st.none() | EXTENTS), draw(st.none() | EXTENTS)
    kwargs = {
        "embed_dim": embed,
        "num_heads": draw.off(heads, 0, -1, embed + 1),
        "dropout": draw(st.sampled_from([0.0, 0.5])),
        "bias": draw(st.booleans()),
        "add_bias_kv": draw(st.booleans()),
        "add_zero_attn": draw(st.booleans()),
        "kdim": draw.off(kdim, -1),
        "vdim": draw.off(vdim, -1),
        "batch_first": draw(st.booleans()),
    }
    batch, length, targets = draw(EXTENTS), draw(EXTENTS), draw(EXTENTS)
    places = [(targets, batch), (length, batch), (length, batch)]
    places[1] = draw.off(places[1], (length + 1, batch), (length, batch + 1))
    places[2] = draw.off(places[2], (length + 1, batch), (length, batch + 1))
    if kwargs["batch_first"]:
        places = [place[::-1] for place in places]
    features = [embed, kdim or embed, vdim or embed]
    features[(at := draw(st.integers(0, 2)))] += draw.off(0, 1)
    inputs = [(*place, last) for place, last in zip(places, features)]
    if draw(st.booleans()):  # without a batch
        inputs = [(length, last) for (length, _), last in zip([(targets, 0), *[(length, 0)] * 2], features)]
    inputs[at] = draw.off(inputs[at], inputs[at][1:], (1, *inputs[at]))
    calls = {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())}
    return Case(kwargs, inputs, calls=calls)


@case("RNN", "LSTM", "GRU")
def recurrent(draw: Draw, rank: int, kind: str) -> Case:
    features, hidden = draw(EXTENTS), draw(EXTENTS)
    kwargs = {
        "num_layers": draw.off(draw(st.integers(1, 3)), 0, -1, 1.0),
        "bias": draw.off(draw(st.booleans()), 1),
        "batch_first": draw(st.booleans()),
        "dropout": draw.off(draw(st.sampled_from([0, 0.5, 1])), 1.5, -0.1, True, "a"),
        "bidirectional": draw(st.booleans()),
    }
    if kind == "RNN" or draw.off(False, True):
        kwargs["nonlinearity"] = draw.off(draw(st.sampled_from(["tanh", "relu"])), "sigmoid")
    if kind == "LSTM" or draw.off(False, True):
        kwargs["proj_size"] = draw.off(draw(st.integers(0, hidden - 1)), hidden, -1)
    for name in [*kwargs]:
        if not draw(st.booleans()):
            del kwargs[name]
    kwargs["input_size"] = draw.off(features, features + 1, 0, -1, 2.0)
    kwargs["hidden_size"] = draw.off(hidden, 0, -1, 2.0)
    full = (draw(EXTENTS), draw(EXTENTS), features)
    return Case(kwargs, [draw.off(draw(st.sampled_from([full, full[1:]])), (1, *full), full[2:])])


@case("RNNCell", "LSTMCell", "GRUCell")
def cell(draw: Draw, rank: int, kind: str) -> Case:
    features = draw(EXTENTS)
    kwargs = {
        "input_size": draw.off(features, features + 1, 0, -1),
        "hidden_size": draw.off(draw(EXTENTS), -1),
        "bias": draw(st.booleans()),
    }
    if kind == "RNNCell" and draw(st.booleans()):
        kwargs["nonlinearity"] = draw.off(draw(st.sampled_from(["tanh", "relu"])), "sigmoid")
    elif draw.off(False, True):
        kwargs["nonlinearity"] = "tanh"
    full = (draw(EXTENTS), features)
    return Case(kwargs, [draw.off(draw(st.sampled_from([full, full[1:]])), (1, *full), ())])
