"""Reports: totals against facts, ownership, completeness, receptive fields, memory, JSON."""

from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction
from typing import Any

import pytest
import sympy

import convcalc as cc
from convcalc import nn
from convcalc.algebra.field import Field
from convcalc.algebra.intervals import Axis
from convcalc.analysis.count import conventions, metrics
from convcalc.analysis.count.call import Call, Count
from convcalc.analysis.fields.flow import Extent, receptive_field
from convcalc.errors import ShapeError, SpecError, UnknownName
from convcalc.layers.base import OPS
from convcalc.questions.summary import summary
from convcalc.views.columns import rf_text, scaled
from convcalc.views.table import elided
from convcalc.views.write import write

FACTS = {
    "lenet5": {"params": 61706, "depth": 5, "macs": 416520},
    "alexnet": {"params": 61100840, "depth": 8, "macs": 714188480},
    "vgg16": {"params": 138357544, "depth": 16, "macs": 15470264320},
    "resnet50": {"params": 25557032, "buffers": 53173, "depth": 50, "macs": 4089184256, "flops": 8178368512},
    "resnet152": {"params": 60192808, "depth": 152},
    "googlenet": {"params": 13004888, "depth": 22},
}

FIELDS = {"alexnet": ("features.12", 195), "vgg16": ("features.30", 212), "resnet50": ("layer4.2.relu:2", 427)}


@pytest.mark.parametrize("network", FACTS)
def test_totals_are_the_known_ones(network: str) -> None:
    totals = summary(network).totals
    assert {name: totals[name] for name in FACTS[network]} == FACTS[network]
    assert totals["flops"] == 2 * totals["macs"]
    assert totals["rf"] == "global"


@pytest.mark.parametrize("network", FIELDS)
def test_receptive_fields_are_the_known_ones(network: str) -> None:
    name, size = FIELDS[network]
    field = summary(network)[name].rf
    assert field.size == (size, size)
    assert field.exact


class Shared(nn.Module):
    """One convolution called twice, and one that is never called."""

    def __init__(self) -> None:
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.aux = nn.Sequential(nn.Conv2d(4, 9, 1), nn.BatchNorm2d(9), nn.ReLU())

    def forward(self, x: Any) -> Any:
        """Return the convolution of the convolution."""
        return self.conv(self.conv(x))


def test_shared_weights_count_once_and_their_work_twice() -> None:
    report = summary(Shared(), (1, 4, 8, 8))
    assert [(row.name, row.call, row.params, row.macs) for row in report.rows] == [
        ("conv", 0, 148, 9216),
        ("conv:1", 1, 0, 9216),
    ]
    assert report["conv:1"].rf.size == (5, 5)
    assert report.depth == 2


def test_owned_but_never_called() -> None:
    report = summary(Shared(), (1, 4, 8, 8))
    assert report.totals["params"] == 148 + 45 + 18
    assert report.totals["buffers"] == 19
    assert report.uncalled is not None
    assert (report.uncalled.params, report.uncalled.type, report.uncalled.flops) == (63, "3 layers", 0)
    assert report.notes == (
        "never called, but counted among the parameters: aux.0, aux.1; without them 148 parameters",
    )
    assert "(never called)" in str(report)
    whole = nn.Sequential(nn.Conv2d(4, 4, 1))
    assert summary(whole, (1, 4, 8, 8)).notes == ()
    assert "never called" not in str(summary(whole, (1, 4, 8, 8)))


class Strange(nn.Layer):
    """A kind whose work is unknown."""

    def weights(self) -> dict[str, Any]:
        """Return the shape of three learned numbers."""
        return {"weight": (3,)}


def test_unknown_work_is_not_zero() -> None:
    report = summary(nn.Sequential(nn.Conv2d(4, 4, 1), nn.Sequential(Strange())), (1, 4, 8, 8))
    assert report["1.0"].flops is None
    assert report.counts["flops"] == Count(2048, False)
    assert report.counts["params"] == Count(23)
    assert not report.complete
    folded = report.folded(1)[1]
    assert (folded.type, folded.params, folded.counts["macs"]) == ("Sequential", 3, Count(None, False))
    document = json.loads(write(report, "json"))
    assert document["rows"][1]["flops"] is None
    assert document["notes"] == ["work unknown, so totals are lower bounds: 1.0"]
    assert "≥ 2,048" in str(report)
    assert summary(Strange(), (1, 4, 8, 8)).counts["macs"] == Count(None, False)


def test_folding_a_partly_known_module_gives_a_lower_bound() -> None:
    report = summary(nn.Sequential(nn.Sequential(nn.Conv2d(4, 4, 1), Strange())), (1, 4, 8, 8))
    assert report.folded(1)[0].counts["macs"] == Count(1024, False)
    assert "≥ 1,024" in write(report, "csv", ["macs"], depth=0) or "≥ 1024" in write(report, "csv", ["macs"], depth=0)


def test_report_is_frozen_and_named() -> None:
    report = summary("lenet5")
    with pytest.raises(AttributeError):
        report.depth = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="a row has no 'parms'"):
        _ = report["conv1"].parms
    with pytest.raises(UnknownName, match="there is no call named 'conv3'"):
        _ = report["conv3"]
    row = report["conv2"]
    assert (row.path, row.call, row.type, row.spec, row.inputs) == (
        "conv2",
        0,
        "Conv2d",
        "Conv2d(6, 16, 5)",
        ("pool1",),
    )
    assert (row.input_shapes, row.output_shape) == (((1, 6, 14, 14),), (1, 16, 10, 10))


def test_a_metric_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(metrics.METRICS)
    monkeypatch.setattr(metrics, "METRICS", metrics.METRICS)

    @metrics.metric("Inputs", "inputs")
    def fan_in(call: Call) -> int:
        return len(call.inputs)

    try:
        report = cc.analyze(cc.trace(lambda x: x + x, (1, 4)), ("fan_in", "params"))
        assert report.totals["fan_in"] == 2
        assert report.rows[0].fan_in == 2
    finally:
        metrics.METRICS.clear()
        metrics.METRICS.update(known)


def test_a_convention_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    price = conventions.price_list({"mac": 1, "bias": 1})
    row = conventions.Convention("mac and bias", "operations", "1 for each", price)
    monkeypatch.setitem(conventions.CONVENTIONS, row.name, row)
    report = summary("lenet5", convention=row.name)
    assert report["conv1"].flops == 28 * 28 * 6 * 26
    assert report["conv1"].macs == 28 * 28 * 6 * 25
    assert "Total MACs " in str(report)


@pytest.mark.parametrize("row", conventions.CONVENTIONS.values(), ids=lambda row: row.name)
def test_conventions_price_known_words(row: conventions.Convention) -> None:
    assert set(row.prices) <= set(OPS)


def test_some_metrics_only() -> None:
    report = cc.analyze(cc.trace(nn.Conv2d(3, 8, 3), (1, 3, 8, 8)), ["macs"])
    assert set(report.totals) == {"macs", "depth", "rf"}
    assert "Total MACs" in write(report, columns=["layer", "macs"])
    assert write(report, "csv") == "layer,type,output_shape,rf\nnetwork,Conv2d,8x6x6,3"
    assert json.loads(write(report, "json"))["totals"]["params"] is None
    with pytest.raises(UnknownName, match="no column is called 'flops'"):
        write(report, columns=["flops"])
    with pytest.raises(UnknownName, match="there is no metric called 'mac'"):
        cc.analyze(cc.trace(nn.Conv2d(3, 8, 3), (1, 3, 8, 8)), ["mac"])


def test_fields_over_phases_and_unequal_axes() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(3, 8, 3, stride=2, padding=1, output_padding=1), nn.Conv2d(8, 8, (3, 1)))
    report = summary(model, "3x32x32")
    assert [rf_text(row.rf) for row in report.rows] == ["1–2", "2–3 x 1–2"]
    rf = json.loads(write(report, "json"))["rows"][0]["rf"]
    assert rf == {
        "size": [2, 2],
        "jump": ["1/2", "1/2"],
        "start": [0, 0],
        "exact": True,
        "phases": [[[0, 0], [0, 1]], [[0, 0], [0, 1]]],
    }


def test_field_along_one_axis_and_undefined() -> None:
    graph = cc.trace(nn.Conv2d(3, 8, 3), (1, 3, 20, 30))
    along = receptive_field(Field((None, None, Axis(0, 2, ((-1, 5),))), frozenset({1})), graph)
    assert along == Extent((7, 30), (7, 30), (Fraction(2), Fraction(0)), (-1, 0), (((-1, 5),), (None,)))
    assert rf_text(along) == "7 x all"
    assert receptive_field(Field((None, None, None, None), frozenset({0, 1})), graph) == "global"
    assert receptive_field(Field((None, None, None, None)), graph) is None
    assert receptive_field(None, graph) is None
    assert summary(nn.Linear(3, 4), (1, 3)).totals["rf"] is None


def test_memory_names_its_parts() -> None:
    report = summary("resnet50")
    assert report.memory.parameters == Count(4 * 25557032)
    assert report.memory.buffers == Count(4 * 53173)
    outputs = 0
    for row in report.rows:
        n, *rest = row.output_shape
        for size in rest:
            n *= size
        outputs += n
    assert report.memory.outputs == Count(4 * outputs)


def test_depth_takes_the_longest_path() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            self.a, self.b, self.c = (nn.Conv2d(4, 4, 1) for _ in range(3))
            self.bn, self.relu = nn.BatchNorm2d(4), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.a(x) + self.bn(self.c(self.b(x))))

    assert summary(Branches(), (1, 4, 8, 8)).depth == 2


def test_letters_give_closed_forms_that_hold() -> None:
    report = summary("resnet50", "3xHxW")
    size = {sympy.Symbol(letter, integer=True, positive=True): 224 for letter in "HW"}
    numbers = summary("resnet50").totals
    assert report.totals["params"] == numbers["params"]
    for name in ("macs", "flops", "elements"):
        assert report.totals[name].subs(size) == numbers[name]
    document = json.loads(write(report, "json"))
    for row, number in zip(document["rows"], summary("resnet50").rows):
        read = [sympy.sympify(dim).subs({"H": 224, "W": 224}) for dim in row["output_shape"]]
        assert tuple(read) == number.output_shape
        assert all(str(dim).count("ceiling") <= 1 for dim in row["output_shape"])
        assert sympy.sympify(row["macs"]).subs({"H": 224, "W": 224}) == number.macs
    assert document["rows"][-4]["output_shape"] == [1, 2048, "ceiling(H/32)", "ceiling(W/32)"]
    assert sympy.sympify(document["totals"]["macs"]).subs({"H": 224, "W": 224}) == numbers["macs"]


def test_assumptions_are_reported() -> None:
    report = summary("alexnet", "3xHxW")
    assert "\nNeeds                 H ≥ 63, W ≥ 63\n" in f"{report}\n"
    assert json.loads(write(report, "json"))["assumptions"] == ["H >= 63", "W >= 63"]


def test_json_keeps_its_contract() -> None:
    text = write(summary("resnet50"), "json")
    assert text == write(summary("resnet50"), "json")
    document = json.loads(text)
    assert list(document) == [
        *("schema_version", "network", "inputs", "convention", "rows", "totals", "assumptions", "notes"),
    ]
    assert document["schema_version"] == 1
    assert document["inputs"] == [[1, 3, 224, 224]]
    assert document["convention"] == "torch"
    assert list(document["rows"][0].items()) == [
        ("path", "conv1"),
        ("call", 0),
        ("type", "Conv2d"),
        ("spec", "Conv2d(3, 64, 7, stride=2, padding=3, bias=False)"),
        ("inputs", ["input"]),
        ("input_shapes", [[1, 3, 224, 224]]),
        ("output_shape", [1, 64, 112, 112]),
        ("params", 9408),
        ("trainable_params", 9408),
        ("buffers", 0),
        ("macs", 118013952),
        ("flops", 236027904),
        ("rf", {"size": [7, 7], "jump": [2, 2], "start": [-3, -3], "exact": True}),
    ]
    assert list(document["totals"].items()) == [
        ("params", 25557032),
        ("trainable_params", 25557032),
        ("buffers", 53173),
        ("macs", 4089184256),
        ("flops", 8178368512),
        ("depth", 50),
        ("rf", "global"),
    ]
    assert (document["assumptions"], document["notes"]) == ([], [])


def test_shapes_with_and_without_the_batch() -> None:
    assert summary("lenet5", "1x32x32", batch=4).graph.inputs == {"input": (4, 1, 32, 32)}
    assert summary("lenet5", (4, 1, 32, 32)).graph.inputs == {"input": (4, 1, 32, 32)}
    assert "  4 x 10 " in str(summary("lenet5", (4, 1, 32, 32)))
    with pytest.raises(SpecError, match="a tuple begins with the batch"):
        summary("lenet5", (1, 32, 32))
    with pytest.raises(SpecError, match="a tuple begins with its batch"):
        summary("lenet5", (1, 1, 32, 32), batch=2)
    with pytest.raises(SpecError, match="needs the shape of its input"):
        summary(nn.Conv2d(3, 8, 3))
    with pytest.raises(SpecError, match="takes no settings"):
        summary(nn.Conv2d(3, 8, 3), "3x8x8", settings={"bias": False})
    with pytest.raises(SpecError, match="expected the name of a network or a module; received 3"):
        summary(3)


def test_batch_first_is_not_cut_off_where_it_is_not_first() -> None:
    report = summary(lambda x: x.permute(1, 0, 2), (1, 7, 5))
    assert "  7 x 1 x 5 " in str(report)


@pytest.mark.parametrize(("kernel", "smallest"), [(3, "3 x 3"), ((1, 40), "40 x 40")])
def test_smallest_input_is_reported_for_modules_too(kernel: Any, smallest: str) -> None:
    with pytest.raises(ShapeError) as caught:
        summary(nn.Sequential(nn.Conv2d(3, 8, kernel)), "3x2x2")
    assert caught.value.hint == f"the smallest input this network accepts is {smallest}"


def test_no_smallest_input_where_size_is_not_the_problem() -> None:
    with pytest.raises(ShapeError) as caught:
        summary(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(9, 8, 1)), "3x20x20")
    assert caught.value.hint == ""


def test_long_chains_stay_small() -> None:
    model = nn.Sequential(*[nn.Conv2d(8, 8, 3, padding=1) for _ in range(3000)])
    tracemalloc.start()
    try:
        report = summary(model, (1, 8, 32, 32))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / 3000 < 4096
    assert report.totals["rf"].size == (6001, 6001)


def test_what_a_console_shows_is_the_table() -> None:
    assert repr(summary("lenet5")) == str(summary("lenet5")) == write(summary("lenet5"))


def test_html_in_notebooks() -> None:
    assert summary("lenet5")._repr_html_().startswith("<p>lenet5, input 1 x 32 x 32</p>\n<table>")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0 "), (999, "999 "), (1000, "1.00 k"), (999_994, "999.99 k"), (999_996, "1.00 M")],
        *[(10**33, "1000.00 Q"), (2**1050, f"{2**1050 / 10**30:.2f} Q")],  # no float holds the last
    ],
)
def test_si_prefixes(value: int, text: str) -> None:
    assert scaled(value) == text


@pytest.mark.parametrize(
    ("name", "room", "text"),
    [
        ("conv1", 8, "conv1"),
        ("layer1.0.downsample.0", 19, "layer1…downsample.0"),
        ("AdaptiveAvgPool2d", 12, "Ada…vgPool2d"),
    ],
)
def test_elision_keeps_both_ends(name: str, room: int, text: str) -> None:
    assert elided(name, room) == text
