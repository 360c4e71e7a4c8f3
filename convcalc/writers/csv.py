"""Reports as comma- or tab-separated values: bare numbers, column names for titles, no footer."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from convcalc.analysis.report import Report
from convcalc.writers.columns import lines, select


def render(report: Report, columns: Sequence[str] | None = None, depth: int | None = None, delimiter: str = ",") -> str:
    """``report`` as values with a line of names first; symbolic numbers as sympy reads them, unknown ones ``?``.

    >>> from convcalc.readers import summary
    >>> print(render(summary("lenet5"), ["layer", "output_shape"]).splitlines()[1])
    conv1,6x28x28
    """
    chosen = select(columns, report)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(chosen)
    for row in lines(report, depth):
        writer.writerow([column.raw(row, report) for column in chosen.values()])
    return text.getvalue().rstrip("\n")
