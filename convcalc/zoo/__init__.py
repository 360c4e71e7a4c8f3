"""The zoo: networks by name, one architecture family a file; it knows layers and no metric.

Networks are found by the files' text, ``@network(...)`` followed by ``def NAME(``, so that asking for one imports one
family; those that other packages add follow, in the order in which they were added. Attribute names are torchvision's
where it has the network; stochastic depth, idle outside training, has no layer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, NamedTuple, TypeAlias, TypeVar

from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import is_symbolic
from convcalc.errors import SpecError, UnknownName, UnknownSetting, did_you_mean
from convcalc.network.module import Module

__all__ = ["Entry", "Factor", "entry", "load", "names", "network"]

F = TypeVar("F", bound=Callable[..., Module])

Factor: TypeAlias = float
"""A setting that multiplies channels or blocks."""

_NETWORK = re.compile(r"^@network\(.*?^def (\w+)\(", re.MULTILINE | re.DOTALL)

_LEGAL: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number of at least 1", lambda value: type(value) is int and value >= 1),
    "float": ("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1),
    "Factor": ("a number above 0, up to 100", lambda value: type(value) in (int, float) and 0 < value <= 100),
    "bool": ("True or False", lambda value: type(value) is bool),
}
"""What the annotation of a setting promises, and the test of it."""


class Entry(NamedTuple):
    """A network: its usual input without the batch, its source, how to build it, what ``build`` takes by default."""

    name: str
    input: tuple[int, ...]
    paper: str
    build: Callable[..., Module]
    settings: Mapping[str, Any]
    doc: str


_ENTRIES: dict[str, Entry] = {}
"""Networks of the zoo whose family has been imported."""

_OUTSIDE: dict[str, Entry] = {}
"""Networks that other packages add."""


def network(paper: str = "", input: tuple[int, ...] = (3, 224, 224)) -> Callable[[F], F]:
    """Make the function below it a network with a name: the function's.

    Its arguments are the settings; each has a default and one of these annotations, which `load` checks: int, float
    (from 0 to 1), bool, `Factor` (above 0). ``input`` is the usual input without the batch. The function may be in any
    module; outside the zoo, raise SpecError for a name that the zoo has, and for a setting that cannot be checked.
    """

    def register(build: F) -> F:
        settings = {name: parameter.default for name, parameter in signature(build).parameters.items()}
        row = Entry(build.__name__, input, paper, build, settings, build.__doc__ or "")
        if build.__module__.startswith(f"{__name__}."):
            _ENTRIES[row.name] = row
        else:
            _require_fit(row)
            _OUTSIDE[row.name] = row
        return build

    return register


def _require_fit(row: Entry) -> None:
    """Raise SpecError where a network from outside hides one of the zoo, or has a setting that `load` cannot check."""
    if row.name in _families():
        hint = "give the function another name"
        raise SpecError("the zoo has a network of this name", where=f"network {row.name}", hint=hint)
    for setting, default in row.settings.items():
        if default is Parameter.empty:
            hint = "a network is built without settings too"
            raise SpecError(f"setting {setting!r} has no default", where=f"network {row.name}", hint=hint)
        if (word := _annotation(row, setting)) not in _LEGAL:
            what = f"setting {setting!r} must be annotated as {', '.join(_LEGAL)}; received {word or 'nothing'}"
            raise SpecError(what, where=f"network {row.name}")


def _annotation(row: Entry, setting: str) -> str:
    """Return the annotation of a setting as text, which it is already under ``from __future__ import annotations``."""
    word = row.build.__annotations__.get(setting, "")
    return word if isinstance(word, str) else getattr(word, "__name__", str(word))


@cache
def _families() -> dict[str, str]:
    """The file of each network, in the order of the files."""
    folder, found = os.path.dirname(__file__), dict[str, str]()
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py"):
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                found.update(dict.fromkeys(_NETWORK.findall(source.read()), file[:-3]))
    return found


def names(pattern: str = "*") -> list[str]:
    """Return the names that match a shell-style pattern, family by family, then those of other packages.

    >>> names("resnet*")
    ['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152']
    """
    from fnmatch import fnmatchcase

    return [name for name in (*_families(), *_OUTSIDE) if fnmatchcase(name, pattern)]


def entry(name: str) -> Entry:
    """The record of a network; imports the file of its family. Raises UnknownName.

    >>> entry("vgg16").input, entry("vgg16").settings["num_classes"]
    ((3, 224, 224), 1000)
    """
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    family = _families().get(name)
    if family is None:
        hint = did_you_mean(name, names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network is called {name!r}", hint=hint)
    import_module(f"convcalc.zoo.{family}")
    return _ENTRIES[name]


def load(name: str, **settings: Any) -> tuple[Module, tuple[int, ...]]:
    """A network built with these settings, and its usual input without the batch.

    Raises UnknownName, or SpecError for a setting that the network lacks or a value that it cannot take.

    >>> load("resnet50", in_channels=1)[1]
    (1, 224, 224)
    """
    found = entry(name)
    settings = {setting: _checked(found, setting, value) for setting, value in settings.items()}
    channels, *sizes = found.input
    if "image_size" in settings:
        sizes = [settings["image_size"]] * len(sizes)
    try:
        return found.build(**settings), (settings.get("in_channels", channels), *sizes)
    except TypeError:
        lettered = [setting for setting, value in settings.items() if is_symbolic(value)]
        if not lettered:
            raise
        what = f"{' and '.join(lettered)} must be a number: the network's plan hangs on it"
        raise SpecError(what, where=name, hint=f"write --set {lettered[0]}=64") from None


def _checked(found: Entry, setting: str, value: Any) -> Any:
    """The value of a setting, a letter for the name of one; raises SpecError where the network cannot take it."""
    if setting not in found.settings:
        raise UnknownSetting(setting, found.settings, where=found.name)
    kind = _annotation(found, setting)
    if kind == "int" and isinstance(value, str) and value.isidentifier():
        return parse_dim(value, value)
    wanted, fits = _LEGAL[kind]
    if not fits(value) and not (kind == "int" and is_symbolic(value)):
        raise SpecError(f"{setting} must be {wanted}; received {value!r}", where=found.name)
    return value
