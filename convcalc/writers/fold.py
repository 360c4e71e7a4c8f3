"""Repeated structure: forms that agree up to their numbers become one definition with parameters.

A *form* is a nested tuple of what a writer will print, whose numbers are `Hole`s. Which forms there are and how they
print is the writers' business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple


class Hole(NamedTuple):
    """A number that may differ between forms that are otherwise equal: its value, and what it is the number of."""

    value: Any
    name: str = ""
    default: Any = None


class Text(str):
    """What is printed in place of a hole."""


KINDS = {
    **dict.fromkeys(("kernel_size", "padding", "dilation", "output_padding"), "window"),
    **dict.fromkeys(("out_channels", "in_channels", "num_features", "groups", "channels", "shape"), "channels"),
    **dict.fromkeys(("in_features", "out_features", "normalized_shape", "num_channels", "embed_dim"), "channels"),
}
"""Arguments that may well depend on each other; numbers of unlike kinds agree by chance only."""


def number(value: Any) -> bool:
    """Whether a value can be a hole."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def holes(form: Any) -> Iterator[Hole]:
    """The holes of a form, in order."""
    if isinstance(form, Hole):
        yield form
    elif isinstance(form, tuple):
        for item in form:
            yield from holes(item)


def skeleton(form: Any) -> Any:
    """A form without its numbers: equal for forms that agree up to them."""
    if isinstance(form, Hole):
        return Hole
    return tuple(map(skeleton, form)) if isinstance(form, tuple) else form


def filled(form: Any, texts: Iterator[Text]) -> Any:
    """A form with the next of ``texts`` in place of each hole."""
    if isinstance(form, Hole):
        return next(texts)
    return tuple(filled(item, texts) for item in form) if isinstance(form, tuple) else form


def literal(form: Any) -> Any:
    """A form whose holes print as their values."""
    return filled(form, (Text(repr(hole.value)) for hole in holes(form)))


class Parameter(NamedTuple):
    """What differs between forms: a name, one value for each form, the default if any has it."""

    name: str
    values: tuple[Any, ...]
    kind: str
    default: Any = None


@dataclass(frozen=True)
class Definition:
    """One text for several forms: ``body`` prints the parameters' names where they differ."""

    parameters: tuple[Parameter, ...]
    body: Any

    def arguments(self, i: int) -> tuple[tuple[str, Hole], ...]:
        """Names and values that make form ``i`` of it; the holes bear the kind of the number they came from."""
        return tuple((p.name, Hole(p.values[i], p.kind, p.default)) for p in self.parameters)


def unify(forms: Sequence[Any], names: Mapping[str, str], taken: Collection[str] = ()) -> Definition:
    """The definition of forms with equal skeletons; ``names`` says what a parameter for each kind of number is called.

    >>> def two(c):
    ...     return ("conv", Hole(c, "out_channels"), "conv", Hole(2 * c, "out_channels"), Hole(3, "kernel_size"))
    >>> unify([two(8), two(16)], {"out_channels": "c"}).body
    ('conv', 'c', 'conv', '2 * c', '3')
    """
    found: list[Parameter] = []
    texts: list[Text] = []
    for column in zip(*map(holes, forms)):
        values = tuple(hole.value for hole in column)
        if len(set(values)) == 1:
            texts.append(Text(repr(values[0])))
            continue
        text = _known(column[0].name, values, found)
        if not text:
            text = _fresh(names.get(column[0].name, column[0].name or "n"), {*taken, *(p.name for p in found)})
            default = column[0].default if column[0].default in values else None
            found.append(Parameter(text, values, column[0].name, default))
        texts.append(Text(text))
    found.sort(key=lambda parameter: parameter.default is not None)
    return Definition(tuple(found), filled(forms[0], iter(texts)))


def _known(name: str, values: tuple[Any, ...], found: Sequence[Parameter]) -> str:
    """A parameter that has these values already, or a multiple or part of one that explains them; or an empty text."""
    kind = KINDS.get(name, name)
    alike = [parameter for parameter in found if KINDS.get(parameter.kind, parameter.kind) == kind]
    for parameter in alike:
        if parameter.values == values:
            return parameter.name
    if not all(isinstance(value, int) and value > 0 for value in values):
        return ""
    for parameter in alike:
        others = parameter.values
        if all(isinstance(other, int) and other > 0 for other in others):
            factor, divisor = values[0] // others[0], others[0] // values[0]
            if factor > 1 and all(value == factor * other for value, other in zip(values, others)):
                return f"{factor} * {parameter.name}"
            if divisor > 1 and all(value == other // divisor for value, other in zip(values, others)):
                return f"{parameter.name} // {divisor}"
    return ""


def _fresh(name: str, taken: Collection[str]) -> str:
    """``name``, with a number behind it where it is taken or a word of Python."""
    if name not in taken and not iskeyword(name):
        return name
    return next(f"{name}{i}" for i in count(2) if f"{name}{i}" not in taken)


fresh = _fresh


def groups(forms: Mapping[Any, tuple[str, Any]]) -> dict[tuple[str, Any], list[Any]]:
    """The keys of forms that share a kind and a skeleton, in order of their first."""
    result: dict[tuple[str, Any], list[Any]] = {}
    for key, (kind, form) in forms.items():
        result.setdefault((kind, skeleton(form)), []).append(key)
    return result
