"""``convcalc layers``: every kind is listed and described, with an example that reads and its formulas."""

from __future__ import annotations

import ast
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from convcalc import nn
from convcalc.algebra.formula import Formula, recording
from convcalc.formats.sheet.names import families, kinds
from convcalc.layers.base import Layer
from convcalc.layers.workings import formulas_of
from convcalc.questions.layers import example, kind_named, layers, read_example
from convcalc.views.catalogue import signature
from tests.test_cli import in_terminal, run

IN_PYTHON_ONLY = {"Buffer", "IndexSelect", "Parameter", "Slice"}
"""Kinds whose example cannot be a sheet: parameters held by a module, and kinds that take indices or several parts."""


def stated(kind: type[Layer]) -> list[Formula]:
    """Return the formulas of a kind, of all quantities, without sentences."""
    return [formula for formulas in formulas_of(kind).values() for formula in formulas if isinstance(formula, Formula)]


def test_the_list_holds_every_kind_once() -> None:
    result = run("layers")
    assert (result.exit_code, result.stderr) == (0, "")
    names = [line.split("(")[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert sorted(names) == sorted(kinds())
    assert names == sorted(names, key=str.lower)


def test_a_pattern_filters_by_either_name() -> None:
    assert run("layers", "Conv?d").stdout == "".join(
        f"Conv{rank}d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,\n"
        "    padding_mode='zeros')\n"
        for rank in (1, 2, 3)
    )
    for pattern, names in (
        ("b?", ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]),
        ("*softmax", ["LogSoftmax", "Softmax", "Softmax2d"]),
    ):
        assert [line.split("(")[0] for line in str(layers(pattern)).splitlines()] == names


@pytest.mark.parametrize("name", sorted(kinds()))
def test_signatures_say_names_and_defaults(name: str) -> None:
    kind = kinds()[name]
    call = ast.parse(signature(kind), mode="eval").body
    assert isinstance(call, ast.Call)
    assert [*(word.id for word in call.args if isinstance(word, ast.Name)), *(word.arg for word in call.keywords)] == [
        *kind.arguments
    ]
    for word in call.keywords:
        assert word.arg and ast.literal_eval(word.value) == kind.arguments[word.arg]


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_kind_is_described(name: str) -> None:
    kind = kinds()[name]
    text = str(layers(name))
    assert text.startswith(f"{name}(")
    assert "`" not in text
    unbroken = layers(name).to_text(width=1000)
    assert all(str(formula) in unbroken for formula in stated(kind))
    assert all(title in text for title in ("output size", "parameters", "receptive field", "memory"))
    reading = read_example(kind)
    assert (reading is None) == (name in IN_PYTHON_ONLY)
    if reading is None:
        assert "for example, in Python\n  >>> " in text
        return
    sheet, report = reading
    assert all(f"\n  {line}\n" in text for line in sheet.splitlines())
    shown = example(kind)
    if not kind.sheet_example:  # the sheet is derived from the docstring
        assert shown is not None
        wanted: Any = kind(*map(ast.literal_eval, shown.call.args), **{
            str(word.arg): ast.literal_eval(word.value) for word in shown.call.keywords
        })  # fmt: skip
        assert report.rows[-1].layer == wanted.resolve(*shown.shapes)


@pytest.mark.parametrize("name", sorted(kinds()))
def test_formulas_are_those_that_compute(name: str) -> None:
    """Every formula that a call of the example uses is listed."""
    reading = read_example(kinds()[name])
    if reading is None:
        return
    row = reading[1].rows[-1]
    assert row.layer is not None
    with recording() as steps:
        row.layer.output_shape(*row.input_shapes)
        row.layer.work(row.input_shapes, row.output_shape)
    assert {id(step.formula) for step in steps} <= {id(formula) for formula in stated(kinds()[name])}


def test_formulas_of_the_most_used() -> None:
    def names(kind: str) -> dict[str, list[str]]:
        return {
            quantity: [formula.name for formula in formulas if isinstance(formula, Formula)]
            for quantity, formulas in formulas_of(kind_named(kind)).items()
        }

    assert names("conv") == {
        "size": ["convolution size", "SAME size"],
        "channels": ["output channels of a convolution"],
        "params": ["parameters"],
        "macs": ["multiply–accumulates of a convolution"],
        "field": ["receptive field", "jump", "start"],
        "memory": ["bytes in fp32"],
    }
    assert names("linear")["macs"] == ["multiply–accumulates of a linear layer"]
    assert names("LazyConv2d") == names("Conv2d")
    assert names("AvgPool3d") == names("AvgPool2d")
    assert names("relu") == {"size": [], "params": [], "macs": [], "field": [], "memory": ["bytes in fp32"]}
    assert names("cat")["size"] == ["concatenated size"]


def test_the_page_as_data_has_formulas_by_quantity() -> None:
    formulas = layers("conv").to_dict()["formulas"]
    assert formulas["params"] == {"formulas": {"parameters": "K·K·C_in·C_out + C_out"}, "rules": []}
    assert formulas["size"]["formulas"]["SAME size"] == "⌈n/s⌉"
    assert layers("relu").to_dict()["formulas"]["macs"] == {"formulas": {}, "rules": ["none"]}


def test_every_formula_belongs_to_a_kind() -> None:
    home = import_module("convcalc.layers")
    modules = [import_module(f"convcalc.layers.{module.name}") for module in iter_modules(home.__path__)]
    known = {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Formula)}
    used = {id(formula) for kind in kinds().values() for formula in stated(kind)}
    assert [formula.name for key, formula in known.items() if key not in used] == []


@pytest.mark.parametrize("name", sorted(families()))
def test_lowercase_names_find_their_kind(name: str) -> None:
    kind = kind_named(name)
    assert families()[name] in (kind.__name__, kind.__name__[:-2])
    assert f"on a sheet: {kind.sheet_name()}(" in str(layers(name))


def test_names_as_in_torch() -> None:
    for name in ("torch.nn.Conv2d", "nn.Conv2d", "Conv2d", "conv"):
        assert kind_named(name) is nn.Conv2d


def test_a_kind_that_is_new_needs_nothing_more() -> None:
    class Twice(Layer):
        """Doubles, as nobody's.

        >>> Twice(3).output_shape((1, 4))
        (1, 8)
        """

        times: int
        loud: bool = False

    assert signature(Twice) == "Twice(times, loud=False)"
    assert formulas_of(Twice) == {
        "size": ("as the input's",),
        "params": ("none",),
        "macs": ("none",),
        "field": ("as the input's",),
        "memory": Layer.formulas["memory"],
    }
    shown = example(Twice)
    assert shown is not None and shown.shapes == ((1, 4),)


ERRORS = {
    "Conv2D": "UnknownName: there is no layer called 'Conv2D'\n  did you mean Conv2d, Conv3d, Conv1d or LazyConv2d?",
    "con": "UnknownName: there is no layer called 'con'\n  did you mean conv or convT?",
    "swish": "UnknownName: there is no layer called 'swish'\n  here it is called silu",
    "xyzzy": "UnknownName: there is no layer called 'xyzzy'\n  `convcalc layers` lists them",
    "xyz*": "UnknownName: no layer matches 'xyz*'\n  `convcalc layers` lists them all",
    "Sequential": "SpecError: Sequential is not a single layer\n"
    "  in a sheet, write its layers one after the other; put those that repeat in a block: def name(c):",
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    result = run("layers", name)
    assert (result.stdout, result.stderr, result.exit_code) == ("", ERRORS[name] + "\n", 2)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["conv", "mha", "lstm", "*"])
def test_text_fits_the_terminal(name: str, width: int) -> None:
    text = in_terminal(width, "layers", name)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
