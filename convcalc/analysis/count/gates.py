"""Gates: limits that a network must keep, as a step of continuous integration holds them.

A gate that cannot be decided, for letters or for work that is not known, has failed: it says why.
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from convcalc.algebra.dims import at_least, show_count, truth
from convcalc.algebra.types import Dim, is_symbolic
from convcalc.analysis.count.call import canonical_count
from convcalc.analysis.count.metrics import METRICS, Metric
from convcalc.analysis.count.report import Report, join_names
from convcalc.analysis.fields.flow import Extent, ReceptiveField
from convcalc.errors import SpecError, UnknownName, did_you_mean

MOST = 10**24
"""No limit lies above it: a larger one is a slip of the keyboard."""

UNITS = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15}
"""What may stand behind a number, as powers of ten."""


class Limit(NamedTuple):
    """A limit as it was given: an integer, or by how many percent the other network may be exceeded."""

    number: int = 0
    percent: Fraction | None = None

    def of(self, base: Dim) -> tuple[Dim, int, str]:
        """Return the limit times an integer that makes it one, that integer, and in brackets what ``base`` it is of."""
        if self.percent is None:
            return self.number, 1, ""
        factor = 1 + self.percent / 100
        beside = f" (A's {show_count(base)} {float(self.percent):+g}%)"
        return base * factor.numerator, factor.denominator, beside


class Gate(NamedTuple):
    """A gate: its name as on the command line, what breaks it, and how that is found.

    ``check`` says why a report (against another, for limits in percent) breaks a limit; nothing where it keeps it.
    """

    name: str
    broken_by: str
    check: Callable[[Report, Limit, Report | None], str]


def _at_most(metric: Metric, report: Report, limit: Limit, base: Report | None) -> str:
    """Return why there is more of ``metric`` in total than the limit, if so."""
    noun, name = metric.unit, metric.name
    if name not in report.counts or (base is not None and name not in base.counts):
        return f"cannot be decided: the {noun} were not counted"
    count = report.counts[name]
    names = [row.name for row in report.rows if not row.counts[name].complete]
    unknown = f"; not known of {join_names(names, 3)}" if names else ""
    if count.value is None:
        return f"cannot be decided: no number of {noun} is known{unknown}"
    other = None if base is None else base.counts[name]
    if limit.percent is not None and other is not None and not other.complete:
        return f"cannot be decided: A's {noun} are not all known"
    bound, times, beside = limit.of((other and other.value) or 0)
    kept = truth(at_least(bound, count.value * times))
    received = f"{'' if count.complete else '≥ '}{show_count(count.value)} {noun}"
    allowed = f"{_divided(bound, times)}{beside}"
    if kept is False:
        excess = _divided(canonical_count(count.value * times - bound), times, up=True)
        return f"{received} exceed {allowed} by {excess}{'' if count.complete else ' or more'}"
    if kept is None:
        letters = {str(letter) for value in (count.value, bound) if is_symbolic(value) for letter in value.free_symbols}  # type: ignore[union-attr]
        return f"cannot be decided: whether {received} exceed {allowed} depends on {', '.join(sorted(letters))}"
    return "" if count.complete else f"cannot be decided: {received} are not all{unknown}"


def _divided(value: Dim, times: int, up: bool = False) -> str:
    """Return ``value/times`` as text: it counts things, and is rounded down or ``up``."""
    if isinstance(value, int):
        return show_count(-(-value // times) if up else value // times)
    return show_count(value) if times == 1 else f"({show_count(value)})/{times}"


def _field_at_least(report: Report, limit: Limit, base: Report | None) -> str:
    """Return why a unit of the first output sees less than the limit along an axis that it does not see all of.

    What it sees through gates (squeeze and excitation) is left aside.
    """
    rf: ReceptiveField = report.totals["rf"]
    if rf is None:
        return "cannot be decided: the receptive field is not defined"
    (size, exact), least, beside = _smallest(rf), limit.number, ""
    if limit.percent is not None and base is not None:
        seen, known = _smallest(base.totals["rf"])
        if not known:
            what = "defined" if base.totals["rf"] is None else "known exactly"
            return f"cannot be decided: A's receptive field is not {what}"
        if seen is None:
            return "" if size is None else f"a receptive field of {size:,}, where A sees all its input"
        bound, times, beside = limit.of(seen)
        least = -(-bound // times)  # type: ignore[assignment]  # of ints
    if size is None:
        return ""
    received = f"a receptive field of {'' if exact else 'at most '}{size:,}"
    if size < least:
        return f"{received} falls short of {least:,}{beside} by {least - size:,}"
    return "" if exact else f"cannot be decided: {received} may fall short of {least:,}{beside}"


def _smallest(rf: ReceptiveField) -> tuple[int | None, bool]:
    """Return the least that a unit sees along an axis, None for all of the input, and whether it is exactly that."""
    if not isinstance(rf, Extent):
        return None, rf is not None
    known = rf.smallest if rf.exact else rf.size
    sizes = [size for size, along in zip(known, rf.along) if not along and isinstance(size, int)]
    return min(sizes, default=None), rf.exact


_RF = Gate("min-rf", "a smaller receptive field", _field_at_least)


def every_gate() -> dict[str, Gate]:
    """Return every gate by its name: one for each metric that has one, then that of the receptive field.

    >>> list(every_gate())
    ['max-params', 'max-macs', 'max-flops', 'min-rf']
    """
    rows = [Gate(row.gate, f"more {row.unit}", partial(_at_most, row)) for row in METRICS.values() if row.gate]
    return {gate.name: gate for gate in (*rows, _RF)}


def limits(given: Mapping[str, str | int | None], *, relative: bool = False) -> dict[str, Limit]:
    """Return limits by the name of their gate, from texts or numbers; ``relative``: they may be in percent.

    Raises SpecError for what is not a limit, UnknownName for what no gate is called.

    >>> limits({"max_macs": "4.1G", "min_rf": None})
    {'max-macs': Limit(number=4100000000, percent=None)}
    """
    named = {name.replace("_", "-"): text for name, text in given.items()}
    known = every_gate()
    for name in named:
        if name not in known:
            raise UnknownName(f"no limit is called {name!r}", hint=did_you_mean(name, known))
    return {name: parse_limit(str(text), f"--{name}", relative) for name, text in named.items() if text is not None}


def parse_limit(text: str, where: str = "limit", relative: bool = False) -> Limit:
    """Return a limit from text: ``25_000_000``, ``600M``, ``4.1e9``, or ``+5%``; never rounded. Raise SpecError.

    >>> parse_limit("600M").number, parse_limit("+5%", relative=True).percent
    (600000000, Fraction(5, 1))
    """
    shown = text if len(text) <= 30 else text[:27] + "..."
    if percentage := re.fullmatch(r"([+-][0-9]{1,6}(?:\.[0-9]{1,6})?)\s?%", text):
        if not relative:
            hint = "`convcalc compare A B` holds B against A"
            raise SpecError(f"{shown} needs another network to count from", where=where, hint=hint)
        percent = Fraction(percentage[1])
        if percent < -100:
            raise SpecError(f"{shown} is more than all of it", where=where)
        return Limit(percent=percent)
    hint = "write an integer: 25_000_000, 600M, 4.1G, 4.1e9" + (", or +5% against A" if relative else "")
    number = r"([0-9]+(?:_[0-9]+)*|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?(?:[eE]\+?([0-9]{1,3}))?([kKMGTP]?)"
    parts = re.fullmatch(number, text) if len(text) <= 60 else None
    if not parts:
        raise SpecError(f"{shown!r} is not a limit", where=where, hint=hint)
    before, after, power, unit = parts.groups(default="")
    value = int(re.sub("[_,]", "", before) + after) * Fraction(10) ** (int(power or 0) + UNITS[unit] - len(after))
    if value.denominator != 1:
        raise SpecError(f"{shown} is not an integer", where=where, hint=hint)
    if value > MOST:
        raise SpecError(f"a limit lies between 0 and 10²⁴; received {shown}", where=where)
    return Limit(int(value))


def check(report: Report, held: Mapping[str, Limit], base: Report | None = None) -> list[str]:
    """Return a line for each gate that failed, which says why; ``base`` is what limits in percent count from.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> check(analyze(trace(nn.Linear(8, 2), (1, 8))), limits({"max_params": "10"}))
    ['max-params: 18 parameters exceed 10 by 8']
    """
    whys = {name: gate.check(report, held[name], base) for name, gate in every_gate().items() if name in held}
    return [f"{name}: {why}" for name, why in whys.items() if why]
