"""Reports as text: one file a kind of format, none of which computes. `write` finds the file for a format's name."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.analysis.report import Report
from convcalc.errors import SpecError


def formats() -> tuple[str, ...]:
    """The names of all formats.

    >>> formats()[:4]
    ('json', 'csv', 'tsv', 'asciidoc')
    """
    from convcalc.writers.table import known_formats

    return ("json", "csv", "tsv", *known_formats())


def write(
    report: Report,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    width: int | None = None,
) -> str:
    """``report`` in a format: ``json``, ``csv``, ``tsv``, or any of tabulate's.

    ``depth`` folds rows to the modules at that depth, ``columns`` selects, ``width`` is that of the terminal and fits
    tables to it. Raises UnknownName for a format or column that there is not.

    >>> from convcalc.readers import summary
    >>> print(write(summary("lenet5"), "csv", ["layer", "params"]).splitlines()[1])
    conv1,156
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    if format == "json":
        from convcalc.writers import json

        if columns or depth is not None:
            raise SpecError(
                "json holds every call and every number", hint="columns and depth are for tables and for csv"
            )
        return json.render(report)
    if format in ("csv", "tsv"):
        from convcalc.writers import csv

        return csv.render(report, columns, depth, delimiter="," if format == "csv" else "\t")
    from convcalc.writers import table

    return table.render(report, format, columns, depth, width)
