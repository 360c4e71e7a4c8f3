"""The networks of the zoo as a list with their totals, and as a page of the documentation.

Everything is read off the registry and the networks themselves. What a network is stands in its file in `zoo`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby
from typing import Any, NamedTuple

from convcalc import zoo
from convcalc.algebra.dims import Shape, show_count, show_shape
from convcalc.analysis.report import totals
from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.trace import trace

TITLES = ("Network", "Params", "MACs", "Input", "Paper")
SIDES = ("left", "right", "right", "left", "left")


class Listed(NamedTuple):
    """A network and its totals at batch 1 and its usual input, which stands without the batch."""

    network: str
    params: int
    macs: int
    input: Shape
    paper: str


def measured(name: str) -> Listed:
    """A network of the zoo with its totals; raises UnknownName.

    >>> measured("lenet5").params
    61706
    """
    model, shape = zoo.load(name)
    found = totals(trace(model, (1, *shape)), ("params", "macs"))
    params, macs = (found[metric].value for metric in ("params", "macs"))
    assert isinstance(params, int) and isinstance(macs, int), name  # the zoo holds no kind of unknown work
    return Listed(name, params, macs, shape, zoo.entry(name).paper)


def matching(pattern: str) -> list[str]:
    """The names that match a shell's pattern; raises UnknownName where none does.

    >>> matching("vgg1?")
    ['vgg11', 'vgg13', 'vgg16', 'vgg19']
    """
    names = zoo.names(pattern)
    if not names:
        hint = did_you_mean(pattern.strip("*?"), zoo.names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network matches {pattern!r:.60}", hint=hint)
    return names


def listed(pattern: str = "*", format: str = "simple", width: int | None = None) -> str:
    """The networks whose names match a shell's pattern, family by family, in a format: json, csv, tsv or tabulate's.

    ``width`` is that of the terminal: papers are cut to it. Raises UnknownName for a pattern or format without match.

    >>> print(listed("lenet5", "csv"))
    network,params,macs,input,paper
    lenet5,61706,416520,1x32x32,"LeCun et al. 1998, Proc. IEEE 86(11)"
    """
    from convcalc.writers import table

    if format not in ("json", "csv", "tsv"):
        table.check_format(format)
    rows = [measured(name) for name in matching(pattern)]
    if format == "json":
        import json

        return json.dumps([row._asdict() for row in rows], indent=1)
    if format in ("csv", "tsv"):
        return _values(rows, "," if format == "csv" else "\t")
    cells = [_cells(row) for row in rows]
    text = table.tabulated(cells, TITLES, SIDES, format)
    excess = table.widest(text) - width if width is not None else 0
    if excess <= 0 or format in (*table.HTML, *table.PREFIXES):
        return text
    room = max(8, max(len(row.paper) for row in rows) - excess)
    cells = [[*row[:-1], row[-1] if len(row[-1]) <= room else row[-1][: room - 1] + "…"] for row in cells]
    return table.tabulated(cells, TITLES, SIDES, format)


def _cells(row: Listed) -> list[str]:
    return [row.network, show_count(row.params), show_count(row.macs), show_shape(row.input), row.paper]


def _values(rows: Sequence[Listed], delimiter: str) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(Listed._fields)
    writer.writerows(row._replace(input="x".join(map(str, row.input))) for row in rows)  # type: ignore[arg-type]
    return text.getvalue().rstrip("\n")


HEAD = """\
# The zoo

<!-- Written by `pytest tests/test_networks.py --regenerate` from the files in `convcalc/zoo/`. -->

All networks that convcalc knows by name, family by family: parameters, multiply–accumulates at batch 1 and the usual
input, and what `--set` takes. `convcalc networks` prints the list, `convcalc summary NAME` a network.
"""


def page() -> str:
    """The page of the documentation that tells of all networks."""
    families = groupby(zoo.names(), lambda name: zoo.entry(name).build.__module__)
    return "\n".join([HEAD, *[_family(module, list(names)) for module, names in families]])


def _family(module: str, names: list[str]) -> str:
    """A family: what its file says, its networks, and a line on each."""
    title, _, text = (import_module(module).__doc__ or "").strip().partition("\n")
    lines = [f"## {title.rstrip('.')}", text.rstrip(), ""]
    lines += ["| network | parameters | MACs | input | settings |", "|---|---:|---:|---|---|"]
    for name in names:
        row = measured(name)
        shown = [f"`{name}`", show_count(row.params), show_count(row.macs), show_shape(row.input)]
        lines.append(f"| {' | '.join([*shown, ', '.join(_settings(zoo.entry(name).settings))])} |")
    return "\n".join([*lines, "", *[f"- `{name}`: {zoo.entry(name).doc}" for name in names], ""])


def _settings(settings: Any) -> Iterator[str]:
    return (f"`{name}={default!r}`" for name, default in settings.items())
