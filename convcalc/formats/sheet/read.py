"""The spec text (``*.net``): a plan of a network in a small part of Python's syntax, read into a graph, never executed.

After an error the rest is still read, so that independent errors are reported together.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.formats.sheet.calls import Block, Call, Calls, bind
from convcalc.formats.sheet.expressions import FUNCTIONS
from convcalc.formats.sheet.names import FORMS, callee_of, callees, families, is_layer, kinds, names_given, targets
from convcalc.formats.sheet.plan import UNKNOWN, Frame, Unknown
from convcalc.formats.sheet.source import LATE, MOST_DEPTH, MOST_NODES, MOST_TOKENS, Source, read_file
from convcalc.network.graph import Graph
from convcalc.network.tensor import Tensor

MOST_SHEETS = 20  # that one sheet may include


def read_spec(
    text: str,
    name: str = "sheet",
    *,
    inputs: Sequence[Shape] = (),
    batch: Dim = 1,
    settings: Mapping[str, Any] = {},
    folder: Path | None = None,
) -> "Reader":
    """A sheet read, with its ``graph``, and its ``name`` where it gives one; arguments as of `Reading`.

    Raises SpecError or ShapeError with line, column and caret.

    >>> [node.output_shape for node in read_spec("input(3, 32, 32); conv(16, 3, padding=1); maxpool(2)").graph.nodes]
    [(1, 16, 32, 32), (1, 16, 16, 16)]
    """
    reader = Reader(Source(text, name), inputs, batch, settings, folder)
    reader.graph = reader.read()
    return reader


class Reader(Calls):
    """Follows a sheet's statements and records its layers."""

    graph: Graph

    def _follow(self) -> None:
        super()._follow()
        statements = self.root.tree.body
        self.plan.frame.reserved = names_given(statements)
        if "input" not in callees(self.root.tree):
            for shape in self.given:
                self.plan.declare("", shape)
        self._body(statements)
        self._check_rest()

    def _check_rest(self) -> None:
        for block in list(self.blocks.values()):
            self._try_block(block, {})
        if self.root.errors:  # a setting may be meant for a line that was lost
            return
        names = self.plan.frames[0].names
        known = {*(name for name, value in names.items() if not isinstance(value, Tensor)), *self.letters}
        for name in sorted(self.unused):
            what = f"--set {name}: nothing here is named {name}"
            hint = did_you_mean(name, known) or (f"there are {', '.join(sorted(known))}" if known else "")
            if isinstance(names.get(name), Tensor):
                what, hint = f"--set gives values to constants and letters; {name} is the output of a layer", ""
            self.root.errors.append(SpecError(what, where=self.root.name, hint=hint))
        if len(self.given) > len(self.plan.inputs):
            what = f"the sheet has {len(self.plan.inputs)} input, and {len(self.given)} were given"
            self.root.errors.append(SpecError(what, where=self.root.name))

    def _body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            if self.root.late:
                self.stop(statement, LATE)
            try:
                self._reader_of(statement, "there are layers, name = ..., def, for i in range(n), and if")(statement)
            except Unknown:
                self._lose(statement)
            except ConvcalcError as error:
                self._report(statement, error)
                self._lose(statement)

    def _lose(self, statement: ast.stmt) -> None:
        """What a statement with an error would have named and made flow is unknown."""
        if isinstance(statement, ast.Assign):
            for name in targets(statement):
                self.plan.frame.names[name] = UNKNOWN
            value = statement.value  # a constant stands in for a line that could not be parsed
            joins = isinstance(value, ast.Constant) or any(callee not in FUNCTIONS for callee in callees(value))
            known = self.plan.frames[0].names | self.plan.frame.names
            named = [known.get(node.id) for node in ast.walk(value) if isinstance(node, ast.Name)]
            if not joins and not any(value is UNKNOWN or isinstance(value, Tensor) for value in named):
                return
        self.plan.flow = UNKNOWN

    def _pass(self, statement: ast.Pass) -> None:
        pass

    def _if(self, statement: ast.If) -> None:
        left, taken = statement.body, statement.orelse
        if self._condition(statement.test):
            left, taken = taken, left
        self._skip(left)
        self._body(taken)

    def _expr(self, statement: ast.Expr) -> None:
        node = statement.value
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return
        value = self._value(node)
        if isinstance(node, ast.Name) and isinstance(value, Tensor):
            hint = f"to go on from {node.id}, name it in second brackets: conv(64, 3)({node.id})"
            raise self.source.error(node, f"{node.id} alone does nothing", hint)
        if not isinstance(value, Tensor) and value is not None:
            hint = "write a layer, such as conv(64, 3), or give the value a name: C = 16"
            if isinstance(node, ast.Name):
                hint = did_you_mean(node.id, [*families(), *kinds()]) or hint
            raise self.source.error(node, "this line is a value that nothing uses", hint)

    def _skip(self, statements: Iterable[ast.stmt]) -> None:
        """Lines that are left out still name constants and letters."""
        nodes = [node for statement in statements for node in ast.walk(statement)]
        self.unused -= {node.id for node in nodes if isinstance(node, ast.Name)}

    def _assign(self, node: ast.Assign) -> None:
        names = targets(node)
        if len(node.targets) != 1 or not names:
            raise self.source.error(node, "one name stands before the =", hint="write e1 = conv(64, 3)")
        for name in names:
            if name in FORMS and name != "input":
                raise self.source.error(node, f"{name} cannot be a name", hint=f"{name}(...) has a meaning of its own")
        constant = not isinstance(node.value, ast.Call) or callee_of(node.value) in FUNCTIONS
        first = len(self.plan.frames) == 1 and names[0] not in self.plan.frame.names
        if constant and first and names[0] in self.settings:  # --set gives its value
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

    def _for(self, node: ast.For) -> None:
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

    def _functiondef(self, node: ast.FunctionDef) -> None:
        if len(self.plan.frames) > 1:
            raise self.source.error(node, "a block stands outside of other blocks")
        self.broken.add(node.name)  # until it is found to be sound: then calls of it say nothing more
        taken = node.args
        if taken.vararg or taken.kwarg or taken.kwonlyargs or taken.posonlyargs or node.decorator_list or node.returns:
            raise self.source.error(node, "a block is written def name(a, b=1):, with plain arguments")
        if is_layer(node.name) or node.name in (*FORMS, *FUNCTIONS):
            hint = f"give the block another name, such as my_{node.name}"
            raise self.source.error(node, f"{node.name} has a meaning already", hint)
        names = [argument.arg for argument in taken.args]
        if len(set(names)) < len(names):
            raise self.source.error(node, "the block has two arguments of one name")
        if "x" in names:
            raise self.source.error(node, "x is what flows into a block", "give the argument another name")
        defaults = dict(zip(names[len(names) - len(taken.defaults) :], map(self._value, taken.defaults)))
        self.broken.discard(node.name)
        self.blocks[node.name] = Block(self.source, node, names, defaults, names_given(node.body))

    def _block(self, call: Call) -> Tensor:
        block: Block = self.blocks[call.callee]
        if len(self.plan.frames) > MOST_DEPTH:
            self.stop(call.node, f"blocks are nested more than {MOST_DEPTH} deep", "a block may not use itself")
        values = bind(block, call)
        if len(call.inputs) > 1:
            raise SpecError(f"a block takes one input, received {len(call.inputs)}")
        if not call.inputs and self.plan.flow is UNKNOWN:
            self._try_block(block, values)
            raise Unknown
        x = call.inputs[0] if call.inputs else self.plan.need_flow()
        self.tried.add(call.callee)
        place = f" of {self.source.name}" if block.source is not self.source else ""
        label = f"{call.callee}, called on line {call.node.lineno}{place}"
        with self.plan.scope(call.name, call.callee, {**values, "x": x}, block.gives):
            self.plan.flow = x
            self._read(block.source, label, block.node.body)
        flow = self.plan.need_flow()
        self.plan.parts = (flow,)
        return flow

    def _try_block(self, block: Block, values: Mapping[str, Any]) -> None:
        if block.node.name in self.tried:
            return
        self.tried.add(block.node.name)
        outer, self.plan.flow = self.plan.flow, UNKNOWN
        self.plan.frames.append(Frame({**dict.fromkeys(block.arguments, UNKNOWN), **values, "x": UNKNOWN}))
        self._read(block.source, f"block {block.node.name}", block.node.body)
        self.plan.frames.pop()
        self.plan.flow = outer

    def _read(self, source: Source, label: str, statements: Iterable[ast.stmt]) -> None:
        outer, self.source = self.source, source
        self.places.append(label)
        self._body(statements)
        self.source = outer
        self.places.pop()

    def _include(self, call: Call) -> None:
        name = call.args[0] if len(call.args) == 1 else None
        if not isinstance(name, str) or Path(name).name != name or name.startswith("."):
            raise SpecError("include takes the name of a sheet in the same folder", hint='write include("blocks.net")')
        if len(self.plan.frames) > 1:
            raise SpecError("include stands outside of blocks")
        if name in self.included:
            return
        self.included.add(name)
        if len(self.included) > MOST_SHEETS:
            raise SpecError(f"a sheet includes at most {MOST_SHEETS} others")
        source = Source(_read_beside(self.folder, name), name)
        self.root.tokens += source.tokens
        if self.root.tokens > MOST_TOKENS:
            raise SpecError(f"a sheet and what it includes hold at most {MOST_TOKENS:,} words and signs")
        for error in source.errors:
            self.root.report(error)
        label = f"{name}, included on line {call.node.lineno} of {self.source.name}"
        self._read(source, label, filter(self._may_be_included, source.tree.body))

    def _may_be_included(self, node: ast.stmt) -> bool:
        value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        if isinstance(node, (ast.FunctionDef, ast.Pass)):
            return True
        if value is not None and all(callee in FUNCTIONS or callee == "include" for callee in callees(value)):
            return True
        hint = "put these layers into a block: def name(c):"
        self._report(node, self.source.error(node, "an included sheet holds blocks and constants only", hint))
        return False


def _read_beside(folder: Path | None, name: str) -> str:
    """The text of a sheet in this folder; raises SpecError for links that lead out."""
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
    raise SpecError(f"there is no sheet {name!r} beside this one", hint=did_you_mean(name, others))
