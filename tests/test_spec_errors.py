"""The messages for wrong sheets, word for word: goldens/wrong_sheets.txt is a table of common mistakes.

Each entry is a sheet, a line ``>>>``, and the message. ``--regenerate`` writes the messages of now; read the difference
before you keep it: each message says where, what was expected and received, and what to write instead.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convcalc.errors import ConvcalcError
from convcalc.formats.sheet.read import read_spec

TABLE = Path(__file__).parent / "goldens" / "wrong_sheets.txt"
ENTRIES = [tuple(entry.split("\n>>>\n")) for entry in TABLE.read_text().split("---\n")]


def message_of(sheet: str) -> str:
    """Return the message for a sheet."""
    try:
        read_spec(sheet + "\n", "t.net")
    except ConvcalcError as error:
        return f"{error.title}: {error}\n"
    return "nothing\n"


def test_messages(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--regenerate"):
        TABLE.write_text("---\n".join(f"{sheet}\n>>>\n{message_of(sheet)}" for sheet, _ in ENTRIES))
        return
    for sheet, message in ENTRIES:
        assert message_of(sheet) == message, sheet


def test_there_are_many() -> None:
    assert len(ENTRIES) >= 60
    assert len({sheet for sheet, _ in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize(("sheet", "message"), ENTRIES, ids=range(len(ENTRIES)))
def test_each_message_has_a_place_a_quote_and_plain_words(sheet: str, message: str) -> None:
    heads = list(re.finditer(r"^( *)\w+: t\.net:(\d+):(\d+): .*\n(.*)\n(.*)$", message, re.MULTILINE))
    assert heads, message
    for head in heads:
        indent, line, column = len(head[1]) + 4, int(head[2]), int(head[3])
        assert head[4][indent:] == sheet.split("\n")[line - 1].rstrip()
        assert head[5] == " " * (indent + column - 1) + "^"
    jargon = r"Traceback|ast\.|syntax|NoneType|object|callable|kwarg|positional|attribute|tuple|iterable|expr|parse"
    assert not re.search(jargon, message), message


def test_independent_errors_come_together_and_once() -> None:
    sheet = "input(3, 8, 8)\nfor i in range(3):\n    rellu()\nconv(4, 3, strid=1)\nC = 1 // 0\nD = C + 1\nconv(D, 3)"
    message = message_of(sheet)
    assert re.findall(r"t\.net:(\d+):", message) == ["3", "4", "5"]


def test_twenty_errors_are_enough() -> None:
    message = message_of("input(3, 8, 8)\n" + "".join(f"rellu{i}()\n" for i in range(50)))
    assert message.startswith("SpecError: t.net: the first 20 errors")


def test_a_long_line_is_quoted_around_the_place() -> None:
    message = message_of("input(3, 8, 8)\nconv(4, 3); " + "relu(); " * 100 + "rellu(); " + "relu(); " * 100)
    quoted, caret = message.split("\n")[1:3]
    assert len(quoted) < 110
    assert quoted[caret.index("^") :].startswith("rellu")


def test_columns_count_characters() -> None:
    assert "t.net:1:8: there is no layer called 'rellu'" in message_of('"ö⌈ü"; rellu()')
    message = message_of('input(3, 8, 8); conv(4, 3, padding="größe"); rellu()')
    assert "t.net:1:46: there is no layer called 'rellu'" in message
