"""What several families are built of: convolution with normalisation and activation, branches, squeeze and excitation.

A block of one family alone stands in that family's file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcalc import nn

Size = int | tuple[int, ...]
Act = Callable[[], Any]


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation, rectifier: the unit of the Inception networks."""

    def __init__(self, c_in: int, c: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        self.conv = nn.Conv2d(c_in, c, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(c, eps=0.001)
        self.relu = nn.ReLU()

    def forward(self, x: Any) -> Any:
        """The unit's output."""
        return self.relu(self.bn(self.conv(x)))


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
    """Convolution padded to keep the size, batch normalisation and, unless ``act`` is None, an activation."""
    padding = (kernel - 1) // 2 * dilation
    conv = nn.Conv2d(c_in, c, kernel, stride, padding, dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c, eps), *([act()] if act else []))


class Branches(nn.Module):
    """Modules side by side on one input, their channels concatenated."""

    def __init__(self, *branches: Any) -> None:
        vars(self).update({f"branch{i}": branch for i, branch in enumerate(branches)})
        self.branches = branches
        self.cat = nn.Cat(1)

    def forward(self, x: Any) -> Any:
        """All branches' channels."""
        return self.cat(*[branch(x) for branch in self.branches])


class SqueezeExcite(nn.Module):
    """Each channel scaled by what two 1 x 1 convolutions make of all channels' means (Hu et al., arXiv:1709.01507)."""

    def __init__(self, c: int, squeezed: int, act: Act = nn.ReLU, gate: Act = nn.Sigmoid) -> None:
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(c, squeezed, 1)
        self.activation = act()
        self.fc2 = nn.Conv2d(squeezed, c, 1)
        self.scale_activation = gate()

    def forward(self, x: Any) -> Any:
        """The input, scaled."""
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


def divisible(channels: float, by: int = 8) -> int:
    """The nearest multiple of ``by``, and the next where that would lose more than a tenth (the MobileNets' rounding).

    >>> divisible(24 * 0.75), divisible(16 * 0.5), divisible(11)
    (24, 8, 16)
    """
    near = max(by, int(channels + by / 2) // by * by)
    return near if near >= 0.9 * channels else near + by
