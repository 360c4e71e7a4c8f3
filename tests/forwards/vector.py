"""Counting forward passes of products, norms, activations, attention, recurrent layers, sums and tables."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import torch

from tests.forwards.base import Array, Call, forward
from tests.strategies import nd
from tests.strategies.vector import INPLACE, NUMBERS, PLAIN


@forward(
    *nd("MaxUnpool", "ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad", "Dropout"),
    *("Dropout", "AlphaDropout", "FeatureAlphaDropout", "Identity", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle"),
    *("Cat", "Stack", "Expand", "Flatten", "Permute", "Reshape", "Roll", "Slice", "Squeeze", "Transpose", "Unflatten"),
    *("Unsqueeze", "Parameter", "Buffer"),
)
def moved(call: Call, *xs: Array) -> None:
    """Nothing is computed: values are copied, or constants put beside them."""


@forward("Linear", "LazyLinear")
def linear(call: Call, x: Array) -> Array:
    return call.biased(call.product(x, call.weight("weight")), call.weight("bias"))


@forward("Bilinear")
def bilinear(call: Call, x: Array, y: Array) -> Array:
    weight = call.weight("weight")  # (o, i, j)
    half = call.sum("mac", x[..., None, :, None] * weight, -2)
    return call.biased(call.sum("mac", half * y[..., None, :], -1), call.weight("bias"))


@forward("MatMul")
def matmul(call: Call, a: Array, b: Array) -> Array:
    rows, columns = np.atleast_2d(a), b[:, None] if b.ndim == 1 else b
    out = call.sum("mac", rows[..., :, None, :] * columns.swapaxes(-1, -2)[..., None, :, :], -1)
    out = out[..., 0] if b.ndim == 1 else out
    return out[..., 0, :] if a.ndim == 1 and b.ndim > 1 else out[..., 0] if a.ndim == 1 else out


@forward("Embedding")
def embedding(call: Call, x: Array) -> Array:
    table, out = call.weight("weight"), np.zeros((*x.shape, call.kwargs["embedding_dim"]))
    for place in np.ndindex(x.shape):
        out[place] = table[call.count("lookup", int(x[place]))]
    return out


@forward("IndexSelect")
def index_select(call: Call, x: Array, index: Array) -> Array:
    axis = call.kwargs["dim"]  # the test's module puts 0 in every place of the index
    rows = [np.atleast_1d(x).take(0 * call.count("lookup", int(i)), axis) for i in index]
    return np.stack(rows, axis) if x.ndim else rows[0]


def normalised(call: Call, x: Array, axes: Any, root_mean_square: bool = False) -> Array:
    """By statistics that every element along ``axes`` enters."""
    values = call.count("stat", x)
    middle = 0 if root_mean_square else values.mean(axes, keepdims=True)
    spread = ((values - middle) ** 2).mean(axes, keepdims=True)
    eps = torch.finfo(torch.float64).eps if call.module.eps is None else call.module.eps
    return call.count("norm", (x - middle) / np.sqrt(spread + eps))


def affine(call: Call, x: Array, shape: tuple[int, ...]) -> Array:
    """Scaled by a weight and shifted by a bias of this shape, if there are any."""
    weight, bias = call.weight("weight"), call.weight("bias")
    if weight is None:
        return x
    return call.count("affine", x * weight.reshape(shape) + (0 if bias is None else bias.reshape(shape)))


@forward(*nd("BatchNorm", "LazyBatchNorm", "InstanceNorm", "LazyInstanceNorm"))
def channel_norm(call: Call, x: Array) -> Array:
    instance = "Instance" in call.kind
    at = x.ndim - call.rank - 1 if instance else 1
    shape = (-1, *[1] * (x.ndim - at - 1))
    mean, variance = call.weight("running_mean"), call.weight("running_var")
    if mean is None:
        over = tuple(range(at + 1, x.ndim)) if instance else tuple(axis for axis in range(x.ndim) if axis != at)
        return affine(call, normalised(call, x, over), shape)
    spread = np.sqrt(variance.reshape(shape) + call.module.eps)
    return affine(call, call.count("norm", (x - mean.reshape(shape)) / spread), shape)


@forward("GroupNorm")
def group_norm(call: Call, x: Array) -> Array:
    grouped = x.reshape(x.shape[0], call.kwargs["num_groups"], -1)
    return affine(call, normalised(call, grouped, -1).reshape(x.shape), (-1, *[1] * (x.ndim - 2)))


@forward("LayerNorm", "RMSNorm")
def shape_norm(call: Call, x: Array) -> Array:
    shape = tuple(call.module.normalized_shape)
    over = tuple(range(-len(shape), 0))
    return affine(call, normalised(call, x, over, root_mean_square=call.kind == "RMSNorm"), shape)


@forward("Normalize")
def normalize(call: Call, x: Array) -> Array:
    p, axis = call.kwargs.get("p", 2.0), call.kwargs.get("dim", 1)
    powers = abs(call.count("stat", x)) ** p
    length = (powers.sum(axis, keepdims=True) if x.ndim else powers) ** (1 / p)
    return call.count("norm", x / np.maximum(length, call.kwargs.get("eps", 1e-12)))


@forward("LocalResponseNorm")
def local_response_norm(call: Call, x: Array) -> Array:
    module, size = call.module, call.module.size
    squares = call.count("mul", x * x)
    padded = np.pad(squares, [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (x.ndim - 2)])
    sums = [call.sum("add", padded[:, i : i + size], 1) for i in range(x.shape[1])]
    scale = (module.k + module.alpha * np.stack(sums, 1) / size) ** module.beta
    return call.count("norm", x / scale)


@forward(*INPLACE, *PLAIN, *NUMBERS, "GELU")
def activation(call: Call, x: Array) -> Array:
    """Element by element: torch's function of each alone is that of all."""
    values = [call.module(torch.tensor([call.count("activation", value)])).item() for value in x.flat]
    return np.array(values).reshape(x.shape)


@forward("PReLU")
def prelu(call: Call, x: Array) -> Array:
    slopes = call.weight("weight")
    shape = (-1, *[1] * (x.ndim - 2)) if x.ndim > 1 else (-1,) * x.ndim
    call.count("activation", x)
    return np.where(x >= 0, x, x * slopes.reshape(shape))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@forward("GLU")
def glu(call: Call, x: Array) -> Array:
    value, gate = np.split(x, 2, call.module.dim)
    return call.count("mul", value * call.count("activation", sigmoid(gate)))


@forward("Exp")
def exponential(call: Call, x: Array) -> Array:
    return call.count("exp", np.exp(x))


def softmax_line(call: Call, line: Array, logarithm: bool = False) -> Array:
    """A softmax of one line: its powers, their sum by one addition less than there are, a division of each."""
    powers = call.count("exp", np.exp(line))
    total = powers[0]
    for power in powers[1:]:
        total = call.count("add", total + power)
    return call.count("add", line - np.log(total)) if logarithm else call.count("mul", powers / total)


@forward("Softmax", "Softmin", "LogSoftmax", "Softmax2d")
def softmax(call: Call, x: Array) -> Array:
    axis = -3 if call.kind == "Softmax2d" else call.kwargs.get("dim")
    if axis is None:  # torch's own choice
        axis = 0 if x.ndim in (0, 1, 3) else 1
    lines = np.moveaxis(np.atleast_1d(x), axis, -1)
    out = np.zeros(lines.shape)
    for place in np.ndindex(lines.shape[:-1]):
        line = -lines[place] if call.kind == "Softmin" else lines[place]
        out[place] = softmax_line(call, line, logarithm=call.kind == "LogSoftmax")
    return np.moveaxis(out, -1, axis).reshape(x.shape)


OPERATORS = {
    "Add": ("add", np.add),
    "Sub": ("add", np.subtract),
    "Mul": ("mul", np.multiply),
    "Div": ("mul", np.divide),
    "Maximum": ("compare", np.maximum),
}


@forward(*OPERATORS)
def pointwise(call: Call, *xs: Array) -> Array:
    word, operator = OPERATORS[call.kind]
    operands = list(np.broadcast_arrays(*xs)) + ([call.kwargs["scalar"]] if "scalar" in call.kwargs else [])
    if call.kwargs.get("reversed"):
        operands.reverse()
    out = operands[0]
    for operand in operands[1:]:
        out = call.count(word, operator(out, operand))
    return out


@forward("Sum", "Mean")
def reduction(call: Call, x: Array) -> Array:
    axes, keep = call.kwargs.get("dim"), call.kwargs.get("keepdim", False)
    over = tuple(range(x.ndim)) if axes in (None, (), []) else axes
    over = tuple(np.arange(x.ndim)[list(over) if isinstance(over, (list, tuple)) else [over]]) if x.ndim else ()
    out = call.count("add", x).sum(over, keepdims=keep)
    return out if call.kind == "Sum" else call.count("mul", out / math.prod(x.shape[axis] for axis in over))


@forward("MultiheadAttention")
def attention(call: Call, *inputs: Array) -> Array:
    module = call.module
    query, key, value = (x if module.batch_first or x.ndim == 2 else x.swapaxes(0, 1) for x in inputs)
    batched = query.ndim == 3
    if not batched:
        query, key, value = query[None], key[None], value[None]
    size, heads = module.embed_dim, module.num_heads
    packed = call.weight("in_proj_weight")
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    weights = [call.weight(name) for name in names] if packed is None else np.split(packed, 3)
    bias = call.weight("in_proj_bias")
    biases = [None] * 3 if bias is None else np.split(bias, 3)
    q, k, v = (call.biased(call.product(x, w), b) for x, w, b in zip((query, key, value), weights, biases))
    for name, whole in (("bias_k", "k"), ("bias_v", "v")):
        more = call.weight(name)
        if more is not None:
            rows = np.concatenate([k if whole == "k" else v, np.repeat(more, len(q), 0)], 1)
            k, v = (rows, v) if whole == "k" else (k, rows)
    if module.add_zero_attn:
        k, v = (np.pad(x, [(0, 0), (0, 1), (0, 0)]) for x in (k, v))
    q = call.count("mul", q / math.sqrt(size // heads))
    out = np.zeros(q.shape)
    for n, head in product(range(len(q)), range(heads)):
        part = slice(head * size // heads, (head + 1) * size // heads)
        scores = call.product(q[n, :, part], k[n, :, part])
        for target, line in enumerate(scores):
            out[n, target, part] = call.product(softmax_line(call, line), v[n, :, part].T)
    linear = module.out_proj
    out = call.product(out, linear.weight.detach().numpy())
    out = call.biased(out, None if linear.bias is None else linear.bias.detach().numpy())
    return out[0] if not batched else out if module.batch_first else out.swapaxes(0, 1)


class Cell:
    """One layer of a recurrent kind in one direction, which keeps its state from step to step."""

    def __init__(self, call: Call, end: str, batch: int) -> None:
        self.call = call
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        self.ih, self.hh, self.bias_ih, self.bias_hh, self.hr = (call.weight(name + end) for name in names)
        self.family = next(name for name in ("LSTM", "GRU", "RNN") if call.kind.startswith(name))
        self.gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[self.family]
        self.state = np.zeros((batch, self.hh.shape[1]))
        self.memory = np.zeros((batch, len(self.ih) // self.gates))

    def activated(self, function: Any, x: Array) -> Array:
        return self.call.count("activation", function(x))

    def step(self, x: Array) -> Array:
        """The next state."""
        call = self.call
        fed = np.split(call.biased(call.product(x, self.ih), self.bias_ih), self.gates, -1)
        back = np.split(call.biased(call.product(self.state, self.hh), self.bias_hh), self.gates, -1)
        self.state = getattr(self, self.family)(fed, back)
        return self.state

    def joined(self, a: Array, b: Array) -> Array:
        return self.call.count("add", a + b)

    def times(self, a: Array, b: Array) -> Array:
        return self.call.count("mul", a * b)

    def RNN(self, fed: list[Array], back: list[Array]) -> Array:  # noqa: N802
        relu = self.call.module.nonlinearity == "relu"
        return self.activated((lambda x: np.maximum(x, 0)) if relu else np.tanh, self.joined(fed[0], back[0]))

    def LSTM(self, fed: list[Array], back: list[Array]) -> Array:  # noqa: N802
        i, f, g, o = (self.joined(a, b) for a, b in zip(fed, back))
        i, f, g, o = (self.activated(np.tanh if x is g else sigmoid, x) for x in (i, f, g, o))
        self.memory = self.joined(self.times(f, self.memory), self.times(i, g))
        state = self.times(o, self.activated(np.tanh, self.memory))
        return state if self.hr is None else self.call.product(state, self.hr)

    def GRU(self, fed: list[Array], back: list[Array]) -> Array:  # noqa: N802
        r, z = (self.activated(sigmoid, self.joined(fed[i], back[i])) for i in (0, 1))
        new = self.activated(np.tanh, self.joined(fed[2], self.times(r, back[2])))
        return self.joined(self.times(self.call.count("add", 1 - z), new), self.times(z, self.state))


@forward("RNN", "LSTM", "GRU")
def recurrent(call: Call, x: Array) -> Array:
    module = call.module
    sequence = x[:, None] if x.ndim == 2 else x.swapaxes(0, 1) if module.batch_first else x
    for layer in range(module.num_layers):
        directions = []
        for end in ("", "_reverse")[: 1 + module.bidirectional]:
            cell = Cell(call, f"_l{layer}{end}", sequence.shape[1])
            steps = [cell.step(step) for step in (sequence[::-1] if end else sequence)]
            directions.append(np.stack(steps[::-1] if end else steps))
        sequence = np.concatenate(directions, -1)
    return sequence[:, 0] if x.ndim == 2 else sequence.swapaxes(0, 1) if module.batch_first else sequence


@forward("RNNCell", "LSTMCell", "GRUCell")
def cell(call: Call, x: Array) -> Array:
    rows = np.atleast_2d(x)
    return Cell(call, "", len(rows)).step(rows).reshape(*x.shape[:-1], -1)
