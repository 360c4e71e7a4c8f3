"""The text of a sheet: read within limits, quoted in errors with a caret, and parsed by Python's own parser.

Nothing of a sheet is ever executed. What its lines mean is the business of `readers.spec`, `readers.exam` and
`readers.repr`.
"""

from __future__ import annotations

import ast
import re
import time
import warnings
from pathlib import Path

from convcalc.errors import ConvcalcError, SpecError
from convcalc.readers.syntax import plain_words

MOST_BYTES = 1_000_000
MOST_TOKENS = 60_000  # words and signs: each costs memory in the parser long before the limit on layers is met
MOST_NODES = 100_000
MOST_DEPTH = 40
MOST_SECONDS = 2.0
MOST_DIGITS = 400  # of one number: reading it takes time that grows with the square
MOST_SHOWN = 300  # characters of one line of an error
MOST_ERRORS = 20

_PLACED = re.compile(r":\d+:\d+$")


class Enough(Exception):  # not an error of its own: the errors that were noted are what there is to say
    """Nothing more of the sheet is to be read."""


class Text:
    """A sheet's lines and name, and the errors found in it."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        if len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
            raise SpecError(f"a sheet holds at most {MOST_BYTES:,} bytes", where=name)
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        self.errors: list[ConvcalcError] = []
        self.deadline = time.monotonic() + MOST_SECONDS

    def at(self, line: int, column: int, what: str, *details: str, hint: str = "") -> SpecError:
        """An error at a line and column (both from 1), with the line itself and a caret below the place."""
        shown = self.lines[line - 1].rstrip() if line <= len(self.lines) else ""
        start = max(0, column - 60)  # a line of a thousand characters is quoted around the place
        quoted = shown[start : start + 100].replace("\t", " ")
        caret = " " * min(column - 1 - start, len(quoted)) + "^"
        shortened = [shorten(line) for line in details]
        return SpecError(
            shorten(what),
            where=f"{self.name}:{line}:{column}",
            details=["  " + quoted, "  " + caret, *shortened],
            hint=shorten(hint),
        )

    def report(self, error: ConvcalcError) -> None:
        """Note a placed error, one for each place; raises Enough once there are as many as anyone reads."""
        if error.where not in [known.where for known in self.errors]:  # a loop meets the same error again and again
            self.errors.append(error)
        if len(self.errors) >= MOST_ERRORS:
            raise Enough

    @property
    def late(self) -> bool:
        """Whether reading takes longer than a sheet may."""
        return time.monotonic() > self.deadline

    def finish(self) -> None:
        """Raise what was found: one error as it is, several as one that quotes each, in the order of the sheet."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            found = sorted(self.errors, key=_line_of)
            shown = [f"{type(error).__name__}: {error}".replace("\n", "\n  ") for error in found]
            count = f"the first {len(found)}" if len(found) >= MOST_ERRORS else str(len(found))
            raise SpecError(f"{count} errors", where=self.name, details=shown)


class Source(Text):
    """A sheet in Python's syntax, parsed. A line that cannot be parsed is noted, and stands in ``lost``."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        self.lost: set[int] = set()
        self.tokens = self._check_size()
        try:
            self.tree = self._parse()
        except Enough:
            self.finish()

    def _check_size(self) -> int:
        """How many words and signs there are; raises SpecError where they would cost the parser too much."""
        text = self.text
        if not any(mark in text for mark in ('"""', "'''", "\\\n")):  # else a line with # may hold more than a comment
            text = re.sub(r"(?m)^[ \t]*#.*$", "", text)
        tokens = sum(1 for _ in re.finditer(r"\w+|[^\w ]", text))
        if tokens > MOST_TOKENS:
            raise SpecError(f"a sheet holds at most {MOST_TOKENS:,} words and signs", where=self.name)
        if re.search(rf"[0-9_]{{{MOST_DIGITS}}}", text):
            raise SpecError(f"a number has at most {MOST_DIGITS} digits", where=self.name)
        if "\0" in text:
            raise SpecError("the text holds a null character", where=self.name, hint="is it a text file?")
        return tokens

    def _parse(self) -> ast.Module:
        lines = list(self.lines)
        while True:
            try:
                tree = parse_python("\n".join(lines))
                if _too_deep(tree):
                    raise RecursionError
                return tree
            except SyntaxError as error:
                line = min(error.lineno or 1, len(lines))
                self._report_syntax(error, line)
                if "is missing at the end" in self.errors[-1].what and line not in self.lost:
                    lines[line - 1] = lines[line - 1].split("#")[0].rstrip() + ":"
                    self.lost.add(line)
                elif not self._lose(lines, line):
                    raise Enough from None
            except (RecursionError, MemoryError):
                raise SpecError("brackets, blocks or sums are nested too deeply", where=self.name) from None
            except ValueError:
                raise SpecError("the text holds characters that no text file can", where=self.name) from None

    def _report_syntax(self, error: SyntaxError, line: int) -> None:
        """Note an error of syntax in our words."""
        shown = self.lines[line - 1]
        what, hint = plain_words(error.msg, shown)
        column = len(shown) - len(shown.lstrip()) + 1 if isinstance(error, IndentationError) else error.offset or 1
        self.report(self.at(line, min(column, len(shown) + 1), what, hint=hint))

    def _lose(self, lines: list[str], number: int) -> bool:
        """Put a stand-in for a line that cannot be parsed, so that the rest is read; False where that may mislead."""
        line = lines[number - 1]
        words = re.match(r"(\s*)(\w+\s*=(?!=))?", line)
        balanced = all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}"))
        if number in self.lost or not balanced or line.rstrip().endswith((":", "\\")) or ";" in line or not words:
            return False
        lines[number - 1] = f"{words[1]}{words[2] or ''} ...".rstrip() if words[2] else f"{words[1]}..."
        self.lost.add(number)
        return True

    def error(self, node: ast.AST, what: str, *details: str, hint: str = "") -> SpecError:
        """An error at a node of the sheet."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        # the parser counts bytes, people count characters
        column = len(self.lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1
        return self.at(line, column, what, *details, hint=hint)

    def located(self, node: ast.AST, error: ConvcalcError) -> ConvcalcError:
        """An error of a layer or a shape, at the node that caused it; its kind stays."""
        if is_placed(error):
            return error
        head = f"{error.where}: {error.what}" if error.where else error.what
        here = self.error(node, head, *error.details, hint=error.hint)
        return type(error)(here.what, where=here.where, details=here.details, hint=here.hint)


def parse_python(text: str) -> ast.Module:
    """A text as Python's parser sees it, without its advice on Python; raises what that raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def is_placed(error: ConvcalcError) -> bool:
    """Whether an error says its line and column already."""
    return _PLACED.search(error.where) is not None


def shorten(line: str) -> str:
    """A line of an error that quotes what was written, which may be long.

    >>> shorten("x" * 1000)[-5:], len(shorten("x" * 1000))
    ('x ...', 300)
    """
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 4] + " ..."


def read_file(path: Path) -> str:
    """The text of a file, of which no more is read than a sheet may hold; raises SpecError where it is not a text."""
    with path.open("rb") as file:
        return decode(file.read(MOST_BYTES + 1), path.name)


def decode(data: bytes, name: str) -> str:
    """Bytes as text; raises SpecError where they are not text, or too many."""
    if len(data) > MOST_BYTES:
        raise SpecError(f"a sheet holds at most {MOST_BYTES:,} bytes", where=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as plain text in UTF-8"
        raise SpecError(f"line {line} holds bytes that are not text", where=name, hint=hint) from None


def _line_of(error: ConvcalcError) -> tuple[str, int, int]:
    name, line, column = error.where.rsplit(":", 2) if is_placed(error) else (error.where, "0", "0")
    return name, int(line), int(column)


def _too_deep(tree: ast.AST) -> bool:
    """Whether nodes are nested deeper than following them may go."""
    level: list[ast.AST] = [tree]
    for _ in range(3 * MOST_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True
