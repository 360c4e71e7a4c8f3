"""Strategies for the functions that the attention networks of the zoo need."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, case, sizes
from tests.strategies.tensor import dim


@case("Exp")
def exp(draw: Draw, rank: int, kind: str) -> Case:
    return Case({}, [sizes(draw, draw(st.integers(0, 4)), 1, 4)])


@case("Normalize")
def normalize(draw: Draw, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 4)
    kwargs = {
        "p": draw(st.sampled_from([1.0, 2.0, 3])),
        "dim": dim(draw, len(x)),
        "eps": draw(st.sampled_from([1e-12, 1e-5])),
    }
    left_out = draw(st.sets(st.sampled_from(["p", "eps", *["dim"] * (len(x) > 1)])))
    return Case({name: value for name, value in kwargs.items() if name not in left_out}, [x])


@case("IndexSelect")
def index_select(draw: Draw, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 4)
    index = sizes(draw, 1, 1, 6)  # a scalar has one place, which torch takes once
    index = draw.off(index if x else (1,), (), (2, 3))
    return Case({"dim": dim(draw, len(x))}, [x, index])
