"""Every kind of layer against the real torch module, after a real forward pass: shapes, tensors, FLOPs, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from convcalc import nn, trace
from convcalc.errors import ConvcalcError
from convcalc.layers.base import kinds
from tests.strategies import CASES, LEGAL, NEARLY, Case, nd
from tests.strategies.pool import TF_SAME_LEGAL, TF_SAME_NEARLY
from tests.torch_modules import module_of

TORCH_REFUSES = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    AssertionError,
    NotImplementedError,
    ZeroDivisionError,
)


def torch_says(kind: str, case: Case) -> dict[str, Any] | None:
    """Return output shape, state_dict shapes and FLOPs of a real forward pass; None where torch refuses."""
    try:
        with torch.no_grad():
            module = module_of(kind, **case.kwargs)
            if case.integers is None:
                inputs = [torch.randn(shape) for shape in case.inputs]
            else:
                inputs = [torch.randint(case.integers, shape) for shape in case.inputs]
            with FlopCounterMode(display=False) as counter:
                output = module(*inputs, **case.calls)
            if kind in COUNTED_ON_META:
                with FlopCounterMode(display=False) as counter:
                    module.to("meta")(*[x.to("meta") for x in inputs], **case.calls)
    except TORCH_REFUSES:
        return None
    shapes = [tuple(tensor.shape) for tensor in tree_leaves(output) if tensor is not None]
    if any(0 in shape for shape in shapes):
        return None  # torch has empty tensors, convcalc does not
    tensors = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    return {"shapes": shapes, "tensors": tensors, "flops": counter.get_total_flops()}


def convcalc_says(kind: str, case: Case) -> dict[str, Any] | None:
    """Return the same from convcalc; None where it refuses."""
    try:
        layer = getattr(nn, kind)(**case.kwargs)
        graph = trace(layer if not case.calls else lambda *xs: layer(*xs, **case.calls), *case.inputs)
    except ConvcalcError as error:
        assert str(error)
        return None
    node = graph.nodes[0]
    work = node.layer.work(node.input_shapes, node.output_shape)
    tensors = {**node.layer.weights(), **node.layer.buffers()}
    shapes = [graph[name].output_shape for name in graph.outputs]
    return {"shapes": shapes, "tensors": tensors, "flops": 2 * work.get("mac", 0)}


UNCOUNTED = {*nd("LocallyConnected")}
"""Kinds whose matrix products torch's counter does not see, or counts in other operators."""


COUNTED_ON_META = {"LSTM", "MultiheadAttention"}
"""Kinds whose products a CPU, but not the meta device, fuses into operators that torch's counter does not know."""


def assert_same(kind: str, case: Case) -> None:
    """Assert that both accept with the same facts or both refuse, and that both accept a legal case."""
    expected, received = torch_says(kind, case), convcalc_says(kind, case)
    if kind in UNCOUNTED and expected and received:
        expected["flops"] = received["flops"]  # see test_local_connection_multiplies_as_a_convolution
    assert received == expected
    assert expected or not case.legal, "torch refuses what its strategy calls legal"
    event("both accept" if expected else "both refuse")


# Every legal case is accepted, and there are twice as many as nearly legal ones: so two thirds of all cases, at least,
# are accepted, for every kind (pytest --hypothesis-show-statistics shows the events).

FEWER = settings(max_examples=settings.default.max_examples // 2)


@pytest.mark.parametrize("kind", sorted(LEGAL))
@given(data=st.data())
def test_legal_cases_equal_torch(kind: str, data: st.DataObject) -> None:
    assert_same(kind, data.draw(LEGAL[kind]))


@pytest.mark.parametrize("kind", sorted(NEARLY))
@FEWER
@given(data=st.data())
def test_nearly_legal_cases_equal_torch(kind: str, data: st.DataObject) -> None:
    assert_same(kind, data.draw(NEARLY[kind]))


@pytest.mark.parametrize("kind", sorted(TF_SAME_LEGAL))
@given(data=st.data())
def test_legal_tf_same_equals_torch(kind: str, data: st.DataObject) -> None:
    assert_same(kind, data.draw(TF_SAME_LEGAL[kind]))


@pytest.mark.parametrize("kind", sorted(TF_SAME_NEARLY))
@FEWER
@given(data=st.data())
def test_nearly_legal_tf_same_equals_torch(kind: str, data: st.DataObject) -> None:
    assert_same(kind, data.draw(TF_SAME_NEARLY[kind]))


@pytest.mark.parametrize("kind", sorted(UNCOUNTED))
@given(data=st.data())
def test_local_connection_multiplies_as_a_convolution(kind: str, data: st.DataObject) -> None:
    case = data.draw(LEGAL[kind])
    shared = Case({name: value for name, value in case.kwargs.items() if name != "input_size"}, case.inputs)
    local, convolution = convcalc_says(kind, case), torch_says(kind.replace("LocallyConnected", "Conv"), shared)
    assert local and convolution
    assert local["flops"] == convolution["flops"]


@pytest.mark.parametrize("size", [1, (1, 1), (None, None), (1, None), (None, 2), (2, 2)])
def test_adaptive_average_of_any_rank_equals_torch(size: Any) -> None:
    """A single window over everything is passed to torch.mean, which accepts any rank."""
    for shape in [
        (1, 1, 1, 1, 1),
        (2, 3, 2, 1, 1),
        (1, 1, 1, 1, 2),
        (1, 1, 1, 2, 1),
        (2,) * 5,
        (1,) * 6,
        (1, 2, 2),
        (1,),
    ]:
        case = Case({"output_size": size}, [shape])
        assert convcalc_says("AdaptiveAvgPool2d", case) == torch_says("AdaptiveAvgPool2d", case), shape


def test_every_kind_has_a_strategy() -> None:
    assert {kind.__name__ for kind in kinds() if kind.__module__.startswith("convcalc.")} == set(CASES)
    assert set(CASES) == set(LEGAL) == set(NEARLY)
