"""Maxima put back: what a unit sees, by trying every input, and the sizes that a call may ask for."""

from __future__ import annotations

import pytest
import torch

from convcalc import nn, trace
from convcalc.analysis.count.report import analyze
from convcalc.errors import ShapeError, SpecError
from tests.test_writers_torch import assert_same


class Back(nn.Module):
    """A pooling and the way back from it."""

    def __init__(self, kernel: int, stride: int, padding: int) -> None:
        self.pool = nn.MaxPool1d(kernel, stride, padding, return_indices=True)
        self.unpool = nn.MaxUnpool1d(kernel, stride, padding)

    def forward(self, x: object) -> object:
        return self.unpool(*self.pool(x), output_size=x)


@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 3, 0), (3, 3, 1), (2, 2, 1), (2, 3, 0)])
def test_field_is_what_changes_say(kernel: int, stride: int, padding: int) -> None:
    """Where windows do not overlap; where they do, torch writes a maximum over another, whichever comes last."""
    n = 13
    graph = trace(Back(kernel, stride, padding), (1, 1, n))
    field = analyze(graph).totals["rf"]
    pool = torch.nn.MaxPool1d(kernel, stride, padding, return_indices=True)
    unpool = torch.nn.MaxUnpool1d(kernel, stride, padding)

    def back(x: torch.Tensor) -> torch.Tensor:
        return unpool(*pool(x), output_size=[n])

    torch.manual_seed(0)
    seen: list[set[int]] = [set() for _ in range(n)]
    for _ in range(40):
        x = torch.rand(1, 1, n)
        for i in range(n):
            other = x.clone()
            other[0, 0, i] = 2 * torch.rand(1).item()
            for unit in (back(other) != back(x))[0, 0].nonzero().flatten().tolist():
                seen[unit].add(i)
    (phases,) = field.phases
    for unit in range(kernel, n - kernel):  # away from the borders
        interval = phases[unit % len(phases)]
        turn = unit // len(phases) * len(phases)
        expected = set() if interval is None else set(range(interval[0] + turn, interval[1] + turn + 1))
        assert seen[unit] == expected, unit


def test_output_size() -> None:
    graph = trace(Back(2, 2, 0), (1, 1, 13))
    assert graph.nodes[-1].output_shape == (1, 1, 13)
    with pytest.raises(ShapeError, match="output_size must be between 7 and 9; received 4"):
        nn.MaxUnpool1d(2).output_shape((1, 1, 4), (1, 1, 4), (1, 1, 4))
    with pytest.raises(SpecError, match="output_size takes a tensor; received \\(1, 1, 9\\)\n  pass the tensor"):
        trace(lambda x: nn.MaxUnpool1d(2)(x, x, output_size=(1, 1, 9)), (1, 1, 4))


@pytest.mark.parametrize("batch", [(1,), ()])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_exported(rank: int, batch: tuple[int, ...]) -> None:
    """Without a batch torch wants the spatial sizes alone."""
    pool = getattr(nn, f"MaxPool{rank}d")(2, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{rank}d")(2)
    assert_same(trace(lambda x: unpool(*pool(x), output_size=x), (*batch, 2, *[5] * rank)))
