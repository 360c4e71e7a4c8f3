"""The question of a convolution's matrix; `analysis.matrix` computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.matrix import Matrix, matrix_of
from convcalc.questions.answer import Table
from convcalc.questions.sources import traced
from convcalc.views import answers, json


@dataclass(frozen=True, eq=False, repr=False)
class ConvolutionMatrix(Table):
    """The matrix of a convolution. A row is an output, a column an input, an entry the letters of its weights."""

    network: str
    matrix: Matrix

    def to_text(self, format: str = "simple") -> str:
        """Return the table in a format; raise UnknownName if there is no such format."""
        return answers.matrix(self.matrix, format)

    def to_dict(self) -> dict[str, Any]:
        """Return the network's name and the matrix, as plain Python."""
        return json.plain({"network": self.network, **self.matrix._asdict()})

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each output: the letters of its weights for each input."""
        inputs = [f"x{i + 1}" for i in range(prod(self.matrix.input))]
        rows = enumerate(answers.entries(self.matrix), 1)
        return [{"output": f"y{i}", **dict(zip(inputs, entries))} for i, entries in rows]


def matrix(
    network: Any, *shapes: Shape | str, batch: Dim | str | None = None, settings: Mapping[str, Any] = {}
) -> ConvolutionMatrix:
    """Return the matrix of a network that is one convolution, for an input of this shape.

    Arguments and errors are those of `summary`; in addition, raises SpecError for a network that is not one
    convolution, and for more than 10,000 entries.

    >>> print(matrix("Conv1d(1, 1, 3, stride=2, bias=False)", "1x6").to_text("plain").split("Matrix")[0])
        x1    x2    x3    x4    x5    x6
    y1  a     b     c     0     0     0
    y2  0     0     a     b     c     0
    <BLANKLINE>
    <BLANKLINE>
    """
    source, _, graph = traced(network, *shapes, batch=batch, settings=settings)
    return ConvolutionMatrix(source.name, matrix_of(graph))
