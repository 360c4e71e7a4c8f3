"""The question about a layer's receptive field; `analysis.fields` computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convcalc.algebra.parse import parse_shape
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus
from convcalc.analysis.fields.survey import Survey, survey
from convcalc.errors import SpecError
from convcalc.questions.answer import Answer, is_json
from convcalc.questions.sources import traced
from convcalc.views import field as view
from convcalc.views import json
from convcalc.views.rows import plain


@dataclass(frozen=True, eq=False, repr=False)
class LayerField(Answer):
    """A layer's receptive field, with all that was asked about it in ``survey``. A row is an axis of the input."""

    network: str
    survey: Survey

    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints, in ``text`` or ``json``; raise UnknownName for other formats."""
        if is_json(format):
            return json.lines(json.surveyed(self.network, self.survey))
        return view.render(self.network, self.survey)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints, as plain Python."""
        return json.plain(json.surveyed(self.network, self.survey))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each axis; none if units see the whole input or the field is not defined."""
        focus, rf = self.survey.focus, self.survey.focus.rf
        if not isinstance(rf, Extent) or not self.survey.local:
            return []
        columns = zip(rf.size, rf.smallest, rf.jump, rf.start, focus.centre, focus.padding)
        names = ("size", "smallest", "jump", "start", "centre", "effective_padding")
        return [{"axis": axis, **dict(zip(names, plain(row)))} for axis, row in zip(view.axes(focus), columns)]

    def plot(self, path: str, image: str | None = None) -> None:
        """Draw the field, its growth and the effective field into a png, svg or pdf file; needs matplotlib.

        Raises SpecError for other files, for sizes in letters, and if units see the whole input.
        """
        from convcalc.views.plot import draw

        draw(self.survey.focus, path, image, self.network)


def field(
    network: Any,
    layer: str | None = None,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
    unit: Sequence[int] | None = None,
    covers: Sequence[int] | None = None,
    stack: bool = False,
    effective: bool = False,
    tile: int | str | Sequence[int] | None = None,
    through_gates: bool = False,
) -> LayerField:
    """Return the receptive field of a call or a module by its name, or of the last layer whose field is local.

    ``unit`` asks what a unit sees, ``covers`` which units see a pixel, ``stack`` how the field grows, ``effective``
    where 95 % of the paths end, and ``tile`` for tiles of this many pixels along each axis. Other arguments and errors
    are those of `summary`; in addition, raises UnknownName for a layer, and SpecError for a unit or pixel, that does
    not exist.

    >>> answer = field("resnet50", "layer3", unit=(3, 5))
    >>> answer.survey.focus.rf.size, answer.survey.seen.glimpses[0].inside
    ((267, 267), (0, 181))
    """
    source, full, graph = traced(network, *shapes, batch=batch, settings=settings)
    focus = Focus(graph, layer, through_gates)
    facts = survey(
        focus,
        source.graph,
        full,
        unit=None if unit is None else tuple(unit),
        pixel=None if covers is None else tuple(covers),
        tile=None if tile is None else _tile(tile, len(focus.pixels)),
        effective=effective,
        stack=stack,
    )
    return LayerField(source.name, facts)


def _tile(tile: int | str | Sequence[int], rank: int) -> tuple[int, ...]:
    """Return the size of a tile along each axis, from a number, several, or a text such as ``256x512``."""
    text = tile if isinstance(tile, str) else "x".join(map(str, [tile] if isinstance(tile, int) else tile))
    sizes: Any = parse_shape(text)
    if len(sizes) not in (1, rank) or not all(isinstance(n, int) for n in sizes):
        raise SpecError(f"{text!r:.60} is not the size of a tile", where="--tile", hint="write it as --tile 256")
    return tuple(sizes) * rank if len(sizes) == 1 else tuple(sizes)
