"""What is known of one layer's receptive field, gathered: its facts, and the parts that were asked for."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, prod
from typing import Any, NamedTuple

from convcalc.algebra.intervals import Along
from convcalc.algebra.types import Shape
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus, Glimpse, Level, Profile
from convcalc.analysis.fields.sight import Box
from convcalc.analysis.fields.tiling import Strip, tiling
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

MOST_TRIES = 200  # inputs for one that a unit sees without padding


class Seen(NamedTuple):
    """What a unit sees along each axis; None where it sees nothing of the input."""

    unit: tuple[int, ...]
    glimpses: tuple[Glimpse, ...] | None

    @property
    def padding_share(self) -> Fraction:
        """The part of the box outside the input."""
        sizes = [glimpse.box[1] - glimpse.box[0] + 1 for glimpse in self.glimpses or ()]
        inside = [max(size - sum(glimpse.padding), 0) for size, glimpse in zip(sizes, self.glimpses or ())]
        return 1 - Fraction(prod(inside), prod(sizes))


class Covered(NamedTuple):
    """The units that see a pixel, as `Focus.covering` gives them."""

    pixel: tuple[int, ...]
    boxes: tuple[Box, ...]


class Survey(NamedTuple):
    """A layer's receptive field; of what was not asked for, None.

    ``unpadded`` is the smallest input at which a unit sees no padding, where that is known.
    """

    focus: Focus
    unpadded: tuple[int, ...] | None = None
    tiling: tuple[Strip, ...] | None = None
    seen: Seen | None = None
    covered: Covered | None = None
    profiles: tuple[Profile, ...] | None = None
    levels: tuple[Level, ...] | None = None

    @property
    def local(self) -> bool:
        """Whether units see a part of the input along each axis."""
        return is_local(self.focus)


def is_local(focus: Focus) -> bool:
    """Return whether units of this layer see a part of the input along each axis."""
    return isinstance(focus.rf, Extent) and not any(focus.rf.along)


def survey(
    focus: Focus,
    build: Callable[..., Graph],
    shapes: Sequence[Shape],
    *,
    unit: tuple[int, ...] | None = None,
    pixel: tuple[int, ...] | None = None,
    tile: tuple[int, ...] | None = None,
    effective: bool = False,
    stack: bool = False,
) -> Survey:
    """Return a layer's field with the parts asked for: ``tile`` is a size along each axis of the input.

    ``build`` traces the graph for other shapes than ``shapes``. Raises SpecError for a unit or a pixel that does not
    exist, and where the field is not one of intervals.

    >>> from convcalc import nn, trace
    >>> def build(shape):
    ...     return trace(nn.Conv1d(1, 1, 3), shape)
    >>> found = survey(Focus(build((1, 1, 9))), build, [(1, 1, 9)], unit=(0,))
    >>> found.seen.glimpses[0].inside, found.unpadded
    ((0, 2), (3,))
    """
    strips: Any = None if tile is None else tiling(build, shapes[0], lambda graph: focus.name, tile)
    numbers: Any = shapes[0]
    free = is_local(focus) and len(shapes) == 1 and all(isinstance(n, int) for n in numbers)
    return Survey(
        focus,
        unpadded(build, numbers, focus.name) if free else None,
        strips if strips is None else tuple(strips),
        None if unit is None else Seen(unit, focus.glimpse(unit)),
        None if pixel is None else Covered(pixel, tuple(focus.covering(pixel))),
        focus.profiles(unit) if effective else None,
        tuple(focus.stack()) if stack else None,
    )


def unpadded(build: Callable[[Shape], Graph], shape: Shape, layer: str) -> tuple[int, ...] | None:
    """Return the smallest input, axis by axis, at which a unit of ``layer`` sees no padding; None if none was found.

    >>> from convcalc import nn, trace
    >>> unpadded(lambda shape: trace(nn.Conv2d(1, 1, 5, stride=2, padding=2), shape), (1, 1, 9, 9), "")
    (5, 5)
    """
    sizes = [1] * (len(shape) - 2)
    for _ in range(MOST_TRIES):
        try:
            focus = Focus(build((*shape[:2], *sizes)), layer)
            axes, units = focus.along(), focus.units
        except ConvcalcError:  # too small for the network, or of a size that does not fit a skip
            sizes = [n + 1 for n in sizes]
            continue
        needed = [_enough(axis, n, m) for axis, n, m in zip(axes, sizes, units) if isinstance(m, int)]
        if needed == sizes:
            return tuple(sizes)
        if None in needed:
            return None
        sizes = [n for n in needed if n is not None]
    return None


def _enough(axis: Along, pixels: int, units: int) -> int | None:
    """``pixels`` if one of the units sees only these; else more, at which one may. None where none ever does."""
    if axis.jump <= 0:
        return None
    free = range(4 * len(axis.phases) + 4 * ceil(axis.size[1] / axis.jump) + 4)
    held = [(ends[1] + 1, i) for i in free if (ends := axis.interval(i)) and ends[0] >= 0]
    if any(n <= pixels and i < units for n, i in held):
        return pixels
    return max(min(held)[0], pixels + 1) if held else None
