"""Conventions are functions of a call and its site: a few lines state what a tool counts, and how it reaches layers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

import convcalc as cc
from convcalc import nn
from convcalc.algebra.dims import prod
from convcalc.analysis.count.call import Call, Charge, Count, Site, as_count
from convcalc.analysis.count.conventions import CONVENTIONS, Convention, convention, price_list
from convcalc.analysis.count.report import Report
from convcalc.cli import main
from convcalc.errors import SpecError
from convcalc.formats.json.read import read_json
from convcalc.formats.sheet.read import read_spec
from convcalc.network.graph import Graph
from convcalc.questions.export import write_graph
from convcalc.questions.summary import summary
from convcalc.views.write import write


@contextmanager
def known(price: Callable[..., Charge], unit: str = "MACs", **more: Any) -> Iterator[str]:
    """Register a convention for the time of the block; yield its name."""
    name = price.__name__
    convention(name, unit=unit, description="for a test", **more)(price)
    try:
        yield name
    finally:
        del CONVENTIONS[name]


def flops(price: Callable[..., Charge], model: Any, *shapes: Any, **more: Any) -> list[Any]:
    """Return what each call costs, and the total."""
    with known(price) as name:
        report = summary(model, *shapes, convention=name, **more)
        return [*[row.flops for row in report.rows], report.totals["flops"]]


class Ways(nn.Module):
    """One kind reached in several ways."""

    def __init__(self) -> None:
        self.conv, self.relu, self.token = nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Parameter(1, 2, 4, 4)

    def forward(self, x: Any) -> Any:
        y = self.relu(self.conv(x))
        y = nn.ReLU()(y.relu() + self.token)
        y = cc.cat([y, y[:, :1]], dim=1)
        return cc.flatten(-self.relu(y), 1) * 2


WAYS = {
    "conv": "module",
    "relu": "module",
    "relu2": "method",
    "token": "module",
    "add": "operator",
    "relu3": "function",
    "slice": "operator",
    "cat": "function",
    "relu:1": "module",
    "mul": "operator",
    "flatten": "function",
    "mul2": "operator",
}


def ways(graph: Graph) -> dict[str, str]:
    return {node.name: node.via for node in graph.nodes}


def test_a_node_says_how_its_call_was_written() -> None:
    graph = cc.trace(Ways(), (1, 2, 4, 4))
    assert ways(graph) == WAYS
    assert ways(cc.trace(lambda x: nn.Linear(4, 4)(x), (1, 4))) == {"linear": "function"}
    assert ways(cc.trace(nn.Linear(4, 4), (1, 4))) == {"": "module"}
    assert ways(cc.trace(lambda x: x @ cc.matmul(x, x), (1, 4, 4))) == {"matmul": "function", "matmul2": "operator"}
    assert {node.via for node in cc.trace(lambda x: x.reshape(1, -1).mean(1), (1, 4, 4)).nodes} == {"method"}
    parts = cc.trace(nn.LSTM(4, 4), (5, 1, 4)).nodes
    assert {node.via for node in parts} == {"module"}


def test_a_filled_graph_keeps_how_calls_were_written() -> None:
    graph = cc.trace(Ways(), (1, 2, *cc.symbols("H W")))
    assert ways(graph) == ways(graph.subs(H=4, W=4)) == WAYS


def test_sheets_say_how_calls_are_written() -> None:
    sheet = """
    input(4, 8, 8)
    a = conv(4, 1)
    b = ReLU()
    c = add(a, b)
    d = a * c
    e = cat(d, d[:, 0:2])
    f = Add()(e, e)
    """
    lines = "\n".join(line.strip() for line in sheet.strip().splitlines())
    assert ways(read_spec(lines).graph) == {
        "a": "module",
        "b": "module",
        "c": "function",
        "d": "operator",
        "slice1": "operator",
        "e": "function",
        "f": "module",
    }


def test_json_is_read_back_with_the_usual_ways() -> None:
    class Usual(nn.Module):
        def __init__(self) -> None:
            self.conv, self.add = nn.Conv2d(2, 2, 1), nn.Add()

        def forward(self, x: Any) -> Any:
            y = self.add(self.conv(x), x) + x
            return cc.cat([y[:, :1], y], 1).flatten(1)

    graph = cc.trace(Usual(), (1, 2, 4, 4))
    text = write_graph(graph, "json")
    assert read_json(text) == graph
    bare = {name: value for name, value in json.loads(text).items() if name != "graph"}
    assert ways(read_json(json.dumps(bare)))["add"] == "operator"  # which torch.nn has no module for
    assert ways(read_json(json.dumps(bare)))["conv"] == "module"


def modules_only(call: Call, site: Site) -> Charge:
    """Count what hooks see: multiply–accumulates of calls that modules make."""
    if site.via != "module":
        return Count(0)
    return None if call.work is None else call.work.get("mac", 0)


def test_calls_that_hooks_do_not_see_cost_nothing() -> None:
    class Attend(nn.Module):
        def __init__(self) -> None:
            self.qkv, self.product = nn.Linear(4, 4), nn.MatMul()

        def forward(self, x: Any) -> Any:
            y = self.qkv(x)
            return self.product(y @ y, cc.matmul(y, nn.Linear(4, 4)(y)))

    with known(modules_only) as name:
        assert CONVENTIONS[name].sees_site
        report = summary(Attend(), (1, 4, 4), convention=name)
        costs = {"qkv": 64, "matmul": 0, "linear": 0, "matmul2": 0, "product": 64}
        assert {row.name: row.flops for row in report.rows} == costs
        assert report.counts["flops"] == Count(128)
        assert report.counts["macs"] == Count(5 * 64)


def test_a_convention_may_charge_by_the_number_of_the_call() -> None:
    def last_call(call: Call, site: Site) -> Charge:
        return prod(call.output) if site.call == site.calls - 1 else 0

    def by_call(call: Call, site: Site) -> Charge:
        return 10**site.call

    shared = nn.ReLU()
    model = nn.Sequential(shared, nn.Sequential(shared, nn.Tanh()), shared)
    assert flops(last_call, model, (1, 4)) == [0, 0, 4, 4, 8]
    assert flops(by_call, model, (1, 4)) == [1, 10, 1, 100, 112]


def test_a_convention_may_depend_on_what_owns_the_call() -> None:
    def in_blocks(call: Call, site: Site) -> Charge:
        assert (site.owner, site.owner_kind) in {("", "Sequential"), ("1", "Ways")}
        return 1 if site.owner_kind == "Ways" and site.path.startswith(f"{site.owner}.") else 0

    *rows, total = flops(in_blocks, nn.Sequential(nn.ReLU(), Ways()), (1, 2, 4, 4))
    assert rows == [0, *[1] * len(WAYS)]
    assert total == len(WAYS)


def no_pools(call: Call) -> Charge:
    """Have no rule for max pooling, and half a rule for batch norm."""
    if isinstance(call.layer, nn.MaxPool2d):
        return None
    return Count(prod(call.output), not isinstance(call.layer, nn.BatchNorm2d))


def test_no_rule_for_a_kind_is_not_zero() -> None:
    with known(no_pools) as name:
        assert not CONVENTIONS[name].sees_site
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2))
        report = summary(model, "1x6x6", convention=name)
        assert [row.counts["flops"] for row in report.rows] == [Count(32), Count(32, False), Count(None, False)]
        assert report.counts["flops"] == Count(64, False)
        assert not report.complete
        text = str(report)
        assert [line.split()[-2] for line in text.splitlines()[4:7]] == ["32", "32", "?"]
        assert "≥ 32 " in text.splitlines()[5]
        assert "Total FLOPs           ≥ 64 (64 MACs)" in text
        note = "no full rule in the convention no_pools, so totals are lower bounds: 1, 2"
        assert report.notes == (note,)
        assert write(report, "csv", ["flops", "macs"]).splitlines() == [
            *("flops,macs", "32,288", "≥ 32,0", "?,0"),
        ]
        document = json.loads(write(report, "json"))
        assert [row["flops"] for row in document["rows"]] == [32, 32, None]
        arguments = ["summary", "lenet5", "--convention", name]
        plain, strict = (CliRunner().invoke(main, [*arguments, *more]) for more in ([], ["--strict"]))
        assert (plain.exit_code, strict.exit_code) == (0, 1)
        assert "strict: some numbers are incomplete" in strict.stderr


def test_a_price_without_the_site_is_called_once_for_equal_calls() -> None:
    asked: list[Any] = []

    def once(call: Call) -> Charge:
        asked.append(call)
        return 1

    def each(call: Call, site: Site) -> Charge:
        asked.append(site)
        return 1

    model = nn.Sequential(*[nn.ReLU() for _ in range(9)])
    for price, times in ((once, 1), (each, 9)):
        asked.clear()
        assert flops(price, model, (1, 4))[-1] == 9
        assert len(asked) == times


def test_a_price_in_letters_adds_up() -> None:
    def pixels(call: Call, site: Site) -> Charge:
        return Count(prod(call.output) * site.calls, site.via == "module")

    relu, (h, w) = nn.ReLU(), cc.symbols("H W")
    model = nn.Sequential(nn.Conv2d(2, 2, 1), relu, nn.Conv2d(2, 3, 1), relu)
    with known(pixels) as name:
        assert summary(model, (1, 2, h, w), convention=name).counts["flops"] == Count((2 + 2 * 2 + 3 + 3 * 2) * h * w)
        lower = summary(lambda x: (relu(x) + 1) * 2, (1, 2, h, w), convention=name).counts["flops"]
        assert lower == Count(6 * h * w, False)


# What three tools count for ResNet-50, each in a few lines; the totals are those that the tools print.


def numel(call: Call) -> Any:
    return prod(call.inputs[0])


def learned(call: Call) -> Any:
    return sum(map(prod, call.layer.weights().values()))


def torchinfo_like(call: Call, site: Site) -> Charge:
    """Count leaf modules only, by the shapes of their parameters: at each position of a convolution, else once."""
    if site.via != "module":
        return 0
    places = prod(call.output[2:]) if "Conv" in type(call.layer).__name__ else 1
    return learned(call) * places * call.output[0]


def ptflops_like(call: Call, site: Site) -> Charge:
    """Count by exact kind of module; ReLU and pooling modules twice, since hook and patched function both see them."""
    seen = (site.via == "module") + (site.via in ("module", "function"))
    if type(call.layer) in (nn.ReLU, nn.MaxPool2d, nn.AdaptiveAvgPool2d):
        return seen * numel(call)
    if type(call.layer) in (nn.Add, nn.Mul):
        return prod(call.output) if site.via == "function" else 0
    if site.via != "module" or call.work is None:
        return 0
    norm = 2 * numel(call) if type(call.layer) is nn.BatchNorm2d else 0
    return call.work.get("mac", 0) + call.work.get("bias", 0) + norm


def thop_like(call: Call, site: Site) -> Charge:
    """Count matrix products everywhere, but convolutions in modules only; norms and averages by the element."""
    if isinstance(call.layer, nn.BatchNorm2d):
        return 4 * numel(call)
    if isinstance(call.layer, nn.AdaptiveAvgPool2d):
        return numel(call) + prod(call.output)
    if isinstance(call.layer, nn.Conv2d) and site.via != "module":
        return 0
    return None if call.work is None else call.work.get("mac", 0)


TOTALS = {torchinfo_like: 4_089_238_376, ptflops_like: 4_132_436_968, thop_like: 4_133_742_592}


@pytest.mark.parametrize("price", TOTALS, ids=lambda price: price.__name__)
def test_what_tools_count_of_resnet50(price: Callable[..., Charge]) -> None:
    assert flops(price, "resnet50")[-1] == TOTALS[price]


def test_a_blind_spot_is_one_condition() -> None:
    sheet = "input(4, 8, 8); a = relu(); b = tanh(); {}"
    for written, expected in (("c = add(a, b)", 256), ("c = a + b", 0)):
        assert flops(ptflops_like, sheet.format(written))[-1] == 2 * 256 + expected
    assert flops(ptflops_like, lambda x: nn.ReLU()(x), (1, 256))[-1] == 256  # a function: seen once
    assert flops(ptflops_like, lambda x: x.relu(), (1, 256))[-1] == 0
    one = nn.Conv2d(2, 2, 1)
    assert [flops(thop_like, model, (1, 2, 4, 4))[-1] for model in (one, lambda x: one(x))] == [64, 0]


def test_a_price_list_names_unknown_words() -> None:
    with pytest.raises(SpecError) as error:
        price_list({"macs": 1})  # type: ignore[dict-item]
    assert str(error.value) == "'macs' is not a word of work\n  did you mean mac?"
    for price in (-1, 1.5, True, "2"):
        with pytest.raises(SpecError, match=r"the price of 'mac' must be an integer of at least 0; received"):
            price_list({"mac": price})  # type: ignore[dict-item]


def test_conventions_of_the_package_are_not_replaced() -> None:
    with pytest.raises(SpecError, match="convcalc has a convention called 'torch' already"):
        convention("torch", unit="FLOPs", description="")(price_list({"mac": 1}))
    assert CONVENTIONS["torch"].prices == {"mac": 2}


def test_whether_a_price_sees_the_site_is_inferred_or_given() -> None:
    def anything(*given: Any) -> Charge:
        return len(given)

    with known(anything, sees_site=True) as name:
        assert summary(nn.ReLU(), (1, 4), convention=name).totals["flops"] == 2
    with known(anything) as name:
        assert summary(nn.ReLU(), (1, 4), convention=name).totals["flops"] == 1


def test_a_charge_is_a_canonical_count() -> None:
    assert as_count(Count(None)) == as_count(None) == Count(None, False)
    assert as_count(Count(3, False)) == Count(3, False)
    with pytest.raises(SpecError):
        as_count(1.5)  # type: ignore[arg-type]


def test_a_report_names_its_convention() -> None:
    report: Report = summary("lenet5")
    row: Convention = report.convention
    assert (row.name, row.unit, row.sees_site, dict(row.prices)) == ("torch", "FLOPs", False, {"mac": 2})
