"""The question of which kinds of layers exist, and the page of one kind, with an example that is read and counted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

from convcalc.algebra.types import Shape
from convcalc.analysis.count.report import Report, analyze
from convcalc.errors import ConvcalcError, UnknownName
from convcalc.formats.sheet.names import any_kind, check_name, kinds
from convcalc.formats.sheet.read import read_spec
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.questions.answer import Answer, is_json
from convcalc.views import catalogue, json
from convcalc.views.formulas import formulas_by_quantity


@dataclass(frozen=True, eq=False, repr=False)
class KnownLayers(Answer):
    """Kinds of layers. A row is a kind with its names and arguments."""

    kinds: tuple[type[Layer], ...]

    def to_text(self, format: str = "text", width: int | None = None) -> str:
        """Return a line for each kind, wrapped at a terminal's ``width``; raise UnknownName for other formats."""
        if is_json(format):
            return json.indented(self.to_dict())
        return catalogue.listed(self.kinds, width)

    def to_dict(self) -> dict[str, Any]:
        """Return the names and arguments of the kinds, as plain Python."""
        return json.plain({"layers": [_arguments(kind) for kind in self.kinds]})

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each kind: its name, its name on a sheet, and its signature."""
        return [
            {
                "layer": kind.__name__,
                "sheet": kind.sheet_name(),
                "signature": catalogue.signature(kind),
            }
            for kind in self.kinds
        ]


@dataclass(frozen=True, eq=False, repr=False)
class LayerPage(KnownLayers):
    """The page of one kind: its arguments, what it computes, an example on a sheet, and its formulas."""

    @property
    def kind(self) -> type[Layer]:
        """The kind that the page is about."""
        return self.kinds[0]

    @cached_property
    def example(self) -> tuple[str, Report] | None:
        """A sheet with the layer, and its numbers; None if the kind cannot be on a sheet."""
        return read_example(self.kind)

    def to_text(self, format: str = "text", width: int | None = None) -> str:
        """Return the page, wrapped at a terminal's ``width``, or JSON; raise UnknownName for other formats."""
        if is_json(format):
            return json.indented(self.to_dict())
        return catalogue.described(self.kind, self.example, width)

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments, the example and the formulas, as plain Python."""
        example = self.example and self.example[0]
        return json.plain({**_arguments(self.kind), "example": example, "formulas": formulas_by_quantity(self.kind)})


def _arguments(kind: type[Layer]) -> dict[str, Any]:
    required = [name for name, default in kind.arguments.items() if default is _REQUIRED]
    defaults = {name: default for name, default in kind.arguments.items() if default is not _REQUIRED}
    return {"layer": kind.__name__, "sheet": kind.sheet_name(), "required": required, "defaults": defaults}


def layers(name: str = "*") -> KnownLayers:
    """Return the page of a layer, by its name in torch or on a sheet, or the layers that match a shell pattern.

    Raises UnknownName if there is none.

    >>> print(layers("MaxPool?d").kinds[0].__name__, len(layers("*pool*").kinds) > 10)
    MaxPool1d True
    >>> print(str(layers("relu")).splitlines()[0])
    ReLU(inplace=False)
    """
    if not set(name) & set("*?["):
        return LayerPage((kind_named(name),))
    names = sorted(kinds(), key=str.lower)
    matching = [kind for kind in names if fnmatchcase(kind, name) or fnmatchcase(kinds()[kind].sheet_name(), name)]
    if not matching:
        raise UnknownName(f"no layer matches {name!r:.60}", hint="`convcalc layers` lists them all")
    return KnownLayers(tuple([kinds()[kind] for kind in matching]))


def kind_named(name: str) -> type[Layer]:
    """Return the kind with torch's or the lowercase name, of several ranks the 2d one; raise UnknownName.

    >>> kind_named("conv"), kind_named("Conv1d")
    (<class 'convcalc.layers.conv.Conv2d'>, <class 'convcalc.layers.conv.Conv1d'>)
    """
    bare = re.sub(r"^(torch\.)?nn\.", "", name)
    check_name(bare)
    kind = any_kind(bare)
    assert kind
    return kind


class Example(NamedTuple):
    """A call in a docstring, and the shapes of its inputs."""

    call: ast.Call
    shapes: tuple[Shape, ...]


def example(kind: type[Layer]) -> Example | None:
    """Return the call in a kind's docstring, or None if there is none.

    >>> example(kind_named("Linear")).shapes
    ((128, 20),)
    """
    for line in re.findall(r">>> (.*)", kind.__doc__ or ""):
        for node in ast.walk(ast.parse(line, mode="eval")):
            match node:
                case ast.Call(ast.Attribute(ast.Call(ast.Name(kind.__name__)) as call), shapes):
                    if shapes and isinstance(shapes[0], ast.List):  # `work` takes a list, `output_shape` each
                        shapes = shapes[0].elts
                    return Example(call, tuple(map(ast.literal_eval, shapes)))
    return None


def _sheets(kind: type[Layer], shown: Example) -> Iterator[str]:
    """Yield sheets that may make this call; which of them do is found by reading them."""
    name, letters = kind.sheet_name(), "abcdef"[: len(shown.shapes)]
    sizes = [", ".join(map(str, shape[1:])) for shape in shown.shapes]
    named = [f"{word.arg}={ast.unparse(word.value)}" for word in shown.call.keywords]
    given = {argument: ast.unparse(x) for argument, x in zip(kind.arguments, shown.call.args)}
    own = ", ".join([*[x for argument, x in given.items() if argument not in kind.infers], *named])
    if len(sizes) == 1:
        yield f"input({sizes[0]})\n{name}({own})"
        yield f"input({sizes[0]})\n{ast.unparse(shown.call)}"
        return
    inputs = "".join(f"{letter} = input({size})\n" for letter, size in zip(letters, sizes))
    full = [f"{argument}={x}" for argument, x in given.items()]
    yield f"{inputs}{name}({', '.join([*letters, *full, *named])})"  # so merges name their inputs
    yield f"{inputs}{name}({own})({', '.join(letters)})"


def read_example(kind: type[Layer]) -> tuple[str, Report] | None:
    """Return the example of a kind as a sheet, and its numbers; None if no sheet can make the call.

    >>> text, report = read_example(kind_named("Linear"))
    >>> text, report.totals["params"]
    ('input(20)\\nlinear(30)', 630)
    """
    shown = example(kind)
    candidates = _sheets(kind, shown) if shown and shown.shapes else ()
    for text in [kind.sheet_example] if kind.sheet_example else candidates:
        try:
            report = analyze(read_spec(text).graph)
        except ConvcalcError:
            continue
        if type(report.graph.nodes[-1].layer) is getattr(kind, "becomes", kind):
            return text, report
    return None
