"""What every answer can do: print itself, and give its content as plain Python and as rows. It answers nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from convcalc.errors import UnknownName


class Answer(ABC):
    """An answer to a question: frozen, of numbers; its text is made when it is asked for.

    ``print(answer)`` shows what the command prints, a notebook the same as HTML, ``answer.to_dict()`` is what
    ``--format json`` holds, and ``pandas.DataFrame(answer.to_rows())`` has a column for each entry of a row.
    """

    __slots__ = ()

    @abstractmethod
    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints in this format; raises UnknownName for another one."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the content in lists, dicts, numbers and texts; sizes in letters are texts that sympy reads."""

    @abstractmethod
    def to_rows(self) -> list[dict[str, Any]]:
        """Return flat dicts, all with the same keys: a table with a column for each key, numbers as numbers."""

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:  # what a console shows of an answer that nobody printed
        return str(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


class Table(Answer):
    """An answer whose text is a table, in each of the formats of ``--format``."""

    __slots__ = ()

    @abstractmethod
    def to_text(self, format: str = "simple") -> str:
        """Return the table in this format; raises UnknownName for another one."""

    def _repr_html_(self) -> str:
        return self.to_text("html")


def is_json(format: str) -> bool:
    """Return whether this format is JSON; raise UnknownName unless it is that or ``text``."""
    if format not in ("text", "json"):
        raise UnknownName(f"no format is called {format!r}", hint="there are text and json")
    return format == "json"
