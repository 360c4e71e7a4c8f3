"""Reports as JSON, the contract for scripts: keys, order and meaning are fixed for a ``schema_version``.

Symbolic values are strings that sympy reads back; a number that is not known, or was not asked for, is null.
Nothing is rounded or formatted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from convcalc.analysis.flow import Extent, ReceptiveField
from convcalc.analysis.report import Report, Row

SCHEMA_VERSION = 1

NUMBERS = ("params", "trainable_params", "buffers", "macs", "flops")


def render(report: Report) -> str:
    """``report`` as JSON text, a row on a line.

    >>> from convcalc.readers import summary
    >>> json.loads(render(summary("lenet5")))["totals"]["params"]
    61706
    """
    document = as_dict(report)
    rows = ",\n  ".join(map(_line, document.pop("rows")))
    before = [f"{_line(key)}: {_line(document[key])}" for key in ("schema_version", "network", "inputs", "convention")]
    after = [f"{_line(key)}: {_line(document[key])}" for key in ("totals", "assumptions", "notes")]
    return "{" + ",\n ".join([*before, f'"rows": [\n  {rows}]' if rows else '"rows": []', *after]) + "}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_dict(report: Report) -> dict[str, Any]:
    """``report`` as plain lists, dicts, numbers and strings."""
    totals = report.totals
    return {
        "schema_version": SCHEMA_VERSION,
        "network": report.network,
        "inputs": plain(report.graph.inputs.values()),
        "convention": report.convention.name,
        "rows": [as_row(row) for row in report.rows],
        "totals": {
            **{name: plain(totals.get(name)) for name in NUMBERS},
            "depth": report.depth,
            "rf": as_field(totals["rf"]),
        },
        "assumptions": plain(report.assumptions),
        "notes": list(report.notes),
    }


def as_row(row: Row) -> dict[str, Any]:
    """``row`` as plain lists, dicts, numbers and strings."""
    return {
        "path": row.path,
        "call": row.call,
        "type": row.type,
        "spec": row.spec,
        "inputs": list(row.inputs),
        "input_shapes": plain(row.input_shapes),
        "output_shape": plain(row.output_shape),
        **{name: plain(row.counts[name].value) if name in row.counts else None for name in NUMBERS},
        "rf": as_field(row.rf),
    }


def as_field(rf: ReceptiveField) -> Any:
    """A field.

    ``phases`` (first and last pixel for each unit of a period) only where one size does not say it all; ``gated`` (for
    each axis, whether a gate sees it from end to end besides) only where one does.
    """
    if not isinstance(rf, Extent):
        return rf
    fields = {"size": rf.size, "jump": rf.jump, "start": rf.start, "exact": rf.exact}
    if rf.exact and not rf.uniform:
        fields["phases"] = rf.phases
    if any(rf.gated):
        fields["gated"] = rf.gated
    return {name: plain(value) for name, value in fields.items()}


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: fractions that are whole as whole, and what is left of letters as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)
