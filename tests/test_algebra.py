"""Numbers, letters, expressions, formulas and intervals, each against a plain and slow way to compute the same."""

from __future__ import annotations

import ast
import math
import operator
import random
import sys
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn  # noqa: F401  # loads every kind
from convcalc.algebra import dims, expression, parse, symbolic
from convcalc.algebra.field import Field, Part, Undefined, join
from convcalc.algebra.formula import Formula, recording
from convcalc.algebra.intervals import Along, Axis, Taps, hull, slide, spread
from convcalc.algebra.symbolic import printing, relations, rounding
from convcalc.errors import ConvcalcError, SpecError
from convcalc.layers.base import kinds

H = symbolic.symbol("H")

STEP = st.tuples(st.sampled_from(["slide", "same", "scale"]), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))


def size(step: tuple[str, int, int, int], n: Any) -> Any:
    """Return the output size of a layer, by the arithmetic that numbers and letters share."""
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
    smaller, same = symbolic.minimum(a, b), relations.equal(a, b)
    for n in range(1, 30):
        x, y = (v if isinstance(v, int) else int(v.subs(H, n)) for v in (a, b))
        assert (smaller if isinstance(smaller, int) else smaller.subs(H, n)) == min(x, y)
        assert bool(same if isinstance(same, bool) else same.subs(H, n)) == (x == y)


ARITHMETIC = expression.Language(
    {
        ast.Constant: lambda language, node, names: node.value,
        ast.Name: lambda language, node, names: names[node.id],
        ast.UnaryOp: expression.unary,
        ast.BinOp: expression.binary,
        ast.BoolOp: expression.joined,
        ast.Compare: expression.chain,
        ast.Tuple: expression.items,
    },
    {
        ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: lambda a, b: a * b if a != 12345 else NotImplemented,
        ast.USub: operator.neg, ast.Not: operator.not_, ast.Lt: operator.lt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    },
    lambda node, names: SpecError(f"{ast.unparse(node)} is refused"),
)  # fmt: skip
SIGNS = st.sampled_from(["+", "-", "*", "<", ">=", "==", "and", "or"])
TEXTS = st.recursive(
    st.sampled_from(["a", "b", "3", "0"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, SIGNS, inner)
        | st.builds("({}{})".format, st.sampled_from(["-", "not "]), inner)
        | st.builds("({} < {} < {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)


class _Truths(ast.NodeTransformer):
    """A change of ``and`` and ``or`` to give a bool, as in our languages; Python's give one of the operands."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.Call:
        return ast.Call(ast.Name("bool", ast.Load()), [self.generic_visit(node)], [])


@given(TEXTS, st.integers(-9, 9), st.integers(-9, 9))
def test_an_expression_has_the_value_that_python_gives_it(text: str, a: int, b: int) -> None:
    tree = expression.parse(text)
    assert tree is not None
    python = ast.fix_missing_locations(_Truths().visit(ast.parse(text, mode="eval")))
    assert ARITHMETIC.value(tree, {"a": a, "b": b}) == eval(compile(python, "text", "eval"), {"a": a, "b": b})


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("1 + a // 2", "a // 2"),
        ("~a", "~a"),
        ("1 < a != 2", "1 < a != 2"),
        ("a if b else 1", "a if b else 1"),
        ("(1, f(a))", "f(a)"),
        ("a.real", "a.real"),
        ("1 + 12345 * 2", "12345 * 2"),
        ("[a for a in b]", "[a for a in b]"),
    ],
)
def test_a_language_refuses_what_has_no_meaning(text: str, refused: str) -> None:
    tree = expression.parse(text)
    assert tree is not None
    with pytest.raises(SpecError) as error:
        ARITHMETIC.value(tree, {"a": 1, "b": 2})
    assert error.value.what == f"{refused} is refused"


@pytest.mark.parametrize("text", ["a = 1", "a +", "", "a\0", "1" * 300, "(" * 150, "a; b"])
def test_other_texts_have_no_tree(text: str) -> None:
    assert expression.parse(text) is None


LETTERS = (symbolic.symbol("a"), symbolic.symbol("b"))
INTEGER = st.integers(-20, 20)
DIVISOR = st.integers(1, 9)
ROUNDINGS = st.builds(
    lambda name, m, c, up: (sympy.ceiling if up else sympy.floor)((name + c) / m, evaluate=False),
    st.sampled_from(LETTERS), st.integers(2, 5), st.integers(0, 4), st.booleans(),
)  # fmt: skip
TERMS = st.sampled_from(LETTERS) | ROUNDINGS
ROUNDED = st.builds(
    lambda outside, terms, constant, divisor: rounding.Rounded(
        sympy.Integer(outside),
        {term: sympy.Integer(factor) for term, factor in terms.items() if factor},
        sympy.Integer(constant),
        sympy.Integer(divisor),
    ),
    INTEGER, st.dictionaries(TERMS, INTEGER, max_size=3), INTEGER, DIVISOR,
)  # fmt: skip
"""Sums over a divisor, with floors and ceilings among their terms, to be rounded down."""


@st.composite
def roundings_with_one_inside(draw: st.DrawFn) -> tuple[rounding.Rounded, Any]:
    """Draw a sum over a divisor and the one rounding in it that `merge` takes, whose factor leaves 1 by the divisor."""
    divisor = draw(st.integers(2, 9))
    others = draw(st.dictionaries(TERMS, INTEGER, max_size=2))
    terms = {term: factor + (term.args != () and factor % divisor == 1) for term, factor in others.items()}
    inner = draw(ROUNDINGS)
    terms[inner] = 1 + draw(st.integers(-3, 3)) * divisor
    factors = {term: sympy.Integer(factor) for term, factor in terms.items() if factor}
    numbers = (sympy.Integer(draw(INTEGER)) for _ in range(2))
    return rounding.Rounded(next(numbers), factors, next(numbers), sympy.Integer(divisor)), inner


PLACE = st.tuples(st.integers(1, 60), st.integers(1, 60))


def value_at(expr: Any, place: tuple[int, int]) -> int:
    """Return the value of an expression at numbers, an integer, by the arithmetic of fractions alone."""
    if expr.func in (sympy.floor, sympy.ceiling):
        (inside,) = (fraction_at(arg, place) for arg in expr.args)
        return (math.floor if expr.func is sympy.floor else math.ceil)(inside)
    value = fraction_at(expr, place)
    assert value.denominator == 1
    return value.numerator


def fraction_at(expr: Any, place: tuple[int, int]) -> Fraction:
    """Return the value of an expression at numbers, which need not be an integer."""
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    if expr.is_Symbol:
        return Fraction(place[LETTERS.index(expr)])
    if expr.func in (sympy.floor, sympy.ceiling):
        return Fraction(value_at(expr, place))
    values = [fraction_at(arg, place) for arg in expr.args]
    if expr.func is sympy.Add:
        return sum(values, Fraction(0))
    if expr.func is sympy.Pow:
        return Fraction(values[0] ** values[1].numerator)
    assert expr.func is sympy.Mul, expr
    return math.prod(values)


def rounded_at(rounded: Any, place: tuple[int, int]) -> int:
    """Return the value of a `Rounded` at numbers."""
    terms = sum(int(factor) * value_at(term, place) for term, factor in rounded.terms.items())
    return value_at(rounded.outside, place) + (terms + int(rounded.constant)) // int(rounded.divisor)


@pytest.mark.parametrize(
    "rewrite", [rounding.take_out_multiples, rounding.cancel_common_factor, rounding.take_out_constant]
)
@given(ROUNDED, PLACE)
def test_a_rewrite_of_a_floor_keeps_its_value(rewrite: Any, rounded: Any, place: tuple[int, int]) -> None:
    assert rounded_at(rewrite(rounded), place) == rounded_at(rounded, place)


@given(ROUNDED, PLACE)
def test_rewrites_do_what_they_are_named_for(rounded: Any, place: tuple[int, int]) -> None:
    divisor = rounded.divisor
    assert all(0 < factor < divisor for factor in rounding.take_out_multiples(rounded).terms.values())
    assert 0 <= rounding.take_out_constant(rounded).constant < divisor
    less = rounding.cancel_common_factor(rounded)
    assert math.gcd(int(less.divisor), *map(int, less.terms.values())) == 1
    if rounding.only_falls(rounded):
        assert all(value_at(factor * term, place) <= 0 for term, factor in rounded.terms.items())


@given(roundings_with_one_inside(), PLACE)
def test_a_nested_rounding_is_merged_into_one(drawn: tuple[rounding.Rounded, Any], place: tuple[int, int]) -> None:
    rounded, inner = rounding.take_out_multiples(drawn[0]), drawn[1]
    assert rounding.nested_rounding(rounded) == inner
    merged = math.floor(fraction_at(rounding.merge(rounded, inner), place))
    assert value_at(rounded.outside, place) + merged == rounded_at(rounded, place)


@given(INTEGER, st.sampled_from(LETTERS), INTEGER, DIVISOR, PLACE)
def test_a_ceiling_is_a_floor(factor: int, term: Any, c: int, d: int, place: tuple[int, int]) -> None:
    arg = (factor * term + c) / sympy.Integer(d)
    exact = math.ceil(fraction_at(arg, place))
    assert math.floor(fraction_at(rounding.ceiling_as_floor(arg), place)) == exact
    assert value_at(rounding.round_up(arg), place) == exact


@given(ROUNDED, PLACE)
def test_finish_writes_what_is_left(rounded: Any, place: tuple[int, int]) -> None:
    rounded = rounding.take_out_constant(rounded)
    assert value_at(rounding.finish(rounded), place) == rounded_at(rounded, place)


@given(ROUNDED, PLACE)
def test_all_rewrites_together_keep_the_value(rounded: Any, place: tuple[int, int]) -> None:
    arg = (rounded.body + rounded.constant) / rounded.divisor
    assert value_at(rounding.round_down(arg), place) == math.floor(fraction_at(arg, place))


@given(INTEGER, INTEGER, st.sampled_from(LETTERS), INTEGER, PLACE)
def test_halves_are_joined(factor: int, more: int, term: Any, c: int, place: tuple[int, int]) -> None:
    expr = factor * sympy.floor(term / 2) + (factor + more) * sympy.ceiling(term / 2) + c
    joined = rounding.join_halves(sympy.expand(expr))
    assert value_at(joined, place) == value_at(sympy.sympify(expr), place)
    if more == 0:
        assert not joined.has(sympy.floor, sympy.ceiling)


@given(INTEGER, INTEGER, st.sampled_from(LETTERS), INTEGER, PLACE)
def test_halves_of_sums_are_joined_in_canonical_form(
    factor: int, more: int, term: Any, c: int, place: tuple[int, int]
) -> None:
    """`join_halves` alone takes no constant out of a half, as of ``(a + 2)/2``; `canonical` does that first."""
    half = (term + c) / sympy.Integer(2)
    expr = factor * sympy.floor(half, evaluate=False) + (factor + more) * sympy.ceiling(half, evaluate=False)
    joined = sympy.sympify(symbolic.canonical(expr))
    assert value_at(joined, place) == value_at(sympy.sympify(expr), place)
    if more == 0:
        assert not joined.has(sympy.floor, sympy.ceiling)


@given(ROUNDED, ROUNDED, st.integers(-5, 5), DIVISOR, PLACE)
def test_a_minimum_leaves_a_floor(left: Any, right: Any, f: int, d: int, place: tuple[int, int]) -> None:
    a, b = left.body + left.constant, right.body + right.constant
    x, y = value_at(sympy.sympify(a), place), value_at(sympy.sympify(b), place)
    expr: Any = sympy.sympify(symbolic.canonical(sympy.floor(f * sympy.Min(a, b) / sympy.Integer(d), evaluate=False)))
    assert expr.subs(dict(zip(LETTERS, place))) == f * min(x, y) // d
    assert all(not inner.has(sympy.Min) for inner in expr.atoms(sympy.floor, sympy.ceiling))


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
        ("3x-1", "'-1' in '3x-1' is not a size\n  a size is an integer such as 224 or a letter such as H\n"
         "  write it as 3x224x224 or 3xHxW"),
        ("1e9", "'1e9' in '1e9' is not a size\n  a size is an integer such as 224 or a letter such as H\n"
         "  write it as 3x224x224 or 3xHxW"),
        ("3x0x4", "a size must be from 1 to 1,000,000,000; received 0\n  write it as 3x224x224"),
        ("9" * 400, "a size must be from 1 to 1,000,000,000; received a number of 400 digits\n"
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
    assert names - {"ceildiv", "min", "max", "quotient"} == set(formula.symbols)
    assert formula.source


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula.name)
def test_mistakes_change_the_result(formula: Formula) -> None:
    numbers = random.Random(0)
    values = [[numbers.randint(1, 12) for _ in formula.symbols] for _ in range(200)]
    for name in formula.mistakes:
        assert any(formula.mistake(name)(*v) != formula(*v) for v in values), name


TAPS = st.builds(slide, st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)) | st.builds(
    spread, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)
)


def seen(unit: int, layers: list[Taps]) -> set[int]:
    """Return the inputs that a unit after ``layers`` sees, one by one."""
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
