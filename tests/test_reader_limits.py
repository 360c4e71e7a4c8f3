"""Limits that keep a long or odd text from costing much, of sheets, exams, JSON and questions, with their messages."""

import json
from pathlib import Path

import pytest

from convcalc.errors import SpecError
from convcalc.formats import exam
from convcalc.formats.json import read as documents
from convcalc.questions.solve import solve
from convcalc.questions.sources import TextNetwork, read

ROW = {"path": "a", "spec": "ReLU()", "inputs": ["input"]}


def _document(**changes: object) -> str:
    return json.dumps({"schema_version": 1, "inputs": [[1, 3, 8, 8]], "rows": [ROW], **changes})


def test_numbers_of_a_sheet_have_a_longest_length() -> None:
    with pytest.raises(SpecError, match="at most 400 digits"):
        TextNetwork(f"input(3, 8, 8); conv({'9' * 400}, 3)", "sheet").graph()


@pytest.mark.parametrize("name", ["output", "net", "include"])
def test_a_form_cannot_be_a_name(name: str) -> None:
    with pytest.raises(SpecError, match=f"{name} cannot be a name"):
        TextNetwork(f"input(3, 8, 8)\n{name} = conv(8, 3)", "sheet").graph()


def test_layers_of_an_exam_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam, "MOST_NODES", 3)
    with pytest.raises(SpecError, match="more than 3 layers"):
        exam.read_exam("INPUT 8x8x3\nRELU\nRELU\nRELU\nRELU")


def test_a_row_without_a_first_cell_says_nothing() -> None:
    text = "| INPUT | 8x8x3 |\n|---|---|\n| CONV-3-8 | 6x6x8 |\n|  | 224 |\n| RELU | |"
    assert [node.path for node in exam.read_exam(text).nodes] == ["conv1", "relu1"]


def test_a_document_has_a_longest_length(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 50)
    path = tmp_path / "net.json"
    path.write_text(_document())
    with pytest.raises(SpecError, match="at most 50 characters"):
        read(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_document(rows=[ROW, {**ROW, "inputs": 3}]), "row 2: inputs: expected a list"),
        (_document(inputs=[[1.5]]), "a size must be an integer or a letter; received 1.5"),
        (_document(rows=[{**ROW, "spec": "Conv2d(3, 8, 3, stride=1, stride=2)"}]), "is not allowed in a layer"),
        (_document(rows=[{**ROW, "spec": "ReLU(**a)"}]), "is not allowed in a layer"),
    ],
)
def test_what_a_document_may_not_contain(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        documents.read_json(text)


def test_a_path_has_a_longest_length() -> None:
    with pytest.raises(SpecError, match="more than 100 names"):
        documents.read_json(_document(rows=[{**ROW, "path": "a." * 400_000 + "a"}]))


def test_a_question_to_a_hostile_text_ends() -> None:
    with pytest.raises(SpecError, match="words and signs"):
        solve("input(3, H, W)\n" + "conv(8, k);" * 80_000, output="8x6x6")
