"""The zoo: networks by name, one architecture family per file. It knows layers, but no metrics.

Networks are found in the text of the files, as ``@network(...)`` followed by ``def NAME(``, so that asking for one
imports one family; networks that other packages add follow, in the order in which they were added. Attribute names are
torchvision's where it has the network; stochastic depth, which does nothing outside training, has no layer.

The docstring of a network's function describes the network, as ``docs/zoo.md`` shows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar

from convcalc.algebra.types import is_symbolic
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.network.module import Module
from convcalc.zoo.settings import Entry, Factor, check_setting, require_checkable

__all__ = ["Entry", "Factor", "entry", "load", "names", "network"]

F = TypeVar("F", bound=Callable[..., Module])

_NETWORK = re.compile(rb"^@network\(.*?^def (\w+)\(", re.MULTILINE | re.DOTALL)

_ENTRIES: dict[str, Entry] = {}
"""Networks of the zoo whose family has been imported."""

_OUTSIDE: dict[str, Entry] = {}
"""Networks that other packages add."""


def network(paper: str = "", input: tuple[int, ...] = (3, 224, 224)) -> Callable[[F], F]:
    """Return a decorator that makes a function a network of the function's name.

    The function's arguments are the settings. Each has a default and one of these annotations, which `load` checks: int
    (at least 1), float (from 0 to 1), bool, `Factor` (above 0, up to 100). ``input`` is the usual input without the
    batch axis. The function may be in any module; outside the zoo, the decorator raises SpecError if the zoo has a
    network of that name or if a setting cannot be checked.
    """

    def register(build: F) -> F:
        settings = {name: parameter.default for name, parameter in signature(build).parameters.items()}
        row = Entry(build.__name__, input, paper, build, settings, build.__doc__ or "")
        if build.__module__.startswith(f"{__name__}."):
            _ENTRIES[row.name] = row
            return build
        if row.name in _find_families():
            hint = "give the function another name"
            raise SpecError("the zoo already has a network of this name", where=f"network {row.name}", hint=hint)
        require_checkable(row)
        _OUTSIDE[row.name] = row
        return build

    return register


@cache
def _find_families() -> dict[str, str]:
    """Return the family of each network, which is its file's name without the ending, in the order of the files."""
    folder, families = os.path.dirname(__file__), dict[str, str]()
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py"):
            with open(os.path.join(folder, file), "rb") as source:  # the names are ASCII
                families.update((name.decode(), file[:-3]) for name in _NETWORK.findall(source.read()))
    return families


def names(pattern: str = "*") -> list[str]:
    """Return the names that match a shell-style pattern, family by family, then those of other packages.

    >>> names("resnet*")
    ['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152']
    """
    from fnmatch import fnmatchcase

    return [name for name in (*_find_families(), *_OUTSIDE) if fnmatchcase(name, pattern)]


def entry(name: str) -> Entry:
    """Return the record of a network, importing the file of its family; raise UnknownName if there is none.

    >>> entry("vgg16").input, entry("vgg16").settings["num_classes"]
    ((3, 224, 224), 1000)
    """
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    family = _find_families().get(name)
    if family is None:
        hint = did_you_mean(name, names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network is called {name!r}", hint=hint)
    import_module(f"convcalc.zoo.{family}")
    return _ENTRIES[name]


def load(name: str, **settings: Any) -> tuple[Module, tuple[int, ...]]:
    """Return a network built with these settings, and its usual input without the batch axis.

    Raise UnknownName if no network has this name, SpecError if it lacks a setting or cannot take its value.

    >>> load("resnet50", in_channels=1)[1]
    (1, 224, 224)
    """
    row = entry(name)
    settings = {setting: check_setting(row, setting, value) for setting, value in settings.items()}
    channels, *sizes = row.input
    if "image_size" in settings:
        sizes = [settings["image_size"]] * len(sizes)
    try:
        return row.build(**settings), (settings.get("in_channels", channels), *sizes)
    except TypeError:
        symbolic = [setting for setting, value in settings.items() if is_symbolic(value)]
        if not symbolic:
            raise
        what = f"{' and '.join(symbolic)} must be a number: the network's layers depend on it"
        raise SpecError(what, where=name, hint=f"write --set {symbolic[0]}=64") from None
