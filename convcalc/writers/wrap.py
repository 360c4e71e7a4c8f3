"""Cells broken into lines, so that a table of differences fits a terminal. What the cells say is not known here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from convcalc.writers.table import elided

_GLUE = "\xa0"
_GLUED = (
    (re.compile(r" x "), f"{_GLUE}x{_GLUE}"),
    (re.compile(r"(→|\+|-) "), rf"\1{_GLUE}"),  # a sign begins a line
)


def fitted(cells: list[list[str]], titles: Sequence[str], excess: int, names: Collection[int]) -> list[list[str]]:
    """Cells with up to ``excess`` characters less in a line: the widest columns broken, then ``names`` cut.

    >>> fitted([["conv1", "1,000,000 → 2,000,000"]], ["Layer", "Params"], 8, [0])
    [['conv1', '1,000,000\\n→ 2,000,000']]
    """
    columns = [list(column) for column in zip(*cells)]
    widths = [max(map(len, column)) for column in columns]
    least = [
        max([len(titles[i]), *[len(part) for cell in column for part in _parts(cell)]])
        for i, column in enumerate(columns)
    ]
    while excess > 0:
        i = max(range(len(columns)), key=lambda i: (widths[i] > least[i], widths[i]))
        if widths[i] <= least[i]:
            break
        room = max(least[i], widths[i] - max(1, min(excess, widths[i] // 4)))
        columns[i] = [_broken(cell, room) for cell in columns[i]]
        reached = max(len(titles[i]), *[len(line) for cell in columns[i] for line in cell.split("\n")])
        excess -= widths[i] - reached
        widths[i] = reached
        least[i] = min(least[i], reached)
    for least_room in (16, 8):
        for i in names:
            room = max(least_room, widths[i] - excess)
            if excess > 0 and room < widths[i]:
                columns[i] = ["\n".join(elided(line, room) for line in cell.split("\n")) for cell in columns[i]]
                excess -= widths[i] - room
                widths[i] = room
    return [list(row) for row in zip(*columns)]


def _parts(cell: str) -> list[str]:
    """What stays in one line."""
    for loose, glued in _GLUED:
        cell = loose.sub(glued, cell)
    return [part.replace(_GLUE, " ") for part in re.split(r" |(?<=\()", cell)]


def _broken(cell: str, room: int) -> str:
    """A cell in lines of at most ``room`` characters, where its parts are no longer."""
    lines = [""]
    for part in _parts(cell.replace("\n", " ")):
        space = "" if not lines[-1] or lines[-1].endswith("(") else " "
        if lines[-1] and len(lines[-1] + space + part) > room:
            lines.append(part)
        else:
            lines[-1] += space + part
    return "\n".join(lines)
