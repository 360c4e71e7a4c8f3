"""A report in any format: a table, csv, or JSON."""

from collections.abc import Sequence

from convcalc.analysis.count.report import Report
from convcalc.errors import SpecError
from convcalc.views.columns import SEPARATED, lines, select, separated


def write(
    report: Report,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    width: int | None = None,
) -> str:
    """Return ``report`` in one of the `table.formats`, with rows folded into the modules at ``depth``.

    ``width`` is that of a terminal. Raises UnknownName for a format or column that does not exist, and SpecError for a
    negative depth, or for columns or a depth in JSON.

    >>> from convcalc import summary
    >>> print(write(summary("lenet5"), "csv", ["layer", "output_shape"]).splitlines()[1])
    conv1,6x28x28
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    if format == "json":
        from convcalc.views import json

        if columns or depth is not None:
            raise SpecError(
                "json always has every call and every number", hint="columns and depth are for tables and csv"
            )
        return json.lines(json.report(report))
    if format in SEPARATED:
        chosen = select(columns, report)
        rows = ([column.raw(row, report) for column in chosen.values()] for row in lines(report, depth))
        return separated(chosen, rows, format)
    from convcalc.views import table

    return table.render(report, format, columns, depth, width)
