"""What ``print(model)`` of torch prints, pasted: read into a graph where the text says how the layers are wired.

That is so for `Sequential` alone, nested or not. Any other container's ``forward`` may do anything, so it is refused by
name rather than guessed at. Paths are torch's, so names of tensors are those of the ``state_dict``. A line's arguments
are parsed, never evaluated. Some kinds print less than their arguments: `HIDDEN` lists them, and what is not printed is
taken to be torch's default.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape
from convcalc.errors import ConvcalcError, SpecError, UnsupportedOperation
from convcalc.layers.base import Layer, Lazy
from convcalc.network.graph import Graph
from convcalc.readers.hints import guarded
from convcalc.readers.names import kinds
from convcalc.readers.plan import UNKNOWN, Plan, Unknown
from convcalc.readers.source import MOST_DEPTH, MOST_NODES, MOST_SECONDS, Enough, Text, is_placed, parse_python

HIDDEN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("AvgPool1d", "AvgPool2d", "AvgPool3d"), ("ceil_mode", "count_include_pad", "divisor_override")),
    **dict.fromkeys(("MaxPool1d", "MaxPool2d", "MaxPool3d"), ("return_indices",)),
    **dict.fromkeys(("AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"), ("return_indices",)),
    **dict.fromkeys(("Hardsigmoid", "Hardswish"), ("inplace",)),
    "Embedding": ("_freeze",),
    "PReLU": ("init",),
    "RNN": ("nonlinearity",),
    "Upsample": ("align_corners", "recompute_scale_factor"),
}
"""Arguments that torch does not print; of these ``ceil_mode`` and ``recompute_scale_factor`` can change a shape."""

PRINTED_BESIDES = {"UpsamplingNearest2d": ("mode",), "UpsamplingBilinear2d": ("mode",)}
"""What torch prints that is no argument."""

_CHILD = re.compile(r"^( *)\(([\w-]+)\): (.*)$")
_HEAD = re.compile(r"^( *)(?:\d+ x )?(\w+)\((.*)$")


class Item(NamedTuple):
    """A module that was printed: its name in its parent, its kind, what stands in its brackets, and its children."""

    name: str
    kind: str
    arguments: str
    line: int
    column: int
    children: list[Item]


def is_repr(text: str) -> bool:
    """Whether a text is what torch prints for a model: its first line opens a module, or names a child.

    >>> is_repr("Sequential(\\n  (0): ReLU()\\n)"), is_repr("conv(64, 3)")
    (True, False)
    """
    return re.search(r"(?m)^ *\([\w-]+\): (?:\d+ x )?\w+\(", text[:100_000]) is not None


def read_repr(text: str, name: str = "model", *, inputs: Sequence[Shape] = (), batch: Dim = 1) -> Graph:
    """The graph of a printed model on an input of this shape (without the batch), which the print does not say.

    Raises UnsupportedOperation where the print hides the wiring, SpecError or ShapeError with line, column and caret.

    >>> text = '''Sequential(
    ...   (0): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
    ...   (1): ReLU(inplace=True)
    ... )'''
    >>> [(node.path, node.layer) for node in read_repr(text, inputs=[(3, 32, 32)]).nodes]
    [('0', Conv2d(3, 6, 5)), ('1', ReLU(inplace=True))]
    """
    printed = Text(text, name)
    if not inputs:
        raise SpecError("what torch prints does not say the input", where=name, hint="give it: --input 3x224x224")
    reader = Printed(printed, Plan(batch))
    reader.plan.declare("", inputs[0])
    try:
        reader.run(parse(printed), "")
    except Unknown:
        pass
    except Enough:
        pass
    printed.finish()
    return reader.plan.graph(name)


def parse(text: Text) -> Item:
    """The printed modules as a tree, by brackets and indentation; raises SpecError."""
    root: Item | None = None
    stack: list[tuple[int, Item]] = []
    for number, line in enumerate(text.lines, 1):
        if not line.strip() or re.fullmatch(r"\s*\)+\s*", line):
            continue
        child = _CHILD.match(line)
        head = _HEAD.match(child[3] if child else line)
        if head is None or (child and root is None):
            raise text.at(number, 1, "this line is not what torch prints", hint="paste all of print(model)")
        indent = len(child[1]) if child else -1
        column = (child.start(3) if child else len(head[1])) + 1
        closed = head[3].rstrip().endswith(")")
        item = Item(child[2] if child else "", head[2], head[3].rstrip()[: -1 if closed else None], number, column, [])
        while stack and stack[-1][0] >= indent:
            stack.pop()
        if root is None:
            root = item
        elif not stack:
            raise text.at(number, column, "a second model begins here", hint="paste one model at a time")
        else:
            stack[-1][1].children.append(item)
        if len(stack) > MOST_DEPTH or number > MOST_NODES:
            raise text.at(number, column, "the model is too large, or nested too deeply, to be read")
        if not closed:
            stack.append((indent, item))
    if root is None:
        raise SpecError("the text is empty", where=text.name, hint="paste all of print(model)")
    return root


class Printed:
    """Runs a tree of printed modules in order."""

    def __init__(self, text: Text, plan: Plan) -> None:
        self.text = text
        self.plan = plan

    def run(self, item: Item, path: str) -> None:
        """Record a module and what is in it; errors are noted."""
        if self.text.late:
            self.text.errors.append(self.text.at(item.line, 1, f"reading takes longer than {MOST_SECONDS:g} s"))
            raise Enough
        if item.kind == "Sequential":
            self._sequential(item, path)
            return
        try:
            layer = self._layer(item, path)
            with guarded(item.kind, 1):
                self.plan.record(layer, [self.plan.need_flow()], item.name or item.kind.lower(), numbered=False)
        except Unknown:
            pass
        except ConvcalcError as error:
            self.text.report(error if is_placed(error) else self._located(item, error))
            self.plan.flow = UNKNOWN

    def _sequential(self, item: Item, path: str) -> None:
        if not item.name:
            for child in item.children:
                self.run(child, child.name)
            return
        with self.plan.scope(item.name, item.kind, {}, numbered=False):
            for child in item.children:
                self.run(child, f"{path}.{child.name}")

    def _layer(self, item: Item, path: str) -> Layer:
        """The layer that a line is; raises UnsupportedOperation for a container that hides how it is wired."""
        kind = kinds().get(item.kind)
        if item.children or kind is None:
            raise self._refused(item, path)
        args, kwargs = self._arguments(item)
        if issubclass(kind, Lazy):  # torch prints 0 for the channels that it does not know yet
            args = args[1:]
            kwargs.pop("in_features", None)
        if kind.rank == 1:
            args = [_single(value) for value in args]
            kwargs = {key: _single(value) for key, value in kwargs.items()}
        for key in PRINTED_BESIDES.get(item.kind, ()):
            kwargs.pop(key, None)
        with guarded(item.kind):
            return kind(*args, **kwargs)

    def _refused(self, item: Item, path: str) -> ConvcalcError:
        """The error for a module whose wiring the print does not show."""
        where = f"{path} = {item.kind}" if path else f"the model is {item.kind}"
        if item.kind == "MultiheadAttention":
            what = f"{where}: the print does not say its arguments"
        elif item.children:
            names = [child.name for child in item.children]
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            what = f"{where}: the print does not say how its forward uses {shown}"
        else:
            what = f"{where}: what its forward does is not printed, and convcalc has no layer of this name"
        hint = "only Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net"
        here = self.text.at(item.line, item.column, what, hint=hint)
        return UnsupportedOperation(here.what, where=here.where, details=here.details, hint=here.hint)

    def _located(self, item: Item, error: ConvcalcError) -> ConvcalcError:
        head = f"{error.where}: {error.what}" if error.where else error.what
        here = self.text.at(item.line, item.column, head, *error.details, hint=error.hint)
        return type(error)(here.what, where=here.where, details=here.details, hint=here.hint)

    def _arguments(self, item: Item) -> tuple[list[Any], dict[str, Any]]:
        """What stands in a module's brackets; raises SpecError."""
        try:
            if len(item.arguments) > 2000:
                raise ValueError
            (line,) = parse_python(f"f({item.arguments})").body
            call = line.value if isinstance(line, ast.Expr) else None
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                raise ValueError
            args = [_value(node) for node in call.args]
            return args, {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise SpecError(f"the arguments of {item.kind} cannot be read", hint="paste all of print(model)") from None


def _single(value: Any) -> Any:
    """The number of a tuple that holds one."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _value(node: ast.expr) -> Any:
    """A printed value: a number, a word (torch prints some without quotes), or a tuple; raises ValueError."""
    if isinstance(node, ast.Name):
        return float(node.id) if node.id in ("inf", "nan") else node.id
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Name):
        return -float(node.operand.id)
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_value(item) for item in node.elts)
    return ast.literal_eval(node)
