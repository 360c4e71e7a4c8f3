"""Plugins: packages that add layer kinds, metrics, conventions, networks and readers, found by their entry points.

A plugin is any installed package with an entry point in the group `GROUP`; the object that it names is imported, and
the decorators in its module do the rest. The registries are in the rooms of what they hold; nothing is kept here.
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
    """Import every installed plugin, once for a process, and return their names; raise PluginError where one fails.

    The command line does so at its start. In Python nothing is imported unasked: import the plugin, or call this.

    >>> type(load())
    <class 'tuple'>
    """
    if not any(map(_mentions_plugins, _metadata())):  # spares most runs the import of importlib.metadata, 12 ms
        return ()
    from importlib.metadata import entry_points

    names = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist else "an unknown package"
        try:
            point.load()
        except Exception as error:  # whatever a stranger's module raises
            what = f"cannot be imported: {type(error).__name__}: {error}"
            hint = f"it is {point.value} of {package}; repair that, or `pip uninstall {package}`"
            raise PluginError(what, where=f"plugin {point.name}", hint=hint) from error
        names.append(point.name)
    return tuple(names)


def _metadata() -> Iterator[str]:
    """Yield where the entry points of installed packages may be written, as importlib.metadata looks for them."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:  # not a folder, or gone
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield os.path.join(folder, name, "entry_points.txt")


def _mentions_plugins(path: str) -> bool:
    """Return whether a file of entry points has a section for ours; most packages have no such file."""
    try:
        with open(path, "rb") as file:
            return GROUP.encode() in file.read()
    except OSError:
        return False
