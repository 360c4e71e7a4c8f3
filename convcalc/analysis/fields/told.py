"""What was asked about a layer's receptive field, and the analyses' answers."""

from typing import NamedTuple

from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus
from convcalc.analysis.fields.tiling import Strip


class Told(NamedTuple):
    """What was asked about a layer; None for what was not."""

    network: str
    focus: Focus
    unpadded: tuple[int, ...] | None = None
    tiling: tuple[Strip, ...] | None = None
    unit: tuple[int, ...] | None = None
    pixel: tuple[int, ...] | None = None
    stack: bool = False
    effective: bool = False

    @property
    def local(self) -> bool:
        """Whether units see a part of the input along each axis."""
        return isinstance(self.focus.rf, Extent) and not any(self.focus.rf.along)
