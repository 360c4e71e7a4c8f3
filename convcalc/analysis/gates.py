"""Gates: limits that a network must keep, as a step of continuous integration holds them.

Each gate is one row. A gate that cannot be decided, for letters or for work that is not known, has failed: it says why.
What happens then (exit codes, stderr) is the command line's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from convcalc.algebra.dims import Dim, at_least, is_symbolic, show_count, truth
from convcalc.analysis.flow import Extent, ReceptiveField
from convcalc.analysis.metrics import METRICS, Count, whole
from convcalc.analysis.report import Report
from convcalc.errors import SpecError

MOST = 10**24
"""No limit lies above it: a larger one is a slip of the keyboard."""

UNITS = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15}
"""What may stand behind a number, as powers of ten."""


class Limit(NamedTuple):
    """A limit as it was given: a whole number, or by how many percent the other network may be exceeded."""

    number: int = 0
    percent: Fraction | None = None

    def of(self, base: Dim) -> tuple[Dim, int]:
        """The limit, multiplied by a whole number so that it is whole, and that number; ``base`` is the other's."""
        if self.percent is None:
            return self.number, 1
        factor = 1 + self.percent / 100
        return base * factor.numerator, factor.denominator

    def beside(self, base: Dim) -> str:
        """What the limit is counted from, to go behind it in brackets."""
        return "" if self.percent is None else f" (A's {show_count(base)} {float(self.percent):+g}%)"


Check: TypeAlias = "Callable[[Report, Limit, Report | None], str]"
"""Says why a report (against another, for limits in percent) breaks a limit; nothing where it keeps it."""


class Gate(NamedTuple):
    """A gate: its name as on the command line, what breaks it, and how that is found."""

    name: str
    broken_by: str
    check: Check


def _at_most(metric: str) -> Check:
    """No more of ``metric`` in total than the limit."""

    def check(report: Report, limit: Limit, base: Report | None) -> str:
        return _exceeds(report, limit, metric, Count(0) if base is None else base.counts[metric])

    return check


def _exceeds(report: Report, limit: Limit, metric: str, base: Count) -> str:
    noun, count = METRICS[metric].unit, report.counts[metric]
    if count.value is None:
        return f"cannot be decided: no number of {noun} is known{_unknown(report, metric)}"
    if limit.percent is not None and (base.value is None or not base.complete):
        return f"cannot be decided: A's {noun} are not all known"
    bound, times = limit.of(base.value or 0)
    most = _rounded_down(bound, times)
    kept = truth(at_least(bound, count.value * times))
    received = f"{'' if count.complete else '≥ '}{show_count(count.value)} {noun}"
    allowed = f"{most}{limit.beside(base.value or 0)}"
    if kept is False:
        more = "" if count.complete else " or more"
        excess = whole(count.value * times - bound)
        return f"{received} exceed {allowed} by {_rounded_up(excess, times)}{more}"
    if kept is None:
        letters = sorted(map(str, _letters(count.value, bound)))
        return f"cannot be decided: whether {received} exceed {allowed} depends on {', '.join(letters)}"
    return "" if count.complete else f"cannot be decided: {received} are not all{_unknown(report, metric)}"


def _letters(*values: Dim) -> set[object]:
    return {letter for value in values if is_symbolic(value) for letter in value.free_symbols}  # type: ignore[union-attr]


def _rounded_down(value: Dim, times: int) -> str:
    """``value/times``, which counts things: only whole ones."""
    if isinstance(value, int):
        return show_count(value // times)
    return show_count(value) if times == 1 else f"({show_count(value)})/{times}"


def _rounded_up(value: Dim, times: int) -> str:
    return show_count(-(-value // times)) if isinstance(value, int) else _rounded_down(value, times)


def _unknown(report: Report, metric: str) -> str:
    """Where a number is not known."""
    names = [row.name for row in report.rows if not row.counts[metric].complete]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"; not known of {', '.join(names[:3])}{more}" if names else ""


def _field_at_least(report: Report, limit: Limit, base: Report | None) -> str:
    """Every unit of the first output sees the limit along every axis, or the input from end to end; gates aside."""
    rf: ReceptiveField = report.totals["rf"]
    if rf is None:
        return "cannot be decided: the receptive field is not defined"
    size, least, beside = _smallest(rf), limit.number, ""
    if limit.percent is not None and base is not None:
        other: ReceptiveField = base.totals["rf"]
        if other is None or not _is_exact(other):
            return f"cannot be decided: A's receptive field is not {'defined' if other is None else 'known exactly'}"
        seen = _smallest(other)
        if seen is None:
            return "" if size is None else f"a receptive field of {size:,}, where A sees all its input"
        bound, times = limit.of(seen)
        least, beside = -(-bound // times), limit.beside(seen)  # type: ignore[assignment]  # of ints
    if size is None:
        return ""
    received = f"a receptive field of {'' if _is_exact(rf) else 'at most '}{size:,}"
    if size < least:
        return f"{received} falls short of {least:,}{beside} by {least - size:,}"
    return "" if _is_exact(rf) else f"cannot be decided: {received} may fall short of {least:,}{beside}"


def _is_exact(rf: ReceptiveField) -> bool:
    """Whether units see all that is said; else they may see less."""
    return not isinstance(rf, Extent) or rf.exact


def _smallest(rf: ReceptiveField) -> int | None:
    """The least that a unit sees along an axis; None where it sees all of the input."""
    if not isinstance(rf, Extent):
        return None
    known = rf.smallest if rf.exact else rf.size
    sizes = [size for size, along in zip(known, rf.along) if not along and isinstance(size, int)]
    return min(sizes, default=None)


_ROWS = (
    Gate("max-params", "more parameters", _at_most("params")),
    Gate("max-macs", "more MACs", _at_most("macs")),
    Gate("max-flops", "more FLOPs", _at_most("flops")),
    Gate("min-rf", "a smaller receptive field", _field_at_least),
)

GATES: Mapping[str, Gate] = {row.name: row for row in _ROWS}
"""Every gate by its name."""


def limits(given: Mapping[str, str | None], *, relative: bool = False) -> dict[str, Limit]:
    """Limits by the name of their gate from texts; ``relative``: they may be in percent. Raises SpecError.

    >>> limits({"max_macs": "4.1G", "min_rf": None})
    {'max-macs': Limit(number=4100000000, percent=None)}
    """
    named = {name.replace("_", "-"): text for name, text in given.items()}
    return {name: parse_limit(text, f"--{name}", relative) for name, text in named.items() if text is not None}


def parse_limit(text: str, where: str = "limit", relative: bool = False) -> Limit:
    """A limit from text: ``25_000_000``, ``600M``, ``4.1e9``, or ``+5%``; never rounded. Raises SpecError.

    >>> parse_limit("600M").number, parse_limit("+5%", relative=True).percent
    (600000000, Fraction(5, 1))
    """
    shown = text if len(text) <= 30 else text[:27] + "..."
    if found := re.fullmatch(r"([+-][0-9]{1,6}(?:\.[0-9]{1,6})?)\s?%", text):
        if not relative:
            hint = "`convcalc compare A B` holds B against A"
            raise SpecError(f"{shown} needs another network to count from", where=where, hint=hint)
        percent = Fraction(found[1])
        if percent < -100:
            raise SpecError(f"{shown} is more than all of it", where=where)
        return Limit(percent=percent)
    number = r"([0-9]+(?:_[0-9]+)*|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?(?:[eE]\+?([0-9]{1,3}))?([kKMGTP]?)"
    found = re.fullmatch(number, text) if len(text) <= 60 else None
    if not found:
        raise SpecError(f"{shown!r} is not a limit", where=where, hint=_hint(relative))
    before, after, power, unit = found.groups(default="")
    value = int(re.sub("[_,]", "", before) + after) * Fraction(10) ** (int(power or 0) + UNITS[unit] - len(after))
    if value.denominator != 1:
        raise SpecError(f"{shown} is not a whole number", where=where, hint=_hint(relative))
    if value > MOST:
        raise SpecError(f"a limit lies between 0 and 10²⁴; received {shown}", where=where)
    return Limit(int(value))


def _hint(relative: bool) -> str:
    more = ", or +5% against A" if relative else ""
    return f"write a whole number: 25_000_000, 600M, 4.1G, 4.1e9{more}"


def check(report: Report, held: Mapping[str, Limit], base: Report | None = None) -> list[str]:
    """What is said of each gate that failed, a line each; ``base`` is what limits in percent count from.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.report import analyze
    >>> check(analyze(trace(nn.Linear(8, 2), (1, 8))), limits({"max_params": "10"}))
    ['max-params: 18 parameters exceed 10 by 8']
    """
    return list(_failures(report, held, base))


def _failures(report: Report, held: Mapping[str, Limit], base: Report | None) -> Iterator[str]:
    for name, gate in GATES.items():
        if name in held:
            why = gate.check(report, held[name], base)
            if why:
                yield f"{name}: {why}"
