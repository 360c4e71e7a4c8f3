"""A network that is written down: which notation a text is in, and where it comes from (a file, stdin, the line).

The notations have readers of their own: the spec text, that of exams, and what torch prints for a model.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from errno import ENOENT
from functools import cached_property
from pathlib import Path
from typing import Any

from convcalc.algebra.dims import Dim, Shape
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.network.graph import Graph
from convcalc.readers.exam import Exam, read_exam
from convcalc.readers.exam_words import is_exam
from convcalc.readers.repr import is_repr, read_repr
from convcalc.readers.source import MOST_BYTES, Source, Text, decode, read_file
from convcalc.readers.spec import Reader

_TITLE = re.compile(r"""(?m)^[ \t]*net\([ \t]*(["'])([^"'\n]{1,100})\1\s*\)""")


class Written:
    """A text with a network in it.

    >>> Written("input(3, 32, 32); conv(8, 3)", "sheet").graph().nodes[-1].output_shape
    (1, 8, 30, 30)
    """

    def __init__(
        self, text: str, source: str, folder: Path | None = None, settings: Mapping[str, Any] = {}, name: str = ""
    ) -> None:
        self.text = text
        self.source = source
        self.folder = folder
        self.settings = settings
        title = _TITLE.search(text)
        self.name = title[2].strip() if title else name or source

    def graph(self, *shapes: Shape) -> Graph:
        """The graph for inputs of these full shapes; without any, for those that the text states.

        Raises SpecError or ShapeError with line, column and caret.
        """
        batch: Dim = shapes[0][0] if shapes else 1
        if any(shape[:1] != (batch,) for shape in shapes):
            raise SpecError("the inputs of a sheet share one batch", where=self.source)
        inputs = [shape[1:] for shape in shapes]
        if is_repr(self.text):
            if self.settings:
                raise SpecError("--set has no place in what torch prints", where=self.source)
            return read_repr(self.text, self.source, inputs=inputs, batch=batch)
        if is_exam(self.text):
            return read_exam(self.text, self.source, inputs=inputs, batch=batch, settings=self.settings)
        return Reader(Source(self.text, self.source), inputs, batch, self.settings, self.folder).read().graph

    @cached_property
    def inputs(self) -> tuple[Shape, ...]:
        """The shapes of the inputs that the text states, without the batch; none where it leaves them open."""
        if is_repr(self.text):
            return ()
        reader: Reader | Exam
        if is_exam(self.text):
            reader = Exam(Text(self.text, self.source), (), 1, self.settings)
        else:
            source = Source(self.text, self.source)
            reader = Reader(source, (), 1, self.settings, self.folder)
            if not source.errors and not re.search(r"\binput\s*\(", self.text):
                return ()
        try:
            reader.read()
        except ConvcalcError:  # it is told when the graph is asked for, unless there is nothing to ask it for
            if not reader.plan.inputs and not (isinstance(reader, Exam) and not re.search(r"(?i)\binput", self.text)):
                raise
        return tuple(tensor.shape[1:] for tensor in reader.plan.inputs)


def find(source: str, settings: Mapping[str, Any] = {}) -> Written | None:
    """The text that ``source`` means: a file's, stdin's (``-``), or ``source`` itself; None where it is a name.

    Raises SpecError for what is no text, OSError where a file cannot be read.

    >>> find("conv(6, 5); relu()").text, find("resnet50")
    ('conv(6, 5); relu()', None)
    """
    if source == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        return Written(decode(data, "stdin"), "stdin", None, settings, "sheet")
    if "(" in source or "\n" in source or (re.search(r"[\s,;-]", source) and is_exam(source)):
        return Written(source, "text", None, settings, "sheet")
    if not source.endswith((".net", ".txt")):
        return None
    path = Path(source)
    if path.suffix == ".net" and not path.exists():
        others = [str(other) for other in path.parent.glob("*.net")] if path.parent.is_dir() else []
        near = did_you_mean(source, others)
        raise FileNotFoundError(ENOENT, f"there is no such file{'; ' + near if near else ''}", source)
    return Written(read_file(path), path.name, path.parent, settings, path.stem)
