"""convcalc: everything about a convolutional network before it is built.

Public names only, each imported when first used: a function for each command, ``nn`` and the functions that networks
are written with, ``trace`` and ``analyze``, and the decorators that extend convcalc. Nothing is defined here.
"""

import typing as _typing
from importlib import import_module as _load

for _room in ("layers", "network"):  # imported now: a later import would hide the function of the same name
    _load(f"convcalc.{_room}")
    del globals()[_room]

if _typing.TYPE_CHECKING:
    from convcalc import nn
    from convcalc.algebra.compile import compile
    from convcalc.algebra.parse import symbols
    from convcalc.analysis.count.conventions import convention
    from convcalc.analysis.count.metrics import metric
    from convcalc.analysis.count.report import Report
    from convcalc.network.tensor import cat, flatten, matmul, stack
    from convcalc.network.trace import trace
    from convcalc.questions.compare import compare
    from convcalc.questions.export import export
    from convcalc.questions.field import field
    from convcalc.questions.fmt import fmt
    from convcalc.questions.layers import layers
    from convcalc.questions.matrix import matrix
    from convcalc.questions.networks import networks
    from convcalc.questions.sizes import sizes
    from convcalc.questions.solve import solve
    from convcalc.questions.sources import Network, reader
    from convcalc.questions.summary import analyze, summary
    from convcalc.zoo import network

    __version__: str

__all__ = [
    "Network",
    "Report",
    "analyze",
    "cat",
    "compare",
    "compile",
    "convention",
    "export",
    "field",
    "flatten",
    "fmt",
    "layers",
    "matmul",
    "matrix",
    "metric",
    "network",
    "networks",
    "nn",
    "reader",
    "sizes",
    "solve",
    "stack",
    "summary",
    "symbols",
    "trace",
]

_QUESTIONS = ("compare", "export", "field", "fmt", "layers", "matrix", "networks", "sizes", "solve", "summary")
_HOMES = {
    **{name: f"convcalc.questions.{name}" for name in _QUESTIONS},
    "analyze": "convcalc.questions.summary",
    "Report": "convcalc.analysis.count.report",
    "trace": "convcalc.network.trace",
    "symbols": "convcalc.algebra.parse",
    "compile": "convcalc.algebra.compile",
    "metric": "convcalc.analysis.count.metrics",
    "convention": "convcalc.analysis.count.conventions",
    "network": "convcalc.zoo",
    **dict.fromkeys(("Network", "reader"), "convcalc.questions.sources"),
    **dict.fromkeys(("cat", "flatten", "matmul", "stack"), "convcalc.network.tensor"),
}
"""The module in which each name is."""


if not _typing.TYPE_CHECKING:  # a type checker would take any name for an attribute

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
