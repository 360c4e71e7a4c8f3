"""The stub `convcalc/nn.pyi`, from the arguments that each kind of layer declares.

``python -m tests.nn_stub`` writes it anew; `tests/test_nn_stub.py` fails where it is stale.
"""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from convcalc import nn
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.layers.binding import Configured

STUB = Path(nn.__file__).with_suffix(".pyi")

HEAD = '''"""torch.nn's names, typed: written by `python -m tests.nn_stub` from the arguments that the kinds declare."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from convcalc.algebra.types import Dim
'''

ALIASES = """
_Axes1: TypeAlias = Dim | tuple[Dim] | list[Dim]
_Axes2: TypeAlias = Dim | tuple[Dim, Dim] | list[Dim]
_Axes3: TypeAlias = Dim | tuple[Dim, Dim, Dim] | list[Dim]
_Sizes: TypeAlias = Dim | Sequence[Dim]
"""

TYPES = {"Dims": "_Sizes", "int | Dims": "_Sizes", "int": "Dim", "Flag": "bool", "Shape": "Any", "Any": "Any"}
"""What an annotation of a kind means for a caller; others are Python's own. An ``int`` may be a letter."""


def annotation(kind: type[Configured], name: str) -> str:
    """Return the type of an argument as a caller may give it."""
    word = kind.annotated[name].removesuffix(" | None")
    parts = [f"_Axes{kind.rank}" if word == "PerAxis" else TYPES.get(word, word)]
    if name == "padding" and kind.named_paddings:
        parts.append(f"Literal[{', '.join(map(repr, kind.named_paddings)).replace(chr(39), chr(34))}]")
    if kind.annotated[name].endswith(" | None") or kind.arguments[name] is None:
        parts.append("None")
    return "Any" if parts[0] == "Any" else " | ".join(parts)


def default(value: Any) -> str:
    """Return a default as a stub writes it."""
    text = repr(value).replace("'", '"')
    return text if isinstance(value, (bool, int, float, str, type(None))) and re.fullmatch(r'[-\w."]+', text) else "..."


def signature(kind: type[Configured]) -> str:
    """Return the constructor of a kind, as one line."""
    words = ["self"]
    for name in kind.names:
        value = kind.arguments[name]
        given = "" if value is _REQUIRED else f" = {default(value)}"
        words.append(f"{name}: {annotation(kind, name)}{given}")
    if kind.factory:
        words += ["*", "device: Any = None", "dtype: Any = None"]
    return f"    def __init__({', '.join(words)}) -> None: ..."


def stub() -> str:
    """Return the text of the stub, laid out by ruff."""
    kinds = {name: getattr(nn, name) for name in sorted(nn.__all__)}
    typed = {
        name: kind
        for name, kind in kinds.items()
        if issubclass(kind, Layer) and kind is not Layer and kind.__init__ is Configured.__init__
    }
    passed = [(kind.__module__, name) for name, kind in kinds.items() if name not in typed]
    lines = [HEAD.rstrip()]
    modules = {*(kind.__module__ for kind in typed.values()), *(module for module, _ in passed)}
    for module in sorted(modules):
        folder, _, file = module.rpartition(".")
        if any(kind.__module__ == module for kind in typed.values()):
            lines.append(f"from {folder} import {file} as _{file}")
    for module, names in groupby(sorted(passed), lambda entry: entry[0]):
        lines += [f"from {module} import {name} as {name}" for _, name in names]
    lines.append(ALIASES)
    for name, kind in typed.items():
        lines.append(f"class {name}(_{kind.__module__.rpartition('.')[2]}.{kind.__name__}):\n{signature(kind)}\n")
    names = ", ".join(f'"{name}"' for name in sorted(kinds, key=lambda name: (not name.isupper(), name)))
    lines.append(f"__all__ = [{names}]\n")
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(ruff, input="\n".join(lines), capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
