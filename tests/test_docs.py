"""Every console example in README.md, CONTRIBUTING.md and docs/ is run and compared; Python examples are doctests.

An example is a ``console`` block: each line ``$ command`` is followed by exactly what it prints; a line ``...`` is for
any lines left out. A block whose first line has a name (``python tinyunet.net``) is a file in the folder where the
page's commands run; if one of these is a ``pyproject.toml``, it is installed for the page. ``--regenerate`` writes what
is printed now (but leaves examples with ``...`` alone).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.outside import install_project

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```\w+ ([\w.]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """One command of a page and what the page says it prints."""

    page: str
    command: str
    printed: str


def examples(page: Path) -> Iterator[Example]:
    """Yield the console examples of a page, in order."""
    for block in BLOCK.findall(page.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield Example(page.name, command, printed.strip("\n"))


def run(command: str, folder: Path) -> str:
    """Return what a line of shell prints, output and errors together, in the environment of this interpreter."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "COLUMNS": "120", "PYTHONUTF8": "1", "PYTHONPATH": f"{folder}:{ROOT}"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").split("\n"))


def matches(printed: str, expected: str) -> bool:
    """Return whether the output is what the page says, in which a line ``...`` matches any lines."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)]
    return re.fullmatch(r"(?s:.*)".join(parts), printed) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_examples(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text()
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content)
        if name == "pyproject.toml":
            install_project(tmp_path)
    for example in examples(page):
        printed = run(example.command, tmp_path)
        if request.config.getoption("--regenerate") and "\n...\n" not in f"\n{example.printed}\n":
            old = f"$ {example.command}\n{example.printed}".rstrip("\n")
            new = f"$ {example.command}\n{printed}".rstrip("\n")
            text = text.replace(old + "\n", new + "\n")
            continue
        assert matches(printed, example.printed), f"{page.name}: $ {example.command}\n{printed}"
    page.write_text(text) if request.config.getoption("--regenerate") else None


def test_readme_opens_with_the_two_commands() -> None:
    commands = re.findall(r"^    (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)[:2]
    assert commands == ["pip install . && convcalc summary resnet50", "pip install -e '.[test]' && pytest"]


def test_examples_are_compared() -> None:
    assert matches("a\nb\nc", "a\n...\nc")
    assert not matches("a\nb\nc", "a\nc")


def test_pages_have_examples() -> None:
    assert sum(len(list(examples(page))) for page in PAGES) >= 5


def test_files_that_the_architecture_names_exist() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    names = set(re.findall(r"`((?:\w+/)*(?:\w+\.pyi?|\w+/))`", page)) - {"exam/"}  # which comes with exam aid
    assert len(names) > 40
    assert [name for name in sorted(names) if not any((ROOT / room / name).exists() for room in ("", "convcalc"))] == []
