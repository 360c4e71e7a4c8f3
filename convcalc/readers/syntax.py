"""What is wrong with a line that is not a sheet's syntax, in the words of a sheet.

Python's parser finds the place; its words and guesses are about Python and differ between its versions, so they are
put in ours here. Lines that parse but mean nothing are the business of `readers.spec`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LINES = "a line is a call such as conv(64, 3), or name = conv(64, 3); there are also def, for and if"

_RULES: tuple[tuple[str, str, str], ...] = (
    # what Python's message matches, what we say, the hint
    (r"'(.)' was never closed", "this {0} is never closed", "add the bracket that closes it"),
    (r"unexpected EOF", "the sheet ends inside a bracket", "add the bracket that closes it"),
    (r"unmatched '(.)'", "this {0} closes nothing", "take it away, or open a bracket before it"),
    (r"closing parenthesis '(.)' does not match opening parenthesis '(.)'", "{1} was opened, and {0} closes it", ""),
    (r"unterminated|EOL while scanning", "this text has no closing quote", 'write it as "text" on one line'),
    (
        r"unexpected indent",
        "this line stands further right than the one before it",
        "only lines of a block are indented",
    ),
    (r"expected an indented block", "the lines of the block are missing", "indent them by four spaces"),
    (r"unindent does not match|inconsistent", "this indentation fits no line above", "indent by four spaces a block"),
    (r"too many levels of indentation", "blocks are nested too deeply", ""),
    (r"too many nested parentheses", "brackets are nested too deeply", ""),
    (r"expected ':'", "a : is missing at the end", "def, for and if end with a colon"),
    (r"forgot a comma", "a comma is missing between two values", ""),
    (r"positional argument follows keyword", "a plain value stands after a named one", "put named values last"),
    (r"keyword argument repeated: (\w+)", "{0} is given twice", "keep one of them"),
    (r"duplicate argument '(\w+)'", "the block has two arguments called {0}", "give one another name"),
    (r"non-default argument|parameter without a default", "an argument without a value follows one with a value", ""),
    (r"invalid decimal literal|invalid imaginary literal", "a number and letters run together", "write 2*C, not 2C"),
    (r"leading zeros", "a number begins with 0", "write it without the zeros in front"),
    (r"Exceeds the limit", "this number has too many digits", ""),
    (r"invalid (?:non-printable )?character '?(.)?'? ?\(?(U\+\w+)?", "the sign {0} is not part of a sheet", ""),
)

_LOOKS: tuple[tuple[str, str, str], ...] = (
    # what the line looks like, where Python's message says too little
    (r"\d\s*[x×]\s*\d", "sizes are separated by commas", "write (3, 3) for a pair, input(3, 32, 32) for an input"),
    (r"^\s*\w+\s*=\s*$", "nothing stands after the =", "write e1 = conv(64, 3)"),
    (r";\s*;", "nothing stands between two ;", "keep one of them"),
    (r"^\s*\w+\s*:=?\s*\w+\(", "a name is given with =", "write e1 = conv(64, 3)"),
    (r"->|=>", "there are no arrows: one layer a line, or several with ; between", "write conv(64, 3); relu()"),
    (r"^\s*(?:def|for|if|elif|else)\b.*[^:\s]\s*$", "a : is missing at the end", "def, for and if end with a colon"),
    (r"^\s*(?:\w+\s*=\s*)?[A-Za-z]\w*\s+[\w\"',.= ]+$", "the brackets are missing", "write conv(64, 3), relu()"),
    (r"\)\s*[A-Za-z]\w*\s*\(", "two calls stand side by side", "put each on a line of its own, or a ; between"),
    (r",\s*,|\(\s*,", "a value is missing before the comma", ""),
)


def plain_words(message: str, line: str) -> tuple[str, str]:
    """What is wrong and a hint, from Python's message on a line.

    >>> plain_words("'(' was never closed", "conv(64, 3")
    ('this ( is never closed', 'add the bracket that closes it')
    """
    line = line[:1000]
    for pattern, what, hint in _RULES:
        if found := re.search(pattern, message):
            code = line.split("#")[0]
            better = _look(code) if any(word in what for word in ("comma", "sign", "run together")) else None
            return better or (what.format(*(part or "" for part in found.groups())), hint)
    return _look(line.split("#")[0]) or ("this line cannot be read", LINES)


def _look(line: str) -> tuple[str, str] | None:
    find: Callable[[str], object] = lambda pattern: re.search(pattern, line)  # noqa: E731
    return next(((what, hint) for pattern, what, hint in _LOOKS if find(pattern)), None)


STATEMENTS = {
    "Import": "import",
    "ImportFrom": "import",
    "While": "while",
    "ClassDef": "class",
    "Return": "return",
    "AugAssign": "an assignment with += or -=",
    "AnnAssign": "a : after a name",
    "Delete": "del",
    "Try": "try",
    "TryStar": "try",
    "With": "with",
    "Raise": "raise",
    "Assert": "assert",
    "Global": "global",
    "Nonlocal": "nonlocal",
    "Break": "break",
    "Continue": "continue",
    "Match": "match",
    "AsyncFunctionDef": "async",
    "AsyncFor": "async",
    "AsyncWith": "async",
    "TypeAlias": "type",
}
"""Python's statements that a sheet has not, by the parser's name for them."""

STATEMENT_HINTS = {
    "Import": 'all layers are known by name; include("blocks.net") takes blocks from a sheet in the same folder',
    "ImportFrom": 'all layers are known by name; include("blocks.net") takes blocks from a sheet in the same folder',
    "While": "repeat with for i in range(n):",
    "ClassDef": "a block is written def name(c):, with its layers in order",
    "Return": "a block gives what its last line gives",
    "AugAssign": "write C = C + 2",
    "AnnAssign": "a name is given with =, as in e1 = conv(64, 3)",
}

EXPRESSIONS = {
    "Lambda": "lambda",
    "IfExp": "a value with if and else inside",
    "ListComp": "a list built by for",
    "SetComp": "a set built by for",
    "GeneratorExp": "a list built by for",
    "DictComp": "a dictionary",
    "Dict": "a dictionary",
    "Set": "a set",
    "JoinedStr": "a text with { } inside",
    "Starred": "a *",
    "Attribute": "a dot",
    "NamedExpr": "the sign :=",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "Slice": "a :",
}
"""Python's expressions that a sheet has not, by the parser's name for them."""
