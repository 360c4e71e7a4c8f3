"""Errors carry facts: the fields and the text of each, and that no hint, caret or decision depends on a text."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convcalc import nn
from convcalc.errors import (
    ConvcalcError,
    MissingArguments,
    NoSolution,
    NotAnInteger,
    Place,
    ShapeError,
    SpecError,
    UnknownName,
    UnknownSetting,
)
from convcalc.formats.exam import Exam
from convcalc.formats.sheet.expressions import FractionAmongLetters
from convcalc.formats.sheet.names import WrongMap
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.source import Text
from convcalc.layers.demands import (
    ANY,
    NotBroadcastable,
    NotDivisible,
    ShapesDiffer,
    SizeMismatch,
    TooFewAxes,
    TooSmall,
    WrongAxes,
    WrongNumberOfInputs,
    WrongSpatialAxes,
)
from convcalc.network.trace import trace
from convcalc.questions.solve import solve

ROOT = Path(__file__).parent.parent / "convcalc"
SHEETS = [
    entry.split("\n>>>\n")[0]
    for entry in (Path(__file__).parent / "goldens" / "wrong_sheets.txt").read_text().split("---\n")
]
TWO = ((1, 4, 8, 8), (1, 4, 9, 8))

FACTS: list[tuple[ConvcalcError, type[ConvcalcError], dict[str, Any], str]] = [
    # an error, its public class, its fields, its text
    (
        NotAnInteger("kernel_size", 2.5, "Conv2d"),
        SpecError,
        {"name": "kernel_size", "received": 2.5, "about": ("kernel_size",)},
        "Conv2d: kernel_size must be an integer; received 2.5",
    ),
    (
        MissingArguments(["a", "b"], where="Conv2d"),
        SpecError,
        {"names": ("a", "b"), "about": ()},
        "Conv2d: needs a and b",
    ),
    (
        UnknownSetting("wide", {"width": 1, "p": 0.5}, where="net"),
        SpecError,
        {"setting": "wide", "known": {"width": 1, "p": 0.5}},
        "net: has no setting 'wide'\n  it takes width=1, p=0.5",
    ),
    (FractionAmongLetters(), SpecError, {}, "min and max compare letters with integers only"),
    (
        WrongMap("conv", 1, 3, (1, 8), "write it so"),
        SpecError,
        {"layer": "conv", "least": 1, "most": 3, "shape": (1, 8)},
        "conv needs an input with 1 to 3 spatial axes; received 8\n  write it so",
    ),
    (
        WrongMap("Conv1d", 1, 1, (1,)),
        SpecError,
        {"least": 1, "most": 1},
        "Conv1d needs an input with 1 spatial axis; received a single number",
    ),
    (
        WrongNumberOfInputs(2, 2, 1, where="cat"),
        ShapeError,
        {"least": 2, "most": 2, "received": 1, "names": None},
        "cat: takes 2 inputs, received 1",
    ),
    (WrongNumberOfInputs(1, 3, 4, ["x"]), ShapeError, {"names": ["x"]}, "takes 1 to 3 inputs (x), received 4"),
    (WrongNumberOfInputs(2, ANY, 1), ShapeError, {"most": ANY}, "takes at least 2 inputs, received 1"),
    (
        WrongAxes((4, 3), (1, 8)),
        ShapeError,
        {"expected": (4, 3), "shape": (1, 8)},
        "expected an input of 4 or 3 axes, received 2: 1 x 8",
    ),
    (
        TooFewAxes(3, (1, 8)),
        ShapeError,
        {"least": 3, "shape": (1, 8)},
        "expected an input of at least 3 axes, received 2: 1 x 8",
    ),
    (
        WrongSpatialAxes("size", 2, (1, 4, 8)),
        ShapeError,
        {"argument": "size", "expected": 2, "shape": (1, 4, 8), "about": ("size",)},
        "expected an input of 2 spatial axes (size), received 1: 1 x 4 x 8",
    ),
    (
        SizeMismatch("in_channels", "channels", 3, 4),
        ShapeError,
        {"argument": "in_channels", "axis": "channels", "expected": 3, "received": 4, "about": ("in_channels",)},
        "expected 3 channels (in_channels), received 4",
    ),
    (
        NotDivisible("groups", "channels", 6, 4),
        ShapeError,
        {"argument": "groups", "axis": "channels", "size": 6, "by": 4, "about": ("groups",)},
        "expected channels divisible by 4 (groups), received 6",
    ),
    (
        ShapesDiffer("height", 8, 9, TWO),
        ShapeError,
        {"axis": "height", "a": 8, "b": 9, "shapes": TWO},
        "the inputs differ in height (8 and 9)",
    ),
    (
        NotBroadcastable(8, 9, TWO),
        ShapeError,
        {"a": 8, "b": 9, "shapes": TWO},
        "1 x 4 x 8 x 8 and 1 x 4 x 9 x 8 cannot be broadcast: 8 does not match 9",
    ),
    (
        TooSmall(4, 2, -1),
        ShapeError,
        {"rank": 4, "axis": 2, "size": -1, "is_spatial": True},
        "the output height is -1",
    ),
    (TooSmall(4, 1, 0), ShapeError, {"is_spatial": False}, "the output number of channels is 0"),
]


@pytest.mark.parametrize(("error", "public", "fields", "text"), FACTS, ids=lambda value: type(value).__name__)
def test_facts(error: ConvcalcError, public: type[ConvcalcError], fields: dict[str, Any], text: str) -> None:
    assert isinstance(error, public)
    assert error.title == public.__name__
    assert {name: getattr(error, name) for name in fields} == fields
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == text
    assert vars(again) == vars(error)


def fact_classes(base: type[ConvcalcError] = ConvcalcError) -> Iterator[type[ConvcalcError]]:
    """Yield every class of errors below the public ones."""
    for kind in base.__subclasses__():
        if base is not ConvcalcError and kind.__module__.startswith("convcalc"):
            yield kind
        yield from fact_classes(kind)


def test_every_fact_is_tested() -> None:
    assert {type(error) for error, *_ in FACTS} == set(fact_classes())


def test_titles_are_public_names() -> None:
    assert [kind("x").title for kind in (ConvcalcError, ShapeError, UnknownName)] == [
        "ConvcalcError", "ShapeError", "UnknownName",
    ]  # fmt: skip
    assert NoSolution("x").exit_code == 1


@pytest.mark.parametrize(
    ("layer", "shape", "kind", "fields"),
    [
        (nn.Conv2d(3, 8, 3), (1, 4, 8, 8), SizeMismatch, {"argument": "in_channels", "expected": 3, "received": 4}),
        (nn.Conv2d(3, 8, 3), (1, 4), WrongAxes, {"expected": (4, 3)}),
        (nn.Conv2d(3, 8, 9), (1, 3, 8, 8), TooSmall, {"axis": 2, "size": 0}),
        (nn.PixelShuffle(2), (1, 6, 8, 8), NotDivisible, {"by": 4, "size": 6}),
        (nn.PixelShuffle(2), (1, 6), TooFewAxes, {"least": 3}),
        (nn.Upsample(size=(8, 8)), (1, 3, 8), WrongSpatialAxes, {"argument": "size", "expected": 2}),
        (nn.Bilinear(3, 3, 3), (1, 3), WrongNumberOfInputs, {"least": 2, "most": 2, "received": 1}),
    ],
)
def test_layers_state_facts(
    layer: Any, shape: tuple[int, ...], kind: type[ConvcalcError], fields: dict[str, Any]
) -> None:
    with pytest.raises(kind) as caught:
        trace(layer, shape)
    assert {name: getattr(caught.value, name) for name in fields} == fields


def test_an_error_in_a_text_keeps_its_facts_and_says_its_place() -> None:
    with pytest.raises(SizeMismatch) as caught:
        read_spec("input(4, 8, 8)\nrelu(); Conv2d(3, 8, 3)", "t.net")
    match caught.value:
        case SizeMismatch(argument="in_channels", expected=3, received=4, place=place):
            assert place == Place("t.net", 2, 16)
        case error:
            pytest.fail(repr(error))
    assert str(caught.value).startswith("t.net:2:16: conv1 = Conv2d(3, 8, 3): expected 3 channels")


# No text is read


@pytest.fixture
def reworded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every error the same text."""
    made = ConvcalcError.__init__

    def blunt(self: ConvcalcError, what: str, **rest: Any) -> None:
        made(self, "sorry", **rest)

    monkeypatch.setattr(ConvcalcError, "__init__", blunt)


def acted_on(text: str, exam: bool = False) -> list[tuple[str, Place | None, str]]:
    """Return the name, the place and the hint of each error in a text."""
    seen: list[ConvcalcError] = []

    def record(self: Text) -> None:
        seen.extend(self.errors)
        finish(self)

    with pytest.MonkeyPatch.context() as patch:
        finish = Text.finish
        patch.setattr(Text, "finish", record)
        try:
            Exam(Text(text, "t")).read() if exam else read_spec(text, "t.net")
        except ConvcalcError as error:
            return [(each.title, each.place, each.hint) for each in seen or [error]]
    return []


EXAMS = ["INPUT 8x8x3\nPOOL-16", "INPUT 8x8x3\nCONV-9-3, CONV-3-3", "INPUT 8x8x3\nCONV-0-3 s0", "POOL-2"]
CASES = [*((sheet + "\n", False) for sheet in SHEETS), *((text, True) for text in EXAMS)]


@pytest.fixture(scope="module")
def usual() -> list[list[tuple[str, Place | None, str]]]:
    """Return the facts acted on in each case, with the usual texts."""
    return [acted_on(text, exam) for text, exam in CASES]


def test_hints_and_places_depend_on_no_text(usual: list[list[tuple[str, Place | None, str]]], reworded: None) -> None:
    assert sum(bool(hint) for case in usual for _, _, hint in case) > 60
    for (text, exam), expected in zip(CASES, usual):
        assert acted_on(text, exam) == expected, text


def test_a_missing_setting_is_known_whatever_it_says(reworded: None) -> None:
    with pytest.raises(UnknownSetting):
        solve("resnet50", settings={"wide": "?"}, params=1)


class Branching(nn.Module):
    """A network whose forward compares a size."""

    def forward(self, x: Any) -> Any:
        return x if x.shape[2] > 5 else -x


def test_a_comparison_of_letters_is_known_whatever_sympy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import sympy.core.relational as relational

    from convcalc.algebra.parse import symbols

    height = symbols("H")
    monkeypatch.setattr(relational, "LazyExceptionMessage", lambda text: "sorry")
    with pytest.raises(SpecError, match="compares sizes, and the result depends on a letter"):
        trace(Branching(), (1, 3, height, 8))
    assert trace(Branching(), (1, 3, 8, 8)).nodes == ()


def test_other_type_errors_are_not_taken_for_it() -> None:
    def forward(x: Any) -> Any:
        raise TypeError("cannot determine truth value of Relational: H > 5")

    with pytest.raises(TypeError, match="Relational"):
        trace(forward, (1, 3, 8, 8))


def searches(source: str) -> list[int]:
    """Return the lines of a Python text that search an error's text: compare it, match it, split it.

    >>> searches('''
    ... if "x" in error.what or re.search("x", f" {error.what}"): pass
    ... if error.what.startswith("x") or str(error) == "x": pass
    ... raise SpecError(f"{error.where}: {error.what}", where=error.what)
    ... ''')
    [2, 2, 3, 3]
    """
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    caught = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)} | {"error"}
    lines = []
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and bool(node.args)
        text = named and ast.unparse(node.args[0]) in caught  # type: ignore[attr-defined]
        if not text and not (isinstance(node, ast.Attribute) and node.attr == "what"):
            continue
        user = parents[node]
        while isinstance(user, (ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.IfExp)):
            user = parents[user]
        makes = isinstance(user, ast.Call) and ast.unparse(user.func).endswith(("Error", "_shorten", "append"))
        if isinstance(user, (ast.Compare, ast.Attribute, ast.Subscript)) or (isinstance(user, ast.Call) and not makes):
            lines.append(node.lineno)
    return sorted(lines)


def test_a_search_is_seen() -> None:
    assert searches("def f(error): return re.match('x', error.what)") == [1]
    assert searches("def f(error): return hint_for(error.what)") == [1]
    assert searches("def f(error): return 'x' in f' {error.what}'") == [1]
    assert searches("try: pass\nexcept TypeError as e:\n  if 'x' in str(e): raise") == [3]
    assert searches("def f(error): error.what = SpecError(f'a {error.what}')") == []


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_searches_an_error_s_text(path: Path) -> None:
    assert searches(path.read_text()) == []


# One settled value for equal layers


def test_equal_layers_share_one_settled_value_and_stay_two_objects() -> None:
    a, b = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)
    assert a is not b
    assert a == b
    assert a.shared is b.shared
    assert hash(a) == hash(b) == hash(nn.Conv2d(3, 8, (3, 3)))


def test_what_is_equal_but_of_another_type_is_not_shared() -> None:
    assert nn.LeakyReLU(1).shared is not nn.LeakyReLU(True).shared
    with pytest.raises(NotAnInteger):
        nn.Conv2d(3, 8, True)
    assert nn.Conv2d(3, 8, 1) == nn.Conv2d(3, 8, kernel_size=1)
