"""Lines in order: those of a sheet, its blocks, and the sheets that it includes. What a line means is in `read`."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from convcalc.algebra.expression import Language
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.formats.sheet.expressions import FUNCTIONS
from convcalc.formats.sheet.names import callees, targets
from convcalc.formats.sheet.plan import UNKNOWN, Frame, Unknown
from convcalc.formats.sheet.source import LATE, MOST_DEPTH, MOST_TOKENS, Source, read_file
from convcalc.formats.sheet.state import Block, Sheet
from convcalc.network.tensor import Tensor

MOST_SHEETS = 20  # included by one sheet, directly or not


class SheetCall(NamedTuple):
    """A call being read; ``inputs`` are in the second pair of brackets, ``name`` is that of its output, if any."""

    node: ast.Call
    callee: str
    args: list[Any]
    kwargs: dict[str, Any]
    inputs: list[Tensor]
    name: str


def read_lines(language: Language, sheet: Sheet, statements: Iterable[ast.stmt]) -> None:
    """Read lines in order; after an error the rest is still read."""
    for statement in statements:
        if sheet.root.late:
            sheet.stop(statement, LATE)
        try:
            language.value(statement, sheet)
        except Unknown:
            _lose(statement, sheet)
        except ConvcalcError as error:
            sheet.report(statement, error)
            _lose(statement, sheet)


def _lose(statement: ast.stmt, sheet: Sheet) -> None:
    """Mark as unknown the names and the flow that a statement with an error would have set."""
    if isinstance(statement, ast.Assign):
        for name in targets(statement):
            sheet.plan.frame.names[name] = UNKNOWN
        value = statement.value  # a constant replaces a line that could not be parsed
        joins = isinstance(value, ast.Constant) or any(callee not in FUNCTIONS for callee in callees(value))
        in_scope = sheet.plan.frames[0].names | sheet.plan.frame.names
        mentioned = [in_scope.get(node.id) for node in ast.walk(value) if isinstance(node, ast.Name)]
        if not joins and not any(value is UNKNOWN or isinstance(value, Tensor) for value in mentioned):
            return
    sheet.plan.flow = UNKNOWN


def call_block(language: Language, call: SheetCall, sheet: Sheet) -> Tensor:
    """Return the output of a block, whose lines are read with the input of the call."""
    block = sheet.blocks[call.callee]
    if len(sheet.plan.frames) > MOST_DEPTH:
        sheet.stop(call.node, f"blocks are nested more than {MOST_DEPTH} deep", "a block may not call itself")
    values = _bind(block, call)
    if len(call.inputs) > 1:
        raise SpecError(f"a block takes one input, received {len(call.inputs)}")
    if not call.inputs and sheet.plan.flow is UNKNOWN:
        try_block(language, block, values, sheet)
        raise Unknown
    x = call.inputs[0] if call.inputs else sheet.plan.need_flow()
    sheet.tried.add(call.callee)
    place = f" of {sheet.source.name}" if block.source is not sheet.source else ""
    label = f"{call.callee}, called on line {call.node.lineno}{place}"
    with sheet.plan.scope(call.name, call.callee, {**values, "x": x}, block.gives):
        sheet.plan.flow = x
        _read_elsewhere(language, sheet, block.source, label, block.node.body)
    flow = sheet.plan.need_flow()
    sheet.plan.parts = (flow,)
    return flow


def try_block(language: Language, block: Block, values: Mapping[str, Any], sheet: Sheet) -> None:
    """Read the lines of a block that was never called, to report the errors in them."""
    if block.node.name in sheet.tried:
        return
    sheet.tried.add(block.node.name)
    outer, sheet.plan.flow = sheet.plan.flow, UNKNOWN
    sheet.plan.frames.append(Frame({**dict.fromkeys(block.arguments, UNKNOWN), **values, "x": UNKNOWN}))
    _read_elsewhere(language, sheet, block.source, f"block {block.node.name}", block.node.body)
    sheet.plan.frames.pop()
    sheet.plan.flow = outer


def _read_elsewhere(
    language: Language, sheet: Sheet, source: Source, label: str, statements: Iterable[ast.stmt]
) -> None:
    """Read the lines of a block or of another sheet; errors in them mention ``label``."""
    outer, sheet.source = sheet.source, source
    sheet.places.append(label)
    read_lines(language, sheet, statements)
    sheet.source = outer
    sheet.places.pop()


def include(language: Language, call: SheetCall, sheet: Sheet) -> None:
    """Read the blocks and constants of another sheet in the same folder."""
    name = call.args[0] if len(call.args) == 1 else None
    if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
        raise SpecError("include takes the name of a sheet in the same folder", hint='write include("blocks.net")')
    if len(sheet.plan.frames) > 1:
        raise SpecError("include is not allowed inside a block")
    if name in sheet.included:
        return
    sheet.included.add(name)
    if len(sheet.included) > MOST_SHEETS:
        raise SpecError(f"a sheet may include at most {MOST_SHEETS} others")
    source = Source(_read_beside(sheet.folder, name), name)
    sheet.root.tokens += source.tokens
    if sheet.root.tokens > MOST_TOKENS:
        raise SpecError(f"a sheet and those it includes may have at most {MOST_TOKENS:,} words and signs")
    for error in source.errors:
        sheet.root.report(error)
    label = f"{name}, included on line {call.node.lineno} of {sheet.source.name}"
    lines = (node for node in source.tree.body if _may_be_included(node, sheet))  # each is checked when it is read
    _read_elsewhere(language, sheet, source, label, lines)


def _may_be_included(node: ast.stmt, sheet: Sheet) -> bool:
    """Return whether a line is a block, a constant or an include; report any other."""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    if isinstance(node, (ast.FunctionDef, ast.Pass)):
        return True
    if value is not None and all(callee in FUNCTIONS or callee == "include" for callee in callees(value)):
        return True
    hint = "put layers in a block: def name(c):"
    sheet.report(node, sheet.source.error(node, "an included sheet may contain only blocks and constants", hint))
    return False


def _bind(block: Block, call: SheetCall) -> dict[str, Any]:
    """Return the values of a block's arguments; raise SpecError if the call does not fit them."""
    names = block.arguments
    values = {**block.defaults, **dict(zip(names, call.args)), **call.kwargs}
    takes = f"{block.node.name} takes {', '.join(names) or 'no arguments'}"
    where = f"it is defined on line {block.node.lineno} of {block.source.name}"
    for name in call.kwargs:
        if name not in names:
            raise SpecError(f"{takes}; it has no argument {name!r}", hint=did_you_mean(name, names) or where)
        if name in names[: len(call.args)]:
            raise SpecError(f"{takes}; {name} is given twice")
    if len(call.args) > len(names):
        raise SpecError(f"{takes}; received {len(call.args)} values", hint=where)
    missing = [name for name in names if name not in values]
    if missing:
        raise SpecError(f"{takes}; {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", hint=where)
    return values


def _read_beside(folder: Path | None, name: str) -> str:
    """Return the text of a sheet in this folder; raise SpecError if there is none, or a link that leads out of it."""
    others: list[str] = []
    if folder is not None:
        path = folder / name
        try:
            if path.is_file() and path.resolve().parent == folder.resolve():
                with path.open("rb") as file:
                    return read_file(file, name)
        except OSError as error:
            raise SpecError(f"{name!r} cannot be read: {error.strerror}") from None
        others = [other.name for other in folder.glob("*.net")]
    raise SpecError(f"there is no sheet {name!r} in the folder of this one", hint=did_you_mean(name, others))
