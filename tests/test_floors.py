"""The house keeps its floors: who may import whom, no circles, and which third-party library lives in which file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "convcalc"
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))

FLOORS = {
    "errors": 0, "algebra": 0, "layers": 1, "network": 2, "nn": 2, "zoo": 3, "analysis": 4, "formats": 4,
    "views": 5, "questions": 6, "plugins": 6, "exam": 7, "cli": 8, "__init__": 8, "__main__": 9,
}  # fmt: skip
"""The floor of each room; a file may import its own floor and those below, inside functions too."""

NEVER = {("analysis", "zoo"), ("analysis", "formats"), ("formats", "analysis"), ("formats", "zoo")}
"""Rooms on one floor, or in order, that know nothing of each other: an analysis sees a graph and no text, a format
sees text and no numbers, and neither sees a named network."""

THIRD_PARTY = {
    "sympy": ("algebra/symbolic/",),
    "numpy": ("analysis/sweep.py",),
    "torch": ("formats/torch/capture.py",),
    "onnx": ("formats/onnx.py",),
    "tabulate": ("views/table.py",),
    "matplotlib": ("views/plot.py",),
    "click": ("cli/", "__main__.py"),
}

CONTEXTS = {
    "recorder": "a layer called on symbolic tensors hands the call to the tape in force",
    "_assumed": "conditions on letters are collected while a layer infers its output shape",
    "_steps": "uses of formulas are collected while a layer infers its output shape",
}
"""The context variables of the package, each a call that no import shows, and why it is there."""


def imports(path: Path) -> Iterator[str]:
    """Yield every name that a file imports, at its top, inside functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(module: str) -> str:
    """Return the file of a convcalc module, or of a name in one."""
    parts = module.split(".")[1:]
    for i in range(len(parts), -1, -1):
        inner = "/".join(parts[:i])
        for name in (f"{inner}.py", f"{inner}/__init__.py".lstrip("/")):
            if name in FILES:
                return name
    raise AssertionError(module)


def floor_of(name: str) -> str:
    """Return the room that a file lies in, as `FLOORS` names it."""
    return name.split("/")[0].removesuffix(".py")


def broken(name: str, imported: list[str]) -> list[str]:
    """Return what is wrong with the imports of the file ``name``."""
    here = floor_of(name)
    wrong = []
    for module in imported:
        top = module.split(".")[0]
        if top == "convcalc":
            there = floor_of(file_of(module))
            if FLOORS[there] > FLOORS[here] or (here, there) in NEVER:
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
        ("zoo/resnet.py", "convcalc.analysis.count.metrics"),
        ("analysis/count/metrics.py", "convcalc.zoo.resnet"),
        ("formats/json/read.py", "convcalc.analysis.count.report"),
        ("analysis/count/report.py", "convcalc.views.table"),
        ("views/table.py", "convcalc.questions.summary"),
        ("algebra/dims.py", "sympy"),
        ("layers/conv.py", "numpy"),
        ("analysis/count/report.py", "click"),
        ("analysis/count/report.py", "convcalc.cli.summary"),
    ],
)
def test_a_broken_floor_is_seen(name: str, module: str) -> None:
    assert broken(name, [module]) == [f"{name} imports {module}"]


@cache
def file_graph() -> Mapping[str, frozenset[str]]:
    """Return which files each file imports."""
    return {
        name: frozenset(file_of(m) for m in imports(ROOT / name) if m.split(".")[0] == "convcalc") - {name}
        for name in FILES
    }


def circles(graph: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Return the strongly connected parts of more than one member.

    >>> circles({"a": frozenset("b"), "b": frozenset("a"), "c": frozenset("a")})
    [['a', 'b']]
    """
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for there in graph[todo.pop()]:
                if there not in seen:
                    seen.add(there)
                    todo.append(there)
        reach[start] = seen
    parts = {frozenset(b for b in graph if b in reach[a] and a in reach[b]) for a in graph if a in reach[a]}
    return sorted(map(sorted, parts))


def test_no_circle_of_files() -> None:
    assert circles(file_graph()) == []


def test_no_circle_of_rooms() -> None:
    """A room is a folder; `algebra` holds `symbolic`, which its dims open by one lazy door."""

    def room(name: str) -> str:
        folder = name.rpartition("/")[0] or name.removesuffix(".py")
        return "algebra" if folder.startswith("algebra") else folder

    rooms: dict[str, set[str]] = {}
    for name, there in file_graph().items():
        rooms.setdefault(room(name), set()).update(map(room, there))
    assert circles({here: frozenset(there - {here}) for here, there in rooms.items()}) == []


def test_a_circle_is_seen() -> None:
    assert circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b")}) == [["b", "c"]]


def test_context_variables_are_few_and_named() -> None:
    found = set()
    for name in FILES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            made = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
            if isinstance(made, ast.Call) and ast.unparse(made.func).startswith("ContextVar"):
                assert isinstance(target, ast.Name)
                found.add(target.id)
    assert found == set(CONTEXTS)


def test_a_context_variable_is_set_by_the_room_that_may_see_it() -> None:
    """A context variable of a lower floor may be set above it, never the other way round, and only by these files."""
    setters = {
        (name, node.func.value.id)
        for name in FILES
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "set"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in CONTEXTS
    }
    assert setters == {
        ("algebra/formula.py", "_steps"),
        ("layers/demands.py", "_assumed"),
        ("network/trace.py", "recorder"),
        ("formats/sheet/plan.py", "recorder"),
    }


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
