"""The question of what changes from one network to another; `analysis.count.compare` pairs their layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count import compare as analysis
from convcalc.analysis.count import gates
from convcalc.analysis.count.compare import Comparison
from convcalc.errors import ConvcalcError
from convcalc.questions.answer import Table
from convcalc.questions.summary import Summary, summary
from convcalc.views import comparison as view
from convcalc.views import json
from convcalc.views.rows import of_pairs


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide(Table, Comparison):
    """A comparison that prints itself, with the ``limits`` that B has to keep. A row is a pair that differs."""

    limits: Mapping[str, gates.Limit] = field(default_factory=dict)

    def to_text(
        self,
        format: str = "simple",
        columns: Sequence[str] | None = None,
        every: bool = False,
        width: int | None = None,
    ) -> str:
        """Return the tables, csv or JSON; rows that are the same in both only if ``every``.

        ``width`` is that of a terminal. Raises UnknownName for a format or column that does not exist, and SpecError
        for columns in JSON.
        """
        return view.write(self, format, columns, every, width)

    def to_dict(self, every: bool = False) -> dict[str, Any]:
        """Return what ``--format json`` prints, as plain Python."""
        return json.plain(json.compared(self, self.pairs if every else self.changed))

    def to_rows(self, every: bool = False) -> list[dict[str, Any]]:
        """Return a flat dict for each pair: ``change``, and each column twice, as in ``params_a`` and ``params_b``."""
        return of_pairs(self.pairs if every else self.changed, self.a, self.b)

    @property
    def broken(self) -> list[str]:
        """A line for each limit that B does not keep."""
        return gates.check(self.b, self.limits, self.a)


def compare(
    a: Any,
    b: Any,
    *shapes: Shape | str,
    input_b: Shape | str | None = None,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
    settings_b: Mapping[str, Any] = {},
    depth: int | None = None,
    convention: str = "torch",
    **limits: str | int | None,
) -> SideBySide:
    """Return what network ``b`` changes in network ``a``, with layers folded into the modules at ``depth``.

    ``shapes`` and ``settings`` are for both, ``input_b`` and ``settings_b`` for B alone. Limits such as
    ``max_params="600M"`` are for B; ``"+5%"`` is relative to A. Other arguments and errors are those of `summary`.

    >>> both = compare("lenet5", "lenet5", settings_b={"num_classes": 26}, max_params="+2%")
    >>> [row["params_b"] for row in both.to_rows()], both.totals["params"].delta.value
    ([2210], 1360)
    >>> both.broken
    ["max-params: 63,066 parameters exceed 62,940 (A's 61,706 +2%) by 126"]
    """
    parsed = gates.parse_limits(limits, relative=True)
    networks = {
        "A": (a, shapes, settings),
        "B": (b, shapes if input_b is None else (input_b,), {**settings, **settings_b}),
    }
    reports: list[Summary] = []
    for name, (network, inputs, of_this) in networks.items():
        try:
            reports.append(summary(network, *inputs, batch=batch, settings=of_this, convention=convention))
        except ConvcalcError as error:
            error.details.append(f"this is network {name}")
            raise
    comparison = analysis.compare(reports[0], reports[1], depth)
    return SideBySide(**{part.name: getattr(comparison, part.name) for part in fields(Comparison)}, limits=parsed)
