"""What the counting forward passes share: a call with its tally, and how kinds are registered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Call:
    """A call of a torch module that has taken its shapes, and what the forward pass has counted so far."""

    kind: str
    module: torch.nn.Module
    kwargs: dict[str, Any]
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def rank(self) -> int:
        """The number of spatial axes in the kind's name."""
        return int(self.kind[-2])

    def weight(self, name: str) -> Array | None:
        """A tensor of the module by name; None where it has none."""
        tensor = getattr(self.module, name, None)
        return None if tensor is None else tensor.detach().numpy()

    def count(self, word: str, operands: Any) -> Any:
        """Count each element of what takes part in an operation; returns it."""
        self.tally[word] += np.size(operands)
        return operands

    def sum(self, word: str, operands: Array, axis: Any = None) -> Any:
        """Add operands up, each of which counts."""
        return self.count(word, operands).sum(axis)

    def product(self, x: Array, weight: Array) -> Array:
        """Rows ``(..., i)`` by a matrix ``(o, i)``: each product that is summed up is a multiply–accumulate."""
        return self.sum("mac", x[..., None, :] * weight, -1)

    def biased(self, x: Array, bias: Array | None) -> Array:
        """Add a bias, if there is one, which broadcasts."""
        return x if bias is None else self.count("bias", x + bias)


Forward = Callable[..., Any]

FORWARDS: dict[str, Forward] = {}
"""For each kind a function of a `Call` and its inputs that returns the (first) output; None where values only move."""


def forward(*kinds: str) -> Callable[[Forward], Forward]:
    """Register the forward pass of kinds."""

    def register(function: Forward) -> Forward:
        FORWARDS.update(dict.fromkeys(kinds, function))
        return function

    return register
