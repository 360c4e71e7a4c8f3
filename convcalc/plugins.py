"""Plugins: packages that add layer kinds, metrics, conventions, networks and readers, found by their entry points.

A plugin is an installed package with an entry point in the group `GROUP`. What the entry point names is imported, and
the decorators in that module do the rest. Each registry is with the things that it holds; none is here.
"""

import os
import sys
from collections.abc import Iterator
from functools import cache

from convcalc.errors import ConvcalcError

GROUP = "convcalc.plugins"


class PluginError(ConvcalcError):
    """A plugin that cannot be imported."""


@cache
def load() -> tuple[str, ...]:
    """Import every installed plugin, once per process, and return their names; raise PluginError if one fails.

    The command line calls this when it starts. A Python program has to call it, or import the plugins that it wants.

    >>> type(load())
    <class 'tuple'>
    """
    if not any(map(_mentions_plugins, _metadata())):  # most runs then need no importlib.metadata, a 12 ms import
        return ()
    from importlib.metadata import entry_points

    names = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist else "an unknown package"
        try:
            point.load()
        except Exception as error:  # a module from outside can raise anything
            what = f"cannot be imported: {type(error).__name__}: {error}"
            hint = f"it is {point.value} of {package}; repair it, or `pip uninstall {package}`"
            raise PluginError(what, where=f"plugin {point.name}", hint=hint) from error
        names.append(point.name)
    return tuple(names)


def _metadata() -> Iterator[str]:
    """Yield the paths of files with entry points of installed packages, where importlib.metadata looks for them."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:  # not a folder, or gone
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield os.path.join(folder, name, "entry_points.txt")


def _mentions_plugins(path: str) -> bool:
    """Return whether a file of entry points names our group; most packages have no such file."""
    try:
        with open(path, "rb") as file:
            return GROUP.encode() in file.read()
    except OSError:
        return False
