"""The house keeps its floors: who may import whom, and which third-party library lives in which file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "convcalc"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))

FLOORS = {
    "errors": 0, "algebra": 0, "layers": 1, "network": 2, "nn": 2, "zoo": 3, "analysis": 4,
    "readers": 5, "writers": 5, "exam": 5, "cli": 6, "__main__": 6, "__init__": 6,
}  # fmt: skip
"""Each room's floor; a file may import its own floor and those below. The zoo knows no metric, so its floor is
below the analyses', and the analyses know no zoo."""

UPWARD = {("analysis/report.py", "convcalc.writers.table")}
"""The one upward edge: a report prints itself."""

NEVER = {("analysis", "zoo")}

THIRD_PARTY = {
    "sympy": ("algebra/symbolic/",),
    "numpy": ("analysis/sweep.py",),
    "torch": ("readers/torch.py",),
    "onnx": ("readers/onnx.py",),
    "tabulate": ("writers/table.py",),
    "matplotlib": ("writers/plot.py",),
    "click": ("cli/", "__main__.py"),
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    """The room of a convcalc module: ``convcalc.layers.conv.Conv2d`` lies in layers."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__"


def broken(name: str, imported: list[str]) -> list[str]:
    """What is wrong with the imports of the file ``name``."""
    here = name.split("/")[0].removesuffix(".py")
    wrong = []
    for module in imported:
        top = module.split(".")[0]
        if top == "convcalc":
            there = room(module)
            upward = FLOORS[there] > FLOORS[here] and not any(
                (name, edge) in UPWARD for edge in (module, module.rpartition(".")[0])
            )
            if upward or (here, there) in NEVER:
                wrong.append(f"{name} imports {module}")
        elif top not in sys.stdlib_module_names and not name.startswith(THIRD_PARTY.get(top, ())):
            wrong.append(f"{name} imports {module}")
    return wrong


@pytest.mark.parametrize("name", FILES)
def test_floors(name: str) -> None:
    assert broken(name, list(imports(ROOT / name))) == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("layers/conv.py", "convcalc.network.trace"),
        ("zoo/resnet.py", "convcalc.analysis.metrics"),
        ("analysis/metrics.py", "convcalc.zoo.resnet"),
        ("algebra/dims.py", "sympy"),
        ("layers/conv.py", "numpy"),
        ("analysis/report.py", "click"),
        ("analysis/report.py", "convcalc.cli.summary"),
    ],
)
def test_a_broken_floor_is_seen(name: str, module: str) -> None:
    assert broken(name, [module]) == [f"{name} imports {module}"]


@pytest.mark.parametrize("name", FILES)
def test_files_say_what_they_are(name: str) -> None:
    text = (ROOT / name).read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no module docstring"
    assert text.count("\n") <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            documented = (ast.get_docstring(node, clean=False) or "").count("\n")
            assert (node.end_lineno or 0) - node.lineno + 1 - documented <= 45, node.name
