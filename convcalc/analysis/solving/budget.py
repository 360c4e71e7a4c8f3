"""Inverse questions with few numbers for an answer: the largest letter in a budget, layers for a field, inputs."""

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
AFTER = 64  # values above the largest that is found are looked at: a cost may fall, or a value be refused, in between

MOST_LAYERS = 10_000
MOST_SHOWN = 8


class Best(NamedTuple):
    """The largest value and its report, None where all cost too much; ``next`` is the first too large.

    ``exact``: found by the formula, not by trying.
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
    where: Sequence[Claim] = (),
) -> Best:
    """The largest value of the letter ``name`` for which each total named in ``limits`` is at most its limit.

    Exact where ``lettered``, the report with the letter, has formulas of it alone; else by trying ``report_of``
    numbers, by doubling and halving.

    >>> from convcalc import summary
    >>> best = largest("H", lambda n: summary("resnet50", (1, 3, n, n)), summary("resnet50", "3xHxH"), {"macs": 10**9})
    >>> best.value, best.report.totals["macs"], best.exact
    (100, 997450496, True)
    """

    @cache
    def tried(n: int) -> Report | None:
        try:
            return report_of(n) if all(c.holds({name: n}) for c in where) else None
        except ConvcalcError:
            return None

    def fits(n: int) -> bool | None:
        report = tried(n)
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
    return Best(name, value, value and tried(value), after, after and tried(after), exact)  # type: ignore[arg-type]


def _by_formula(name: str, report: Report, limits: Mapping[str, int]) -> int | None:
    from convcalc.algebra.symbolic import relate
    from convcalc.algebra.symbolic.regions import Region

    totals: list[tuple[Any, int]] = [(report.totals[total], limit) for total, limit in limits.items()]
    if any({str(s) for s in total.free_symbols} != {name} for total, _ in totals if is_symbolic(total)):
        return None
    region = Region([*report.assumptions, *[relate(">=", limit, total) for total, limit in totals]], [name])
    return None if region.rest or not region.cases else region.cases[0][name].most


def _by_trying(fits: Callable[[int], bool | None]) -> int | None:
    """The largest number that fits, refused ones stepped over."""

    def known(numbers: Iterable[int]) -> int | None:
        return next((n for n in numbers if fits(n) is not None), None)

    low, top, at = 0, 0, 1
    while at < MOST and not top:
        n = known(range(at, at + AFTER))
        if n is None:
            break
        low, top, at = (n, 0, max(2 * at, n + 1)) if fits(n) else (low, n, at)
    if not low:
        return None
    top = top or at
    while top - low > 1:
        middle = (low + top) // 2
        n = known([*range(middle, low, -1)[:AFTER], *range(middle + 1, top)[: AFTER - 1]])
        if n is None:
            break
        low, top = (n, top) if fits(n) else (low, n)
    return max([n for n in range(low + 1, low + 1 + AFTER) if fits(n)], default=low)


class Schedule(NamedTuple):
    """A way to reach a field: its name, the dilation of each layer, and the field's size."""

    name: str
    dilations: tuple[int, ...]
    size: int

    def describe(self) -> str:
        """The dilations; of a long row some."""
        shown = list(map(str, self.dilations))
        if len(shown) > MOST_SHOWN:
            shown = [*shown[: MOST_SHOWN - 2], "…", shown[-1]]
        return ", ".join(shown)


def schedules(one: Callable[[int], Extent], target: int, dilated: bool) -> list[Schedule]:
    """The ways to see at least ``target`` pixels: first those that see just so many, then by the number of layers.

    ``one`` gives the field of what is repeated, for a dilation, which grows in the usual ways if ``dilated``. Raises
    SpecError where there is no field to repeat, NoSolution where no number of layers reaches.

    >>> def conv(d):
    ...     return Extent((2 * d + 1,), (2 * d + 1,), (Fraction(1),), (0,), (((0, 2 * d),),))
    >>> [(s.name, s.dilations, s.size) for s in schedules(conv, 31, True)][0]
    ('doubled', (1, 2, 4, 8), 31)
    """
    kernel = one(1).size[0]
    ways = {"one": lambda i: 1, "doubled": lambda i: 2**i, "counted": lambda i: i + 1} if dilated else {"": lambda i: 1}
    if dilated and isinstance(kernel, int) and kernel > 2:
        ways[f"times {kernel}"] = lambda i: int(kernel) ** i
    found = [way for name, dilation in ways.items() for way in _reaching(name, one, target, dilation)]
    if not found:
        details = ["each layer sees no farther than the one before"]
        raise NoSolution(f"no number of layers sees {target:,}", details=details)
    return sorted(found, key=lambda way: (way.size != target, len(way.dilations), way.name))


def _reaching(
    name: str, one: Callable[[int], Extent], target: int, dilation: Callable[[int], int]
) -> Iterator[Schedule]:
    """The fewest layers that see at least ``target``; where that is more, the most that see less too."""
    way, jump = Schedule(name, (), 1), Fraction(1)
    before = way
    while way.size < target:
        if len(way.dilations) == MOST_LAYERS:
            return
        next_ = dilation(len(way.dilations))
        extent = one(next_)
        size = extent.size[0] if extent.size else None
        if not isinstance(size, int) or not extent.uniform or not extent.jump[0]:
            raise SpecError("the field of what is repeated is not one interval for every unit", where="--rf")
        if size <= 1:
            return
        before, way = way, Schedule(name, (*way.dilations, next_), way.size + int((size - 1) * jump))
        jump = jump * extent.jump[0]
    yield way
    if before.dilations and way.size != target:
        yield before


def smallest(build: Callable[[Shape], Graph], shape: Shape, usual: int, seconds: float = 0.4) -> int | None:
    """The smallest n for which ``build`` takes ``shape`` with all its spatial sizes n, tried for ``seconds`` at most.

    None where none was found, or where ``usual`` is not taken: size is not what is wrong.

    >>> from convcalc import nn, trace
    >>> smallest(lambda shape: trace(nn.Conv2d(3, 8, 5), shape), (1, 3, 2, 2), 64)
    5
    """

    def accepts(n: int) -> bool:
        try:
            build(square(shape, n))
            return True
        except ConvcalcError:
            return False

    if not shape[2:] or not accepts(usual):
        return None
    end = time.monotonic() + seconds
    for n in range(1, usual + 1):
        if accepts(n):
            return n
        if time.monotonic() > end:
            break
    return None


def square(shape: Sequence[object], n: int) -> Shape:
    """``shape`` with all its spatial sizes n.

    >>> square((1, 3, 10, 12), 63)
    (1, 3, 63, 63)
    """
    return (*shape[:2], *[n] * (len(shape) - 2))  # type: ignore[arg-type]
