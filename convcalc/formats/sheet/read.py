"""Sheets (``*.net``) to graphs: a network in a small part of Python's syntax, read and never executed.

After an error the rest is still read, so that independent errors are reported together. The grammar is one table,
`SHEET`, of lines (here), expressions (`expressions`) and calls (`calls`).
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convcalc.algebra.expression import Language
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import SpecError, did_you_mean
from convcalc.formats.sheet import calls, expressions
from convcalc.formats.sheet.blocks import read_lines, try_block
from convcalc.formats.sheet.expressions import FUNCTIONS, SheetLanguage, read_condition, read_integer, read_setting
from convcalc.formats.sheet.names import FORMS, assigned_names, callee_of, callees, families, is_layer, kinds, targets
from convcalc.formats.sheet.plan import Reading
from convcalc.formats.sheet.source import MOST_NODES, Source
from convcalc.formats.sheet.state import Block, Sheet
from convcalc.network.graph import Graph
from convcalc.network.tensor import Tensor


def read_spec(
    text: str,
    name: str = "sheet",
    *,
    inputs: Sequence[Shape] = (),
    batch: Dim = 1,
    settings: Mapping[str, Any] = {},
    folder: Path | None = None,
) -> "Reader":
    """Return the reader of a sheet, with its ``graph`` and the ``name`` that it gives the network, if any.

    The other arguments are those of `Reading`. Raises SpecError or ShapeError with line, column and caret.

    >>> [node.output_shape for node in read_spec("input(3, 32, 32); conv(16, 3, padding=1); maxpool(2)").graph.nodes]
    [(1, 16, 32, 32), (1, 16, 16, 16)]
    """
    reader = Reader(Source(text, name), inputs, batch, settings, folder)
    reader.graph = reader.read()
    return reader


class Reader(Reading):
    """A sheet being read."""

    graph: Graph

    def __init__(
        self,
        text: Source,
        inputs: Sequence[Shape] = (),
        batch: Dim = 1,
        settings: Mapping[str, Any] = {},
        folder: Path | None = None,
    ) -> None:
        super().__init__(text, inputs, batch, settings, folder)
        self.sheet = Sheet(text, self.plan, inputs, settings, folder)

    @property
    def name(self) -> str:
        """Return the name that the sheet gives the network; an empty text if none."""
        return self.sheet.name

    def _follow(self) -> None:
        sheet = self.sheet
        sheet.settings = {key: read_setting(key, value) for key, value in sheet.settings.items()}
        sheet.plan.frame.reserved = assigned_names(sheet.root.tree.body)
        if "input" not in callees(sheet.root.tree):
            for shape in sheet.input_shapes:
                sheet.plan.declare("", shape)
        read_lines(SHEET, sheet, sheet.root.tree.body)
        _check_rest(sheet)


def _check_rest(sheet: Sheet) -> None:
    """Report errors in blocks that are never called, and settings and inputs from outside that have no use."""
    for block in list(sheet.blocks.values()):
        try_block(SHEET, block, {}, sheet)
    if sheet.root.errors:  # a setting may have been for a line that was lost
        return
    names = sheet.plan.frames[0].names
    can_be_set = {*(name for name, value in names.items() if not isinstance(value, Tensor)), *sheet.letters}
    for name in sorted(sheet.unused):
        what = f"--set {name}: the sheet has no constant or letter {name}"
        hint = did_you_mean(name, can_be_set) or (f"it has {', '.join(sorted(can_be_set))}" if can_be_set else "")
        if isinstance(names.get(name), Tensor):
            what, hint = f"--set gives values to constants and letters; {name} is the output of a layer", ""
        sheet.root.errors.append(SpecError(what, where=sheet.root.name, hint=hint))
    if len(sheet.input_shapes) > len(sheet.plan.inputs):
        count = len(sheet.plan.inputs)
        what = f"the sheet has {count} input{'s' * (count != 1)}; {len(sheet.input_shapes)} were given"
        sheet.root.errors.append(SpecError(what, where=sheet.root.name))


def _pass(language: Language, statement: ast.Pass, sheet: Sheet) -> None:
    """Read ``pass``, which does nothing."""


def _if(language: Language, statement: ast.If, sheet: Sheet) -> None:
    skipped, taken = statement.body, statement.orelse
    if read_condition(language, statement.test, sheet):
        skipped, taken = taken, skipped
    _skip(skipped, sheet)
    read_lines(language, sheet, taken)


def _value(language: Language, statement: ast.Expr, sheet: Sheet) -> None:
    """Read a line that is an expression: a layer, or a comment in quotes."""
    node = statement.value
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return
    value = language.value(node, sheet)
    if isinstance(node, ast.Name) and isinstance(value, Tensor):
        hint = f"to continue from {node.id}, give it in a second pair of brackets: conv(64, 3)({node.id})"
        raise sheet.source.error(node, f"{node.id} alone does nothing", hint)
    if not isinstance(value, Tensor) and value is not None:
        hint = "write a layer, such as conv(64, 3), or give the value a name: C = 16"
        if isinstance(node, ast.Name):
            hint = did_you_mean(node.id, [*families(), *kinds()]) or hint
        raise sheet.source.error(node, "nothing uses the value of this line", hint)


def _skip(statements: Iterable[ast.stmt], sheet: Sheet) -> None:
    """Count the settings that skipped lines mention as used."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    sheet.unused -= {node.id for node in nodes if isinstance(node, ast.Name)}


def _assign(language: Language, node: ast.Assign, sheet: Sheet) -> None:
    names = targets(node)
    if len(node.targets) != 1 or not names:
        raise sheet.source.error(node, "expected one name before the =", hint="write e1 = conv(64, 3)")
    for name in names:
        if name in FORMS and name != "input":
            raise sheet.source.error(node, f"{name} cannot be a name", hint=f"{name}(...) already has a meaning")
    constant = not isinstance(node.value, ast.Call) or callee_of(node.value) in FUNCTIONS
    first = len(sheet.plan.frames) == 1 and names[0] not in sheet.plan.frame.names
    if constant and first and names[0] in sheet.settings:  # --set gives its value
        sheet.unused.discard(names[0])
        value = sheet.settings[names[0]]
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            value = str(value)
    else:
        sheet.results[node.value] = names[0]
        value = language.value(node.value, sheet)
    if isinstance(node.targets[0], ast.Name):
        sheet.plan.frame.names[names[0]] = value
        return
    values = sheet.plan.parts if isinstance(value, Tensor) else value if isinstance(value, tuple) else ()
    if len(values) != len(names):
        count = max(len(values), 1)
        what = f"there are {len(names)} names before the =, but {count} value{'s' * (count != 1)} after it"
        raise sheet.source.error(node, what)
    sheet.plan.frame.names.update(zip(names, values))


def _for(language: Language, node: ast.For, sheet: Sheet) -> None:
    call = node.iter
    if not isinstance(node.target, ast.Name) or not isinstance(call, ast.Call) or callee_of(call) != "range":
        raise sheet.source.error(node, "expected a loop of the form for i in range(n):")
    if node.orelse:
        raise sheet.source.error(node.orelse[0], "a loop has no else")
    bounds = [read_integer(language, argument, sheet, "range") for argument in call.args]
    if not 1 <= len(bounds) <= 3 or call.keywords or (len(bounds) == 3 and bounds[2] == 0):
        what = "range takes one to three integers, and the third, the step, may not be 0"
        raise sheet.source.error(call, what, hint="write range(n), range(first, end) or range(first, end, step)")
    turns = range(*bounds)
    if not turns:
        _skip(node.body, sheet)
    if len(turns) > MOST_NODES:
        sheet.count(call, len(turns))
    before = len(sheet.root.errors)
    for i in turns:
        sheet.count(node)
        sheet.plan.frame.names[node.target.id] = i
        read_lines(language, sheet, node.body)
        if len(sheet.root.errors) > before:  # the next iteration would only repeat them
            break


def _block(language: Language, node: ast.FunctionDef, sheet: Sheet) -> None:
    """Read the first line of a block; the others are read when it is called."""
    if len(sheet.plan.frames) > 1:
        raise sheet.source.error(node, "a block may not be defined inside another block")
    sheet.broken.add(node.name)  # until its first line is read: meanwhile calls of it report nothing
    taken = node.args
    if taken.vararg or taken.kwarg or taken.kwonlyargs or taken.posonlyargs or node.decorator_list or node.returns:
        raise sheet.source.error(node, "expected a block of the form def name(a, b=1): with plain arguments")
    if is_layer(node.name) or node.name in (*FORMS, *FUNCTIONS):
        hint = f"give the block another name, such as my_{node.name}"
        raise sheet.source.error(node, f"{node.name} already has a meaning", hint)
    names = [argument.arg for argument in taken.args]
    if len(set(names)) < len(names):
        raise sheet.source.error(node, "two arguments of the block have the same name")
    if "x" in names:
        raise sheet.source.error(node, "x is always the input of a block", "give the argument another name")
    values = [language.value(default, sheet) for default in taken.defaults]
    defaults = dict(zip(names[len(names) - len(values) :], values))
    sheet.broken.discard(node.name)
    sheet.blocks[node.name] = Block(sheet.source, node, names, defaults, assigned_names(node.body))


SHEET = SheetLanguage(
    {
        **expressions.VALUES,
        **calls.VALUES,
        ast.Pass: _pass,
        ast.Expr: _value,
        ast.Assign: _assign,
        ast.If: _if,
        ast.For: _for,
        ast.FunctionDef: _block,
    },
    expressions.OPERATORS,
    expressions.refuse,
)
"""The grammar of sheets: what each kind of line and of expression means."""
