"""One place for everything: a kind, a metric, a convention, a network and a reader are each added from outside in one.

Each test adds one thing, by a class or a decorated function, and sees it wherever numbers are shown: in the table, the
totals, the JSON, a comparison and the gates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import convcalc as cc
from convcalc import nn, zoo
from convcalc.algebra.dims import prod
from convcalc.algebra.types import Dim, Shape
from convcalc.analysis.count.call import Call, Charge, Site
from convcalc.analysis.count.conventions import CONVENTIONS
from convcalc.analysis.count.metrics import METRICS
from convcalc.layers.base import Shapes, Tensors, Work
from convcalc.questions.sources import READERS


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Take back what a test adds."""
    kept = [(registry, dict(registry)) for registry in (METRICS, CONVENTIONS, zoo._OUTSIDE, READERS)]
    yield
    for registry, before in kept:
        registry.clear()
        registry.update(before)


def test_a_layer_kind() -> None:
    class Scale(nn.Layer):
        """Multiply each channel by a learned number."""

        channels: Dim
        infers = {"channels": 1}  # noqa: RUF012

        def weights(self) -> Tensors:
            return {"weight": (self.channels,)}

        def work(self, inputs: Shapes, output: Shape) -> Work:
            return {"mul": prod(output)}

    report = cc.summary("conv(8, 3); scale(); Scale(8)", "3x6x6", max_params="239")
    assert "\nscale1   Scale   8 x 4 x 4              8" in str(report)
    assert report.totals["params"] == 224 + 8 + 8
    assert [row["spec"] for row in report.to_dict()["rows"]] == ["Conv2d(3, 8, 3)", "Scale(8)", "Scale(8)"]
    assert [row["change"] for row in cc.compare("conv(8, 3)", "conv(8, 3); scale()", "3x6x6").to_rows()] == ["added"]
    assert report.broken == ["max-params: 240 parameters exceed 239 by 1"]
    assert "on a sheet: scale(), with channels from its input" in str(cc.layers("Scale"))


def test_a_metric() -> None:
    @cc.metric("Bias adds", "bias additions", column=True)
    def bias_adds(call: Call) -> Dim | None:
        return None if call.work is None else call.work.get("bias", 0)

    report = cc.summary(nn.Linear(8, 3), "8", max_bias_adds="2")
    assert str(report).splitlines()[2].split()[-4:] == ["FLOPs", "Bias", "adds", "RF"]
    assert "\nBias adds             3 bias additions" in str(report)
    assert (report.totals["bias_adds"], report.rows[0].bias_adds) == (3, 3)
    assert (report.to_dict()["rows"][0]["bias_adds"], report.to_dict()["totals"]["bias_adds"]) == (3, 3)
    assert cc.compare(nn.Linear(8, 2), nn.Linear(8, 3), "8").to_dict()["totals"]["bias_adds"]["delta"] == 1
    assert report.broken == ["max-bias-adds: 3 bias additions exceed 2 by 1"]


def test_a_convention() -> None:
    @cc.convention("fused", unit="operations", description="1 for each multiply–accumulate or bias of a module")
    def fused(call: Call, site: Site) -> Charge:
        return None if call.work is None else call.work.get("mac", 0) + call.work.get("bias", 0)

    report = cc.summary(nn.Linear(8, 3), "8", convention="fused", max_flops="26")
    assert "\nConvention            fused: 1 for each multiply–accumulate or bias of a module" in str(report)
    assert report.totals["flops"] == 8 * 3 + 3
    assert (report.to_dict()["convention"], report.to_dict()["totals"]["flops"]) == ("fused", 27)
    both = cc.compare(nn.Linear(8, 2), nn.Linear(8, 3), "8", convention="fused").to_dict()
    assert (both["convention"], both["totals"]["flops"]["delta"]) == ("fused", 9)
    assert report.broken[0].startswith("max-flops: 27 ")


def test_a_network() -> None:
    @cc.network("our lab, unpublished", input=(8,))
    def labnet(width: int = 3) -> nn.Linear:
        """One layer."""
        return nn.Linear(8, width)

    report = cc.summary("labnet", settings={"width": 4}, max_params="35")
    assert str(report).startswith("labnet, input 8\n")
    assert report.totals["params"] == 36
    assert report.to_dict()["network"] == "labnet"
    assert cc.compare("labnet", "labnet", settings_b={"width": 4}).to_dict()["totals"]["params"]["delta"] == 9
    assert report.broken == ["max-params: 36 parameters exceed 35 by 1"]
    assert cc.networks("lab*").to_rows()[0]["paper"] == "our lab, unpublished"


def test_a_reader() -> None:
    @cc.reader
    def read_widths(source: Any, settings: Mapping[str, Any]) -> cc.Network | None:
        if not isinstance(source, range):
            return None
        model = nn.Sequential(*[nn.Linear(width, width + source.step) for width in source])
        return cc.Network("widths", lambda *shapes: cc.trace(model, *shapes), [(source.start,)])

    report = cc.summary(range(8, 10), max_params="180")
    assert str(report).startswith("widths, input 8\n")
    assert report.totals["params"] == 9 * 9 + 10 * 10
    assert [row["spec"] for row in report.to_dict()["rows"]] == ["Linear(8, 9)", "Linear(9, 10)"]
    assert [row["change"] for row in cc.compare(range(8, 9), range(8, 10)).to_rows()] == ["added"]
    assert report.broken == ["max-params: 181 parameters exceed 180 by 1"]
