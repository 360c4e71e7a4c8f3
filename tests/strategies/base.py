"""What the strategies of all families share: a case to try in torch and in convcalc, and how its parts are drawn.

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
"""Cases of which one in four is nearly legal, for each kind."""


@dataclass
class Case:
    """A call to try in torch and in convcalc: arguments, input shapes, and inputs that are not floats."""

    kwargs: dict[str, Any]
    inputs: list[tuple[int, ...]]
    integers: int | None = None  # inputs are integers below this
    calls: dict[str, Any] = field(default_factory=dict)
    legal: bool = True  # by construction; where False, torch decides


class Draw:
    """Hypothesis' ``draw`` for one case, which makes the case wrong at one of the places marked by `off`."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], fault: int | None = None) -> None:
        self._draw = draw
        self._fault = fault
        self.places = 0
        self.is_wrong = False

    def __call__(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._draw(strategy)

    def off(self, right: Any, *wrong: Any) -> Any:
        """Return ``right``, or at one place of a nearly legal case one of the ``wrong`` values."""
        if not wrong:
            return right
        self.places += 1
        if self.places - 1 != self._fault:
            return right
        self.is_wrong = True
        return self._draw(st.sampled_from(wrong))


Drawing = Callable[[Draw, int, str], Case]


@st.composite
def drawn(draw: Any, drawing: Drawing, kind: str, odds: int) -> Case:
    """Draw a case by this function, nearly legal once in ``odds`` (never if that is 0)."""
    rank = int(kind[-2]) if kind[-1] == "d" and kind[-2].isdigit() else 0
    fault = None
    if odds and draw(st.integers(1, odds)) == odds:
        counting = Draw(draw)
        drawing(counting, rank, kind)
        fault = draw(st.integers(0, max(counting.places - 1, 0)))
    hand = Draw(draw, fault)
    result = drawing(hand, rank, kind)
    result.legal = not hand.is_wrong
    return result


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
    """Return each name in its three ranks."""
    return [f"{name}{rank}d" for name in names for rank in (1, 2, 3)]


def axes(rank: int, low: int, high: int) -> st.SearchStrategy[Any]:
    """Return a strategy for a per-axis argument: one number, or one for each axis."""
    number = st.integers(low, high)
    return number | st.tuples(*[number] * rank)


def each(value: Any, rank: int) -> tuple[Any, ...]:
    """Return a per-axis argument as one value for each axis."""
    return value * (rank // len(value)) if isinstance(value, tuple) else (value,) * rank


def sizes(draw: Any, rank: int, low: int = 1, high: int = 9) -> tuple[int, ...]:
    """Draw the spatial sizes of an input."""
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


def fitting(draw: Draw, rank: int, fits: Callable[[int, int], bool], choice: int = 6) -> tuple[int, ...]:
    """Draw spatial sizes that ``fits(axis, size)`` accepts, among the smallest; when off, one that does not fit."""
    chosen = []
    for axis in range(rank):
        good = [n for n in range(1, 25) if fits(axis, n)][:choice]
        wrong = [n for n in range(1, good[-1]) if n not in good]
        chosen.append(draw.off(draw(st.sampled_from(good)), *wrong[-2:]))
    return tuple(chosen)


def rarely(draw: Any, usual: Any, odd: Any) -> Any:
    """Draw the usual value, once in twelve times the odd one."""
    return odd if draw(st.integers(0, 11)) == 0 else usual


def batched(draw: Draw, channels: int, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """Draw an input's shape, with or without the batch; when off, with one axis too many or too few."""
    full = (draw(st.integers(1, 2)), channels, *spatial)
    shape = draw(st.sampled_from([full, full, full[1:]]))
    return draw.off(shape, (1, *full), full[1:-1])
