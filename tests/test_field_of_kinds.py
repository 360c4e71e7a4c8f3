"""The receptive field of single layers against gradients: which inputs an output of the torch module depends on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.algebra.field import Field
from tests.strategies import LEGAL, nd
from tests.torch_modules import module_of

SMOOTH = [
    *nd("BatchNorm", "InstanceNorm", "LazyBatchNorm", "LazyInstanceNorm"),
    *("Linear", "LazyLinear", "LayerNorm", "RMSNorm", "GroupNorm", "LocalResponseNorm", "Identity", "Dropout"),
    *("GLU", "Softmax", "Softmin", "LogSoftmax", "Softmax2d", "Sigmoid", "Tanh", "GELU", "SiLU", "Mish", "Softsign"),
]
"""Kinds with one input whose gradients are nowhere zero by chance."""

CONSTANT = ("LayerNorm", "RMSNorm", "GroupNorm", "Softmax", "Softmin", "LogSoftmax", "Softmax2d")
"""Kinds that normalise, and so turn a value on an axis of size 1 into a constant."""


def dependencies(module: Any, x: torch.Tensor, axis: int, unit: int) -> list[int]:
    """Return the positions of the input along ``axis`` that the output's slice ``unit`` along that axis depends on."""
    output = module(x.clone())  # some work in place
    # random weights, since the sum of a norm's outputs is constant
    piece = output.select(axis, unit)
    (gradient,) = torch.autograd.grad((piece * torch.randn_like(piece)).sum(), x)
    others = [i for i in range(x.dim()) if i != axis]
    seen = gradient.abs().amax(others) if others else gradient.abs()
    return [i for i, value in enumerate(seen.tolist()) if value > 1e-13]


@pytest.mark.parametrize("kind", SMOOTH)
@given(data=st.data())
def test_field_is_what_gradients_say(kind: str, data: st.DataObject) -> None:
    case = data.draw(LEGAL[kind])
    (shape,) = case.inputs
    layer = getattr(nn, kind)(**case.kwargs).resolve(shape)
    output = layer.output_shape(shape)
    field = layer.field([Field.of_input(len(shape))], [shape], output)
    assert field is not None
    module = module_of(kind, **case.kwargs).double()
    x = torch.randn(shape, dtype=torch.double, requires_grad=True)
    with torch.no_grad():
        module(x.clone())  # lazy kinds take their shape
    module.double()
    for axis in range(2, len(shape)):
        for unit in range(output[axis]):
            seen = dependencies(module, x, axis, unit)
            if not seen and kind in CONSTANT:
                continue
            assert seen == expected(field, axis, unit, seen, shape[axis]), (axis, unit)


def expected(field: Field, axis: int, unit: int, seen: list[int], size: int) -> list[int]:
    """Return the positions that the field names; of an interval with gaps (GLU's two halves) those at its ends."""
    along = field.axes[axis]
    if along is None:
        assert axis - 2 in field.whole
        return list(range(size))
    first, last = along.interval(unit) or (0, -1)
    return seen if seen and (seen[0], seen[-1]) == (first, last) else list(range(first, last + 1))
