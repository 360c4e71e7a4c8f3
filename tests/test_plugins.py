"""Plugins: an installed package adds to the command line through its entry point, and fails in a paragraph."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

import convcalc as cc
from convcalc import nn, plugins, zoo
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import SpecError, UnknownName, UnsupportedOperation
from convcalc.layers.base import Shapes, Tensors, Work
from convcalc.questions import sources
from convcalc.questions.export import write_graph
from tests.outside import install, run

LAB = '''
from __future__ import annotations

import convcalc as cc
from convcalc import nn, zoo
from convcalc.questions.sources import Network, reader


class Scale(nn.Layer):
    """Multiply each channel by a learned number."""

    channels: int

    def weights(self):
        return {"weight": (self.channels,)}

    def work(self, inputs, output):
        return {"mul": output[0] * output[1] * output[2] * output[3]}


@zoo.network("our lab, 2026", input=(3, 32, 32))
def labnet(width: int = 8, in_channels: int = 3):
    """The lab's network."""
    return nn.Sequential(nn.Conv2d(in_channels, width, 3), Scale(width))


@reader
def read_widths(source, settings):
    """A file of widths: 784-300-10."""
    if not (isinstance(source, str) and source.endswith(".widths")):
        return None
    with open(source) as file:
        widths = list(map(int, file.read().split("-")))
    model = nn.Sequential(*[nn.Linear(a, b) for a, b in zip(widths, widths[1:])])
    return Network(source, lambda *shapes: cc.trace(model, *shapes), [(widths[0],)])
'''


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a folder in which a plugin is installed."""
    (tmp_path / "lab.py").write_text(LAB)
    install(tmp_path, "convcalc-lab", {"lab": "lab"})
    return tmp_path


def printed(folder: Path, *arguments: str) -> str:
    """Return what the command prints where it succeeds."""
    done = run(folder, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_network_of_a_plugin(lab: Path) -> None:
    assert printed(lab, "summary", "labnet", "--format", "csv").splitlines()[1:] == [
        "0,Conv2d,8x30x30,224,388800,3",
        "1,Scale,8x30x30,8,0,3",
    ]
    assert "8,30,30" in printed(lab, "summary", "labnet", "--format", "json").replace(" ", "")
    assert "Total params          116" in printed(lab, "summary", "labnet", "--set", "width=4")
    assert "labnet,232,194400,3x32x32" in printed(lab, "networks", "*net*", "--format", "csv")
    assert "did you mean labnet" in run(lab, "summary", "labnett").stderr


def test_reader_of_a_plugin(lab: Path) -> None:
    (lab / "mlp.widths").write_text("784-300-10")
    assert "mlp.widths, input 784\n" in printed(lab, "summary", "mlp.widths")
    assert "Params" in printed(lab, "compare", "mlp.widths", "lenet5")


def test_a_plugin_that_fails_is_named_in_a_paragraph(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    install(tmp_path, "convcalc-broken", {"broken": "broken:nothing"})
    done = run(tmp_path, "summary", "lenet5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "PluginError: plugin broken: cannot be imported: ZeroDivisionError: division by zero\n"
        "  it is broken:nothing of convcalc-broken; repair it, or `pip uninstall convcalc-broken`\n"
    )


@pytest.mark.parametrize(
    ("module", "point", "why"),
    [
        ("", "broken:nothing", "AttributeError: "),
        ("import missing_library", "broken", "ModuleNotFoundError: No module named 'missing_library'"),
        ("def", "broken", "SyntaxError: "),
        ("", "other", "ModuleNotFoundError: No module named 'other'"),
        (
            "from convcalc import zoo\n@zoo.network()\ndef vgg16(): ...",
            "broken",
            "SpecError: network vgg16: the zoo already has",
        ),
    ],
)
def test_whatever_a_plugin_raises_ends_in_a_paragraph(tmp_path: Path, module: str, point: str, why: str) -> None:
    (tmp_path / "broken.py").write_text(module)
    install(tmp_path, "convcalc-broken", {"broken": point})
    done = run(tmp_path, "networks")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"PluginError: plugin broken: cannot be imported: {why}")
    assert "Traceback" not in done.stderr


def test_other_packages_entry_points_are_none_of_ours(tmp_path: Path) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nother = missing:main\n")
    assert run(tmp_path, "summary", "lenet5").returncode == 0


def test_entry_points_are_looked_for_where_importlib_looks() -> None:
    files = {Path(path).resolve() for path in plugins._metadata() if Path(path).exists()}
    known = {Path(str(d.locate_file(""))).resolve() for d in distributions() if d.read_text("entry_points.txt")}
    assert {path.parent.parent for path in files} == known


def test_python_imports_no_plugin_unasked(lab: Path) -> None:
    code = "import sys, convcalc as cc; cc.summary('lenet5'); print('lab' in sys.modules)\n"
    code += "from convcalc import plugins; print(plugins.load(), 'lab' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=lab,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": f"{lab}:{Path(plugins.__file__).parent.parent}"},
    )
    assert done.stdout == "False\n('lab',) True\n"


# Kinds of layers from outside


def test_a_kind_is_read_on_sheets_and_in_documents_from_its_definition_on(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="there is no layer called 'rescale'"):
        cc.summary("rescale()", "3x4x4")

    class Rescale(nn.Layer):
        channels: Dim
        infers = {"channels": 1}  # noqa: RUF012

        def weights(self) -> Tensors:
            return {"weight": (self.channels,)}

        def work(self, inputs: Shapes, output: Shape) -> Work:
            return {}

    graph = cc.summary("conv(8, 3); rescale()", "3x4x4").graph
    assert write_graph(graph, "net").endswith("conv(8, 3)\nrescale()")
    (tmp_path / "net.json").write_text(write_graph(graph, "json"))
    assert cc.summary(str(tmp_path / "net.json")).totals["params"] == 224 + 8
    with pytest.raises(UnsupportedOperation, match="torch has no layer for Rescale"):
        write_graph(graph, "torch")
    assert [line.split("(")[0] for line in str(cc.layers("*scale")).splitlines()] == ["Rescale"]


def test_a_kind_that_extends_ours_is_not_spelled_as_ours() -> None:
    class Attention(nn.MultiheadAttention):
        pass

    class Standardised2d(nn.Conv2d):
        pass

    assert Attention.sheet_name() == "attention"
    assert (Standardised2d.sheet_name(), Standardised2d.in_torch) == ("standardised", False)
    assert cc.summary("standardised(8, 3)", "3x4x4").rows[0].spec == "Standardised2d(3, 8, 3)"


def test_our_kinds_keep_their_names() -> None:
    class Conv2d(nn.Layer):
        pass

    class Bn(nn.Layer):
        pass

    report = cc.summary("conv(8, 3); Conv2d(8, 8, 1); bn()", "3x4x4")
    assert [type(node.layer) for node in report.graph.nodes] == [nn.Conv2d, nn.Conv2d, nn.BatchNorm2d]
    assert type(cc.summary("Bn()", "3x4x4").graph.nodes[0].layer) is Bn


def test_no_formula_is_shown_for_what_a_kind_computes_itself() -> None:
    class Widen(nn.Layer):
        width: int

        def output_shape(self, *inputs: Shape) -> Shape:
            return (*inputs[0][:-1], self.width)

        def work(self, inputs: Shapes, output: Shape) -> Work:
            return {"mac": 1}

    page = str(cc.layers("Widen"))
    assert "output size" not in page and "multiply–accumulates" not in page
    assert "parameters: none" in page and "receptive field: as the input's" in page


# What a decorator refuses


def test_a_network_from_outside_needs_defaults_and_annotations() -> None:
    def bare(width: int) -> nn.Module:
        raise AssertionError

    def odd(width: str = "8") -> nn.Module:
        raise AssertionError

    with pytest.raises(SpecError, match="network bare: setting 'width' has no default"):
        zoo.network()(bare)
    with pytest.raises(SpecError, match="must be annotated as int, float, Factor or bool; received str"):
        zoo.network()(odd)
    with pytest.raises(UnknownName):
        zoo.entry("bare")


def test_a_network_may_be_defined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "_OUTSIDE", {})
    for width in (8, 16):  # as a cell of a notebook that is run twice

        @zoo.network()
        def again(width: int = width) -> nn.Module:
            return nn.Sequential(nn.Conv2d(3, width, 3))

    assert zoo.entry("again").settings == {"width": 16}
    assert zoo.names("again") == ["again"]


def test_readers_from_outside_come_after_ours_and_before_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "READERS", dict(sources.READERS))
    asked: list[object] = []

    @sources.reader
    def everything(source: object, settings: object) -> None:
        asked.append(source)

    sources.read("conv(6, 5)")
    assert asked == []
    sources.read("lenet5")
    sources.read(nn.ReLU)
    assert asked == ["lenet5", nn.ReLU]
