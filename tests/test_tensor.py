"""Tensors: operators and methods against torch's own, shapes with letters, receptive fields of moved elements."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn, trace
from convcalc.algebra.dims import show
from convcalc.algebra.field import Field, Part, Undefined
from convcalc.algebra.intervals import Axis, Bound
from convcalc.algebra.symbolic import symbol
from convcalc.network.tensor import cat, flatten, matmul, stack
from tests.torch_modules import FromGraph

X = (2, 3, 8, 8)
C, H = symbol("C"), symbol("H")


def last(forward: Callable[..., Any], *shapes: Any) -> Any:
    """Return the output shape of the last node."""
    return trace(forward, *shapes).nodes[-1].output_shape


# Operators and methods of tensors, against torch's own


OPERATIONS: list[Callable[[Any], Any]] = [
    lambda x: x + x * 2 - x / 3,
    lambda x: 2 - x,
    lambda x: 1 / x,
    lambda x: -x,
    lambda x: sum([x, x]),
    lambda x: x @ x.transpose(2, 3),
    lambda x: x.view(x.size(0), -1),
    lambda x: x.reshape((2, 3, 4, 2, -1)),
    lambda x: x.flatten(),
    lambda x: x.flatten(1).unflatten(1, (3, -1)),
    lambda x: x.permute(0, 2, 3, 1).contiguous().view(-1, x.shape[1]),
    lambda x: x.permute((0, 2, 3, 1)).clone().detach(),
    lambda x: x.mean(1, keepdim=True).squeeze(1).unsqueeze(-1),
    lambda x: x.mean() + x.sum((0, -1)),
    lambda x: x[:, 0],
    lambda x: x[..., None, ::2],
    lambda x: x[:, 1:, 2:-2, :100],
    lambda x: x[1, -1, 0],
    lambda x: x[:, :1].expand(-1, 5, -1, x.size(-1)),
    lambda x: x[:, :1].expand((4, 2, 5, 8, 8)),
    lambda x: x.roll((1, -1), (2, 3)),
    lambda x: x.relu().sigmoid().tanh().softmax(1),
    lambda x: x.chunk(2, 1)[1],
    lambda x: x.chunk(5, 2)[-1],
    lambda x: x.split(3, -1)[-1],
    lambda x: x.split([1, 2], 1)[1],
    lambda x: list(x)[1],
    lambda x: x.view(x.ndim, x.dim() * 6, -1),
    lambda x: x.flatten(2).transpose(1, 2).reshape(x.numel()),
]


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
def test_operators_and_methods_equal_torch_s(number: int) -> None:
    operation = OPERATIONS[number]
    graph = trace(operation, X)
    expected = tuple(operation(torch.randn(X)).shape)
    assert graph[graph.outputs[0]].output_shape == expected
    (output,) = FromGraph(graph)(torch.randn(X))
    assert tuple(output.shape) == expected


def test_parts_are_as_many_as_torch_s() -> None:
    for operation in (lambda x: x.chunk(5, 2), lambda x: x.split(3, 3), lambda x: x.split(8, 2), lambda x: x.chunk(1)):
        parts = operation(torch.randn(X))
        graph = trace(operation, X)
        assert [graph[name].output_shape for name in graph.outputs] == [tuple(part.shape) for part in parts]


def test_functions_of_tensors() -> None:
    assert last(lambda x: cat((x, x), 1), X) == (2, 6, 8, 8)
    assert last(lambda x: stack([x, x]), X) == (2, 2, 3, 8, 8)
    assert last(lambda x: flatten(x, 1), X) == (2, 192)
    assert last(lambda x, y: matmul(x, y), (4, 5), (5,)) == (4,)


@given(st.data())
def test_matrix_products_with_vectors_count_every_product(data: Any) -> None:
    """Torch's counter sees none of these, so shapes are tested against torch and MACs against the products."""
    size = st.integers(1, 4)
    inner = data.draw(size)
    batch = data.draw(st.lists(size, max_size=2))
    a = data.draw(st.sampled_from([(inner,), (*batch, data.draw(size), inner)]))
    b = (inner,) if len(a) > 1 else data.draw(st.sampled_from([(inner,), (*batch, inner, data.draw(size))]))
    expected = torch.matmul(torch.randn(a), torch.randn(b)).shape
    (node,) = trace(matmul, a, b).nodes
    assert node.output_shape == tuple(expected)
    products = expected.numel() * inner  # each output element sums as many products as the vector is long
    assert node.layer.work(node.input_shapes, node.output_shape) == {"mac": products}


# Letters


LETTERS: list[tuple[Callable[[Any], Any], str, list[str]]] = [
    (lambda x: x.view(1, -1), "(1, 8*C*H)", []),
    (lambda x: x.view(1, 2, C // 2, H, 8).transpose(1, 2).flatten(1, 2), "(1, 2*floor(C/2), H, 8)", ["C = 2·⌊C/2⌋"]),
    (lambda x: x.chunk(2, 1), "(1, floor(C/2), H, 8)", ["C ≥ 2"]),
    (lambda x: x[:, :, 1:-1, ::2], "(1, C, H - 2, 4)", ["H ≥ 3"]),
    (lambda x: x[:, :, :5], "(1, C, 5, 8)", ["H ≥ 5"]),
    (lambda x: x[:, :, -5:], "(1, C, 5, 8)", ["H ≥ 5"]),
    (lambda x: x[:, :, -5:3], "", ["H ≥ 5", "7 - H ≥ 0"]),
    (lambda x: x[:, :, 5], "(1, C, 8)", ["H ≥ 6"]),
    (lambda x: x.mean((2, 3)), "(1, C)", []),
    (lambda x: x * H + x / C, "(1, C, H, 8)", []),
    (lambda x: cat([nn.ConvTranspose2d(4, 4, 2, 2)(nn.MaxPool2d(2)(x)), x], 1), "", ["H ≥ 2", "C = 4", "2·⌊H/2⌋ = H"]),
]


@pytest.mark.parametrize("number", range(len(LETTERS)))
def test_letters_in_shapes(number: int) -> None:
    operation, shape, assumptions = LETTERS[number]
    graph = trace(operation, (1, C, H, 8))
    if shape:
        assert str(graph.nodes[-1].output_shape) == shape
    assert {show(relation) for relation in graph.assumptions} >= set(assumptions)


# Receptive fields of kinds that move elements; random networks test the rest


def field_of(layer: Any, *shapes: Any, fields: Any = None) -> Any:
    fields = fields or tuple(Field.of_input(len(shape)) for shape in shapes)
    try:
        return layer.field(fields, shapes, layer.output_shape(*shapes))
    except Undefined:
        return None


ROWS, COLUMNS = Axis(0), Axis(1)
FIELDS: list[tuple[Any, tuple[Any, ...], Any]] = [
    (nn.Flatten(), (X,), Field((None, None), frozenset({0, 1}))),
    (nn.Flatten(), ((2, 3, 1, 1),), Field((None, None), frozenset({0, 1}))),
    (nn.Flatten(0, 1), (X,), Field((None, ROWS, COLUMNS))),
    (
        nn.Reshape((2, 3, 8, 2, 4)),
        (X,),
        Field((None, None, ROWS, Part(COLUMNS, 8, 4, False), Part(COLUMNS, 8, 4, True))),
    ),
    (nn.Reshape((2, 3, 2, 2, 2, 8)), (X,), None),
    (nn.Reshape((2, 3, 8, 1, 8)), (X,), Field((None, None, ROWS, None, COLUMNS))),
    (nn.Reshape((6, 1, 8, 8)), (X,), Field((None, None, ROWS, COLUMNS))),
    (nn.Reshape((2, 3, -1)), ((2, 3, 8, H),), Field((None, None, None), frozenset({0, 1}))),
    (nn.Unflatten(1, (3, 1)), (X,), Field((None, None, None, ROWS, COLUMNS))),
    (nn.Permute((0, 3, 1, 2)), (X,), Field((None, COLUMNS, None, ROWS))),
    (nn.Transpose(1, 2), (X,), Field((None, ROWS, None, COLUMNS))),
    (nn.Squeeze(), ((2, 3, 1, 8),), Field((None, None, COLUMNS), frozenset({0}))),
    (nn.Unsqueeze(2), (X,), Field((None, None, None, ROWS, COLUMNS))),
    (nn.Expand((2, 3, 5, 8)), ((2, 3, 1, 8),), Field((None, None, None, COLUMNS), gates=frozenset({0}))),
    (nn.Roll(1, 1), (X,), Field((None, None, ROWS, COLUMNS))),
    (nn.Roll(1, 2), (X,), Field((None, None, Axis(0, 1, ((-1, -1),)), COLUMNS))),
    (nn.Roll(9, 2), (X,), Field((None, None, Axis(0, 1, ((-1, -1),)), COLUMNS))),
    (nn.Roll(8, 2), (X,), Field((None, None, ROWS, COLUMNS))),
    (nn.Slice((..., slice(1, -1, 2))), (X,), Field((None, None, ROWS, Axis(1, 2, ((1, 1),))))),
    (nn.Slice((slice(None), 0, None)), (X,), Field((None, None, ROWS, COLUMNS))),
    (nn.Slice((..., 2)), (X,), None),
    (nn.Mean((2, 3)), (X,), Field((None, None), frozenset({0, 1}))),
    (nn.Mean(3, keepdim=True), (X,), Field((None, None, ROWS, None), frozenset({1}))),
    (nn.Cat(1), (X, X), Field((None, None, ROWS, COLUMNS))),
    (nn.Cat(2), (X, X), None),
    (nn.Stack(2), (X, X), Field((None, None, None, ROWS, COLUMNS))),
    (nn.Mul(), (X, (2, 3, 1, 1)), Field((None, None, ROWS, COLUMNS), gates=frozenset({0, 1}))),
    (nn.MatMul(), (X, X), Field((None, None, ROWS, None), frozenset({0, 1}))),
    (nn.MatMul(), (X, (8, 4)), Field((None, None, ROWS, None), frozenset({1}))),
    (nn.MatMul(), ((5, 8), X), Field((None, None, None, COLUMNS), frozenset({0}))),
    (nn.MatMul(), ((2, 3), (3, 4)), Field((None, None))),
    (nn.Parameter(1, 3), (), Field((None, None))),
]


@pytest.mark.parametrize("number", range(len(FIELDS)))
def test_fields(number: int) -> None:
    layer, shapes, expected = FIELDS[number]
    assert field_of(layer, *shapes) == expected


def test_maps_out_of_step_are_bounded() -> None:
    fine, coarse = Field.of_input(4), Field((None, None, Axis(0, 2), Axis(1, 2)))
    bound = tuple(Bound(i, Fraction(1), Fraction(0), Fraction(7)) for i in (0, 1))  # unit 7 sees 7 and 14
    assert field_of(nn.Add(), X, X, fields=[fine, coarse]).axes[2:] == bound
    assert field_of(nn.Cat(1), X, X, fields=[fine, coarse]).axes[2:] == bound
    assert field_of(nn.Add(), (2, 3, H, 8), (2, 3, H, 8), fields=[fine, coarse]) is None  # by how much depends on H
    assert field_of(nn.Add(), X, X, fields=[fine, Field((None, None, COLUMNS, ROWS))]) is None
