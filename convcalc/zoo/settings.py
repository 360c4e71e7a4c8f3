"""The settings of a network: what their annotations allow, and the check of a value; it knows no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import is_symbolic
from convcalc.errors import SpecError, UnknownSetting
from convcalc.network.module import Module

Factor: TypeAlias = float
"""A setting that multiplies channels or blocks."""

_LEGAL: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("an integer of at least 1", lambda value: type(value) is int and value >= 1),
    "float": ("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1),
    "Factor": ("a number above 0, up to 100", lambda value: type(value) in (int, float) and 0 < value <= 100),
    "bool": ("True or False", lambda value: type(value) is bool),
}
"""By annotation of a setting: what its value must be, in words, and the test of it."""


class Entry(NamedTuple):
    """A network: its usual input without the batch axis, its paper, how to build it, its description.

    ``settings`` has the default of each argument of ``build``.
    """

    name: str
    input: tuple[int, ...]
    paper: str
    build: Callable[..., Module]
    settings: Mapping[str, Any]
    doc: str


def require_checkable(row: Entry) -> None:
    """Raise SpecError if a setting has no default, or an annotation by which no value can be checked."""
    where = f"network {row.name}"
    for setting, default in row.settings.items():
        if default is Parameter.empty:
            hint = "give it one, since a network can also be built without settings"
            raise SpecError(f"setting {setting!r} has no default", where=where, hint=hint)
        if (annotation := _read_annotation(row, setting)) not in _LEGAL:
            *others, last = _LEGAL
            wanted = f"{', '.join(others)} or {last}"
            what = f"setting {setting!r} must be annotated as {wanted}; received {annotation or 'nothing'}"
            raise SpecError(what, where=where)


def _read_annotation(row: Entry, setting: str) -> str:
    """Return the annotation of a setting as text, which it is already under ``from __future__ import annotations``."""
    annotation = row.build.__annotations__.get(setting, "")
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def check_setting(row: Entry, setting: str, value: Any) -> Any:
    """Return the value of a setting, a symbol if it is a name; raise SpecError if the network cannot take it."""
    if setting not in row.settings:
        raise UnknownSetting(setting, row.settings, where=row.name)
    kind = _read_annotation(row, setting)
    if kind == "int" and isinstance(value, str) and value.isidentifier():
        return parse_dim(value, value)
    wanted, fits = _LEGAL[kind]
    if not fits(value) and not (kind == "int" and is_symbolic(value)):
        raise SpecError(f"{setting} must be {wanted}; received {value!r}", where=row.name)
    return value
