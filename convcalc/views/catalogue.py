"""The networks and kinds of layers that exist, as text: a table of networks, signatures, the page of a kind."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from convcalc.algebra.dims import show_count, show_shape
from convcalc.analysis.count.report import Report
from convcalc.formats.sheet.names import families, kinds
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.views.columns import SEPARATED, rf_text, separated, shape_text
from convcalc.views.formulas import filled, formulas_text
from convcalc.views.table import Cells, check_format, tabulated


def networks(
    names: Sequence[str], networks: Iterable[Sequence[Any]], format: str = "simple", width: int | None = None
) -> str:
    """Return networks as a table, csv or JSON, papers cut to a terminal's ``width``; raise UnknownName for a format.

    A network is its name, parameters, MACs, usual input and paper; ``names`` are the names of these columns.

    >>> print(networks(["network", "params", "macs", "input", "paper"], [("net", 9, 81, (1, 3, 3), "")], "plain"))
    Network      Params    MACs  Input        Paper
    net               9      81  1 x 3 x 3
    """
    if format not in ("json", *SEPARATED):
        check_format(format)
    rows = [dict(zip(names, network)) for network in networks]
    if format == "json":
        return json.dumps(rows, indent=1)
    if format in SEPARATED:
        return separated(names, ({**row, "input": "x".join(map(str, row["input"]))}.values() for row in rows), format)

    def shrunk(cells: Cells, excess: int) -> Cells:
        room = max(8, max(len(row[-1]) for row in cells) - excess)
        return [[*row, paper if len(paper) <= room else paper[: room - 1] + "…"] for *row, paper in cells]

    cells = [
        [row["network"], show_count(row["params"]), show_count(row["macs"]), show_shape(row["input"]), row["paper"]]
        for row in rows
    ]
    return tabulated(cells, ["Network", "Params", "MACs", "Input", "Paper"], "lrr", format, width, shrunk)


def listed(kinds: Iterable[type[Layer]], width: int | None = None) -> str:
    """Return kinds of layers with their arguments, each on a line that is wrapped at a terminal's ``width``.

    >>> from convcalc import nn
    >>> print(listed([nn.ReLU, nn.Softmax]))
    ReLU(inplace=False)
    Softmax(dim=None)
    """
    return _filled(map(signature, kinds), width)


def described(kind: type[Layer], example: tuple[str, Report] | None, width: int | None = None) -> str:
    """Return the page of a kind; ``example`` is a sheet with the kind, and the sheet's numbers, if there is one.

    >>> from convcalc import nn
    >>> print(described(nn.ReLU, None).splitlines()[0])
    ReLU(inplace=False)
    """
    prose = " ".join((kind.__doc__ or "").split(">>>")[0].replace("`", "").split())
    parts = [_filled([signature(kind)], width), _filled([prose], width, ""), _filled([_on_sheets(kind)], width)]
    parts += [_example(kind, example, width), formulas_text(kind, width)]
    return "\n\n".join(filter(None, parts))


def _filled(lines: Iterable[str], width: int | None, indent: str = "    ") -> str:
    return "\n".join([filled(line, width, indent) for line in lines])


def signature(kind: type[Layer], name: str = "", without: Collection[str] = ()) -> str:
    """Return a kind's arguments and their defaults as a call, under another ``name`` and ``without`` some if asked.

    >>> from convcalc import nn
    >>> signature(nn.Linear)
    'Linear(in_features, out_features, bias=True)'
    """
    words = [word if x is _REQUIRED else f"{word}={x!r}" for word, x in kind.arguments.items() if word not in without]
    return f"{name or kind.__name__}({', '.join(words)})"


def _on_sheets(kind: type[Layer]) -> str:
    name = kind.sheet_name()
    family = families().get(name, "")
    if family != kind.__name__ and (family in kinds() or kind.family() != family):
        return f"on a sheet: {kind.__name__}(...), only by this name"
    text = f"on a sheet: {signature(kind, name, kind.infers)}"
    if kind.infers:
        text += f", with {' and '.join(kind.infers)} from its input"
    others = [other.__name__ for other in kinds().values() if other is not kind and other.family() == family]
    return text + (f"; becomes {' or '.join(others)} by the rank of its input" if others else "")


def _example(kind: type[Layer], example: tuple[str, Report] | None, width: int | None) -> str:
    if example is None:
        _, mark, rest = (kind.__doc__ or "").partition(">>>")
        lines = list(filter(None, map(str.strip, f"{mark}{rest}".splitlines())))
        return "\n  ".join(["for example, in Python", *lines] if lines else [])
    text, report = example
    last = report.rows[-1]
    counts = {"parameters": last.params, "MACs": last.macs}.items()
    numbers = [shape_text(last.output_shape, report), *[f"{show_count(n)} {noun}" for noun, n in counts if n]]
    seen = rf_text(last.rf)
    numbers += [f"a receptive field of {seen}"] if seen not in ("1", "-", "global") else []
    return "\n  ".join(["for example", *text.splitlines()]) + "\n" + _filled([f"gives {', '.join(numbers)}"], width)
