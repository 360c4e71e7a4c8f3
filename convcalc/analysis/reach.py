"""How many layers, and with which dilations, give a receptive field: a layer repeated until it sees so far.

A layer's own field is asked of the graph; here fields are only put one on another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from convcalc.analysis.flow import Extent
from convcalc.errors import NoSolution, SpecError

MOST_LAYERS = 10_000
MOST_SHOWN = 8

One = Callable[[int], Extent]
"""The field of one layer (or of a few that are repeated together), with this dilation."""


class Schedule(NamedTuple):
    """A way to reach a field: its name, the dilation of each layer, and the field that comes of it."""

    name: str
    dilations: tuple[int, ...]
    size: int

    def told(self) -> str:
        """The dilations, a long row in short."""
        shown = list(map(str, self.dilations))
        if len(shown) > MOST_SHOWN:
            shown = [*shown[: MOST_SHOWN - 2], "…", shown[-1]]
        return ", ".join(shown)


def schedules(one: One, target: int, dilated: bool) -> list[Schedule]:
    """The ways to see at least ``target`` pixels, those that see just so many first, then by the number of layers.

    With ``dilated`` the dilations grow in the usual ways, each the fewest layers that reach; else only the number of
    layers is asked. Raises SpecError where there is no field to repeat, NoSolution where no number of layers reaches.

    >>> def conv(d):
    ...     return Extent((2 * d + 1,), (2 * d + 1,), (Fraction(1),), (0,), (((0, 2 * d),),))
    >>> [(s.name, s.dilations, s.size) for s in schedules(conv, 31, True)][0]
    ('doubled', (1, 2, 4, 8), 31)
    """
    found: list[Schedule] = []
    kernel = one(1).size[0]
    ways = {"one": lambda i: 1, "doubled": lambda i: 2**i, "counted": lambda i: i + 1} if dilated else {"": lambda i: 1}
    if dilated and isinstance(kernel, int) and kernel > 2:
        ways[f"times {kernel}"] = lambda i: int(kernel) ** i
    for name, dilation in ways.items():
        found.extend(_reaching(name, one, target, dilation))
    if not found:
        raise NoSolution(
            f"no number of layers sees {target:,}", details=["each layer sees no farther than the one before"]
        )
    return sorted(found, key=lambda way: (way.size != target, len(way.dilations), way.name))


def _reaching(name: str, one: One, target: int, dilation: Callable[[int], int]) -> Iterator[Schedule]:
    """The fewest layers that see at least ``target``; and, where that is more, the most that see less."""
    size, jump = 1, Fraction(1)
    dilations: list[int] = []
    before: Schedule | None = None
    while size < target:
        if len(dilations) == MOST_LAYERS:
            return
        before = Schedule(name, tuple(dilations), size) if dilations else None
        dilations.append(dilation(len(dilations)))
        extent = one(dilations[-1])
        along, step = _first(extent)
        if along * jump - jump <= 0:
            return
        size = size + int((along - 1) * jump)
        jump = jump * step
    yield Schedule(name, tuple(dilations), size)
    if before is not None and size != target:
        yield before


def _first(extent: Extent) -> tuple[int, Fraction]:
    """Size and jump along the first axis, where one says it all."""
    size = extent.size[0] if extent.size else None
    if not isinstance(size, int) or not extent.uniform or not extent.jump[0]:
        raise SpecError("the field of what is repeated is not one interval for every unit", where="--rf")
    return size, extent.jump[0]
