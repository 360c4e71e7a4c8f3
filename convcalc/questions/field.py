"""A layer's receptive field: what is asked about it, and the analyses that answer."""

from collections.abc import Callable, Sequence
from typing import Any

from convcalc.algebra.parse import parse_shape
from convcalc.algebra.types import Shape
from convcalc.analysis.fields.focus import Focus
from convcalc.analysis.fields.tiling import tiling
from convcalc.analysis.fields.told import Told
from convcalc.analysis.solving.budget import unpadded
from convcalc.errors import SpecError
from convcalc.network.graph import Graph


def tell(
    network: str,
    focus: Focus,
    build: Callable[..., Graph],
    shapes: Sequence[Shape],
    tile: str | None = None,
    **asked: Any,
) -> Told:
    """What is told of each layer and what is ``asked`` besides; ``tile`` is a size such as ``256`` or ``256x512``.

    ``build`` makes the graph for other shapes. Raises SpecError where it cannot be tiled.
    """
    strips = None
    if tile is not None:
        sizes = parse_shape(tile)
        if len(sizes) not in (1, len(focus.pixels)) or not all(isinstance(n, int) for n in sizes):
            raise SpecError(f"{tile!r:.60} is not the size of a tile", where="--tile", hint="write it as --tile 256")
        sizes = sizes * len(focus.pixels) if len(sizes) == 1 else sizes
        strips = tiling(build, shapes[0], lambda graph: focus.name, sizes)  # type: ignore[arg-type]
    told = Told(network, focus, None, strips, **asked)
    if told.local and len(shapes) == 1 and all(isinstance(n, int) for n in shapes[0]):
        return told._replace(unpadded=unpadded(build, shapes[0], focus.name))
    return told
