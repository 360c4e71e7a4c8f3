r"""Text for people as LaTeX: ``⌈H/32⌉`` as ``$\left\lceil H/32\right\rceil$``, put through tables that escape signs.

Only signs are exchanged; what is said is said by the columns.
"""

from __future__ import annotations

import re

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
_MATH = re.compile(r"[⌊⌋⌈⌉·≥≤≡⁰¹²³⁴⁵⁶⁷⁸⁹]")
_PROTECTED = {sign: chr(0xE000 + i) for i, sign in enumerate("$\\{}^_&%#~<>")}
"""What a table would escape, as characters of private use while it is made."""


def protected(cell: str) -> str:
    """A cell with its formula as mathematics, in signs that a table leaves alone; `restored` brings them back.

    >>> restored(protected("64 x ⌈H/2⌉"))
    '$64 \\\\times \\\\left\\\\lceil H/2\\\\right\\\\rceil $'
    """
    sums = re.search(r" x | [+-] ", cell) and re.search(r"[A-Za-z_]", cell.replace(" x ", ""))
    if not _MATH.search(cell) and not sums:
        return cell
    text = re.sub(r"(?<=\d),(?=\d)", "{,}", cell)
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    text = re.sub(f"[{_POWERS}]+", lambda m: "^{" + "".join(str(_POWERS.index(c)) for c in m[0]) + "}", text)
    text = re.sub(r"(?<![\\A-Za-z])([A-Za-z]\w+)\b", lambda m: r"\mathit{" + m[1].replace("_", r"\_") + "}", text)
    return "".join(_PROTECTED.get(sign, sign) for sign in f"${text}$")


def restored(table: str) -> str:
    """A table with the protected signs as themselves."""
    for sign, stand_in in _PROTECTED.items():
        table = table.replace(stand_in, sign)
    return table
