"""The first question: the numbers of a network, layer by layer and in total; `analysis.count` computes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count import report
from convcalc.analysis.count.report import Report
from convcalc.network.graph import Graph
from convcalc.questions.answer import Table
from convcalc.questions.sources import traced

if TYPE_CHECKING:
    from convcalc.analysis.count.gates import Limit


class Summary(Table, Report):
    """A report that prints itself, with the ``limits`` that it has to keep.

    >>> from convcalc import nn, trace
    >>> answer = analyze(trace(nn.Sequential(nn.Conv2d(3, 8, 3)), (1, 3, 6, 6)))
    >>> print(answer.to_text("csv"))
    layer,type,output_shape,params,flops,rf
    0,Conv2d,8x4x4,224,6912,3
    >>> answer.to_dict()["totals"]["macs"], answer.to_rows()[0]["output_shape"]
    (3456, (8, 4, 4))
    """

    limits: Mapping[str, Limit] = MappingProxyType({})

    @classmethod
    def of(cls, numbers: Report, limits: Mapping[str, Limit] = {}) -> Summary:
        """Return a report as an answer, with the limits that it has to keep."""
        answer = object.__new__(cls)  # the fields are set already, and making a dataclass costs the start of a run
        answer.__dict__.update(vars(numbers), limits=limits)
        return answer

    def to_text(
        self,
        format: str = "simple",
        columns: Sequence[str] | None = None,
        depth: int | None = None,
        width: int | None = None,
    ) -> str:
        """Return the table, csv or JSON, with rows folded into the modules at ``depth``, for a terminal's ``width``.

        Raises UnknownName for a format or column that does not exist, and SpecError for columns or a depth in JSON.
        """
        from convcalc.views.write import write

        return write(self, format, columns, depth, width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints, as plain Python."""
        from convcalc.views import json

        return json.plain(json.report(self))

    def to_rows(self, depth: int | None = None) -> list[dict[str, Any]]:
        """Return a flat dict for each call, or each module at ``depth``; the keys are the names for ``--columns``."""
        from convcalc.views.rows import of_report

        return of_report(self, depth)

    @property
    def broken(self) -> list[str]:
        """A line for each limit that is not kept.

        >>> summary("lenet5", max_params="60k").broken
        ['max-params: 61,706 parameters exceed 60,000 by 1,706']
        """
        if not self.limits:
            return []
        from convcalc.analysis.count.gates import check

        return check(self, self.limits)


def analyze(
    graph: Graph,
    metrics: Iterable[str] | None = None,
    convention: str = "torch",
    *,
    network: str = "",
    show_batch: bool = False,
    given: str = "",
    through_gates: bool = False,
    limits: Mapping[str, Limit] = {},
) -> Summary:
    """Return the summary of a traced graph: these metrics, or all of them; FLOPs as ``convention`` counts them.

    ``network`` is the name in the first line, ``show_batch`` prints shapes with the batch, and ``given`` says what was
    assumed about letters. Raises UnknownName for a metric or convention that does not exist.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    numbers = report.analyze(
        graph, metrics, convention, network=network, show_batch=show_batch, given=given, through_gates=through_gates
    )
    return Summary.of(numbers, limits)


def summary(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
    assume: Sequence[str] = (),
    convention: str = "torch",
    through_gates: bool = False,
    **limits: str | int | None,
) -> Summary:
    """Return the numbers of a network: a name (``settings`` are its arguments), a sheet, or a module.

    A shape is a full tuple, or a text such as ``"3xHxW"`` without the batch, which is ``batch`` or 1. Without shapes, a
    named network gets its usual input. ``assume`` has assumptions about letters, such as ``"H % 32 == 0"``;
    ``through_gates`` lets receptive fields follow squeeze and excitation; limits such as ``max_macs="600M"`` are those
    of the command's options, and those that are not kept are in ``broken``. Raises SpecError or UnknownName for what
    is not legal as written, ShapeError if a layer refuses its input, and NoSolution if no size satisfies the
    assumptions.

    >>> summary("resnet50", (1, 3, 224, 224)).totals["params"]
    25557032
    """
    parsed: Mapping[str, Limit] = {}
    if limits:  # parsed first: a wrong one is reported before anything is read
        from convcalc.analysis.count import gates

        parsed = gates.parse_limits(limits)
    source, full, graph = traced(network, *shapes, batch=batch, settings=settings)
    shown = batch is not None or any(shape[:1] != (1,) for shape in full)
    given = ""
    if assume:
        from convcalc.analysis.solving.assumptions import apply_assumptions

        graph, given = apply_assumptions(graph, assume)
    return analyze(
        graph,
        convention=convention,
        network=source.name,
        show_batch=shown,
        given=given,
        through_gates=through_gates,
        limits=parsed,
    )
