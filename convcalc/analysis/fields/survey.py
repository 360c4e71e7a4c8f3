"""One layer's receptive field and all that was asked about it, gathered in one answer for `views` to show."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, prod
from typing import Any, NamedTuple

from convcalc.algebra.intervals import Along
from convcalc.algebra.types import Shape
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus, Glimpse, Level, Profile
from convcalc.analysis.fields.sight import Box
from convcalc.analysis.fields.tiling import Strip, plan_tiling
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

MOST_TRIES = 200  # inputs that are tried until a unit sees no padding


class UnitView(NamedTuple):
    """What a unit sees along each axis; ``glimpses`` is None if it sees nothing of the input."""

    unit: tuple[int, ...]
    glimpses: tuple[Glimpse, ...] | None

    @property
    def padding_share(self) -> Fraction:
        """The share of the unit's box that is outside the input."""
        sizes = [glimpse.box[1] - glimpse.box[0] + 1 for glimpse in self.glimpses or ()]
        inside = [max(size - sum(glimpse.padding), 0) for size, glimpse in zip(sizes, self.glimpses or ())]
        return 1 - Fraction(prod(inside), prod(sizes))


class Coverage(NamedTuple):
    """The units that see a pixel, as `Focus.covering` returns them."""

    pixel: tuple[int, ...]
    boxes: tuple[Box, ...]


class Survey(NamedTuple):
    """A layer's receptive field; the parts that were not asked for are None.

    ``unpadded`` is the smallest input at which some unit sees no padding, None if it is unknown.
    """

    focus: Focus
    unpadded: tuple[int, ...] | None = None
    tiling: tuple[Strip, ...] | None = None
    seen: UnitView | None = None
    covered: Coverage | None = None
    profiles: tuple[Profile, ...] | None = None
    levels: tuple[Level, ...] | None = None

    @property
    def local(self) -> bool:
        """Whether units see only a part of the input along each axis."""
        return is_local(self.focus)


def is_local(focus: Focus) -> bool:
    """Return whether units of this layer see only a part of the input along each axis."""
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
    """Return a layer's field and the parts asked for; ``tile`` is the size of a tile along each axis of the input.

    ``build`` traces the graph for shapes other than ``shapes``. Raises SpecError for a unit or a pixel that does not
    exist, and for a part that needs a field of intervals where the field is undefined or global.

    >>> from convcalc import nn, trace
    >>> def build(shape):
    ...     return trace(nn.Conv1d(1, 1, 3), shape)
    >>> answer = survey(Focus(build((1, 1, 9))), build, [(1, 1, 9)], unit=(0,))
    >>> answer.seen.glimpses[0].inside, answer.unpadded
    ((0, 2), (3,))
    """
    strips: Any = None if tile is None else plan_tiling(build, shapes[0], lambda graph: focus.name, tile)
    numbers: Any = shapes[0]
    free = is_local(focus) and len(shapes) == 1 and all(isinstance(n, int) for n in numbers)
    return Survey(
        focus,
        find_unpadded(build, numbers, focus.name) if free else None,
        strips if strips is None else tuple(strips),
        None if unit is None else UnitView(unit, focus.glimpse(unit)),
        None if pixel is None else Coverage(pixel, tuple(focus.covering(pixel))),
        focus.profiles(unit) if effective else None,
        tuple(focus.stack()) if stack else None,
    )


def find_unpadded(build: Callable[[Shape], Graph], shape: Shape, layer: str) -> tuple[int, ...] | None:
    """Return the smallest spatial sizes at which some unit of ``layer`` sees no padding; None if none were found.

    >>> from convcalc import nn, trace
    >>> find_unpadded(lambda shape: trace(nn.Conv2d(1, 1, 5, stride=2, padding=2), shape), (1, 1, 9, 9), "")
    (5, 5)
    """
    sizes = [1] * (len(shape) - 2)
    for _ in range(MOST_TRIES):
        try:
            focus = Focus(build((*shape[:2], *sizes)), layer)
            axes, units = focus.along(), focus.units
        except ConvcalcError:  # too small for the network, or of sizes at which branches do not fit together
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
    """Return ``pixels`` if one of the units sees only these, else a size at which one may; None if none ever does."""
    if axis.jump <= 0:
        return None
    candidates = range(4 * len(axis.phases) + 4 * ceil(axis.size[1] / axis.jump) + 4)
    needed = [(ends[1] + 1, i) for i in candidates if (ends := axis.interval(i)) and ends[0] >= 0]
    if any(n <= pixels and i < units for n, i in needed):
        return pixels
    return max(min(needed)[0], pixels + 1) if needed else None
