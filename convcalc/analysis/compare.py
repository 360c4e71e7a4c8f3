"""Two reports side by side: rows paired, what differs in each pair, and totals with their differences.

Which row stands beside which is decided by `align`; how a comparison looks is the writers' business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from convcalc.analysis.align import align
from convcalc.analysis.flow import ReceptiveField
from convcalc.analysis.metrics import Count, whole
from convcalc.analysis.report import Report, Row
from convcalc.errors import SpecError

CHANGES = ("added", "removed", "changed", "renamed", "same")
"""What a pair of rows can be."""


class Pair(NamedTuple):
    """A row of A and its partner in B; None where it has none. ``rewired``: it takes its input from elsewhere."""

    a: Row | None
    b: Row | None
    rewired: bool = False

    @property
    def change(self) -> str:
        """One of `CHANGES`. Another path with the same layer, shapes and numbers is a rename, and no more."""
        if self.a is None:
            return "added"
        if self.b is None:
            return "removed"
        if self.rewired or _facts(self.a) != _facts(self.b):
            return "changed"
        return "same" if self.a.name == self.b.name else "renamed"


def _facts(row: Row) -> tuple[object, ...]:
    """What is said of a row apart from where it stands."""
    return row.type, row.layer, row.output_shape, row.rf, tuple(row.counts.values())


class Total(NamedTuple):
    """A total of both networks."""

    name: str
    title: str
    a: Count
    b: Count

    @property
    def delta(self) -> Count:
        """B less A; not known where either is incomplete."""
        if self.a.value is None or self.b.value is None or not (self.a.complete and self.b.complete):
            return Count(None, False)
        return Count(whole(self.b.value - self.a.value))

    @property
    def percent(self) -> Fraction | None:
        """The difference in percent of A, for numbers; None for formulas, and where A is 0.

        >>> Total("params", "Params", Count(200), Count(250)).percent
        Fraction(25, 1)
        """
        if isinstance(self.a.value, int) and isinstance(self.delta.value, int) and self.a.value:
            return Fraction(100 * self.delta.value, self.a.value)
        return None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two reports, their rows in pairs, and their totals.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.report import analyze
    >>> a, b = (analyze(trace(nn.Sequential(nn.Conv2d(3, 8, k)), (1, 3, 9, 9))) for k in (3, 5))
    >>> both = compare(a, b)
    >>> [pair.change for pair in both.pairs], both.totals["params"].delta.value
    (['changed'], 384)
    """

    a: Report
    b: Report
    pairs: tuple[Pair, ...]
    depth: int | None = None

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many pairs there are of each change."""
        found = Counter(pair.change for pair in self.pairs)
        return {change: found[change] for change in CHANGES}

    @cached_property
    def totals(self) -> Mapping[str, Total]:
        """Parameters, MACs, FLOPs, bytes of all outputs, and depth; the receptive field is `rf`."""
        a, b = self.a, self.b
        rows = [Total(name, title, a.counts[name], b.counts[name]) for name, title in _TITLES.items()]
        rows.append(Total("output_bytes", "Output bytes, fp32", a.memory.outputs, b.memory.outputs))
        rows.append(Total("depth", "Depth", Count(a.depth), Count(b.depth)))
        return {row.name: row for row in rows}

    @property
    def rf(self) -> tuple[ReceptiveField, ReceptiveField]:
        """The receptive fields of the first output."""
        return self.a.totals["rf"], self.b.totals["rf"]


_TITLES = {"params": "Params", "macs": "MACs", "flops": "FLOPs"}


def compare(a: Report, b: Report, depth: int | None = None) -> Comparison:
    """The comparison of two reports with all metrics; ``depth`` folds rows to the modules at that depth.

    Raises SpecError for a depth below 0. Two networks of a thousand calls each take about a quarter of a second where
    nothing in them is alike.
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    rows = [list(report.rows if depth is None else report.folded(depth)) for report in (a, b)]
    aligned = align(*rows)
    partners = {x.name: y.name for x, y in aligned if x and y}
    partners |= dict(zip(a.graph.inputs, b.graph.inputs))
    known = set(partners.values())
    pairs = [Pair(x, y, bool(x and y) and _rewired(x, y, partners, known)) for x, y in aligned]  # type: ignore[arg-type]
    if a.uncalled or b.uncalled:
        pairs.append(Pair(a.uncalled, b.uncalled))
    return Comparison(a, b, tuple(pairs), depth)


def _rewired(x: Row, y: Row, partners: Mapping[str, str], known: set[str]) -> bool:
    """Whether an input of ``x`` has a partner, yet not the one that ``y`` takes.

    An input without a partner was taken out or put in, which is told there.
    """
    if len(x.inputs) != len(y.inputs):
        return partners.keys() >= set(x.inputs) and known >= set(y.inputs)
    return any(i in partners and j in known and partners[i] != j for i, j in zip(x.inputs, y.inputs))
