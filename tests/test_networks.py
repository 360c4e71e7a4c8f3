"""The list of networks: its totals, its formats, and its page in the documentation."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from itertools import groupby
from pathlib import Path

import pytest

from convcalc import zoo
from convcalc.algebra.dims import show_count, show_shape
from convcalc.questions.networks import measure, networks
from convcalc.questions.summary import summary
from tests.test_cli import run

PAGE = Path(__file__).parent.parent / "docs" / "zoo.md"
ZOO = Path(zoo.__file__).parent

HEAD = """\
# The zoo

<!-- Written by `pytest tests/test_networks.py --regenerate` from the files in `convcalc/zoo/`. -->

The networks that convcalc knows by name, family by family: parameters, multiply–accumulates at batch 1 and the usual
input, and the settings that `--set` takes. `convcalc networks` prints the list, `convcalc summary NAME` one network.
Attribute names are torchvision's where it has the network; its stochastic depth, which does nothing outside training,
has no layer here.
"""


def page_of_the_zoo() -> str:
    """Return the page of the documentation that describes all networks."""
    families = groupby(zoo.names(), lambda name: zoo.entry(name).build.__module__)
    return "\n".join([HEAD, *[family(module, list(names)) for module, names in families]])


def family(module: str, names: list[str]) -> str:
    """Return the section on a family: the docstring of its file, its networks, and a line on each."""
    title, _, text = (import_module(module).__doc__ or "").strip().partition("\n")
    lines = [f"## {title.rstrip('.')}", text.rstrip(), ""]
    lines += ["| network | parameters | MACs | input | settings |", "|---|---:|---:|---|---|"]
    for name in names:
        row = measure(name)
        shown = [f"`{name}`", show_count(row.params), show_count(row.macs), show_shape(row.input)]
        settings = ", ".join(f"`{name}={default!r}`" for name, default in zoo.entry(name).settings.items())
        lines.append(f"| {' | '.join([*shown, settings])} |")
    return "\n".join([*lines, "", *[f"- `{name}`: {zoo.entry(name).doc}" for name in names], ""])


def test_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--regenerate"):
        PAGE.write_text(page_of_the_zoo(), encoding="utf-8")
    stale = "docs/zoo.md is stale: pytest tests/test_networks.py --regenerate"
    assert PAGE.read_text(encoding="utf-8") == page_of_the_zoo(), stale


def test_page_describes_every_network() -> None:
    page = page_of_the_zoo()
    for name in zoo.names():
        assert f"| `{name}` |" in page
        assert zoo.entry(name).doc in page


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "yolov3", "densenet121", "segnet"])
def test_totals_are_the_summarys(name: str) -> None:
    row, report = measure(name), summary(name)
    assert (row.params, row.macs) == (report.totals["params"], report.totals["macs"])
    assert row.input == next(iter(report.graph.inputs.values()))[1:]


def test_list_for_scripts() -> None:
    rows = json.loads(run("networks", "vgg1?", "--format", "json").stdout)
    assert [row["network"] for row in rows] == ["vgg11", "vgg13", "vgg16", "vgg19"]
    assert rows[2] == {
        "network": "vgg16",
        "params": 138_357_544,
        "macs": 15_470_264_320,
        "input": [3, 224, 224],
        "paper": "Simonyan and Zisserman 2014, arXiv:1409.1556",
    }
    assert run("networks", "vgg16", "--format", "csv").stdout.splitlines()[1].startswith("vgg16,138357544,15470264320,")


def test_papers_are_cut_to_the_terminal() -> None:
    text = networks("vgg*").to_text(width=80)
    assert max(map(len, text.splitlines())) == 80
    assert "Simonyan and Zisserman 2…" in text
    assert "…" not in str(networks("vgg*"))


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["resnet5"], "UnknownName: no network matches 'resnet5'\n  did you mean resnet50, "),
        (["restnet*"], "UnknownName: no network matches 'restnet*'\n  did you mean resnet"),
        (["vgg16", "--format", "gitub"], "UnknownName: no format is called 'gitub'\n  did you mean github?\n"),
    ],
)
def test_errors(arguments: list[str], text: str) -> None:
    result = run("networks", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(text)


SHARED = {"blocks", "settings"}

KIN = {
    "inception_v4": {"inception"},
    "nin": {"alexnet"},
    "resnext": {"resnet"},
    "segmentation": {"mobilenet", "resnet"},
    "swin_v2": {"swin"},
    "video_resnet": {"googlenet"},
}
"""Families built from others' blocks, whose files they also import; all others import one file and what is shared."""


def test_one_network_imports_one_family() -> None:
    families = {family: name for name, family in zoo._find_families().items()}
    code = (
        "import sys\nfrom convcalc import zoo\n"
        "for name in sys.argv[1:]:\n"
        "    for module in [m for m in sys.modules if m.startswith('convcalc.zoo.')]:\n"
        "        del sys.modules[module]\n"
        "    zoo.load(name)\n"
        "    print(*[m.removeprefix('convcalc.zoo.') for m in sys.modules if m.startswith('convcalc.zoo.')])"
    )
    command = [sys.executable, "-c", code, *families.values()]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for family, line in zip(families, lines, strict=True):
        assert set(line.split()) - SHARED <= {family} | KIN.get(family, set()), family
        assert KIN.get(family, set()) <= set(line.split())


def test_files_of_the_zoo_are_short_and_know_no_metric() -> None:
    for path in ZOO.glob("*.py"):
        text = path.read_text()
        assert text.count("\n") <= 155, path.name
        assert "convcalc.analysis" not in text, path.name
