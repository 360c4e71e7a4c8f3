"""What a writer of source text prints, as *forms*: nested tuples whose numbers are `Hole`s.

Forms that agree up to their numbers become one definition with parameters.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple, TypeVar

from convcalc.algebra.types import Dim, is_symbolic
from convcalc.layers.axes import Span
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.network.tensor import Buffer, Parameter

K = TypeVar("K", bound=Hashable)


class Hole(NamedTuple):
    """A number that may differ between forms that are alike: its value, and what it is the number of."""

    value: Any
    name: str = ""
    default: Any = None


class Text(str):
    """What is printed in place of a hole."""


class Name(str):
    """A value's name, or an empty text; forms are alike whatever their names."""


class Kept(Name):
    """A name on which tensors hang."""


class Axes(tuple[Any, ...]):
    """The forms of one number for each axis, which print as one if equal."""


class Argument(NamedTuple):
    """An argument: its name (empty if it goes by its place), its value, the text that may be left out."""

    name: str
    form: Any
    usual: str | None = None


class Call(NamedTuple):
    """One line of a body, of a ``kind`` that the writer knows: ``said`` is what is called; a loop has a ``body``.

    ``refs`` are the values it reads, ``outs`` those it gives, of which the first flows on; ``holds`` says whether it
    has tensors.
    """

    kind: str
    said: str
    form: Any
    refs: tuple[str, ...]
    outs: tuple[str, ...]
    name: str = Name()
    holds: bool = False
    body: tuple[Call, ...] = ()


def leaves(calls: Sequence[Call]) -> Iterator[Call]:
    """All calls but loops, in order."""
    for call in calls:
        yield from leaves(call.body) if call.body else (call,)


def numbered(calls: Sequence[Call], inputs: Sequence[str]) -> tuple[tuple[Call, ...], dict[str, str]]:
    """Calls with numbers for values, as text (these may not differ), and the number of each value."""
    places: dict[str, str] = {}
    for value in (*inputs, *(out for call in leaves(calls) for out in call.outs)):
        places.setdefault(value, str(len(places)))

    def placed(call: Call) -> Call:
        refs, outs = (tuple(places[value] for value in values) for values in (call.refs, call.outs))
        return call._replace(refs=refs, outs=outs, body=tuple(map(placed, call.body)))

    return tuple(map(placed, calls)), places


def mapped(form: Any, change: Callable[[Any], Any]) -> Any:
    """A form with each hole, and all that is no tuple, changed."""
    if isinstance(form, Hole) or not isinstance(form, tuple):
        return change(form)
    items = [mapped(item, change) for item in form]
    return form._make(items) if hasattr(form, "_make") else type(form)(items)


def literal(form: Any) -> Any:
    """A form whose holes print as their values."""
    return mapped(form, lambda leaf: Text(repr(leaf.value)) if isinstance(leaf, Hole) else leaf)


def _open(form: Any) -> list[Any]:
    """What may differ between forms that are alike: holes and names, in order."""
    found: list[Any] = []
    mapped(form, lambda leaf: found.append(leaf) if isinstance(leaf, (Hole, Name)) else None)
    return found


def _closed(leaf: Any) -> Any:
    return Hole if isinstance(leaf, Hole) else Name if isinstance(leaf, Name) else leaf


def groups(forms: Mapping[K, Any]) -> list[list[K]]:
    """The keys of forms that are alike, in order of their first."""
    result: dict[Any, list[K]] = {}
    for key, form in forms.items():
        result.setdefault(mapped(form, _closed), []).append(key)
    return [*result.values()]


class Variable(NamedTuple):
    """What differs between forms: its name, a value for each, the default if any has it."""

    name: str
    values: tuple[Any, ...]
    kind: str
    default: Any = None


class Definition(NamedTuple):
    """One text for several forms: ``body`` has the parameters' names where they differ."""

    parameters: Sequence[Variable]
    body: Any

    def arguments(self, i: int) -> tuple[Argument, ...]:
        """What makes form ``i`` of it."""
        given = []
        for name, values, kind, default in self.parameters:
            hole = Hole(values[i], kind, default)
            given.append(Argument("", hole) if default is None else Argument(name, hole, repr(default)))
        return tuple(given)


KINDS = {
    **dict.fromkeys(("kernel_size", "padding", "dilation", "output_padding"), "window"),
    **dict.fromkeys(("out_channels", "in_channels", "num_features", "groups", "channels", "shape"), "channels"),
    **dict.fromkeys(("in_features", "out_features", "normalized_shape", "num_channels", "embed_dim"), "channels"),
}
"""Arguments that may depend on each other; others agree by chance."""


def unify(forms: Sequence[Any], names: Mapping[str, str], taken: Collection[str] = ()) -> Definition:
    """The definition of forms that are alike; ``names`` says what a parameter for each kind of number is called.

    >>> def two(c):
    ...     return ("conv", Hole(c, "out_channels"), "conv", Hole(2 * c, "out_channels"), Hole(3, "kernel_size"))
    >>> unify([two(8), two(16)], {"out_channels": "c"}).body
    ('conv', 'c', 'conv', '2 * c', '3')
    """
    found: list[Variable] = []
    texts: list[str] = []
    for column in zip(*map(_open, forms)):
        first = column[0]
        if isinstance(first, Name):
            texts.append(first if len(set(column)) == 1 else Name())
            continue
        values = tuple(hole.value for hole in column)
        text = repr(values[0]) if len(set(values)) == 1 else _known(first.name, values, found)
        if not text:
            text = fresh(names.get(first.name, first.name or "n"), {*taken, *(known.name for known in found)})
            found.append(Variable(text, values, first.name, first.default if first.default in values else None))
        texts.append(Text(text))
    found.sort(key=lambda variable: variable.default is not None)
    filling = iter(texts)
    body = mapped(forms[0], lambda leaf: next(filling) if isinstance(leaf, (Hole, Name)) else leaf)
    return Definition(found, body)


def _known(name: str, values: tuple[Any, ...], found: Sequence[Variable]) -> str:
    """A parameter with these values, or a multiple or part of one; else an empty text."""
    alike = [known for known in found if KINDS.get(known.kind, known.kind) == KINDS.get(name, name)]
    for known in alike:
        if known.values == values:
            return known.name
    for known in alike:
        others = known.values
        if all(isinstance(value, int) and value > 0 for value in (*values, *others)):
            factor, divisor = values[0] // others[0], others[0] // values[0]
            if factor > 1 and all(value == factor * other for value, other in zip(values, others)):
                return f"{factor} * {known.name}"
            if divisor > 1 and all(value == other // divisor for value, other in zip(values, others)):
                return f"{known.name} // {divisor}"
    return ""


def fresh(name: str, taken: Collection[str]) -> str:
    """``name``, with a number where it is taken or Python's."""
    if name not in taken and not iskeyword(name):
        return name
    return next(f"{name}{i}" for i in count(2) if f"{name}{i}" not in taken)


def number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_form(name: str, value: Any, default: Any = None, per_axis: bool = False) -> Any:
    """The form of an argument's value.

    >>> text(literal(value_form("kernel_size", (3, 3), per_axis=True)))
    '3'
    """
    if number(value):
        return Hole(value, name, default if number(default) else None)
    if isinstance(value, Span):
        return Span(value_form(name, value.start), value_form(name, value.stop), value.step)
    if isinstance(value, tuple):
        items = (value_form(name, item, default) for item in value)
        return Axes(items) if per_axis else tuple(items)
    return Text(dim_text(value) if is_symbolic(value) else "..." if value is ... else repr(value))


def text(form: Any) -> str:
    """A filled form as source text."""
    if isinstance(form, str):
        return str(form)
    if isinstance(form, Span):
        start, stop = ("" if word == "None" else word for word in map(text, form[:2]))
        return f"{start}:{stop}" + (f":{form.step}" if form.step != 1 else "")
    items = [text(item) for item in form]
    if isinstance(form, Axes) and len(set(items)) == 1 and items != ["None"] * len(items):
        return items[0]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def arguments(layer: Layer, left_out: Collection[str] = ()) -> tuple[Argument, ...]:
    """The arguments of a layer but those left out; without a name where there is no default.

    >>> from convcalc import nn
    >>> shown(literal(arguments(nn.Conv2d(3, 64, 7, stride=2, bias=False), ["in_channels"])))
    '64, 7, stride=2, bias=False'
    """
    if isinstance(layer, (Buffer, Parameter)):
        return tuple(Argument("", value_form("shape", n)) for n in layer.shape)
    found: list[Argument] = []
    usual = layer.defaults()
    for name, value in vars(layer).items():
        default = usual[name]
        # the second: a default that hangs on other arguments
        if name in left_out or (value == default and default is not layer.arguments[name]):
            continue
        form = value_form(name, value, default, name in layer.per_axis)
        if default is _REQUIRED:
            positional = not any(argument.name for argument in found)
            found.append(Argument("" if positional else name, form))
        else:
            found.append(Argument(name, form, text(literal(value_form("", default)))))
    return tuple(found)


def shown(filled: Any) -> str:
    """Filled arguments as text, without defaults."""
    words = [(name, text(form), usual) for name, form, usual in filled]
    return ", ".join(f"{name}={word}" if name else word for name, word, usual in words if word != usual)


def dim_text(dim: Dim) -> str:
    """A dim as arithmetic of a spec sheet: ``ceil(H / 32)``.

    >>> from convcalc.algebra.symbolic import symbol
    >>> dim_text(symbol("H") // 2 + 1)
    'H / 2 // 1 + 1'
    """
    return ast.unparse(_Arithmetic().visit(ast.parse(str(dim), mode="eval")))


class _Arithmetic(ast.NodeTransformer):
    """Sympy's words as a sheet's."""

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
