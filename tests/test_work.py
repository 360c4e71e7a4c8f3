"""Every word of every kind's work tally against a forward pass that counts what it does, and gives what torch gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._pytree import tree_leaves

from convcalc import nn, trace
from convcalc.layers.base import OPS
from tests.forwards import FORWARDS, Call
from tests.strategies import LEGAL, Case
from tests.strategies.pool import TF_SAME_LEGAL
from tests.torch_modules import TFSame, module_of

SOME = settings(max_examples=min(settings.default.max_examples, 500))  # of 150 kinds, each window by window


SOME = settings(max_examples=min(settings.default.max_examples, 500))  # of 150 kinds, each window by window


def work_of(kind: str, case: Case) -> dict[str, Any]:
    """What convcalc says that a call computes, without what it says is none."""
    layer = getattr(nn, kind)(**case.kwargs)
    node = trace(layer if not case.calls else lambda *xs: layer(*xs, **case.calls), *case.inputs).nodes[0]
    work = node.layer.work(node.input_shapes, node.output_shape)
    assert work is not None and set(work) <= set(OPS)
    return {word: number for word, number in work.items() if number}


def inputs_of(kind: str, case: Case) -> list[torch.Tensor]:
    """Numbers of which powers, roots and quotients exist, away from where a function jumps."""
    if case.integers is not None:
        return [torch.randint(case.integers, shape) for shape in case.inputs]
    return [torch.rand(shape, dtype=torch.float64) + 0.5 for shape in case.inputs]


def assert_counted(kind: str, case: Case) -> None:
    inputs = inputs_of(kind, case)
    with torch.no_grad():
        module = module_of(kind, **case.kwargs)
        module(*[x.float() if x.is_floating_point() else x for x in inputs], **case.calls)  # lazy kinds take shapes
        module.double()
        result = tree_leaves(module(*[x.clone() for x in inputs], **case.calls))[0]
    call = Call(kind, module.layer if isinstance(module, TFSame) else module, case.kwargs)
    computed = FORWARDS[kind](call, *[x.numpy() for x in inputs])
    if computed is None:
        known = np.concatenate([[0.0, case.kwargs.get("value") or 0], *[x.numpy().ravel() for x in inputs]])
        assert not case.inputs or np.isin(result.numpy(), known).all(), "a value is new, so that something was computed"
    else:
        np.testing.assert_allclose(computed, result.numpy(), rtol=1e-6, atol=1e-9)
    assert work_of(kind, case) == {word: number for word, number in call.tally.items() if number}


@pytest.mark.parametrize("kind", sorted(LEGAL))
@SOME
@given(data=st.data())
def test_every_word_is_counted(kind: str, data: st.DataObject) -> None:
    assert_counted(kind, data.draw(LEGAL[kind]))


@pytest.mark.parametrize("kind", sorted(TF_SAME_LEGAL))
@SOME
@given(data=st.data())
def test_every_word_with_tf_same_is_counted(kind: str, data: st.DataObject) -> None:
    assert_counted(kind, data.draw(TF_SAME_LEGAL[kind]))


def test_every_kind_has_a_counting_forward_pass() -> None:
    assert set(FORWARDS) == set(LEGAL)
