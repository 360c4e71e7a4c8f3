"""The spec text (``*.net``): a plan of a network in a small part of Python's syntax, read into a graph.

The sheet is parsed (`readers.source`), its statements are followed one by one, and calls of layers are recorded on a
tape; nothing is executed or imported. After an error the rest is still read as far as it can be, so that independent
errors are reported together. What blocks are is `readers.blocks`', what a call
means `readers.calls`'; the exam's dialect and pasted reprs have readers of
their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.algebra.dims import LIMIT, Dim, Shape, is_symbolic, parse_dim
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.network.graph import Graph
from convcalc.network.tensor import Tensor
from convcalc.readers import arithmetic
from convcalc.readers.blocks import Blocks, names_given, targets
from convcalc.readers.expressions import callee_of
from convcalc.readers.names import FORMS, families, kinds
from convcalc.readers.plan import UNKNOWN, Plan, Unknown
from convcalc.readers.source import MOST_NODES, MOST_SECONDS, Enough, Source
from convcalc.readers.syntax import STATEMENT_HINTS, STATEMENTS


class Sheet(NamedTuple):
    """What a text holds: the network's name, where it gives one, and its graph."""

    name: str
    graph: Graph


def read_spec(
    text: str,
    name: str = "sheet",
    *,
    inputs: Sequence[Shape] = (),
    batch: Dim = 1,
    settings: Mapping[str, Any] = {},
    folder: Path | None = None,
) -> Sheet:
    """The network of a sheet.

    ``inputs`` are shapes without the batch that take the place of the sheet's own, ``settings`` values of its constants
    and letters; ``folder`` is where ``include`` may look. Raises SpecError or ShapeError with line, column and caret.

    >>> graph = read_spec("input(3, 32, 32); conv(16, 3, padding=1); relu(); maxpool(2)").graph
    >>> [node.path for node in graph.nodes], graph.nodes[-1].output_shape
    (['conv1', 'relu1', 'maxpool1'], (1, 16, 16, 16))
    """
    return Reader(Source(text, name), inputs, batch, settings, folder).read()


class Reader(Blocks):
    """Follows a sheet's statements and records its layers."""

    def __init__(
        self, source: Source, inputs: Sequence[Shape], batch: Dim, settings: Mapping[str, Any], folder: Path | None
    ) -> None:
        super().__init__(source, Plan(batch), {key: _setting(key, value) for key, value in settings.items()})
        self.given = inputs
        self.folder = folder

    def read(self) -> Sheet:
        """The network of the whole sheet."""
        statements = self.root.tree.body
        self.plan.frame.reserved = names_given(statements)
        try:
            if self.given and not any(callee_of(node) == "input" for node in ast.walk(self.root.tree)):
                for shape in self.given:
                    self.plan.declare("", shape)
            self._body(statements)
            self._check_rest()
        except Enough:
            pass
        except (RecursionError, MemoryError):
            raise SpecError("brackets, blocks or sums are nested too deeply", where=self.root.name) from None
        self.root.finish()
        return Sheet(self.title, self.plan.graph(self.root.name))

    def _check_rest(self) -> None:
        """Blocks that were not called are read too, and settings must have named something."""
        for block in list(self.blocks.values()):
            self._try_block(block, {})
        if self.root.errors:  # a setting may be meant for a line that was lost
            return
        for name in sorted(self.unused):
            self.root.errors.append(self._unused(name))
        if len(self.given) > len(self.plan.inputs):
            what = f"the sheet has {len(self.plan.inputs)} input, and {len(self.given)} were given"
            self.root.errors.append(SpecError(what, where=self.root.name))

    def _unused(self, name: str) -> SpecError:
        """The error for a setting that names nothing."""
        names = self.plan.frames[0].names
        if isinstance(names.get(name), Tensor):
            what, hint = f"--set gives values to constants and letters; {name} is the output of a layer", ""
        else:
            known = {*(n for n, value in names.items() if not isinstance(value, Tensor)), *self.letters}
            what = f"--set {name}: nothing here is named {name}"
            hint = did_you_mean(name, known) or (f"there are {', '.join(sorted(known))}" if known else "")
        return SpecError(what, where=self.root.name, hint=hint)

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self.root.late:
                self.stop(statement, f"reading takes longer than {MOST_SECONDS:g} s, the most that a sheet may")
            try:
                self._statement(statement)
            except Unknown:
                self._lose(statement)
            except ConvcalcError as error:
                self._report(statement, error)
                self._lose(statement)

    def _report(self, node: ast.AST, error: ConvcalcError) -> None:
        located = self.source.located(node, error)
        if located is error:
            located = type(error)(error.what, where=error.where, details=error.details, hint=error.hint)
        located.details.extend(f"in {label}" for label in reversed(self.places))
        self.root.report(located)

    def _lose(self, statement: ast.stmt) -> None:
        """After an error: what the statement would have named and made flow is unknown."""
        if isinstance(statement, ast.Assign):
            for name in targets(statement):
                self.plan.frame.names[name] = UNKNOWN
            if not self._makes_flow(statement.value):
                return
        self.plan.flow = UNKNOWN

    def _makes_flow(self, value: ast.expr) -> bool:
        """Whether an expression may record a layer: it calls one, or joins outputs."""
        frames = (self.plan.frame, self.plan.frames[0])
        for node in ast.walk(value):
            if isinstance(node, ast.Call) and callee_of(node) not in arithmetic.FUNCTIONS:
                return True
            named = [frame.names.get(node.id) for frame in frames] if isinstance(node, ast.Name) else []
            if any(value is UNKNOWN or isinstance(value, Tensor) for value in named):
                return True
        return isinstance(value, ast.Constant)  # the stand-in for a line that could not be parsed

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr):
            self._line(node.value)
        elif isinstance(node, ast.Assign):
            self._assign(node)
        elif isinstance(node, ast.FunctionDef):
            self._define(node)
        elif isinstance(node, ast.For):
            self._loop(node)
        elif isinstance(node, ast.If):
            taken = self._condition(node.test)
            self._skip(node.orelse if taken else node.body)
            self._body(node.body if taken else node.orelse)
        elif not isinstance(node, ast.Pass):
            kind = type(node).__name__
            what = f"{STATEMENTS.get(kind, kind.lower())} is not part of a sheet"
            hint = STATEMENT_HINTS.get(kind, "there are layers, name = ..., def, for i in range(n), and if")
            raise self.source.error(node, what, hint=hint)

    def _line(self, node: ast.expr) -> None:
        """An expression on a line of its own: a layer, outputs joined, or a remark in quotes."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return
        value = self._value(node)
        if isinstance(node, ast.Name) and isinstance(value, Tensor):
            hint = f"to go on from {node.id}, name it in second brackets: conv(64, 3)({node.id})"
            raise self.source.error(node, f"{node.id} alone does nothing", hint=hint)
        if not isinstance(value, Tensor) and value is not None:
            hint = "write a layer, such as conv(64, 3), or give the value a name: C = 16"
            if isinstance(node, ast.Name):
                hint = did_you_mean(node.id, [*families(), *kinds()]) or hint
            raise self.source.error(node, "this line is a value that nothing uses", hint=hint)

    def _skip(self, statements: Iterable[ast.stmt]) -> None:
        """Lines that a condition leaves out still name constants and letters."""
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    self.unused.discard(node.id)

    def _assign(self, node: ast.Assign) -> None:
        names = targets(node)
        if len(node.targets) != 1 or not names:
            raise self.source.error(node, "one name stands before the =", hint="write e1 = conv(64, 3)")
        for name in names:
            if name in FORMS and name != "input":
                raise self.source.error(node, f"{name} cannot be a name", hint=f"{name}(...) has a meaning of its own")
        if self._is_set(node, names[0]):
            self.unused.discard(names[0])
            value = self.settings[names[0]]
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                value = str(value)
        else:
            value = self._value(node.value, names[0])
        if isinstance(node.targets[0], ast.Name):
            self.plan.frame.names[names[0]] = value
            return
        values = self.plan.parts if isinstance(value, Tensor) else value if isinstance(value, tuple) else ()
        if len(values) != len(names):
            what = f"{len(names)} names stand before the =, and what follows gives {max(len(values), 1)}"
            raise self.source.error(node, what)
        self.plan.frame.names.update(zip(names, values))

    def _is_set(self, node: ast.Assign, name: str) -> bool:
        """Whether --set gives the value of this constant: the first that bears the name, outside of blocks."""
        constant = not isinstance(node.value, ast.Call) or callee_of(node.value) in arithmetic.FUNCTIONS
        frames = self.plan.frames
        return name in self.settings and len(frames) == 1 and constant and name not in frames[0].names

    def _loop(self, node: ast.For) -> None:
        call = node.iter
        if not isinstance(node.target, ast.Name) or not isinstance(call, ast.Call) or callee_of(call) != "range":
            raise self.source.error(node, "a loop is written for i in range(n):")
        if node.orelse:
            raise self.source.error(node.orelse[0], "a loop has no else")
        bounds = [self._whole(argument, "range") for argument in call.args]
        if not 1 <= len(bounds) <= 3 or call.keywords or (len(bounds) == 3 and bounds[2] == 0):
            what = "range takes one to three whole numbers, of which the third, the step, is not 0"
            raise self.source.error(call, what, hint="write range(n), range(first, end) or range(first, end, step)")
        turns = range(*bounds)
        if not turns:
            self._skip(node.body)
        if len(turns) > MOST_NODES:
            self._count(call, len(turns))
        before = len(self.root.errors)
        for i in turns:
            self._count(node)
            self.plan.frame.names[node.target.id] = i
            self._body(node.body)
            if len(self.root.errors) > before:  # the next turn would only say it again
                break


def _setting(name: str, value: Any) -> Any:
    """The value of a setting as a sheet's own would be; raises SpecError."""
    if isinstance(value, str) and value.isidentifier() and value.isascii():
        return parse_dim(value, value)
    if arithmetic.is_number(value) and not is_symbolic(value) and abs(value) > LIMIT:
        raise SpecError(f"--set {name}: numbers lie between -{LIMIT:,} and {LIMIT:,}")
    return value
