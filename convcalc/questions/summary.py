"""The first question: the report of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.report import Report, analyze
from convcalc.questions.sources import traced


def summary(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    convention: str = "torch",
    settings: Mapping[str, Any] = {},
    assume: Sequence[str] = (),
    through_gates: bool = False,
) -> Report:
    """The report of a network: a name (``settings`` are its arguments) or a module.

    A tuple is a full shape; a text such as ``"3xHxW"`` is without the batch, which is 1 unless ``batch`` says another.
    Without shapes a named network takes its usual input. ``assume`` says what holds of letters: ``"H % 32 == 0"``;
    ``through_gates`` lets receptive fields follow squeeze and excitation. Raises SpecError, UnknownName, ShapeError
    where a layer refuses its input, and NoSolution where no size satisfies the assumptions.

    >>> summary("resnet50", (1, 3, 224, 224)).totals["params"]
    25557032
    """
    source, full, graph = traced(network, *shapes, batch=batch, settings=settings)
    shown = batch is not None or any(shape[:1] != (1,) for shape in full)
    told = ""
    if assume:
        from convcalc.analysis.solving.legal import under

        graph, told = under(graph, assume)
    return analyze(
        graph, convention=convention, network=source.name, show_batch=shown, given=told, through_gates=through_gates
    )
