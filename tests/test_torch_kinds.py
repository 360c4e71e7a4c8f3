"""Each kind of layer as exported torch code, held by a module and made inside ``forward``; names that torch refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import nn, trace
from convcalc.errors import ConvcalcError, UnsupportedOperation
from convcalc.formats.code.structure import METHODS
from convcalc.formats.json.read import read_json
from convcalc.formats.torch.operators import TAKEN, integer_values, is_writable
from convcalc.formats.torch.write import write_torch
from convcalc.network.graph import Graph
from convcalc.questions.export import write_graph as export
from tests.strategies import LEGAL
from tests.strategies.pool import TF_SAME_LEGAL
from tests.test_writers_torch import built, run, shapes

SOME = settings(max_examples=settings.default.max_examples // 5)  # of four ways each


class Held(nn.Module):
    def __init__(self, make: Callable[[], Any], calls: Any) -> None:
        self.it, self.calls = make(), calls

    def forward(self, *xs: Any) -> Any:
        return self.it(*xs, **self.calls)


class Made(nn.Module):
    def __init__(self, make: Callable[[], Any], calls: Any) -> None:
        self.make, self.calls = make, calls

    def forward(self, *xs: Any) -> Any:
        return self.make()(*xs, **self.calls)


class InSequential(nn.Module):
    def __init__(self, make: Callable[[], Any], calls: Any) -> None:
        self.it, self.calls = nn.Sequential(make(), nn.Identity()), calls

    def forward(self, *xs: Any) -> Any:
        if self.calls or len(xs) != 1:
            raise ConvcalcError("this takes one input")
        return self.it(*xs)


def alone(make: Callable[[], Any], calls: Any) -> Any:
    if calls:
        raise ConvcalcError("a layer alone is called with inputs only")
    return make()


def assert_same_shapes(graph: Graph) -> None:
    read = integer_values(graph)
    inputs = [
        torch.zeros(shape, dtype=torch.long) if name in read else torch.randn(shape)
        for name, shape in graph.inputs.items()
    ]
    model = built(graph)
    outputs = run(model, inputs)
    assert [tuple(x.shape) for x in outputs] == [
        {**graph.inputs, **{node.name: node.output_shape for node in graph.nodes}}[name] for name in graph.outputs
    ]
    assert shapes(model.state_dict()) == graph.state_dict()


KINDS = [
    (kind, cases[kind]) for cases in (LEGAL, TF_SAME_LEGAL) for kind in sorted(cases) if is_writable(getattr(nn, kind))
]


@pytest.mark.parametrize("kind,cases", KINDS, ids=[f"{kind}{i}" for i, (kind, _) in enumerate(KINDS)])
@SOME
@given(data=st.data())
def test_every_kind_and_way(kind: str, cases: Any, data: st.DataObject) -> None:
    case = data.draw(cases)
    for way in (Held, Made, InSequential, alone):
        try:
            graph = trace(way(lambda: getattr(nn, kind)(**case.kwargs), case.calls), *case.inputs)
        except ConvcalcError:
            continue
        try:
            assert_same_shapes(graph)
        except UnsupportedOperation as error:
            assert "tf_same" in str(error) or kind in ("Parameter", "Buffer")


def test_padding_of_a_layer_made_inside() -> None:
    model = built(trace(lambda x: nn.MaxPool2d(3, 2, padding="tf_same")(x), (1, 1, 6, 5)))
    x = -torch.rand(1, 1, 6, 5)
    padded = torch.nn.functional.pad(x, (1, 1, 0, 1), value=float("-inf"))
    torch.testing.assert_close(model(x), torch.nn.functional.max_pool2d(padded, 3, 2))
    mean = built(trace(lambda x: nn.AvgPool2d(3, 2, padding="tf_same")(x), (1, 1, 6, 5)))
    assert torch.equal(mean(torch.ones(1, 1, 6, 5)), torch.ones(1, 1, 3, 3))


def test_what_is_made_inside_is_idle_outside_training() -> None:
    model = built(trace(lambda x: nn.Dropout(0.5)(x), (1, 100)))
    assert torch.equal(model(torch.ones(1, 100)), torch.ones(1, 100))


def test_indices_of_a_padded_input_are_refused() -> None:
    with pytest.raises(UnsupportedOperation, match="counts indices in the padded input"):
        write_torch(trace(nn.MaxPool2d(2, padding="tf_same", return_indices=True), (1, 1, 5, 5)))


NAMES = ["a-b", "class", "0", "ﬁ", "größe", '"', "\\", "'", "{}", "a{0}b", "\n", "__x", "x y", "self", "super"]
NAMES += ["keys", "append", "😀", "F", "nn", "torch", "None", "range", "x", "_"]


class Named(nn.Module):
    """A network with the name in every place that may have it, some of them of the same layer."""

    def __init__(self, name: str, tied: Any) -> None:
        self.name = name
        self.a = nn.Sequential({name: nn.Conv2d(3, 3, 1), "z": nn.ReLU()})
        self.b = nn.Sequential({name: nn.Parameter(3, 1, 1)})
        self.c = nn.ModuleDict({name: nn.Conv2d(3, 3, 3, padding="tf_same"), "q": nn.Buffer(3, 1, 1)})
        self.d = nn.ModuleDict({name: nn.Sequential(nn.Conv2d(3, 3, 1), nn.Softmax(1))})
        self.e = nn.ModuleList([nn.Parameter(3, 1, 1), nn.Buffer(3, 1, 1)])
        self.f = nn.Sequential({name: nn.Buffer(3, 1, 1)})
        self.g = nn.ModuleDict({name: tied})
        self.h = nn.Sequential({name: tied})
        setattr(self, name, tied)

    def forward(self, x: Any) -> Any:
        x = self.a(x) + getattr(self.b, self.name) * self.c["q"]
        x = self.d[self.name](self.c[self.name](x)) + self.e[0] + self.e[1] - getattr(self.f, self.name)
        tied = getattr(self, self.name)
        return tied(x) if isinstance(tied, nn.Conv2d) else x * tied


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept(name: str) -> None:
    for tied in (nn.Conv2d(3, 3, 2), nn.Parameter(3, 1, 1), nn.Buffer(3, 1, 1)):
        graph = trace(Named(name, tied), (2, 3, 8, 8))
        assert_same_shapes(graph)
        assert_same_shapes(read_json(export(graph, "json")))


@pytest.mark.parametrize("name", ["float", "training", "forward", "_modules", "__init__"])
def test_names_that_torch_has_taken_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedOperation, match=f"^{name}: '{name}' is a name that torch's modules use themselves"):
        write_torch(trace(nn.Sequential({name: nn.Linear(8, 2)}), (1, 8)))


def test_taken_names_are_those_of_torch() -> None:
    module = {name for name in dir(torch.nn.Module()) if not name.startswith("__")}
    containers = {*dir(torch.nn.ModuleDict()), *dir(torch.nn.Sequential())} - {*dir(torch.nn.Module())}
    assert module == TAKEN
    assert {name for name in containers if not name.startswith("_")} == METHODS


def test_a_tensor_alone_has_no_name() -> None:
    with pytest.raises(UnsupportedOperation, match="a tensor that no module holds"):
        write_torch(trace(nn.Parameter(3)))


def test_no_name_ends_the_docstring() -> None:
    graph = trace(nn.Linear(8, 2), (1, 8))
    assert built(graph, '"""\nraise ValueError\n"""\\').state_dict().keys() == graph.state_dict().keys()
