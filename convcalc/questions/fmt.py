"""A sheet in canonical layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convcalc.errors import SpecError
from convcalc.formats.sheet.tidy import tidy
from convcalc.questions.answer import Answer, is_json
from convcalc.questions.sources import read_text
from convcalc.views.json import indented


@dataclass(frozen=True, eq=False, repr=False)
class CanonicalSheet(Answer):
    """A sheet's text as it was ``given`` and in canonical layout; ``in_file``: it is in a file."""

    source: str
    given: str
    text: str
    in_file: bool

    @property
    def changed(self) -> bool:
        """Whether the canonical text differs from the one given."""
        return self.text != self.given

    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints in this format; raises UnknownName for another one."""
        return indented(self.to_dict()) if is_json(format) else self.text

    def to_dict(self) -> dict[str, Any]:
        """Return the content in plain Python, as JSON holds it."""
        return {"source": self.source, "changed": self.changed, "text": self.text}

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the table as flat dicts."""
        return [{"line": i, "text": line} for i, line in enumerate(self.text.splitlines(), 1)]


def fmt(sheet: str) -> CanonicalSheet:
    """Return the canonical text of a sheet: a ``.net`` file, ``-`` for stdin, or the text itself.

    Raises SpecError for what is not a sheet or cannot be read, OSError for a file.

    >>> print(fmt("conv(6,5);relu()"), end="")
    conv(6, 5)
    relu()
    """
    found = read_text(sheet)
    if found is None:
        raise SpecError(f"{sheet!r:.60} is no sheet", hint="give a .net file, - for stdin, or the text itself")
    return CanonicalSheet(found.source, found.text, tidy(found.text, found.source), found.folder is not None)
