"""torch.nn's names, argument order and defaults: layers, containers and composites to write a network with.

Nothing is defined here. Which file of `convcalc.layers` defines a kind is read from the text of the files, so that no
index has to be kept, and a family is imported when one of its kinds is first used, since a network uses few of them.
The arguments of each kind are typed in ``nn.pyi``.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

_LAYERS = os.path.join(os.path.dirname(__file__), "layers")

_KIND = re.compile(rb"^class ([A-Z]\w*)\((?!NamedTuple)", re.MULTILINE)

_ELSEWHERE = {
    **dict.fromkeys(("Module", "ModuleDict", "ModuleList", "Sequential"), "convcalc.network.module"),
    "TransformerEncoderLayer": "convcalc.network.transformer",
    **dict.fromkeys(("Layer", "Lazy"), "convcalc.layers.base"),
    **dict.fromkeys(("Buffer", "Parameter"), "convcalc.network.parameter"),
}
"""The names that are not in a family's file, with the module of each."""

_SHARED = ("__init__", "base", "binding", "checks", "demands", "formulas", "parameters", "spelling", "workings")
"""The files of `convcalc.layers` that define what families share, and no kind."""


@cache
def _homes() -> Mapping[str, str]:
    """Return the module of each public name, in the order of the files."""
    homes = dict(_ELSEWHERE)
    for file in sorted(os.listdir(_LAYERS)):
        family, ending = os.path.splitext(file)
        if ending == ".py" and family not in _SHARED:
            with open(os.path.join(_LAYERS, file), "rb") as text:  # the names are ASCII
                homes.update((name.decode(), f"convcalc.layers.{family}") for name in _KIND.findall(text.read()))
    return homes


def __getattr__(name: str) -> Any:
    """Import the file of a name when the name is first used; raise AttributeError if there is none."""
    if name == "__all__":
        return list(_homes())
    if name.startswith("_") or name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_homes()[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(_homes())
