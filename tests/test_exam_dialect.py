"""The notation of exams: real sheets with their published answers, the options, and messages for common mistakes."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcalc import nn
from convcalc.errors import ConvcalcError
from convcalc.formats.exam import is_exam, read_exam
from convcalc.questions.sources import read_text

SHEETS = (Path(__file__).parent / "data" / "exam_sheets.txt").read_text().split("\n---\n")


def layer(line: str, **options: Any) -> nn.Layer:
    """Return the last layer of a line on a map of 4 x 16 x 16."""
    return read_exam(line, inputs=[(4, 16, 16)], **options).nodes[-1].layer


def message_of(sheet: str, **options: Any) -> str:
    """Return the message for a wrong sheet."""
    with pytest.raises(ConvcalcError) as caught:
        read_exam(sheet, "q1", **options)
    return f"{caught.value.title}: {caught.value}"


@pytest.mark.parametrize("entry", SHEETS, ids=[sheet.split("\n")[0][8:40] for sheet in SHEETS])
def test_published_answers(entry: str) -> None:
    sheet, answers = entry.split("\n", 1)[1].split("\n>>>\n")
    assert is_exam(sheet)
    rows = []
    for node in read_exam(sheet).nodes:
        params = sum(prod(shape) for shape in node.layer.weights().values())
        rows.append(f"{node.path} {'x'.join(map(str, node.output_shape[1:]))} {params}")
    assert rows == answers.strip().split("\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CONV-3-8", nn.Conv2d(4, 8, 3)),
        ("conv3-8", nn.Conv2d(4, 8, 3)),
        ("CONV-3x5-8", nn.Conv2d(4, 8, (3, 5))),
        ("CONV-3-8 s2 p1", nn.Conv2d(4, 8, 3, stride=2, padding=1)),
        ("CONV-3-8 stride 2, padding 1", nn.Conv2d(4, 8, 3, stride=2, padding=1)),
        ("CONV-3-8 S=2, P=1", nn.Conv2d(4, 8, 3, stride=2, padding=1)),
        ("CONV-3-8 pad same", nn.Conv2d(4, 8, 3, padding="same")),
        ("CONV-3-8 same s2", nn.Conv2d(4, 8, 3, stride=2, padding="tf_same")),
        ("CONV-3-8 valid no bias", nn.Conv2d(4, 8, 3, padding="valid", bias=False)),
        ("CONV-3-8 d2 g2", nn.Conv2d(4, 8, 3, dilation=2, groups=2)),
        ("CONV-3-8 no padding", nn.Conv2d(4, 8, 3)),
        ("DWCONV-3 p1", nn.Conv2d(4, 4, 3, padding=1, groups=4)),
        ("TCONV-2-8 s2", nn.ConvTranspose2d(4, 8, 2, stride=2)),
        ("POOL-2", nn.MaxPool2d(2)),
        ("MAX POOL", nn.MaxPool2d(2)),
        ("POOL-3-2", nn.MaxPool2d(3, 2)),
        ("POOL-2 same", nn.MaxPool2d(2, padding="tf_same")),
        ("AVGPOOL-3 s1", nn.AvgPool2d(3, 1)),
        ("average pool", nn.AvgPool2d(2)),
        ("GLOBAL AVERAGE POOLING", nn.AdaptiveAvgPool2d(1)),
        ("FC-10", nn.Linear(1024, 10)),
        ("FULLY CONNECTED-10", nn.Linear(1024, 10)),
        ("BATCH NORM", nn.BatchNorm2d(4)),
        ("DROPOUT-0.3", nn.Dropout(0.3)),
        ("stride 2, padding 1\nCONV-3-8", nn.Conv2d(4, 8, 3, stride=2, padding=1)),
        ("stride 2\nCONV-3-8 s1", nn.Conv2d(4, 8, 3)),
        ("POOL stride 1\nPOOL-2", nn.MaxPool2d(2, 1)),
        ("- CONV-3-8  # a comment", nn.Conv2d(4, 8, 3)),
    ],
)
def test_one_line(line: str, expected: nn.Layer) -> None:
    assert layer(line) == expected


def test_inputs_are_height_width_channels() -> None:
    assert read_exam("INPUT 32 x 30 x 3\nRELU").inputs == {"input": (1, 3, 32, 30)}
    assert read_exam("INPUT 32×30\nRELU").inputs == {"input": (1, 1, 32, 30)}
    assert read_exam("INPUT 3@32x30\nRELU").inputs == {"input": (1, 3, 32, 30)}
    assert read_exam("INPUT: 8x32x30x3\nCONV-3-4", batch=5).nodes[0].layer == nn.Conv3d(3, 4, 3)
    assert read_exam("INPUT 32x30x3\nRELU", inputs=[(1, 9, 9)]).inputs == {"input": (1, 1, 9, 9)}


def test_letters_and_settings() -> None:
    sheet = "INPUT HxHx3\nCONV-3-N"
    assert str(read_exam(sheet).nodes[0].output_shape[2]) == "H - 2"
    assert read_exam(sheet, settings={"H": 8, "N": 5}).nodes[0].output_shape == (1, 5, 6, 6)


def test_same_sheet_inline() -> None:
    written = read_text("INPUT 32x32x3, CONV5-10, POOL2, FC-10")
    assert written is not None and written.inputs == ((3, 32, 32),)
    assert read_text("densenet121") is None


def test_a_sheet_is_not_an_exam() -> None:
    assert not is_exam("input(3, 32, 32)\nconv(64, 3)")


MISTAKES = [
    (
        "INPUT 32x32x3\nCONV-5",
        "SpecError: q1:2:1: CONV-5: CONV takes 2 numbers\n"
        "    CONV-5\n"
        "    ^\n"
        "  write CONV-K-N: K is the size of the filters, N their number",
    ),
    (
        "INPUT 32x32x3\nCONV-3-8, CNV-3-8",
        "SpecError: q1:2:11: CNV-3-8 is not a layer of the exam notation\n"
        "    CONV-3-8, CNV-3-8\n"
        "              ^\n"
        "  did you mean CONV, TCONV, CONVT or UPCONV?",
    ),
    (
        "INPUT 8x8x3\nPOOL-16",
        "ShapeError: q1:2:1: pool1 = MaxPool2d(16): the output height is 0\n"
        "    POOL-16\n"
        "    ^\n"
        "  input 3 x 8 x 8 from input; ⌊(8 + 2·0 − 1·(16 − 1) − 1)/16⌋ + 1 = 0\n"
        "  the map is smaller than the window: does it need padding, or another stride?",
    ),
    (
        "CONV-3-8",
        "SpecError: q1:1:1: no input has been given before this layer\n"
        "    CONV-3-8\n"
        "    ^\n"
        "  begin with INPUT 32x32x3, or give --input 3x32x32",
    ),
    (
        "INPUT\nCONV-3-8",
        "SpecError: q1:1:1: INPUT needs its sizes\n    INPUT\n    ^\n  write INPUT 32x32x3: height, width, channels",
    ),
    (
        "INPUT 8x8x3\nRELU\nstride 2",
        "SpecError: q1:3:1: stride is an option without a layer\n"
        "    stride 2\n"
        "    ^\n"
        "  options follow a layer: CONV-3-64 s2 p1",
    ),
    (
        "INPUT 8x8x3\nCONV-3-8 stride",
        "SpecError: q1:2:1: stride has no value\n"
        "    CONV-3-8 stride\n"
        "    ^\n"
        "  write stride 2, padding 1, s2 p1, same or no bias",
    ),
    (
        "INPUT 8x8x3\nCONV-3-8 s0",
        "SpecError: q1:2:1: Conv2d: stride must be at least 1; received 0\n    CONV-3-8 s0\n    ^",
    ),
]


@pytest.mark.parametrize(("sheet", "message"), MISTAKES, ids=[sheet for sheet, _ in MISTAKES])
def test_mistakes(sheet: str, message: str) -> None:
    assert message_of(sheet) == message


def test_several_mistakes_are_reported_together() -> None:
    message = message_of("INPUT 8x8x3\nCNV-3-8\nCONV-3\nRELU\nFC")
    assert message.startswith("SpecError: q1: 3 errors")


def test_an_input_of_another_rank_is_refused() -> None:
    assert "the input of the sheet is 3 x 8 x 8; --input gives 3 x 8" in message_of(
        "INPUT 8x8x3\nRELU", inputs=[(3, 8)]
    )
