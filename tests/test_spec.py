"""What a spec sheet means: names, inference, blocks, merges, letters, settings, and where its text comes from."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from convcalc import nn, summary, trace
from convcalc.algebra.dims import show
from convcalc.errors import ConvcalcError, SpecError
from convcalc.formats.sheet.names import build, families, kinds
from convcalc.formats.sheet.read import read_spec
from convcalc.network.graph import Graph

TINYUNET = (Path(__file__).parent / "data" / "tinyunet.net").read_text()


def read(text: str, **options: Any) -> Graph:
    return read_spec(text, **options).graph


def layers(text: str, **options: Any) -> dict[str, str]:
    """Return the layers of a sheet by path."""
    return {node.path: repr(node.layer) for node in read(text, **options).nodes}


def shown(graph: Graph) -> list[str]:
    return [show(condition) for condition in graph.assumptions]


def test_tinyunet_in_letters() -> None:
    graph = read(TINYUNET)
    shapes = {node.path: " x ".join(map(show, node.output_shape[1:])) for node in graph.nodes}
    assert shapes["e1.conv1"] == "16 x H x W"
    assert shapes["residual1.add1"] == "32 x ⌊H/2⌋ x ⌊W/2⌋"
    assert shapes["up"] == "16 x 2·⌊H/2⌋ x 2·⌊W/2⌋"
    assert shapes["mask"].startswith("1 x ")
    assert shown(graph) == ["H ≥ 2", "W ≥ 2", "2·⌊H/2⌋ = H", "2·⌊W/2⌋ = W"]
    assert graph["cat1"].inputs == ("up", "e1.relu2")
    assert graph["residual1.add1"].inputs == ("residual1.double1.relu2", "double1.relu2")
    assert graph["residual1.double1.conv1"].owner == "residual1.double1"
    assert graph.modules["e1"] == graph.modules["residual1.double1"] == "double"
    assert graph.outputs == ("mask",)


def test_tinyunet_equals_the_module() -> None:
    class Double(nn.Module):
        def __init__(self, a: int, b: int) -> None:
            self.conv1, self.relu1 = nn.Conv2d(a, b, 3, padding=1), nn.ReLU()
            self.conv2, self.relu2 = nn.Conv2d(b, b, 3, padding=1), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu2(self.conv2(self.relu1(self.conv1(x))))

    class Residual(nn.Module):
        def __init__(self, c: int) -> None:
            self.double1 = Double(c, c)

        def forward(self, x: Any) -> Any:
            return self.double1(x) + x

    class TinyUNet(nn.Module):
        def __init__(self) -> None:
            self.e1, self.maxpool1, self.double1 = Double(3, 16), nn.MaxPool2d(2), Double(16, 32)
            self.residual1, self.up = Residual(32), nn.ConvTranspose2d(32, 16, 2, stride=2)
            self.double2, self.mask = Double(32, 16), nn.Conv2d(16, 1, 1)

        def forward(self, x: Any) -> Any:
            e1 = self.e1(x)
            up = self.up(self.residual1(self.double1(self.maxpool1(e1))))
            return self.mask(self.double2(nn.Cat(1)(up, e1)))

    ours, theirs = read(TINYUNET, inputs=[(3, 64, 64)]), trace(TinyUNet(), (1, 3, 64, 64))
    assert ours.state_dict() == theirs.state_dict()
    assert [node.output_shape for node in ours.nodes] == [node.output_shape for node in theirs.nodes]


def test_settings_replace_constants_and_letters() -> None:
    assert read(TINYUNET, settings={"C": 32})["mask"].layer == nn.Conv2d(32, 1, 1)
    graph = read(TINYUNET, settings={"H": 64, "W": 32})
    assert graph.nodes[-1].output_shape == (1, 1, 64, 32)
    assert graph.assumptions == ()
    assert show(read(TINYUNET, settings={"C": "K"})["mask"].input_shapes[0][1]) == "K"


def test_settings_change_the_first_value_only() -> None:
    text = "C = 4\ninput(3, 8, 8)\nconv(C, 1)\nC = 2*C\nconv(C, 1)"
    assert layers(text, settings={"C": 5}) == {"conv1": "Conv2d(3, 5, 1)", "conv2": "Conv2d(5, 10, 1)"}


def test_settings_reach_computed_constants_and_texts() -> None:
    text = "C = max(4, 8)\nmode = 'same'\ninput(3, 8, 8)\nconv(C, 3, padding=mode)"
    assert layers(text, settings={"C": 5, "mode": "valid"}) == {"conv1": "Conv2d(3, 5, 3, padding='valid')"}


def test_inputs_from_outside_replace_those_of_the_sheet() -> None:
    text = "input(3, H, W)\nflatten()\nlinear(H)"
    assert layers(text, inputs=[(1, 28, 30)])["linear1"] == "Linear(840, 28)"
    assert read("conv(8, 3)", inputs=[(3, 9, 9)], batch=4).nodes[-1].output_shape == (4, 8, 7, 7)


def test_several_inputs_and_outputs() -> None:
    graph = read("image = input(3, 8, 8)\nhint = input(1, 8, 8)\na = cat(image, hint)\nb = relu()(image)\noutput(a, b)")
    assert dict(graph.inputs) == {"image": (1, 3, 8, 8), "hint": (1, 1, 8, 8)}
    assert graph.outputs == ("a", "b")
    assert graph["a"].output_shape == (1, 4, 8, 8)


def test_the_name_is_kept() -> None:
    assert read_spec('net("my net")\ninput(3, 8, 8)\nrelu()').name == "my net"


@pytest.mark.parametrize(
    ("line", "layer"),
    [
        ("conv(6, 3)", nn.Conv2d(4, 6, 3)),
        ("Conv2d(4, 6, 3)", nn.Conv2d(4, 6, 3)),
        ("nn.Conv2d(4, 6, kernel_size=3)", nn.Conv2d(4, 6, 3)),
        ("torch.nn.Conv2d(4, 6, 3)", nn.Conv2d(4, 6, 3)),
        ("LazyConv2d(6, 3)", nn.Conv2d(4, 6, 3)),
        ("conv(6, (3, 1), padding=(1, 0))", nn.Conv2d(4, 6, (3, 1), padding=(1, 0))),
        ("conv(6, 3, 2, 1, bias=False)", nn.Conv2d(4, 6, 3, 2, 1, bias=False)),
        ("conv(6, 3, in_channels=4)", nn.Conv2d(4, 6, 3)),
        ("convT(6, 2, stride=2)", nn.ConvTranspose2d(4, 6, 2, stride=2)),
        ("bn(eps=1e-3)", nn.BatchNorm2d(4, eps=1e-3)),
        ("bn(eps=1e-12)", nn.BatchNorm2d(4, eps=1e-12)),
        ("gn(2)", nn.GroupNorm(2, 4)),
        ("maxpool(2)", nn.MaxPool2d(2)),
        ("gap()", nn.AdaptiveAvgPool2d(1)),
        ("leakyrelu(1/5)", nn.LeakyReLU(0.2)),
        ("dropout(0.5)", nn.Dropout(0.5)),
        ("Upsample(scale_factor=2.0)", nn.Upsample(scale_factor=2.0)),
        ("flatten()", nn.Flatten()),
        ("mul(0.5)", nn.Mul(0.5)),
    ],
)
def test_one_line(line: str, layer: nn.Layer) -> None:
    (node,) = read(f"input(4, 8, 8)\n{line}").nodes
    assert node.layer == layer
    assert repr(node.layer) == repr(layer)


def test_short_names_take_the_rank_from_the_input() -> None:
    assert layers("input(3, 9); conv(4, 3); bn(); maxpool(2); flatten(); linear(5); bn()") == {
        "conv1": "Conv1d(3, 4, 3)",
        "bn1": "BatchNorm1d(4)",
        "maxpool1": "MaxPool1d(2)",
        "flatten1": "Flatten()",
        "linear1": "Linear(12, 5)",
        "bn2": "BatchNorm1d(5)",
    }
    assert layers("input(3, 9, 9, 9); conv(4, 3)") == {"conv1": "Conv3d(3, 4, 3)"}


def test_every_kind_has_a_short_name_that_means_it() -> None:
    for name in kinds():
        if not name.startswith("Lazy"):
            stem = families()[kinds()[name].sheet_name()]
            assert name == stem or (name[:-2] == stem and name[-2:] in ("1d", "2d", "3d")), name


def test_what_the_input_determines_is_not_written() -> None:
    shape = (1, 8, 6, 6)
    for name, family in families().items():
        kind = kinds().get(family) or kinds()[f"{family}2d"]
        if next(iter(kind.arguments), "") in kind.infers:
            needed = [a for a, default in kind.arguments.items() if default is nn.Linear.arguments["in_features"]]
            values = {argument: 2 for argument in needed if argument not in kind.infers}
            layer = build(name, shape[:2] if name in ("fc", "linear") else shape, [], values)
            assert type(layer) is kind, name


def test_blocks_repeat_and_choose() -> None:
    text = """
def stage(c, n=2, pool=True):
    for i in range(n):
        conv(c * (i + 1), 3, padding=1)
    if pool and n > 1:
        maxpool(2)
    else:
        relu()

input(3, 8, 8)
stage(4)
last = stage(2, n=1, pool=False)
stage(3, 1)(last)
"""
    assert list(layers(text)) == [
        *(
            "stage1.conv1",
            "stage1.conv2",
            "stage1.maxpool1",
            "last.conv1",
            "last.relu1",
            "stage2.conv1",
            "stage2.relu1",
        ),
    ]


def test_names_inside_a_block_are_its_own() -> None:
    text = "C = 4\ndef a():\n    C = 7\n    conv(C, 1)\ninput(3, 8, 8)\na()\nconv(C, 1)"
    assert layers(text) == {"a1.conv1": "Conv2d(3, 7, 1)", "conv1": "Conv2d(7, 4, 1)"}


def test_unnamed_layers_leave_given_names_free() -> None:
    assert list(layers("input(3, 8, 8)\nconv(4, 1)\nconv1 = conv(5, 1)\nconv(6, 1)")) == ["conv2", "conv1", "conv3"]


def test_a_name_given_twice_is_numbered() -> None:
    assert list(layers("input(3, 8, 8)\ny = conv(4, 1)\ny = conv(5, 1)\ninput1 = relu()(y)")) == ["y", "y_2", "input1"]


def test_calls_inside_a_merge_all_take_the_line_before() -> None:
    graph = read("input(3, 8, 8)\nstem = conv(4, 1)\ncat(conv(2, 1), conv(3, 3, padding=1), stem)\nadd(conv(9, 1))")
    assert graph["conv1"].inputs == graph["conv2"].inputs == ("stem",)
    assert graph["cat1"].output_shape == (1, 9, 8, 8)
    assert graph["add1"].inputs == ("cat1", "conv3")


def test_operators_join_outputs() -> None:
    graph = read(
        "input(3, 8, 8)\na = conv(4, 1)\nb = conv(4, 1)\nc = a + b\nd = c * a\ne = 1 - d\nf = e / 2\ng = f @ a"
    )
    assert [repr(node.layer) for node in graph.nodes[2:]] == [
        *("Add()", "Mul()", "Sub(scalar=1, reversed=True)", "Div(scalar=2)", "MatMul()"),
    ]
    assert graph["d"].inputs == ("c", "a")


def test_parts_of_tensors() -> None:
    graph = read("input(8, 6, 6)\na = conv(8, 1)\nleft = a[:, :4]\nright = a[:, 4:8, ..., 0]\nrelu()(left)")
    assert graph["left"].output_shape == (1, 4, 6, 6)
    assert graph["right"].output_shape == (1, 4, 6)


def test_layers_with_several_inputs_and_outputs() -> None:
    graph = read("input(5, 16)\ny, h, c = lstm(8)\nq = MultiheadAttention(8, 2)(y, y, y)\noutput(q, h)")
    assert graph["y"].output_shape == (1, 5, 8)
    assert graph.outputs[0] == "q"
    assert graph[graph.outputs[1]].output_shape == (1, 5, 8)


def test_a_layer_called_again_keeps_its_weights() -> None:
    graph = read("input(4, 8, 8)\nshared = conv(4, 3, padding=1)\nrelu()\nshared()\nshared()(shared)")
    assert [node.name for node in graph.nodes] == ["shared", "relu1", "shared:1", "shared:2"]
    assert len(graph.state_dict()) == 2


def test_a_parameter_does_not_become_the_flow() -> None:
    graph = read("input(4, 8, 8)\nscale = Parameter(4, 1, 1)\nconv(4, 1)\nmul(scale)")
    assert graph["mul1"].inputs == ("conv1", "scale")
    assert graph.state_dict()["scale"] == (4, 1, 1)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("(2 + 3) * 4 - 1", 19),
        ("9 / 3", 3),
        ("1.5 * 4", 6),
        ("ceil(7 / 2)", 4),
        ("min(3, 8) + max(1, 2, 5)", 8),
        ("round_to(1.2 * 24, 8)", 32),
        ("-(-5)", 5),
        ("0x10", 16),
    ],
)
def test_arithmetic(expression: str, value: int) -> None:
    assert layers(f"C = {expression}\ninput(3, 8, 8)\nconv(C, 1)") == {"conv1": f"Conv2d(3, {value}, 1)"}


def test_arithmetic_in_letters() -> None:
    graph = read("input(3, H, H)\nconv(2*K, 1)\nconv(ceil(K/2), 1)\nlinear(H//2, in_features=H)")
    assert [" x ".join(map(show, node.output_shape[1:])) for node in graph.nodes] == [
        *("2·K x H x H", "⌈K/2⌉ x H x H", "⌈K/2⌉ x H x ⌊H/2⌋"),
    ]


def test_comments_are_allowed_anywhere() -> None:
    text = '# a\n"a comment"\ninput(3, 8, 8)  # b\n\ndef f():  # c\n    """What it is."""\n    # d\n    relu()\n\nf()\n'
    assert list(layers(text)) == ["f1.relu1"]


def test_line_ends_and_marks_of_editors() -> None:
    assert list(layers("\ufeffinput(3, 8, 8)\r\nrelu()\r\n\tpass\n".replace("\tpass\n", ""))) == ["relu1"]


def test_include_takes_blocks_and_constants(tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text("C = 6\ndef double(c=C):\n    conv(c, 3)\n    relu()\n")
    text = 'include("blocks.net")\ninput(3, 8, 8)\ndouble()\nconv(C, 1)'
    assert layers(text, folder=tmp_path) == {
        "double1.conv1": "Conv2d(3, 6, 3)",
        "double1.relu1": "ReLU()",
        "conv1": "Conv2d(6, 6, 1)",
    }


def test_errors_in_an_included_sheet_have_their_place_there(tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text("def double(c):\n    conv(c, 9)\n")
    with pytest.raises(ConvcalcError) as caught:
        read('include("blocks.net")\ninput(3, 8, 8)\ndouble(4)', name="t.net", folder=tmp_path)
    assert caught.value.where == "blocks.net:2:5"
    assert "in double, called on line 3 of t.net" in str(caught.value)


def test_the_command_takes_files_stdin_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tinyunet.net"
    path.write_text(TINYUNET)
    total = summary(str(path), "3x64x64").totals["params"]
    assert total == summary(str(path), (1, 3, 64, 64)).totals["params"] == summary(TINYUNET).totals["params"] == 44177
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TINYUNET.encode())))
    assert summary("-", "3x64x64", settings={"C": 32}).totals["params"] == 175393
    assert summary("conv(6, 5); relu(); maxpool(2)", "1x28x28").totals["params"] == 156
    assert summary("INPUT 32x32x3, CONV5-10, POOL2, FC-10").totals["params"] == 20370


def test_a_sheet_without_input_needs_one() -> None:
    with pytest.raises(SpecError, match="needs the shape of its input"):
        summary("conv(6, 5); relu()")


def test_an_input_that_is_too_small_may_be_replaced() -> None:
    assert summary("input(3, 2, 2); conv(6, 5)", "3x8x8").totals["params"] == 456
