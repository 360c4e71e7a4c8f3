"""What tests of additions from outside share: a plugin installed into a folder, and the command run beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def install(folder: Path, name: str, points: dict[str, str]) -> None:
    """Write what pip writes of a package whose modules are in ``folder``: its metadata and its entry points."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{point} = {value}" for point, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[convcalc.plugins]", *lines, ""]))


def install_project(folder: Path) -> None:
    """Install the project whose ``pyproject.toml`` is in a folder, without building it."""
    text = (folder / "pyproject.toml").read_text()
    name = re.search(r'^name = "(.*)"$', text, re.MULTILINE)
    section = re.search(r'^\[project\.entry-points\."convcalc\.plugins"\]\n((?:\w+ = ".*"\n)+)', text, re.MULTILINE)
    assert name and section, "a plugin has a name, and entry points for convcalc.plugins"
    install(folder, name[1], dict(re.findall(r'^(\w+) = "(.*)"$', section[1], re.MULTILINE)))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a fresh interpreter that finds the packages in ``folder``, which is also where it runs."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONUTF8": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", "convcalc", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
