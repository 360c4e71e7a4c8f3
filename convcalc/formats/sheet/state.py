"""The state of a sheet while it is read: names, blocks, settings, and the current place. No grammar."""

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
    """A block; ``source`` is the sheet that defines it, ``gives`` are the names that its lines assign."""

    source: Source
    node: ast.FunctionDef
    arguments: list[str]
    defaults: Mapping[str, Any]
    gives: frozenset[str]


class Sheet:
    """The state of a sheet being read, which every function of its grammar takes.

    ``root`` is the source of the sheet itself. From outside come ``input_shapes`` without the batch, and
    ``settings``, values of constants and letters; ``folder`` is where sheets may be included from.
    """

    def __init__(
        self, root: Source, plan: Plan, input_shapes: Sequence[Shape], settings: Mapping[str, Any], folder: Path | None
    ) -> None:
        self.root = root
        self.plan = plan
        self.input_shapes = input_shapes
        self.settings = dict(settings)
        self.unused = set(settings)  # settings that no line has used yet
        self.folder = folder
        self.name = ""  # what net("...") says
        self.source = root  # the sheet that contains the current line
        self.places: list[str] = []  # the blocks and included sheets around it
        self.letters: set[str] = set()
        self.blocks: dict[str, Block] = {}
        self.broken: set[str] = set()  # blocks whose first line has an error
        self.tried: set[str] = set()  # blocks whose lines have been read
        self.included: set[str] = set()
        self.turns = 0  # layers and loop iterations so far
        self.results: dict[ast.AST, str] = {}  # the name that the value of an expression gets

    def stop(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        """Report an error at a node and stop reading."""
        self.root.stop(self.source.error(node, what, hint))

    def report(self, node: ast.AST, error: ConvcalcError) -> None:
        """Report an error and go on reading; its place is ``node`` unless it already has one."""
        located = self.source.located(node, error)
        located.details.extend(f"in {label}" for label in reversed(self.places))
        self.root.report(located)

    def count(self, node: ast.AST, turns: int = 1) -> None:
        """Count another layer, or iterations of a loop; stop reading beyond the limit."""
        self.turns += turns
        if self.turns > MOST_NODES:
            self.stop(node, f"a network may not have more than {MOST_NODES:,} layers and loop iterations")

    def no_output(self, node: ast.expr) -> ConvcalcError:
        """Return the error for a value that should be the output of a layer."""
        named = self.plan.frames[0].names | self.plan.frame.names
        outputs = [name for name, value in named.items() if isinstance(value, Tensor)]
        word = ast.unparse(node)[:40]
        hint = did_you_mean(word, outputs)
        if not hint:
            so_far = f"named so far: {', '.join(outputs[-8:])}" if outputs else "nothing is named yet"
            hint = f"{so_far}; name an output with e1 = conv(64, 3)"
        return self.source.error(node, f"{word} is not the output of a layer", hint)
