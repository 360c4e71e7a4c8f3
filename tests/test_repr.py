"""Models as ``print(model)`` shows them, read back: every kind that torch has, nested Sequentials, and refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.errors import ConvcalcError
from convcalc.formats.sheet.source import Text
from convcalc.formats.torch.repr import Printed, is_repr, parse, read_repr
from tests.strategies import LEGAL

HIDDEN: dict[str, tuple[str, ...]] = {
    **{f"AvgPool{n}d": ("ceil_mode", "count_include_pad", "divisor_override") for n in (1, 2, 3)},
    **{f"{pool}{n}d": ("return_indices",) for pool in ("MaxPool", "AdaptiveMaxPool") for n in (1, 2, 3)},
    **dict.fromkeys(("Hardsigmoid", "Hardswish"), ("inplace",)),
    "Embedding": ("_freeze",),
    "PReLU": ("init",),
    "RNN": ("nonlinearity",),
    "Upsample": ("align_corners", "recompute_scale_factor"),
}
"""Arguments that torch does not print; of these ``ceil_mode`` and ``recompute_scale_factor`` can change a shape."""

UNPRINTED = {"MultiheadAttention"}
"""Kinds whose arguments torch does not print at all."""

KINDS = sorted(kind for kind in LEGAL if hasattr(torch.nn, kind) and kind not in ("Buffer", "Parameter"))


def same(name: str, a: nn.Layer, b: nn.Layer) -> bool:
    """Return whether two layers agree in an argument as torch prints it: no bias without affine, indices from 0."""
    if name == "bias" and not getattr(a, "affine", getattr(a, "elementwise_affine", True)):
        return True
    if name == "padding_idx" and a.padding_idx is not None:
        return a.padding_idx % a.num_embeddings == b.padding_idx
    return vars(a)[name] == vars(b)[name]


def message_of(text: str, **options: Any) -> str:
    """Return the message for a text that cannot be read."""
    with pytest.raises(ConvcalcError) as caught:
        read_repr(text, "pasted", **{"inputs": [(3, 32, 32)], **options})
    return f"{caught.value.title}: {caught.value}"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_that_torch_prints(kind: str, data: st.DataObject) -> None:
    case = data.draw(LEGAL[kind])
    expected = getattr(nn, kind)(**case.kwargs)
    module = getattr(torch.nn, kind)(**case.kwargs)
    text = Text(str(torch.nn.Sequential(module)), "pasted")
    (item,) = parse(text).children
    reader = Printed(text)
    if kind in UNPRINTED:
        with pytest.raises(ConvcalcError, match="does not show its arguments"):
            reader._layer(item, "0")
        return
    received = reader._layer(item, "0")
    assert type(received) is type(expected)
    expected, received = expected.resolve(*case.inputs), received.resolve(*case.inputs)
    for name in vars(expected).keys() - HIDDEN.get(kind, ()):
        assert same(name, expected, received), (name, text.text)


def test_hidden_arguments_are_those_that_torch_does_not_print() -> None:
    for kind, names in HIDDEN.items():
        for name in names:
            if name in getattr(nn, kind).arguments:
                printed = str(
                    getattr(torch.nn, kind)(*{"Embedding": (3, 2), "RNN": (3, 2)}.get(kind, ()) or _least(kind))
                )
                assert f"{name}=" not in printed


def _least(kind: str) -> tuple[Any, ...]:
    return () if kind in ("PReLU", "Hardsigmoid", "Hardswish", "Upsample") else (2,)


def net() -> torch.nn.Module:
    from torch.nn import AvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential

    block = Sequential(Conv2d(8, 16, 3, padding="same", bias=False), BatchNorm2d(16), ReLU(inplace=True))
    model = Sequential(Conv2d(3, 8, 3, stride=2, padding=1), Sequential(block, MaxPool2d(2)), AvgPool2d(2))
    model.add_module("flat", Flatten())
    model.add_module("head", Linear(256, 10))
    return model


def test_nested_sequentials_have_the_paths_and_shapes_of_torch() -> None:
    model = net()
    graph = read_repr(str(model), inputs=[(3, 32, 32)], batch=2)
    assert graph.state_dict() == {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert [node.path for node in graph.nodes] == ["0", "1.0.0", "1.0.1", "1.0.2", "1.1", "2", "flat", "head"]
    assert graph.nodes[-1].output_shape == tuple(model(torch.randn(2, 3, 32, 32)).shape)
    assert graph.modules == {"1": "Sequential", "1.0": "Sequential"}


def test_a_single_layer() -> None:
    assert read_repr(str(torch.nn.Conv2d(3, 8, 3)), inputs=[(3, 9, 9)]).nodes[0].layer == nn.Conv2d(3, 8, 3)


def test_lazy_kinds_take_their_channels_from_the_input() -> None:
    text = str(torch.nn.Sequential(torch.nn.LazyConv2d(8, 3), torch.nn.Flatten(), torch.nn.LazyLinear(5)))
    graph = read_repr(text, inputs=[(3, 8, 8)])
    assert [node.layer for node in graph.nodes] == [nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(288, 5)]


def test_a_printed_model_is_recognized() -> None:
    assert is_repr(str(net()))
    assert not is_repr("input(3, 32, 32)\nconv(64, 3)")


def test_the_input_is_not_printed() -> None:
    assert message_of(str(net()), inputs=[]) == (
        "SpecError: pasted: print(model) does not show the shape of the input\n  give it with --input 3x224x224"
    )


class Residual(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 3, 3, padding=1)
        self.relu = torch.nn.ReLU()


class Swishy(torch.nn.Module):
    pass


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Sequential(Residual())),
            "UnsupportedOperation: pasted:4:10: 1.0 = Residual: "
            "print(model) does not show how its forward uses conv1, relu\n"
            "        (0): Residual(\n"
            "             ^\n"
            "  only a Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net",
        ),
        (
            Residual(),
            "UnsupportedOperation: pasted:1:1: the model is Residual: "
            "print(model) does not show how its forward uses conv1, relu\n"
            "    Residual(\n"
            "    ^\n"
            "  only a Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net",
        ),
        (
            torch.nn.Sequential(Swishy()),
            "UnsupportedOperation: pasted:2:8: 0 = Swishy: "
            "print(model) does not show what its forward does, and convcalc has no layer of this name\n"
            "      (0): Swishy()\n"
            "           ^\n"
            "  only a Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net",
        ),
        (
            torch.nn.Sequential(torch.nn.ModuleList([torch.nn.ReLU()] * 3)),
            "UnsupportedOperation: pasted:2:8: 0 = ModuleList: print(model) does not show how its forward uses 0-2\n"
            "      (0): ModuleList(\n"
            "           ^\n"
            "  only a Sequential is wired as it is printed; give the model itself: convcalc summary module.py:Net",
        ),
        (
            torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3)),
            "ShapeError: pasted:2:8: 0 = Conv2d(4, 8, 3): expected 4 channels (in_channels), received 3\n"
            "      (0): Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1))\n"
            "           ^\n"
            "  input 3 x 32 x 32 from input",
        ),
    ],
    ids=["nested", "top", "unknown", "list", "shape"],
)
def test_refusals(model: torch.nn.Module, message: str) -> None:
    assert message_of(str(model)) == message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the text is empty"),
        ("Sequential(\n  (0): ReLU()\n  and so on\n)", "torch does not print such a line"),
        ("Sequential(\n  (0): Conv2d(3, 6, kernel_size=(5)\n)", "the arguments of Conv2d cannot be read"),
        ("Sequential(\n  (0): ReLU()\n)\nSequential(\n  (0): ReLU()\n)", "a second model begins here"),
        ("Sequential(\n  (0): Conv2d(3, 6, kernl=(5, 5))\n)", "has no argument 'kernl'"),
        ('Sequential(\n  (0): Conv2d(3, 6, __import__("os").getcwd())\n)', "the arguments of Conv2d cannot be read"),
    ],
)
def test_other_text_is_refused(text: str, what: str) -> None:
    assert what in message_of(text)


def test_python_itself_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    """Arguments that Python's parser would warn about are refused with our message only."""
    for arguments in ("3, 6, 5if 1else 2", r"3, 6, '\d'"):
        with pytest.raises(ConvcalcError):
            read_repr(f"Sequential(\n  (0): Conv2d({arguments})\n)", inputs=[(3, 8, 8)])
    assert not recwarn.list
