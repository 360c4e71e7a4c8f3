"""What can be wrong with a line that Python's parser refuses, in our words; where the line is, `source` knows.

Python's syntax errors differ between its versions: they are recognized here and replaced by messages of ours.
"""

import re
from typing import NamedTuple


class Fault(NamedTuple):
    """A fault of a line that cannot be parsed: the ``pattern`` that it is recognized by, our text for it, and a hint.

    A ``vague`` fault says less than the look of the line; ``colon`` marks the fault that a colon at the end repairs.
    """

    pattern: str
    text: str
    hint: str = ""
    vague: bool = False
    colon: bool = False


_COLON = ("a : is missing at the end", "lines with def, for and if end with a colon", False, True)

_RULES = (  # patterns of Python's message
    Fault(r"'(.)' was never closed", "this {0} is never closed", "add the closing bracket"),
    Fault(r"unmatched '(.)'", "this {0} has no opening bracket", "remove it, or add the opening bracket"),
    Fault(
        r"closing parenthesis '(.)' does not match opening parenthesis '(.)'", "this {0} does not match the opening {1}"
    ),
    Fault(r"unterminated", "this text has no closing quote", 'write it as "text" on one line'),
    Fault(
        r"unexpected indent",
        "this line is indented further than the one before it",
        "indent only the lines of a block, a loop or a condition",
    ),
    Fault(r"expected an indented block", "an indented block is missing here", "indent its lines by four spaces"),
    Fault(
        r"unindent does not match|inconsistent",
        "this indentation matches no line above",
        "indent each block by four spaces",
    ),
    Fault(r"too many (levels of indentation|nested parentheses)", "brackets, blocks or sums are nested too deeply"),
    Fault(r"expected ':'", *_COLON),
    Fault(r"forgot a comma", "a comma is missing between two values", vague=True),
    Fault(r"positional argument follows keyword", "a plain value follows a named one", "put named values last"),
    Fault(r"non-default argument|parameter without a default", "an argument without a value follows one with a value"),
    Fault(
        r"invalid decimal literal|invalid imaginary literal",
        "a number runs into letters",
        "write 2*C, not 2C",
        vague=True,
    ),
    Fault(r"leading zeros", "a number may not begin with 0", "write it without the leading zeros"),
    Fault(
        r"invalid (?:non-printable )?character '?(.)?'? ?\(?(U\+\w+)?",
        "the sign {0} is not allowed in a sheet",
        vague=True,
    ),
)

_LOOKS = (  # patterns of the line itself, where Python's message says too little
    Fault(r"\d\s*[x×]\s*\d", "sizes are separated by commas", "write (3, 3) for a pair, input(3, 32, 32) for an input"),
    Fault(r"^\s*\w+\s*=\s*$", "nothing follows the =", "write e1 = conv(64, 3)"),
    Fault(r";\s*;", "there is nothing between two ;", "keep one of them"),
    Fault(r"^\s*\w+\s*:=?\s*\w+\(", "an output is named with =", "write e1 = conv(64, 3)"),
    Fault(r"->|=>", "a sheet has no arrows: write one layer per line, or a ; between two", "write conv(64, 3); relu()"),
    Fault(r"^\s*(?:def|for|if|elif|else)\b.*[^:\s]\s*$", *_COLON),
    Fault(r"^\s*(?:\w+\s*=\s*)?[A-Za-z]\w*\s+[\w\"',.= ]+$", "the brackets are missing", "write conv(64, 3), relu()"),
    Fault(r"\)\s*[A-Za-z]\w*\s*\(", "two calls on one line need a ; between them", "or put each on a line of its own"),
    Fault(r",\s*,|\(\s*,", "a value is missing before the comma"),
)

FOREIGN = {
    "import": (
        "import",
        'layers need no import; include("blocks.net") takes the blocks of a sheet in the same folder',
    ),
    "class": ("class", "write a block: def name(c): with its layers below"),
    "while": ("while", "repeat with for i in range(n):"),
    "return": ("return", "the output of a block is that of its last line"),
    "delete": ("del", ""),
    "aug": ("an assignment with += or -=", "write C = C + 2"),
    "ann": ("a : after a name", "name an output with =, as in e1 = conv(64, 3)"),
    "attribute": ("a dot", "write a layer by its name, with or without nn. in front"),
    **dict.fromkeys(("list", "generator"), ("a comprehension", "repeat with for i in range(n):")),
    "dict": ("a dictionary", ""),
    "set": ("a set", ""),
    "if": ("an if inside a value", "write if and else on lines of their own"),
    "joined": ("a text with { } inside", ""),
    "starred": ("a *", ""),
    "slice": ("a :", ""),
    "named": ("the sign :=", ""),
}
"""What Python has and a sheet does not, by the first word of Python's name for it (``AugAssign``), with a hint."""


_UNREADABLE = Fault(
    "",
    "this line cannot be read",
    "a line is a call such as conv(64, 3), or name = conv(64, 3); there are also def, for and if",
)


def find_fault(message: str, line: str) -> Fault:
    """Return what is wrong with a line, judging by Python's message and by the look of the line."""
    code = line[:1000].split("#")[0]
    look = next((look for look in _LOOKS if re.search(look.pattern, code)), None)
    for rule in _RULES:
        if match := re.search(rule.pattern, message):
            return look if look and rule.vague else rule._replace(text=rule.text.format(*match.groups("")))
    return look or _UNREADABLE
