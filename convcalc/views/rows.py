"""Answers as rows for a data frame: flat dicts with the same keys, numbers as numbers.

Sizes and counts in letters are strings that sympy parses, as in JSON; what is not known is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcalc.algebra.types import is_symbolic
from convcalc.analysis.fields.flow import Extent, ReceptiveField
from convcalc.views.columns import lines, rf_text, shown

if TYPE_CHECKING:
    from convcalc.analysis.count.compare import Pair
    from convcalc.analysis.count.report import Report, Row


def of_report(report: Report, depth: int | None = None) -> list[dict[str, Any]]:
    """Return a row for each call, or each module at ``depth``; the keys are the names of a table's columns.

    >>> from convcalc import summary
    >>> of_report(summary("lenet5"))[0]["params"], of_report(summary("lenet5"))[0]["input_shape"]
    (156, (1, 32, 32))
    """
    return [_of_row(row, report) for row in lines(report, depth)]


def _of_row(row: Row, report: Report) -> dict[str, Any]:
    shapes = [plain(shown(shape, report)) for shape in row.input_shapes]
    return {
        "layer": row.name or report.network,
        "type": row.type,
        "spec": row.spec,
        "inputs": ", ".join(row.inputs),
        "input_shape": shapes[0] if len(shapes) == 1 else tuple(shapes),
        "output_shape": plain(shown(row.output_shape, report)),
        **{name: plain(count.value) for name, count in row.counts.items()},
        "rf": field(row.rf),
    }


def of_pairs(pairs: Iterable[Pair], a: Report, b: Report) -> list[dict[str, Any]]:
    """Return a row for each pair: what changed, and each column twice, as ``params_a`` and ``params_b``."""
    rows = []
    for pair in pairs:
        of_a, of_b = (_of_row(row, report) if row else {} for row, report in ((pair.a, a), (pair.b, b)))
        names = of_a or of_b
        both = {f"{name}_{side}": of.get(name) for name in names for side, of in (("a", of_a), ("b", of_b))}
        rows.append({"change": pair.change, **both})
    return rows


def field(rf: ReceptiveField) -> int | str | None:
    """Return a receptive field as a number if it has one size, else as a table shows it; None if it is not defined."""
    if isinstance(rf, Extent) and rf.exact and rf.uniform and not any((*rf.along, *rf.gated)):
        sizes = set(rf.size)
        if len(sizes) == 1 and isinstance(size := sizes.pop(), int):
            return size
    return None if rf is None else rf_text(rf)


def plain(value: Any) -> Any:
    """Return a fraction as an int or float, letters as a string, a sequence as a tuple of these, and others unchanged.

    >>> plain((3, Fraction(4, 2), Fraction(1, 2)))
    (3, 2, 0.5)
    """
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    return str(value) if is_symbolic(value) else value
