"""What a writer of source text prints, as *forms*, before it is decided what becomes a parameter.

A form is a nested tuple: of named ones such as `CallForm`, and of plain ones. Its leaves are `Hole` for a number,
`Text` for what is printed as it is, `Name` for the name of a value, and plain strings that belong to the structure.
Forms that agree up to their holes and names become one definition with parameters (`unify`); text is made of what is
left (`text`, `shown`).
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
    """A number that may differ between forms that are alike: its value, the argument that it is, its default."""

    value: Any
    argument: str = ""
    default: Any = None


@dataclass(frozen=True)
class Text:
    """Source text that is printed as it is."""

    source: str


@dataclass(frozen=True)
class Name:
    """The name of a value, empty if it has none, and whether it must stay, since it is in the ``state_dict``."""

    name: str = ""
    kept: bool = False


NO_NAME = Name()


class Axes(NamedTuple):
    """The forms of one number for each axis, which print as one if they are equal."""

    items: tuple[Any, ...]


class SpanForm(NamedTuple):
    """The forms of a slice's ends, and its step."""

    start: Any
    stop: Any
    step: int


class Argument(NamedTuple):
    """An argument: its name (empty if it goes by its place), the form of its value, the text that may be left out."""

    name: str
    form: Any
    usual: str | None = None


class CallForm(NamedTuple):
    """One line of a body, of a ``kind`` that the writer knows: ``callee`` is what is called; a loop has a ``body``.

    ``refs`` are the values it reads, ``outs`` those it gives, of which the first flows on; ``holds`` says whether it
    has tensors.
    """

    kind: str
    callee: Any
    form: Any
    refs: tuple[str, ...]
    outs: tuple[str, ...]
    name: Name = NO_NAME
    holds: bool = False
    body: tuple[CallForm, ...] = ()


def leaves(calls: Sequence[CallForm]) -> Iterator[CallForm]:
    """Yield all calls but loops, in order."""
    for call in calls:
        yield from leaves(call.body) if call.body else (call,)


def numbered(calls: Sequence[CallForm], inputs: Sequence[str]) -> tuple[tuple[CallForm, ...], dict[str, str]]:
    """Return calls with numbers for values, as strings (these may not differ), and the number of each value."""
    places: dict[str, str] = {}
    for value in (*inputs, *(out for call in leaves(calls) for out in call.outs)):
        places.setdefault(value, str(len(places)))

    def placed(call: CallForm) -> CallForm:
        refs, outs = (tuple(places[value] for value in values) for values in (call.refs, call.outs))
        return call._replace(refs=refs, outs=outs, body=tuple(map(placed, call.body)))

    return tuple(map(placed, calls)), places


def mapped(form: Any, change: Callable[[Any], Any]) -> Any:
    """Return a form with each of its leaves changed."""
    if not isinstance(form, tuple):
        return change(form)
    items = [mapped(item, change) for item in form]
    return form._make(items) if hasattr(form, "_make") else tuple(items)


def literal(form: Any) -> Any:
    """Return a form whose holes print as their values."""
    return mapped(form, lambda leaf: Text(repr(leaf.value)) if isinstance(leaf, Hole) else leaf)


def _free_leaves(form: Any) -> list[Hole | Name]:
    """Return what may differ between forms that are alike: holes and names, in order."""
    free: list[Hole | Name] = []
    mapped(form, lambda leaf: free.append(leaf) if isinstance(leaf, (Hole, Name)) else None)
    return free


def groups(forms: Mapping[K, Any]) -> list[list[K]]:
    """Return the keys of forms that are alike, in order of their first."""
    result: dict[Any, list[K]] = {}
    for key, form in forms.items():
        alike = mapped(form, lambda leaf: type(leaf) if isinstance(leaf, (Hole, Name)) else leaf)
        result.setdefault(alike, []).append(key)
    return [*result.values()]


class Variable(NamedTuple):
    """What differs between forms: its name, a value for each, the argument that it is, the default if any has it."""

    name: str
    values: tuple[Any, ...]
    argument: str
    default: Any = None


class Definition(NamedTuple):
    """One text for several forms: ``body`` has the parameters' names where they differ."""

    parameters: Sequence[Variable]
    body: Any

    def arguments(self, i: int) -> tuple[Argument, ...]:
        """Return what makes form ``i`` of it."""
        given = []
        for name, values, argument, default in self.parameters:
            hole = Hole(values[i], argument, default)
            given.append(Argument("", hole) if default is None else Argument(name, hole, repr(default)))
        return tuple(given)


KINDS = {
    **dict.fromkeys(("kernel_size", "padding", "dilation", "output_padding"), "window"),
    **dict.fromkeys(("out_channels", "in_channels", "num_features", "groups", "channels", "shape"), "channels"),
    **dict.fromkeys(("in_features", "out_features", "normalized_shape", "num_channels", "embed_dim"), "channels"),
}
"""Arguments that may depend on each other; others agree by chance."""


def unify(forms: Sequence[Any], names: Mapping[str, str], taken: Collection[str] = ()) -> Definition:
    """Return the definition of forms that are alike; ``names`` are those of parameters, by the argument they are.

    >>> def two(c):
    ...     return ("conv", Hole(c, "out_channels"), "conv", Hole(2 * c, "out_channels"), Hole(3, "kernel_size"))
    >>> text(unify([two(8), two(16)], {"out_channels": "c"}).body)
    '(conv, c, conv, 2 * c, 3)'
    """
    parameters: list[Variable] = []
    fillings: list[Text | Name] = []
    for column in zip(*map(_free_leaves, forms)):
        first = column[0]
        if isinstance(first, Name):
            fillings.append(first if len({leaf.name for leaf in column}) == 1 else NO_NAME)
            continue
        values = tuple(hole.value for hole in column)
        source = repr(values[0]) if len(set(values)) == 1 else _known(first.argument, values, parameters)
        if not source:
            source = fresh(names.get(first.argument, first.argument or "n"), {*taken, *(p.name for p in parameters)})
            default = first.default if first.default in values else None
            parameters.append(Variable(source, values, first.argument, default))
        fillings.append(Text(source))
    parameters.sort(key=lambda parameter: parameter.default is not None)
    filling = iter(fillings)
    body = mapped(forms[0], lambda leaf: next(filling) if isinstance(leaf, (Hole, Name)) else leaf)
    return Definition(parameters, body)


def _known(argument: str, values: tuple[Any, ...], parameters: Sequence[Variable]) -> str:
    """Return a parameter with these values, or a multiple or part of one; else an empty text."""
    kind = KINDS.get(argument, argument)
    alike = [known for known in parameters if KINDS.get(known.argument, known.argument) == kind]
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
    """Return ``name``, with a number where it is taken or a keyword of Python."""
    if name not in taken and not iskeyword(name):
        return name
    return next(f"{name}{i}" for i in count(2) if f"{name}{i}" not in taken)


def shown(filled: Any) -> str:
    """Return filled arguments as text, without defaults."""
    words = [(name, text(form), usual) for name, form, usual in filled]
    return ", ".join(f"{name}={word}" if name else word for name, word, usual in words if word != usual)


def text(form: Any) -> str:
    """Return a filled form as source text.

    >>> text((Text("2"), SpanForm(Text("None"), Text("16"), 1), Axes((Text("3"), Text("3")))))
    '(2, :16, 3)'
    """
    if isinstance(form, Text):
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
