"""Argument names, order and defaults of every kind that torch.nn has, against torch's own signatures."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from convcalc import nn
from convcalc.layers.base import _REQUIRED, kinds

SHARED = sorted(
    kind.__name__
    for kind in kinds()
    if hasattr(nn, kind.__name__) and issubclass(getattr(torch.nn, kind.__name__, object), torch.nn.Module)
)
PASSED_ON = ("RNN", "LSTM", "GRU", "Identity")
"""Kinds whose signature in torch is ``*args, **kwargs``: what they take is tested by calling them."""


@pytest.mark.parametrize("kind", [name for name in SHARED if name not in PASSED_ON])
def test_signature_equals_torchs(kind: str) -> None:
    parameters = inspect.signature(getattr(torch.nn, kind)).parameters.values()
    expected: list[tuple[str, Any]] = [
        (p.name, _REQUIRED if p.default is inspect.Parameter.empty else p.default)
        for p in parameters
        if p.name not in ("device", "dtype") and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    layer = getattr(nn, kind)
    assert list(layer.arguments.items()) == expected
    assert layer.factory == any(p.name == "device" for p in parameters)
