"""Gates: limits that a network must keep, for use as a step of continuous integration.

A gate that cannot be decided, because of letters or unknown work, fails, and its line says why.
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
"""The largest limit; anything larger is a typing error."""

UNITS = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15}
"""The units that may follow a number, as powers of ten."""


class Limit(NamedTuple):
    """A limit as the user gave it: an integer, or the percentage by which the other network may be exceeded."""

    number: int = 0
    percent: Fraction | None = None

    def of(self, base: Dim) -> tuple[Dim, int, str]:
        """Return the limit as a numerator, a denominator, and in brackets how it follows from ``base``.

        >>> Limit(percent=Fraction(5)).of(200)
        (4200, 20, " (A's 200 +5%)")
        """
        if self.percent is None:
            return self.number, 1, ""
        factor = 1 + self.percent / 100
        origin = f" (A's {show_count(base)} {float(self.percent):+g}%)"
        return base * factor.numerator, factor.denominator, origin


class Gate(NamedTuple):
    """A gate: its name on the command line, what breaks it, and the function that checks it.

    ``check`` takes a report, a limit, and the report that percentages refer to; it returns why the limit is broken,
    and an empty text where it is kept.
    """

    name: str
    broken_by: str
    check: Callable[[Report, Limit, Report | None], str]


def _at_most(metric: Metric, report: Report, limit: Limit, base: Report | None) -> str:
    """Return why the total of ``metric`` exceeds the limit; empty if it does not."""
    noun, name = metric.unit, metric.name
    if name not in report.counts or (base is not None and name not in base.counts):
        return f"cannot be decided: the {noun} were not counted"
    count = report.counts[name]
    names = [row.name for row in report.rows if not row.counts[name].complete]
    layers = f" for {join_names(names, 3)}" if names else ""
    if count.value is None:
        return f"cannot be decided: the {noun} are unknown{layers}"
    other = None if base is None else base.counts[name]
    if limit.percent is not None and other is not None and not other.complete:
        return f"cannot be decided: not all {noun} of A are known"
    bound, divisor, origin = limit.of((other and other.value) or 0)
    kept = truth(at_least(bound, count.value * divisor))
    received = f"{'' if count.complete else '≥ '}{show_count(count.value)} {noun}"
    allowed = f"{_show_quotient(bound, divisor)}{origin}"
    if kept is False:
        excess = _show_quotient(canonical_count(count.value * divisor - bound), divisor, up=True)
        return f"{received} exceed {allowed} by {excess}{'' if count.complete else ' or more'}"
    if kept is None:
        letters = {str(letter) for value in (count.value, bound) if is_symbolic(value) for letter in value.free_symbols}  # type: ignore[union-attr]
        return f"cannot be decided: whether {received} exceed {allowed} depends on {', '.join(sorted(letters))}"
    if count.complete:
        return ""
    return f"cannot be decided: {received} are only a lower bound" + (f"; unknown{layers}" if layers else "")


def _show_quotient(value: Dim, divisor: int, up: bool = False) -> str:
    """Return ``value/divisor`` as text; a number is rounded down, or ``up``, to an integer."""
    if isinstance(value, int):
        return show_count(-(-value // divisor) if up else value // divisor)
    return show_count(value) if divisor == 1 else f"({show_count(value)})/{divisor}"


def _field_at_least(report: Report, limit: Limit, base: Report | None) -> str:
    """Return why a unit of the first output sees less than the limit along some axis; empty if it does not.

    Axes that it sees from end to end do not count, nor does what it sees through gates (squeeze and excitation).
    """
    rf: ReceptiveField = report.totals["rf"]
    if rf is None:
        return "cannot be decided: the receptive field is not defined"
    (size, exact), least, origin = _smallest(rf), limit.number, ""
    if limit.percent is not None and base is not None:
        base_size, base_exact = _smallest(base.totals["rf"])
        if not base_exact:
            what = "defined" if base.totals["rf"] is None else "known exactly"
            return f"cannot be decided: A's receptive field is not {what}"
        if base_size is None:
            return "" if size is None else f"a receptive field of {size:,}, where A sees all its input"
        bound, divisor, origin = limit.of(base_size)
        least = -(-bound // divisor)  # type: ignore[assignment]  # of ints
    if size is None:
        return ""
    received = f"a receptive field of {'' if exact else 'at most '}{size:,}"
    if size < least:
        return f"{received} falls short of {least:,}{origin} by {least - size:,}"
    return "" if exact else f"cannot be decided: {received} may fall short of {least:,}{origin}"


def _smallest(rf: ReceptiveField) -> tuple[int | None, bool]:
    """Return the least that a unit sees along an axis, None for the whole input, and whether that is exact."""
    if not isinstance(rf, Extent):
        return None, rf is not None
    sizes = rf.smallest if rf.exact else rf.size
    numbers = [size for size, along in zip(sizes, rf.along) if not along and isinstance(size, int)]
    return min(numbers, default=None), rf.exact


_RF = Gate("min-rf", "a smaller receptive field", _field_at_least)


def every_gate() -> dict[str, Gate]:
    """Return the gates by name: those of the metrics that have one, then that of the receptive field.

    >>> list(every_gate())
    ['max-params', 'max-macs', 'max-flops', 'min-rf']
    """
    rows = [Gate(row.gate, f"more {row.unit}", partial(_at_most, row)) for row in METRICS.values() if row.gate]
    return {gate.name: gate for gate in (*rows, _RF)}


def parse_limits(values: Mapping[str, str | int | None], *, relative: bool = False) -> dict[str, Limit]:
    """Return limits by the name of their gate, from texts or numbers; ``relative``: they may be percentages.

    A value of None sets no limit. Raises SpecError for a value that is not a limit, UnknownName for a name that no
    gate has.

    >>> parse_limits({"max_macs": "4.1G", "min_rf": None})
    {'max-macs': Limit(number=4100000000, percent=None)}
    """
    texts = {name.replace("_", "-"): text for name, text in values.items()}
    gates = every_gate()
    for name in texts:
        if name not in gates:
            raise UnknownName(f"there is no limit called {name!r}", hint=did_you_mean(name, gates))
    return {name: parse_limit(str(text), f"--{name}", relative) for name, text in texts.items() if text is not None}


def parse_limit(text: str, where: str = "limit", relative: bool = False) -> Limit:
    """Return the limit that a text such as ``25_000_000``, ``600M``, ``4.1e9`` or ``+5%`` states, never rounded.

    ``where`` is the option that errors name. Raises SpecError for a text that is not an integer of at most 10²⁴, and
    for a percentage unless ``relative``.

    >>> parse_limit("600M").number, parse_limit("+5%", relative=True).percent
    (600000000, Fraction(5, 1))
    """
    shown = text if len(text) <= 30 else text[:27] + "..."
    if percentage := re.fullmatch(r"([+-][0-9]{1,6}(?:\.[0-9]{1,6})?)\s?%", text):
        if not relative:
            hint = "`convcalc compare A B` compares B with A"
            raise SpecError(f"{shown} needs another network to refer to", where=where, hint=hint)
        percent = Fraction(percentage[1])
        if percent < -100:
            raise SpecError(f"a percentage must be at least -100%; received {shown}", where=where)
        return Limit(percent=percent)
    hint = "write an integer: 25_000_000, 600M, 4.1G, 4.1e9" + (", or +5% relative to A" if relative else "")
    number = r"([0-9]+(?:_[0-9]+)*|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?(?:[eE]\+?([0-9]{1,3}))?([kKMGTP]?)"
    parts = re.fullmatch(number, text) if len(text) <= 60 else None
    if not parts:
        raise SpecError(f"{shown!r} is not a limit", where=where, hint=hint)
    before, after, power, unit = parts.groups(default="")
    value = int(re.sub("[_,]", "", before) + after) * Fraction(10) ** (int(power or 0) + UNITS[unit] - len(after))
    if value.denominator != 1:
        raise SpecError(f"{shown} is not an integer", where=where, hint=hint)
    if value > MOST:
        raise SpecError(f"a limit must be between 0 and 10²⁴; received {shown}", where=where)
    return Limit(int(value))


def check(report: Report, limits: Mapping[str, Limit], base: Report | None = None) -> list[str]:
    """Return a line for each gate that failed, with the reason; ``base`` is the report that percentages refer to.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> check(analyze(trace(nn.Linear(8, 2), (1, 8))), parse_limits({"max_params": "10"}))
    ['max-params: 18 parameters exceed 10 by 8']
    """
    reasons = {name: gate.check(report, limits[name], base) for name, gate in every_gate().items() if name in limits}
    return [f"{name}: {reason}" for name, reason in reasons.items() if reason]
