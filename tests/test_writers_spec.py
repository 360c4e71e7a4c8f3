"""Sheets written from graphs: reading one back gives the same graph, and writing that again gives the same text."""

from __future__ import annotations

import pytest
from hypothesis import given

from convcalc import nn, trace, zoo
from convcalc.algebra.symbolic import symbol
from convcalc.errors import UnsupportedOperation
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.write import first_difference, write_spec
from convcalc.layers.base import Layer, Shape
from convcalc.network.graph import Graph
from tests.random_networks import Network, Plan, plans


def round_trip(graph: Graph) -> str:
    """Return the sheet of a graph, after comparing the graph that it reads back as, and the sheet of that."""
    text = write_spec(graph)
    batch = next(iter(graph.inputs.values()))[0]
    back = read_spec(text, batch=batch).graph
    assert [node.layer for node in back.nodes] == [node.layer for node in graph.nodes]
    assert [node.output_shape for node in back.nodes] == [node.output_shape for node in graph.nodes]
    assert first_difference(graph, back) == ""
    assert write_spec(back) == text
    return text


SHORT = {"resnet152": 46, "mobilenet_v2": 50, "efficientnet_b7": 70, "vgg19": 30, "vit_h_14": 40, "googlenet": 50}
"""Networks with much repetition, and a number of lines that their sheets stay below."""


@pytest.mark.parametrize("name", zoo.names())
def test_zoo_round_trip(name: str) -> None:
    model, shape = zoo.load(name)
    graph = trace(model, (1, *shape))
    text = round_trip(graph)
    assert text.count("\n") < SHORT.get(name, len(graph.nodes) + 20)


@given(plans())
def test_random_round_trip(plan: Plan) -> None:
    round_trip(trace(Network(plan), plan.shapes[0]))


RESNET50 = """\
input(3, 224, 224)

def bottleneck(c, stride=1):
    conv(c, 1, bias=False)
    bn()
    relu()
    conv(c, 3, stride=stride, padding=1, bias=False)
    bn()
    relu()
    conv(4 * c, 1, bias=False)
    bn3 = bn()
    conv(4 * c, 1, stride=stride, bias=False)(x)
    downsample = bn()
    add(bn3, downsample)
    relu()

def bottleneck2(c):
    conv(c, 1, bias=False)
    bn()
    relu()
    conv(c, 3, padding=1, bias=False)
    bn()
    relu()
    conv(4 * c, 1, bias=False)
    bn()
    add(x)
    relu()

def layer(c, n, stride=1):
    bottleneck(c, stride=stride)
    for i in range(n):
        bottleneck2(c)

conv(64, 7, stride=2, padding=3, bias=False)
bn()
relu()
maxpool(3, stride=2, padding=1)
layer(64, 2)
layer(128, 3, stride=2)
layer(256, 5, stride=2)
layer(512, 2, stride=2)
gap()
flatten()
fc = linear(1000)"""


def test_resnet50_is_short() -> None:
    assert write_spec(trace(zoo.load("resnet50")[0], (1, 3, 224, 224))) == RESNET50


class Shared(nn.Module):
    """Weights used twice, a parameter, a slice of a tensor, and a state as an additional output of a layer."""

    def __init__(self) -> None:
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.scale = nn.Parameter(4, 1, 1)
        self.lstm = nn.LSTM(8, 5, batch_first=True)

    def forward(self, x: object) -> object:
        x = self.conv(self.conv(x)) * self.scale
        x = x[:, 1:3].flatten(1, 2)
        _, (_, cell) = self.lstm(x)
        return cell


def test_what_needs_names() -> None:
    assert round_trip(trace(Shared(), (1, 4, 8, 8))).split("\n")[2:] == [
        "conv1 = conv(4, 3, padding=1)",
        "conv1()",
        "scale = Parameter(4, 1, 1)",
        "mul1 = mul(scale)",
        "mul1[:, 1:3]",
        "flatten(end_dim=2)",
        "lstm1, lstm1_1, lstm1_2 = lstm(5, batch_first=True)",
        "output(lstm1_2)",
    ]


def test_names_of_a_state_dict_stay_where_a_sheet_has_them() -> None:
    graph = trace(zoo.load("lenet5")[0], (1, 1, 32, 32))
    assert read_spec(write_spec(graph)).graph.state_dict() == graph.state_dict()


def test_letters_and_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(1, 8, 3, stride=2, padding=1)

        def forward(self, x: object, y: object) -> object:
            return self.a(x), self.b(y) + self.a(x)

    h, w = symbol("H"), symbol("W")
    text = round_trip(trace(Two(), (1, 3, h, w), (1, 1, h, w)))
    assert text.startswith("input1 = input(3, H, W)\ninput2 = input(1, H, W)\n")
    assert text.endswith("output(a, add1)")
    computed = round_trip(trace(lambda x: x.reshape(1, 3 * ((h + 1) // 2), -1), (1, 3, (h + 1) // 2, 7)))
    assert computed == "input(3, ceil(H / 2), 7)\n\nreshape((1, 3 * ceil(H / 2), -1))"


def test_a_layer_of_ones_own_called_slice_is_refused() -> None:
    class Slice(Layer):
        def output_shape(self, *inputs: Shape) -> Shape:
            return inputs[0]

    with pytest.raises(UnsupportedOperation, match="cannot express this network"):
        write_spec(trace(Slice(), (1, 3, 4, 4)))


def test_what_a_sheet_cannot_express() -> None:
    with pytest.raises(UnsupportedOperation, match="inputs of one batch"):
        write_spec(trace(lambda x, y: (x.flatten(), y), (1, 3), (2, 3)))
