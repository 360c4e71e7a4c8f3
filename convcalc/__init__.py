"""convcalc: everything about a convolutional network before it exists.

Public names only, each loaded on first use: a question for each command, ``nn`` and what writes a network, ``trace``
and ``analyze``. Nothing is defined here.
"""

import typing as _typing
from importlib import import_module as _load

_load("convcalc.layers")  # first, or the package would later take the place of the question of this name

if _typing.TYPE_CHECKING:
    from convcalc import nn
    from convcalc.algebra.compile import compile
    from convcalc.algebra.parse import symbols
    from convcalc.analysis.count.report import Report
    from convcalc.network.tensor import cat, flatten, matmul, stack
    from convcalc.network.trace import trace
    from convcalc.questions.compare import compare
    from convcalc.questions.export import export
    from convcalc.questions.field import field
    from convcalc.questions.fmt import fmt
    from convcalc.questions.layers import KnownLayers as _KnownLayers
    from convcalc.questions.matrix import matrix
    from convcalc.questions.networks import networks
    from convcalc.questions.sizes import sizes
    from convcalc.questions.solve import solve
    from convcalc.questions.summary import analyze, summary

    __version__: str

__all__ = [
    "Report",
    "analyze",
    "cat",
    "compare",
    "compile",
    "export",
    "field",
    "flatten",
    "fmt",
    "layers",
    "matmul",
    "matrix",
    "networks",
    "nn",
    "sizes",
    "solve",
    "stack",
    "summary",
    "symbols",
    "trace",
]

_QUESTIONS = ("compare", "export", "field", "fmt", "matrix", "networks", "sizes", "solve", "summary")
_HOMES = {
    **{name: f"convcalc.questions.{name}" for name in _QUESTIONS},
    "analyze": "convcalc.questions.summary",
    "Report": "convcalc.analysis.count.report",
    "trace": "convcalc.network.trace",
    "symbols": "convcalc.algebra.parse",
    "compile": "convcalc.algebra.compile",
    **dict.fromkeys(("cat", "flatten", "matmul", "stack"), "convcalc.network.tensor"),
}
"""The module in which each name is."""


def layers(name: str = "*") -> "_KnownLayers":
    """Return the page of a layer by its name, or the layers that match a shell's pattern; see `questions.layers`.

    >>> print(str(layers("conv")).splitlines()[0][:40])
    Conv2d(in_channels, out_channels, kernel
    """
    from convcalc.questions.layers import layers

    return layers(name)


if not _typing.TYPE_CHECKING:  # for which every name would be an attribute

    def __getattr__(name: str) -> _typing.Any:
        value: _typing.Any
        if name == "nn":
            return _load("convcalc.nn")
        if name == "__version__":
            from importlib.metadata import version

            value = version("convcalc")
        elif name in _HOMES:
            value = getattr(_load(_HOMES[name]), name)
        else:
            raise AttributeError(f"convcalc has no {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
