"""The text of a sheet: read within limits, parsed by Python's own parser, never executed, and quoted in errors.

Python's words on what it cannot parse differ between its versions, so they are put in ours here.
"""

import ast
import re
import time
import warnings
from typing import BinaryIO, NamedTuple, NoReturn

from convcalc.errors import ConvcalcError, Place, SpecError

MOST_BYTES = 1_000_000
MOST_TOKENS = 60_000  # words and signs: each costs memory in the parser
MOST_NODES = 100_000
MOST_DEPTH = 40
MOST_SECONDS = 2.0
MOST_DIGITS = 400  # of one number: reading it takes time that grows with the square
MOST_SHOWN = 300  # characters of one line of an error
MOST_ERRORS = 20

LATE = f"reading takes longer than {MOST_SECONDS:g} s, the most that a sheet may"


class Fault(NamedTuple):
    """What is wrong with a line that cannot be parsed: what ``pattern`` matches, our text for it, and the hint.

    ``vague`` faults say less than what the line looks like; ``colon`` is one that a colon at the end repairs.
    """

    pattern: str
    text: str
    hint: str = ""
    vague: bool = False
    colon: bool = False


_COLON = ("a : is missing at the end", "def, for and if end with a colon", False, True)

_RULES = (  # matched by Python's message
    Fault(r"'(.)' was never closed", "this {0} is never closed", "add the bracket that closes it"),
    Fault(r"unmatched '(.)'", "this {0} closes nothing", "take it away, or open a bracket before it"),
    Fault(r"closing parenthesis '(.)' does not match opening parenthesis '(.)'", "{1} was opened, and {0} closes it"),
    Fault(r"unterminated", "this text has no closing quote", 'write it as "text" on one line'),
    Fault(
        r"unexpected indent",
        "this line stands further right than the one before it",
        "only lines of a block are indented",
    ),
    Fault(r"expected an indented block", "the lines of the block are missing", "indent them by four spaces"),
    Fault(
        r"unindent does not match|inconsistent", "this indentation fits no line above", "indent by four spaces a block"
    ),
    Fault(r"too many (levels of indentation|nested parentheses)", "brackets, blocks or sums are nested too deeply"),
    Fault(r"expected ':'", *_COLON),
    Fault(r"forgot a comma", "a comma is missing between two values", vague=True),
    Fault(r"positional argument follows keyword", "a plain value stands after a named one", "put named values last"),
    Fault(r"non-default argument|parameter without a default", "an argument without a value follows one with a value"),
    Fault(
        r"invalid decimal literal|invalid imaginary literal",
        "a number and letters run together",
        "write 2*C, not 2C",
        vague=True,
    ),
    Fault(r"leading zeros", "a number begins with 0", "write it without the zeros in front"),
    Fault(
        r"invalid (?:non-printable )?character '?(.)?'? ?\(?(U\+\w+)?",
        "the sign {0} is not part of a sheet",
        vague=True,
    ),
)

_LOOKS = (  # matched by the line, where Python's message says too little
    Fault(r"\d\s*[x×]\s*\d", "sizes are separated by commas", "write (3, 3) for a pair, input(3, 32, 32) for an input"),
    Fault(r"^\s*\w+\s*=\s*$", "nothing stands after the =", "write e1 = conv(64, 3)"),
    Fault(r";\s*;", "nothing stands between two ;", "keep one of them"),
    Fault(r"^\s*\w+\s*:=?\s*\w+\(", "a name is given with =", "write e1 = conv(64, 3)"),
    Fault(r"->|=>", "there are no arrows: one layer a line, or several with ; between", "write conv(64, 3); relu()"),
    Fault(r"^\s*(?:def|for|if|elif|else)\b.*[^:\s]\s*$", *_COLON),
    Fault(r"^\s*(?:\w+\s*=\s*)?[A-Za-z]\w*\s+[\w\"',.= ]+$", "the brackets are missing", "write conv(64, 3), relu()"),
    Fault(r"\)\s*[A-Za-z]\w*\s*\(", "two calls stand side by side", "put each on a line of its own, or a ; between"),
    Fault(r",\s*,|\(\s*,", "a value is missing before the comma"),
)

_FOREIGN = {
    "import": (
        "import",
        'all layers are known by name; include("blocks.net") takes blocks from a sheet in the same folder',
    ),
    "class": ("class", "a block is written def name(c):, with its layers in order"),
    "while": ("while", "repeat with for i in range(n):"),
    "return": ("return", "a block gives what its last line gives"),
    "delete": ("del", ""),
    "aug": ("an assignment with += or -=", "write C = C + 2"),
    "ann": ("a : after a name", "a name is given with =, as in e1 = conv(64, 3)"),
    "attribute": ("a dot", "layers go by their bare names, with nn. in front or not"),
    **dict.fromkeys(("list", "generator"), ("a list built by for", "")),
    "dict": ("a dictionary", ""),
    "set": ("a set", ""),
    "if": ("a value with if and else inside", ""),
    "joined": ("a text with { } inside", ""),
    "starred": ("a *", ""),
    "slice": ("a :", ""),
    "named": ("the sign :=", ""),
}
"""What a sheet has not, by the first word of Python's name for it (``AugAssign``): what it is, and the hint."""


_UNREADABLE = Fault(
    "",
    "this line cannot be read",
    "a line is a call such as conv(64, 3), or name = conv(64, 3); there are also def, for and if",
)


class Enough(Exception):
    """Nothing more of the sheet is to be read: the errors that were noted are what there is to say."""


class Text:
    """A sheet's lines, and the errors found in it."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        if len(text.encode("utf-8", "replace")) > MOST_BYTES:
            raise _too_long(name)
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        self.errors: list[ConvcalcError] = []
        self.deadline = time.monotonic() + MOST_SECONDS

    def at(
        self, line: int, column: int, what: str, *, hint: str = "", kind: type[ConvcalcError] = SpecError
    ) -> ConvcalcError:
        """Return an error at a line and column (both from 1), with the line and a caret below the place."""
        return self.placed(kind(what, hint=hint), line, column)

    def _quote(self, line: int, column: int) -> tuple[str, str]:
        """Return a line around a column, and a caret below it."""
        shown = self.lines[line - 1].rstrip() if line <= len(self.lines) else ""
        start = max(0, column - 60)  # a line of a thousand characters is quoted around the place
        quoted = shown[start : start + 100].replace("\t", " ")
        caret = " " * min(column - 1 - start, len(quoted)) + "^"
        return "  " + quoted, "  " + caret

    def placed(self, error: ConvcalcError, line: int, column: int, hint: str = "") -> ConvcalcError:
        """Return an error with its place in this text, unless it has one; ``hint`` is taken where it has none."""
        if error.place is None:
            error.what = _shorten(f"{error.where}: {error.what}" if error.where else error.what)
            error.place = Place(self.name, line, column)
            error.where = f"{self.name}:{line}:{column}"
            error.details = [*self._quote(line, column), *map(_shorten, error.details)]
            error.hint = _shorten(error.hint or hint)
        return error

    def report(self, error: ConvcalcError) -> None:
        """Note a placed error, one for each place; raises Enough once there are many."""
        if error.where not in [known.where for known in self.errors]:  # a loop meets it again and again
            self.errors.append(error)
        if len(self.errors) >= MOST_ERRORS:
            raise Enough

    def stop(self, error: ConvcalcError) -> NoReturn:
        self.errors.append(error)
        raise Enough

    @property
    def late(self) -> bool:
        """Whether reading takes longer than a sheet may."""
        return time.monotonic() > self.deadline

    def finish(self) -> None:
        """Raise what was found: one error as it is, several as one, in the order of the sheet."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            found = sorted(self.errors, key=_place_of)
            shown = [f"{error.title}: {error}".replace("\n", "\n  ") for error in found]
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
        """The number of words and signs; raises SpecError for what would cost the parser too much."""
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
                raise SpecError("the text holds characters that no text file can", where=self.name) from None

    def _report_syntax(self, error: SyntaxError, line: int) -> Fault:
        """Note what is wrong with a line that cannot be parsed, and return it."""
        shown = self.lines[line - 1]
        fault = _fault_of(error.msg, shown)
        column = len(shown) - len(shown.lstrip()) + 1 if isinstance(error, IndentationError) else error.offset or 1
        times = shown.find("×", max(column - 1, 0), column + 1)
        column = times + 1 if times >= 0 else column  # some releases of Python point at the number before it
        self.report(self.at(line, min(column, len(shown) + 1), fault.text, hint=fault.hint))
        return fault

    def _lose(self, lines: list[str], number: int) -> bool:
        """Put a stand-in for a line, so that the rest is read; False where that may mislead."""
        line = lines[number - 1]
        words = re.match(r"(\s*)(\w+\s*=(?!=))?", line)
        balanced = all(line.count(a) == line.count(b) for a, b in ("()", "[]", "{}"))
        if number in self.lost or not balanced or line.rstrip().endswith((":", "\\")) or ";" in line or not words:
            return False
        lines[number - 1] = f"{words[1]}{words[2]} ..." if words[2] else f"{words[1]}..."
        self.lost.add(number)
        return True

    def error(self, node: ast.AST, what: str, hint: str = "") -> ConvcalcError:
        """An error at a node of the sheet."""
        return self.at(*self._place(node), what, hint=hint)

    def foreign(self, node: ast.AST, hint: str = "") -> ConvcalcError:
        """The error for what is Python and not a sheet's."""
        word = re.findall("[A-Z][a-z]*", type(node).__name__)[0].lower()
        what, hint = _FOREIGN.get(word, (word, hint))
        return self.error(node, f"{what} is not part of a sheet", hint)

    def located(self, node: ast.AST, error: ConvcalcError) -> ConvcalcError:
        """An error of a layer or a shape, at its node."""
        return self.placed(error, *self._place(node))

    def _place(self, node: ast.AST) -> tuple[int, int]:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        # the parser counts bytes, people count characters
        return line, len(self.lines[line - 1].encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")) + 1


def _fault_of(message: str, line: str) -> Fault:
    """Return what is wrong with a line, by Python's message and by what the line looks like."""
    code = line[:1000].split("#")[0]
    look = next((look for look in _LOOKS if re.search(look.pattern, code)), None)
    for rule in _RULES:
        if match := re.search(rule.pattern, message):
            return look if look and rule.vague else rule._replace(text=rule.text.format(*match.groups("")))
    return look or _UNREADABLE


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():  # Python's own words, which would stand beside ours
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """A single expression as Python's parser sees it; raises ValueError for other lines, and what the parser raises."""
    (line,) = _parse(text.strip()).body
    if not isinstance(line, ast.Expr):
        raise ValueError
    return line.value


def _shorten(line: str) -> str:
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 4] + " ..."


def read_file(file: BinaryIO, name: str) -> str:
    """The text of a file, read as far as a sheet may go; raises SpecError for what is no text."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _too_long(name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as plain text in UTF-8"
        raise SpecError(f"line {line} holds bytes that are not text", where=name, hint=hint) from None


def _too_long(name: str) -> SpecError:
    return SpecError(f"a sheet holds at most {MOST_BYTES:,} bytes", where=name)


def _place_of(error: ConvcalcError) -> Place:
    return error.place or Place(error.where, 0, 0)


def _too_deep(tree: ast.AST) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(3 * MOST_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)
