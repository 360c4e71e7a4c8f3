"""Strategies for the functions that the zoo's attention networks need."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, case, rarely, sizes


@case("Exp")
def exp(draw: Any, rank: int, kind: str) -> Case:
    return Case({}, [sizes(draw, draw(st.integers(0, 4)), 1, 4)])


@case("Normalize")
def normalize(draw: Any, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 4)
    kwargs = {
        "p": draw(st.sampled_from([1.0, 2.0, 3])),
        "dim": draw(st.integers(-len(x) - 1, len(x))),
        "eps": draw(st.sampled_from([1e-12, 1e-5])),
    }
    return Case({name: value for name, value in kwargs.items() if draw(st.integers(0, 3))}, [x])


@case("IndexSelect")
def index_select(draw: Any, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 4)
    index = rarely(draw, sizes(draw, 1, 1, 6), draw(st.sampled_from([(), (2, 3)])))
    return Case({"dim": rarely(draw, draw(st.integers(-max(len(x), 1), max(len(x), 1) - 1)), len(x) + 1)}, [x, index])
