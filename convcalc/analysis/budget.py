"""The largest value of one letter (a width, a depth, a resolution) with which a network stays inside a budget.

Exact where the cost is known in the letter; else by doubling and halving, and a look at the values above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from convcalc.algebra.conditions import Condition
from convcalc.algebra.dims import is_symbolic, letter
from convcalc.analysis.report import Report
from convcalc.errors import ConvcalcError

MOST = 10**9
AFTER = 64  # values above the largest that is found are looked at: a cost may fall, or a value be refused, in between


class Best(NamedTuple):
    """The largest value and its report; None where even the smallest costs too much. ``next`` is the first too large.

    ``found`` says how sure that is: by the formula, or by trying.
    """

    name: str
    value: int | None
    report: Report | None
    next: int | None
    next_report: Report | None
    exact: bool


def largest(
    name: str,
    report_of: Callable[[int], Report],
    lettered: Report | None,
    limits: Mapping[str, int],
    where: tuple[Condition, ...] = (),
) -> Best:
    """The largest value of the letter ``name`` for which each total named in ``limits`` is at most its limit.

    ``report_of`` gives the report for a number, ``lettered`` is that with the letter, where there is one.

    >>> from convcalc import summary
    >>> best = largest("H", lambda n: summary("resnet50", (1, 3, n, n)), summary("resnet50", "3xHxH"), {"macs": 10**9})
    >>> best.value, best.report.totals["macs"], best.exact
    (100, 997450496, True)
    """
    tries: dict[int, Report | None] = {}

    def tried(n: int) -> Report | None:
        if n not in tries:
            try:
                tries[n] = report_of(n) if all(c.holds({name: n}) for c in where) else None
            except ConvcalcError:
                tries[n] = None
        return tries[n]

    def fits(n: int) -> bool | None:
        report = tried(n)
        return None if report is None else all(_total(report, total) <= limit for total, limit in limits.items())

    value = None if lettered is None or where else _by_formula(name, lettered, limits)
    exact = value is not None
    if value is None or fits(value) is not True:
        value, exact = _by_trying(fits), False
    after = None if value is None else next((n for n in range(value + 1, value + 1 + AFTER) if fits(n) is False), None)
    if value is None:
        after = next((n for n in range(1, 1 + AFTER) if fits(n) is False), None)
    return Best(name, value, None if value is None else tried(value), after, after and tried(after), exact)  # type: ignore[arg-type]


def _total(report: Report, name: str) -> int:
    value = report.totals[name]
    return value if isinstance(value, int) else MOST**4


def _by_formula(name: str, report: Report, limits: Mapping[str, int]) -> int | None:
    """The largest number for which all formulas of the letter keep their limits and the graph's demands hold."""
    from convcalc.algebra.symbolic.regions import Region
    from convcalc.algebra.symbolic.relations import stated

    totals: list[tuple[Any, int]] = [(report.totals[total], limit) for total, limit in limits.items()]
    if any({str(s) for s in total.free_symbols} != {name} for total, _ in totals if is_symbolic(total)):
        return None
    kept = [stated(">=", letter(name) * 0 + limit, total) for total, limit in totals]
    region = Region([*report.assumptions, *kept], [name])
    if region.rest or not region.boxes:
        return None
    return region.boxes[0][name].most


def _by_trying(fits: Callable[[int], bool | None]) -> int | None:
    """The largest number that fits, if those above it do not: refused numbers are stepped over."""

    def near(n: int, step: int) -> tuple[int, bool] | None:
        """The nearest number from ``n`` on that is not refused, and whether it fits."""
        for m in range(n, max(0, n + step * AFTER), step):
            known = fits(m)
            if known is not None:
                return m, known
        return None

    low, high, at = None, None, 1
    while at < MOST:
        found = near(at, 1)
        if found is None:
            break
        if not found[1]:
            high = found[0]
            break
        low = found[0]
        at = max(2 * at, low + 1)
    if low is None:
        return None
    top = high if high is not None else at
    while top - low > 1:
        middle = near((low + top) // 2, -1)
        if middle is None or middle[0] <= low:
            middle = near((low + top) // 2, 1)
            if middle is None or middle[0] >= top:
                break
        if middle[1]:
            low = middle[0]
        else:
            top = middle[0]
    later = [n for n in range(low + 1, low + 1 + AFTER) if fits(n)]
    return max(later, default=low)
