"""How layers form a network: ownership, paths, calls, containers; and the errors when they do not fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
import torch

from convcalc import nn, trace
from convcalc.errors import ConvcalcError, ShapeError, SpecError
from convcalc.network.graph import Graph
from convcalc.network.tensor import cat
from tests.torch_modules import FromGraph

X = (2, 3, 8, 8)


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.nodes]


# Ownership


class Shared(nn.Module):
    def __init__(self) -> None:
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU()
        self.again = self.conv
        self.relu2 = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.relu2(self.again(self.relu(self.conv(x))))


def test_equal_layers_are_two_and_one_layer_called_twice_owns_one_set() -> None:
    graph = trace(Shared(), X)
    assert [node.name for node in graph.nodes] == ["conv", "relu", "conv:1", "relu2"]
    assert [node.call for node in graph.nodes] == [0, 0, 1, 0]
    assert graph.nodes[1].layer == graph.nodes[3].layer
    assert graph.nodes[1].layer is not graph.nodes[3].layer
    assert graph.nodes[0].layer is graph.nodes[2].layer


def test_a_layer_under_two_names_stands_twice_in_the_state_dict_as_in_torch() -> None:
    graph = trace(Shared(), X)
    assert list(graph.state_dict()) == ["conv.weight", "conv.bias", "again.weight", "again.bias"]
    module = FromGraph(graph)
    assert list(module.state_dict()) == list(graph.state_dict())
    assert sum(p.numel() for p in module.parameters()) == 3 * 3 * 9 + 3


def test_unused_layers_are_owned() -> None:
    class Auxiliary(nn.Module):
        def __init__(self) -> None:
            self.conv = nn.Conv2d(3, 4, 1)
            self.aux = nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU())

        def forward(self, x: Any) -> Any:
            return self.conv(x)

    graph = trace(Auxiliary(), X)
    assert graph.unused == ("aux.0", "aux.1")
    assert graph.state_dict()["aux.0.weight"] == (2, 4, 1, 1)
    assert paths(graph) == ["conv"]


def test_owners_paths_and_modules() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Any) -> Any:
            return nn.ReLU()(self.conv(x)) + x

    model = nn.Sequential(OrderedDict(stem=nn.ReLU(), body=nn.Sequential(Block(), Block())))
    graph = trace(model, X)
    assert [(node.path, node.owner) for node in graph.nodes] == [
        ("stem", ""),
        *[(f"body.0.{name}", "body.0") for name in ("conv", "relu", "add")],
        *[(f"body.1.{name}", "body.1") for name in ("conv", "relu", "add")],
    ]
    assert graph.modules == {"": "Sequential", "body": "Sequential", "body.0": "Block", "body.1": "Block"}


def test_layers_made_in_forward_are_numbered_from_the_second_and_not_owned() -> None:
    graph = trace(lambda x: nn.ReLU()(nn.Conv2d(3, 4, 1)(nn.ReLU()(x))), X)
    assert paths(graph) == ["relu", "conv2d", "relu2"]
    assert graph.state_dict() == {}


def test_a_layer_made_in_forward_does_not_take_an_attribute_s_path() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(nn.ReLU()(x))

    assert paths(trace(Named(), X)) == ["relu2", "relu"]


# Parameters and buffers that a module holds itself


class Tokens(nn.Module):
    def __init__(self) -> None:
        self.token = nn.Parameter(1, 1, 6)
        self.mask = nn.Buffer((5, 6))
        self.block = nn.Module()
        self.block.scale = nn.Parameter(6)

    def forward(self, x: Any) -> Any:
        x = cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        return x * self.mask + (1 - self.token) / self.block.scale


def test_parameters_and_buffers_as_operands() -> None:
    graph = trace(Tokens(), (2, 4, 6))
    assert graph.state_dict() == {"token": (1, 1, 6), "mask": (5, 6), "block.scale": (6,)}
    assert [node.name for node in graph.nodes] == [
        *("token", "expand", "cat", "mask", "mul", "token:1", "sub", "block.scale", "div", "add"),
    ]
    module = FromGraph(graph)
    (output,) = module(torch.randn(2, 4, 6))
    assert graph.nodes[-1].output_shape == tuple(output.shape) == (2, 5, 6)
    assert {name: tuple(value.shape) for name, value in module.state_dict().items()} == graph.state_dict()
    assert [name for name, _ in module.named_parameters()] == ["token", "block.scale"]


def test_a_parameter_s_repr_builds_it() -> None:
    assert repr(nn.Parameter(1, 4)) == "Parameter(1, 4)"
    assert nn.Parameter(1, 4) == nn.Parameter((1, 4)) != nn.Buffer(1, 4)


# Inputs and outputs


def test_several_inputs_and_outputs() -> None:
    def forward(image: Any, mask: Any) -> Any:
        both = image * mask
        return {"out": both, "rest": [image.mean((2, 3)), (mask,)]}

    graph = trace(forward, X, (2, 1, 8, 8))
    assert graph.inputs == {"input1": X, "input2": (2, 1, 8, 8)}
    assert graph.outputs == ("mul", "mean", "input2")
    assert [node.inputs for node in graph.nodes] == [("input1", "input2"), ("input1",)]


# Containers, against torch's


def test_containers_name_their_children_as_torch_does() -> None:
    def names(n: Any, named: Callable[[Any], list[str]]) -> list[list[str]]:
        whole = n.Sequential(n.Linear(1, 1), n.ReLU(), n.Linear(1, 1))
        words = n.Sequential(OrderedDict(a=n.Linear(1, 1), b=n.Linear(1, 1)))
        listed = n.ModuleList([n.Linear(1, 1), n.Linear(1, 1)])
        mapped = n.ModuleDict({"x": n.Linear(1, 1)})
        mapped["y"] = n.Linear(1, 1)
        words.append(n.Linear(1, 1))
        listed.append(n.Linear(1, 1)).extend([n.Linear(1, 1)])
        return [named(m) for m in (whole, whole[1:], words, words[1:], listed, listed[2:], mapped)]

    ours = names(nn, lambda m: list(trace(_Holder(m), X).state_dict()))
    assert ours == names(torch.nn, lambda m: [f"held.{name}" for name in m.state_dict()])


class _Holder(nn.Module):
    def __init__(self, held: Any) -> None:
        self.held = held

    def forward(self, x: Any) -> Any:
        return x


def test_containers_index_iterate_and_count() -> None:
    layers = [nn.ReLU(), nn.Conv2d(3, 4, 1), nn.Sigmoid()]
    for container in (nn.Sequential(*layers), nn.ModuleList(layers)):
        assert len(container) == 3
        assert list(container) == layers
        assert container[-1] is layers[-1]
        assert list(container[:2]) == layers[:2]
        assert type(container[:2]) is type(container)
        with pytest.raises(IndexError):
            container[3]
    named = nn.ModuleDict({"relu": layers[0], "conv": layers[1]})
    assert (list(named), len(named), "conv" in named, named["conv"]) == (["relu", "conv"], 2, True, layers[1])
    assert list(named.keys()) == ["relu", "conv"]
    assert list(named.values()) == layers[:2]
    assert dict(named.items()) == {"relu": layers[0], "conv": layers[1]}


def test_a_sequential_s_own_attributes_are_not_its_children() -> None:
    class Stage(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.ReLU(), nn.Sigmoid())
            self.width = 4

    assert paths(trace(Stage(), X)) == ["0", "1"]


# Errors when things do not fit


def conv(*args: Any, **kwargs: Any) -> Any:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(*args, **kwargs)))


MISTAKES: list[tuple[Any, tuple[Any, ...], type[ConvcalcError], str]] = [
    (
        nn.Sequential(OrderedDict(a=nn.Conv2d(3, 8, 3), b=nn.Conv2d(16, 8, 3))),
        X,
        ShapeError,
        """
        b = Conv2d(16, 8, 3): expected 16 channels (in_channels), received 8
          input 8 x 6 x 6 from a""",
    ),
    (
        conv(3, 8, 5),
        (1, 3, 4, 9),
        ShapeError,
        """
        conv = Conv2d(3, 8, 5): the output height is 0
          input 3 x 4 x 9 from input; ⌊(4 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 0""",
    ),
    (
        nn.Sequential(nn.ReLU(), nn.Sequential(nn.MaxPool2d(3, stride=2))),
        (1, 256, 2, 2),
        ShapeError,
        """
        1.0 = MaxPool2d(3, stride=2): the output height is 0
          input 256 x 2 x 2 from 0; ⌊(2 + 2·0 − 1·(3 − 1) − 1)/2⌋ + 1 = 0""",
    ),
    (
        lambda x: cat([nn.Conv2d(3, 8, 3)(x), nn.Conv2d(3, 8, 5)(x)], 1),
        (1, 3, 9, 9),
        ShapeError,
        """
        cat = Cat(dim=1): the inputs differ in height (7 and 5)
          input 8 x 7 x 7 from conv2d, 8 x 5 x 5 from conv2d2""",
    ),
    (
        lambda x: x + nn.Conv2d(3, 3, 3)(x),
        (1, 3, 9, 9),
        ShapeError,
        """
        add = Add(): 1 x 3 x 9 x 9 and 1 x 3 x 7 x 7 cannot be broadcast: 9 does not match 7
          input 3 x 9 x 9 from input, 3 x 7 x 7 from conv2d""",
    ),
    (
        lambda x: x.view(1, 100),
        (1, 3, 9, 9),
        ShapeError,
        """
        reshape = Reshape((1, 100)): the 243 elements of 1 x 3 x 9 x 9 do not fill 1 x 100
          input 3 x 9 x 9 from input""",
    ),
    (
        lambda x: x.view(-1, 100),
        (1, 3, 9, 9),
        ShapeError,
        """
        reshape = Reshape((-1, 100)): the 243 elements of 1 x 3 x 9 x 9 do not fill ? x 100
          input 3 x 9 x 9 from input""",
    ),
    (
        nn.Sequential(nn.Flatten(), nn.Linear(100, 10)),
        (1, 3, 9, 9),
        ShapeError,
        """
        1 = Linear(100, 10): expected 100 features (in_features), received 243
          input 243 from 0""",
    ),
    (
        conv(3, 8, 3),
        (1, 3, 3, 9, 9),
        ShapeError,
        """
        conv = Conv2d(3, 8, 3): expected an input of 4 or 3 axes, received 5: 1 x 3 x 3 x 9 x 9
          input 3 x 3 x 9 x 9 from input""",
    ),
    (
        lambda x: x.flatten(2).transpose(1, 2) @ x.flatten(2).transpose(1, 2),
        (1, 4, 3, 3),
        ShapeError,
        """
        matmul = MatMul(): the 4 columns of 1 x 9 x 4 do not match the 9 rows of 1 x 9 x 4
          input 9 x 4 from transpose, 9 x 4 from transpose2""",
    ),
    (
        lambda x: x.permute(0, 2, 1),
        X,
        ShapeError,
        """
        permute = Permute((0, 2, 1)): permutes 3 axes, received an input of 4 axes
          input 3 x 8 x 8 from input""",
    ),
    (
        lambda x: x[:, 3],
        X,
        ShapeError,
        """
        slice = Slice((slice(None, None), 3)): index 3 is outside axis 1 of 2 x 3 x 8 x 8
          input 3 x 8 x 8 from input""",
    ),
    (
        lambda x: x.mean(4),
        X,
        ShapeError,
        """
        mean = Mean(dim=4): dim 4 is out of range for an input of 4 axes (-4 to 3)
          input 3 x 8 x 8 from input""",
    ),
    (lambda x: x.split([1, 1], 1), X, ShapeError, "split: (1, 1) do not add up to the 3 of 2 x 3 x 8 x 8"),
    (lambda x: x[:, [0, 1]], X, SpecError, "Slice: index must be an integer; received [0, 1]"),
    (lambda x: x + "one", X, SpecError, "Add: takes symbolic tensors and numbers; received 'one'"),
    (lambda x: nn.ReLU()(3), X, SpecError, "ReLU(): takes symbolic tensors; received 3"),
    (lambda x: cat(x, 1), X, SpecError, None),
    (lambda x: cat([], 1), X, ShapeError, None),
    (lambda x: nn.Parameter(3, 0), X, SpecError, "Parameter: sizes must be at least 1; received 3 x 0"),
    (lambda x: x, (1, 3, 0, 8), SpecError, "the sizes of input must be positive; received 1 x 3 x 0 x 8"),
    (lambda x: x, (1, 2.5), SpecError, "a size of input must be an integer; received 2.5"),
    (nn.Module(), X, SpecError, "Module: has no forward\n  define forward(self, x)"),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_what_is_said_of_mistakes(number: int) -> None:
    model, shape, kind, text = MISTAKES[number]
    with pytest.raises(kind) as caught:
        trace(model, shape)
    if text is not None:
        assert str(caught.value) == dedent(text).strip("\n")


@pytest.mark.parametrize(("called", "name"), [(nn.ReLU(), "ReLU()"), (nn.Sequential(nn.ReLU()), "Sequential")])
def test_calls_outside_a_trace(called: Any, name: str) -> None:
    what = "layer" if name == "ReLU()" else "module"
    with pytest.raises(SpecError) as caught:
        called(torch.zeros(1))
    assert str(caught.value) == (
        f"{name}: a {what} computes shapes only inside trace() or summary()\n"
        "  call convcalc.summary(model, shape) instead of the model itself"
    )
