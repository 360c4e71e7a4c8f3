"""*Forms*: what a writer of source text is going to print, before it is decided which numbers become parameters.

A form is a nested tuple, named (such as `CallForm`) or plain. Its leaves are `Hole` for a number, `SourceText` for
source that is printed as it is, `Name` for the name of a value, and plain strings that are part of the structure. Forms
that differ only in their holes and names become one definition with parameters (`unify`); `text` and `spell_arguments`
print the result. Nothing here knows the language that is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Hole:
    """A number in which similar forms may differ: its value, and the argument it is for, with its default."""

    value: Any
    argument: str = ""
    default: Any = None


@dataclass(frozen=True)
class SourceText:
    """Source text that is printed as it is."""

    source: str


@dataclass(frozen=True)
class Name:
    """The name of a value, empty if it has none; ``kept`` if it must not change, since the ``state_dict`` has it."""

    name: str = ""
    kept: bool = False


NO_NAME = Name()


class Axes(NamedTuple):
    """One form for each axis, printed as a single one if they are all equal."""

    items: tuple[Any, ...]


class SpanForm(NamedTuple):
    """A slice: the forms of its ends, and its step."""

    start: Any
    stop: Any
    step: int


class Argument(NamedTuple):
    """An argument: its name (empty if positional), the form of its value, and the text of the default, if any."""

    name: str
    form: Any
    usual: str | None = None


class CallForm(NamedTuple):
    """A statement that calls something, or a loop, which has a ``body``; the writer decides what ``kind`` means.

    ``callee`` is what is called and ``form`` its arguments. ``refs`` are the values that it reads, ``outs`` those that
    it produces; the first of these is the input of the next statement. ``holds`` says whether it owns tensors.
    """

    kind: str
    callee: Any
    form: Any
    refs: tuple[str, ...]
    outs: tuple[str, ...]
    name: Name = NO_NAME
    holds: bool = False
    body: tuple[CallForm, ...] = ()


def walk_calls(calls: Sequence[CallForm]) -> Iterator[CallForm]:
    """Yield the calls inside loops and outside, in order, without the loops themselves."""
    for call in calls:
        yield from walk_calls(call.body) if call.body else (call,)


def number_values(calls: Sequence[CallForm], inputs: Sequence[str]) -> tuple[tuple[CallForm, ...], dict[str, str]]:
    """Return calls with their values numbered, and the number (a string, so that it is structure) of each value."""
    places: dict[str, str] = {}
    for value in (*inputs, *(out for call in walk_calls(calls) for out in call.outs)):
        places.setdefault(value, str(len(places)))

    def placed(call: CallForm) -> CallForm:
        refs, outs = (tuple(places[value] for value in values) for values in (call.refs, call.outs))
        return call._replace(refs=refs, outs=outs, body=tuple(map(placed, call.body)))

    return tuple(map(placed, calls)), places


def map_leaves(form: Any, change: Callable[[Any], Any]) -> Any:
    """Return a form with ``change`` applied to each leaf."""
    if not isinstance(form, tuple):
        return change(form)
    items = [map_leaves(item, change) for item in form]
    return form._make(items) if hasattr(form, "_make") else tuple(items)


def fill_holes(form: Any) -> Any:
    """Return a form in which each hole is replaced by the text of its value."""
    return map_leaves(form, lambda leaf: SourceText(repr(leaf.value)) if isinstance(leaf, Hole) else leaf)


def _free_leaves(form: Any) -> list[Hole | Name]:
    """Return the leaves in which similar forms may differ: holes and names, in order."""
    free: list[Hole | Name] = []
    map_leaves(form, lambda leaf: free.append(leaf) if isinstance(leaf, (Hole, Name)) else None)
    return free


def group_alike(forms: Mapping[K, Any]) -> list[list[K]]:
    """Return the keys of ``forms``, grouped by forms that differ only in holes and names, in order of appearance."""
    result: dict[Any, list[K]] = {}
    for key, form in forms.items():
        alike = map_leaves(form, lambda leaf: type(leaf) if isinstance(leaf, (Hole, Name)) else leaf)
        result.setdefault(alike, []).append(key)
    return [*result.values()]


class Variable(NamedTuple):
    """A parameter of a definition: its name, its value in each form, the argument it is for, any default."""

    name: str
    values: tuple[Any, ...]
    argument: str
    default: Any = None


class Definition(NamedTuple):
    """One text for several forms: where they differ, ``body`` has the name of a parameter."""

    parameters: Sequence[Variable]
    body: Any

    def arguments(self, i: int) -> tuple[Argument, ...]:
        """Return the arguments with which a call of the definition gives form ``i``."""
        arguments = []
        for name, values, argument, default in self.parameters:
            hole = Hole(values[i], argument, default)
            arguments.append(Argument("", hole) if default is None else Argument(name, hole, repr(default)))
        return tuple(arguments)


KINDS = {
    **dict.fromkeys(("kernel_size", "padding", "dilation", "output_padding"), "window"),
    **dict.fromkeys(("out_channels", "in_channels", "num_features", "groups", "channels", "shape"), "channels"),
    **dict.fromkeys(("in_features", "out_features", "normalized_shape", "num_channels", "embed_dim"), "channels"),
}
"""Groups of arguments that may depend on each other; if arguments of different groups agree, it is by chance."""


def unify(forms: Sequence[Any], names: Mapping[str, str], taken: Collection[str] = ()) -> Definition:
    """Return one definition for similar forms; ``names`` are the names of parameters, by the argument they are for.

    >>> def two(c):
    ...     return ("conv", Hole(c, "out_channels"), "conv", Hole(2 * c, "out_channels"), Hole(3, "kernel_size"))
    >>> text(unify([two(8), two(16)], {"out_channels": "c"}).body)
    '(conv, c, conv, 2 * c, 3)'
    """
    parameters: list[Variable] = []
    fillings: list[SourceText | Name] = []
    for column in zip(*map(_free_leaves, forms)):
        first = column[0]
        if isinstance(first, Name):
            fillings.append(first if len({leaf.name for leaf in column}) == 1 else NO_NAME)
            continue
        values = tuple(hole.value for hole in column)
        source = repr(values[0]) if len(set(values)) == 1 else _express(first.argument, values, parameters)
        if not source:
            wish = names.get(first.argument, first.argument or "n")
            source = choose_name(wish, {*taken, *(p.name for p in parameters)})
            default = first.default if first.default in values else None
            parameters.append(Variable(source, values, first.argument, default))
        fillings.append(SourceText(source))
    parameters.sort(key=lambda parameter: parameter.default is not None)
    filling = iter(fillings)
    body = map_leaves(forms[0], lambda leaf: next(filling) if isinstance(leaf, (Hole, Name)) else leaf)
    return Definition(parameters, body)


def _express(argument: str, values: tuple[Any, ...], parameters: Sequence[Variable]) -> str:
    """Return a parameter with these values, or an expression such as ``2 * c`` or ``c // 2``; else an empty text."""
    kind = KINDS.get(argument, argument)
    alike = [p for p in parameters if KINDS.get(p.argument, p.argument) == kind]
    for parameter in alike:
        if parameter.values == values:
            return parameter.name
    for parameter in alike:
        others = parameter.values
        if all(isinstance(value, int) and value > 0 for value in (*values, *others)):
            factor, divisor = values[0] // others[0], others[0] // values[0]
            if factor > 1 and all(value == factor * other for value, other in zip(values, others)):
                return f"{factor} * {parameter.name}"
            if divisor > 1 and all(value == other // divisor for value, other in zip(values, others)):
                return f"{parameter.name} // {divisor}"
    return ""


def choose_name(name: str, taken: Collection[str]) -> str:
    """Return ``name``, with a number appended if it is taken or is a keyword of Python.

    >>> choose_name("block", {"block"}), choose_name("lambda", ())
    ('block2', 'lambda2')
    """
    if name not in taken and not iskeyword(name):
        return name
    return next(f"{name}{i}" for i in count(2) if f"{name}{i}" not in taken)


def spell_arguments(filled: Any) -> str:
    """Return the arguments of a filled form as text, without those equal to their defaults."""
    words = [(name, text(form), usual) for name, form, usual in filled]
    return ", ".join(f"{name}={word}" if name else word for name, word, usual in words if word != usual)


def text(form: Any) -> str:
    """Return a filled form (one without holes) as source text.

    >>> three = SourceText("3")
    >>> text((SourceText("2"), SpanForm(SourceText("None"), SourceText("16"), 1), Axes((three, three))))
    '(2, :16, 3)'
    """
    if isinstance(form, SourceText):
        return form.source
    if isinstance(form, str):
        return form
    if isinstance(form, SpanForm):
        start, stop = ("" if word == "None" else word for word in map(text, (form.start, form.stop)))
        return f"{start}:{stop}" + (f":{form.step}" if form.step != 1 else "")
    items = [text(item) for item in (form.items if isinstance(form, Axes) else form)]
    if isinstance(form, Axes) and len(set(items)) == 1 and items != ["None"] * len(items):
        return items[0]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
