"""PyTorch source written from graphs, executed: shapes, ``state_dict`` and outputs equal those of real modules."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import torch
from hypothesis import given

from convcalc import nn, trace, zoo
from convcalc.errors import UnsupportedOperation
from convcalc.formats.torch.write import write_torch
from convcalc.network.graph import Graph
from convcalc.questions.export import write_graph
from tests.random_networks import Network, Plan, plans
from tests.torch_modules import FromGraph

FAMILIES = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3"),
    *("lenet5", "lenet5_1998", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf"),
    *("resnet18", "resnet50", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11"),
    *("vit_b_32", "maxvit_t", "fcn_resnet50", "lraspp_mobilenet_v3_large", "r3d_18", "s3d"),
)


def built(graph: Graph, name: str = "network") -> torch.nn.Module:
    """Return the model of the exported source, after checking that it imports nothing but torch."""
    source = write_torch(graph, name)
    tree = ast.parse(source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"torch", "torch.nn.functional", "collections"}
    assert max(map(len, source.split("\n"))) <= 120
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, name, "exec"), space)
    model: torch.nn.Module = space[[node for node in tree.body if isinstance(node, ast.ClassDef)][-1].name]()
    return model.eval()


def noise(graph: Graph) -> list[torch.Tensor]:
    return [torch.randn(shape) for shape in graph.inputs.values()]


def run(model: torch.nn.Module, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        output = model(*inputs)
    return list(output) if isinstance(output, (tuple, list)) else [output]


def shapes(tensors: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def assert_same(graph: Graph, name: str = "network") -> None:
    """Assert that the exported model has the tensors of the graph, and computes what the graph's modules compute."""
    model, twin = built(graph, name), FromGraph(graph).eval()
    assert shapes(model.state_dict()) == graph.state_dict()
    model.load_state_dict({key.removeprefix("self."): value for key, value in twin.state_dict().items()})
    inputs = noise(graph)
    outputs, expected = run(model, inputs), run(twin, inputs)
    assert [tuple(x.shape) for x in outputs] == [tuple(x.shape) for x in expected]
    for x, y in zip(outputs, expected):
        torch.testing.assert_close(x, y, equal_nan=True)


@given(plans())
def test_random_networks_compute_the_same(plan: Plan) -> None:
    assert_same(trace(Network(plan), plan.shapes[0]))


@pytest.mark.parametrize("name", zoo.names())
def test_zoo_shapes_and_names(name: str) -> None:
    model, shape = zoo.load(name)
    graph = trace(model, (1, *shape))
    with torch.device("meta"):
        exported = built(graph, name)
        outputs = run(exported, noise(graph))
    assert shapes(exported.state_dict()) == graph.state_dict()
    assert [tuple(x.shape) for x in outputs] == [graph[output].output_shape for output in graph.outputs]


@pytest.mark.parametrize("name", FAMILIES)
def test_zoo_forward(name: str) -> None:
    model, shape = zoo.load(name)
    small = {"alexnet": 63, "inception_v3": 75, "r3d_18": 16}.get(name, 32)
    fixed = name in ("swin_v2_t", "swin_t", "vit_b_32", "maxvit_t", "lenet5", "lenet5_1998", "s3d")
    sizes = shape[1:] if fixed else (*shape[1:-2], small, small)
    graph = trace(model, (1, shape[0], *sizes))
    if any(type(node.layer).__name__ == "IndexSelect" for node in graph.nodes):  # noise is not an index into a table
        (output,) = run(built(graph, name), noise(graph))
        assert tuple(output.shape) == graph.nodes[-1].output_shape
    else:
        assert_same(graph, name)


def test_resnet_reads_like_torch() -> None:
    source = write_graph(trace(zoo.load("resnet50")[0], (1, 3, 224, 224)), "torch", "resnet50")
    assert source.startswith(
        '"""resnet50: 25,557,032 parameters, 4,089,184,256 MACs\nfor an input of 1 x 3 x 224 x 224.'
    )
    assert source.count("class ") == 3
    assert "        y = self.relu(self.bn1(self.conv1(x)))\n" in source
    assert "            *[Bottleneck(1024) for _ in range(5)],\n" in source
    assert 'if __name__ == "__main__":' in source


class Odd(nn.Module):
    """Unusual things: TensorFlow's padding, tuples, shared weights, functions in a Sequential, several inputs."""

    def __init__(self) -> None:
        self.same = nn.Conv2d(3, 4, 3, stride=2, padding="tf_same")
        self.pools = nn.ModuleList([nn.MaxPool2d(3, 2, padding="tf_same"), nn.AvgPool2d(3, 2)])
        self.turn = nn.Sequential(nn.Permute((0, 2, 3, 1)), nn.Linear(4, 6), nn.Permute((0, 3, 1, 2)))
        self.twice = nn.Conv2d(6, 6, 1)
        self.tied = nn.ModuleDict({"a": self.twice})
        self.scale = nn.Parameter(6, 1, 1)
        self.lstm = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.attention = nn.MultiheadAttention(10, 2, batch_first=True)

    def forward(self, x: Any, y: Any) -> Any:
        x = self.pools[1](self.pools[0](self.same(x)))
        x = self.twice(self.twice(self.turn(x))) * self.scale - 1
        x = (2 - x) / (x.relu() + y.mean() * 3 + 1)
        x, (hidden, _) = self.lstm(x.flatten(2).transpose(1, 2))
        z, weights = self.attention(x, x, x)
        return z[:, 0], weights.softmax(-1), hidden[0]


def test_odd_network() -> None:
    assert_same(trace(Odd(), (2, 3, 21, 14), (2, 3)))


class Stateful(nn.Module):
    """A recurrent layer with its states as inputs; torch takes several of these as a tuple."""

    def __init__(self, layer: Any, taken: Any) -> None:
        self.layer, self.taken = layer, taken

    def forward(self, x: Any, *states: Any) -> Any:
        return self.taken(self.layer(x, states if len(states) > 1 else states[0]))


TAKEN = {
    "output": lambda outputs: outputs[0],
    "states": lambda outputs: outputs[1],
    "both": lambda outputs: (outputs[0], *(outputs[1] if isinstance(outputs[1], tuple) else outputs[1:])),
}


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN", "LSTMCell"])
def test_states_as_inputs(kind: str, taken: str) -> None:
    layer = getattr(nn, kind)(3, 4)
    x, state = ((2, 3), (2, 4)) if kind == "LSTMCell" else ((5, 2, 3), (1, 2, 4))
    assert_same(trace(Stateful(layer, TAKEN[taken]), x, *[state] * len(layer.states)))


class Buffer(nn.Module):
    def __init__(self) -> None:
        self.inside = nn.Conv2d(3, 3, 1)

    def forward(self, x: Any) -> Any:
        return self.inside(x)


class Parameter(Buffer):
    pass


@pytest.mark.parametrize("kind", [Buffer, Parameter])
def test_a_module_with_the_name_of_a_tensor_is_a_module(kind: type[nn.Module]) -> None:
    assert_same(trace(nn.Sequential(kind(), nn.ModuleList([kind()])[0], nn.ReLU()), (1, 3, 4, 4)))


def test_an_average_with_padding_same_counts_only_the_input() -> None:
    model = built(trace(nn.AvgPool2d(3, 2, padding="tf_same"), (1, 1, 6, 5)))
    assert torch.equal(model(torch.ones(1, 1, 6, 5)), torch.ones(1, 1, 3, 3))


def test_modules_called_twice_and_never() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            self.conv = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Any, twice: bool = False) -> Any:
            return self.conv(self.conv(x)) if twice else self.conv(x)

    class Net(nn.Module):
        def __init__(self) -> None:
            self.block, self.other, self.spare = Block(), Block(), Block()

        def forward(self, x: Any) -> Any:
            x = self.block(x) + x
            x = self.other(x) * 2.0
            return self.block(x, twice=True) + self.other(x.relu())

    assert_same(trace(Net(), (1, 4, 5, 5)))


def test_single_layer_and_function() -> None:
    assert_same(trace(nn.Conv2d(3, 4, 3), (1, 3, 8, 8)))
    assert_same(trace(lambda x: x.flatten(1).sum(-1), (1, 3, 8, 8)))


def test_what_torch_cannot_express() -> None:
    local = trace(nn.LocallyConnected2d(3, 4, (8, 8), 3), (1, 3, 8, 8))
    with pytest.raises(UnsupportedOperation, match="torch has no layer for LocallyConnected2d"):
        write_torch(local)
    from convcalc.algebra.symbolic import symbol

    with pytest.raises(UnsupportedOperation, match="torch code needs numbers; input is 1 x 3 x H"):
        write_torch(trace(nn.Conv1d(3, 4, 3), (1, 3, symbol("H"))))
