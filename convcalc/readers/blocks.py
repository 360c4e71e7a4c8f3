"""Blocks of a spec sheet, and the sheets that it includes: lines that are written once and read in several places.

What a line means is `readers.spec`'s, what a call means `readers.calls`'.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.readers import arithmetic
from convcalc.readers.calls import Calls, Reading
from convcalc.readers.expressions import callee_of
from convcalc.readers.names import FORMS, families, kinds
from convcalc.readers.plan import UNKNOWN, Frame, Unknown
from convcalc.readers.source import MOST_DEPTH, MOST_TOKENS, Source, read_file

MOST_SHEETS = 20  # that one sheet may include


class Block(NamedTuple):
    """A block: its lines, the sheet that they stand in, and what arguments are where a call leaves them out."""

    source: Source
    node: ast.FunctionDef
    defaults: Mapping[str, Any]
    names: frozenset[str]
    """Names that its lines give."""

    @property
    def arguments(self) -> list[str]:
        """The names of its arguments."""
        return [argument.arg for argument in self.node.args.args]


class Blocks(Calls):
    """Reads blocks where they are called."""

    folder: Path | None

    def _body(self, statements: Sequence[ast.stmt]) -> None:
        raise NotImplementedError

    def _report(self, node: ast.AST, error: ConvcalcError) -> None:
        raise NotImplementedError

    def _define(self, node: ast.FunctionDef) -> None:
        if len(self.plan.frames) > 1:
            raise self.source.error(node, "a block stands outside of other blocks")
        self.broken.add(node.name)  # until it is found to be sound: then calls of it say nothing more
        extra = node.args.vararg or node.args.kwarg or node.args.kwonlyargs or node.args.posonlyargs
        if extra or node.decorator_list or node.returns:
            raise self.source.error(node, "a block is written def name(a, b=1):, with plain arguments")
        if node.name in families() or node.name in kinds() or node.name in (*FORMS, *arithmetic.FUNCTIONS):
            hint = f"give the block another name, such as my_{node.name}"
            raise self.source.error(node, f"{node.name} has a meaning already", hint=hint)
        names = [argument.arg for argument in node.args.args]
        if len(set(names)) < len(names):
            raise self.source.error(node, "the block has two arguments of one name")
        if "x" in names:
            raise self.source.error(node, "x is what flows into a block", hint="give the argument another name")
        given = node.args.args[len(node.args.args) - len(node.args.defaults) :]
        defaults = {argument.arg: self._value(value) for argument, value in zip(given, node.args.defaults)}
        self.broken.discard(node.name)
        self.blocks[node.name] = Block(self.source, node, defaults, names_given(node.body))

    def _block(self, node: ast.Call, callee: str, reading: Reading) -> Any:
        """The layers of a block, on what flows."""
        if len(self.plan.frames) > MOST_DEPTH:
            self.stop(node, f"blocks are nested more than {MOST_DEPTH} deep", "a block may not use itself")
        block: Block = self.blocks[callee]
        values = _bind(block, reading)
        if len(reading.inputs) > 1:
            raise SpecError(f"a block takes one input, received {len(reading.inputs)}")
        if not reading.inputs and self.plan.flow is UNKNOWN:
            self._try_block(block, values)
            raise Unknown
        x = reading.inputs[0] if reading.inputs else self.plan.need_flow()
        self.tried.add(callee)
        label = f"{callee}, called on line {node.lineno}"
        if block.source is not self.source:
            label += f" of {self.source.name}"
        names = {**values, "x": x}
        named = reading.name or callee
        with self.plan.scope(named, callee, names, numbered=not reading.name, reserved=block.names):
            self.plan.flow = x
            with self.reading(block.source, label):
                self._body(block.node.body)
        flow = self.plan.need_flow()
        self.plan.parts = (flow,)
        return flow

    def _try_block(self, block: Block, values: Mapping[str, Any]) -> None:
        """Find what is wrong in a block whatever flows into it; once for each block."""
        if block.node.name in self.tried:
            return
        self.tried.add(block.node.name)
        unknown = dict.fromkeys(block.arguments, UNKNOWN)
        outer = self.plan.flow
        self.plan.frames.append(Frame({**unknown, **values, "x": UNKNOWN}))
        self.plan.flow = UNKNOWN
        with self.reading(block.source, f"block {block.node.name}"):
            self._body(block.node.body)
        self.plan.frames.pop()
        self.plan.flow = outer

    @contextmanager
    def reading(self, source: Source, label: str) -> Iterator[None]:
        """Lines that are read inside stand in ``source``; errors there are told with ``label``."""
        outer, self.source = self.source, source
        self.places.append(label)
        try:
            yield
        finally:
            self.source = outer
            self.places.pop()

    def _include(self, node: ast.Call, args: list[Any], name: str) -> None:
        """Take over the blocks and constants of another sheet of the same folder."""
        if len(args) != 1 or not isinstance(args[0], str) or Path(args[0]).name != args[0] or args[0].startswith("."):
            raise SpecError("include takes the name of a sheet in the same folder", hint='write include("blocks.net")')
        if len(self.plan.frames) > 1:
            raise SpecError("include stands outside of blocks")
        if args[0] in self.included:
            return
        self.included.add(args[0])
        if len(self.included) > MOST_SHEETS:
            raise SpecError(f"a sheet includes at most {MOST_SHEETS} others")
        source = Source(_read_beside(self.folder, args[0]), args[0])
        self.root.tokens += source.tokens
        if self.root.tokens > MOST_TOKENS:
            raise SpecError(f"a sheet and what it includes hold at most {MOST_TOKENS:,} words and signs")
        with self.reading(source, f"{args[0]}, included on line {node.lineno} of {self.source.name}"):
            for error in source.errors:
                self.root.report(error)
            self._body([statement for statement in source.tree.body if self._may_be_included(statement)])

    def _may_be_included(self, node: ast.stmt) -> bool:
        """Whether an included line is a block, a constant, a remark or an include; else an error is noted."""
        value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        calls = [callee_of(call) for call in ast.walk(value) if isinstance(call, ast.Call)] if value else []
        fitting = isinstance(node, (ast.FunctionDef, ast.Pass)) or value is not None
        if fitting and all(call in arithmetic.FUNCTIONS or call == "include" for call in calls):
            return True
        hint = "put these layers into a block: def name(c):"
        self._report(node, self.source.error(node, "an included sheet holds blocks and constants only", hint=hint))
        return False


def _read_beside(folder: Path | None, name: str) -> str:
    """The text of a sheet in this folder; raises SpecError where there is none, or a link that leads out."""
    path = (folder or Path()) / name
    try:
        if folder is not None and path.is_file() and path.resolve().parent == folder.resolve():
            return read_file(path)
    except (OSError, ValueError) as error:
        raise SpecError(f"{name!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    others = [other.name for other in (folder or Path()).glob("*.net")] if folder is not None else []
    raise SpecError(f"there is no sheet {name!r} beside this one", hint=did_you_mean(name, others))


def _bind(block: Block, reading: Reading) -> dict[str, Any]:
    """The values of a block's arguments; raises SpecError."""
    names, kwargs = block.arguments, reading.kwargs
    values = {**block.defaults, **dict(zip(names, reading.args)), **kwargs}
    takes = f"{block.node.name} takes {', '.join(names) or 'no arguments'}"
    where = f"it is written on line {block.node.lineno} of {block.source.name}"
    for name in kwargs:
        if name not in names:
            raise SpecError(f"{takes}; there is no {name}", hint=did_you_mean(name, names) or where)
        if name in names[: len(reading.args)]:
            raise SpecError(f"{takes}; {name} is given twice")
    if len(reading.args) > len(names):
        raise SpecError(f"{takes}; received {len(reading.args)} values", hint=where)
    missing = [name for name in names if name not in values]
    if missing:
        raise SpecError(f"{takes}; {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", hint=where)
    return values


def targets(node: ast.Assign) -> list[str]:
    """The names before the ``=``; none where something else stands there."""
    target = node.targets[0]
    items = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    names = [item.id for item in items if isinstance(item, ast.Name)]
    return names if len(names) == len(items) else []


def names_given(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """All names that lines give, in loops and conditions too, but not in blocks."""
    found: set[str] = set()
    for statement in statements:
        if not isinstance(statement, ast.FunctionDef):
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign):
                    found.update(targets(node))
    return frozenset(found)
