"""A convolution's matrix, multiplied by a vector, gives the result of torch's convolution; and how it prints."""

from __future__ import annotations

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from convcalc import nn, trace
from convcalc.analysis.matrix import Matrix, matrix_of
from convcalc.errors import SpecError
from convcalc.questions.summary import summary
from convcalc.views.answers import letters_for as names
from convcalc.views.answers import matrix as render
from tests.strategies import LEGAL
from tests.strategies.pool import TF_SAME_LEGAL
from tests.test_cli import run
from tests.torch_modules import arguments_of, module_of


def applied(found: Matrix, module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the matrix filled with the module's weights, times the input, plus the biases."""
    weight = module.weight.detach().flatten()
    dense = torch.zeros(len(found.entries), x.numel())
    for i, row in enumerate(found.entries):
        for j, entry in enumerate(row):
            for place in entry:
                dense[i, j] += weight[place]
    y = dense @ x.flatten()
    if found.bias:
        y = y + module.bias.detach().repeat_interleave(y.numel() // found.output[0])
    return y.reshape(found.output)


@pytest.mark.parametrize("kind", [f"{name}{rank}d" for name in ("Conv", "ConvTranspose") for rank in (1, 2, 3)])
@given(data=st.data())
def test_matrix_times_vector_is_the_convolution(kind: str, data: st.DataObject) -> None:
    case = data.draw(LEGAL[kind] | TF_SAME_LEGAL.get(kind, st.nothing()))
    rank = int(kind[-2])
    graph = trace(getattr(nn, kind)(**case.kwargs), (1, *case.inputs[0][-rank - 1 :]))
    try:
        found = matrix_of(graph)
    except SpecError as error:
        assert "entries; the limit is 10,000" in str(error)
        event("too large")
        return
    module = module_of(kind, **arguments_of(graph.nodes[0].layer))
    x = torch.randn(found.input)
    with torch.no_grad():
        expected = module(x[None])[0]
    plain = getattr(module, "layer", module)
    torch.testing.assert_close(applied(found, plain, x), expected, atol=1e-4, rtol=1e-4)


def test_the_lectures_matrix() -> None:
    assert (
        run("matrix", "Conv1d(1, 1, 3, stride=2, bias=False)", "--input", "1x6").stdout
        == """\
    x1    x2    x3    x4    x5    x6
--  ----  ----  ----  ----  ----  ----
y1  a     b     c     0     0     0
y2  0     0     a     b     c     0

Matrix  2 x 6; a fully connected layer would have 12 weights
Shared  3 weights at 6 places; the rest is zero
"""
    )


def test_channels_have_letters_and_biases() -> None:
    text = run("matrix", "Conv1d(2, 2, 2)", "--input", "2x3", "--format", "plain").stdout
    assert text.splitlines()[1:5] == [
        "y1  a     b     0     c     d     0     + bias1",
        "y2  0     a     b     0     c     d     + bias1",
        "y3  e     f     0     g     h     0     + bias2",
        "y4  0     e     f     0     g     h     + bias2",
    ]
    assert "e" not in render(matrix_of(trace(nn.Conv1d(2, 2, 2, groups=2), (1, 2, 3))), "plain").splitlines()[1]


def test_padding_by_reflection_adds_weights() -> None:
    found = matrix_of(trace(nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"), (1, 1, 4)))
    assert render(found, "plain").splitlines()[1].split() == ["y1", "b", *"a+c", "0", "0", "+", "bias"]


def test_names() -> None:
    assert names((1, 1, 26))[-1] == "z"
    assert names((26, 1, 2))[-2:] == ["z1", "z2"]
    assert names((27, 1, 2))[-1] == "w54"
    for shape in ((1, 1, 3), (3, 3, 3), (64, 3, 3, 3)):
        assert len(set(names(shape))) == len(names(shape))


@pytest.mark.parametrize("format", ["latex", "github", "html", "plain"])
def test_formats(format: str) -> None:
    result = run("matrix", "Conv2d(1, 1, 2)", "--input", "1x3x3", "--format", format)
    assert result.exit_code == 0
    assert result.stdout.count("bias") == 4


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            ["Conv2d(3, 64, 3)", "--input", "3x224x224"],
            "SpecError: Conv2d(3, 64, 3): the matrix has 3,154,176 x 150,528 = 474,791,804,928 entries; "
            "the limit is 10,000\n  give a smaller --input\n",
        ),
        (["Conv1d(1, 1, 3)", "--input", "1xL"], "SpecError: matrix: takes numbers, not letters\n"),
        (["Linear(3, 2)", "--input", "3"], "SpecError: matrix: takes one convolution; received Linear(3, 2)\n"),
        (["lenet5"], "received Conv2d(1, 6, 5), ReLU(), MaxPool2d(2), ...\n"),
        (["Conv1d(1, 1, 3)", "--input", "1x6", "--format", "json"], "UnknownName: no format is called 'json'\n"),
    ],
)
def test_errors(arguments: list[str], text: str) -> None:
    result = run("matrix", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


def test_nonzero_entries_are_the_multiplications() -> None:
    for text, shape in (("Conv2d(2, 3, 3, bias=False)", "2x5x5"), ("ConvTranspose1d(2, 4, 2, groups=2)", "2x4")):
        report = summary(text, shape)
        assert matrix_of(report.graph).nonzero == report.totals["macs"]
