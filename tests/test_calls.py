"""Calls that take more than their input, against torch; and what no layer accepts, refused with a convcalc error."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._pytree import tree_leaves

import convcalc
from convcalc import nn, trace
from convcalc.errors import ConvcalcError, ShapeError, SpecError
from convcalc.layers.base import _REQUIRED, Layer, kinds
from tests.strategies import rarely

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
EXTENTS = st.integers(1, 4)


def torch_says(kind: str, kwargs: dict[str, Any], call: Any, shapes: list[tuple[int, ...]]) -> Any:
    """Return the shapes of everything that a real call returns; None where torch refuses."""
    try:
        with torch.no_grad():
            module = getattr(torch.nn, kind)(**kwargs).eval()
            return [tuple(x.shape) for x in tree_leaves(call(module, *map(torch.zeros, shapes))) if x is not None]
    except REFUSALS:
        return None


def convcalc_says(kind: str, kwargs: dict[str, Any], call: Any, shapes: list[tuple[int, ...]]) -> Any:
    """Return the same from convcalc."""
    try:
        layer = getattr(nn, kind)(**kwargs)
        graph = trace(lambda *xs: call(layer, *xs), *shapes)
    except ConvcalcError:
        return None
    return [graph[name].output_shape for name in graph.outputs]


def with_states(layer: Any, x: Any, *states: Any) -> Any:
    return layer(x, states[0] if len(states) == 1 else states)


@st.composite
def state_calls(draw: Any, kind: str) -> Any:
    features, hidden, batch, steps = (draw(EXTENTS) for _ in range(4))
    kwargs: dict[str, Any] = {"input_size": features, "hidden_size": hidden}
    batched = draw(st.booleans())
    if kind.endswith("Cell"):
        x = (batch, features) if batched else (features,)
        state = (batch, hidden) if batched else (hidden,)
        states = [state, state]
    else:
        layers, first = draw(st.integers(1, 2)), draw(st.booleans())
        kwargs |= {"num_layers": layers, "bidirectional": draw(st.booleans()), "batch_first": first}
        rows = layers * (1 + kwargs["bidirectional"])
        if kind == "LSTM" and hidden > 1:
            kwargs["proj_size"] = draw(st.integers(0, hidden - 1))
        x = (*((batch, steps) if first else (steps, batch)), features) if batched else (steps, features)
        middle = (batch,) if batched else ()
        states = [(rows, *middle, kwargs.get("proj_size") or hidden), (rows, *middle, hidden)]
    states = states[: 2 if kind.startswith("LSTM") else 1]
    at = draw(st.integers(0, len(states) - 1))
    good = states[at]
    other = [good[1:], (1, *good), (*good[:-1], good[-1] + 1), (good[0] + 1, *good[1:]), (*good[:-1], 1)]
    if good == (1,):  # here torch's cells read past the state's end or crash, instead of refusing it
        other.remove((1, 1))
    states[at] = draw(st.sampled_from([good, good, good, *other]))
    return kwargs, [x, *states]


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
@given(data=st.data())
def test_states(kind: str, data: st.DataObject) -> None:
    kwargs, shapes = data.draw(state_calls(kind))
    expected = torch_says(kind, kwargs, with_states, shapes)
    assert convcalc_says(kind, kwargs, with_states, shapes) == expected


@pytest.mark.parametrize("kind", ["LSTM", "LSTMCell", "GRU"])
def test_another_number_of_states_is_refused(kind: str) -> None:
    layer = getattr(nn, kind)(3, 4)
    wrong = 1 if kind.startswith("LSTM") else 2
    with pytest.raises(ConvcalcError, match="hx must be"):
        trace(lambda x, h: layer(x, (h,) * wrong), (5, 2, 3), (1, 2, 4))


@st.composite
def masked_calls(draw: Any) -> Any:
    heads = draw(st.integers(1, 3))
    embed = heads * draw(st.integers(1, 2))
    batch, targets, sources = (draw(EXTENTS) for _ in range(3))
    kwargs = {name: draw(st.booleans()) for name in ("batch_first", "add_bias_kv", "add_zero_attn")}
    kwargs |= {"embed_dim": embed, "num_heads": heads}
    batched = draw(st.booleans())

    def sequence(length: int) -> tuple[int, ...]:
        if not batched:
            return (length, embed)
        return (batch, length, embed) if kwargs["batch_first"] else (length, batch, embed)

    rows = batch if batched else 1
    masks = [(targets, sources), (rows * heads, targets, sources)]
    odd = [(sources, targets), (rows, targets, sources), (targets,), (1, *masks[1])]
    paddings = [(batch, sources) if batched else (sources,)]
    odd_paddings = [(sources, batch), (batch, sources), (sources,), (batch,)]
    shapes = [sequence(targets), sequence(sources), sequence(sources)]
    given_masks: dict[str, tuple[int, ...]] = {}
    if draw(st.booleans()):
        given_masks["attn_mask"] = draw(st.sampled_from([*masks, rarely(draw, masks[0], draw(st.sampled_from(odd)))]))
    if draw(st.booleans()):
        given_masks["key_padding_mask"] = rarely(draw, paddings[0], draw(st.sampled_from(odd_paddings)))
    options = {"need_weights": draw(st.booleans()), "is_causal": rarely(draw, False, True)}
    return kwargs, shapes, given_masks, options


@given(masked_calls())
def test_masks(drawn: Any) -> None:
    kwargs, shapes, masks, options = drawn

    def call(layer: Any, *inputs: Any) -> Any:
        return layer(*inputs[:3], **dict(zip(masks, inputs[3:])), **options)

    everything = [*shapes, *masks.values()]
    expected = torch_says("MultiheadAttention", kwargs, call, everything)
    assert convcalc_says("MultiheadAttention", kwargs, call, everything) == expected


# Anything as an argument, any number of inputs of any rank

H = convcalc.symbols("h")
NUMBERS = [True, -1, 0, 1, 1.5, float("nan"), float("inf"), 10**400, 10**12, 1j, sympy.I, sympy.oo, sympy.nan, H / 2, H]
OTHERS = ["same", "tf_same", "", (), (1,), (1, 2, 3, 4), [2], [None], ([1], [2]), {}, (H, H), H > 2, object(), int]
ODD = st.sampled_from([None, *NUMBERS, *OTHERS, slice(None), ...])
SHAPES = st.lists(st.lists(st.sampled_from([1, 2, 2, 4, H]), max_size=6).map(tuple), max_size=3)

LEGAL: dict[str, dict[str, Any]] = {
    "MultiheadAttention": {"embed_dim": 4, "num_heads": 2},
    "Unflatten": {"dim": 1, "unflattened_size": (2, -1)},
    "Upsample": {"scale_factor": 2},
    "UpsamplingBilinear2d": {"scale_factor": 2},
    "UpsamplingNearest2d": {"scale_factor": 2},
}
"""Arguments of kinds that cannot be built with 2 for each required one."""


@st.composite
def odd_calls(draw: Any, kind: type[Layer]) -> Any:
    kwargs = {name: 2 for name, default in kind.arguments.items() if default is _REQUIRED}
    kwargs |= LEGAL.get(kind.__name__, {})
    if kind.arguments:
        kwargs |= draw(st.dictionaries(st.sampled_from(list(kind.arguments)), ODD, max_size=2))
    return kwargs, draw(SHAPES)


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
@settings(max_examples=min(settings.default.max_examples // 2, 200))  # for each of 150 kinds
@given(data=st.data())
def test_only_convcalc_s_errors(kind: type[Layer], data: st.DataObject) -> None:
    kwargs, shapes = data.draw(odd_calls(kind))
    try:
        layer = kind(**kwargs)
        assert repr(layer)
        assert layer.weights() is not None and layer.buffers() is not None
        for node in trace(layer, *shapes).nodes:
            node.layer.work(node.input_shapes, node.output_shape)
    except ConvcalcError as error:
        assert str(error)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Conv2d(1, 1, 3, padding=None, padding_mode="reflect"),
        lambda: nn.MaxPool2d(2, padding=None),
        lambda: nn.MaxPool2d(2, stride=[None]),
        lambda: nn.LayerNorm(2, eps=None),
        lambda: nn.RReLU(float("nan")),
        lambda: nn.Embedding(2, 2, sparse=1),
        lambda: nn.MaxUnpool2d(2, padding="same"),
        lambda: nn.ConvTranspose2d(1, 1, 3, padding="same"),
        lambda: nn.LazyConv2d(8, "x"),
        lambda: nn.Add([2]),
        lambda: nn.BatchNorm2d(3, eps=[1]),
        lambda: nn.Embedding(2, 2, _weight=3),
        lambda: nn.LSTM(2, 2, num_layers=10**12),
        lambda: nn.Linear(True, 2),
        lambda: nn.Linear(H > 2, 2),
        lambda: nn.Parameter(2, shape=3),
        lambda: nn.Sequential(nn.ReLU),
        lambda: nn.ModuleList(3),
        lambda: nn.ModuleDict([3]),
        lambda: trace(nn.ReLU, (1, 3)),
        lambda: trace(3, (1, 3)),
        lambda: trace(nn.ReLU(), 3),
    ],
)
def test_refused_when_written(build: Any) -> None:
    with pytest.raises(SpecError, match=r"received|takes"):
        build()


def test_several_as_one_argument() -> None:
    assert nn.Parameter(shape=3).shape == nn.Parameter(3).shape == (3,)
    assert nn.LazyConv2d(8, [3, 3]) == nn.LazyConv2d(8, 3)
    assert nn.ReLU(inplace=[2]) == nn.ReLU(inplace=True)  # torch uses only its truth


class Masked(nn.Module):
    def forward(self, x: Any, mask: Any = None) -> Any:
        return x


class Attending(nn.Module):
    def __init__(self) -> None:
        self.attention = nn.MultiheadAttention(4, 2)

    def forward(self, x: Any) -> Any:
        return self.attention(x)[0]


X = (3, 2, 4)


@pytest.mark.parametrize(
    ("model", "shapes", "text"),
    [
        (
            nn.Linear(4, 1),
            (X, X),
            "Linear(4, 1): takes 1 input, received 2\n  input 2 x 4 from input1, 2 x 4 from input2",
        ),
        (nn.LazyLinear(1), (X, X), "LazyLinear(1): takes 1 input, received 2"),
        (nn.Maximum(), (X,), "Maximum(): takes 2 inputs, received 1"),
        (nn.Add(), (), "Add(): takes at least 1 input, received 0"),
        (nn.MaxUnpool1d(2), (X,), "MaxUnpool1d(2): takes 2 to 3 inputs, received 1"),
        (nn.Sequential(nn.ReLU()), (X, X), "Sequential: takes 1 input (input), received 2"),
        (Masked(), (X, X, X), "Masked: takes 1 to 2 inputs (x, mask), received 3"),
        (Masked(), (), "Masked: takes at least 1 input (x), received 0"),
        (nn.GRU(4, 4), (X, X, X), "GRU(4, 4): takes 1 to 2 inputs (input, hx), received 3"),
        (Attending(), (X,), "MultiheadAttention(4, 2): takes at least 3 inputs (query, key, value), received 1"),
        (lambda x: x, (X, X), "function: takes 1 input (x), received 2"),
    ],
)
def test_another_number_of_inputs(model: Any, shapes: Any, text: str) -> None:
    with pytest.raises(ShapeError) as caught:
        trace(model, *shapes)
    assert str(caught.value).startswith(text)


def test_an_unknown_word_in_a_call() -> None:
    with pytest.raises(SpecError, match=r"Masked: a call has no argument 'maks'\n  it takes x, mask"):
        trace(lambda x: Masked()(x, maks=x), X)


def test_a_type_error_inside_forward_stays() -> None:
    def forward(x: Any) -> Any:
        return len(3)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="has no len"):
        trace(forward, X)


def test_hardtanhs_older_names_stand_for_the_newer_ones() -> None:
    assert nn.Hardtanh(max_val=None, max_value=3.0) == nn.Hardtanh(max_val=3.0)
