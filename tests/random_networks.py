"""Random networks: hypothesis draws a plan of layers and calls, which runs as a `Module` of nested blocks.

Chains, residual and concatenated branches, encoder–decoders, gates, layers called twice; 1 to 3 dimensions. All that
is drawn is legal; what is refused is tested a layer at a time in test_layers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from hypothesis import strategies as st

from convcalc import nn
from convcalc.layers.base import Layer

Shape = tuple[int, ...]
MAX_ELEMENTS = 3000  # of one tensor: the real forward pass must stay in milliseconds
MAX_CHANNELS = 12


class Network(nn.Module):
    """A plan as a module: layers under drawn paths, ``forward`` replays the calls."""

    def __init__(self, plan: Plan) -> None:
        self.calls = tuple(plan.calls)  # layers inside a tuple are not children
        for path, layer in plan.paths.items():
            *parents, name = path.split(".")
            holder: Any = self
            for parent in parents:
                holder = vars(holder).setdefault(parent, nn.Module())
            setattr(holder, name, layer)

    def forward(self, x: Any) -> Any:
        values = [x]
        for layer, inputs in self.calls:
            values.append(layer(*[values[i] for i in inputs]))
        return values[-1]


class Plan:
    """Layers and their calls, as they are drawn; ``shapes[0]`` is the input, ``shapes[i]`` what call i - 1 gave."""

    def __init__(self, draw: Any, rank: int, shape: Shape) -> None:
        self.draw = draw
        self.rank = rank
        self.shapes: list[Shape] = [shape]
        self.calls: list[tuple[Layer, tuple[int, ...]]] = []
        self.paths: dict[str, Layer] = {}

    def __repr__(self) -> str:
        calls = [f"    {layer} on {inputs}: {shape}" for (layer, inputs), shape in zip(self.calls, self.shapes[1:])]
        return "\n".join([f"Plan of {self.shapes[0]}", *calls])

    @property
    def last(self) -> Shape:
        return self.shapes[-1]

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def kind(self, name: str) -> Any:
        return getattr(nn, f"{name}{self.rank}d")

    def call(self, layer: Layer, *inputs: int) -> int:
        """Call a layer on values (the last one, if none is named), under a new path unless it has one."""
        inputs = inputs or (len(self.shapes) - 1,)
        if not any(layer is held for held in self.paths.values()):
            prefix = self.pick("", "stem.", "body.0.", "body.1.")
            self.paths[f"{prefix}{type(layer).__name__.lower()}{len(self.paths)}"] = layer
        shape = layer.output_shape(*[self.shapes[i] for i in inputs])
        self.calls.append((layer, inputs))
        self.shapes.append(shape)
        return len(self.shapes) - 1

    def alike(self, axis: int | None = None) -> list[int]:
        """Earlier values of the last one's shape (off ``axis``, where it is named)."""
        off = [i for i in range(len(self.last)) if i != axis]
        same = [j for j, x in enumerate(self.shapes[:-1]) if len(x) == len(self.last)]
        return [j for j in same if all(self.shapes[j][i] == self.last[i] for i in off)]


def convolve(plan: Plan) -> None:
    """A convolution that fits: plain, strided, dilated, grouped, asymmetric."""
    channels, smallest = plan.last[1], min(plan.last[2:])
    dilation = plan.pick(1, 1, 2)
    kernel = plan.pick(*[k for k in (1, 2, 3) if dilation * (k - 1) < smallest])
    groups = plan.pick(*[g for g in (1, 1, 1, 2, 3, channels) if channels % g == 0])
    padding = plan.pick(0, kernel // 2 * dilation)
    sizes = (plan.pick(1, kernel), *[kernel] * (plan.rank - 1))
    out = groups * plan.pick(*range(1, max(1, 6 // groups) + 1))
    stride = plan.pick(1, 1, 2)
    plan.call(plan.kind("Conv")(channels, out, sizes, stride, padding, dilation, groups, plan.pick(True, False)))


def pointwise(plan: Plan) -> None:
    """A norm, an activation, or an unlike pooling that keeps the size."""
    plan.call(plan.pick(nn.ReLU(), plan.kind("BatchNorm")(plan.last[1]), plan.kind("MaxPool")(3, 1, 1), nn.Sigmoid()))


def pool(plan: Plan) -> None:
    """Pooling by 2."""
    if min(plan.last[2:]) >= 2:
        kind = plan.pick("MaxPool", "AvgPool")
        plan.call(plan.kind(kind)(2, plan.pick(1, 2), ceil_mode=plan.pick(True, False)))


def enlarge(plan: Plan) -> None:
    """A transposed convolution."""
    channels, stride = plan.last[1], plan.pick(1, 2)
    if prod(plan.last) * stride**plan.rank <= MAX_ELEMENTS // 4:
        groups = plan.pick(1, channels)
        plan.call(plan.kind("ConvTranspose")(channels, groups, 2, stride, output_padding=stride - 1, groups=groups))


def again(plan: Plan) -> None:
    """A layer called before, once more, where the last value suits it."""
    rank = len(plan.last)
    known = [
        layer
        for (layer, inputs), output in zip(plan.calls, plan.shapes[1:])
        if len(inputs) == 1 and len(output) == rank and plan.shapes[inputs[0]] == plan.last
    ]
    if known:
        plan.call(plan.pick(*known))


def residual(plan: Plan) -> None:
    """A sum or product with an earlier value of this shape, which a branch gives where there is none."""
    if len(plan.last) > 2 and plan.pick(True, False):
        trunk, channels = len(plan.shapes) - 1, plan.last[1]
        plan.call(plan.kind("Conv")(channels, channels, 3, padding=plan.pick(1, "same")))
        plan.call(nn.Add(), trunk, len(plan.shapes) - 1)
    elif earlier := plan.alike():
        plan.call(plan.pick(nn.Sub(), nn.Add(), nn.Mul(), nn.Maximum()), len(plan.shapes) - 1, plan.pick(*earlier))


def concatenate(plan: Plan) -> None:
    """This value behind an earlier one, along the channels."""
    earlier = [i for i in plan.alike(axis=1) if plan.shapes[i][1] + plan.last[1] <= MAX_CHANNELS]
    if earlier:
        plan.call(nn.Cat(1), plan.pick(*earlier), len(plan.shapes) - 1)


def hourglass(plan: Plan) -> None:
    """Down by 2, a convolution, up by 2, and what was before beside it: a level of a U-Net."""
    channels, skip = plan.last[1], len(plan.shapes) - 1
    if all(n % 2 == 0 for n in plan.last[2:]) and channels <= MAX_CHANNELS // 2:
        plan.call(plan.kind(plan.pick("MaxPool", "AvgPool"))(2))
        plan.call(plan.kind("Conv")(channels, channels, 3, padding=1))
        up = plan.call(plan.kind("ConvTranspose")(channels, channels, 2, 2))
        plan.call(nn.Cat(1), skip, up)


def gate(plan: Plan) -> None:
    """Squeeze and excitation: channels weighed by a function of their means."""
    value, channels = len(plan.shapes) - 1, plan.last[1]
    plan.call(nn.Mean(tuple(range(2, 2 + plan.rank)), keepdim=True))
    plan.call(plan.kind("Conv")(channels, channels, 1))
    scale = plan.call(nn.Sigmoid())
    plan.call(nn.Mul(), value, scale)


def shuffle(plan: Plan) -> None:
    """Channels shuffled in two groups, and one half of them taken."""
    channels = plan.last[1]
    if channels % 2 == 0:
        plan.call(nn.Unflatten(1, (2, -1)))
        plan.call(nn.Transpose(1, 2))
        plan.call(nn.Flatten(1, 2))
        plan.call(nn.Slice((slice(None), slice(0, channels // 2))))


def crop(plan: Plan) -> None:
    """A part of each spatial axis: from an offset, up to an end, every other one."""
    ends = [(start, stop, step) for start in (None, 1) for stop in (None, -1, 3, -2) for step in (None, 2)]
    if min(plan.last[2:]) > 4:
        parts = [slice(*plan.pick(*ends)) for _ in range(plan.rank)]
        plan.call(nn.Slice(plan.pick((slice(None), slice(None), *parts), (..., *parts))))


def turn(plan: Plan) -> None:
    """Spatial axes exchanged, and an axis that comes and goes."""
    if plan.rank > 1:
        plan.call(plan.pick(nn.Transpose(-1, -2), nn.Permute((0, 1, *range(plan.rank + 1, 1, -1)))))
    new = plan.pick(1, -1, 2)
    plan.call(nn.Unsqueeze(new))
    plan.call(nn.Squeeze(new))


def classify(plan: Plan) -> None:
    """A head: flatten, or a global mean, and a linear layer."""
    head = plan.pick("flatten", "mean", "attend")
    if head == "attend":  # every position looks at every other
        tokens = plan.call(nn.Flatten(2))
        turned = plan.call(nn.Transpose(1, 2))
        weights = plan.call(nn.MatMul(), turned, tokens)
        plan.call(nn.MatMul(), tokens, weights)
    if head == "mean":
        plan.call(nn.Mean(tuple(range(2, len(plan.last)))))
    else:
        plan.call(plan.pick(nn.Flatten(), nn.Reshape((plan.last[0], -1))))
    plan.call(nn.Linear(plan.last[1], 3, bias=plan.pick(True, False)))


def pad(plan: Plan) -> None:
    """A border, or a crop, unlike before and after; of zeros, mirrored, repeated or wrapped round."""
    kind = plan.pick("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad")
    least = -1 if kind == "ZeroPad" and min(plan.last[2:]) > 3 else 0
    if min(plan.last[2:]) > 2 and prod(plan.last) <= MAX_ELEMENTS // 4:
        plan.call(plan.kind(kind)(tuple(plan.pick(*range(least, 3)) for _ in range(2 * plan.rank))))


def convolve_unevenly(plan: Plan) -> None:
    """A convolution that is unlike at its two ends: TensorFlow's SAME, even kernels; borders of other kinds."""
    channels, smallest = plan.last[1], min(plan.last[2:])
    if smallest > 3:
        kernel, stride = plan.pick(2, 3, 4), plan.pick(1, 2, 3)
        mode = plan.pick("zeros", "zeros", "reflect", "circular", "replicate")
        padding = plan.pick("tf_same", "tf_same", kernel // 2)
        plan.call(plan.kind("Conv")(channels, channels, kernel, stride, padding, padding_mode=mode))


def resample(plan: Plan) -> None:
    """Interpolation by a factor."""
    factor = plan.pick(2, 3, 0.5, 1.5)
    if min(plan.last[2:]) > 2 and prod(plan.last) * factor**plan.rank <= MAX_ELEMENTS // 2:
        linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[plan.rank]
        plan.call(nn.Upsample(scale_factor=factor, mode=plan.pick("nearest", "nearest", linear)))


def spread_out(plan: Plan) -> None:
    """A transposed convolution with a kernel, padding and dilation that leave phases unlike, and some without input."""
    kernel, stride, dilation = plan.pick(1, 2, 3, 4), plan.pick(1, 2, 3), plan.pick(1, 1, 2)
    padding = plan.pick(*[p for p in (0, 1) if p <= dilation * (kernel - 1)])
    if prod(plan.last) * stride**plan.rank <= MAX_ELEMENTS // 4 and min(plan.last[2:]) > 2:
        channels = plan.last[1]
        plan.call(plan.kind("ConvTranspose")(channels, channels, kernel, stride, padding, dilation=dilation))


UNEVEN: tuple[Callable[[Plan], None], ...] = (pad, convolve_unevenly, convolve_unevenly, resample, spread_out)
"""Steps that leave borders and phases unlike, for receptive fields."""

STEPS: tuple[Callable[[Plan], None], ...] = (
    *(convolve, convolve, convolve, pointwise, pointwise, residual, residual, again, again),
    *(concatenate, concatenate, hourglass, enlarge, pool, gate, shuffle, crop, turn),
)


@st.composite
def plans(draw: Any, low: int = 5, high: int = 30, head: bool = True, uneven: bool = False) -> Plan:
    """A plan of ``low`` to ``high`` calls, on an input of 1 to 3 spatial dimensions."""
    rank = draw(st.integers(1, 3))
    side = {1: 32, 2: 12, 3: 6}[rank]
    plan = Plan(
        draw, rank, (draw(st.integers(1, 2)), draw(st.integers(1, 4)), *[draw(st.integers(side - 2, side))] * rank)
    )
    wanted = draw(st.integers(low, high - 6))
    while len(plan.calls) < wanted:
        draw(st.sampled_from((*STEPS, *UNEVEN, *UNEVEN) if uneven else STEPS))(plan)
    if head and draw(st.booleans()):
        classify(plan)
    if draw(st.booleans()):
        plan.paths["spare.head"] = nn.Linear(3, 2)  # owned and never called
    return plan
