"""Tables in every format of tabulate, fitted to a terminal or to LaTeX; the only file that imports tabulate."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from convcalc.analysis.count.report import Report
from convcalc.errors import UnknownName, did_you_mean
from convcalc.views.columns import SEPARATED, Column, footer, headline, lines, select

PREFIXES = {
    **dict.fromkeys(("github", "pipe"), "- "),
    **dict.fromkeys(("latex", "latex_raw", "latex_booktabs", "latex_longtable"), "% "),
}
"""What a line outside the table begins with, so that the whole text is in the format."""

HTML = ("html", "unsafehtml")

UNRULED = ("simple", "plain", "github", "pipe")
"""Formats without lines between rows."""

Cells = list[list[str]]


def render(
    report: Report,
    format: str = "simple",
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    width: int | None = None,
) -> str:
    """Return ``report`` as a table; in a narrow terminal, long names are shortened. Raises the errors of `views.write`.

    >>> from convcalc import summary
    >>> print(render(summary("lenet5"), "plain", ["layer", "params"], depth=0).splitlines()[3])
    lenet5     61,706
    """
    check_format(format)
    chosen = select(columns, report)
    cells = [[column.cell(row, report) for column in chosen.values()] for row in lines(report, depth)]

    def shrunk(cells: Cells, excess: int) -> Cells:
        names = list(chosen)
        least = (("layer", 16), ("type", 12), ("layer", 8))
        cells, excess = cut(cells, [(names.index(name), room) for name, room in least if name in names], excess)
        return folded(cells, excess, format) if excess > 0 else cells

    text = tabulated(cells, *heads(chosen), format, width, shrunk)
    return framed([headline(report)], [text], footer(report, chosen), format, width)


def heads(chosen: Mapping[str, Column]) -> tuple[list[str], str]:
    """Return the titles and sides of columns, as `tabulated` takes them."""
    return [column.title for column in chosen.values()], "".join("lr"[column.right] for column in chosen.values())


def formats() -> tuple[str, ...]:
    """Return the names of all formats.

    >>> formats()[:4]
    ('json', 'csv', 'tsv', 'asciidoc')
    """
    return ("json", *SEPARATED, *table_formats())


def table_formats() -> list[str]:
    """Return the names of tabulate's formats."""
    from tabulate import tabulate_formats

    return [name for name in tabulate_formats if name not in SEPARATED]


def check_format(format: str) -> None:
    """Raise UnknownName unless ``format`` is one of tabulate's."""
    if format not in table_formats():
        hint = did_you_mean(format, formats()) or f"there are {', '.join(formats())}"
        raise UnknownName(f"no format is called {format!r}", hint=hint)


def tabulated(
    cells: Cells,
    titles: Sequence[str],
    sides: str = "",
    format: str = "simple",
    width: int | None = None,
    shrunk: Callable[[Cells, int], Cells] | None = None,
) -> str:
    """Return cells under titles as a table.

    ``sides`` aligns each column to the left (l, the default) or right (r); ``shrunk`` returns narrower cells, given the
    characters by which the table is wider than a terminal's ``width``.
    """
    from tabulate import tabulate

    rows, latex = cells, format.startswith("latex")
    if latex:
        rows = [list(map(protected, row)) for row in rows]
    if format in UNRULED and all(cell and "\n" not in cell and cell == cell.strip() for row in rows for cell in row):
        # one row with many lines gives the same text in a third of the time
        rows = [["\n".join(column) for column in zip(*rows)]] if rows else rows
    words = ["right" if side == "r" else "left" for side in sides.ljust(len(titles))]
    text = str(tabulate(rows, titles, tablefmt=format, disable_numparse=True, colalign=words))
    if shrunk and width is not None and format not in (*HTML, *PREFIXES):
        excess = max(map(len, text.splitlines())) - width
        return tabulated(shrunk(cells, excess), titles, sides, format) if excess > 0 else text
    return restored(text) if latex else text


def framed(
    heads: Sequence[str], tables: Sequence[str], below: Iterable[tuple[str, str]], format: str, width: int | None
) -> str:
    """Return tables with lines of text above them, and labels with texts below."""
    entries = list(below)
    if format in HTML:
        from html import escape

        foot = "<br>\n".join(escape(f"{label}: {text}") for label, text in entries)
        return "\n".join([*[f"<p>{escape(head)}</p>" for head in heads], *tables, f"<p>{foot}</p>"])
    prefix = PREFIXES.get(format)
    if prefix is not None:
        above = heads if prefix == "- " else [prefix + head for head in heads]
        return "\n\n".join([*above, *tables, "\n".join(f"{prefix}{label}: {text}" for label, text in entries)])
    margin = max(len(label) for label, _ in entries) + 2
    foot = "\n".join(_wrapped(label.ljust(margin) + text, margin, width) for label, text in entries)
    return "\n\n".join(["\n".join(heads), *tables, foot])


def _wrapped(line: str, margin: int, width: int | None) -> str:
    if width is None or len(line) <= width or width < margin + 20:
        return line
    from textwrap import fill

    line = re.sub(r"(?<=\d) (?=\w)", "\xa0", _unbroken(line))  # a number stays with its noun
    wrapped = fill(line, width, subsequent_indent=" " * margin, break_long_words=False, break_on_hyphens=False)
    return wrapped.replace("\xa0", " ")


def _unbroken(formula: str) -> str:
    """Return a formula in which no line can break inside a sum in brackets."""
    depth, text = 0, ""
    for i, sign in enumerate(formula):
        depth += (sign in "(⌊⌈") - (sign in ")⌋⌉")
        text += "\xa0" if sign == " " and depth > 0 and {*formula[i - 1 : i + 2]} & {*"+-"} else sign
    return text


def cut(cells: Cells, steps: Iterable[tuple[int, int]], excess: int) -> tuple[Cells, int]:
    """Return cells with shorter names, and the excess that is left; a step is a column and the room it must keep."""
    cells = [list(row) for row in cells]
    for i, least in steps:
        longest = max((len(line) for row in cells for line in row[i].split("\n")), default=0)
        room = max(least, longest - excess)
        if excess > 0 and room < longest:
            for row in cells:
                row[i] = "\n".join(elided(line, room) for line in row[i].split("\n"))
            excess -= longest - room
    return cells, excess


def elided(name: str, room: int) -> str:
    """Return ``name`` in at most ``room`` characters, cut in the middle: its end says most.

    >>> elided("layer1.0.downsample.0", 19)
    'layer1…downsample.0'
    """
    if len(name) <= room:
        return name
    first = name.find(".")
    head = first if 0 < first <= room * 2 // 5 else room // 4
    return f"{name[:head]}…{name[head + 1 - room :]}"


def folded(cells: Cells, excess: int, format: str) -> Cells:
    """Return cells with the widest column, which has formulas, broken into lines if the format allows it."""
    from tabulate import multiline_formats

    widths = [max(map(len, column)) for column in zip(*cells)]
    i = widths.index(max(widths))
    room = max(24, widths[i] - excess)
    if format not in multiline_formats or room >= widths[i]:
        return cells
    terms = [re.split(r" (?=[+-] )", _unbroken(row[i])) for row in cells]
    return [[*row[:i], _filled(parts, room).replace("\xa0", " "), *row[i + 1 :]] for row, parts in zip(cells, terms)]


def fitted(cells: Cells, excess: int, titles: Sequence[str], names: Iterable[int]) -> Cells:
    """Return cells narrower by ``excess`` characters: the widest columns broken, then the columns ``names`` cut.

    >>> fitted([["conv1", "1,000,000 → 2,000,000"]], 8, ["Layer", "Params"], [0])
    [['conv1', '1,000,000\\n→ 2,000,000']]
    """
    columns = [list(column) for column in zip(*cells)]
    widths = [max(map(len, column)) for column in columns]
    least = [
        max(len(title), *[len(part) for cell in column for part in _parts(cell)])
        for title, column in zip(titles, columns)
    ]
    while excess > 0:
        i = max(range(len(columns)), key=lambda i: (widths[i] > least[i], widths[i]))
        if widths[i] <= least[i]:
            break
        room = max(least[i], widths[i] - max(1, min(excess, widths[i] // 4)))
        columns[i] = [_filled(_parts(cell.replace("\n", " ")), room) for cell in columns[i]]
        reached = max(len(titles[i]), *[len(line) for cell in columns[i] for line in cell.split("\n")])
        excess -= widths[i] - reached
        widths[i] = reached
    return cut([list(row) for row in zip(*columns)], [(i, least) for least in (16, 8) for i in names], excess)[0]


def _parts(cell: str) -> list[str]:
    """Return the parts of a cell between which a line can break; a shape is one part."""
    return re.split(r"(?<! x)(?<![→+-]) (?!x )|(?<=\()", cell)


def _filled(parts: Iterable[str], room: int) -> str:
    """Return parts joined to lines of at most ``room`` characters."""
    lines = [""]
    for part in parts:
        space = "" if not lines[-1] or lines[-1].endswith("(") else " "
        if lines[-1] and len(lines[-1] + space + part) > room:
            lines.append(part)
        else:
            lines[-1] += space + part
    return "\n".join(lines)


_SIGNS = {
    "⌊": r"\left\lfloor ",
    "⌋": r"\right\rfloor ",
    "⌈": r"\left\lceil ",
    "⌉": r"\right\rceil ",
    "·": r"\cdot ",
    "≥": r"\geq ",
    "≤": r"\leq ",
    "≡": r"\equiv ",
    " x ": r" \times ",
}
_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PROTECTED = {ord(sign): 0xE000 + i for i, sign in enumerate("$\\{}^_&%#~<>")}
"""The characters that tabulate would escape, as characters of private use."""


def protected(cell: str) -> str:
    """Return a cell with its formula as LaTeX mathematics that tabulate does not escape; `restored` completes it.

    >>> restored(protected("64 x ⌈H/2⌉"))
    '$64 \\\\times \\\\left\\\\lceil H/2\\\\right\\\\rceil $'
    """
    sums = re.search(r" x | [+-] ", cell) and re.search(r"[A-Za-z_]", cell.replace(" x ", ""))
    if not re.search(f"[⌊⌋⌈⌉·≥≤≡{_POWERS}]", cell) and not sums:
        return cell
    text = re.sub(r"(?<=\d),(?=\d)", "{,}", cell)
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    text = re.sub(f"[{_POWERS}]+", lambda m: "^{" + "".join(str(_POWERS.index(c)) for c in m[0]) + "}", text)
    text = re.sub(r"(?<![\\A-Za-z])([A-Za-z]\w+)\b", lambda m: r"\mathit{" + m[1].replace("_", r"\_") + "}", text)
    return f"${text}$".translate(_PROTECTED)


def restored(table: str) -> str:
    """Return a table with the characters that `protected` replaced."""
    return table.translate({private: sign for sign, private in _PROTECTED.items()})
