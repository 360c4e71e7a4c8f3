"""Comparisons: how layers are paired, what differs, totals, formats, and the time it takes."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.analysis.count import compare as alignment
from convcalc.analysis.count.compare import CHANGES, Comparison, compare
from convcalc.analysis.count.report import Report, analyze
from convcalc.errors import SpecError
from convcalc.network.trace import trace
from convcalc.questions.summary import summary
from convcalc.views.comparison import MARKS, write
from convcalc.views.table import formats
from tests.test_cli import in_terminal, run
from tests.test_light_imports import HEAVY, loaded
from tests.work import count_calls


def net(*layers: nn.Layer, shape: tuple[int, ...] = (1, 8, 32, 32)) -> Report:
    return analyze(trace(nn.Sequential(*layers), shape))


def named(shape: tuple[int, ...] = (1, 8, 32, 32), **layers: nn.Layer) -> Report:
    def forward(x: Any) -> Any:
        for name in layers:
            x = getattr(model, name)(x)
        return x

    model = nn.Module()
    for name, layer in layers.items():
        setattr(model, name, layer)
    model.forward = forward  # type: ignore[method-assign]
    return analyze(trace(model, shape))


def conv(c: int, k: int = 3, of: int = 8) -> nn.Layer:
    return nn.Conv2d(of, c, k, padding=k // 2)


def describe(comparison: Comparison) -> list[str]:
    """Describe each pair in a word or two."""
    return [f"{MARKS[p.change]}{p.a.name if p.a else ''}/{p.b.name if p.b else ''}" for p in comparison.pairs]


def test_equal_networks_do_not_differ() -> None:
    both = compare(summary("resnet18"), summary("resnet18"))
    assert set(describe(both)) == {f"{row.name}/{row.name}" for row in both.a.rows}
    assert all(total.delta.value == 0 for total in both.totals.values())
    assert write(both, "csv") == (
        "change,layer_a,layer_b,spec_a,spec_b,output_shape_a,output_shape_b,params_a,params_b,flops_a,flops_b,rf_a,rf_b"
    )
    assert "Rows        69 same\n" in write(both)


def test_an_inserted_layer_leaves_other_pairs_alone() -> None:
    a = net(conv(8, 3), nn.ReLU(), conv(8, 5), nn.ReLU(), conv(8, 1), nn.ReLU())
    b = net(conv(8, 7), nn.ReLU(), conv(8, 3), nn.ReLU(), conv(8, 5), nn.ReLU(), conv(8, 1), nn.ReLU())
    assert [p.change for p in compare(a, b).pairs][:2] == ["added", "added"]
    assert [(p.a.name, p.b.name) for p in compare(a, b).pairs[2:] if p.a and p.b] == [
        (str(i), str(i + 2)) for i in range(6)
    ]


def test_shapes_without_a_field_are_renames() -> None:
    """A renamed layer is one whose facts are the same; a layer before it that changes its field is not."""
    one, two = named(a=conv(8), b=nn.ReLU(), c=conv(8, 5)), named(x=conv(8), y=nn.ReLU(), z=conv(8, 5))
    assert describe(compare(one, two)) == ["=a/x", "=b/y", "=c/z"]
    assert compare(one, two).counts == {"added": 0, "removed": 0, "changed": 0, "renamed": 3, "same": 0}


def test_doubled_widths_are_changes_not_moves() -> None:
    def widths(c: int) -> Report:
        layers = [conv(c), nn.ReLU(), conv(2 * c, of=c), nn.ReLU(), conv(4 * c, of=2 * c), nn.ReLU()]
        return net(*layers)

    assert describe(compare(widths(16), widths(32))) == [f"~{i}/{i}" for i in range(6)]


def test_names_distinguish_equal_layers() -> None:
    one = named(first=conv(8), second=conv(8))
    two = named(zeroth=conv(8), first=conv(8), second=conv(8))
    assert describe(compare(one, two)) == ["+/zeroth", "~first/first", "~second/second"]  # their fields are larger
    assert describe(compare(two, one)) == ["-zeroth/", "~first/first", "~second/second"]


def test_another_kind_under_the_same_name_is_a_change() -> None:
    one, two = (
        named(conv=conv(8), act=nn.ReLU(), pool=nn.MaxPool2d(2)),
        named(conv=conv(8), act=nn.GELU(), pool=nn.MaxPool2d(2)),
    )
    assert describe(compare(one, two)) == ["conv/conv", "~act/act", "pool/pool"]
    assert "ReLU() → GELU()" in write(compare(one, two))


def test_another_input_is_a_change() -> None:
    text = "a = conv(8, 3, padding=1); b = relu(); c = relu(); {} + c"
    a, b = (summary(text.format(name), "8x8x8") for name in "ab")
    both = compare(a, b)
    assert [p.change for p in both.pairs] == ["same", "same", "same", "changed"]
    assert "Add; its input a, c → b, c" in write(both)


def test_an_inserted_layer_is_not_a_change_of_input() -> None:
    a = net(conv(8), nn.Conv2d(8, 8, 1))
    b = net(conv(8), nn.ReLU(), nn.Conv2d(8, 8, 1))
    assert describe(compare(a, b)) == ["0/0", "+/1", "=1/2"]


def test_growing_by_blocks() -> None:
    both = compare(summary("resnet50"), summary("resnet101"))
    added = {".".join(p.b.path.split(".")[:2]) for p in both.pairs if p.b and not p.a}
    assert added == {f"layer3.{i}" for i in range(6, 23)}
    assert both.counts["removed"] == both.counts["renamed"] == 0
    changed = {p.b.path.split(".")[0] for p in both.pairs if p.change == "changed" and p.b}
    assert changed == {"layer4"}  # whose receptive fields grow


def test_depth_folds() -> None:
    both = compare(summary("resnet18"), summary("resnet34"), depth=1)
    assert describe(both) == ["conv1/conv1", "bn1/bn1", "relu/relu", "maxpool/maxpool"] + [
        f"~layer{i}/layer{i}" for i in range(1, 5)
    ] + ["avgpool/avgpool", "flatten/flatten", "fc/fc"]
    with pytest.raises(SpecError, match="depth must be at least 0; received -1"):
        compare(both.a, both.b, -1)


def test_layers_never_called_are_compared_too() -> None:
    both = compare(summary("googlenet"), summary("googlenet", settings={"num_classes": 10}))
    assert "~(never called)/(never called)" in describe(both)
    rows = [p for p in both.pairs if p.change != "same"]
    assert sum((p.b.params - p.a.params) for p in rows if p.a and p.b) == both.totals["params"].delta.value


LAYERS = st.sampled_from([conv(8), conv(8, 5), nn.ReLU(), nn.Tanh(), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1, bias=False)])


@given(st.lists(LAYERS, max_size=12), st.lists(LAYERS, max_size=12))
def test_every_row_once_and_in_order(one: list[nn.Layer], two: list[nn.Layer]) -> None:
    a, b = net(*one), net(*two)
    both = compare(a, b)
    assert [p.a for p in both.pairs if p.a] == list(a.rows)
    assert [p.b for p in both.pairs if p.b] == list(b.rows)
    assert all(p.a or p.b for p in both.pairs)
    assert sum(both.counts.values()) == len(both.pairs)
    for name in ("params", "macs", "flops"):  # what the rows gain is what the total gains
        gained = sum((getattr(p.b, name) if p.b else 0) - (getattr(p.a, name) if p.a else 0) for p in both.pairs)
        assert gained == both.totals[name].delta.value


@given(st.lists(LAYERS, min_size=1, max_size=7), st.lists(LAYERS, min_size=1, max_size=7))
def test_no_pairing_is_better(one: list[nn.Layer], two: list[nn.Layer]) -> None:
    """Compare with the best of all possible pairings."""
    a, b = net(*one).rows, net(*two).rows

    def like(x: Any, y: Any) -> int:
        alike = x.layer == y.layer and x.input_shapes == y.input_shapes and x.output_shape == y.output_shape
        score = 4 if alike else 2 if x.layer == y.layer else int(x.type == y.type)
        named = (2 if score else 1) if x.name == y.name else 0
        return score * (1 if x.spec.endswith("()") else 2) + named

    def best(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        if (i, j) not in known:
            known[i, j] = max(best(i + 1, j), best(i, j + 1), best(i + 1, j + 1) + like(a[i], b[j]))
        return known[i, j]

    known: dict[tuple[int, int], int] = {}
    assert sum(like(x, y) for x, y in alignment.align(a, b) if x and y) == best(0, 0)


@given(st.lists(LAYERS, max_size=12), st.lists(LAYERS, max_size=12))
def test_long_networks_are_cut_at_anchors(one: list[nn.Layer], two: list[nn.Layer]) -> None:
    a, b = net(*one).rows, net(*two).rows
    most = alignment.MOST_CELLS
    alignment.MOST_CELLS = 4
    try:
        pairs = alignment.align(a, b)
    finally:
        alignment.MOST_CELLS = most
    assert [x for x, _ in pairs if x] == list(a)
    assert [y for _, y in pairs if y] == list(b)


def chain(n: int, seed: int) -> Report:
    draw = random.Random(seed)
    layers: list[nn.Layer] = []
    for _ in range(n // 4):
        k = draw.choice((1, 3, 5))
        layers += [conv(8, k), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(draw.random() * 0.9)]
    return net(*layers)


CALLS = 500_000  # of functions: 80 to 150 for each row, where every row against every row would make millions


def test_a_thousand_calls_take_little_work() -> None:
    a, b = chain(1000, 1), chain(1000, 2)
    assert (len(a.rows), len(b.rows)) == (1000, 1000)
    assert count_calls(lambda: write(compare(a, b), "json", every=True)) < CALLS


def test_longer_networks_take_no_more_for_each_row() -> None:
    a, b = chain(3000, 1), net(conv(8), *[row.layer for row in chain(3000, 1).rows if row.layer])
    assert len(a.rows) * len(b.rows) > alignment.MOST_CELLS
    assert count_calls(lambda: compare(a, b)) < CALLS
    both = compare(a, b)
    assert (both.counts["added"], both.counts["removed"]) == (1, 0)


LETTERS = ("conv(C, 3, padding=1); conv(C, 3, padding=1)", "conv(C, 5, padding=2)")


def test_two_small_kernels_against_a_large_one() -> None:
    result = run("compare", *LETTERS, "--input", "CxHxW")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = {line.split("  ")[0]: re.split(r"  +", line) for line in result.stdout.splitlines()}
    assert lines["Params"] == ["Params", "18·C² + 2·C", "25·C² + C", "+7·C² - C"]
    assert lines["MACs"] == ["MACs", "18·C²·H·W", "25·C²·H·W", "+7·C²·H·W"]
    assert lines["RF"] == ["RF", "5", "5", "same"]
    assert lines["Depth"] == ["Depth", "2", "1", "-1", "-50.0%"]
    a, b = (summary(text, "CxHxW") for text in LETTERS)
    assert a.rows[-1].output_shape == b.rows[-1].output_shape


def test_cells_that_differ() -> None:
    result = run(
        "compare", *LETTERS, "--input", "64x56x56", "--set", "C=64", "--columns", "layer,type,spec,input_shape,macs,rf"
    )
    assert result.stdout.splitlines()[3:7] == [
        "    Layer    Type    Spec                                  Input shape                         MACs     RF",
        "--  -------  ------  ------------------------------------  -------------  -------------------------  -----",
        "~   conv1    Conv2d  Conv2d: kernel_size 3→5, padding 1→2  64 x 56 x 56   115,605,504 → 321,126,400  3 → 5",
        "-   conv2    Conv2d  Conv2d(64, 64, 3, padding=1)          64 x 56 x 56                 115,605,504      5",
    ]


def test_all_shows_what_is_the_same() -> None:
    text = run("compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--all").stdout
    assert "\n    conv1    Conv2d " in text
    assert "\n~   fc3      Linear: out_features 10→26  10→26 " in text


def test_json() -> None:
    document = json.loads(run("compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--format", "json").stdout)
    assert document["schema_version"] == 1
    assert document["counts"] == {"added": 0, "removed": 0, "changed": 1, "renamed": 0, "same": 11}
    assert [(row["change"], row["a"]["params"], row["b"]["params"]) for row in document["rows"]] == [
        ("changed", 850, 2210)
    ]
    assert document["totals"]["params"] == {
        "a": {"value": 61706, "complete": True},
        "b": {"value": 63066, "complete": True},
        "delta": 1360,
        "percent": pytest.approx(100 * 1360 / 61706),
    }
    every = json.loads(run("compare", "lenet5", "lenet5", "--all", "--format", "json").stdout)
    assert [row["change"] for row in every["rows"]] == ["same"] * 12
    letters = json.loads(run("compare", *LETTERS, "--input", "CxHxW", "--format", "json").stdout)
    assert letters["totals"]["params"]["delta"] == "7*C**2 - C"
    assert letters["rows"][1]["b"] is None


def test_csv() -> None:
    text = run("compare", "vgg11", "vgg11_bn", "--format", "csv", "--columns", "layer,params").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0] == {"change": "added", "layer_a": "", "layer_b": "features.1", "params_a": "", "params_b": "128"}
    assert rows[1] == {
        "change": "renamed", "layer_a": "features.1", "layer_b": "features.2", "params_a": "0", "params_b": "0",
    }  # fmt: skip


class Strange(nn.Layer):
    """A kind whose work is unknown."""


def test_incomplete_numbers_have_no_difference() -> None:
    both = compare(net(conv(8)), net(conv(8), Strange()))
    assert both.totals["macs"].delta.value is None
    assert both.totals["params"].delta.value == 0
    text = write(both)
    assert re.search(r"^MACs +589,824 +≥ 589,824 +\?$", text, re.MULTILINE)
    assert "Note on B   work unknown, so totals are lower bounds: 1" in text


def test_every_format_writes() -> None:
    both = compare(summary("lenet5"), summary("lenet5", settings={"num_classes": 26}))
    for name in formats():
        assert "fc3" in write(both, name), name


def test_small_growth_is_not_rounded_to_nothing() -> None:
    text = write(compare(summary("vgg11"), summary("vgg11_bn")))
    assert re.search(r"^Params +132,863,336 +132,868,840 +\+5,504 +\+0.004%$", text, re.MULTILINE)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "command",
    [
        ("vgg11", "vgg11_bn"),
        ("densenet121", "densenet161"),
        ("resnet50", "wide_resnet50_2", "--depth", "2", "--all"),
        (*LETTERS, "--input", "CxHxW", "--batch", "N"),
    ],
    ids=lambda command: command[1],
)
def test_table_fits_the_terminal(command: tuple[str, ...], width: int) -> None:
    text = in_terminal(width, "compare", *command)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


ERRORS = {
    ("lenet5",): "UsageError: Missing argument 'B'.\n  see `convcalc compare --help`",
    ("lenet5", "xyzzy"): """\
UnknownName: no network is called 'xyzzy'
  this is network B
  `convcalc networks` lists them all""",
    ("lenet5", "lenet5", "--input", "3x32x32"): """\
ShapeError: conv1 = Conv2d(1, 6, 5): expected 1 channels (in_channels), received 3
  input 3 x 32 x 32 from input
  this is network A""",
    ("lenet5", "lenet5", "--input-b", "3x32x32"): """\
ShapeError: conv1 = Conv2d(1, 6, 5): expected 1 channels (in_channels), received 3
  input 3 x 32 x 32 from input
  this is network B""",
    ("lenet5", "lenet5", "--format", "jsn"): """\
UnknownName: no format is called 'jsn'
  did you mean json?""",
    ("lenet5", "lenet5", "--columns", "layr"): """\
UnknownName: no column is called 'layr'
  did you mean layer?""",
    ("lenet5", "lenet5", "--format", "json", "--columns", "layer"): """\
SpecError: json always has every number
  columns are for tables and csv""",
    ("lenet5", "lenet5", "--depth", "-1"): "SpecError: depth must be at least 0; received -1",
}


@pytest.mark.parametrize("command", ERRORS, ids=" ".join)
def test_error(command: tuple[str, ...]) -> None:
    result = run("compare", *command)
    assert (result.stdout, result.stderr, result.exit_code) == ("", ERRORS[command] + "\n", 2)


def test_numbers_are_compared_without_sympy() -> None:
    assert not loaded("compare", "resnet18", "resnet34", "--max-params", "+5%") & HEAVY


def test_there_is_a_mark_for_each_change() -> None:
    assert tuple(MARKS) == CHANGES
