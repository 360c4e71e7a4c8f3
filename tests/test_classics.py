"""Classic networks that torchvision lacks, compared with the figures that their papers publish.

The names, the shapes of every node and the FLOPs of all networks, including these, are compared with torch in
test_zoo.py.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from convcalc import nn, zoo
from convcalc.analysis.count.report import Report, analyze
from convcalc.errors import SpecError
from convcalc.zoo.googlenet import MODULES
from tests.test_zoo import RECORD, assert_forward_agrees, graph_of, macs, parameters


class Published(NamedTuple):
    """A network's parameters, the published figure, and whether that is exact or what explains the difference."""

    name: str
    params: int
    figure: str
    reason: str = "exact to the digits printed"


TABLE = [
    Published("googlenet_2014", 6_998_552, "5M", "the paper says 12 times fewer than AlexNet; its table sums to 6.8M"),
    Published("zfnet", 62_357_608, "-", "only sizes are printed: test_sizes_of_figures"),
    Published("nin", 966_986, "1M", "about, in arXiv:1412.6806"),
    Published("nin_imagenet", 7_595_176, "29.0 MiB", "as published with the model: 4 bytes per parameter"),
    Published("cifar_resnet20", 269_722, "0.27M"),
    Published("cifar_resnet32", 464_154, "0.46M"),
    Published("cifar_resnet44", 658_586, "0.66M"),
    Published("cifar_resnet56", 853_018, "0.85M"),
    Published("cifar_resnet110", 1_727_962, "1.7M"),
    Published("cifar_resnet1202", 19_421_274, "19.4M"),
    Published("preact_resnet200", 64_666_152, "64.7M"),
    Published("wrn_28_10", 36_479_194, "36.5M"),
    Published("cifar_densenet_bc_100_12", 769_162, "0.8M"),
    Published("mobilenet_v1", 4_231_976, "4.2M"),
    Published("inception_v4", 42_679_816, "42.7M", "not in the paper: the released model"),
    Published("inception_resnet_v2", 55_843_464, "55.8M", "not in the paper: the released model"),
    Published("xception", 22_855_952, "22.855952M"),
    Published("se_resnet50", 28_088_024, "28.1M", "2.5M more than ResNet-50: test_squeeze_and_excitation"),
    Published("unet_2015", 31_030_658, "-", "sizes and 23 convolutions are printed"),
    Published("unet", 31_030_658, "-", "the same convolutions, padded"),
    Published("segnet", 29_449_932, "117 MB", "the paper's model size, cut: 4 bytes per parameter"),
    Published("fsrcnn", 12_809, "12,464", "weights alone: test_fsrcnn_counts_weights"),
    Published("dcgan_generator", 18_855_040, "-", "no number printed; PyTorch's tutorial: test_dcgan_of_the_tutorial"),
    Published("dcgan_discriminator", 17_232_768, "-", "no number printed; PyTorch's tutorial"),
    Published("darknet53", 41_609_928, "-", "operations are printed: test_operations"),
    Published("yolov3", 61_949_149, "-", "operations are printed: test_operations"),
    Published("wavenet", 557_920, "-", "a receptive field is printed: test_wavenet_sees"),
    Published("tcn", 66_510, "70K", "about; 66,910 with the 400 numbers of weight normalisation"),
    Published("c3d", 79_991_015, "79M", "of a network of this kind with fewer classes, in arXiv:1705.07750"),
    Published("vnet", 65_175_314, "-", "receptive fields are printed: test_vnet_sees"),
    Published("crnn", 8_330_789, "8.3M"),
]

ELSEWHERE = ("lenet5", "lenet5_1998", "alexnet_2012")
"""Networks that torchvision lacks whose totals are in test_zoo.py."""

UNITS = {"M": 1e6, "K": 1e3, " MB": 1e6 / 4, " MiB": 2**20 / 4, "": 1}


def report_of(name: str, spatial: tuple[int, ...] | None = None, **settings: object) -> Report:
    """Return the report at batch 1 and the usual size, or another."""
    return analyze(graph_of(name, spatial, **settings))


def test_every_classic_has_its_figure() -> None:
    assert {row.name for row in TABLE} == set(zoo.names()) - RECORD.keys() - set(ELSEWHERE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_published_parameters(row: Published) -> None:
    """Compare exact figures with the paper's to its last digit; the rest only to what the reason can explain."""
    assert parameters(graph_of(row.name)) == row.params
    if row.figure == "-":
        assert row.reason
        return
    unit = next(unit for unit in UNITS if row.figure.endswith(unit))
    digits = row.figure.removesuffix(unit).replace(",", "")
    value, step = float(digits) * UNITS[unit], UNITS[unit] / 10 ** len(digits.partition(".")[2])
    if row.reason.startswith("exact") or "released" in row.reason or "4 bytes" in row.reason:
        assert abs(row.params - value) <= step * (1 if "cut" in row.reason else 0.5)
    else:
        assert abs(row.params - value) <= 0.4 * value


def test_figures_and_docstrings_agree() -> None:
    for row in TABLE:
        module = __import__(f"convcalc.zoo.{zoo._find_families()[row.name]}", fromlist=["x"])
        text = f"{zoo.entry(row.name).doc} {module.__doc__}"
        if row.name not in ("dcgan_generator", "dcgan_discriminator", "unet", "wavenet", "tcn"):
            assert f"{row.params:,}" in text, row.name


PRINTED = {
    "3a": (159, 128), "3b": (380, 304), "4a": (364, 73), "4b": (437, 88), "4c": (463, 100), "4d": (580, 119),
    "4e": (840, 170), "5a": (1072, 54), "5b": (1388, 71),
}  # fmt: skip
"""Parameters (thousands) and operations (millions) of the inception rows of GoogLeNet's table 1."""


def test_table_1_of_googlenet() -> None:
    """Check that only row 3a agrees, with K = 1024 cut; 5a fits 928 input channels, all other operations the widths."""
    report = report_of("googlenet_2014")
    agree, operations = [], []
    for name, (params, ops) in PRINTED.items():
        rows = [row for row in report.rows if row.path.startswith(f"inception{name}.") and row.type == "Conv2d"]
        weights = sum(row.params - row.layer.out_channels for row in rows)
        agree += [name] if weights // 1024 == params else []
        operations += [name] if abs(sum(row.macs for row in rows) / 1e6 - ops) < 1 else []
        c_in, c1, c3_in, c3, c5_in, c5, pooled = MODULES[name]
        assert weights == c_in * (c1 + c3_in + c5_in + pooled) + 9 * c3_in * c3 + 25 * c5_in * c5
        if name == "5a":
            assert weights + (928 - 832) * (c1 + c3_in + c5_in + pooled) == 1072 * 1024
    assert agree == ["3a"]
    assert operations == [name for name in PRINTED if name != "5a"]
    assert report.totals["depth"] == 22


def test_googlenet_with_auxiliary_heads() -> None:
    graph = graph_of("googlenet_2014", aux_logits=True, training=True)
    assert parameters(graph) == 13_378_280
    assert [graph[name].output_shape for name in graph.outputs] == [(1, 1000)] * 3
    assert assert_forward_agrees(graph, "meta") == 2 * macs(graph)
    assert all(path.startswith(("aux1.", "aux2.")) for path in graph_of("googlenet_2014", aux_logits=True).unused)


@pytest.mark.parametrize(
    "name, kinds, expected",
    [
        ("zfnet", nn.Conv2d, [110, 26, 13, 13, 13]),
        ("zfnet", nn.MaxPool2d, [55, 13, 6]),
        ("unet_2015", nn.MaxPool2d, [284, 140, 68, 32]),
        ("unet_2015", nn.ConvTranspose2d, [56, 104, 200, 392]),
        ("dcgan_generator", nn.ConvTranspose2d, [4, 8, 16, 32, 64]),
        ("inception_v4", nn.AvgPool2d, [35] * 4 + [17] * 7 + [8] * 3),
        ("cifar_resnet20", nn.Conv2d, [32] * 7 + [16] * 6 + [8] * 6),
    ],
)
def test_sizes_of_figures(name: str, kinds: type[nn.Layer], expected: list[int]) -> None:
    nodes = [node for node in graph_of(name).nodes if isinstance(node.layer, kinds)]
    assert [node.output_shape[-1] for node in nodes] == expected


def test_unet() -> None:
    graph = graph_of("unet_2015")
    assert graph[graph.outputs[0]].output_shape == (1, 2, 388, 388)
    assert sum(isinstance(node.layer, (nn.Conv2d, nn.ConvTranspose2d)) for node in graph.nodes) == 23
    assert parameters(graph_of("unet", norm=True, in_channels=3)) == 31_037_698
    small = graph_of("unet_2015", (188, 205), width=4)
    assert small[small.outputs[0]].output_shape == (1, 2, 4, 20)
    assert assert_forward_agrees(small, "cpu") == 2 * macs(small)
    cut = graph_of("unet", (100, 111))
    assert cut[cut.outputs[0]].output_shape == (1, 2, 96, 96)


@pytest.mark.parametrize(
    "width, params, millions", [(1.0, 4.2, 569), (0.75, 2.6, 325), (0.5, 1.3, 149), (0.25, 0.5, 41)]
)
def test_widths_of_mobilenet(width: float, params: float, millions: int) -> None:
    graph = graph_of("mobilenet_v1", width=width)
    assert round(parameters(graph) / 1e6, 1) == params
    assert round(macs(graph) / 1e6) == millions


def test_squeeze_and_excitation() -> None:
    """Check the paper's 2/r times the sum of squared channels, and the biases that it leaves out."""
    more = parameters(graph_of("se_resnet50")) - parameters(graph_of("resnet50"))
    blocks = {256: 3, 512: 4, 1024: 6, 2048: 3}
    assert more == 2_530_992 == sum(n * (2 * c * c // 16 + c // 16 + c) for c, n in blocks.items())
    assert sum(n * 2 * c * c // 16 for c, n in blocks.items()) == 2_514_944


def test_fsrcnn_counts_weights() -> None:
    shapes = graph_of("fsrcnn").state_dict().values()
    weights = [shape for shape in shapes if len(shape) == 4]
    assert sum(a * b * c * d for a, b, c, d in weights) == 12_464
    assert graph_of("fsrcnn", (85, 60), scale=4).nodes[-1].output_shape == (1, 1, 340, 240)


def test_dcgan_of_the_tutorial() -> None:
    assert parameters(graph_of("dcgan_generator", width=64, kernel=4)) == 3_576_704
    assert parameters(graph_of("dcgan_discriminator", width=64, kernel=4)) == 2_765_568
    for kernel in (2, 3, 4, 5, 6, 7):
        assert graph_of("dcgan_generator", kernel=kernel).nodes[-1].output_shape == (1, 3, 64, 64)


def test_operations() -> None:
    """Count two per multiply–accumulate; Darknet's published 18.7 includes a little more than its convolutions."""
    assert round(2 * macs(graph_of("yolov3")) / 1e9, 2) == 65.86
    assert 18.5 < 2 * macs(graph_of("darknet53")) / 1e9 < 18.7
    graph = graph_of("yolov3")
    assert [graph[name].output_shape for name in graph.outputs] == [(1, 255, n, n) for n in (13, 26, 52)]


def test_wavenet_sees() -> None:
    """Check that a stack of dilations 1 to 512 sees 1024 samples, the convolution before it one more, none later."""
    for stacks in (1, 3):
        report = report_of("wavenet", (4000,), stacks=stacks)
        assert report.totals["rf"].size == (1 + 1 + stacks * 1023,)
        assert [end for _, end in report.totals["rf"].phases[0]] == [0]


def test_tcn_sees() -> None:
    last = [row.rf for row in report_of("tcn").rows if row.path.startswith("network.")][-1]
    assert last.size == (1 + 2 * 6 * (2**8 - 1),)
    assert last.start == (1 - last.size[0],)


def test_vnet_sees() -> None:
    """Check table 1 on the way down; on the way up it treats each transposed convolution as a window of two."""
    rows = [row for row in report_of("vnet").rows if row.path.count(".") < 3 and row.path.endswith("prelu")]
    assert [row.rf.size[0] for row in rows] == [5, 22, 72, 172, 372, 468, 516, 532, 548]
    assert rows[-1].rf.smallest == (532,) * 3
    sees = 372
    for jump, convolutions, printed in ((8, 3, 476), (4, 3, 528), (2, 2, 546), (1, 1, 551)):
        sees += jump + 4 * jump * convolutions
        assert sees == printed


@pytest.mark.parametrize(
    "name, settings, text",
    [
        ("wrn_28_10", {"depth": 27}, "depth must be 10, 16, 22, 28, ... (6n + 4); received 27"),
        ("cifar_densenet_bc_100_12", {"depth": 99}, "depth must be 10, 16, 22, ... (6n + 4); received 99"),
        ("se_resnet50", {"reduction": 7}, "reduction must divide 256; received 7"),
        ("vnet", {"in_channels": 3}, "in_channels must divide width (16); received 3"),
        ("vnet", {"width": 7}, "width must be even; received 7"),
        ("wavenet", {"depth": 30}, "depth must be at most 20, since dilations reach 2^(depth - 1); received 30"),
        ("tcn", {"depth": 30}, "depth must be at most 20, since dilations reach 2^(depth - 1); received 30"),
        ("dcgan_generator", {"kernel": 1}, "kernel must be at least 2, the stride; received 1"),
        ("unet", {"padding": 1}, "has no setting 'padding'\n  it takes num_classes=2, in_channels=1, width=64"),
        ("mobilenet_v1", {"width": 0}, "width must be a number above 0, up to 100; received 0"),
    ],
)
def test_errors(name: str, settings: dict[str, object], text: str) -> None:
    with pytest.raises(SpecError) as caught:
        zoo.load(name, **settings)
    assert text in str(caught.value)
