"""convcalc: everything about a convolutional network before it exists.

Public names only. What is light is imported here; what loads an optional or a slow library is found on first use.
"""

from typing import TYPE_CHECKING, Any

from convcalc import nn
from convcalc.analysis.count.report import Report, analyze
from convcalc.network.tensor import cat, flatten, matmul, stack
from convcalc.network.trace import trace
from convcalc.questions.summary import summary

if TYPE_CHECKING:
    from convcalc.algebra.compile import compile
    from convcalc.algebra.parse import symbols

__all__ = ["Report", "analyze", "cat", "compile", "flatten", "matmul", "nn", "stack", "summary", "symbols", "trace"]

_LETTERS = {"symbols": "convcalc.algebra.parse", "compile": "convcalc.algebra.compile"}


def __getattr__(name: str) -> Any:
    if name in _LETTERS:
        from importlib import import_module

        return getattr(import_module(_LETTERS[name]), name)
    raise AttributeError(f"convcalc has no {name!r}")
