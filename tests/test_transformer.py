"""The encoder block against torch's own: tensors, shapes, FLOPs, masks, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from convcalc import nn, trace
from convcalc.errors import ConvcalcError, SpecError
from tests.strategies import rarely

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
ACTIVATIONS: dict[Any, Any] = {
    "relu": lambda lib: "relu",
    "gelu": lambda lib: "gelu",
    "unknown": lambda lib: "unknown",
    "layer": lambda lib: lib.SiLU(),
    "weighted": lambda lib: lib.PReLU(),
    "kind": lambda lib: lib.SiLU,
    "number": lambda lib: 3,
}


@st.composite
def calls(draw: Any) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """Draw arguments, and the shapes of the input and of masks."""
    heads = draw(st.integers(1, 3))
    width = heads * draw(st.integers(1, 3))
    kwargs = {
        "d_model": rarely(draw, width, draw(st.sampled_from([-1, width + 1]))),
        "nhead": rarely(draw, heads, draw(st.sampled_from([0, 2]))),
        "dim_feedforward": rarely(draw, draw(st.integers(1, 9)), -1),
        "dropout": rarely(draw, draw(st.sampled_from([0.0, 0.1])), 1.5),
        "activation": draw(st.sampled_from(["relu", "gelu", "layer", "weighted", rarely(draw, "relu", "kind")])),
        "batch_first": draw(st.booleans()),
        "norm_first": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    kwargs["activation"] = rarely(draw, kwargs["activation"], draw(st.sampled_from(["unknown", "number"])))
    length, batch = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    full = (batch, length, width) if kwargs["batch_first"] else (length, batch, width)
    shapes = {"src": draw(st.sampled_from([full, (length, width), rarely(draw, full, (1, *full))]))}
    rows = batch if len(shapes["src"]) == 3 else 1
    masks = [(length, length), (rows * heads, length, length), (length, length + 1), (rows, length, length)]
    if draw(st.booleans()):
        shapes["src_mask"] = rarely(draw, draw(st.sampled_from(masks[:2])), draw(st.sampled_from(masks)))
    if draw(st.booleans()):
        padding = (batch, length) if len(shapes["src"]) == 3 else (length,)
        shapes["src_key_padding_mask"] = rarely(draw, padding, draw(st.sampled_from([(length,), (length, batch)])))
    return kwargs, shapes


def torch_says(kwargs: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> Any:
    try:
        with torch.no_grad():
            block = torch.nn.TransformerEncoderLayer(**kwargs).eval()
            output = block(**{name: torch.zeros(shape) for name, shape in shapes.items()})
            tensors = {name: tuple(tensor.shape) for name, tensor in block.state_dict().items()}
            # on a CPU attention is a single operator that the counter does not know
            block = block.to("meta")
            with FlopCounterMode(display=False) as counter:
                block(**{name: torch.zeros(shape, device="meta") for name, shape in shapes.items()})
    except REFUSALS:
        return None
    return tuple(output.shape), tensors, counter.get_total_flops()


def convcalc_says(kwargs: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> Any:
    try:
        block = nn.TransformerEncoderLayer(**kwargs)

        class Named(nn.Module):
            """A module that passes the masks on by name."""

            def __init__(self) -> None:
                self.block = block

            def forward(self, *inputs: Any) -> Any:
                return self.block(**dict(zip(shapes, inputs)))

        graph = trace(Named(), *shapes.values())
    except ConvcalcError:
        return None
    works = [node.layer.work(node.input_shapes, node.output_shape) for node in graph.nodes]
    tensors = {name.removeprefix("block."): shape for name, shape in graph.state_dict().items()}
    return graph[graph.outputs[0]].output_shape, tensors, 2 * sum(work.get("mac", 0) for work in works)


@given(calls())
def test_equals_torch(call: tuple[dict[str, Any], dict[str, tuple[int, ...]]]) -> None:
    kwargs, shapes = call
    choose = ACTIVATIONS[kwargs["activation"]]
    expected = torch_says({**kwargs, "activation": choose(torch.nn)}, shapes)
    assert convcalc_says({**kwargs, "activation": choose(nn)}, shapes) == expected


def test_tensors_stand_in_torchs_order() -> None:
    expected = list(torch.nn.TransformerEncoderLayer(8, 2, 16, activation=torch.nn.PReLU()).state_dict())
    block = nn.TransformerEncoderLayer(8, 2, 16, activation=nn.PReLU())
    assert list(trace(block, (3, 2, 8)).state_dict()) == expected


def test_a_kind_is_no_activation() -> None:
    with pytest.raises(SpecError, match=r"nn\.SiLU\(\), not nn\.SiLU"):
        nn.TransformerEncoderLayer(8, 2, activation=nn.SiLU)
