"""Calls that take more than their input: initial states of recurrent layers, masks of attention. Against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._pytree import tree_leaves

from convcalc import nn, trace
from convcalc.errors import ConvcalcError
from tests.strategies import rarely

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
EXTENTS = st.integers(1, 4)


def torch_says(kind: str, kwargs: dict[str, Any], call: Any, shapes: list[tuple[int, ...]]) -> Any:
    """Shapes of all that a real call returns; None where torch refuses."""
    try:
        with torch.no_grad():
            module = getattr(torch.nn, kind)(**kwargs).eval()
            return [tuple(x.shape) for x in tree_leaves(call(module, *map(torch.zeros, shapes))) if x is not None]
    except REFUSALS:
        return None


def convcalc_says(kind: str, kwargs: dict[str, Any], call: Any, shapes: list[tuple[int, ...]]) -> Any:
    """The same from convcalc."""
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
def test_states(kind: str) -> None:
    @given(state_calls(kind))
    def check(call: Any) -> None:
        kwargs, shapes = call
        expected = torch_says(kind, kwargs, with_states, shapes)
        assert convcalc_says(kind, kwargs, with_states, shapes) == expected

    check()


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
