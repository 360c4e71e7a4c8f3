"""TCN: residual blocks of two causal convolutions, with doubling dilations.

Bai et al. 2018, arXiv:1803.01271, figure 1, for sequential MNIST: 8 blocks, kernel 7, 25 channels (table 2), published
at about 70K parameters (table 1). Exact are 66,510; the paper's weight normalisation adds one number for each of 400
filters (66,910).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import check_dilations


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions, each with rectifier and dropout, and the input added."""

    def __init__(self, c_in: int, c: int, kernel: int, dilation: int, dropout: float) -> None:
        self.steps = nn.Sequential()
        for before in (c_in, c):
            pad = nn.ConstantPad1d(((kernel - 1) * dilation, 0), 0)
            conv = nn.Conv1d(before, c, kernel, dilation=dilation)
            self.steps.extend([pad, conv, nn.ReLU(), nn.Dropout(dropout)])
        self.downsample = None if c_in == c else nn.Conv1d(c_in, c, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.relu(self.steps(x) + (self.downsample(x) if self.downsample else x))


class TCN(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, width: int, depth: int, kernel: int, dropout: float) -> None:
        check_dilations(depth)
        channels = (in_channels, *[width] * depth)
        blocks = [TemporalBlock(channels[i], width, kernel, 2**i, dropout) for i in range(depth)]
        self.network = nn.Sequential(*blocks)
        self.linear = nn.Linear(width, num_classes)

    def forward(self, x: Any) -> Any:
        return self.linear(self.network(x)[:, :, -1])


@network("Bai et al. 2018, arXiv:1803.01271", (1, 784))
def tcn(
    num_classes: int = 10, in_channels: int = 1, width: int = 25, depth: int = 8, kernel: int = 7, dropout: float = 0.05
) -> TCN:
    """TCN for sequential MNIST: 66,510 parameters (published: about 70K)."""
    return TCN(num_classes, in_channels, width, depth, kernel, dropout)
