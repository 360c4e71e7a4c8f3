"""Numbers, letters, formulas and intervals, each against the plain and slow way of computing the same."""

from __future__ import annotations

import ast
import random
import sys
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn  # noqa: F401  # loads every kind
from convcalc.algebra import dims, parse, symbolic
from convcalc.algebra.field import Field, Part, Undefined, join
from convcalc.algebra.formula import Formula, recording
from convcalc.algebra.intervals import Along, Axis, Taps, hull, slide, spread
from convcalc.algebra.symbolic import printing, relations
from convcalc.errors import ConvcalcError, SpecError
from convcalc.layers.base import kinds

H = symbolic.symbol("H")

STEP = st.tuples(st.sampled_from(["slide", "same", "scale"]), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))


def size(step: tuple[str, int, int, int], n: Any) -> Any:
    """One layer's size rule, by the arithmetic that numbers and letters share."""
    kind, k, s, p = step
    if kind == "slide":
        return (n + 2 * p - k) // s + 1
    return dims.ceildiv(n + p, s) if kind == "same" else n * s + p - k


@given(st.lists(STEP, min_size=1, max_size=5))
def test_canonical_form_equals_the_nested_one(steps: list[tuple[str, int, int, int]]) -> None:
    canonical: Any = H
    for step in steps:
        canonical = symbolic.canonical(size(step, canonical))
    enough = relations.at_least(canonical, 1)
    for n in range(1, 40):
        number = n
        for step in steps:
            number = size(step, number)
        assert (canonical if isinstance(canonical, int) else canonical.subs(H, n)) == number
        assert bool(enough if isinstance(enough, bool) else enough.subs(H, n)) == (number >= 1)


@given(st.lists(STEP, max_size=2), st.lists(STEP, max_size=2))
def test_minimum_and_equal_hold_for_every_size(left: Any, right: Any) -> None:
    a: Any = H
    b: Any = H
    for step in left:
        a = symbolic.canonical(size(step, a))
    for step in right:
        b = symbolic.canonical(size(step, b))
    smaller, same = relations.minimum(a, b), relations.equal(a, b)
    for n in range(1, 30):
        x, y = (v if isinstance(v, int) else int(v.subs(H, n)) for v in (a, b))
        assert (smaller if isinstance(smaller, int) else smaller.subs(H, n)) == min(x, y)
        assert bool(same if isinstance(same, bool) else same.subs(H, n)) == (x == y)


def test_resnet_chain_is_one_ceiling() -> None:
    n: Any = H
    for k, s, p in [(7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1), (1, 2, 0)]:
        n = symbolic.canonical((n + 2 * p - k) // s + 1)
    assert str(n) == "ceiling(H/32)"
    assert dims.show(n) == "⌈H/32⌉"


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        ((H - 3) // 4, "⌊(H - 3)/4⌋"),
        (2 * (H // 2), "2·⌊H/2⌋"),
        (H * H * 64, "64·H²"),
        (relations.at_least(H // 4 - 15, 1), "H ≥ 64"),
        (relations.equal(2 * (H // 2), H), "2·⌊H/2⌋ = H"),
        (symbolic.canonical(H * 4096), "4,096·H"),
    ],
)
def test_letters_print_for_people(dim: Any, text: str) -> None:
    assert printing.pretty(dim) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3x-1", "'-1' in '3x-1' is not a size\n  a size is a whole number such as 224 or a letter such as H\n"
         "  write it as 3x224x224 or 3xHxW"),
        ("1e9", "'1e9' in '1e9' is not a size\n  a size is a whole number such as 224 or a letter such as H\n"
         "  write it as 3x224x224 or 3xHxW"),
        ("3x0x4", "a size lies between 1 and 1,000,000,000; received 0\n  write it as 3x224x224"),
        ("9" * 400, "a size lies between 1 and 1,000,000,000; received a number of 400 digits\n"
         "  write it as 3x224x224"),
    ],
)  # fmt: skip
def test_what_is_not_a_shape(text: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        parse.parse_shape(text)
    assert str(error.value) == message


@given(st.text(max_size=30))
def test_any_text_is_a_shape_or_refused(text: str) -> None:
    try:
        assert all(parse.parse_shape(text))
    except ConvcalcError as error:
        assert str(error)


FORMULAS = sorted(
    {value for kind in kinds() for value in vars(sys.modules[kind.__module__]).values() if isinstance(value, Formula)},
    key=lambda formula: formula.name,
)


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_formulas_explain_what_they_compute(formula: Formula) -> None:
    values = dict(zip(formula.symbols, (11, 5, 3, 2, 1, 1, 2, 3, 1, 2)))
    assert len(values) == len(formula.symbols)
    with recording() as steps:
        result = formula(*values.values())
    assert [step.result for step in steps] == [result]
    assert str(steps[0]).endswith(f" = {result}")
    assert "*" not in str(steps[0])
    names = {node.id for node in ast.walk(ast.parse(formula.text)) if isinstance(node, ast.Name)}
    assert names - {"ceildiv", "min", "max"} == set(formula.symbols)
    assert formula.source


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_slips_do_slip(formula: Formula) -> None:
    numbers = random.Random(0)
    values = [[numbers.randint(1, 12) for _ in formula.symbols] for _ in range(200)]
    for name in formula.slips:
        assert any(formula.slip(name)(*v) != formula(*v) for v in values), name


TAPS = st.builds(slide, st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)) | st.builds(
    spread, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)
)


def seen(unit: int, layers: list[Taps]) -> set[int]:
    """The inputs that a unit on top of ``layers`` sees, one by one."""
    units = {unit}
    for taps in reversed(layers):
        below = set()
        for i in units:
            turn, phase = divmod(i, len(taps.ranges))
            below |= {turn * taps.advance + reads for reads in taps.ranges[phase]}
        units = below
    return units


@given(st.lists(TAPS, min_size=1, max_size=5))
def test_intervals_hold_what_units_see(layers: list[Taps]) -> None:
    axis: Along = Axis(0)
    for taps in layers:
        axis = axis.through(taps)
    for unit in range(-5, 20):
        pixels = seen(unit, layers)
        assert axis.interval(unit) == ((min(pixels), max(pixels)) if pixels else None)


@given(st.lists(TAPS, max_size=3), st.lists(TAPS, max_size=3))
def test_a_merge_sees_what_its_branches_see(left: list[Taps], right: list[Taps]) -> None:
    a: Along = Axis(0)
    b: Along = Axis(0)
    for taps in left:
        a = a.through(taps)
    for taps in right:
        b = b.through(taps)
    both = join([Field((a,)), Field((b,))], (13,))
    assert both is not None and both.axes[0] is not None
    assert both.axes[0].exact == (a.jump == b.jump)
    for unit in range(13):
        seen, expected = both.axes[0].interval(unit), hull([a.interval(unit), b.interval(unit)])
        if both.axes[0].exact:
            assert seen == expected
        elif expected is not None:
            assert seen is not None and seen[0] <= expected[0] and expected[1] <= seen[1]


def test_windows_do_not_merge_with_an_axis_that_was_never_split() -> None:
    windows = Field((Part(Axis(0), 8, 7, False),))
    for both in permutations([windows, Field((Axis(0),))]):
        with pytest.raises(Undefined):
            join(both, (8,))


def test_a_period_too_long_is_bounded() -> None:
    axis: Along = Axis(0)
    for stride in (61, 67, 71):
        axis = axis.through(spread(stride, stride, 0, 1))
    assert not axis.exact and axis.jump == Fraction(1, 61 * 67 * 71)
    assert axis.interval(0) == (0, 0) and axis.size == (0, 1)
