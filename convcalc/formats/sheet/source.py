"""The text of a sheet: read within limits, parsed by Python's own parser, never executed, and quoted in errors.

Python's syntax errors differ between its versions, so they are replaced by messages of ours. What a parsed line means
is in `read`.
"""

import ast
import re
import time
import warnings
from typing import BinaryIO, NoReturn

from convcalc.errors import ConvcalcError, Place, SpecError
from convcalc.formats.sheet.faults import FOREIGN, Fault, find_fault

MOST_BYTES = 1_000_000
MOST_TOKENS = 60_000  # words and signs, each of which costs the parser memory
MOST_NODES = 100_000
MOST_DEPTH = 40
MOST_SECONDS = 2.0  # of CPU time: a busy machine changes no answer
MOST_DIGITS = 400  # of one number: the time to read it grows with their square
MOST_SHOWN = 300  # characters in one line of an error
MOST_ERRORS = 20

LATE = f"reading this sheet takes longer than the limit of {MOST_SECONDS:g} s"


class Enough(Exception):
    """Reading stops here, and the errors noted so far are reported."""


class Text:
    """The lines of a text, and the errors found in them."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        if len(text.encode("utf-8", "replace")) > MOST_BYTES:
            raise _too_long(name)
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        self.errors: list[ConvcalcError] = []
        self.deadline = time.thread_time() + MOST_SECONDS

    def at(
        self, line: int, column: int, what: str, *, hint: str = "", kind: type[ConvcalcError] = SpecError
    ) -> ConvcalcError:
        """Return an error at a line and column (counted from 1) that quotes the line, with a caret below the place."""
        return self.placed(kind(what, hint=hint), line, column)

    def _quote(self, line: int, column: int) -> tuple[str, str]:
        """Return the part of a line around a column, and a line with a caret below that column."""
        shown = self.lines[line - 1].rstrip() if line <= len(self.lines) else ""
        start = max(0, column - 60)  # a line of a thousand characters is quoted around the place
        quoted = shown[start : start + 100].replace("\t", " ")
        caret = " " * min(column - 1 - start, len(quoted)) + "^"
        return "  " + quoted, "  " + caret

    def placed(self, error: ConvcalcError, line: int, column: int, hint: str = "") -> ConvcalcError:
        """Return an error after giving it a place in this text and ``hint``, unless it already has one."""
        if error.place is None:
            error.what = _shorten(f"{error.where}: {error.what}" if error.where else error.what)
            error.place = Place(self.name, line, column)
            error.where = f"{self.name}:{line}:{column}"
            error.details = [*self._quote(line, column), *map(_shorten, error.details)]
            error.hint = _shorten(error.hint or hint)
        return error

    def report(self, error: ConvcalcError) -> None:
        """Note an error that has a place, at most one per place; raise Enough once there are many."""
        if error.where not in [other.where for other in self.errors]:  # a loop meets it again and again
            self.errors.append(error)
        if len(self.errors) >= MOST_ERRORS:
            raise Enough

    def stop(self, error: ConvcalcError) -> NoReturn:
        """Note an error and raise Enough."""
        self.errors.append(error)
        raise Enough

    @property
    def late(self) -> bool:
        """Return whether reading takes longer than a sheet may take."""
        return time.thread_time() > self.deadline

    def finish(self) -> None:
        """Raise the errors noted, if any: one as it is, several as one error, in the order of the text."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            errors = sorted(self.errors, key=_place_of)
            texts = [f"{error.title}: {error}".replace("\n", "\n  ") for error in errors]
            count = f"the first {len(errors)}" if len(errors) >= MOST_ERRORS else str(len(errors))
            raise SpecError(f"{count} errors", where=self.name, details=texts)


class Source(Text):
    """A sheet, parsed. A line that cannot be parsed is reported, replaced, and its number kept in ``lost``."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        self.lost: set[int] = set()
        self.tokens = self._check_size()
        try:
            self.tree = self._parse()
        except Enough:
            self.finish()

    def _check_size(self) -> int:
        """Return the number of words and signs; raise SpecError for a text that would cost the parser too much."""
        text = self.text
        if not any(mark in text for mark in ('"""', "'''", "\\\n")):  # otherwise a line with # may be part of a text
            text = re.sub(r"(?m)^[ \t]*#.*$", "", text)
        tokens = sum(1 for _ in re.finditer(r"\w+|[^\w ]", text))
        if tokens > MOST_TOKENS:
            raise SpecError(f"a sheet may have at most {MOST_TOKENS:,} words and signs", where=self.name)
        if re.search(rf"[0-9_]{{{MOST_DIGITS}}}", text):
            raise SpecError(f"a number may have at most {MOST_DIGITS} digits", where=self.name)
        if "\0" in text:
            raise SpecError("the text contains a null character", where=self.name, hint="is it a text file?")
        return tokens

    def _parse(self) -> ast.Module:
        lines = list(self.lines)
        while True:
            try:
                tree = _parse("\n".join(lines))
                if _too_deep(tree):
                    raise RecursionError
                return tree
            except SyntaxError as error:
                line = min(error.lineno or 1, len(lines))
                fault = self._report_syntax(error, line)
                if fault.colon and line not in self.lost:
                    lines[line - 1] = lines[line - 1].split("#")[0].rstrip() + ":"
                    self.lost.add(line)
                elif not self._lose(lines, line):
                    raise Enough from None
            except (RecursionError, MemoryError):
                raise SpecError("brackets, blocks or sums are nested too deeply", where=self.name) from None
            except ValueError:
                raise SpecError("the text contains characters that no text file can contain", where=self.name) from None

    def _report_syntax(self, error: SyntaxError, line: int) -> Fault:
        """Report what is wrong with a line that cannot be parsed, and return it."""
        shown = self.lines[line - 1]
        fault = find_fault(error.msg, shown)
        column = len(shown) - len(shown.lstrip()) + 1 if isinstance(error, IndentationError) else error.offset or 1
        times = shown.find("×", max(column - 1, 0), column + 1)
        column = times + 1 if times >= 0 else column  # some releases of Python point at the number before it
        self.report(self.at(line, min(column, len(shown) + 1), fault.text, hint=fault.hint))
        return fault

    def _lose(self, lines: list[str], number: int) -> bool:
        """Replace a line by a placeholder, so that the rest can be read; return False if that might mislead."""
        line = lines[number - 1]
        words = re.match(r"(\s*)(\w+\s*=(?!=))?", line)
        balanced = all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}"))
        if number in self.lost or not balanced or line.rstrip().endswith((":", "\\")) or ";" in line or not words:
            return False
        lines[number - 1] = f"{words[1]}{words[2]} ..." if words[2] else f"{words[1]}..."
        self.lost.add(number)
        return True

    def error(self, node: ast.AST, what: str, hint: str = "") -> ConvcalcError:
        """Return an error at a node of the sheet."""
        return self.at(*self._place(node), what, hint=hint)

    def foreign(self, node: ast.AST, hint: str = "") -> ConvcalcError:
        """Return the error for Python that is not allowed in a sheet."""
        word = re.findall("[A-Z][a-z]*", type(node).__name__)[0].lower()
        what, hint = FOREIGN.get(word, (word, hint))
        return self.error(node, f"{what} is not allowed in a sheet", hint)

    def located(self, node: ast.AST, error: ConvcalcError) -> ConvcalcError:
        """Return an error of a layer or a shape after giving it the place of its node."""
        return self.placed(error, *self._place(node))

    def _place(self, node: ast.AST) -> tuple[int, int]:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        # the parser counts bytes, people count characters
        return line, len(self.lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():  # Python's warnings would be printed next to our messages
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """Return a single expression, parsed; raise ValueError for any other statement, and whatever the parser raises.

    >>> ast.unparse(parse_expression("conv(64,3)"))
    'conv(64, 3)'
    """
    (line,) = _parse(text.strip()).body
    if not isinstance(line, ast.Expr):
        raise ValueError
    return line.value


def _shorten(line: str) -> str:
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 4] + " ..."


def read_file(file: BinaryIO, name: str) -> str:
    """Return the text of a file; raise SpecError if it is longer than a sheet may be, or not text in UTF-8."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _too_long(name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as plain text in UTF-8"
        raise SpecError(f"line {line} contains bytes that are not text", where=name, hint=hint) from None


def _too_long(name: str) -> SpecError:
    return SpecError(f"a sheet may have at most {MOST_BYTES:,} bytes", where=name)


def _place_of(error: ConvcalcError) -> Place:
    return error.place or Place(error.where, 0, 0)


def _too_deep(tree: ast.AST) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(3 * MOST_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)
