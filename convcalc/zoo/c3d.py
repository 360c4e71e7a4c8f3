"""C3D: eight 3 x 3 x 3 convolutions over clips.

Tran et al. 2014, arXiv:1412.0767, figure 3, for clips of 16 frames of 112 x 112 and the 487 classes of Sports-1M,
without a number of parameters; Carreira and Zisserman (arXiv:1705.07750, table 1) print 79M for theirs of this kind,
with fewer classes, and this one has 78.4M with the 101 of UCF-101.
"""

from __future__ import annotations

from convcalc import nn
from convcalc.zoo import network
from convcalc.zoo.blocks import Chain, dense_head


class C3D(Chain):
    """Five stages, each with a pooling, the first of which keeps all frames."""

    flat = "features"

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        self.features = nn.Sequential()
        for i, stage in enumerate(((64,), (128,), (256, 256), (512, 512), (512, 512))):
            for c in stage:
                self.features.extend([nn.Conv3d(in_channels, c, 3, padding=1), nn.ReLU()])
                in_channels = c
            self.features.append(nn.MaxPool3d(2 if i else (1, 2, 2), padding=(0, 1, 1) if i == 4 else 0))
        self.classifier = dense_head(512 * 4 * 4, num_classes, dropout)


@network("Tran et al. 2014, arXiv:1412.0767", (3, 16, 112, 112))
def c3d(num_classes: int = 487, in_channels: int = 3, dropout: float = 0.5) -> C3D:
    """C3D: 79,991,015 parameters; takes 16 to 31 frames of 96 x 96 to 127 x 127."""
    return C3D(num_classes, in_channels, dropout)
