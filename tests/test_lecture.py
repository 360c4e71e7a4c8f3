"""Every claim of a lecture on convolutional networks; docs/lecture.md shows each with its command."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcalc import nn, trace
from convcalc.analysis.count.report import Report, analyze
from convcalc.analysis.matrix import matrix_of
from convcalc.layers.merging import Add, Cat
from convcalc.questions.summary import summary

LECTURE = Path(__file__).parent.parent / "docs" / "lecture.md"


def report_of(*layers: Any, shape: tuple[Any, ...]) -> Report:
    """Return the report of layers in a row on an input of this shape, batch axis included."""
    return analyze(trace(nn.Sequential(*layers), shape))


def conv(c_in: int, c: int, kernel: Any, **options: Any) -> nn.Conv2d:
    """Return a convolution without bias."""
    return nn.Conv2d(c_in, c, kernel, bias=False, **options)


def same(kernel: Any) -> Any:
    """Return the padding that keeps the size."""
    return tuple(k // 2 for k in kernel) if isinstance(kernel, tuple) else kernel // 2


def test_an_image_has_150_thousand_inputs() -> None:
    report = report_of(nn.Flatten(), nn.Linear(224 * 224 * 3, 1000, bias=False), shape=(1, 3, 224, 224))
    assert report["0"].output_shape == (1, 150_528)
    assert report.totals["params"] == 150_528_000


@pytest.mark.parametrize("c", [1, 3, 64])
@pytest.mark.parametrize("count, kernel", [(2, 5), (3, 7)])
def test_small_kernels_in_a_row_see_as_a_large_one_with_fewer_parameters(c: int, count: int, kernel: int) -> None:
    row = report_of(*[conv(c, c, 3) for _ in range(count)], shape=(1, c, 32, 32))
    large = report_of(conv(c, c, kernel), shape=(1, c, 32, 32))
    assert row.totals["rf"].size == large.totals["rf"].size == (kernel, kernel)
    assert row.graph.nodes[-1].output_shape == large.graph.nodes[-1].output_shape
    assert row.totals["params"] == 9 * count * c * c < large.totals["params"] == kernel * kernel * c * c


@pytest.mark.parametrize("k", [1, 2, 3, 5, 7, 11])
@pytest.mark.parametrize("c_in, c_out", [(1, 1), (3, 64), (64, 128)])
def test_parameters_of_a_convolution(k: int, c_in: int, c_out: int) -> None:
    for size in (16, 40):  # the same for any image
        assert report_of(nn.Conv2d(c_in, c_out, k), shape=(1, c_in, size, size)).totals["params"] == (
            k * k * c_in * c_out + c_out
        )


def test_parameters_in_letters() -> None:
    assert str(summary("conv(C_out, K)", "C_inxHxW").totals["params"]) == "C_in*C_out*K**2 + C_out"


def test_1x1_convolutions_mix_channels() -> None:
    """Compare with one linear layer for all positions: same weights, same work, and each output sees one position."""
    report = report_of(nn.Conv2d(256, 64, 1), shape=(1, 256, 28, 28))
    linear = analyze(trace(nn.Linear(256, 64), (28 * 28, 256)))
    assert report.graph.nodes[0].output_shape == (1, 64, 28, 28)
    assert report.totals["rf"].size == (1, 1)
    assert [report.totals[name] for name in ("params", "macs")] == [linear.totals[name] for name in ("params", "macs")]


def test_1x1_convolutions_are_the_bottleneck_of_an_inception_block() -> None:
    """Check that in block 3a of GoogLeNet they come before 3 x 3 and 5 x 5, and save much of the work of both."""
    rows = {row.path: row for row in summary("googlenet_2014").rows if row.path.startswith("inception3a.")}
    for branch, kernel in (("branch1", 3), ("branch2", 5)):
        reduce, after = rows[f"inception3a.{branch}.0.conv"].layer, rows[f"inception3a.{branch}.1.conv"].layer
        assert (reduce.kernel_size, after.kernel_size) == ((1, 1), (kernel, kernel))
        assert reduce.out_channels == after.in_channels < reduce.in_channels
        direct = report_of(conv(192, after.out_channels, kernel, padding=same(kernel)), shape=(1, 192, 28, 28))
        bottleneck = sum(rows[f"inception3a.{branch}.{i}.conv"].macs for i in (0, 1))
        assert bottleneck < 0.6 * direct.totals["macs"]


@pytest.mark.parametrize("n", [3, 5, 7])
def test_nxn_factored_into_nx1_and_1xn(n: int) -> None:
    square = report_of(conv(64, 64, n), shape=(1, 64, 20, 20))
    factored = report_of(conv(64, 64, (n, 1)), conv(64, 64, (1, n)), shape=(1, 64, 20, 20))
    assert factored.totals["rf"].size == square.totals["rf"].size == (n, n)
    assert factored.graph.nodes[-1].output_shape == square.graph.nodes[-1].output_shape
    assert factored.totals["params"] * n == 2 * square.totals["params"]


def test_inception_v3_has_such_factors() -> None:
    kernels = {node.layer.kernel_size for node in summary("inception_v3").graph.nodes if hasattr(node.layer, "groups")}
    assert {(1, 7), (7, 1), (1, 3), (3, 1)} <= kernels


@pytest.mark.parametrize(
    "options, size, sees, next_sees",
    [
        ({}, 30, 3, 5),
        ({"padding": "valid"}, 30, 3, 5),
        ({"padding": "same"}, 32, 3, 5),
        ({"stride": 2}, 15, 3, 7),
        ({"stride": 2, "padding": 1}, 16, 3, 7),
        ({"dilation": 2}, 28, 5, 7),
        ({"dilation": 2, "padding": 2}, 32, 5, 7),
    ],
    ids=str,
)
def test_padding_stride_dilation(options: dict[str, Any], size: int, sees: int, next_sees: int) -> None:
    """Check what each does to the size, to the field, and to what the next 3 x 3 convolution adds to the field."""
    report = report_of(conv(3, 8, 3, **options), conv(8, 8, 3), shape=(1, 3, 32, 32))
    assert report["0"].output_shape == (1, 8, size, size)
    assert [row.rf.size[0] for row in report.rows] == [sees, next_sees]
    assert report["0"].params == 9 * 3 * 8


@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
def test_pooling_has_no_parameters_and_acts_per_channel(kind: type[nn.Layer]) -> None:
    """Check that its work is the sum over the channels, and that the number of channels stays."""
    one, many = (report_of(kind(2), shape=(1, c, 56, 56)) for c in (1, 64))
    assert many.graph.nodes[0].output_shape == (1, 64, 28, 28)
    assert many.totals["params"] == many.totals["macs"] == 0
    works = [
        node.layer.work(node.input_shapes, node.output_shape) for node in (one.graph.nodes[0], many.graph.nodes[0])
    ]
    assert works[1] == {op: 64 * n for op, n in works[0].items()}


def test_convolution_is_a_fully_connected_layer_with_shared_and_zeroed_weights() -> None:
    matrix = matrix_of(trace(nn.Conv1d(1, 1, 3, stride=2, bias=False), (1, 1, 6)))
    a, b, c, zero = (0,), (1,), (2,), ()
    assert matrix.entries == ((a, b, c, zero, zero, zero), (zero, zero, a, b, c, zero))
    dense = analyze(trace(nn.Linear(6, 2, bias=False), (1, 6)))
    assert prod((len(matrix.entries), len(matrix.entries[0]))) == dense.totals["params"] == 12


@pytest.mark.parametrize(
    "name, depth, millions",
    [("alexnet_2012", 8, 60.97), ("alexnet", 8, 61.1), ("vgg16", 16, 138.4), ("vgg19", 19, 143.7)],
)
def test_alexnet_and_vgg(name: str, depth: int, millions: float) -> None:
    """Check that AlexNet has 8 layers and 60 million parameters, VGG 16 or 19 layers and about 140 million."""
    totals = summary(name).totals
    assert totals["depth"] == depth
    assert totals["params"] / 1e6 == pytest.approx(millions, abs=0.05)


def test_googlenet() -> None:
    """Check 22 layers and global average pooling; the paper says "about 5M", there are 7.0M, 6.0M in convolutions."""
    report = summary("googlenet_2014")
    assert report.totals["depth"] == 22
    assert report.totals["params"] == 6_998_552
    assert report.totals["params"] - report["fc"].params == 5_973_552
    assert round(summary("alexnet_2012").totals["params"] / 12e6) == 5  # "12 times fewer" than AlexNet
    assert report["avgpool"].input_shapes == ((1, 1024, 7, 7),)
    assert report["avgpool"].output_shape == (1, 1024, 1, 1)


def test_googlenet_has_auxiliary_outputs_for_training() -> None:
    plain = summary("googlenet_2014", settings={"aux_logits": True})
    training = summary("googlenet_2014", settings={"aux_logits": True, "training": True})
    assert (len(plain.graph.outputs), len(training.graph.outputs)) == (1, 3)
    assert plain.totals["params"] == training.totals["params"] == 13_378_280
    assert all(path.startswith("aux") for path in plain.graph.unused)


@pytest.mark.parametrize("depth, blocks", [(18, 8), (34, 16), (50, 16), (101, 33), (152, 50)])
def test_resnet_adds(depth: int, blocks: int) -> None:
    """Check y = F(x) + x: a block adds the output of its last convolution and its input, or a projection of that."""
    report = summary(f"resnet{depth}")
    assert report.totals["depth"] == depth
    adds = [node for node in report.graph.nodes if isinstance(node.layer, Add)]
    assert len(adds) == blocks
    for node in adds:
        block = node.path.rpartition(".")[0]
        branch, shortcut = node.inputs
        first = next(other for other in report.graph.nodes if other.path == f"{block}.conv1")
        assert branch.startswith(f"{block}.bn")
        assert shortcut == first.inputs[0] or shortcut.startswith(f"{block}.downsample")
    assert not any(isinstance(node.layer, Cat) for node in report.graph.nodes)


def test_densenet_concatenates_where_resnet_adds() -> None:
    report = summary("densenet121")
    assert not any(isinstance(node.layer, Add) for node in report.graph.nodes)
    cats = [row.output_shape[1] for row in report.rows if re.match(r"features.denseblock1.*cat", row.path)]
    assert cats == [64 + 32 * i for i in range(7)]  # a layer's input grows by 32 channels, and so does the block


def test_efficientnet_scales_depth_width_and_resolution_together() -> None:
    """Check that B3 is B0 at depth 1.4, width 1.2 and size 300 for 224, about 1.2^3, 1.1^3 and 1.15^2 times."""
    scaled = summary("efficientnet_b0", "3x300x300", settings={"depth": 1.4, "width": 1.2})
    b0, b3 = summary("efficientnet_b0"), summary("efficientnet_b3")
    assert {name: scaled.totals[name] for name in ("params", "macs", "depth")} == {
        name: b3.totals[name] for name in ("params", "macs", "depth")
    }
    assert b3.totals["depth"] > b0.totals["depth"]
    assert b3["features.0.0"].layer.out_channels > b0["features.0.0"].layer.out_channels
    for settings, size in (({"depth": 1.4}, 224), ({"width": 1.2}, 224), ({}, 300)):
        alone = summary("efficientnet_b0", f"3x{size}x{size}", settings=settings)
        assert b0.totals["macs"] < alone.totals["macs"] < b3.totals["macs"]


def test_every_claim_is_on_the_page() -> None:
    text = LECTURE.read_text()
    for claim in (
        *(
            "150 thousand",
            "see 5 x 5, three see 7 x 7",
            "K x K x C_in x C_out",
            "bottleneck",
            "n x 1 and 1 x n",
            "valid",
        ),
        *("dilation", "no parameters", "shared and zeroed", "8 layers and 60 million", "140 million", "22 layers"),
        *("auxiliary", "18 to 152", "F(x) + x", "concatenates where ResNet adds", "together"),
    ):
        assert claim in text, claim
