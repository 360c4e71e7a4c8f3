"""Reports as tables, in every format of tabulate, with the totals and what they mean below.

The only file that imports tabulate. What a cell says is the business of `columns`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, show, show_shape
from convcalc.analysis.metrics import METRICS, Count
from convcalc.analysis.report import Report
from convcalc.errors import UnknownName, did_you_mean
from convcalc.writers.columns import Column, count_text, lines, select

PREFIXES = {
    "github": "- ",
    "pipe": "- ",
    "latex": "% ",
    "latex_raw": "% ",
    "latex_booktabs": "% ",
    "latex_longtable": "% ",
}
"""What goes before each line outside the table, so that the whole stays a document of its format."""

HTML = ("html", "unsafehtml")

UNRULED = ("simple", "plain", "github", "pipe")
"""Formats in which nothing stands between rows, whose cells may have several lines."""

_PREFIXES = ("", *"kMGTPEZYRQ")  # of SI, a thousand times each


def render(
    report: Report,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    width: int | None = None,
) -> str:
    """``report`` as a table; where it is wider than ``width``, long names lose their middle.

    Raises UnknownName for a format or column that there is not.

    >>> from convcalc.readers import summary
    >>> print(render(summary("lenet5"), "plain", ["layer", "params"], depth=0).splitlines()[3])
    lenet5     61,706
    """
    check_format(format)
    chosen = select(columns, report)
    cells = [[column.cell(row, report) for column in chosen.values()] for row in lines(report, depth)]
    titles = [column.title for column in chosen.values()]
    sides = ["right" if column.right else "left" for column in chosen.values()]

    def table(cells: list[list[str]]) -> str:
        return tabulated(cells, titles, sides, format)

    text = table(cells)
    if width is not None and format not in (*HTML, *PREFIXES):
        excess = widest(text) - width
        if excess > 0:
            cells, excess = narrowed(cells, list(chosen), excess)
            text = table(folded(cells, excess, format) if excess > 0 else cells)
    return framed([headline(report)], [text], footer(report, chosen), format, width)


def check_format(format: str) -> None:
    """Raise UnknownName unless ``format`` is one of tabulate's."""
    if format not in known_formats():
        known = ("json", "csv", "tsv", *known_formats())
        hint = did_you_mean(format, known) or f"there are {', '.join(known)}"
        raise UnknownName(f"no format is called {format!r}", hint=hint)


def tabulated(cells: list[list[str]], titles: Sequence[str], sides: Sequence[str], format: str) -> str:
    """Cells, which stay as they are, under titles; ``sides`` is left or right for each column."""
    from tabulate import tabulate

    latex = format.startswith("latex")
    if latex:
        from convcalc.writers.latex import protected

        cells = [list(map(protected, row)) for row in cells]
    if format in UNRULED and all(cell and "\n" not in cell and cell == cell.strip() for row in cells for cell in row):
        # one row of many lines is the same text, and takes a third of the time
        cells = [["\n".join(column) for column in zip(*cells)]] if cells else cells
    text = str(tabulate(cells, titles, tablefmt=format, disable_numparse=True, colalign=sides))
    if latex:
        from convcalc.writers.latex import restored

        return restored(text)
    return text


def widest(text: str) -> int:
    """The length of the longest line."""
    return max(map(len, text.splitlines()))


def known_formats() -> list[str]:
    """The names of the tables' formats: tabulate's, less ``tsv``, which is for scripts and stands in `csv`."""
    from tabulate import tabulate_formats

    return [name for name in tabulate_formats if name != "tsv"]


def framed(
    heads: Sequence[str], tables: Sequence[str], entries: Sequence[tuple[str, str]], format: str, width: int | None
) -> str:
    """Tables between the lines that say of what they are and, as labels and texts, what stands below."""
    if format in HTML:
        from html import escape

        below = "<br>\n".join(escape(f"{label}: {text}") for label, text in entries)
        return "\n".join([*[f"<p>{escape(head)}</p>" for head in heads], *tables, f"<p>{below}</p>"])
    prefix = PREFIXES.get(format)
    if prefix is not None:
        above = heads if prefix == "- " else [prefix + head for head in heads]
        return "\n\n".join([*above, *tables, "\n".join(f"{prefix}{label}: {text}" for label, text in entries)])
    margin = max(len(label) for label, _ in entries) + 2
    below = "\n".join(_wrapped(label.ljust(margin) + text, margin, width) for label, text in entries)
    return "\n\n".join(["\n".join(heads), *tables, below])


def _wrapped(line: str, margin: int, width: int | None) -> str:
    if width is None or len(line) <= width or width < margin + 20:
        return line
    from textwrap import fill

    line = re.sub(r"(?<=\d) (?=\w)", "\xa0", line)  # a number stays with its noun
    wrapped = fill(line, width, subsequent_indent=" " * margin, break_long_words=False, break_on_hyphens=False)
    return wrapped.replace("\xa0", " ")


def narrowed(cells: list[list[str]], names: list[str], excess: int) -> tuple[list[list[str]], int]:
    """Cells with up to ``excess`` characters less in a line, out of the middle of layers' names, then of types.

    Returns them with the excess that is left.
    """
    cells = [list(row) for row in cells]
    for name, least in (("layer", 16), ("type", 12), ("layer", 8)):
        if excess <= 0 or name not in names:
            continue
        i = names.index(name)
        longest = max([len(row[i]) for row in cells], default=0)
        room = max(least, longest - excess)
        if room < longest:
            for row in cells:
                row[i] = elided(row[i], room)
            excess -= longest - room
    return cells, excess


def folded(cells: list[list[str]], excess: int, format: str) -> list[list[str]]:
    """Cells with the widest column, formulas in letters, broken into lines where the format knows cells of several."""
    from tabulate import multiline_formats

    widths = [max(map(len, column)) for column in zip(*cells)]
    i = widths.index(max(widths))
    room = max(24, widths[i] - excess)
    if format not in multiline_formats or room >= widths[i]:
        return cells
    return [[*row[:i], "\n".join(_terms(row[i], room)), *row[i + 1 :]] for row in cells]


def _terms(formula: str, room: int) -> list[str]:
    """A sum over several lines of at most ``room`` characters, broken before its signs."""
    lines = [""]
    for term in formula.replace(" + ", "\0+ ").replace(" - ", "\0- ").split("\0"):
        joined = f"{lines[-1]} {term}".strip()
        if len(joined) > room and lines[-1]:
            lines.append(term)
        else:
            lines[-1] = joined
    return lines


def elided(name: str, room: int) -> str:
    """``name`` in at most ``room`` characters, without its middle: the end tells most, a short first part stays whole.

    >>> elided("layer1.0.downsample.0", 19)
    'layer1…downsample.0'
    """
    if len(name) <= room:
        return name
    first = name.find(".")
    head = first if 0 < first <= room * 2 // 5 else room // 4
    return f"{name[:head]}…{name[len(name) - (room - head - 1) :]}"


def headline(report: Report) -> str:
    """Of what the table is: the network and its inputs."""
    inputs = ", ".join(
        show_shape(shape if report.show_batch or len(shape) < 2 else shape[1:])
        for shape in report.graph.inputs.values()
    )
    return f"{report.network or 'network'}, input {inputs}"


def footer(report: Report, chosen: dict[str, Column]) -> list[tuple[str, str]]:
    """What stands below a table: labels and texts."""
    counts = report.counts
    entries = list(_work_entries(report))
    if "params" in counts:
        learned, trainable = counts["params"], counts.get("trainable_params", counts["params"])
        entries += [("Total params", count_text(learned)), ("Trainable params", count_text(trainable))]
        entries += [("Non-trainable params", count_text(_less(learned, trainable)))]
    told = {"params", "trainable_params", "macs", "flops"}
    entries += [
        (METRICS[name].title, f"{count_text(counts[name])} {METRICS[name].unit}")
        for name in counts
        if name in chosen and name not in told
    ]
    if {"params", "buffers", "elements"} <= set(counts):
        held = zip(("parameters", "buffers", "all outputs"), report.memory)
        entries.append(("Memory in fp32", ", ".join(f"{name} {_bytes(count)}" for name, count in held)))
    noun = "weighted layer" if report.depth == 1 else "weighted layers"
    entries.append(("Depth", f"{report.depth} {noun} on the longest path"))
    if report.assumptions:
        entries.append(("Needs", ", ".join(_relation(relation) for relation in report.assumptions)))
    return entries + [("Note", note) for note in report.notes]


def _work_entries(report: Report) -> Iterator[tuple[str, str]]:
    """What the work is counted as, then the work."""
    convention, flops, macs = report.convention, report.counts.get("flops"), report.counts.get("macs")
    if flops is not None:
        yield "Convention", f"{convention.name}: {convention.description}"
        text = _with_noun(flops, convention.unit)
        if macs is None:
            yield "Total FLOPs", text
        elif set(convention.prices) == {"mac"} and isinstance(flops.value, int) and flops.complete:
            yield "Total FLOPs", f"{text} = {convention.prices['mac']} x {_with_noun(macs, 'MACs')}"
        else:
            yield "Total FLOPs", text
            yield "Total MACs", _with_noun(macs, "MACs")
    elif macs is not None:
        yield "Total MACs", _with_noun(macs, "MACs")


def _with_noun(count: Count, noun: str) -> str:
    """``8,178,368,512 (8.18 GFLOPs)``; a formula stands alone."""
    value = count.value
    return f"{count_text(count)} ({scaled(value)}{noun})" if isinstance(value, int) else count_text(count)


def _bytes(count: Count) -> str:
    return f"{scaled(count.value)}B" if isinstance(count.value, int) else f"{count_text(count)} B"


def scaled(value: int) -> str:
    """A count with its SI prefix, to go before a noun; exact below a thousand.

    >>> scaled(4089184256) + "MACs", scaled(999), scaled(999_999)
    ('4.09 GMACs', '999 ', '1.00 M')
    """
    if value < 1000:
        return f"{value} "
    power = min((len(str(value)) - 1) // 3, len(_PREFIXES) - 1)
    number = f"{value / 1000**power:.2f}"
    if number == "1000.00" and power + 1 < len(_PREFIXES):
        power, number = power + 1, "1.00"
    return f"{number} {_PREFIXES[power]}"


def _less(a: Count, b: Count) -> Count:
    value: Dim | None = None if a.value is None or b.value is None else a.value - b.value
    return Count(value, a.complete and b.complete)


def _relation(relation: Any) -> str:
    return show(relation)
