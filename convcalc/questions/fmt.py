"""The question of how a sheet looks in canonical layout; `formats.sheet.tidy` writes it."""

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
    """A sheet's ``text`` in canonical layout, and as it was ``given``; ``in_file`` says whether that is in a file."""

    source: str
    given: str
    text: str
    in_file: bool

    @property
    def changed(self) -> bool:
        """Whether the canonical text differs from the one given."""
        return self.text != self.given

    def to_text(self, format: str = "text") -> str:
        """Return the canonical text, or JSON; raise UnknownName for other formats."""
        return indented(self.to_dict()) if is_json(format) else self.text

    def to_dict(self) -> dict[str, Any]:
        """Return the source, whether its text changes, and the canonical text."""
        return {"source": self.source, "changed": self.changed, "text": self.text}

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each line of the canonical text."""
        return [{"line": i, "text": line} for i, line in enumerate(self.text.splitlines(), 1)]


def fmt(sheet: str) -> CanonicalSheet:
    """Return the canonical text of a sheet: a ``.net`` file, ``-`` for stdin, or the text itself.

    Raises SpecError for text that is not a sheet, and OSError for a file that cannot be read.

    >>> print(fmt("conv(6,5);relu()"), end="")
    conv(6, 5)
    relu()
    """
    written = read_text(sheet)
    if written is None:
        raise SpecError(f"{sheet!r:.60} is not a sheet", hint="give a .net file, - for stdin, or the text itself")
    return CanonicalSheet(written.source, written.text, tidy(written.text, written.source), written.folder is not None)
