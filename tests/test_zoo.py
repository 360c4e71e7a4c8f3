"""The zoo against torchvision's recorded tensors and totals, and against the torch modules built from its graphs."""

from __future__ import annotations

import gzip
import json
from fnmatch import fnmatchcase
from math import prod
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convcalc import nn, trace, zoo
from convcalc.analysis.count.report import analyze
from convcalc.errors import SpecError, UnknownName
from convcalc.network.graph import Graph
from tests.torch_modules import FromGraph

DATA = Path(__file__).parent / "data"
RECORD = json.loads(gzip.decompress((DATA / "torchvision_state_dicts.json.gz").read_bytes()))
TOTALS = json.loads((DATA / "torchvision_totals.json").read_text())
NAMES = zoo.names()

SECOND = {
    "lenet5*": (33, 34),
    "vit_h_14": {"image_size": 56},
    "vit*": {"image_size": 64},
    "maxvit_t": (448, 224),
    "alexnet_2012": (230, 227),
    "s3d": (13, 209, 215),
    "zfnet": (230, 225),
    "cifar_*": (9, 14),
    "wrn*": (9, 14),
    "unet*": {"width": 4},
    "dcgan_generator": (2, 3),
    "yolov3": (96, 160),
    "wavenet": (50,),
    "tcn": (97,),
    "c3d": (17, 115, 127),
    "vnet": (16, 16, 32),
    "crnn": (35, 97),
    "*_18": (9, 64, 47),
    "*": (97, 129),
}
"""The second input, by the first pattern that matches: its spatial sizes, or settings where these fix the size."""

TOO_SLOW = 15e9
"""With this many multiply–accumulates or more, the second input runs on the meta device, which computes shapes only."""

RECORDED_WITH = {"vit_h_14": {"image_size": 518}}
"""Settings with which the FLOPs were recorded, where these are not the defaults."""

VARIANTS = {
    "aux_eval": {},
    "aux_train": {"training": True},
    "noaux_eval": {"aux_logits": False},
    "aux_loss": {"aux_loss": True},
}
"""Settings of the recorded variants of a network with auxiliary heads."""


def graph_of(name: str, spatial: tuple[int, ...] | None = None, **settings: object) -> Graph:
    """Return the network's graph at batch 1 and its usual size, or another."""
    model, shape = zoo.load(name, **settings)
    return trace(model, (1, shape[0], *(spatial or shape[1:])))


def macs(graph: Graph) -> int:
    """Return the sum of multiply–accumulates that the layers count."""
    works = [node.layer.work(node.input_shapes, node.output_shape) for node in graph.nodes]
    assert None not in works
    return sum(work.get("mac", 0) for work in works)


def parameters(graph: Graph) -> int:
    """Return the number of learned numbers; no layer of the zoo has two paths."""
    return sum(prod(shape) for layer in graph.owned.values() for shape in layer.weights().values())


def assert_forward_agrees(graph: Graph, device: str) -> int:
    """Assert that the torch module built from the graph gives each node's shape; return the FLOPs of a forward pass."""
    with torch.device("meta"):
        module = FromGraph(graph).requires_grad_(False)
    if device != "meta":
        module = module.to_empty(device=device)  # values say nothing about shapes, and filling them takes long
        for leaf in module.loose_leaves():
            leaf.value = torch.zeros(leaf.value.shape)
    tensors = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert tensors == graph.state_dict()
    inputs = [torch.zeros(shape, device=device) for shape in graph.inputs.values()]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    assert module.shapes == {node.name: node.output_shape for node in graph.nodes}
    return counter.get_total_flops()


@pytest.mark.parametrize("name", NAMES)
def test_default_input(name: str) -> None:
    graph = graph_of(name)
    flops = assert_forward_agrees(graph, "meta")
    assert flops == 2 * macs(graph)
    if name in RECORD:
        assert [[key, list(shape)] for key, shape in graph.state_dict().items()] == [
            [key, shape] for key, shape in RECORD[name]["state_dict"].items()
        ]
        assert parameters(graph) == RECORD[name]["params"]
        graph = graph_of(name, **RECORDED_WITH.get(name, {}))
        assert list(graph.inputs["input"]) == TOTALS[name]["input"]
        assert 2 * macs(graph) == TOTALS[name]["flop_counter"]


@pytest.mark.parametrize("name", NAMES)
def test_second_input(name: str) -> None:
    second = next(second for pattern, second in SECOND.items() if fnmatchcase(name, pattern))
    graph = graph_of(name, **second) if isinstance(second, dict) else graph_of(name, second)
    flops = assert_forward_agrees(graph, "cpu" if macs(graph) < TOO_SLOW else "meta")
    if not any(isinstance(node.layer, (nn.MultiheadAttention, nn.LSTM)) for node in graph.nodes):
        assert flops == 2 * macs(graph)  # that tool counts 0 for torch's fused attention and LSTM on the CPU


@pytest.mark.parametrize("name", [name for name in TOTALS if name.partition("@")[2] in VARIANTS])
def test_auxiliary_heads(name: str) -> None:
    network, _, variant = name.partition("@")
    graph = graph_of(network, **VARIANTS[variant])
    batch, *shape = TOTALS[name]["input"]
    assert list(graph.inputs["input"]) == [1, *shape]
    flops = assert_forward_agrees(graph, "meta")
    assert flops == 2 * macs(graph) == TOTALS[name]["flop_counter"] // batch
    assert parameters(graph) == TOTALS[name]["params"]
    assert bool(graph.unused) == (variant == "aux_eval")


def test_known_totals() -> None:
    for name, params in {
        "lenet5": 61_706,
        "lenet5_1998": 60_000,
        "alexnet_2012": 60_965_224,
        "alexnet": 61_100_840,
        "vgg16": 138_357_544,
        "resnet50": 25_557_032,
        "resnet152": 60_192_808,
    }.items():
        assert parameters(graph_of(name)) == params


@pytest.mark.parametrize(
    "name, path, size",
    [
        ("alexnet", "features.12", 195),
        ("vgg11", "features.20", 150),
        ("vgg16", "features.30", 212),
        ("resnet50", "layer4.2.relu", 427),  # 483 where the stride is in the first convolution of a bottleneck
        ("inception_v3", "Mixed_7c.cat", 1311),
    ],
)
def test_published_receptive_fields(name: str, path: str, size: int) -> None:
    """Compare with google-research/receptive_field, which sees pooling windows that no parameter or FLOP reveals."""
    fields = [row.rf for row in analyze(graph_of(name)).rows if row.path == path]
    assert fields[-1].size == (size, size)


@pytest.mark.parametrize(
    "name, depth",
    [
        ("alexnet", 8),
        *((name, int(name[3:5])) for name in zoo.names("vgg*")),
        *((name, int(name[6:])) for name in zoo.names("resnet*")),
        *((name, int(name[8:])) for name in zoo.names("densenet*")),
        ("googlenet", 22),
        ("wide_resnet101_2", 101),
    ],
)
def test_depth_is_that_of_the_name_or_paper(name: str, depth: int) -> None:
    assert analyze(graph_of(name)).totals["depth"] == depth


def test_settings_reach_the_constructor() -> None:
    graph = graph_of("resnet50", num_classes=10, in_channels=1, width_per_group=128, output_stride=8)
    shapes = graph.state_dict()
    assert shapes["fc.weight"] == (10, 2048)
    assert shapes["conv1.weight"] == (64, 1, 7, 7)
    assert shapes["layer1.0.conv1.weight"] == (128, 64, 1, 1)
    assert graph["layer4.2.relu:2"].output_shape == (1, 2048, 28, 28)
    assert zoo.load("resnet50", in_channels=1)[1] == (1, 224, 224)
    assert graph_of("vgg11", width=16).state_dict()["features.0.weight"] == (16, 3, 3, 3)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_takes_its_defaults_classes_and_channels(name: str) -> None:
    entry = zoo.entry(name)
    assert entry.name == name and entry.doc and entry.paper
    assert vars(zoo.load(name, **entry.settings)[0]).keys() == vars(zoo.load(name)[0]).keys()
    classes = {"num_classes": 7} if "num_classes" in entry.settings else {}
    graph = graph_of(name, in_channels=2, **classes)
    assert graph.inputs["input"][1] == 2
    for output in graph.outputs if classes else ():
        shape = graph[output].output_shape
        assert (36 if name == "yolov3" else 7) in (shape[1], shape[-1])  # YOLO: three boxes of 5 numbers and 7 classes


def test_names_match_a_pattern() -> None:
    assert zoo.names("resnet*") == ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
    assert zoo.names("no such*") == []
    assert {"lenet5", "alexnet", "vgg16_bn", "resnext101_64x4d", "wide_resnet50_2"} <= set(NAMES)


@pytest.mark.parametrize(
    "name, settings, kind, text",
    [
        ("resnet5", {}, UnknownName, "no network is called 'resnet5'\n  did you mean resnet50, "),
        ("zzz", {}, UnknownName, "no network is called 'zzz'\n  `convcalc networks` lists them all"),
        (
            "lenet5",
            {"classes": 10},
            SpecError,
            "lenet5: has no setting 'classes'\n  it takes num_classes=10, in_channels=1",
        ),
        (
            "resnet50",
            {"num_classes": 1.5},
            SpecError,
            "resnet50: num_classes must be an integer of at least 1; received 1.5",
        ),
        ("resnet50", {"num_classes": 0}, SpecError, "at least 1; received 0"),
        ("resnet50", {"num_classes": -1}, SpecError, "at least 1; received -1"),
        ("resnet50", {"num_classes": True}, SpecError, "at least 1; received True"),
        ("resnet50", {"output_stride": 4}, SpecError, "output_stride must be 8, 16 or 32; received 4"),
        ("alexnet", {"dropout": "half"}, SpecError, "alexnet: dropout must be a number from 0 to 1; received 'half'"),
        (
            "mobilenet_v2",
            {"width": 0},
            SpecError,
            "mobilenet_v2: width must be a number above 0, up to 100; received 0",
        ),
        ("googlenet", {"training": 1}, SpecError, "googlenet: training must be True or False; received 1"),
        (
            "vit_b_16",
            {"image_size": 100},
            SpecError,
            "image_size must be divisible by the patch size 16; received 100",
        ),
    ],
)
def test_errors(name: str, settings: dict[str, object], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        zoo.load(name, **settings)
    assert text in str(caught.value)
