"""A numeric run is light: a fresh interpreter loads neither sympy nor anything optional."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sympy", "torch", "numpy", "onnx", "matplotlib", "mpmath"}
ALLOWED = {"convcalc", "click", "tabulate", "wcwidth"}
"""Third-party packages that a numeric summary may load; wcwidth comes with tabulate where it is installed."""


def loaded(*arguments: str) -> set[str]:
    """Top-level modules after a run of the command in a fresh interpreter, less those of a bare one."""
    run = "import sys; before = set(sys.modules); from convcalc.cli import main\n"
    run += "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
    run += "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", run, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_summary_of_numbers_loads_only_what_is_allowed() -> None:
    third_party = {name for name in loaded("summary", "resnet50") if name not in sys.stdlib_module_names}
    third_party = {name for name in third_party if not name.startswith("__")}
    assert third_party <= ALLOWED, third_party - ALLOWED


@pytest.mark.parametrize("format", ["json", "csv"])
def test_other_formats_are_light_too(format: str) -> None:
    assert not loaded("summary", "resnet50", "--format", format) & HEAVY


def test_letters_do_load_sympy() -> None:
    """The meta-test: the check above would see sympy."""
    assert "sympy" in loaded("summary", "resnet50", "--input", "3xHxW")


def test_a_network_loads_the_families_that_it_uses() -> None:
    run = "import sys, convcalc as cc; cc.summary('resnet50').to_text()\n"
    run += "print(*[name for name in sys.modules if name.startswith('convcalc.')])"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert {"convcalc.layers.conv", "convcalc.layers.pool"} <= names
    unused = ("attention", "dropout", "embedding", "padding", "recurrent", "resize", "transposed")
    assert not names & {*(f"convcalc.layers.{name}" for name in unused), "convcalc.formats.sheet.source"}


def test_one_network_loads_one_family() -> None:
    run = "import sys, convcalc.zoo as zoo; zoo.load('vgg16')\n"
    run += "print(*[name for name in sys.modules if name.startswith('convcalc.zoo.')])"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert "convcalc.zoo.vgg" in done.stdout
    assert "convcalc.zoo.resnet" not in done.stdout
