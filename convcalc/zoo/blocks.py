"""Blocks that several families share; a block of one family alone is in that family's file.

Functions that build layers are named for what they build, as layers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convcalc import nn
from convcalc.network.module import children

Size = int | tuple[int, int]
Act = Callable[[], Any]


class Chain(nn.Module):
    """A module whose children run in the order of assignment; the output of the child ``flat`` is flattened."""

    flat = "avgpool"

    def __init__(self, **named: Any) -> None:
        vars(self).update(named)

    def forward(self, x: Any) -> Any:
        for name, child in children(self):
            x = child(x).flatten(1) if name == self.flat else child(x)
        return x


class ConvNorm(Chain):
    """The unit of the Inception networks: convolution, batch normalisation, rectifier; ``padded`` keeps the size."""

    def __init__(self, c_in: int, c: int, kernel: Size, stride: int = 1, padded: bool = True) -> None:
        half = kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(c_in, c, kernel, stride, half if padded else 0, bias=False)
        self.bn = nn.BatchNorm2d(c, eps=0.001)
        self.relu = nn.ReLU()


def conv_norm(
    c_in: int,
    c: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    act: Act | None = nn.ReLU,
    dilation: int = 1,
    eps: float = 1e-05,
) -> nn.Sequential:
    """Return a convolution padded to keep the size, batch normalisation and, unless ``act`` is None, an activation."""
    padding = (kernel - 1) // 2 * dilation
    conv = nn.Conv2d(c_in, c, kernel, stride, padding, dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c, eps), *([act()] if act else []))


def convs(
    c_in: int, channels: tuple[int, ...], norm: bool = False, padding: int = 1, bias: bool = True
) -> nn.Sequential:
    """Return 3 x 3 convolutions, each followed by batch normalisation (with ``norm``) and a rectifier."""
    steps = nn.Sequential()
    for c in channels:
        conv = nn.Conv2d(c_in, c, 3, padding=padding, bias=bias)
        steps.extend([conv, *([nn.BatchNorm2d(c)] if norm else []), nn.ReLU()])
        c_in = c
    return steps


class Branches(nn.Module):
    """Modules side by side on one input, their channels concatenated; named ``branch`` and a number from ``start``."""

    def __init__(self, *branches: Any, start: int = 0) -> None:
        self.branches = branches
        vars(self).update({f"branch{i}": branch for i, branch in enumerate(branches, start)})
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        return self.cat(*[branch(x) for branch in self.branches])


class SqueezeExcite(nn.Module):
    """Channels scaled by what two 1 x 1 convolutions compute from all channels' means (Hu et al., arXiv:1709.01507)."""

    def __init__(self, c: int, squeezed: int, act: Act = nn.ReLU, gate: Act = nn.Sigmoid) -> None:
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(c, squeezed, 1)
        self.activation = act()
        self.fc2 = nn.Conv2d(squeezed, c, 1)
        self.scale_activation = gate()

    def forward(self, x: Any) -> Any:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


def inverted(
    unit: Any, c_in: int, hidden: int, c: int, kernel: int, stride: int, squeeze: Sequence[Any] = (), dilation: int = 1
) -> list[Any]:
    """Return 1 x 1 to ``hidden`` channels, k x k per channel, the ``squeeze`` layers, and 1 x 1 without activation."""
    up = [] if hidden == c_in else [unit(c_in, hidden, 1)]
    within = unit(hidden, hidden, kernel, 1 if dilation > 1 else stride, hidden, dilation=dilation)
    return [*up, within, *squeeze, unit(hidden, c, 1, act=None)]


class InvertedResidual(nn.Module):
    """A child made of `inverted` layers; with ``adds`` the input is added, as the first term if ``input_first``."""

    def __init__(self, adds: bool, input_first: bool = False, **layers: Any) -> None:
        vars(self).update(layers)
        self.adds, self.input_first = adds, input_first

    def forward(self, x: Any) -> Any:
        layers, *_ = vars(self).values()
        if not self.adds:
            return layers(x)
        return x + layers(x) if self.input_first else layers(x) + x


def dense_head(c_in: int, num_classes: int, dropout: float) -> nn.Sequential:
    """Return the three dense layers of AlexNet and VGG."""
    hidden = [nn.Linear(c_in, 4096), nn.ReLU(), nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Dropout(dropout), nn.Linear(4096, num_classes))


def mlp(c: int) -> nn.Sequential:
    """Return the two dense layers of a transformer's block, over ``c`` channels."""
    return nn.Sequential(nn.Linear(c, 4 * c), nn.GELU(), nn.Dropout(0.0), nn.Linear(4 * c, c), nn.Dropout(0.0))


def align(channels: float, by: int = 8) -> int:
    """Return the multiple of ``by`` nearest to ``channels``, or the next one up if that loses more than a tenth.

    >>> align(24 * 0.75), align(16 * 0.5), align(11)
    (24, 8, 16)
    """
    near = max(by, int(channels + by / 2) // by * by)
    return near if near >= 0.9 * channels else near + by
