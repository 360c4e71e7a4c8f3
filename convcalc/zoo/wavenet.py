"""WaveNet: gated causal convolutions with dilations 1, 2, 4, ..., 512, over one-hot samples.

van den Oord et al. 2016, arXiv:1609.03499, figures 3 and 4. The paper prints neither channels nor parameters, but that
a row of dilations 1 to 512 sees 1024 samples; the causal convolution before it sees one more. Channels here: 32 along
the way, 256 on the side, after common practice.
"""

from __future__ import annotations

from typing import Any

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import check_dilations


def causal(c_in: int, c: int, dilation: int = 1) -> nn.Sequential:
    """A convolution of two taps that sees no later sample: zeros before, none after."""
    return nn.Sequential({"pad": nn.ConstantPad1d((dilation, 0), 0), "conv": nn.Conv1d(c_in, c, 2, dilation=dilation)})


class GatedBlock(nn.Module):
    """A squashed and a gating dilated convolution, multiplied; 1 x 1 onto the input and 1 x 1 to the side."""

    def __init__(self, c: int, skip: int, dilation: int) -> None:
        self.filter, self.gate = causal(c, c, dilation), causal(c, c, dilation)
        self.tanh, self.sigmoid = nn.Tanh(), nn.Sigmoid()
        self.residual = nn.Conv1d(c, c, 1)
        self.skip = nn.Conv1d(c, skip, 1)

    def forward(self, x: Any) -> tuple[Any, Any]:
        y = self.tanh(self.filter(x)) * self.sigmoid(self.gate(x))
        return x + self.residual(y), self.skip(y)


class WaveNet(nn.Module):
    def __init__(self, num_classes: int, in_channels: int, width: int, skip: int, depth: int, stacks: int) -> None:
        check_dilations(depth)
        self.causal = causal(in_channels, width)
        self.blocks = nn.ModuleList([GatedBlock(width, skip, 2**i) for _ in range(stacks) for i in range(depth)])
        self.add = nn.Add()
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, num_classes, 1))

    def forward(self, x: Any) -> Any:
        x, sides = self.causal(x), []
        for block in self.blocks:
            x, side = block(x)
            sides.append(side)
        return self.head(self.add(*sides))


@network("van den Oord et al. 2016, arXiv:1609.03499", (256, 16000))
def wavenet(
    num_classes: int = 256, in_channels: int = 256, width: int = 32, skip: int = 256, depth: int = 10, stacks: int = 3
) -> WaveNet:
    """A WaveNet of ``stacks`` rows of ``depth`` gated blocks, over a second of sound at 16 kHz."""
    return WaveNet(num_classes, in_channels, width, skip, depth, stacks)
