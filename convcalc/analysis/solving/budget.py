"""Inverse questions with a short answer: the largest letter in a budget, layers for a field, the smallest input."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from convcalc.algebra.claims import Claim
from convcalc.algebra.types import Shape, is_symbolic
from convcalc.analysis.count.report import Report
from convcalc.analysis.fields.flow import Extent
from convcalc.errors import ConvcalcError, NoSolution, SpecError
from convcalc.network.graph import Graph

MOST = 10**9
"""The largest value that is tried for a letter."""
AFTER = 64
"""How many values above the largest one are examined, since a cost may fall, or a value be refused, in between."""

MOST_LAYERS = 10_000
MOST_SHOWN = 8
"""The most dilations of a schedule that are shown."""


class Best(NamedTuple):
    """The largest value of a letter and its report, None if every value costs too much.

    ``next`` is the first value that is too large. ``exact``: found by formula, not by trying.
    """

    name: str
    value: int | None
    report: Report | None
    next: int | None
    next_report: Report | None
    exact: bool


def find_largest(
    name: str,
    report_of: Callable[[int], Report],
    lettered: Report | None,
    limits: Mapping[str, int],
    where: Sequence[Claim] = (),
) -> Best:
    """Return the largest value of the letter ``name`` for which each total named in ``limits`` is within its limit.

    It is exact where the totals of ``lettered``, the report with the letter, are formulas in that letter only.
    Otherwise ``report_of`` is tried for numbers, by doubling and bisection.

    >>> from convcalc import summary
    >>> def report_of(n):
    ...     return summary("resnet50", (1, 3, n, n))
    >>> best = find_largest("H", report_of, summary("resnet50", "3xHxH"), {"macs": 10**9})
    >>> best.value, best.report.totals["macs"], best.exact
    (100, 997450496, True)
    """

    @cache
    def report_at(n: int) -> Report | None:
        try:
            return report_of(n) if all(c.holds({name: n}) for c in where) else None
        except ConvcalcError:
            return None

    def fits(n: int) -> bool | None:
        report = report_at(n)
        if report is None:
            return None
        values = [(report.totals[total], limit) for total, limit in limits.items()]
        return all(isinstance(value, int) and value <= limit for value, limit in values)

    value = None if lettered is None or where else _by_formula(name, lettered, limits)
    exact = value is not None and fits(value) is True
    if not exact:
        value = _by_trying(fits)
    first = 1 + (value or 0)
    after = next((n for n in range(first, first + AFTER) if fits(n) is False), None)
    return Best(name, value, value and report_at(value), after, after and report_at(after), exact)  # type: ignore[arg-type]


def _by_formula(name: str, report: Report, limits: Mapping[str, int]) -> int | None:
    """Return the largest value by solving the formulas; None if they contain other letters or cannot be solved."""
    from convcalc.algebra.symbolic import relate
    from convcalc.algebra.symbolic.regions import Region

    totals: list[tuple[Any, int]] = [(report.totals[total], limit) for total, limit in limits.items()]
    if any({str(s) for s in total.free_symbols} != {name} for total, _ in totals if is_symbolic(total)):
        return None
    region = Region([*report.assumptions, *[relate(">=", limit, total) for total, limit in totals]], [name])
    return None if region.rest or not region.cases else region.cases[0][name].most


def _by_trying(fits: Callable[[int], bool | None]) -> int | None:
    """Return the largest number that fits, stepping over numbers that are refused; None if none fits."""

    def first_taken(numbers: Iterable[int]) -> int | None:
        return next((n for n in numbers if fits(n) is not None), None)

    low, top, at = 0, 0, 1
    while at < MOST and not top:
        n = first_taken(range(at, at + AFTER))
        if n is None:
            break
        low, top, at = (n, 0, max(2 * at, n + 1)) if fits(n) else (low, n, at)
    if not low:
        return None
    top = top or at
    while top - low > 1:
        middle = (low + top) // 2
        n = first_taken([*range(middle, low, -1)[:AFTER], *range(middle + 1, top)[: AFTER - 1]])
        if n is None:
            break
        low, top = (n, top) if fits(n) else (low, n)
    return max([n for n in range(low + 1, low + 1 + AFTER) if fits(n)], default=low)


class Schedule(NamedTuple):
    """A number of layers that reaches a field: how dilations grow, the dilation of each layer, the field's size."""

    name: str
    dilations: tuple[int, ...]
    size: int

    def describe(self) -> str:
        """Return the dilations as text, a long list shortened.

        >>> Schedule("doubled", (1, 2, 4), 15).describe()
        '1, 2, 4'
        """
        shown = list(map(str, self.dilations))
        if len(shown) > MOST_SHOWN:
            shown = [*shown[: MOST_SHOWN - 2], "…", shown[-1]]
        return ", ".join(shown)


def find_schedules(one: Callable[[int], Extent], target: int, dilated: bool) -> list[Schedule]:
    """Return the ways to see at least ``target`` pixels, first those that see exactly so many, then the shortest.

    ``one`` returns the field of the repeated layers for a dilation, which grows in the usual ways if ``dilated``.
    Raises SpecError if the field cannot be repeated, NoSolution if no number of layers reaches the target.

    >>> def conv(d):
    ...     return Extent((2 * d + 1,), (2 * d + 1,), (Fraction(1),), (0,), (((0, 2 * d),),))
    >>> [(s.name, s.dilations, s.size) for s in find_schedules(conv, 31, True)][0]
    ('doubled', (1, 2, 4, 8), 31)
    """
    kernel = one(1).size[0]
    ways = {"one": lambda i: 1, "doubled": lambda i: 2**i, "counted": lambda i: i + 1} if dilated else {"": lambda i: 1}
    if dilated and isinstance(kernel, int) and kernel > 2:
        ways[f"times {kernel}"] = lambda i: int(kernel) ** i
    schedules = [way for name, dilation in ways.items() for way in _reaching(name, one, target, dilation)]
    if not schedules:
        details = ["each layer sees no farther than the one before"]
        raise NoSolution(f"no number of layers sees {target:,}", details=details)
    return sorted(schedules, key=lambda way: (way.size != target, len(way.dilations), way.name))


def _reaching(
    name: str, one: Callable[[int], Extent], target: int, dilation: Callable[[int], int]
) -> Iterator[Schedule]:
    """Yield the fewest layers that see at least ``target``, and if they see more, also one layer less."""
    way, jump = Schedule(name, (), 1), Fraction(1)
    before = way
    while way.size < target:
        if len(way.dilations) == MOST_LAYERS:
            return
        next_ = dilation(len(way.dilations))
        extent = one(next_)
        size = extent.size[0] if extent.size else None
        if not isinstance(size, int) or not extent.uniform or not extent.jump[0]:
            raise SpecError("the field of the repeated layers is not the same interval for every unit", where="--rf")
        if size <= 1:
            return
        before, way = way, Schedule(name, (*way.dilations, next_), way.size + int((size - 1) * jump))
        jump = jump * extent.jump[0]
    yield way
    if before.dilations and way.size != target:
        yield before


def find_smallest(build: Callable[[Shape], Graph], shape: Shape, usual: int, seconds: float = 0.4) -> int | None:
    """Return the smallest n for which ``build`` takes ``shape`` with all its spatial sizes n.

    Numbers are tried for ``seconds`` at most. None if none was found, and if ``usual`` is not taken either, since the
    size is then not what is wrong.

    >>> from convcalc import nn, trace
    >>> find_smallest(lambda shape: trace(nn.Conv2d(3, 8, 5), shape), (1, 3, 2, 2), 64)
    5
    """

    def accepts(n: int) -> bool:
        try:
            build(with_spatial_size(shape, n))
            return True
        except ConvcalcError:
            return False

    if not shape[2:] or not accepts(usual):
        return None
    end = time.thread_time() + seconds
    for n in range(1, usual + 1):
        if accepts(n):
            return n
        if time.thread_time() > end:
            break
    return None


def with_spatial_size(shape: Sequence[object], n: int) -> Shape:
    """Return ``shape`` with all its spatial sizes n.

    >>> with_spatial_size((1, 3, 10, 12), 63)
    (1, 3, 63, 63)
    """
    return (*shape[:2], *[n] * (len(shape) - 2))  # type: ignore[arg-type]
