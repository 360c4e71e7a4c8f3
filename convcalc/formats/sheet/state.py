"""What is known of a sheet while it is read: names, blocks, settings, and where reading is. No grammar."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from convcalc.algebra.types import Shape
from convcalc.errors import ConvcalcError, did_you_mean
from convcalc.formats.sheet.plan import Plan
from convcalc.formats.sheet.source import MOST_NODES, Source
from convcalc.network.tensor import Tensor


class Block(NamedTuple):
    """A block; ``source`` is the sheet that it is written in, ``gives`` are the names that its lines give."""

    source: Source
    node: ast.FunctionDef
    arguments: list[str]
    defaults: Mapping[str, Any]
    gives: frozenset[str]


class Sheet:
    """The state of a sheet being read, which every function of its grammar takes.

    ``root`` is the sheet itself, ``given`` are input shapes from outside, without the batch, ``settings`` values of
    constants and letters from outside, and ``folder`` is where it may include from.
    """

    def __init__(
        self, root: Source, plan: Plan, given: Sequence[Shape], settings: Mapping[str, Any], folder: Path | None
    ) -> None:
        self.root = root
        self.plan = plan
        self.given = given
        self.settings = dict(settings)
        self.unused = set(settings)  # settings that no line has named yet
        self.folder = folder
        self.name = ""  # what net("...") says
        self.source = root  # the sheet that the present line is in
        self.places: list[str] = []  # blocks and included sheets that it is in
        self.letters: set[str] = set()
        self.blocks: dict[str, Block] = {}
        self.broken: set[str] = set()  # blocks with an error in their first line
        self.tried: set[str] = set()  # blocks whose lines have been read
        self.included: set[str] = set()
        self.turns = 0  # layers, and turns of loops
        self.results: dict[ast.AST, str] = {}  # what the value of an expression is to be called

    def stop(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        """Report an error at a node and end reading."""
        self.root.stop(self.source.error(node, what, hint))

    def report(self, node: ast.AST, error: ConvcalcError) -> None:
        """Report an error in a line, which reading survives; it is at ``node`` unless it has a place."""
        located = self.source.located(node, error)
        located.details.extend(f"in {label}" for label in reversed(self.places))
        self.root.report(located)

    def count(self, node: ast.AST, turns: int = 1) -> None:
        """Count one more layer, or turns of a loop; stop past the limit."""
        self.turns += turns
        if self.turns > MOST_NODES:
            self.stop(node, f"a network may not have more than {MOST_NODES:,} layers and turns of loops")

    def no_output(self, node: ast.expr) -> ConvcalcError:
        """Return the error for what ought to be the output of a layer."""
        named = self.plan.frames[0].names | self.plan.frame.names
        known = [name for name, value in named.items() if isinstance(value, Tensor)]
        word = ast.unparse(node)[:40]
        hint = did_you_mean(word, known)
        if not hint:
            so_far = f"named so far: {', '.join(known[-8:])}" if known else "nothing is named yet"
            hint = f"{so_far}; a layer's output is named by e1 = conv(64, 3)"
        return self.source.error(node, f"{word} is not the output of a layer", hint)
