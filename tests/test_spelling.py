"""How a kind is written is declared on its class, holds in torch, and is known to no other file by a kind's name."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from convcalc import nn, trace
from convcalc.formats.code.arguments import arguments
from convcalc.formats.code.forms import fill_holes, spell_arguments
from convcalc.formats.sheet.names import any_kind, families, kinds, member, merges, operators
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.write import write_spec
from convcalc.formats.torch.operators import Expression, function_form, has_function, integer_values, spell_function
from convcalc.formats.torch.write import write_torch
from convcalc.layers.base import Layer, Lazy
from convcalc.layers.spelling import Spelling
from convcalc.questions.layers import example

PACKAGE = Path(__file__).parent.parent / "convcalc"
KINDS = sorted(kinds())


def made(kind: type[Layer]) -> tuple[Layer, list[Any]]:
    """Return the layer of the call in a kind's docstring, and the shapes that it is called with."""
    call = example(kind)
    assert call is not None
    layer = eval(ast.unparse(call.call), {kind.__name__: kind})
    return layer, [*call.shapes]


def test_every_kind_has_a_name_of_its_family() -> None:
    """A sheet's name belongs to one family, and every family has one."""
    by_name: dict[str, set[str]] = {}
    for kind in kinds().values():
        for name in (kind.sheet_name(), *kind.also):
            assert name.isidentifier() and name[:1].islower(), kind
            by_name.setdefault(name, set()).add(kind.family())
    assert {name: found for name, found in by_name.items() if len(found) > 1} == {}


def test_a_family_has_one_kind_of_each_rank() -> None:
    members: dict[tuple[str, int], list[str]] = {}
    for name, kind in kinds().items():
        members.setdefault((kind.family(), kind.rank), []).append(name)
    assert [names for names in members.values() if len(names) > 1] == []


def test_lowercase_names_mean_members_of_their_family() -> None:
    assert set(families()) >= {kind.sheet_name() for kind in kinds().values() if not issubclass(kind, Lazy)}
    for name, family in families().items():
        kind = any_kind(name)
        assert kind is not None and kind.family() == family
    assert [member("Conv", rank) for rank in range(5)] == [None, nn.Conv1d, nn.Conv2d, nn.Conv3d, None]
    assert [member("BatchNorm", rank) for rank in (0, 1)] == [nn.BatchNorm1d] * 2


@pytest.mark.parametrize("name", KINDS)
def test_torch_has_what_a_kind_says_it_has(name: str) -> None:
    assert kinds()[name].in_torch == hasattr(torch.nn, name)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_inferred_and_preset_is_an_argument(name: str) -> None:
    kind = kinds()[name]
    assert {*kind.infers, *kind.sheet_defaults} <= set(kind.arguments)
    for preset in kind.also.values():
        assert set(preset) <= set(kind.arguments)
    assert set(kind.printed or ()).isdisjoint(kind.arguments)


@pytest.mark.parametrize("name", [name for name in KINDS if has_function(kinds()[name])])
def test_a_function_gives_the_shape_of_its_kind(name: str) -> None:
    """The spelling of the docstring's call runs in torch, and its output is as large as is said."""
    kind = kinds()[name]
    layer, shapes = made(kind)
    tensors = [
        torch.zeros(shape, dtype=torch.long) if i == kind.index_input else torch.randn(shape)
        for i, shape in enumerate(shapes)
    ]
    values: dict[str, Any] = {"torch": torch, "F": F, **dict(zip("abc", tensors))}
    inputs = [Expression(letter) for letter in "abc"[: len(shapes)]]
    source = spell_function(kind, inputs, fill_holes(function_form(layer))).text
    assert tuple(eval(source, values).shape) == layer.output_shape(*shapes), source


@pytest.mark.parametrize("name", [name for name in KINDS if kinds()[name].in_torch and not kinds()[name].held_as])
def test_a_module_takes_the_arguments_of_its_kind(name: str) -> None:
    """The spelling of the docstring's layer makes a module of the same weights."""
    layer, shapes = made(kinds()[name]) if example(kinds()[name]) else (None, [])
    if layer is None or not shapes or issubclass(kinds()[name], Lazy):
        return
    module = eval(f"torch.nn.{name}({spell_arguments(fill_holes(arguments(layer)))})", {"torch": torch})
    shapes_of = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert shapes_of == {**layer.weights(), **layer.buffers()}


def test_noisy_kinds_are_those_that_are_random_in_training() -> None:
    """Of the kinds without tensors that need no argument and take any map, by two forward passes."""
    noisy = set()
    for name, kind in kinds().items():
        if kind.in_torch and not kind.arity[0] > 1 and not kind.held_as and not issubclass(kind, Lazy):
            try:
                module = getattr(torch.nn, name)()
                x = torch.randn((2, 64, *[6] * (kind.rank or 2)))
                once, again = module.train()(x), module(x)
            except (TypeError, RuntimeError, ValueError, IndexError):
                continue
            if not torch.equal(once, again):
                noisy.add(name)
    assert noisy == {name for name, kind in kinds().items() if kind.noisy}


def test_merges_and_operators() -> None:
    joining = {kind for kind in kinds().values() if kind.merges}
    assert set(merges().values()) == joining
    assert {sign: kind.__name__ for sign, kind in operators().items()} == {
        "+": "Add", "*": "Mul", "-": "Sub", "/": "Div", "@": "MatMul",
    }  # fmt: skip
    for kind in joining:
        assert merges()[kind.__name__] is merges()[kind.sheet_name()] is kind
        assert has_function(kind) and not kind.in_torch


class Indexed(nn.Module):
    """Reads an index that was reordered, joined and cut on the way."""

    def __init__(self) -> None:
        self.table = nn.Embedding(10, 4)

    def forward(self, x: Any, y: Any) -> Any:
        from convcalc import cat

        return self.table(cat([x.unsqueeze(1).transpose(1, 2), y[:, :, None]], 1).squeeze(2))


def test_an_index_stays_one_through_what_rearranges() -> None:
    graph = trace(Indexed(), (1, 3), (1, 2))
    assert set(graph.inputs) <= integer_values(graph)
    namespace: dict[str, Any] = {"__name__": "written"}
    exec(write_torch(graph, "indexed"), namespace)
    x, y = torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 2, dtype=torch.long)
    assert namespace["Indexed"]()(x, y).shape == (1, 5, 4)
    assert write_torch(graph, "indexed").count("dtype=torch.long") == 2


class Wave(Layer):
    """A kind from outside the package: all that is known about its spelling is on this class."""

    sheet = "wave"
    in_torch = False
    torch_call = "torch.cos({all})"
    infers = {"channels": 1}  # noqa: RUF012

    channels: int
    phase: float = 0.0


def test_a_kind_from_outside_is_written_by_what_its_class_says() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.wave = Wave(3)

        def forward(self, x: Any) -> Any:
            return self.wave(x) + x

    source = write_torch(trace(Net(), (1, 3, 8, 8)), "net")
    assert "return torch.cos(x) + x" in source
    assert "self.wave" not in source


def test_sheets_know_merges_by_their_class() -> None:
    graph = read_spec("input(4, 8, 8)\na = conv(4, 1)\nb = relu()\ncat(a, b)\nc = relu()\ncat(c, dim=0)").graph
    assert [repr(node.layer) for node in graph.nodes[2:]] == ["Cat(dim=1)", "ReLU()", "Cat()"]
    assert read_spec(write_spec(graph)).graph.nodes[-1].layer == graph.nodes[-1].layer


EXCEPTIONS = {
    ("algebra/formula.py", "Add"): "a node of Python's syntax tree",
    ("algebra/formula.py", "Sub"): "a node of Python's syntax tree",
    ("formats/code/arguments.py", "Max"): "a word of sympy's",
    **{("nn.py", name): "a public name with the file that it is in" for name in ("Buffer", "Lazy", "Parameter")},
}
"""Strings that are like the name of a kind, and what they mean."""


def words_in(name: str) -> set[str]:
    """Return the runs of words in a kind's name.

    >>> sorted(words_in("MaxPool2d"))
    ['Max', 'MaxPool', 'MaxPool2d', 'Pool', 'Pool2d']
    """
    words = re.findall(r"[A-Z]+[a-z]*|\dd", name)
    runs = {"".join(words[i:j]) for i, j in itertools.combinations(range(len(words) + 1), 2)}
    return {run for run in runs if run[0].isupper() and len(run) > 2}


def test_no_file_outside_of_layers_names_a_kind() -> None:
    """No string is a kind's name or a part of one, by which a class could be recognised."""
    parts = set().union(*map(words_in, kinds()), kinds()) - {"Layer"}  # which is the title of a column
    named = {
        (path.relative_to(PACKAGE).as_posix(), node.value)
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "layers"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in parts
    }
    assert named == set(EXCEPTIONS)


def test_every_attribute_is_documented_and_used() -> None:
    source = (PACKAGE / "layers" / "spelling.py").read_text()
    others = "".join(p.read_text() for p in PACKAGE.rglob("*.py") if p.parent.name != "layers")
    for name in Spelling.__annotations__:
        assert re.search(rf'    {name}: ClassVar.*\n    """[A-Z]', source), name
        if name != "sheet":  # read by `sheet_name`
            assert re.search(rf"\.{name}\b", others), name
