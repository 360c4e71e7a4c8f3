"""Models as torch prints them (``print(model)``) to graphs, if the text says how the layers are wired.

It does so for `Sequential` only: the ``forward`` of any other container may do anything. Arguments that are not printed
are taken to be torch's defaults.
"""

import ast
import operator
import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from convcalc.algebra.expression import LITERALS, Language
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ConvcalcError, SpecError, UnsupportedOperation
from convcalc.formats.sheet.names import kinds
from convcalc.formats.sheet.plan import UNKNOWN, Reading, Unknown, guarded
from convcalc.formats.sheet.source import LATE, MOST_DEPTH, MOST_NODES, Text, parse_expression
from convcalc.layers.base import Layer, Lazy
from convcalc.network.graph import Graph

_LINE = re.compile(r"( *)(?:\(([\w-]+)\): )?( *)(?:\d+ x )?(\w+)\((.*)$")


class Item(NamedTuple):
    """A printed module: its ``name`` in its parent, its class, the text of its ``arguments``, place, children."""

    name: str
    kind: str
    arguments: str
    line: int
    column: int
    children: "list[Item]"


def is_repr(text: str) -> bool:
    """Return whether some line of a text is a child as torch prints it.

    >>> is_repr("Sequential(\\n  (0): ReLU()\\n)"), is_repr("conv(64, 3)")
    (True, False)
    """
    return re.search(r"(?m)^ *\([\w-]+\): (?:\d+ x )?\w+\(", text[:100_000]) is not None


def read_repr(text: str, name: str = "model", *, inputs: Sequence[Shape] = (), batch: Dim = 1) -> Graph:
    """Return the graph of a printed model; ``inputs`` is its one input shape without the batch, which is not printed.

    Raises UnsupportedOperation if the text does not say how layers are wired, SpecError or ShapeError.

    >>> text = '''Sequential(
    ...   (0): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
    ...   (1): ReLU(inplace=True)
    ... )'''
    >>> [(node.path, node.layer) for node in read_repr(text, inputs=[(3, 32, 32)]).nodes]
    [('0', Conv2d(3, 6, 5)), ('1', ReLU(inplace=True))]
    """
    return Printed(Text(text, name), inputs, batch).read()


def parse(text: Text) -> Item:
    """Return the printed modules as a tree, by brackets and indentation; raise SpecError for any other text."""
    roots: list[Item] = []
    stack: list[tuple[int, Item]] = []
    for number, line in enumerate(text.lines, 1):
        if re.fullmatch(r"\s*|\s*\)+\s*", line):
            continue
        match = _LINE.match(line)
        if match is None or (match[2] and not roots):
            raise text.at(number, 1, "torch does not print such a line", hint="paste all of print(model)")
        indent, name, _, kind, arguments = match.groups()
        depth, column = len(indent) if name else -1, match.start(3) + 1
        arguments = arguments.rstrip()
        item = Item(name or "", kind, arguments.removesuffix(")"), number, column, [])
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if roots and not stack:
            raise text.at(number, column, "a second model begins here", hint="paste one model at a time")
        (stack[-1][1].children if stack else roots).append(item)
        if len(stack) > MOST_DEPTH or number > MOST_NODES:
            raise text.at(number, column, "the model is too large or too deeply nested")
        if not arguments.endswith(")"):
            stack.append((depth, item))
    if not roots:
        raise SpecError("the text is empty", where=text.name, hint="paste all of print(model)")
    return roots[0]


class Printed(Reading):
    """A printed model being read."""

    def _follow(self) -> None:
        if self.settings:
            raise SpecError("--set does not apply to a printed model", where=self.root.name)
        if not self.input_shapes:
            hint = "give it with --input 3x224x224"
            raise SpecError("print(model) does not show the shape of the input", where=self.root.name, hint=hint)
        self.plan.declare("", self.input_shapes[0])
        self._run(parse(self.root), "")

    def _run(self, item: Item, path: str) -> None:
        if self.root.late:
            self.root.stop(self.root.at(item.line, 1, LATE))
        if item.kind == "Sequential":
            scope = self.plan.scope(item.name, item.kind, {}) if item.name else nullcontext()
            with scope:
                for child in item.children:
                    self._run(child, f"{path}.{child.name}" if item.name else child.name)
            return
        try:
            layer = self._layer(item, path)
            self.plan.record(layer, [self.plan.need_flow()], "", item.name or item.kind.lower())
        except Unknown:
            pass
        except ConvcalcError as error:
            self.root.report(self.root.placed(error, item.line, item.column))
            self.plan.flow = UNKNOWN

    def _layer(self, item: Item, path: str) -> Layer:
        """Return the layer of a line; raise UnsupportedOperation if the text does not say enough."""
        kind = kinds().get(item.kind)
        if item.children or kind is None:
            raise self._refused(item, path)
        args, kwargs = self._arguments(item)
        if issubclass(kind, Lazy):  # torch prints 0 for channels that it does not know yet
            args = args[1:]
            kwargs.pop("in_features", None)
        if kind.rank == 1:
            args = list(map(_single, args))
            kwargs = {key: _single(value) for key, value in kwargs.items()}
        kwargs = {key: value for key, value in kwargs.items() if key not in (kind.printed or ())}
        with guarded(item.kind):
            return kind(*args, **kwargs)

    def _refused(self, item: Item, path: str) -> ConvcalcError:
        where = f"{path} = {item.kind}" if path else f"the model is {item.kind}"
        kind = kinds().get(item.kind)
        if kind is not None and kind.printed is None:
            what = f"{where}: print(model) does not show its arguments"
        elif item.children:
            names = [child.name for child in item.children[:4]] + ["..."] * (len(item.children) > 4)
            what = f"{where}: print(model) does not show how its forward uses {', '.join(names)}"
        else:
            what = f"{where}: print(model) does not show what its forward does, and convcalc has no layer of this name"
        hint = "only a Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net"
        return self.root.at(item.line, item.column, what, hint=hint, kind=UnsupportedOperation)

    def _arguments(self, item: Item) -> tuple[list[Any], dict[str, Any]]:
        try:
            call = parse_expression(f"f({item.arguments})" if len(item.arguments) <= 2000 else "")
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                raise ValueError
            args = [_VALUES.value(node, _WORDS) for node in call.args]
            return args, {str(keyword.arg): _VALUES.value(keyword.value, _WORDS) for keyword in call.keywords}
        except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
            raise SpecError(f"the arguments of {item.kind} cannot be read", hint="paste all of print(model)") from None


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


_VALUES = Language(
    {**LITERALS, ast.Name: lambda language, node, words: words.get(node.id, node.id)},
    {ast.USub: operator.neg},
    lambda node, words: ValueError(ast.unparse(node)),
)
"""Printed values; some words have no quotes."""

_WORDS = {"inf": float("inf"), "nan": float("nan")}
