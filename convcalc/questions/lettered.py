"""A network with letters in it, and its graphs for numbers in their place: the subject of an inverse question."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice, product
from typing import Any

from convcalc.algebra.dims import letter, substitute
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.solving.legal import AXES
from convcalc.errors import ConvcalcError, UnknownName, UnknownSetting
from convcalc.formats.sheet.source import MOST_SECONDS, Source
from convcalc.network.graph import Graph
from convcalc.questions.sources import Network, full_shapes, letters_in, read


class Lettered:
    """A network with letters, and its graphs for numbers in their place.

    Raises the errors of reading it, unless numbers in place of the letters make it legal.
    """

    def __init__(
        self, network: Any, shapes: Sequence[Shape | str], batch: Dim | str | None, settings: Mapping[str, Any]
    ) -> None:
        self.network = network
        self.text = network if isinstance(network, str) else ""
        self.batch = batch
        self.settings = {name: name if value == "?" else value for name, value in settings.items()}
        self.asked = [name for name, value in self.settings.items() if value == name]
        self.named = [*self.asked, *self._named()]
        self.source = self._read()
        self.shapes = shapes or self._made_up()
        self.full = full_shapes(self.source, self.shapes, batch)
        self.inputs = letters_in(*self.full)
        self.graph: Graph | None = None
        try:
            self.graph = self.source.graph(*self.full)
            self.names = self.graph.letters
        except ConvcalcError:
            self.names = tuple(dict.fromkeys([*self.named, *self.inputs]))
            if not self.names or not self._works_with_numbers():
                raise

    def _read(self) -> Network:
        """Return the network with letters for the settings asked for, or without those if it needs their numbers."""
        try:
            return read(self.network, self.settings)
        except (UnknownName, UnknownSetting):
            raise
        except ConvcalcError:
            if not self.asked:
                raise
            return read(self.network, {name: value for name, value in self.settings.items() if name not in self.asked})

    def _named(self) -> list[str]:
        """Return the names in an inline text that have no value there: letters, though a layer may need numbers."""
        try:  # limited as a sheet is
            nodes = list(ast.walk(Source(self.text, "text").tree)) if "(" in self.text else []
        except ConvcalcError:
            nodes = []
        names = [node for node in nodes if isinstance(node, ast.Name)]
        bound = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        bound.update(node.id for node in names if isinstance(node.ctx, ast.Store))
        return [node.id for node in names if node.id not in bound]

    def _works_with_numbers(self) -> bool:
        """Return whether the network can be built for small numbers; if not, its own error says more."""
        return self.small() is not None or bool(self.asked)

    def small(self) -> Graph | None:
        """Return the graph for some small numbers, the same for all letters if possible; None if none is legal."""
        alike = ((n,) * len(self.names) for n in reversed(range(9)))
        deadline = time.thread_time() + MOST_SECONDS  # each number means reading the sheet again
        for numbers in chain(alike, islice(product(range(4), repeat=len(self.names)), 64)):
            if time.thread_time() > deadline:
                break
            with suppress(ConvcalcError):
                return self.build(dict(zip(self.names, numbers)))
        return None

    def _made_up(self) -> tuple[str, ...]:
        """Return an input in letters for a text that begins with a layer whose channels and rank are given."""
        match = re.match(r"\s*(?:nn\.)?[A-Z]\w*?([123])d\(\s*(\d+)", self.text)
        if match is None or self.source.input is not None:
            return ()
        return ("x".join([match[2], *AXES[int(match[1])]]),)

    def build(self, values: Mapping[str, int]) -> Graph:
        """Return the graph for numbers in place of letters."""
        named = {name: n for name, n in values.items() if name not in self.inputs or name in self.named}
        numbers = {letter(name): n for name, n in values.items()}
        source = read(self.network, {**self.settings, **named})
        return source.graph(*[tuple(substitute(dim, numbers) for dim in shape) for shape in self.full])

    def letters(self, without: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the letters asked for, except ``without``, in the order in which they were written."""
        text = f"{self.network} {' '.join(self.settings)} {' '.join(map(str, self.shapes))}"

        def place(name: str) -> int:
            match = re.search(rf"(?<![A-Za-z_0-9]){re.escape(name)}(?![A-Za-z_0-9])", text)
            return match.start() if match else len(text)

        return tuple(sorted((name for name in self.names if name not in without), key=place))
