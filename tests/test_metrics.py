"""A metric is one row: column, share, total, JSON key, comparison and gate follow from it, also from outside."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

import convcalc as cc
from convcalc import cli, nn
from convcalc.algebra.dims import prod
from convcalc.analysis.count.call import Call, Charge, Count
from convcalc.analysis.count.compare import compare
from convcalc.analysis.count.gates import check, every_gate, parse_limits
from convcalc.analysis.count.metrics import METRICS, RESERVED, Metric, metric
from convcalc.analysis.count.report import Row
from convcalc.errors import SpecError, UnknownName
from convcalc.questions.summary import summary
from convcalc.views import comparison as comparisons
from convcalc.views.columns import default_columns, every_column
from convcalc.views.write import write


def relu_elements(call: Call) -> int:
    """Count the elements that pass a ReLU."""
    return prod(call.output) if isinstance(call.layer, nn.ReLU) else 0  # type: ignore[return-value]


RELUS = 4704 + 1600 + 120 + 84  # in LeNet-5


@contextmanager
def known(value: Callable[..., Charge], title: str = "ReLUs", unit: str = "rectified", **more: Any) -> Iterator[Metric]:
    """Register a metric for the time of the block, on the command line too."""
    row = metric(title, unit, **more)(value)
    try:
        yield row
    finally:
        del METRICS[row.name]


def run(*arguments: str) -> Result:
    """Run a command that is rebuilt first, as in a process where metrics were registered before."""
    importlib.reload(importlib.import_module(f"convcalc.cli.{arguments[0]}"))
    return CliRunner().invoke(cli.main, arguments)


@pytest.fixture(autouse=True)
def commands_as_they_were() -> Iterator[None]:
    yield
    for name in ("summary", "compare"):
        importlib.reload(importlib.import_module(f"convcalc.cli.{name}"))


def test_a_metric_is_a_column_a_share_and_a_total() -> None:
    with known(relu_elements):
        report = summary("lenet5")
        assert report.totals["relu_elements"] == report.counts["relu_elements"].value == RELUS
        assert report["relu1"].relu_elements == 4704
        text = write(report, columns=["layer", "relu_elements", "relu_elements%"])
        assert text.splitlines()[2].split() == ["Layer", "ReLUs", "ReLUs", "%"]
        assert text.splitlines()[5].split() == ["relu1", "4,704", "72.3%"]
        assert "ReLUs                 6,508 rectified" in text
        (_, *rows) = csv.reader(io.StringIO(write(report, "csv", ["relu_elements", "relu_elements%"])))
        assert rows[1] == ["4704", "72.3%"]
        assert write(report) == write(summary("lenet5"))
        assert "ReLUs" not in write(report)  # a table's usual columns stay
    with known(relu_elements, column=True):
        assert default_columns()[-2:] == ("relu_elements", "rf")
        assert "ReLUs" in write(summary("lenet5")).splitlines()[2]
    assert "relu_elements" not in every_column()
    with pytest.raises(UnknownName, match="no column is called 'relu_elements'"):
        write(report, columns=["relu_elements"])


def test_a_report_outlives_its_metric() -> None:
    with known(relu_elements, owned=True):
        report = summary(nn.Sequential(relu := nn.ReLU(), relu), (1, 4))
        later = summary("lenet5")
    assert [row.relu_elements for row in report.rows] == [4, 0]  # what is owned counts once
    assert later.folded(0)[0].relu_elements == RELUS
    assert "Params" in str(report)


def test_a_metric_is_in_json_under_its_key() -> None:
    for option, key in ((True, "relu_elements"), ("relu.elements", "relu.elements")):
        with known(relu_elements, json=option):
            document = json.loads(write(summary("lenet5"), "json"))
            assert document["rows"][1][key] == 4704
            assert list(document["totals"]) == [
                *("params", "trainable_params", "buffers", "macs", "flops", key, "depth", "rf")
            ]
            assert document["totals"][key] == RELUS
    with known(relu_elements, json=False):
        assert "relu_elements" not in write(summary("lenet5"), "json")


def test_a_metric_is_compared() -> None:
    with known(relu_elements):
        both = compare(summary("lenet5"), summary("lenet5", "1x35x35"))
        assert list(both.totals) == ["params", "macs", "flops", "relu_elements", "output_bytes", "depth"]
        assert both.totals["relu_elements"].a == Count(RELUS)
        text = comparisons.write(both)
        assert [line.split()[:2] for line in text.splitlines() if line.startswith("ReLUs")] == [["ReLUs", f"{RELUS:,}"]]
        assert json.loads(comparisons.write(both, "json"))["totals"]["relu_elements"]["a"]["value"] == RELUS
    with known(relu_elements, compared=False):
        assert "relu_elements" not in compare(summary("lenet5"), summary("lenet5")).totals
    assert "relu_elements" not in compare(both.a, both.b).totals


def test_a_metric_is_a_gate() -> None:
    said = f"max-relu-elements: {RELUS:,} rectified exceed 6,000 by {RELUS - 6000}"
    with known(relu_elements):
        assert list(every_gate()) == ["max-params", "max-macs", "max-flops", "max-relu-elements", "min-rf"]
        report = summary("lenet5")
        assert check(report, parse_limits({"max_relu_elements": "6k"})) == [said]
        assert check(report, parse_limits({"max_relu_elements": "6508"})) == []
        assert check(report, parse_limits({"max_relu_elements": "+5%"}, relative=True), report) == []
        without = cc.analyze(report.graph, ["params"])
        assert check(without, parse_limits({"max_relu_elements": "1"})) == [
            "max-relu-elements: cannot be decided: the rectified were not counted"
        ]
        assert "--max-relu-elements LIMIT" in run("summary", "--help").stdout
        result = run("summary", "lenet5", "--max-relu-elements", "6k", "--columns", "relu_elements")
        assert (result.exit_code, result.stderr.strip()) == (1, said)
        assert run("compare", "lenet5", "lenet5", "--max-relu-elements", "+0%").exit_code == 0
    with known(relu_elements, gate=False):
        assert "max-relu-elements" not in every_gate()
    assert run("summary", "lenet5", "--max-relu-elements", "6k").exit_code == 2


def test_a_metric_may_be_unknown_or_partly_known() -> None:
    def half(call: Call) -> Charge:
        return None if isinstance(call.layer, nn.ReLU) else Count(2, not isinstance(call.layer, nn.Tanh))

    with known(half, "Half", "halves"):
        report = summary(nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid()), (1, 4))
        assert [row.counts["half"] for row in report.rows] == [Count(None, False), Count(2, False), Count(2)]
        assert report.counts["half"] == Count(4, False)
        text = write(report, "csv", ["half", "half%"])
        assert text.splitlines() == ["half,half%", "?,?", "≥ 2,?", "2,?"]
        assert check(report, parse_limits({"max_half": "9"})) == [
            "max-half: cannot be decided: ≥ 4 halves are only a lower bound; unknown for 0, 1"
        ]
        assert report.notes == ("work unknown, so totals are lower bounds: 0, 1",)


def test_a_metric_may_be_priced() -> None:
    def twice(call: Call, charge: Count) -> Charge:
        return Count(charge.value and 2 * charge.value, charge.complete)

    with known(twice, "Twice", "FLOPs"):
        report = summary("lenet5")
        assert report.totals["twice"] == 2 * report.totals["flops"]


def test_letters_add_up() -> None:
    h, w = cc.symbols("H W")
    with known(relu_elements):
        assert summary(nn.Sequential(nn.ReLU(), nn.ReLU()), "3xHxW").totals["relu_elements"] == 6 * h * w


def test_names_that_are_taken() -> None:
    for name in ("params", "rf", "layer"):

        def value(call: Call) -> int:
            return 0

        value.__name__ = name
        with pytest.raises(SpecError, match=f"'{name}' is taken"):
            metric("Title", "unit")(value)
    keys = json.loads(write(summary("lenet5"), "json"))
    mine = {*dir(Row), *every_column(), *keys["rows"][0], *keys["totals"], *compare(*[summary("lenet5")] * 2).totals}
    mine -= {f"{name}%" for name in METRICS} | {name for name in mine if name.startswith("_")}
    assert mine == {*RESERVED, *METRICS}
