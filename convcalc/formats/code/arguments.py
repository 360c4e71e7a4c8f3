"""The arguments of a layer as forms, whose numbers may become parameters. How forms are printed is in `forms`."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import Any

from convcalc.algebra.types import Dim, is_symbolic
from convcalc.formats.code.forms import Argument, Axes, Hole, SourceText, SpanForm, fill_holes, text
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.layers.slicing import Span


def is_number(value: Any) -> bool:
    """Return whether a value is a number; a bool is not.

    >>> is_number(3), is_number(True)
    (True, False)
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_form(name: str, value: Any, default: Any = None, per_axis: bool = False) -> Any:
    """Return the form of an argument's value; ``per_axis`` is for a tuple that holds one value for each axis.

    >>> text(fill_holes(value_form("kernel_size", (3, 3), per_axis=True)))
    '3'
    """
    if is_number(value):
        return Hole(value, name, default if is_number(default) else None)
    if isinstance(value, Span):
        return SpanForm(value_form(name, value.start), value_form(name, value.stop), value.step)
    if isinstance(value, tuple):
        items = tuple(value_form(name, item, default) for item in value)
        return Axes(items) if per_axis else items
    return SourceText(dim_text(value) if is_symbolic(value) else "..." if value is ... else repr(value))


def arguments(layer: Layer, left_out: Collection[str] = ()) -> tuple[Argument, ...]:
    """Return the arguments of a layer as forms, except those ``left_out``; defaults are left out when they are printed.

    Arguments without a default are positional.

    >>> from convcalc import nn
    >>> from convcalc.formats.code.forms import spell_arguments
    >>> spell_arguments(fill_holes(arguments(nn.Conv2d(3, 64, 7, stride=2, bias=False), ["in_channels"])))
    '64, 7, stride=2, bias=False'
    """
    if layer.held_as:  # the sizes of a tensor, one by one
        return tuple(Argument("", value_form("shape", n)) for n in vars(layer)["shape"])
    forms: list[Argument] = []
    usual = layer.defaults()
    for name, value in vars(layer).items():
        default = usual[name]
        # the second condition: a default that depends on other arguments cannot be left out later
        if name in left_out or (value == default and default is not layer.arguments[name]):
            continue
        form = value_form(name, value, default, name in layer.per_axis)
        if default is _REQUIRED:
            positional = not any(argument.name for argument in forms)
            forms.append(Argument("" if positional else name, form))
        else:
            forms.append(Argument(name, form, text(fill_holes(value_form("", default)))))
    return tuple(forms)


def dim_text(dim: Dim) -> str:
    """Return a dim in the arithmetic of sheets: ``ceil(H / 32)``.

    >>> from convcalc.algebra.symbolic import symbol
    >>> dim_text(symbol("H") // 2 + 1)
    'H / 2 // 1 + 1'
    """
    return ast.unparse(_Arithmetic().visit(ast.parse(str(dim), mode="eval")))


class _Arithmetic(ast.NodeTransformer):
    """Rewrite sympy's functions and powers as those that sheets have."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "floor":
            return ast.BinOp(node.args[0], ast.FloorDiv(), ast.Constant(1))
        node.func.id = {"ceiling": "ceil", "Min": "min", "Max": "max"}.get(node.func.id, node.func.id)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            factors = [f"({ast.unparse(node.left)})"] * int(str(node.right.value))
            return ast.parse("*".join(factors), mode="eval").body
        return node
