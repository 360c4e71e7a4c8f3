"""`export` and `fmt`: pictures that parse, JSON that reads back, sheets in a stable layout with the same meaning."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn, trace, zoo
from convcalc.algebra.symbolic import symbol
from convcalc.cli import main
from convcalc.errors import ConvcalcError, SpecError, UnknownName
from convcalc.formats.json.read import read_json, read_layer
from convcalc.formats.picture import write_dot, write_mermaid
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.tidy import tidy
from convcalc.formats.sheet.write import first_difference, write_spec
from convcalc.network.graph import Graph
from convcalc.questions.export import write_graph as export
from convcalc.questions.summary import summary
from tests.mutated_sheets import mutated
from tests.random_networks import Network, Plan, plans


def convcalc(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=text)


def graph_of(name: str) -> Graph:
    model, shape = zoo.load(name)
    return trace(model, (1, *shape))


# pictures

DOT_LINE = re.compile(
    r"""\s*(?:digraph\ "(?:[^"\\]|\\.)*"\ \{ | subgraph\ "(?:[^"\\]|\\.)*"\ \{ | \} | label="(?:[^"\\]|\\.)*";
    | node\ \[shape=box,\ fontname="Helvetica"\]; | [ino]\d+\ \[label="(?:[^"\\]|\\.)*"(?:,\ shape=oval)?\];
    | [in]\d+\ ->\ [no]\d+; )""",
    re.VERBOSE,
)
MERMAID_LINE = re.compile(
    r"""flowchart\ TD | \s*(?: [in]\d+\ -->\ [no]\d+ | n\d+\["[^"<>`]*(?:<br>[^"<>`]*)*"\]
    | [io]\d+\(\["[^"<>`]*(?:<br>[^"<>`]*)*"\]\)
    | subgraph\ m\d+_\d+\["[^"<>`]*"\] | end )""",
    re.VERBOSE,
)


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "googlenet", "vit_b_32", "densenet121"])
def test_pictures_are_well_formed(name: str) -> None:
    graph = graph_of(name)
    dot, mermaid = write_dot(graph, name).split("\n"), write_mermaid(graph).split("\n")
    assert [line for line in dot if not DOT_LINE.fullmatch(line)] == []
    assert [line for line in mermaid if not MERMAID_LINE.fullmatch(line)] == []
    assert sum(line.endswith("{") for line in dot) == sum(line.strip() == "}" for line in dot)
    assert sum("subgraph" in line for line in mermaid) == sum(line.strip() == "end" for line in mermaid)
    edges = sum(len(node.inputs) for node in graph.nodes) + len(graph.outputs)
    assert sum(" -> " in line for line in dot) == sum(" --> " in line for line in mermaid) == edges
    frames = {node.path.rpartition(".")[0] for node in graph.nodes} - {""}
    assert frames - {line.split('"')[1].removeprefix("cluster_") for line in dot if "subgraph" in line} == set()
    declared = re.findall(r"^\s*(n\d+)\[", "\n".join(mermaid), re.MULTILINE)
    assert sorted(declared) == sorted(f"n{i}" for i in range(len(graph.nodes)))


def test_pictures_escape_names() -> None:
    layer = nn.Conv2d(3, 4, 3, padding_mode="reflect")
    graph = Graph({'a "b" \\ <c>': (1, 3, 8, 8)}, (), ('a "b" \\ <c>',))
    assert '[label="a \\"b\\" \\\\ <c>\\n3 x 8 x 8", shape=oval]' in write_dot(graph, 'x"y')
    assert '["a #quot;b#quot; \\ #lt;c#gt;<br>3 x 8 x 8"]' in write_mermaid(graph)
    assert "padding_mode='reflect'" in write_dot(trace(layer, (1, 3, 8, 8)))


# JSON


@pytest.mark.parametrize("name", zoo.names())
def test_json_reads_back(name: str) -> None:
    graph = graph_of(name)
    assert read_json(export(graph, "json", name)) == graph


@given(plans())
def test_random_json_reads_back(plan: Plan) -> None:
    graph = trace(Network(plan), plan.shapes[0])
    assert read_json(export(graph, "json")) == graph


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "googlenet", "swin_t", "fcn_resnet50"])
def test_a_report_reads_back(name: str) -> None:
    report = summary(name)
    assert first_difference(report.graph, read_json(report.to_text("json"))) == ""


def test_json_takes_other_inputs_and_letters(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    assert convcalc("export", "resnet18", "--to", "json", "-o", str(file), "--input", "3xHx64").exit_code == 0
    text = file.read_text()
    assert json.loads(text)["schema_version"] == 1
    assert read_json(text).inputs == {"input": (1, 3, symbol("H"), 64)}
    assert summary(str(file), "3x64x64").totals["macs"] == summary("resnet18", "3x64x64").totals["macs"]
    exported = convcalc("export", str(file), "--input", "3x64x64", "--to", "torch")
    assert exported.output == convcalc("export", "resnet18", "--input", "3x64x64", "--to", "torch").output


WRONG = {
    "not JSON": ("{", "this is not JSON: Expecting property name enclosed in double quotes"),
    "no version": ("{}", "expected a network's JSON, with a schema_version"),
    "a list": ("[1]", "expected a network's JSON, with a schema_version"),
    "another version": ('{"schema_version": 2}', "schema_version 2 is unknown; this convcalc reads 1"),
    "true as a version": ('{"schema_version": true}', "schema_version true is unknown; this convcalc reads 1"),
    "no rows": ('{"schema_version": 1}', "network: rows: expected a list; received null"),
    "nested": ("[" * 100_000, "this is not JSON"),
}


@pytest.mark.parametrize("text,expected", WRONG.values(), ids=WRONG.keys())
def test_wrong_documents(text: str, expected: str) -> None:
    with pytest.raises(SpecError) as error:
        read_json(text)
    assert expected in str(error.value)


def changed(row: int = 0, **values: Any) -> str:
    """Return the JSON of LeNet-5 with other values in a row."""
    document = json.loads(export(graph_of("lenet5"), "json", "lenet5"))
    document["rows"][row].update(values)
    return json.dumps(document)


WRONG_ROWS = {
    "kind": ({"spec": "Conv9d(1, 6, 5)"}, "cannot read the layer 'Conv9d(1, 6, 5)': there is no layer called 'Conv9d'"),
    "code": ({"spec": "__import__('os').system('x')"}, "cannot read the layer \"__import__('os').system('x')\""),
    "a sheet's name": ({"spec": "conv(3, 3)"}, "cannot read the layer 'conv(3, 3)': there is no layer called 'conv'"),
    "no list": ({"inputs": "input"}, "network: row 1: inputs: expected a list"),
    "an empty name": ({"path": "a..b"}, "network: 'a..b' is not a path"),
    "inside a layer": ({"path": "conv2.a"}, "network: 'conv2.a' is inside 'conv2', which is a layer"),
    "not a layer": ({"spec": "3"}, "cannot read the layer '3': it is not a layer"),
    "syntax": ({"spec": "Conv2d(1, 6"}, "cannot read the layer 'Conv2d(1, 6'"),
    "argument": ({"spec": "Conv2d(1, 6, 0)"}, "kernel_size must be at least 1; received 0"),
    "input": ({"inputs": ["nowhere"]}, "'nowhere' is neither an input nor an earlier row"),
    "shape": ({"output_shape": [1, 6, 27, 28]}, "the output_shape is [1, 6, 28, 28]; the file says [1, 6, 27, 28]"),
    "type": ({"path": 3}, "path: expected a string; received 3"),
    "channels": ({"spec": "Conv2d(3, 6, 5)"}, "expected 3 channels (in_channels), received 1"),
}


@pytest.mark.parametrize("values,expected", WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_wrong_rows(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(Exception) as error:
        document = json.loads(changed(**values))
        if isinstance(path := values.get("path"), str):
            text = json.dumps(document["graph"])
            document["graph"] = json.loads(text.replace('"conv1"', json.dumps(path)))
            document["rows"][1]["inputs"] = [path]
        read_json(json.dumps(document))
    assert error.value.title in ("SpecError", "ShapeError")
    assert expected in str(error.value)


DOCUMENT = json.loads(export(graph_of("lenet5"), "json", "lenet5"))
ODD = [None, True, -1, 0, 10**400, 1.5, "", "x", "H", "Linear(400, 120)", "Parameter(3)", "LSTM(3, 4)", [], {}, [[]]]
ODD += ["Output(LSTM(3, 4), 'h_n')", "Slice((slice(None),))", "(" * 5000, "Conv2d(**{})", "Conv2d(1, 2, H)", ["input"]]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@given(st.sampled_from(list(places(DOCUMENT))), st.sampled_from(ODD))
def test_any_change_of_a_document_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    changed = at = json.loads(json.dumps(DOCUMENT))
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with suppress(ConvcalcError):
        read_json(json.dumps(changed))


@given(plans())
def test_a_layer_reads_back_from_its_text(plan: Plan) -> None:
    for layer, _ in plan.calls:
        assert read_layer(repr(layer)) == layer


# fmt

SHEET = """\
# tinyunet.net
C = 16  # a constant
input(3, H, W)

def double(c):  # a block
    # what repeats
    for i in range(2):
        conv(c, 3, padding=1)
        relu()
        # end of the loop

    # end of the block

e1 = double(C)
maxpool(2)
if C == 16:
    relu()  # why not
elif C > 16:
    gelu()
else:
    # nothing
    silu()
up = convT(C, 2, stride=2)
cat(up, e1)
mask = conv(1, 1)(up)
# the end
"""

UNTIDY = """\

# tinyunet.net
C=16 # a constant
input( 3,H,W )


def double( c ): # a block
  # what repeats
  for i in range(2):
    nn_free = 1; conv(c,3,padding = 1,stride=1)
    relu(inplace=False)
    # end of the loop

  # end of the block
e1 = double(C)
nn.MaxPool2d((2,2))
if C==16 :
  relu() # why not
elif C>16:
  gelu()
else :
    # nothing
    silu()
up = convT(C,2,2)
cat(up,e1)
mask=conv(kernel_size=1,
   # a comment inside
   out_channels=1)(up)
# the end"""

TIDIED = (
    SHEET.replace("        conv(c, 3", "        nn_free = 1\n        conv(c, 3")
    .replace("maxpool(2)", "MaxPool2d(2)")
    .replace("mask", "# a comment inside\nmask")
)


def test_a_tidy_sheet_stays() -> None:
    assert tidy(SHEET) == SHEET


def test_an_untidy_sheet_is_tidied() -> None:
    assert tidy(UNTIDY) == TIDIED
    assert tidy(TIDIED) == TIDIED
    assert first_difference(read_spec(UNTIDY).graph, read_spec(TIDIED).graph) == ""


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "vit_b_32", "swin_t", "googlenet", "wavenet"])
def test_what_is_exported_is_tidy(name: str) -> None:
    text = export(graph_of(name), "net", name) + "\n"
    assert tidy(text) == text


@given(plans())
def test_random_sheets_are_tidy(plan: Plan) -> None:
    text = write_spec(trace(Network(plan), plan.shapes[0])) + "\n"
    assert tidy(text) == text


def test_an_error_is_not_hidden_by_tidying() -> None:
    for text in (
        "conv(64, (3, 3, 3))\n",
        "conv(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3)\n",
        "conv(c=3)\n",
        "maxpool(2, kernel_size=2)\n",
        "conv(4, 3, padding=3, padding='same')\n",
    ):
        assert tidy(text) == text


@given(st.integers(0, 2**32))
def test_tidying_any_text_keeps_its_meaning(seed: int) -> None:
    text = mutated(random.Random(seed))
    try:
        tidied = tidy(text)
    except ConvcalcError:
        return
    assert tidy(tidied) == tidied
    before, after = read_or_none(text), read_or_none(tidied)
    assert (before is None) == (after is None)
    if before and after:
        assert first_difference(before, after) == ""
        assert before.state_dict() == after.state_dict()


def read_or_none(text: str) -> Graph | None:
    try:
        return read_spec(text).graph
    except ConvcalcError:
        return None


def test_fmt_command(tmp_path: Path) -> None:
    file = tmp_path / "net.net"
    file.write_text(UNTIDY)
    assert convcalc("fmt", str(file)).output == TIDIED
    checked = convcalc("fmt", str(file), "--check")
    assert (checked.exit_code, checked.stdout) == (1, "")
    assert "net.net is not in canonical layout" in checked.stderr
    assert convcalc("fmt", str(file), "--write").output == ""
    assert file.read_text() == TIDIED
    assert convcalc("fmt", str(file), "--check").exit_code == 0
    assert convcalc("fmt", "-", text="conv(6,5);relu()").output == "conv(6, 5)\nrelu()\n"
    assert convcalc("fmt", "conv(6,5)", "--write").exit_code == 2
    assert convcalc("fmt", "resnet50").stderr.startswith("SpecError: 'resnet50' is not a sheet")
    assert convcalc("fmt", "conv(6,").exit_code == 2
    assert convcalc("fmt", str(tmp_path / "none.net")).exit_code == 3


# export


def test_export_command(tmp_path: Path) -> None:
    file = tmp_path / "lenet.py"
    assert convcalc("export", "lenet5", "--to", "torch", "-o", str(file)).exit_code == 0
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "(1, 10)\n"
    assert convcalc("export", "lenet5", "--to", "net", "--set", "num_classes=7").output.endswith("linear(7)\n")
    assert convcalc("export", "conv(4, 3); relu()", "--input", "1x8x8", "--to", "dot").output.startswith("digraph")
    assert convcalc("export", "lenet5", "--to", "basic").exit_code == 2
    assert convcalc("export", "lenet5").exit_code == 2
    assert convcalc("export", "lenet5", "--to", "net", "-o", str(tmp_path / "no" / "x.net")).exit_code == 3
    letters = convcalc("export", "resnet18", "--input", "3xHxW", "--to", "torch")
    assert letters.exit_code == 2 and letters.stderr.startswith("UnsupportedOperation: torch code needs numbers")


def test_layers_that_are_never_called_are_named() -> None:
    assert "# never called, and therefore not on this sheet: aux1.conv.conv, aux1.conv.bn" in export(
        graph_of("googlenet"), "net"
    )


def test_unknown_target() -> None:
    with pytest.raises(UnknownName, match="cannot export to 'pytorch'"):
        export(graph_of("lenet5"), "pytorch")


def test_a_document_has_an_output() -> None:
    document = json.loads(changed())
    document["graph"]["outputs"] = []
    with pytest.raises(SpecError, match="network: outputs: expected at least one output"):
        read_json(json.dumps(document))


def test_a_document_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(changed(), "utf-8-sig")
    assert summary(str(file)).network == "lenet5"


def test_odd_text_is_written(tmp_path: Path) -> None:
    document = json.loads(changed())
    document["network"] = "\ud800"
    (tmp_path / "net.json").write_text(json.dumps(document))
    for target in ("torch", "net", "json", "dot", "mermaid"):
        done = convcalc("export", str(tmp_path / "net.json"), "--to", target, "-o", str(tmp_path / "out"))
        assert done.exit_code == 0, target
