"""The text of layers and their arguments, as forms whose numbers are holes (see `fold`), for writers of source text.

What calls a layer, and on what, is the business of those writers.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, is_symbolic
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.layers.slicing import Span
from convcalc.network.parameter import Buffer, Parameter
from convcalc.writers.fold import Hole, Text, literal, number

SPAN, TUPLE, AXES = "span", "tuple", "axes"  # what heads a form of several items; those of axes print as one if equal


def value_form(name: str, value: Any, default: Any = None, per_axis: bool = False) -> Any:
    """The form of an argument's value.

    >>> text(literal(value_form("kernel_size", (3, 3), per_axis=True))), text(literal(value_form("dims", (0, 2, 1))))
    ('3', '(0, 2, 1)')
    """
    if number(value):
        return Hole(value, name, default if number(default) else None)
    if isinstance(value, Span):
        return (SPAN, *(value_form(name, end) for end in value[:2]), value.step)
    if isinstance(value, tuple):
        return (AXES if per_axis else TUPLE, *(value_form(name, item, default) for item in value))
    return Text(dim_text(value) if is_symbolic(value) else "..." if value is ... else repr(value))


def text(form: Any) -> str:
    """A filled form as source text."""
    if isinstance(form, str):
        return str(form)
    if form and form[0] == SPAN:
        start, stop = ("" if end == "None" else text(end) for end in form[1:3])
        return f"{start}:{stop}" + (f":{form[3]}" if form[3] != 1 else "")
    items = [text(item) for item in form[1:]]
    if form[0] == AXES and len(set(items)) == 1:
        return items[0]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


class Argument(NamedTuple):
    """An argument: its name (empty where it is given by its place), its value, the text that may be left out."""

    name: str
    form: Any
    usual: str | None


def arguments(layer: Layer, left_out: Collection[str] = ()) -> tuple[Argument, ...]:
    """The arguments of a layer but those left out; those that have no default come without a name.

    >>> from convcalc import nn
    >>> shown(literal(arguments(nn.Conv2d(3, 64, 7, stride=2, bias=False), ["in_channels"])))
    '64, 7, stride=2, bias=False'
    """
    if isinstance(layer, (Buffer, Parameter)):
        return tuple(Argument("", value_form("shape", n), None) for n in layer.shape)
    found: list[Argument] = []
    usual = layer.defaults()
    for name, value in vars(layer).items():
        if name in left_out:
            continue
        form = value_form(name, value, usual[name], name in layer.per_axis)
        if usual[name] is _REQUIRED:
            positional = len(found) == sum(not argument.name for argument in found)
            found.append(Argument("" if positional else name, form, None))
            continue
        if value == usual[name] and usual[name] is not layer.arguments[name]:
            continue  # a default that hangs on other arguments
        found.append(Argument(name, form, usual_text(usual[name])))
    return tuple(found)


def usual_text(default: Any) -> str:
    """The text of a default, as far as it would be printed."""
    return text(literal(value_form("", default)))


def shown(filled: Any) -> str:
    """Filled arguments as they stand between brackets; defaults are left out."""
    words = []
    for name, form, usual in filled:
        word = text(form)
        if usual is None or word != usual:
            words.append(f"{name}={word}" if name else word)
    return ", ".join(words)


def dim_text(dim: Dim) -> str:
    """A dim as arithmetic of a spec sheet: ``ceil(H / 32)``.

    >>> from convcalc.algebra.symbolic import canonical, symbol
    >>> dim_text(canonical((symbol("H") + 31) // 32)), dim_text(symbol("H") // 2 + 1)
    ('ceil(H / 32)', 'H / 2 // 1 + 1')
    """
    return ast.unparse(_Arithmetic().visit(ast.parse(str(dim), mode="eval")))


class _Arithmetic(ast.NodeTransformer):
    """Sympy's words for what a sheet can say."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "floor":
            return ast.BinOp(node.args[0], ast.FloorDiv(), ast.Constant(1))
        node.func.id = {"ceiling": "ceil", "Min": "min", "Max": "max"}.get(node.func.id, node.func.id)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        power = node.right.value if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) else 1
        product: ast.expr = node
        for i in range(1, power if isinstance(power, int) else 1):
            product = ast.BinOp(node.left if i == 1 else product, ast.Mult(), node.left)
        return product


def letters(dims: Any) -> Iterator[str]:
    """The letters in shapes, however nested."""
    if isinstance(dims, (tuple, list)):
        for dim in dims:
            yield from letters(dim)
    elif is_symbolic(dims):
        yield from sorted(symbol.name for symbol in dims.free_symbols)
