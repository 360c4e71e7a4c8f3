"""``convcalc field``: what it prints, as text, as JSON and as a picture, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from convcalc import nn, trace
from convcalc.analysis.fields.focus import Focus
from convcalc.analysis.fields.survey import Coverage, Survey
from convcalc.cli import main
from convcalc.questions.sources import traced
from convcalc.views import plot
from convcalc.views.field import render
from tests.work import count_calls


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["field", *words])
    assert result.exit_code == code, result.output
    return result.output


def facts(*words: str) -> Any:
    return json.loads(run(*words, "--format", "json"))


def test_the_facts_of_a_layer() -> None:
    assert (
        run("resnet50", "layer3")
        == """\
resnet50, layer3.5.relu:2 (ReLU): 1024 x 14 x 14 from an input of 224 x 224

                         height  width
size                        267    267
jump (effective stride)      16     16
start of unit 0            -133   -133
centre of unit 0              0      0
effective padding           133    133
the unit in the middle (7,7) sees 100 % of the input
some unit sees no padding if the input is 278 x 278 or larger
"""
    )


def test_the_default_layer_is_the_last_that_does_not_see_everything() -> None:
    assert facts("resnet50")["layer"] == "layer4.2.relu:2"
    assert facts("unet")["layer"] == "conv"
    assert facts("swin_t")["layer"] == "features.7.0.attn.permute"  # after it a window is the whole map
    split = "conv(4, 3); Unflatten(2, (2, 2, 5))"
    assert "the receptive field is not defined at unflatten1 and after it" in run(split, "--input", "3x22x22")


def test_phases_are_reported() -> None:
    assert "height: 188 at 4 of 16 phases, 204 at 12 of 16 phases (188 at 0, 1, 14, 15)" in run("unet")
    rf = facts("unet")["rf"]
    assert rf["exact"] and rf["size"] == [204, 204] and len(rf["phases"][0]) == 16


def test_a_unit_and_its_padding() -> None:
    text = run("alexnet", "features.2", "--unit", "0,5")
    assert "  height    -2  16    19  2 before, 0 after  0–16" in text
    assert "10.5 % of the box is padding" in text
    unit = facts("alexnet", "features.2", "--unit", "0,5")["unit"]
    assert unit["box"] == [[-2, 16], [38, 56]] and unit["inside"] == [[0, 16], [38, 56]]
    assert unit["padding"] == [[2, 0], [0, 0]] and unit["padding_share"] == pytest.approx(2 / 19)


def test_the_units_that_see_a_pixel() -> None:
    assert "pixel 112,112 is seen by the units\n  height 12–14, width 12–14" in run(
        "alexnet", "features.2", "--covers", "112,112"
    )
    sheet = ("conv(1, 1, stride=2)", "--input", "1x5x5", "--covers", "1,2")
    assert facts(*sheet)["covers"] == {"pixel": [1, 2], "units": []}
    assert "no unit sees pixel 1,2" in run(*sheet)


def test_axes_that_change_places_keep_to_the_inputs_order() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, (3, 1), padding=(1, 0)), nn.Transpose(2, 3))
    focus = Focus(trace(net, (1, 1, 9, 5)))
    assert focus.units == (9, 5) and focus.rf.size == (3, 1)
    assert [g.box for g in focus.glimpse((4, 2)) or ()] == [(3, 5), (2, 2)]
    assert focus.covering((4, 2)) == [(0b111000, 0b100)]


def test_a_cross_is_two_boxes() -> None:
    class Cross(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Conv2d(1, 1, (5, 1), padding=(2, 0)), nn.Conv2d(1, 1, (1, 3), padding=(0, 1))

        def forward(self, x: Any) -> Any:
            return self.a(x) + self.b(x)

    focus = Focus(trace(Cross(), (1, 1, 9, 9)))
    assert render("cross", Survey(focus, covered=Coverage((4, 4), tuple(focus.covering((4, 4)))))).endswith(
        "pixel 4,4 is seen by the units\n  height 2–6, width 4\n  height 4, width 3–5"
    )


def test_the_stack_grows() -> None:
    lines = run("alexnet", "--stack").splitlines()
    assert lines[-3] == "features.11  ReLU               256 x 13 x 13  163            16    -66"
    assert lines[-2] == "features.12  MaxPool2d          256 x 6 x 6    195     +32    32    -66"
    stack = facts("alexnet", "--stack")["stack"]
    assert sum(level["growth"][0] for level in stack) == 194


def test_the_effective_field() -> None:
    text = run("vgg16", "features.30", "--effective")
    assert "95 % of the paths" in text
    profile = facts("alexnet", "features.2", "--effective")["effective"][0]
    assert sum(map(int, profile["paths"])) == 33 and profile["start"] == 13 * 8 - 2


def test_the_middle_may_see_nothing() -> None:
    said = run("ConvTranspose1d(1, 1, 1, stride=2)", "--input", "1x8")
    assert "the unit in the middle (7) sees 0 % of the input" in said


def test_a_unit_far_along_a_long_axis_takes_one_step() -> None:
    focus = Focus(trace(nn.Conv1d(1, 1, 3, padding=1), (1, 1, 3_000_000)))
    assert count_calls(lambda: focus.share) < 1000  # not one for each position before it
    assert focus.share == Fraction(3, 3_000_000)


def test_tiles() -> None:
    text = run("resnet50", "layer2", "--tile", "256", "--input", "3x512x600")
    assert "  height       88   168                       8  6 before, 5 after" in text
    strip = facts("resnet50", "layer2", "--tile", "256x300", "--input", "3x512x600")["tiling"][1]
    assert strip["size"] == 300 and strip["tiles"][-1]["input"][1] == 600
    assert "a tile of 256 is too small" in run("resnet50", "layer4", "--tile", "256", code=2)
    assert "no overlap is enough" in run("efficientnet_b0", "--tile", "256", code=2)


def test_gates() -> None:
    assert "in addition, a gate, broadcast over the map, sees the whole input" in run("efficientnet_b0")
    assert facts("efficientnet_b0")["rf"]["gated"] == [True, True]
    assert facts("efficientnet_b0", "features.8", "--through-gates")["rf"] == "global"


def test_letters_leave_what_does_not_depend_on_them() -> None:
    assert facts("alexnet", "--input", "3xHxW")["rf"]["size"] == [195, 195]
    assert "all sizes must be numbers to find what a single unit sees" in run(
        "alexnet", "--input", "3xHxW", "--unit", "0,0", code=2
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("resnet50", "layr3"), "there is no layer called 'layr3'\n  did you mean layer3"),
        (("alexnet", "--unit", "99,1"), "avgpool has no unit 99,1\n  units of avgpool go from 0,0 to 5,5"),
        (("alexnet", "--unit", "1"), "takes 2 numbers, received 1"),
        (("alexnet", "--unit", "a"), "'a' is not a position"),
        (("alexnet", "--covers", "224,0"), "there is no pixel 224,0\n  the input's pixels go from 0,0 to 223,223"),
        (("resnet50", "avgpool", "--effective"), "the receptive field is the whole input"),
        (("alexnet", "--tile", "3x4x5"), "'3x4x5' is not the size of a tile"),
        (("alexnet", "--plot", "field.gif"), "'field.gif' is not a supported picture file"),
        (("alexnet", "--plot", ".png"), "'.png' is not a supported picture file"),
        (
            ("ConvTranspose1d(1, 1, 1, stride=2)", "--input", "1x8", "--effective"),
            "unit 7 to the input: it sees nothing",
        ),
        (("alexnet", "--image", "cat.png"), "--image needs --plot"),
    ],
)
def test_refusals(words: tuple[str, ...], says: str) -> None:
    assert says in run(*words, code=2)


def test_text_loads_nothing_heavy() -> None:
    code = "import sys; from convcalc.cli import main\ntry: main(['field', 'alexnet', '--effective', '--stack'])\n"
    code += (
        "except SystemExit: pass\nprint(*[m for m in ('sympy', 'torch', 'numpy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


# Pictures


PICTURED = [("resnet50", None), ("unet", None), ("wavenet", None), ("c3d", None), ("inception_v3", "Mixed_6b")]


@pytest.mark.parametrize(("network", "layer"), PICTURED)
def test_no_two_texts_of_a_picture_overlap(network: str, layer: str | None) -> None:
    figure = plot.picture(Focus(traced(network)[2], layer), network=network)
    figure.canvas.draw()
    boxes = []
    for panel in figure.axes:
        texts = [panel.title, panel.xaxis.label, panel.yaxis.label, *panel.get_legend().get_texts()]
        for axis in (panel.xaxis, panel.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        shown = [text for text in texts if text.get_text() and text.get_visible()]
        boxes += [(text.get_text(), text.get_window_extent()) for text in shown]
    (title,) = figure.texts
    boxes.append((title.get_text(), title.get_window_extent()))
    for (one, a), (two, b) in combinations(boxes, 2):
        crossed = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(crossed) <= 1, (one, two)
    width, height = figure.canvas.get_width_height()
    for text, box in boxes:
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text


def test_boxes_have_a_colour_and_dashes_each() -> None:
    stages = plot.stages(Focus(traced("resnet50")[2]).stack())
    assert [stage.label for stage in stages][-1] == "layer4.2.relu:2: 427"
    assert len({stage.colour for stage in stages}) == len({str(stage.dashes) for stage in stages}) == len(stages) == 5


def test_pictures_are_written(tmp_path: Path) -> None:
    png, svg = tmp_path / "field.png", tmp_path / "field.svg"
    run("alexnet", "--plot", str(png))
    assert png.read_bytes().startswith(b"\x89PNG")
    run("alexnet", "features.5", "--plot", str(svg), "--image", str(png))
    assert "<svg" in svg.read_text()
    (tmp_path / "no.png").write_text("no image")
    assert "is not an image" in run("alexnet", "--plot", str(png), "--image", str(tmp_path / "no.png"), code=2)
    run("alexnet", "--plot", str(png), "--image", str(tmp_path / "missing.png"), code=3)
    (tmp_path / "empty").touch()
    assert "is not an image" in run("alexnet", "--plot", str(png), "--image", str(tmp_path / "empty"), code=2)
