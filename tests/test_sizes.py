"""Legal sizes: the predicate against brute force over sizes, and against torch at the borders; and their reports."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import cat, nn, symbols, trace, zoo
from convcalc.algebra.dims import show
from convcalc.analysis.solving.legal import find_legal_sizes, floor_loss, judge
from convcalc.cli import main
from convcalc.errors import ConvcalcError
from convcalc.questions.sizes import sizes
from convcalc.questions.sources import read
from tests.torch_modules import FromGraph

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
H, W = symbols("H W")


def passes(build: Any, *shapes: Any) -> bool:
    """Return whether a trace in numbers succeeds."""
    try:
        build(*shapes)
    except ConvcalcError:
        return False
    return True


@pytest.mark.parametrize("name", zoo.names())
def test_zoo_sizes_are_those_that_pass(name: str) -> None:
    build, found = read(name).graph, sizes(name).legal
    axes = len(found.letters)
    numbers = random.Random(name)
    edges = [edge for box in found.region.cases[:3] for edge in [box[found.letters[0]].least] if edge is not None]
    borders = [n for edge in edges for n in (edge - 1, edge) if n]
    squares = range(1, 513) if THOROUGH else [*borders, *numbers.sample(range(1, 512), 5)]
    tried = [(n,) * axes for n in squares]
    for _ in range(40 if THOROUGH else 4):
        tried.append(tuple(numbers.choice((numbers.randint(1, 512), 224, 256)) for _ in range(axes)))
    for numbers_ in tried:
        (shape,) = found.fill(numbers_)
        assert passes(build, shape) == (numbers_ in found.region), numbers_


class Coder(nn.Module):
    """A random encoder and decoder: ``plan`` has for each level the layers on the way down, at the bottom and up."""

    def __init__(self, rank: int, levels: list[tuple[str, str, int, bool]]) -> None:
        def kind(name: str) -> Any:
            return getattr(nn, f"{name}{rank}d")

        self.order = [last for *_, last in levels]
        downs = {
            "max2": lambda: kind("MaxPool")(2),
            "max3": lambda: kind("MaxPool")(3, 2, 1),
            "ceil": lambda: kind("MaxPool")(2, ceil_mode=True),
            "avg3": lambda: kind("AvgPool")(3),
            "conv2": lambda: kind("Conv")(2, 2, 2, 2),
            "conv3": lambda: kind("Conv")(2, 2, 3, 2, 1),
            "conv4": lambda: kind("Conv")(2, 2, 4, 2, 1),
        }
        ups = {
            "t2": lambda: kind("ConvTranspose")(2, 2, 2, 2),
            "t3": lambda: kind("ConvTranspose")(2, 2, 3, 2, 1, 1),
            "t3x3": lambda: kind("ConvTranspose")(2, 2, 3, 3),
            "t4": lambda: kind("ConvTranspose")(2, 2, 4, 2, 1),
            "scale": lambda: nn.Upsample(scale_factor=2),
        }
        self.inside = nn.ModuleList([kind("Conv")(2, 2, 3, padding=padding) for _, _, padding, _ in levels])
        self.down = nn.ModuleList([downs[down]() for down, *_ in levels])
        self.up = nn.ModuleList([ups[up]() for _, up, *_ in levels])
        self.join = nn.ModuleList([kind("Conv")(4, 2, 1) for _ in levels])

    def forward(self, x: Any) -> Any:
        skips = []
        for inside, down in zip(self.inside, self.down):
            x = inside(x)
            skips.append(x)
            x = down(x)
        for i in reversed(range(len(skips))):
            x = self.up[i](x)
            x = self.join[i](cat([x, skips[i]] if self.order[i] else [skips[i], x], 1))
        return x


LEVEL = st.tuples(
    st.sampled_from(["max2", "max2", "max3", "ceil", "avg3", "conv2", "conv3", "conv4"]),
    st.sampled_from(["t2", "t2", "t3", "t3x3", "t4", "scale"]),
    st.sampled_from([1, 1, 1, 0]),
    st.booleans(),
)
CODERS = st.tuples(st.sampled_from([1, 1, 1, 2, 3]), st.lists(LEVEL, min_size=1, max_size=4))


def study(rank: int, levels: Any) -> tuple[Any, Any]:
    """Return a coder's builder and its legal sizes; None if no size works at all."""
    model = Coder(rank, levels)
    names = {1: "L", 2: "HW", 3: "DHW"}[rank]
    try:
        return model, find_legal_sizes(trace(model, (1, 2, *[symbols(name) for name in names])))
    except ConvcalcError:
        return model, None


@settings(max_examples=300 if THOROUGH else 40)
@given(CODERS)
def test_random_coders_take_exactly_the_legal_sizes(coder: Any) -> None:
    rank, levels = coder
    model, found = study(rank, levels)
    for n in range(1, (512 if THOROUGH else 100) + 1):
        expected = found is not None and (n,) * rank in found.region
        assert passes(lambda *shapes: trace(model, *shapes), (1, 2, *[n] * rank)) == expected, n


@settings(max_examples=200 if THOROUGH else 25)
@given(CODERS)
def test_random_coders_against_torch_at_the_borders(coder: Any) -> None:
    rank, levels = coder
    model, found = study(rank, levels)
    if found is None or not found.region.cases:
        return
    allowed = found.region.cases[0][found.letters[0]]
    first = allowed.least
    if first is None or first > {1: 300, 2: 60, 3: 24}[rank]:
        return
    module = FromGraph(trace(model, (1, 2, *[first] * rank)))
    after = allowed.above(first + 1) or first
    for n in {first - 1, first, first + 1, after, after + 1, first + 7} - {0}:
        if n <= {1: 400, 2: 80, 3: 30}[rank]:
            assert runs(module, (1, 2, *[n] * rank)) == (n in allowed), n


def runs(module: torch.nn.Module, shape: tuple[int, ...]) -> bool:
    """Return whether a real forward pass succeeds."""
    try:
        with torch.no_grad():
            module(torch.zeros(shape))
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "least"),
    [("alexnet", 63), ("squeezenet1_1", 17), ("googlenet", 15), ("densenet121", 29), ("inception_v3", 75)],
)
def test_the_smallest_input_is_torchs(name: str, least: int) -> None:
    found = sizes(name).legal
    assert found.describe() == [f"H ≥ {least}, W ≥ {least}"]
    module = FromGraph(read(name).graph((1, 3, least, least)))
    assert runs(module, (1, 3, least, least))
    assert not runs(module, (1, 3, least - 1, least))
    assert not runs(module, (1, 3, least, least - 1))


def test_lenet_takes_torchs_sizes() -> None:
    module = FromGraph(read("lenet5").graph((1, 1, 32, 32)))
    found = sizes("lenet5").legal
    for h, w in [(31, 32), (32, 32), (35, 35), (35, 36), (16, 112), (16, 111), (19, 115), (112, 18), (20, 100)]:
        assert runs(module, (1, 1, h, w)) == ((h, w) in found.region), (h, w)


def test_which_layer_demands_what_and_why() -> None:
    found = sizes("alexnet").legal
    assert [tuple(demand) for demand in found.demands] == [
        ("H ≥ 63", "features.12", "the output height is ⌊(H - 31)/32⌋"),
        ("W ≥ 63", "features.12", "the output width is ⌊(W - 31)/32⌋"),
    ]
    found = sizes("maxvit_t").legal
    assert found.describe() == ["H ≡ 221…224 (mod 224), W ≡ 221…224 (mod 224)"]
    assert sizes("resnet50").legal.describe() == ["any H, any W"]


def test_demands_imply_all_constraints() -> None:
    """Check that without any one of the demands, more sizes would seem to work."""
    model = Coder(1, [("max2", "t2", 1, False)] * 3)
    found = find_legal_sizes(trace(model, (1, 2, symbols("L"))))
    assert found.describe() == ["L ≡ 0 (mod 8)"]
    assert [(demand.needs, demand.why) for demand in found.demands] == [
        ("L ≡ 0…3 (mod 8)", "the inputs differ in length (⌊L/4⌋ and 2·⌊L/8⌋)"),
        ("L ≡ 0, 1 (mod 4)", "the inputs differ in length (⌊L/2⌋ and 2·⌊L/4⌋)"),
        ("L ≡ 0 (mod 2)", "the inputs differ in length (L and 2·⌊L/2⌋)"),
    ]


@given(st.integers(1, 150), st.integers(1, 150))
def test_the_nearest_sizes_are_the_nearest(h: int, w: int) -> None:
    model = Coder(2, [("max2", "t2", 1, True), ("max3", "t3", 1, False)])
    found = find_legal_sizes(trace(model, (1, 2, H, W)))
    verdict = judge(lambda *shapes: trace(model, *shapes), found, [(1, 2, h, w)])
    legal_ = [n for n in range(1, 200) if (n, n) in found.region]
    if h in legal_ and w in legal_:
        assert verdict.works and verdict.padding == ()
        return
    up = tuple(min(m for m in legal_ if m >= n) for n in (h, w))
    assert verdict.above == ((1, 2, *up),)
    assert verdict.padding == (up[0] - h, up[1] - w)
    down = [max((m for m in legal_ if m <= n), default=None) for n in (h, w)]
    assert verdict.below == (None if None in down else ((1, 2, *down),))


def test_sizes_that_depend_on_each_other() -> None:
    model = lambda x: nn.Add()(x, nn.Transpose(2, 3)(x))  # noqa: E731
    found = find_legal_sizes(trace(model, (1, 3, H, W)))
    assert found.describe() == ["any H, any W and where H = W"] or found.describe() == ["any H, any W and where W = H"]
    assert (7, 7) in found.region and (7, 8) not in found.region
    verdict = judge(lambda *shapes: trace(model, *shapes), found, [(1, 3, 7, 9)])
    assert verdict.above == ((1, 3, 9, 9),) and verdict.below == ((1, 3, 7, 7),)


def test_floors_drop_pixels() -> None:
    graph = trace(nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.MaxPool2d(2), nn.ReLU()), (1, 3, H, 11))
    losses = [(loss.node, loss.axis, show(loss.lost), loss.when) for loss in floor_loss(graph)]
    assert losses == [
        ("0", "height", "H + 1 - 2·⌈H/2⌉", "H ≡ 0 (mod 2)"),
        ("1", "height", "⌈(H + 2)/2⌉ - 2·⌈H/4⌉", "H ≡ 3, 4 (mod 4)"),
        ("1", "width", "1", ""),
    ]


@settings(max_examples=200 if THOROUGH else 40)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_dropped_pixels_reach_no_output(n: int, k: int, s: int, p: int) -> None:
    k = max(k, s)  # windows with a stride larger than their width also skip pixels between them
    try:
        graph = trace(nn.Conv1d(1, 1, k, s, p), (1, 1, n))
    except ConvcalcError:
        return
    x = torch.zeros(1, 1, n, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.conv1d(x, torch.ones(1, 1, k, dtype=torch.float64), None, s, p).sum().backward()
    assert x.grad is not None
    seen = x.grad.flatten().nonzero().flatten().tolist()
    if seen and k >= s:  # with smaller windows, pixels between them are unread too, which no floor drops
        unread = n - 1 - max(seen)
        assert [loss.lost for loss in floor_loss(graph)] == ([unread] if unread else [])


UNET = """input(3, H, W)
def double(c):
    conv(c, 3, padding=1)
    relu()
    conv(c, 3, padding=1)
    relu()
e1 = double(16)
maxpool(2)
e2 = double(32)
maxpool(2)
double(64)
up2 = convT(32, 2, stride=2)
cat2 = cat(e2, up2)
double(32)
up1 = convT(16, 2, stride=2)
cat1 = cat(e1, up1)
conv(1, 1)
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["sizes", *words])


def test_the_command_reports_the_sizes_of_a_unet(tmp_path: Path) -> None:
    sheet = tmp_path / "unet.net"
    sheet.write_text(UNET)
    done = run(str(sheet))
    assert done.exit_code == 0
    assert re.sub(r"-{9,}\n", "---\n", done.output) == (
        "unet, input 3 x H x W\n\n"
        "works for H ≡ 0 (mod 4), W ≡ 0 (mod 4)\n\n"
        "Needs             Layer    Or else\n"
        "----------------  -------  ---\n"
        "H ≡ 0, 1 (mod 4)  cat2     the inputs differ in height (⌊H/2⌋ and 2·⌊H/4⌋)\n"
        "W ≡ 0, 1 (mod 4)  cat2     the inputs differ in width (⌊W/2⌋ and 2·⌊W/4⌋)\n"
        "H ≡ 0 (mod 2)     cat1     the inputs differ in height (H and 2·⌊H/2⌋)\n"
        "W ≡ 0 (mod 2)     cat1     the inputs differ in width (W and 2·⌊W/2⌋)\n"
    )
    failed = run(str(sheet), "--input", "3x350x352")
    assert failed.exit_code == 1
    lines = failed.output.splitlines()
    assert lines[0] == "350 x 352 does not work"
    assert "cat2" in lines[1] and "the inputs differ in height (175 and 174)" in lines[1]
    assert "nearest that work: 348 x 352 below and 352 x 352 above" in lines
    assert "padding to 352 x 352: 2 in height (1 before, 1 after)" in lines
    assert run(str(sheet), "--input", "3x352x352").output == "352 x 352 works\n"


def test_the_command_in_json(tmp_path: Path) -> None:
    document = json.loads(run("alexnet", "--format", "json", "--floor-loss").output)
    assert document["boxes"][0]["H"] == {"text": "H ≥ 63", "below": [], "start": 63, "period": 1, "remainders": [0]}
    assert document["demands"][0]["node"] == "features.12"
    assert document["floor_loss"][0]["node"] == "features.0"
    failed = run("alexnet", "--input", "3x62x64", "--format", "json")
    assert failed.exit_code == 1
    assert json.loads(failed.output)["above"] == [[1, 3, 63, 64]]
    assert json.loads(failed.output)["padding"] == [1, 0]


def test_lengths_and_volumes() -> None:
    sheet = "x = relu(); maxpool(2); conv(8, 3, padding=1); convT(4, 2, stride=2); cat(x); maxpool(4)"
    assert "works for L ≡ 0 (mod 2), L ≥ 4" in run(sheet, "--input", "4xL").output
    assert "works for D ≥ 13, H ≥ 209, W ≥ 209" in run("s3d").output


def test_an_equation_in_several_sizes_is_solved() -> None:
    def build(shape: Any) -> Any:
        last = nn.Linear(30, 3)
        sums = [nn.Flatten(), nn.Sequential(nn.Mean(dim=(3, 4)), nn.Flatten())]
        sums.append(nn.Sequential(nn.Mean(dim=(2, 4)), nn.Flatten()))

        class Sums(nn.Module):
            def __init__(self) -> None:
                self.sums, self.last = nn.ModuleList(sums), last

            def forward(self, y: Any) -> Any:
                return self.last(cat([part(y) for part in self.sums], 1))

        return trace(Sums(), shape)

    found = find_legal_sizes(build((1, 1, *symbols("D H W"))))
    solutions = {(d, h, w) for d in range(1, 31) for h in range(1, 31) for w in range(1, 31) if d * h * w + d + h == 30}
    assert {tuple(box[name].least for name in "DHW") for box in found.region.cases} == solutions
    assert not found.region.rest


def test_an_axis_that_must_be_a_number_stays_one() -> None:
    class Line(nn.Module):
        def __init__(self) -> None:
            self.conv = nn.Conv2d(1, 8, 3)
            self.fc = nn.Conv1d(8, 8, 3)

        def forward(self, x: Any) -> Any:
            return self.fc(self.conv(x).squeeze(2))

    answer = sizes(Line(), (1, 1, 3, 9))
    assert answer.legal.describe() == ["W ≥ 5"]
    assert answer.legal.held[0].startswith("with H = 3: fc")


def test_a_height_that_a_recurrent_layer_fixes_is_solved() -> None:
    assert sizes("crnn").legal.describe() == ["H = 32…47, W ≥ 8"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["linear(3)", "--input", "8"], 2, "SpecError: there is no size to ask about\n"
         "  give the input in letters: --input 3xHxW\n"),
        (["conv(8, 3)"], 2, "SpecError: sheet: needs the shape of its input"),
        (["resnet5"], 2, "UnknownName: no network is called 'resnet5'"),
        (["alexnet", "--input", "4x64x64"], 2,
         "ShapeError: features.0 = Conv2d(3, 64, 11, stride=4, padding=2): expected 3"),
    ],
)  # fmt: skip
def test_bad_questions(words: list[str], code: int, message: str) -> None:
    done = run(*words)
    assert done.exit_code == code
    assert done.output.startswith(message)
