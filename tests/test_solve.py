"""Inverse questions: the solver against brute force, its exact answers, what the command prints."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sympy
from click.testing import CliRunner, Result
from hypothesis import assume as suppose
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import nn, summary, trace
from convcalc.algebra.claims import read_claim
from convcalc.algebra.symbolic import canonical, symbol
from convcalc.algebra.symbolic.narrowing import Narrowing, search
from convcalc.algebra.symbolic.program import make_function
from convcalc.algebra.symbolic.relations import relate
from convcalc.analysis.solving.problem import Answers
from convcalc.cli import main
from convcalc.errors import ConvcalcError, SpecError
from convcalc.questions.solve import solve

FEW = settings(max_examples=25)


def answers(*args: Any, **wanted: Any) -> Answers:
    found = solve(*args, **wanted).outcome
    assert isinstance(found, Answers)
    return found


def output(layer: Any, n: int) -> int | None:
    """Return the layer's output along an axis of ``n``; None if it refuses."""
    try:
        size = trace(layer, (1, 3, n)).nodes[0].output_shape[-1]
    except ConvcalcError:
        return None
    assert isinstance(size, int)
    return size


def brute(make: Any, n: int, goal: int, *domains: range) -> set[tuple[int, ...]]:
    """Return all values in ``domains`` for which the layer that ``make`` returns has this output."""
    found = set()
    for values in product(*domains):
        try:
            layer = make(*values)
        except ConvcalcError:
            continue
        if output(layer, n) == goal:
            found.add(values)
    return found


@FEW
@given(st.integers(4, 30), st.integers(1, 20), st.integers(2, 6))
def test_kernel_stride_padding(n: int, goal: int, most: int) -> None:
    wanted = brute(lambda k, s, p: nn.Conv1d(3, 8, k, s, p), n, goal, range(1, most + 1), range(1, 12), range(most))
    wanted = {(k, s, p) for k, s, p in wanted if p <= k - 1}
    text = "Conv1d(3, 8, k, stride=s, padding=p)"
    found = answers(text, f"3x{n}", output=f"8x{goal}", where=[f"k in 1..{most}", "s < 12"])
    assert {tuple(s.values.values()) for s in found.solutions} == wanted
    assert all(solution.output == (8, goal) for solution in found.solutions)


@FEW
@given(st.integers(3, 20), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2), st.integers(1, 90))
def test_output_padding(n: int, k: int, s: int, p: int, goal: int) -> None:
    def make(o: int) -> Any:
        return nn.ConvTranspose1d(3, 8, k, s, p, o)

    text = f"ConvTranspose1d(3, 8, {k}, stride={s}, padding={p}, output_padding=o)"
    goal = goal if goal > 30 else (output(nn.ConvTranspose1d(3, 8, k, s, p), n) or 1) + goal % 4
    try:
        found = answers(text, f"3x{n}", output=f"8x{goal}")
    except ConvcalcError:  # no number fits the letter: the layer takes no such input
        found = Answers(())
    assert {solution.values["o"] for solution in found.solutions} == {o for (o,) in brute(make, n, goal, range(40))}


@FEW
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 12))
def test_input_sizes(k: int, s: int, p: int, goal: int) -> None:
    text = f"Conv1d(3, 8, {k}, stride={s}, padding={p}); MaxPool1d(2)"
    model = nn.Sequential(nn.Conv1d(3, 8, k, s, p), nn.MaxPool1d(2))
    found = answers(text, "3xL", output=f"8x{goal}")
    legal = {n for n in range(1, 120) if output_of(model, n) == goal}
    assert {solution.values["L"] for solution in found.solutions} == legal
    assert found.total == len(legal)


def output_of(model: Any, n: int) -> int | None:
    try:
        size = trace(model, (1, 3, n)).nodes[-1].output_shape[-1]
    except ConvcalcError:
        return None
    assert isinstance(size, int)
    return size


@FEW
@given(st.integers(1, 3000), st.booleans())
def test_channels_and_kernel_from_parameters(params: int, bias: bool) -> None:
    found = answers(f"Conv2d(3, C, k, bias={bias})", params=params)
    weights = {k: 3 * k * k + bias for k in range(1, 40)}
    wanted = {(params // n, k) for k, n in weights.items() if params % n == 0}
    assert {(s.values["C"], s.values["k"]) for s in found.solutions} == wanted
    assert all(solution.params == params for solution in found.solutions)
    if not wanted and params > 4:
        assert found.miss is not None


@FEW
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 3), st.integers(-3, 3))
def test_two_widths_from_parameters(a: int, b: int, k: int, off: int) -> None:
    params = (3 * k * k + 1) * a + (9 * a + 1) * b + off
    wanted = set()
    for first in range(1, max(params, 1)):
        left = params - (3 * k * k + 1) * first
        if left > 0 and left % (9 * first + 1) == 0:
            wanted.add((first, left // (9 * first + 1)))
    found = answers(f"conv(a, {k}); conv(b, 3)", "3x9x9", params=params)
    assert {(s.values["a"], s.values["b"]) for s in found.solutions} == wanted and found.total == len(wanted)
    assert not found.upto and (wanted or found.miss)


def test_large_widths_and_claims_on_them() -> None:
    found = answers("conv(a, 1); conv(b, 1)", "3x8x8", params=1_000_500)
    assert [tuple(s.values.values()) for s in found.solutions] == [(7, 125059), (125062, 4), (3, 250122), (1, 500248)]
    held = answers("conv(a, 1); conv(b, 1)", "3x8x8", params=1_000_500, where=("a > b", "b > 1"))
    assert [tuple(s.values.values()) for s in held.solutions] == [(125062, 4)]


@FEW
@given(st.integers(1, 9), st.integers(1, 4))
def test_padding_that_keeps_the_size(k: int, d: int) -> None:
    suppose(d * (k - 1) < 20)
    found = answers(f"Conv1d(3, 8, {k}, padding=p, dilation={d})", "3xL", output="8xL")
    reach = d * (k - 1)
    assert [s.values["p"] for s in found.solutions] == ([reach // 2] if reach % 2 == 0 else [])


@FEW
@given(st.integers(1, 5), st.integers(2, 200), st.sampled_from(["1", "4", "2*i", "3 + i"]))
def test_the_number_of_layers(k: int, target: int, _: str) -> None:
    if k == 1:
        with pytest.raises(ConvcalcError):
            solve("Conv1d(3, 3, 1)", "3xL", rf=target)
        return
    ways = solve(f"Conv1d(3, 3, {k})", rf=target).outcome
    assert isinstance(ways, list)
    reaching = [way for way in ways if way.size >= target]
    assert len(reaching[0].dilations) == -(-(target - 1) // (k - 1))
    for way in ways:
        model = nn.Sequential(*[nn.Conv1d(3, 3, k) for _ in way.dilations])
        assert summary(model, (1, 3, way.size + 5)).totals["rf"].size == (way.size,)


def test_dilation_schedules() -> None:
    ways = solve("Conv1d(8, 8, 3, dilation=d)", rf=31).outcome
    assert isinstance(ways, list)
    assert [(way.name, way.dilations, way.size) for way in ways[:2]] == [
        ("doubled", (1, 2, 4, 8), 31),
        ("counted", (1, 2, 3, 4, 5), 31),
    ]
    for way in ways:
        model = nn.Sequential(*[nn.Conv1d(8, 8, 3, dilation=d) for d in way.dilations])
        assert summary(model, (1, 8, 200)).totals["rf"].size == (way.size,)


@pytest.mark.parametrize("limit", [10**8, 10**9, 4_089_184_256, 5 * 10**9])
def test_the_largest_resolution(limit: int) -> None:
    best = solve("resnet50", "3xHxH", max_macs=limit).outcome
    fits = [n for n in range(1, 260) if summary("resnet50", (1, 3, n, n)).totals["macs"] <= limit]
    assert best.value == max(fits) and best.exact and best.next == max(fits) + 1


@pytest.mark.parametrize(
    ("name", "setting", "limits"),
    [
        ("resnet50", "width_per_group", {"max_params": 30_000_000}),
        ("vgg16", "num_classes", {"max_macs": 15_480_000_000}),
    ],
)
def test_the_largest_setting(name: str, setting: str, limits: dict[str, int]) -> None:
    best = solve(name, settings={setting: "?"}, **limits).outcome
    ((option, limit),), value = limits.items(), best.value
    total = option.removeprefix("max_")
    assert summary(name, settings={setting: value}).totals[total] <= limit
    assert summary(name, settings={setting: value + 1}).totals[total] > limit


def test_the_largest_depth_by_trying(tmp_path: Path) -> None:
    sheet = tmp_path / "deep.net"
    sheet.write_text("depth = 3\ninput(8, 32, 32)\nfor i in range(depth):\n    conv(8, 3, padding=1)\n")
    best = solve(str(sheet), settings={"depth": "?"}, max_params=10_000).outcome
    assert (best.value, best.exact, best.report.totals["params"]) == (17, False, 17 * 584)


def test_a_budget_with_a_claim() -> None:
    best = solve("resnet50", "3xHxH", max_macs=10**9, where=["H % 32 == 0"]).outcome
    assert best.value == 96


def test_letters_where_a_layer_takes_numbers_only() -> None:
    found = answers("Conv2d(8, 8, 3, padding=1, groups=g)", "8x8x8", params=152)
    assert [s.values for s in found.solutions] == [{"g": 4}]


def test_the_simplest_comes_first() -> None:
    found = answers("Conv2d(3, 8, k, stride=s, padding=p)", "3x224x224", output="8x112x112", where=["k in 1..7"])
    assert [tuple(s.values.values()) for s in found.solutions] == [
        (1, 2, 0), (2, 2, 0), (3, 2, 1), (5, 2, 2), (7, 2, 3), (4, 2, 1), (6, 2, 2),
    ]  # fmt: skip


def test_endless_solutions_are_a_family() -> None:
    found = answers("conv(8, k, padding=p)", "3xHxW", output="8xHxW")
    assert found.endless and found.family == ("k = 2·p + 1",)
    found = answers("Conv2d(3, 8, k, stride=2, padding=p)", "3x224x224", output="8x112x112")
    assert found.endless and found.family == ("2·p + 1 ≤ k ≤ 2·p + 2",)
    found = answers("AdaptiveAvgPool2d(7)", "3xHxW", output="3x7x7")
    assert found.endless and found.family == ("any H, any W",)


def test_no_solution_has_a_closest_miss() -> None:
    found = answers("conv(8, 4, padding=p)", "3xHxW", output="8xHxW")
    assert found.solutions == () and found.miss is not None and found.miss.values == {"p": 1}
    found = answers("Conv2d(3, 8, k)", "3x7x7", output="8x9x9")
    assert found.miss is not None and found.miss.output == (8, 7, 7)


# Several letters at once, and none of them bounded


PLAIN = ("Conv1d(1, 1, k, stride=s, dilation=d)", "MaxPool1d(k, s, 0, d)", "AvgPool1d(k, s, ceil_mode=True)")
PADDED = ("Conv1d(1, 1, k, stride=s, padding=p)", "MaxPool1d(k, s, p)", "ConvTranspose1d(1, 1, k, stride=s, padding=p)")


def put(text: str, values: dict[str, int]) -> str:
    return re.sub(r"\b[ksdp]\b(?!=)", lambda found: str(values.get(found[0], found[0])), text)


def at(text: str, n: int, letters: str, most: int) -> dict[tuple[int, ...], int]:
    """Return the output for all numbers up to ``most`` that torch allows and that leave no window in padding only."""
    found = {}
    for numbers in product(range(most + 1), repeat=len(letters)):
        values = dict(zip(letters, numbers))
        if all(values[letter] for letter in letters if letter != "p"):
            with suppress(ConvcalcError):
                layers = [eval(part, vars(nn)) for part in put(text, values).split(";")]
                graph = trace(nn.Sequential(*layers), (1, 1, n))
                if "p" not in values or "Transpose" in text or values["p"] < layers[0].kernel_size[0]:
                    found[numbers] = graph.nodes[-1].output_shape[-1]
    return found


def check(text: str, n: int, goal: int, letters: str, most: int) -> None:
    """Assert that the solver finds what brute force up to ``most`` finds; larger solutions must be correct."""
    found = answers(text, f"1x{n}", output=f"1x{goal}")
    outputs = at(text, n, letters, most)
    wanted = {numbers for numbers, size in outputs.items() if size == goal}
    values = [tuple(s.values[letter] for letter in letters) for s in found.solutions]
    near = {numbers for numbers in values if max(numbers) <= most}
    assert all(s.output == (1, goal) for s in found.solutions) and len(set(values)) == len(values)
    if found.endless or found.total > len(values):
        assert near <= wanted and values
    else:
        assert near == wanted and found.total == len(values), found
    if not values and outputs:
        closest = min(abs(size - goal) for size in outputs.values())
        assert found.miss is not None and abs(found.miss.output[-1] - goal) <= closest


@settings(max_examples=60)
@given(st.sampled_from(PLAIN), st.sampled_from(["ks", "sd", "kd", "ksd"]), st.integers(4, 16), st.data())
def test_all_kernels_strides_and_dilations(text: str, letters: str, n: int, data: st.DataObject) -> None:
    letters = "".join(letter for letter in letters if re.search(rf"\b{letter}\b(?!=)", text))
    fixed = {letter: data.draw(st.integers(1, 3)) for letter in "ksd" if letter not in letters}
    check(put(text, fixed), n, data.draw(st.integers(2, n + 2)), letters, n + 1)


@settings(max_examples=40)
@given(st.sampled_from(PADDED), st.sampled_from(["kp", "sp", "ksp"]), st.integers(4, 12), st.data())
def test_all_paddings(text: str, letters: str, n: int, data: st.DataObject) -> None:
    fixed = {letter: data.draw(st.integers(2, 4)) for letter in "ksp" if letter not in letters}
    check(put(text, fixed), n, data.draw(st.integers(1, n + 4)), letters, n + 4)


@settings(max_examples=40)
@given(st.sampled_from(["MaxPool1d(k)", "Conv1d(1, 1, k, stride=s)", "Conv1d(1, 1, 3, stride=s)"]), st.data())
def test_all_of_two_layers_that_share_letters(second: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(6, 18))
    check(f"Conv1d(1, 1, k, stride=s);{second}", n, data.draw(st.integers(2, n)), "ks", n + 1)


def test_no_large_solution_is_missed() -> None:
    found = answers("Conv1d(1, 1, k, stride=s)", "1x5000", output="1x500")
    wanted = {(k, s) for s in range(1, 11) for k in range(1, 5001) if (5000 - k) // s == 499}
    assert {tuple(s.values.values()) for s in found.solutions} == wanted and len(wanted) == 55 == found.total


def test_very_many_are_counted_and_the_simplest_shown() -> None:
    found = answers("Conv1d(1, 4, k, stride=s); Conv1d(4, 4, j, stride=t)", "1x500", output="4x40")
    number = sum(
        max(0, min(size, size - 39 * t) - max(1, size - 40 * t + 1) + 1)
        for k, s in product(range(1, 501), repeat=2)
        for size in [(500 - k) // s + 1]
        for t in range(1, size + 1)
        if size >= 40
    )
    assert (found.total, found.upto) == (number, "") and [*found.solutions[0].values.values()] == [1, 1, 461, 1]
    lines = run("Conv1d(1, 1, k, stride=s)", "--input", "1x1000000", "--output", "1x2").output.splitlines()
    assert re.fullmatch(r"more than [\d,]+ solutions:", lines[0]) and lines[1] == "  s ≤ 1,000,000 - k ≤ 2·s - 1"


def test_claims_are_solved_with_the_rest() -> None:
    assert not answers("conv(8, k, padding=p)", "3xHxW", output="8xHxW", where=["k even"]).upto
    found = answers("Conv1d(1, 1, k, stride=s)", "1x5000", output="1x500", where=["k == 3*s + 474"])
    assert [tuple(s.values.values()) for s in found.solutions] == [(501, 9)]
    assert not answers("MaxPool1d(k, 3, p)", "1x9", output="1x11").upto  # its padding is at most half its kernel


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        ("k in (3, 500000001)", [(3, 1), (500000001, 250000000)]),
        ("k == 3*p or k == 7", [(3, 1), (7, 3)]),
        ("not k > 4", [(1, 0), (3, 1)]),
        ("k not in 3..999999996", [(1, 0), (999999997, 499999998), (999999999, 499999999)]),
        ("k not in (3, 5) and k < 8", [(1, 0), (7, 3)]),
        ("k > 3*p and k != 5", [(1, 0)]),
        ("p % k == k - 2", [(3, 1)]),
        ("3 in (k, p)", [(3, 1), (7, 3)]),
        ("k != k", []),
        ("k in (1 // 0, 3)", [(3, 1)]),
        ("k in (1, k) and p < 2", [(1, 0), (3, 1)]),
    ],
)
def test_every_kind_of_claim_narrows(claim: str, wanted: list[tuple[int, int]]) -> None:
    found = answers("Conv1d(1, 1, k, padding=p)", "1x10", output="1x10", where=[claim])
    assert [tuple(s.values.values()) for s in found.solutions] == wanted
    assert (found.total, found.upto, found.endless) == (len(wanted), "", False)


def test_only_infinitely_many_solutions_are_called_endless() -> None:
    same = ("Conv1d(1, 1, k, padding=p)", "1x10")
    assert (
        answers(*same, output="1x10", where=["k % p == 1"]).endless and answers("ZeroPad1d(o)", "2x5", params=0).endless
    )
    found = answers(*same, output="1x10", where=["k <= 2500"])
    assert (found.endless, found.total) == (False, 1250)
    found = answers("Conv1d(8, 8, k, padding=p, groups=g)", "8x8", output="8x8", where=["k <= 700"])
    assert not found.endless and found.upto  # numbers only


def test_only_what_a_claim_leaves_is_counted() -> None:
    found = answers("Conv1d(1, 1, k, padding=p)", "1x10", output="1x10", where=["k // -2 == -2", "k < 4000"])
    assert ([s.values for s in found.solutions], found.total) == ([{"k": 3, "p": 1}], 1)


def test_a_letter_at_0_has_a_formula_of_its_own() -> None:
    found = answers("AvgPool2d(2, 1, p, ceil_mode=True)", "3x4x4", output="3x3x3")
    assert [s.values for s in found.solutions] == [{"p": 0}]
    found = answers("Upsample(scale_factor=2); AvgPool1d(2, 1, p, ceil_mode=True)", "2xL", output="2x3")
    assert [s.values for s in found.solutions] == [{"p": 0, "L": 2}, {"p": 1, "L": 1}] and found.total == 2
    assert answers("MaxPool1d(4, 2, p, ceil_mode=True)", "2x11", output="2x14").solutions == ()
    found = answers("MaxPool1d(1, s, p)", "2x9", output="2x5")  # refused in letters: 2·p ≤ 1
    assert [s.values for s in found.solutions] == [{"s": 2, "p": 0}]


def test_letters_of_the_input_may_be_in_a_layer_too() -> None:
    found = answers("Linear(a, b)", "a", params=12)
    assert [s.layer for s in found.solutions] == [
        "Linear(2, 4)",
        "Linear(3, 3)",
        "Linear(1, 6)",
        "Linear(5, 2)",
        "Linear(11, 1)",
    ]
    found = answers("Linear(a, b); Linear(b, 5)", "a", params=25)
    assert [(s.values, s.params) for s in found.solutions] == [({"a": 4, "b": 2}, 25), ({"a": 14, "b": 1}, 25)]


@given(st.data())
def test_narrowing_leaves_what_holds(data: st.DataObject) -> None:
    """Check random relations of three letters, with floors, products and minima, for all numbers up to 7."""
    letters = [symbol(name) for name in "abc"]
    leaf = st.sampled_from(letters) | st.integers(-4, 9).map(sympy.Integer)

    def deeper(inner: Any) -> Any:
        pair = st.tuples(inner, inner)
        floors = st.tuples(inner, st.integers(2, 4) | st.sampled_from(letters))
        return (
            pair.map(lambda ab: ab[0] + ab[1])
            | pair.map(lambda ab: ab[0] - ab[1])
            | pair.map(lambda ab: ab[0] * ab[1])
            | pair.map(lambda ab: sympy.Min(*ab))
            | floors.map(lambda ab: sympy.floor(ab[0] / ab[1]))
        )

    side = st.recursive(leaf, deeper, max_leaves=5)
    relations = [
        relation
        for a, b, kind in data.draw(
            st.lists(st.tuples(side, side, st.sampled_from(["==", ">="])), min_size=1, max_size=3)
        )
        if not isinstance(relation := relate(kind, canonical(a), canonical(b)), bool)
    ]
    suppose(relations)
    holds = make_function(relations, letters)
    wanted = {numbers for numbers in product(range(1, 8), repeat=3) if all(holds(*numbers))}
    narrowing = Narrowing(relations, letters)
    parts = [part for _, part in search(narrowing, ((1, 7),) * 3, len, data.draw(st.booleans())) if part]
    points = [numbers for part in parts for numbers in product(*[range(low, high + 1) for low, high in part])]
    assert sorted(points) == sorted(wanted)


# Claims


@pytest.mark.parametrize(
    ("text", "true", "most"),
    [
        ("k in 1..7", {1, 2, 3, 4, 5, 6, 7}, {"k": 7}),
        ("k odd and k <= 9", {1, 3, 5, 7, 9}, {"k": 9}),
        ("k in (3, 5)", {3, 5}, {"k": 5}),
        ("2 < k < 5", {3, 4}, {"k": 4}),
        ("k % 4 == 0 or k == 1", {1, 4, 8}, {}),
        ("not k even", {1, 3, 5, 7, 9}, {}),
        ("k // 0 == 1", set(), {}),
        ("5 >= k", {1, 2, 3, 4, 5}, {"k": 5}),
        ("k odd, k <= 5", {1, 3, 5}, {"k": 5}),
        ("k % 3 == 0, k in 2..8 and k even", {6}, {"k": 8}),
        ("k in range(2, 6 // (k - 4))", {5}, {}),
    ],
)
def test_claims(text: str, true: set[int], most: dict[str, int]) -> None:
    found = read_claim(text, ["k"])
    assert {k for k in range(1, 10) if found.holds({"k": k})} == true
    assert found.most == most


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k = 7", "'k = 7' is not a condition\n  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("k ** 2 > 4", "'k ** 2 > 4': the operators of a condition are + - * // % and comparisons\n"
         "  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("k.real > 4", "'k.real > 4': k.real cannot be part of a condition\n"
         "  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("abs(k) > 4", "'abs(k) > 4': a condition cannot call a function\n"
         "  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("k in 3", "'k in 3': in must be followed by several numbers, such as 1..7 or (1, 3)\n"
         "  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("k > 2.5", "'k > 2.5': 2.5 is not an integer up to 1,000,000,000\n"
         "  write it as 'k in 1..7', 'k odd' or 'p <= k//2'"),
        ("q > 1", "'q > 1': there is no letter called q\n  the letters are k, kernel"),
        ("kernal > 1", "'kernal > 1': there is no letter called kernal\n  did you mean kernel?"),
    ],
)  # fmt: skip
def test_what_is_not_a_condition(text: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        read_claim(text, ["k", "kernel"])
    assert str(error.value) == f"--where: {message}"


ODD = (
    "k." * 40,
    "k in range(1)",
    "(k)(k)",
    "k in 1..99999999999",
    "lambda: k",
    "k**k",
    "k in 3",
    "k + 1",
    "(k < 2) + 1",
    "k in range(1, 6 // (k - 3))",
)


@given(st.text(max_size=20) | st.sampled_from(ODD))
def test_any_text_is_a_claim_or_refused(text: str) -> None:
    try:
        read_claim(text, ["k"]).holds({"k": 3})
    except SpecError as error:
        assert str(error).startswith("--where")
    except TypeError:
        pytest.fail("a condition that cannot be computed must be refused")


# The command


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["solve", *words])


def test_the_command_prints_a_table() -> None:
    done = run("Conv2d(3, 64, k, bias=False)", "--params", "9408")
    assert done.exit_code == 0
    assert done.output == (
        "k    Layer                         Output                  Params\n"
        "---  ----------------------------  ----------------------  --------\n"
        "7    Conv2d(3, 64, 7, bias=False)  64 x (H - 6) x (W - 6)  9,408\n"
    )


def test_the_command_reports_budgets() -> None:
    assert run("resnet50", "--input", "3xHxH", "--max-macs", "1G").output == (
        "H = 100: 997,450,496 MACs\nthe next, H = 101: 1,010,934,464 MACs\nbudget: 1,000,000,000 MACs\n"
    )
    done = run("resnet50", "--input", "3xHxH", "--max-macs", "1k")
    assert done.exit_code == 1
    assert done.output.splitlines()[0] == "no H stays within the budget"


def test_the_command_reports_many_solutions_as_runs() -> None:
    lines = run("resnet50", "--input", "3xHxW", "--at", "layer4.2.relu:2", "--output", "2048x7x7").output.splitlines()
    assert lines[:2] == ["1,024 solutions:", "  H = 193…224, W = 193…224"]


def test_the_command_in_json() -> None:
    done = run("Conv2d(3, 8, k)", "--input", "3x9x9", "--output", "8x4x4", "--format", "json")
    assert json.loads(done.output)["solutions"] == [
        {"values": {"k": 6}, "layer": "Conv2d(3, 8, 6)", "output": [8, 4, 4], "params": 872}
    ]
    done = run("Conv1d(8, 8, 3)", "--rf", "31", "--format", "json")
    assert json.loads(done.output)["schedules"][0]["layers"] == 15


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["Conv2d(3, 8, k)", "--input", "3x8x8"], 2, "SpecError: solve: nothing is asked for\n"),
        (["Conv2d(3, 8, 3)", "--input", "3x8x8", "--output", "8x6x6"], 2,
         "SpecError: solve: there is no letter to solve for\n"),
        (["Conv2d(3, 8, k)", "--input", "3x8x8", "--output", "8x6x6", "--where", "q > 1"], 2,
         "SpecError: --where: 'q > 1': there is no letter called q\n  the letters are k\n"),
        (["Conv2d(8, 8, 1)", "--rf", "31"], 1, "NoSolution: no number of layers sees 31\n"),
        (["conv(w, 3); conv(v, 3)", "--input", "3x9x9", "--max-params", "1k"], 2,
         "SpecError: solve: a budget needs exactly one letter; there are w, v\n"),
        (["resnet50", "--input", "3xHxH", "--at", "layer9", "--output", "8x7x7"], 2,
         "UnknownName: there is no call named 'layer9'"),
        (["resnet50", "--set", "wide=?", "--max-params", "1M"], 2, "SpecError: resnet50: has no setting 'wide'"),
        (["Conv2d(3, 8, k)", "--input", "3x8x8", "--output", "8x6x6x6"], 1, "no solution\n"),
    ],
)  # fmt: skip
def test_bad_questions(words: list[str], code: int, message: str) -> None:
    done = run(*words)
    assert done.output.startswith(message), done.output
    assert done.exit_code == code


def test_a_network_may_be_left_without_a_layer(tmp_path: Path) -> None:
    sheet = tmp_path / "deep.net"
    sheet.write_text("depth = 2\ninput(3, 32, 32)\nfor i in range(depth):\n    conv(8, 3)\n")
    deep = (str(sheet), "--set", "depth=?")
    none = CliRunner().invoke(main, ["solve", *deep, "--params", "2336"])
    assert (none.exit_code, none.output.split("\n")[0]) == (1, "no solution with depth ≤ 673")
    empty = CliRunner().invoke(main, ["solve", *deep, "--output", "3x32x32"])
    assert (empty.exit_code, empty.output.split("\n")[2].split()) == (0, ["0", "3", "x", "32", "x", "32", "0"])
    found = CliRunner().invoke(main, ["solve", *deep, "--output", "8x28x28", "--at", "conv2"])
    assert (found.exit_code, found.output.split("\n")[2].split()[0]) == (0, "2")
    for at, hint in (("conv_2", "did you mean conv2"), ("foo", "")):
        unknown = CliRunner().invoke(main, ["solve", *deep, "--output", "8x28x28", "--at", at])
        assert unknown.exit_code == 2
        assert unknown.stderr.startswith(f"UnknownName: there is no call named '{at}'") and hint in unknown.stderr
