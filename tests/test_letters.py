"""Letters as sizes: formulas against numbers, assumptions, printing, sets of sizes, compiled functions."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy
import pytest
import sympy
from hypothesis import assume as suppose
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc as cc
from convcalc import nn, trace, zoo
from convcalc.algebra import periodic, symbolic
from convcalc.algebra.assume import assume
from convcalc.algebra.claims import read_claim
from convcalc.algebra.dims import show, show_shape, substitute
from convcalc.algebra.periodic import Sizes
from convcalc.algebra.symbolic import printing
from convcalc.algebra.symbolic.regions import Region
from convcalc.algebra.symbolic.relations import open_floor, solve_relation
from convcalc.algebra.types import is_symbolic
from convcalc.errors import ConvcalcError, NoSolution, ShapeError, SpecError, UnknownName
from convcalc.network.graph import Graph
from convcalc.questions.sources import read
from convcalc.views.table import protected, restored
from convcalc.views.write import write
from tests.random_networks import Network, Plan, plans
from tests.strategies import CASES, Case

H, W, C = cc.symbols("H W C")
MANY = settings(max_examples=400 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 40)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

STRETCHED = {"Add", "Sub", "Mul", "Div", "Maximum", "MatMul", "Expand", "Squeeze"}
"""Kinds for which a size of 1 means something else than any other size; a letter is taken to be at least 2."""


def lettered(kind: str, case: Case) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    """Return the inputs with letters for all sizes after the second axis, or all but the last, and their numbers."""
    shapes, values = [], {}
    for i, shape in enumerate(case.inputs):
        new: list[Any] = list(shape)
        for axis in range(2, len(shape)) if len(shape) > 2 else range(len(shape) - 1):
            if shape[axis] > 1 or kind not in STRETCHED:
                name = f"n{i}{axis}"
                values[name] = shape[axis]
                new[axis] = symbolic.symbol(name)
        shapes.append(tuple(new))
    return shapes, values


def calls(graph: Graph) -> list[tuple[Any, ...]]:
    """Return all that a graph says about its calls, with what they cost."""
    return [(*node, node.layer.work(node.input_shapes, node.output_shape)) for node in graph.nodes]


@pytest.mark.parametrize("kind", sorted(CASES.keys() - {"Parameter", "Buffer"}))  # they have no input
@settings(max_examples=300 if THOROUGH else 25)
@given(data=st.data())
def test_substituted_numbers_equal_numbers_from_the_start(kind: str, data: st.DataObject) -> None:
    case = data.draw(CASES[kind])
    shapes, values = lettered(kind, case)
    try:
        layer = getattr(nn, kind)(**case.kwargs)
    except ConvcalcError:
        return
    model = layer if not case.calls else lambda *xs: layer(*xs, **case.calls)
    try:
        numbers = trace(model, *case.inputs)
    except ConvcalcError:
        with pytest.raises(ConvcalcError):
            graph = trace(model, *shapes)
            graph.subs({name: n for name, n in values.items() if name in graph.letters})
        return
    graph = trace(model, *shapes)
    try:
        filled = replace(graph, retrace=None).subs({k: n for k, n in values.items() if k in graph.letters})
    except ShapeError:
        # a slice of an axis that is too small takes what is there; a letter is assumed to be large enough
        assert kind == "Slice"
        return
    assert filled.assumptions == ()
    assert calls(filled) == calls(numbers)


@given(plans(high=14))
def test_a_random_network_filled_equals_its_numbers(plan: Plan) -> None:
    model = Network(plan)
    values = dict(zip("DHW"[-plan.rank :], plan.shapes[0][2:]))
    graph = trace(model, (*plan.shapes[0][:2], *[symbolic.symbol(name) for name in values]))
    filled, numbers = replace(graph, retrace=None).subs(values), trace(model, plan.shapes[0])
    assert calls(filled) == calls(numbers)
    assert filled.state_dict() == numbers.state_dict()
    assert filled.unused == numbers.unused
    assert filled.assumptions == ()


@MANY
@given(plans(high=16), st.data())
def test_assumptions_hold_exactly_when_numbers_pass(plan: Plan, data: st.DataObject) -> None:
    # a slice of a map that is too small takes what is there; a letter is assumed to be large enough
    suppose(not any(isinstance(layer, nn.Slice) and len(layer.index) > 2 for layer, _ in plan.calls))
    model, names = Network(plan), "DHW"[-plan.rank :]
    graph = trace(model, (*plan.shapes[0][:2], *[symbolic.symbol(name) for name in names]))
    region = Region(graph.assumptions, names)
    spatial = plan.shapes[0][2:]
    for sizes in data.draw(st.lists(st.tuples(*[st.integers(2, n + 6) for n in spatial]), max_size=6)):
        if 1 in numbers_in(model, plan, sizes):
            continue  # a map of one pixel is expanded where no other would fit
        assert passes(model, (*plan.shapes[0][:2], *sizes)) == (sizes in region), sizes


def passes(model: Any, *shapes: tuple[int, ...]) -> bool:
    """Return whether a trace in numbers succeeds."""
    try:
        trace(model, *shapes)
    except ConvcalcError:
        return False
    return True


def numbers_in(model: Network, plan: Plan, sizes: Sequence[int]) -> set[int]:
    """Return the sizes of all maps computed before a refusal, without batch and channels."""
    numbers: set[int] = set()
    values: list[Any] = [(*plan.shapes[0][:2], *sizes)]
    try:
        for layer, inputs in model.calls:
            values.append(layer.output_shape(*[values[i] for i in inputs]))
            if len(values[-1]) == len(values[0]):
                numbers |= set(values[-1][2:])
    except ConvcalcError:
        pass
    return numbers


PADDING = {
    **dict.fromkeys(("swin_t", "swin_s", "swin_b"), (224, 448)),
    **dict.fromkeys(("swin_v2_t", "swin_v2_s", "swin_v2_b"), (256, 512)),
    "unet": (144, 96),
}
"""Networks whose forward pads or crops numbers if needed, and letters always; with sizes that need neither."""


def in_letters(name: str) -> tuple[Any, tuple[Any, ...], dict[str, int]]:
    """Return a network of the zoo, its input in letters, and the usual numbers of these."""
    source = read(name)
    assert source.input is not None
    letters = "DHW"[-(len(source.input) - 1) :]
    values = {a: n for a, n in zip(letters, source.input[1:]) if isinstance(n, int)}
    return source, (1, source.input[0], *[symbolic.symbol(a) for a in letters]), values


@pytest.mark.parametrize("name", [name for name in zoo.names() if name not in PADDING])
def test_a_network_filled_equals_its_numbers(name: str) -> None:
    source, shape, values = in_letters(name)
    graph = source.graph(shape)
    numbers = source.graph((*shape[:2], *values.values()))
    filled = replace(graph, retrace=None).subs(values)
    assert calls(filled) == calls(numbers)
    assert filled.state_dict() == numbers.state_dict()
    letters, plain = cc.analyze(graph).totals, cc.analyze(numbers).totals
    totals = cc.compile(letters, list(values))(*values.values())
    assert {key: totals[key] for key in ("params", "macs", "flops", "elements", "buffers")} == {
        key: plain[key] for key in ("params", "macs", "flops", "elements", "buffers")
    }


@pytest.mark.parametrize("name", PADDING if THOROUGH else ("swin_t", "unet"))
def test_a_network_that_pads_has_the_same_totals_where_nothing_is_padded(name: str) -> None:
    source, shape, _ = in_letters(name)
    graph, numbers = source.graph(shape), source.graph((*shape[:2], *PADDING[name]))
    totals, plain = cc.compile(cc.analyze(graph).totals, "H W")(*PADDING[name]), cc.analyze(numbers).totals
    assert calls(graph.subs(dict(zip("HW", PADDING[name])))) == calls(numbers)
    assert {key: totals[key] for key in ("params", "macs", "flops")} == {
        key: plain[key] for key in ("params", "macs", "flops")
    }


def test_the_formula_of_resnet50() -> None:
    report = cc.summary("resnet50", "3xHxW")
    assert report["layer4.2.relu:2"].output_shape == (1, 2048, sympy.ceiling(H / 32), sympy.ceiling(W / 32))
    assert show(report.totals["macs"]) == (
        "14,417,920·⌈H/32⌉·⌈W/32⌉ + 7,471,104·⌈H/16⌉·⌈W/16⌉ + 1,310,720·⌈H/8⌉·⌈W/8⌉ + "
        "245,760·⌈H/4⌉·⌈W/4⌉ + 9,408·⌈H/2⌉·⌈W/2⌉ + 2,048,000"
    )
    assert isinstance(report.totals["macs"], sympy.Expr)
    n = symbolic.symbol("n")
    given = cc.summary("resnet50", "3xHxW", assume=["H % 32 == 0", "H == W"])
    assert given.totals["macs"] == 83_410_944 * n**2 + 2_048_000
    assert given["layer4.2.relu:2"].output_shape == (1, 2048, n, n)
    assert given.notes[0] == "for H = W = 32·n"


def test_settings_may_be_letters() -> None:
    report = cc.summary("resnet50", "3x224x224", settings={"num_classes": "K"}, batch="N")
    n, k = cc.symbols("N K")
    assert report.totals["params"] == 23_508_032 + 2049 * k
    assert report["fc"].output_shape == (n, k)
    assert report.totals["macs"].subs({n: 1, k: 1000}) == 4_089_184_256


# Assumptions


def test_assumptions_are_solved() -> None:
    texts = ["H % 4 == 1", "H % 6 == 3", "W == H + 2", "H >= 20"]
    given = assume(texts, ["H", "W"])
    assert {name: show(value) for name, value in given.values.items()} == {"H": "12·n + 9", "W": "12·n + 11"}
    assert given.bounds == {}


CLAIMS = st.sampled_from(
    [
        *("H % 4 == {}", "W % 6 == {}", "(H + 3) % 5 == {}", "H == W + {}", "2*H == 3*W + {}", "H >= {}", "W < 4*{}"),
        *("H == {}", "(2*H + 1) % 6 == {}", "3*H + 5*W == 20*{}", "W - {} == H"),
    ]
)


@MANY
@given(st.lists(st.builds(str.format, CLAIMS, st.integers(0, 9)), min_size=1, max_size=3))
def test_assumptions_leave_exactly_the_sizes_that_satisfy_them(texts: list[str]) -> None:
    span = range(1, 41)
    wanted = {(h, w) for h in span for w in span if all(eval(text, {"H": h, "W": w}) for text in texts)}
    try:
        given_ = assume(texts, ["H", "W"])
    except NoSolution:
        assert not wanted
        return
    except SpecError as error:
        assert "relates" in error.what or "leaves a size free" in error.what
        return
    pair = [given_.values.get(name, symbolic.symbol(name)) for name in "HW"]
    letters = sorted({str(s) for dim in pair if is_symbolic(dim) for s in dim.free_symbols})
    ranges = []
    for name in letters:
        low, high = given_.bounds.get(name, (1, None))
        ranges.append(range(low, 200 if high is None else min(high, 200) + 1))
    filled = cc.compile({"h": pair[0], "w": pair[1]}, letters)
    found = {(v["h"], v["w"]) for v in (filled(*numbers) for numbers in itertools.product(*ranges))}
    assert {(h, w) for h, w in found if h in span and w in span} == wanted
    assert all(h >= 1 and w >= 1 for h, w in found)


SHORTHANDS = {
    "H odd": "H % 2 == 1",
    "W is even": "W % 2 == 0",
    "not H odd": "H % 2 == 0",
    "H % 2 != 1": "H % 2 == 0",
    "H in 5..9": "5 <= H <= 9",
    "2*W + 1 in 7..21": "7 <= 2*W + 1 <= 21",
    "H in 9..5": "False",
    "H odd, W in 3..30": "H % 2 == 1 and 3 <= W <= 30",
    "H == W and H even and H in 4..20": "H == W and H % 2 == 0 and 4 <= H <= 20",
    "not (H > 12 or W < 3)": "H <= 12 and W >= 3",
    "not H > 12": "H <= 12",
    "not not W odd": "W % 2 == 1",
}


@pytest.mark.parametrize("text", SHORTHANDS)
def test_one_claim_language_serves_both_options(text: str) -> None:
    """Solutions of `--assume` are the numbers of which `--where` is true, and both are what Python computes."""
    sizes = [{"H": h, "W": w} for h in range(1, 41) for w in range(1, 41)]
    wanted = [size for size in sizes if eval(SHORTHANDS[text], dict(size))]
    claim = read_claim(text, ["H", "W"])
    assert [size for size in sizes if claim.holds(size)] == wanted
    try:
        given_ = assume([text], ["H", "W"])
    except NoSolution:
        assert not wanted
        return
    pair = [given_.values.get(name, symbolic.symbol(name)) for name in "HW"]
    letters = sorted({str(s) for dim in pair if is_symbolic(dim) for s in dim.free_symbols})
    bounds = [given_.bounds.get(name, (1, None)) for name in letters]
    numbers = itertools.product(*[range(low, 41 if high is None else min(high, 40) + 1) for low, high in bounds])
    filled = cc.compile({"H": pair[0], "W": pair[1]}, letters)
    found = {tuple(filled(*n).values()) for n in numbers}
    assert sorted((h, w) for h, w in found if h <= 40 and w <= 40) == [tuple(size.values()) for size in wanted]


def test_assumptions_in_short() -> None:
    report = cc.summary("resnet50", "3xHxW", assume=["H in 32..512, W odd", "W >= 33"])
    assert report.given == "W = 2·n + 1, 32 ≤ H ≤ 512, n ≥ 16"


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["H == 4 or W == 4"], SpecError, "--assume: 'H == 4 or W == 4' is not a comparison, or several joined by and\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["not H == 4"], SpecError, "--assume: 'not H == 4': an assumption compares with ==, >=, >, <= or <\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H in (3, 5)"], SpecError, "--assume: 'H in (3, 5)': (3, 5) is not a linear sum of letters\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H not in 3..5"], SpecError, "--assume: 'H not in 3..5': 3..5 is not a linear sum of letters\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H in 9..5"], NoSolution, "no size satisfies H in 9..5"),
        (["H odd", "H even"], NoSolution, "no size satisfies H odd and H even\n  H % 2 == 0 contradicts the rest"),
        (["K % 2 == 0"], SpecError, "--assume: 'K % 2 == 0': there is no letter called K\n  the letters are H, W"),
        (["H % 32"], SpecError, "--assume: 'H % 32' is not a comparison, or several joined by and\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H >= 2.5"], SpecError, "--assume: 'H >= 2.5': sizes are integers up to 1,000,000,000; received 2.5\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H * W == 4"], SpecError, "--assume: 'H * W == 4': H * W is not a linear sum of letters\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H = 4"], SpecError, "--assume: 'H = 4' is not an assumption\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H != 4"], SpecError, "--assume: 'H != 4': an assumption compares with ==, >=, >, <= or <\n"
         "  write it as 'H % 32 == 0', 'H == W' or 'H >= 64'"),
        (["H >= W"], SpecError, "--assume: 'H >= W' relates several free letters\n"
         "  an inequality must bound one letter by a number: 'H >= 64'"),
        (["H % 4 == 1", "H % 6 == 2"], NoSolution, "no size satisfies H % 4 == 1 and H % 6 == 2\n"
         "  H % 6 == 2 contradicts the rest"),
        (["H == 0"], NoSolution, "no size satisfies H == 0"),
        (["H % 8 == 9"], NoSolution, "no size satisfies H % 8 == 9\n  a remainder by 8 is less than 8"),
    ],
)  # fmt: skip
def test_what_is_not_an_assumption(texts: list[str], error: type[ConvcalcError], message: str) -> None:
    with pytest.raises(error) as raised:
        assume(texts, ["H", "W"])
    assert str(raised.value) == message


def test_assumptions_that_a_network_contradicts() -> None:
    with pytest.raises(NoSolution) as error:
        cc.summary("alexnet", "3xHxW", assume=["H <= 50"])
    assert str(error.value) == "no size satisfies H <= 50\n  features.12 needs H ≥ 63"
    with pytest.raises(NoSolution, match=r"no size satisfies H == W \+ 1"):
        cc.summary(lambda x, y: nn.Cat(1)(x, y), (1, 3, H, 4), (1, 3, W, 4), assume=["H == W + 1"])


@given(
    st.text(max_size=25) | st.sampled_from(["H" + "+1" * 90, "(" * 90, "H%0==0", "H%-3==1", "__import__('os')", "H==H"])
)
def test_any_text_is_an_assumption_or_refused(text: str) -> None:
    try:
        assume([text], ["H", "W"])
    except ConvcalcError as error:
        assert str(error)


def test_bounds_settle_what_they_can() -> None:
    model = lambda x: nn.Cat(1)(nn.MaxPool2d(2, ceil_mode=True)(x), nn.ReLU()(nn.Conv2d(3, 3, 3, 2, 1)(x)))  # noqa: E731
    assert trace(model, (1, 3, H, W)).assumptions == ()
    report = cc.summary(nn.Conv2d(3, 8, 5), (1, 3, H, W), assume=["H >= 5"])
    assert [show(relation) for relation in report.assumptions] == ["W ≥ 5"]


@pytest.mark.parametrize(
    ("arguments", "assumed"),
    [
        ({"stride": 3, "dilation": H * W}, []),
        ({"stride": H * W, "dilation": 3, "output_padding": 2}, []),
        ({"stride": H, "output_padding": 1}, ["H ≥ 2"]),
        ({"stride": 2, "output_padding": H}, ["1 - H ≥ 0"]),
    ],
)
def test_output_padding_assumes_only_what_is_unknown(arguments: dict[str, Any], assumed: list[str]) -> None:
    """It must be smaller than the stride or the dilation: if one is known to be larger, the other does not matter."""
    graph = trace(nn.ConvTranspose1d(2, 2, 3, **arguments), (1, 2, 6))
    assert [show(relation) for relation in graph.assumptions] == assumed


# Substitution


def test_subs_refuses_other_letters_and_sizes_that_fail() -> None:
    graph = trace(nn.MaxPool2d(4), (1, 3, H, W))
    with pytest.raises(UnknownName) as error:
        graph.subs(K=3)
    assert str(error.value) == "the network has no letter K\n  its letters are H, W"
    with pytest.raises(ShapeError) as refused:
        graph.subs(H=3)
    assert str(refused.value) == "needs H ≥ 4, which does not hold with H = 3"
    with pytest.raises(SpecError, match="H must be an integer"):
        graph.subs(H=3.5)


def test_subs_keeps_which_layer_is_which() -> None:
    shared = nn.Conv2d(3, 3, 1)
    graph = trace(nn.Sequential(shared, nn.ReLU(), shared, nn.ReLU()), (1, 3, H, H)).subs(H=8)
    assert graph.nodes[0].layer is graph.nodes[2].layer
    assert graph.nodes[1].layer is not graph.nodes[3].layer
    assert [node.name for node in graph.nodes] == ["0", "1", "0:1", "3"]


def test_reasons_name_the_node_that_demands() -> None:
    graph = trace(nn.Sequential(nn.Conv2d(3, 8, 5), nn.MaxPool2d(2)), (1, 3, H, W))
    reasons = {show(relation): reason for relation, reason in graph.reasons.items()}
    assert reasons["H ≥ 5"] == ("0", "the output height is H - 4")
    assert reasons["W ≥ 6"] == ("1", "the output width is ⌊(W - 4)/2⌋")
    assert set(graph.assumptions) == {H >= 6, W >= 6}


# Printing


def read_back(text: str) -> Any:
    """Return the value of what is printed for people, parsed by sympy."""
    for sign, word in (("⌊", "floor("), ("⌈", "ceiling("), ("⌋", ")"), ("⌉", ")"), ("·", "*")):
        text = text.replace(sign, word)
    text = re.sub(r"(?<=\d),(?=\d\d\d)", "", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "**" + "".join(str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(c)) for c in m[0]), text)
    return sympy.sympify(text, locals={"H": H, "W": W, "C": C})


DIM = st.recursive(
    st.sampled_from([H, W, C]),
    lambda inner: (
        st.builds(lambda a, n, k: (a + n) // k, inner, st.integers(-6, 6), st.integers(1, 5))
        | st.builds(lambda a, n, k: -(-(a + n) // k), inner, st.integers(-6, 6), st.integers(1, 5))
        | st.builds(lambda a, b, n: a + n * b, inner, inner, st.integers(-3, 3))
        | st.builds(lambda a, b: a * b, inner, inner)
    ),
    max_leaves=5,
)
SIZES = st.tuples(*[st.integers(1, 40)] * 3)


@MANY
@given(DIM, SIZES)
def test_what_is_printed_can_be_parsed(dim: Any, sizes: tuple[int, int, int]) -> None:
    values = dict(zip((H, W, C), sizes))
    short = symbolic.canonical(dim)
    number = int(sympy.sympify(dim).subs(values))
    assert int(sympy.sympify(short).subs(values)) == number
    assert int(read_back(printing.pretty(short)).subs(values)) == number
    assert int(sympy.sympify(str(short)).subs(dict(zip("HWC", sizes)))) == number
    assert cc.compile(short, "H W C")(*sizes) == number
    assert substitute(short, values) == number


def test_sums_are_printed_as_products() -> None:
    assert show(symbolic.canonical((H // 4 - 3) * (W // 4 - 3) * 16)) == "16·⌊(H - 12)/4⌋·⌊(W - 12)/4⌋"
    assert show(symbolic.canonical(150 * (H - 4) * (W - 4) + 7)) == "150·(H - 4)·(W - 4) + 7"
    assert show(symbolic.canonical((H // 2 - 1) ** 2)) == "⌊(H - 2)/2⌋²"
    assert show(symbolic.canonical(18 * C**2 + 2 * C)) == "18·C² + 2·C"
    assert show_shape((8, symbolic.canonical(H - 2), (W - 1) // 2)) == "8 x (H - 2) x ⌊(W - 1)/2⌋"


def test_two_halves_are_joined() -> None:
    assert symbolic.canonical(C - (C + 1) // 2) == C // 2
    assert symbolic.canonical(C // 2 + (C + 1) // 2) == C
    assert symbolic.canonical(3 * (C // 2) + 3 * ((C + 1) // 2) - 2 * C) == C
    assert symbolic.canonical(C - C // 2) == sympy.ceiling(C / 2)


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "googlenet", "densenet121"])
def test_json_strings_can_be_parsed(name: str) -> None:
    document = json.loads(write(cc.summary(name, "3xHxW"), "json"))
    numbers = cc.summary(name, (1, 3, 131, 99))
    sizes = {"H": 131, "W": 99}
    for row, plain in zip(document["rows"], numbers.rows):
        assert [int(sympy.sympify(dim).subs(sizes)) for dim in row["output_shape"]] == list(plain.output_shape)
        assert int(sympy.sympify(row["flops"]).subs(sizes)) == plain.flops
    assert int(sympy.sympify(document["totals"]["macs"]).subs(sizes)) == numbers.totals["macs"]
    assert all(sympy.sympify(text).subs(sizes) for text in document["assumptions"])


@pytest.mark.parametrize("format", ["latex", "latex_booktabs", "latex_longtable", "latex_raw"])
def test_latex_is_mathematics(format: str) -> None:
    text = write(cc.summary("lenet5", "1xHxW"), format)
    table = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert table.isascii()
    assert table.count(r"\left") == table.count(r"\right") > 0
    assert table.count("$") % 2 == 0
    assert r"$6 \times (H - 4) \times (W - 4)$" in table
    assert r"$16 \times \left\lfloor (H - 12)/4\right\rfloor" in table
    assert restored(protected("⌈H/2⌉²·max_w")) == r"$\left\lceil H/2\right\rceil ^{2}\cdot \mathit{max\_w}$"


# Sets of sizes


def brute(holds: Any, most: int = 200) -> list[int]:
    """Return the numbers below ``most`` for which ``holds`` is true, by trying each."""
    return [n for n in range(1, most) if holds(n)]


SETS = st.builds(
    lambda start, period, below, left: Sizes.of(
        lambda n: n in below if n < start else n % period in left, start, period
    ),
    st.integers(1, 12),
    st.integers(1, 9),
    st.sets(st.integers(1, 11)),
    st.sets(st.integers(0, 8)),
)


@MANY
@given(SETS, SETS, st.integers(1, 60))
def test_sets_of_sizes(a: Sizes, b: Sizes, n: int) -> None:
    assert brute(lambda m: m in (a & b)) == brute(lambda m: m in a and m in b)
    assert brute(lambda m: m in (a | b)) == brute(lambda m: m in a or m in b)
    assert brute(lambda m: m in ~a) == brute(lambda m: m not in a)
    members = brute(lambda m: m in a)
    assert a.above(n) == next((m for m in members if m >= n), None)
    assert a.under(n) == next((m for m in reversed(members) if m <= n), None)
    assert a.least == (members[0] if members else None)
    assert (a == b) == (members == brute(lambda m: m in b))
    assert a.finite == (not members or members[-1] < 100)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=4), st.integers(1, 6), st.integers(1, 4))
def test_signs_of_polynomials_of_floors(factors: list[int], divisor: int, factor: int) -> None:
    def value(n: int) -> int:
        return sum(c * ((factor * n + 3) // divisor) ** i for i, c in enumerate(factors))

    positive = periodic.where(value, divisor, len(factors) - 1, lambda sign: sign >= 0)
    zero = periodic.where(value, divisor, len(factors) - 1, lambda sign: sign == 0)
    assert positive is not None and zero is not None
    assert brute(lambda n: n in positive) == brute(lambda n: value(n) >= 0)
    assert brute(lambda n: n in zero) == brute(lambda n: value(n) == 0)


@MANY
@given(DIM, DIM, st.integers(-30, 60), st.booleans())
def test_relations_of_one_letter_are_solved_exactly(a: Any, b: Any, n: int, same: bool) -> None:
    a, b = (sympy.sympify(symbolic.canonical(sympy.sympify(x).subs({W: H, C: H}))) for x in (a, b))
    suppose((a - b).free_symbols)
    relation = (sympy.Eq if same else sympy.Ge)(a, b + n, evaluate=False)
    found = solve_relation(relation)
    if found is None:
        return
    holds = cc.compile(relation, "H")
    assert brute(lambda m: m in found, 150) == brute(lambda m: holds(m), 150)


@pytest.mark.parametrize("factor", [1, 3])
def test_floors_of_floors_over_a_letter_are_not_solved(factor: int) -> None:
    """They are not periodic: ``⌊3·⌊H/2⌋/H⌋`` is 0 at 1 alone."""
    floor = sympy.floor(factor * sympy.floor(H / 2) / H, evaluate=False)
    assert solve_relation(sympy.Eq(floor, 1, evaluate=False)) is None


@MANY
@given(
    st.tuples(st.integers(1, 9), st.integers(0, 9)), st.tuples(st.integers(1, 9), st.integers(0, 9)), st.integers(1, 60)
)
def test_products_of_two_letters_are_factored(a: tuple[int, int], b: tuple[int, int], goal: int) -> None:
    (m, p), (n, q) = a, b
    relation = sympy.Eq(symbolic.canonical(((H + p) // m) * ((W + q) // n)), goal, evaluate=False)
    region = Region([relation, m <= H, n <= W], ["H", "W"])
    assert region.rest == []
    span = range(1, 80)
    for h in span:
        for w in span:
            assert ((h, w) in region) == (h >= m and w >= n and ((h + p) // m) * ((w + q) // n) == goal)


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        (Sizes.from_(1), "any H"),
        (Sizes.listed([]), "no H"),
        (Sizes.from_(63), "H ≥ 63"),
        (Sizes.of(lambda n: n % 16 == 0, 1, 16), "H ≡ 0 (mod 16)"),
        (Sizes.of(lambda n: n % 16 == 0 and n >= 32, 32, 16), "H ≡ 0 (mod 16), H ≥ 32"),
        (Sizes.of(lambda n: n % 4 != 3, 1, 4), "H ≢ 3 (mod 4)"),
        (Sizes.of(lambda n: n % 224 in (221, 222, 223, 0), 1, 224), "H ≡ 221…224 (mod 224)"),
        (Sizes.of(lambda n: n % 2 == 0 or n in (3, 5), 6, 2), "H = 2…5 or H ≡ 0 (mod 2), H ≥ 6"),
        (Sizes.listed([5, 9, 10]), "H = 5, 9, 10"),
    ],
)
def test_sets_are_described(sizes: Sizes, text: str) -> None:
    assert sizes.describe("H") == text


def test_equations_of_floors_are_printed_as_bounds() -> None:
    k, p, s = cc.symbols("k p s")
    assert open_floor(sympy.Eq((224 + 2 * p - k) // s + 1, 112, evaluate=False)) == "111·s ≤ 2·p + 224 - k ≤ 112·s - 1"
    assert open_floor(sympy.Eq(H + 2 * p - k + 1, H, evaluate=False)) == "k = 2·p + 1"


# Compiled functions


def test_compiled_totals_take_arrays() -> None:
    report = cc.summary("alexnet", "3xHxW")
    totals = cc.compile(report.totals, "H W")
    sizes = numpy.arange(63, 400, 7, dtype=numpy.int32)
    values = totals(sizes, sizes + 5)
    assert values["macs"].dtype == numpy.int64
    for i, n in enumerate(map(int, sizes)):
        plain = cc.summary("alexnet", (1, 3, n, n + 5)).totals
        assert (values["macs"][i], values["elements"][i]) == (plain["macs"], plain["elements"])
    assert values["params"] == report.totals["params"] and values["rf"] == report.totals["rf"]


def test_compiled_functions_of_minima() -> None:
    expr = sympy.Min(H // 2, W) + sympy.Max(H, W // 3)
    function = cc.compile(expr, ["H", "W"])
    for h, w in itertools.product(range(1, 9), range(1, 30, 3)):
        assert function(h, w) == min(h // 2, w) + max(h, w // 3)
    h, w = numpy.arange(1, 9), numpy.arange(3, 11)
    assert list(function(h, w)) == [min(a // 2, b) + max(a, b // 3) for a, b in zip(h, w)]


def test_compile_needs_every_letter() -> None:
    with pytest.raises(SpecError) as error:
        cc.compile(H * W, "H")
    assert str(error.value) == "the letter W is not among the letters given: H\n  name it too: 'H W'"


def test_symbols() -> None:
    assert cc.symbols("H") == H and cc.symbols("H, W") == (H, W)
    for text in ("", "3", "H 4"):
        with pytest.raises(SpecError):
            cc.symbols(text)


def test_sympy_is_loaded_by_the_first_letter() -> None:
    run = (
        "import sys, convcalc; assert 'sympy' not in sys.modules; convcalc.symbols('H'); assert 'sympy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", run], check=True)
    with pytest.raises(AttributeError, match="convcalc has no 'nothing'"):
        _ = cc.nothing


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: nn.Conv2d(8, 8, 3, groups=C),
         "Conv2d: groups must be a number, or a letter of which in_channels is a multiple; received C\n"
         "  write groups=2, or a multiple of C for in_channels"),
        (lambda: cc.summary("resnet50", settings={"output_stride": "K"}),
         "ResNet: output_stride must be 8, 16 or 32; received K"),
    ],
)  # fmt: skip
def test_a_letter_where_only_a_number_works(layer: Any, message: str) -> None:
    with pytest.raises(SpecError) as error:
        layer()
    assert str(error.value) == message


def test_forward_that_compares_letters() -> None:
    model = lambda x: nn.ReLU()(x) if x.shape[2] > 7 else x  # noqa: E731
    with pytest.raises(SpecError) as error:
        trace(model, (1, 3, H, W))
    assert str(error.value).startswith("forward: compares sizes, and the result depends on a letter")


def test_grouped_letters_are_assumed_to_divide() -> None:
    graph = trace(nn.Conv2d(C, 4, 3, groups=2), (1, C, 8, 8))
    assert [(show(relation), reason.what) for relation, reason in graph.reasons.items()] == [
        ("C - 2·⌊C/2⌋ = 0", "in_channels C must be divisible by groups 2")
    ]
    assert math.prod(graph.subs(C=6).nodes[0].layer.weights()["weight"]) == 4 * 3 * 9
