"""The face for Python: a function for each command, with its words; what answers give; and what names are public."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

import convcalc as cc
from convcalc.errors import UnknownName
from convcalc.questions.answer import Answer
from tests.test_cli import run

ANSWERS: dict[str, Callable[[], Any]] = {
    "summary": lambda: cc.summary("alexnet"),
    "summary in letters": lambda: cc.summary("alexnet", "3xHxW"),
    "sizes": lambda: cc.sizes("alexnet", floor_loss=True),
    "sizes in numbers": lambda: cc.sizes("alexnet", "3x10x10"),
    "solve": lambda: cc.solve("Conv2d(3, 8, k)", "3x8x8", output="8x6x6", where=["k odd"]),
    "solve a budget": lambda: cc.solve("resnet50", "3xHxH", max_macs="1G"),
    "solve a field": lambda: cc.solve("Conv1d(8, 8, 3, dilation=d)", rf=31),
    "compare": lambda: cc.compare("resnet18", "resnet34", depth=1),
    "field": lambda: cc.field("resnet50", "layer3", unit=(3, 5), covers=(112, 112), stack=True, effective=True),
    "field of all": lambda: cc.field("resnet50", "avgpool"),
    "matrix": lambda: cc.matrix("Conv1d(1, 1, 3, stride=2)", "1x6"),
    "networks": lambda: cc.networks("vgg*"),
    "layers": lambda: cc.layers("*pool*"),
    "layer": lambda: cc.layers("conv"),
    "fmt": lambda: cc.fmt("conv(6,5);relu()"),
}
JSON = ("--format", "json")
COMMANDS = {
    "summary": ["summary", "alexnet", *JSON],
    "summary in letters": ["summary", "alexnet", "--input", "3xHxW", *JSON],
    "sizes": ["sizes", "alexnet", "--floor-loss", *JSON],
    "sizes in numbers": ["sizes", "alexnet", "--input", "3x10x10", *JSON],
    "solve": ["solve", "Conv2d(3, 8, k)", "--input", "3x8x8", "--output", "8x6x6", "--where", "k odd", *JSON],
    "solve a budget": ["solve", "resnet50", "--input", "3xHxH", "--max-macs", "1G", *JSON],
    "solve a field": ["solve", "Conv1d(8, 8, 3, dilation=d)", "--rf", "31", *JSON],
    "compare": ["compare", "resnet18", "resnet34", "--depth", "1", *JSON],
    "field": ["field", "resnet50", "layer3", "--unit", "3,5", "--covers", "112,112", "--stack", "--effective", *JSON],
    "field of all": ["field", "resnet50", "avgpool", *JSON],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_print_themselves(name: str) -> None:
    answer = ANSWERS[name]()
    assert isinstance(answer, Answer)
    assert str(answer) == repr(answer) == answer.to_text()
    assert answer._repr_html_().startswith("<")
    with pytest.raises(FrozenInstanceError):
        answer.network = "another"
    with pytest.raises(UnknownName):
        answer.to_text("no such format")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dict_holds_what_json_holds(name: str) -> None:
    assert ANSWERS[name]().to_dict() == json.loads(run(*COMMANDS[name]).stdout)


@pytest.mark.parametrize("name", ANSWERS)
def test_dicts_are_plain(name: str) -> None:
    document = ANSWERS[name]().to_dict()
    assert json.loads(json.dumps(document)) == document
