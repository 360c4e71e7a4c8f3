"""What all answers can do: print themselves, and give their content as plain Python and as rows. It asks nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from convcalc.errors import UnknownName


class Answer(ABC):
    """An answer to a question: frozen, with numbers inside; its text is made on request.

    ``print(answer)`` shows what the command prints, a notebook shows it as HTML, ``answer.to_dict()`` returns what
    ``--format json`` prints, and ``pandas.DataFrame(answer.to_rows())`` has a column for each key.
    """

    __slots__ = ()

    @abstractmethod
    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints, in ``text`` or ``json``; raise UnknownName for other formats."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the content as lists, dicts, numbers and strings; sizes in letters are strings that sympy parses."""

    @abstractmethod
    def to_rows(self) -> list[dict[str, Any]]:
        """Return flat dicts with the same keys: a table with a column for each key, numbers as numbers."""

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:  # what a console shows for an answer as the last expression
        return str(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


class Table(Answer):
    """An answer whose text is a table, in any of the formats of ``--format``."""

    __slots__ = ()

    @abstractmethod
    def to_text(self, format: str = "simple") -> str:
        """Return the table in a format; raise UnknownName if there is no such format."""

    def _repr_html_(self) -> str:
        return self.to_text("html")


def is_json(format: str) -> bool:
    """Return whether a format is ``json``; raise UnknownName unless it is ``json`` or ``text``."""
    if format not in ("text", "json"):
        raise UnknownName(f"no format is called {format!r}", hint="formats are text and json")
    return format == "json"
