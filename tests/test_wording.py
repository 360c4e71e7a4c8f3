"""The prose of the package reads as a native engineer writes it: docstrings that begin with a verb, and plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
SOURCES = sorted((HOME / "convcalc").rglob("*.py"))
TEXTS = [*SOURCES, *sorted((HOME / "docs").glob("*.md")), *(HOME / name for name in ("README.md", "CONTRIBUTING.md"))]

IDIOMS = {
    r"hangs? (?:on|upon)\b": "depends on",
    r"\bbesides\b": "also, in addition",
    r"\bbear(?:s|ing)?\b": "is named",
    r"\btold\b": "reported, named",
    r"\bstands? (?:in|behind|for|beside|before|there|here|alone)\b": "is in, follows, means",
    r"\bwhole numbers?\b": "integer",
    r"\bput in\b": "substituted",
    r"\btaken apart\b": "factored, split",
    r"\blaid into\b": "merged",
    r"\berrors (?:are )?as (?:of|for)\b": "raises the same errors as",
    r"\basks? for (?:a|each|the) restriction": "imposes a constraint",
    r"\bseen whole\b": "full extent",
    r"\bslips?\b": "common mistake",
    r"\bunlike\b": "different",
    r"\bfar out\b": "for large values",
    r"\bwithout end\b": "infinitely many",
    r"(?<![Tt]here )\bis no (?!more\b|less\b|longer\b|larger\b|smaller\b)[a-z]+": "is not a",
    r"\bthere is not\b": "does not exist",
    r"\bby the axes of that\b": "by the rank of its input",
    r"\bfrom \w+ on\b": "N or more",
    r"\bSize of the batch\b": "Batch size",
}
"""Idioms that are not used, by what is written instead; CONTRIBUTING.md explains the style."""

_OPENINGS = (
    "a an all and any as at both by each every for from how if in its many no none nothing of on one only or several "
    "so such that the them then there these they this those to what when where whether which who whose with"
)
NOT_VERBS = frozenset(_OPENINGS.split())
"""Words that no docstring of a function begins with: what follows them is a phrase, not an order."""


def documented(path: Path) -> Iterator[tuple[str, ast.AST, str | None]]:
    """Yield each public function, class and method of a file with its docstring."""

    def inside(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST, str | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                if not child.name.startswith("_"):
                    yield name, child, ast.get_docstring(child)
                    if isinstance(child, ast.ClassDef):
                        yield from inside(child, f"{name}.")

    yield from inside(ast.parse(path.read_text()), "")


def inherited(node: ast.AST) -> bool:
    """Return whether a definition needs no docstring of its own: an overload, or one of another's contract."""
    decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", ())]
    return any(d in ("overload", "override") or d.endswith(".setter") for d in decorators)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(HOME).as_posix())
def test_functions_are_documented_by_what_they_do(path: Path) -> None:
    contract = {name for name, node, text in documented(HOME / "convcalc/layers/base.py") if "." in name}
    methods = {name.split(".")[-1] for name in contract} | {"check", "defaults", "shown", "forward"}
    wrong = []
    for name, node, text in documented(path):
        is_method = "." in name
        if text is None:
            if not inherited(node) and not (is_method and (name.split(".")[-1] in methods or "visit_" in name)):
                wrong.append(f"{name} has no docstring")
        elif isinstance(node, ast.FunctionDef) and "property" not in str([ast.unparse(d) for d in node.decorator_list]):
            first = re.split(r"\W+", text.lstrip("`*"), maxsplit=1)[0]
            if first.lower() in NOT_VERBS or re.fullmatch(r"[A-Z][a-z]+[^s]s", first) or text.startswith("``"):
                wrong.append(f"{name}: {text.splitlines()[0]}")
    assert wrong == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(HOME).as_posix())
def test_idioms(path: Path) -> None:
    text = path.read_text()
    if path.name == "CONTRIBUTING.md":
        text = text.partition("## Wording")[0]  # which names the idioms
    found = [
        f"{path.name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}, better: {better}"
        for idiom, better in IDIOMS.items()
        for match in re.finditer(idiom, text)
    ]
    assert found == []


def test_a_class_has_a_name_of_its_own() -> None:
    """The zoo is left out: its classes are named as in the papers, and each family has a Block."""
    names: dict[str, list[str]] = {}
    for path in SOURCES:
        if "zoo" not in path.parts:
            for node in ast.parse(path.read_text()).body:
                is_alias = isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias"
                name = node.name if isinstance(node, ast.ClassDef) else ast.unparse(node.target) if is_alias else ""
                if name and not name.startswith("_"):
                    names.setdefault(name, []).append(path.relative_to(HOME).as_posix())
    assert {name: files for name, files in names.items() if len(files) > 1} == {}
