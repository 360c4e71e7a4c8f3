"""Stacks of causal convolutions with dilations 1, 2, 4, ...: WaveNet and TCN.

WaveNet, gated, with dilations up to 512, over one-hot samples: van den Oord et al. 2016, arXiv:1609.03499, figures 3
and 4. The paper prints neither channels nor parameters, but says that a stack of dilations 1 to 512 sees 1024 samples;
the causal convolution before it sees one more. Channels follow common practice: 32 in the residual path, 256 in the
skip connections.

TCN, residual blocks of two convolutions: Bai et al. 2018, arXiv:1803.01271, figure 1, for sequential MNIST: 8 blocks,
kernel 7, 25 channels (table 2), published with about 70K parameters (table 1). The exact count is 66,510; the paper's
weight normalisation adds one number for each of 400 filters (66,910).
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.errors import SpecError
from convcalc.zoo import network


def check_dilations(depth: int) -> None:
    """Raise SpecError if a stack of dilations 1, 2, 4, ... is too deep to be intended."""
    if depth > 20:
        raise SpecError(f"depth must be at most 20, since dilations reach 2^(depth - 1); received {depth}")


def causal(c_in: int, c: int, dilation: int = 1) -> nn.Sequential:
    """Return a convolution of two taps that sees no later sample: zeros are padded before, none after."""
    return nn.Sequential({"pad": nn.ConstantPad1d((dilation, 0), 0), "conv": nn.Conv1d(c_in, c, 2, dilation=dilation)})


class GatedBlock(nn.Module):
    """Two dilated convolutions, one gating the other; then 1 x 1 to what is added to the input, and 1 x 1 to a skip."""

    def __init__(self, c: int, skip: int, dilation: int) -> None:
        self.filter, self.gate = causal(c, c, dilation), causal(c, c, dilation)
        self.tanh, self.sigmoid = nn.Tanh(), nn.Sigmoid()
        self.residual = nn.Conv1d(c, c, 1)
        self.skip = nn.Conv1d(c, skip, 1)

    def forward(self, x: Any) -> tuple[Any, Any]:
        y = self.tanh(self.filter(x)) * self.sigmoid(self.gate(x))
        return x + self.residual(y), self.skip(y)


class WaveNet(nn.Module):
    """A causal convolution, stacks of gated blocks, and 1 x 1 convolutions on the sum of their skips."""

    def __init__(self, num_classes: int, in_channels: int, width: int, skip: int, depth: int, stacks: int) -> None:
        check_dilations(depth)
        self.causal = causal(in_channels, width)
        self.blocks = nn.ModuleList([GatedBlock(width, skip, 2**i) for _ in range(stacks) for i in range(depth)])
        self.add = nn.Add()
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, num_classes, 1))

    def forward(self, x: Any) -> Any:
        x, skips = self.causal(x), []
        for block in self.blocks:
            x, skip = block(x)
            skips.append(skip)
        return self.head(self.add(*skips))


@network("van den Oord et al. 2016, arXiv:1609.03499", (256, 16000))
def wavenet(
    num_classes: int = 256, in_channels: int = 256, width: int = 32, skip: int = 256, depth: int = 10, stacks: int = 3
) -> WaveNet:
    """WaveNet: ``stacks`` stacks of ``depth`` gated blocks, over one second of sound at 16 kHz."""
    return WaveNet(num_classes, in_channels, width, skip, depth, stacks)


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions, each with a rectifier and dropout; the input is added."""

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
    """Residual blocks with doubling dilations, and a dense layer on the last position."""

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
