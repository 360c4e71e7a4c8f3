"""Bytes of parameters, buffers and outputs, each named for what it is.

Every element counts 4 bytes, as in fp32. What a runtime holds at a time (peak, workspaces, gradients) is not here.
"""

from __future__ import annotations

from typing import NamedTuple

from convcalc.algebra.dims import Dim
from convcalc.analysis.metrics import Count

BYTES = 4  # of one fp32 element


class Memory(NamedTuple):
    """Bytes: all owned parameters, all owned buffers, and the outputs of all calls kept side by side."""

    parameters: Count
    buffers: Count
    outputs: Count


def memory(params: Count, buffers: Count, elements: Count) -> Memory:
    """The bytes of so many parameters, buffer elements and output elements in fp32.

    >>> memory(Count(25557032), Count(53173), Count(1)).parameters
    Count(value=102228128, complete=True)
    """
    return Memory(_bytes(params), _bytes(buffers), _bytes(elements))


def _bytes(count: Count) -> Count:
    value: Dim | None = None if count.value is None else count.value * BYTES
    return Count(value, count.complete)
