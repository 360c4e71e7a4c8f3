"""What the strategies of all families share: a case to try on both sides, and how its parts are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

CASES: dict[str, st.SearchStrategy[Case]] = {}


@dataclass
class Case:
    """A call to try on both sides: constructor arguments, input shapes, and torch inputs that are not floats."""

    kwargs: dict[str, Any]
    inputs: list[tuple[int, ...]]
    integers: int | None = None  # inputs are whole numbers below this
    calls: dict[str, Any] = field(default_factory=dict)


def case(*kinds: str) -> Callable[[Callable[..., Case]], Callable[..., Case]]:
    """Register a drawing function for kinds; it receives the rank in the kind's name (``Conv2d``: 2) and the kind."""

    def register(draw_case: Callable[..., Case]) -> Callable[..., Case]:
        for kind in kinds:
            rank = int(kind[-2]) if kind[-1] == "d" and kind[-2].isdigit() else 0
            CASES[kind] = st.composite(draw_case)(rank, kind)
        return draw_case

    return register


def nd(*names: str) -> list[str]:
    """Each name in its three ranks."""
    return [f"{name}{rank}d" for name in names for rank in (1, 2, 3)]


def axes(rank: int, low: int, high: int) -> st.SearchStrategy[Any]:
    """A per-axis argument: one number, or one for each axis."""
    number = st.integers(low, high)
    return number | st.tuples(*[number] * rank)


def sizes(draw: Any, rank: int, low: int = 1, high: int = 9) -> tuple[int, ...]:
    """Spatial sizes of an input."""
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


def rarely(draw: Any, usual: Any, odd: Any) -> Any:
    """Mostly the usual value, once in a while the odd one, which may be illegal."""
    return odd if draw(st.integers(0, 11)) == 0 else usual


def batched(draw: Any, channels: int, spatial: tuple[int, ...]) -> tuple[int, ...]:
    """A full input shape; now and then without the batch, or with an axis too many."""
    full = (draw(st.integers(1, 2)), channels, *spatial)
    return rarely(draw, full, draw(st.sampled_from([full[1:], (1, *full), full[:1] + full[2:]])))
