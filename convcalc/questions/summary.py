"""The first question: the numbers of a network, layer by layer and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count import report
from convcalc.analysis.count.report import Report
from convcalc.network.graph import Graph
from convcalc.questions.answer import Table
from convcalc.questions.sources import traced

if TYPE_CHECKING:
    from convcalc.analysis.count.gates import Limit


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Table, Report):
    """A report that prints itself, and the ``limits`` that it was held to.

    >>> from convcalc import nn, trace
    >>> answer = analyze(trace(nn.Sequential(nn.Conv2d(3, 8, 3)), (1, 3, 6, 6)))
    >>> print(answer.to_text("csv"))
    layer,type,output_shape,params,flops,rf
    0,Conv2d,8x4x4,224,6912,3
    >>> answer.to_dict()["totals"]["macs"], answer.to_rows()[0]["output_shape"]
    (3456, (8, 4, 4))
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)

    def to_text(
        self,
        format: str = "simple",
        columns: Sequence[str] | None = None,
        depth: int | None = None,
        width: int | None = None,
    ) -> str:
        """Return the table, csv or JSON: some columns, rows folded at ``depth``, in a terminal's ``width``.

        Raises UnknownName for a format or column that does not exist, SpecError for columns or a depth in JSON.
        """
        from convcalc.views.write import write

        return write(self, format, columns, depth, width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` holds, in plain Python."""
        from convcalc.views import json

        return json.plain(json.report(self))

    def to_rows(self, depth: int | None = None) -> list[dict[str, Any]]:
        """Return a flat dict for each call, or for each module at ``depth``, named as ``--columns`` names them."""
        from convcalc.views.rows import of_report

        return of_report(self, depth)

    @property
    def broken(self) -> list[str]:
        """What is wrong for each limit that is not kept, a line each.

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
    """Return the summary of a traced graph with these metrics, by default all, FLOPs as ``convention`` counts them.

    ``network`` is the name in its first line; ``show_batch`` prints shapes with the batch; ``given`` says what was
    assumed of letters. Raises UnknownName for a metric or convention that does not exist.

    >>> from convcalc import nn, trace
    >>> analyze(trace(nn.Linear(8, 2), (1, 8))).totals["flops"]
    32
    """
    found = report.analyze(
        graph, metrics, convention, network=network, show_batch=show_batch, given=given, through_gates=through_gates
    )
    return Summary(**{name: getattr(found, name) for name in _PARTS}, limits=limits)


_PARTS = tuple(part.name for part in fields(Report))


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

    A tuple is a full shape; a text such as ``"3xHxW"`` is without the batch, which is 1 unless ``batch`` says another.
    Without shapes a named network takes its usual input. ``assume`` says what holds of letters: ``"H % 32 == 0"``;
    ``through_gates`` lets receptive fields follow squeeze and excitation; limits such as ``max_macs="600M"`` are those
    of the command's options, and what is said of them is in ``broken``. Raises SpecError, UnknownName, ShapeError
    where a layer refuses its input, and NoSolution where no size satisfies the assumptions.

    >>> summary("resnet50", (1, 3, 224, 224)).totals["params"]
    25557032
    """
    held: Mapping[str, Limit] = {}
    if limits:  # a wrong one is reported before anything is read
        from convcalc.analysis.count.gates import limits as parsed

        held = parsed(limits)
    source, full, graph = traced(network, *shapes, batch=batch, settings=settings)
    shown = batch is not None or any(shape[:1] != (1,) for shape in full)
    given = ""
    if assume:
        from convcalc.analysis.solving.under import under

        graph, given = under(graph, assume)
    return analyze(
        graph,
        convention=convention,
        network=source.name,
        show_batch=shown,
        given=given,
        through_gates=through_gates,
        limits=held,
    )
