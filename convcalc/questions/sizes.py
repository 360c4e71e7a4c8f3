"""The question of which input sizes a network takes; `analysis.solving.legal` computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.solving.legal import LegalSizes, Loss, Verdict, judge, study, with_letters
from convcalc.analysis.solving.legal import floor_loss as losses_of
from convcalc.network.graph import Graph
from convcalc.questions.answer import Answer, is_json
from convcalc.questions.sources import full_shapes, letters_in, read
from convcalc.views import answers, json
from convcalc.views.rows import plain


@dataclass(frozen=True, eq=False, repr=False)
class InputSizes(Answer):
    """The sizes that a network takes; for sizes in numbers also a ``verdict``, and the ``graph`` if they work.

    ``losses`` are the pixels that floors drop, or None if that was not asked. Rows are the demands of layers, or the
    verdict.
    """

    network: str
    legal: LegalSizes
    verdict: Verdict | None = None
    graph: Graph | None = None
    losses: tuple[Loss, ...] | None = None

    @property
    def works(self) -> bool:
        """Whether the network takes the sizes given; true if none were given."""
        return self.verdict is None or self.verdict.works

    def to_text(self, format: str = "text") -> str:
        """Return the text that the command prints, in ``text`` or ``json``; raise UnknownName for other formats."""
        if is_json(format):
            return json.indented(self._document())
        return answers.sizes(self.network, self.legal, self.verdict, self.losses)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--format json`` prints, as plain Python."""
        return json.plain(self._document())

    def _document(self) -> json.Document:
        return json.sizes(self.network, self.legal, self.verdict, self.losses)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each demand of a layer, or one for the verdict."""
        if self.verdict is None:
            return [demand._asdict() for demand in self.legal.demands]
        verdict = self.verdict
        return [
            {
                "inputs": plain(verdict.shapes),
                "works": verdict.works,
                "below": plain(verdict.below),
                "above": plain(verdict.above),
            }
        ]


def sizes(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    settings: Mapping[str, Any] = {},
    floor_loss: bool = False,
) -> InputSizes:
    """Return the legal sizes of a network, or for shapes in numbers, whether they work and the nearest that do.

    ``floor_loss`` also asks where a floor drops pixels. Other arguments and errors are those of `summary`.

    >>> print(sizes("alexnet"))
    alexnet, input 3 x H x W
    <BLANKLINE>
    works for H ≥ 63, W ≥ 63
    <BLANKLINE>
    Needs    Layer        Or else
    -------  -----------  ----------------------------------
    H ≥ 63   features.12  the output height is ⌊(H - 31)/32⌋
    W ≥ 63   features.12  the output width is ⌊(W - 31)/32⌋
    >>> sizes("alexnet", "3x62x62").verdict.above
    ((1, 3, 63, 63),)
    """
    source = read(network, settings)
    full = full_shapes(source, shapes, batch)
    open = bool(letters_in(*full))
    # numbers for the axes that may have to stay numbers: those given, or the network's usual ones
    usual = [(shape[0], *sizes) for shape, sizes in zip(full, source.inputs)] if open and source.input else full
    legal = study(source.graph, [(shape[0], *with_letters(shape[1:])) for shape in full], usual)
    verdict, graph = None, legal.graph
    if shapes and not open:
        verdict = judge(source.graph, legal, full)
        if not verdict.works:
            return InputSizes(source.name, legal, verdict)
        graph = source.graph(*full)
    return InputSizes(source.name, legal, verdict, graph, tuple(losses_of(graph)) if floor_loss else None)
