"""What the strategies of all families share: a case to try on both sides, and how its parts are drawn.

A drawing function states one legal case and, with `Draw.off`, what could be wrong with it. It gives two strategies: one
of cases that are legal by construction, one of cases in which at most one thing is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

LEGAL: dict[str, st.SearchStrategy[Case]] = {}
"""Cases that torch accepts, for each kind."""

NEARLY: dict[str, st.SearchStrategy[Case]] = {}
"""Cases in which at most one thing is off, for each kind; torch refuses most of them, not all."""

CASES: dict[str, st.SearchStrategy[Case]] = {}
"""Three legal cases to one that is nearly legal, for each kind."""


@dataclass
class Case:
    """A call to try on both sides: constructor arguments, input shapes, and torch inputs that are not floats."""

    kwargs: dict[str, Any]
    inputs: list[tuple[int, ...]]
    integers: int | None = None  # inputs are integers below this
    calls: dict[str, Any] = field(default_factory=dict)
    legal: bool = True  # by construction; where False, torch decides


class Draw:
    """Hypothesis' ``draw`` for one case, which knows at which of the places that `off` marks the case goes wrong."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], slip: int | None = None) -> None:
        self._draw = draw
        self._slip = slip
        self.places = 0
        self.slipped = False

    def __call__(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._draw(strategy)

    def off(self, right: Any, *wrong: Any) -> Any:
        """Return ``right``; in a nearly legal case, at one place of it, one of the values ``wrong``."""
        if not wrong:
            return right
        self.places += 1
        if self.places - 1 != self._slip:
            return right
        self.slipped = True
        return self._draw(st.sampled_from(wrong))


Drawing = Callable[[Draw, int, str], Case]


@st.composite
def drawn(draw: Any, drawing: Drawing, kind: str, odds: int) -> Case:
    """A case by this function: nearly legal once in ``odds``, never where that is 0."""
    rank = int(kind[-2]) if kind[-1] == "d" and kind[-2].isdigit() else 0
    slip = None
    if odds and draw(st.integers(1, odds)) == odds:
        counting = Draw(draw)
        drawing(counting, rank, kind)
        slip = draw(st.integers(0, max(counting.places - 1, 0)))
    hand = Draw(draw, slip)
    found = drawing(hand, rank, kind)
    found.legal = not hand.slipped
    return found


def case(
    *kinds: str, legal: dict[str, Any] = LEGAL, nearly: dict[str, Any] = NEARLY, cases: dict[str, Any] = CASES
) -> Callable[[Drawing], Drawing]:
    """Register a drawing function for kinds; it receives the rank in the kind's name (``Conv2d``: 2) and the kind."""

    def register(drawing: Drawing) -> Drawing:
        for kind in kinds:
            legal[kind], nearly[kind], cases[kind] = (drawn(drawing, kind, odds) for odds in (0, 1, 4))
        return drawing

    return register


def nd(*names: str) -> list[str]:
    """Each name in its three ranks."""
    return [f"{name}{rank}d" for name in names for rank in (1, 2, 3)]


def axes(rank: int, low: int, high: int) -> st.SearchStrategy[Any]:
    """A per-axis argument: one number, or one for each axis."""
    number = st.integers(low, high)
    return number | st.tuples(*[number] * rank)


def each(value: Any, rank: int) -> tuple[Any, ...]:
    """A per-axis argument, written out for each axis."""
    return value * (rank // len(value)) if isinstance(value, tuple) else (value,) * rank


def sizes(draw: Any, rank: int, low: int = 1, high: int = 9) -> tuple[int, ...]:
    """Spatial sizes of an input."""
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


def fitting(draw: Draw, rank: int, fits: Callable[[int, int], bool], choice: int = 6) -> tuple[int, ...]:
    """Spatial sizes that ``fits(axis, size)`` holds for, among the smallest; when off, one that does not fit."""
    found = []
    for axis in range(rank):
        good = [n for n in range(1, 25) if fits(axis, n)][:choice]
        wrong = [n for n in range(1, good[-1]) if n not in good]
        found.append(draw.off(draw(st.sampled_from(good)), *wrong[-2:]))
    return tuple(found)


def rarely(draw: Any, usual: Any, odd: Any) -> Any:
    """Mostly the usual value, once in a while the odd one."""
    return odd if draw(st.integers(0, 11)) == 0 else usual


def batched(draw: Draw, channels: int, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """An input's shape, with the batch or without; when off, with an axis too many or too few."""
    full = (draw(st.integers(1, 2)), channels, *spatial)
    shape = draw(st.sampled_from([full, full, full[1:]]))
    return draw.off(shape, (1, *full), full[1:-1])
