"""Strategies for the kinds that move, merge and reduce tensors."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, case, rarely, sizes


def shape(draw: Any, low: int = 1, high: int = 4, ones: bool = False) -> tuple[int, ...]:
    """A shape of ``low`` to ``high`` axes; with ``ones``, of size 1 more often."""
    drawn = sizes(draw, draw(st.integers(low, high)), 1, 4)
    return tuple(draw(st.sampled_from([n, 1])) for n in drawn) if ones else drawn


def dim(draw: Any, rank: int) -> int:
    """An axis number, from either end; once in a while there is no such axis."""
    return rarely(draw, draw(st.integers(-max(rank, 1), max(rank, 1) - 1)), draw(st.sampled_from([rank, -rank - 1])))


def dims(draw: Any, rank: int) -> Any:
    """None, an axis number, or several that differ; once in a while one stands twice."""
    order = draw(st.permutations(range(rank)))[: draw(st.integers(0, rank))]
    several = tuple(axis - draw(st.sampled_from([0, rank])) for axis in order)
    several = rarely(draw, several, (0, -rank))
    return draw(st.sampled_from([None, dim(draw, rank), several, list(several)]))


@case("Flatten")
def flatten(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0, 5)
    kwargs = {"start_dim": dim(draw, len(x)), "end_dim": dim(draw, len(x))}
    return Case({name: value for name, value in kwargs.items() if draw(st.integers(0, 3))}, [x])


@case("Cat")
def cat(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 1)
    along = dim(draw, len(x))
    inputs = []
    for _ in range(draw(st.integers(1, 4))):
        other = tuple(draw(st.integers(1, 4)) if i == along % len(x) else n for i, n in enumerate(x))
        other = rarely(draw, other, draw(st.sampled_from([other[1:], (*other[:-1], other[-1] + 1)])))
        inputs.append(other)
    return Case(draw(st.sampled_from([{"dim": along}, {"dim": along}, {}])), inputs)


@case("Mean", "Sum")
def reduction(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0, 5)
    return Case({"dim": dims(draw, len(x)), "keepdim": draw(st.booleans())}, [x])


def regrouped(draw: Any, elements: int) -> tuple[int, ...]:
    """Sizes with this product, one of them now and then -1; once in a while of another product, or illegal."""
    found: list[int] = []
    while elements > 1 and len(found) < 4:
        size = draw(st.sampled_from([n for n in range(1, elements + 1) if elements % n == 0]))
        found.append(size)
        elements //= size
    found.insert(draw(st.integers(0, len(found))), elements)
    if draw(st.booleans()):
        found[draw(st.integers(0, len(found) - 1))] = -1
    return tuple(rarely(draw, found, draw(st.sampled_from([[*found, 2], [*found, -1], [-2, *found], found[1:]]))))


@case("Reshape")
def reshape(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"shape": regrouped(draw, prod(x))}, [x])


@case("Unflatten")
def unflatten(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 1)
    along = dim(draw, len(x))
    new = regrouped(draw, x[along % len(x)] * draw(st.sampled_from([1, 2])))
    x = tuple(n * draw(st.sampled_from([1, 2])) if i == along % len(x) else n for i, n in enumerate(x))
    return Case({"dim": along, "unflattened_size": draw(st.sampled_from([new, list(new)]))}, [x])


@case("Permute")
def permute(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    order = tuple(axis - draw(st.sampled_from([0, len(x)])) for axis in draw(st.permutations(range(len(x)))))
    return Case({"dims": rarely(draw, order, draw(st.sampled_from([order[1:], (*order, 0), (0,) * len(x)])))}, [x])


@case("Transpose")
def transpose(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"dim0": dim(draw, len(x)), "dim1": dim(draw, len(x))}, [x])


@case("Squeeze")
def squeeze(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0, ones=True)
    kwargs = {"dim": dims(draw, len(x))}
    if isinstance(kwargs["dim"], list):  # squeeze takes no list in torch 2.13, though mean does
        kwargs = {}
    return Case(kwargs, [x])


@case("Unsqueeze")
def unsqueeze(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"dim": dim(draw, len(x) + 1)}, [x])


@case("Expand")
def expand(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0, ones=True)
    wanted = [draw(st.sampled_from([-1, n, n, draw(st.integers(1, 3)) if n == 1 else n])) for n in x]
    wanted = [*(draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2)))), *wanted]
    odd = draw(st.sampled_from([[-1, *wanted], wanted[1:], [*wanted[:-1], 5], [*wanted[:-1], -2]]))
    return Case({"sizes": tuple(rarely(draw, wanted, odd))}, [x])


@case("Roll")
def roll(draw: Any, rank: int, kind: str) -> Case:
    x = rarely(draw, shape(draw, 1), ())
    along = dims(draw, len(x))
    number = st.integers(-5, 5)
    shifts = draw(st.tuples(*[number] * len(along))) if isinstance(along, (tuple, list)) else draw(number)
    return Case({"shifts": rarely(draw, shifts, (1, 2, 3)), "dims": along}, [x])


@case("Slice")
def index(draw: Any, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 6)
    end = st.none() | st.integers(-7, 7)
    items: list[Any] = []
    for n in x[: draw(st.integers(0, len(x)))]:
        number = rarely(draw, draw(st.integers(-n, n - 1)), draw(st.sampled_from([n, -n - 1])))
        step = rarely(draw, draw(st.none() | st.integers(1, 3)), draw(st.sampled_from([0, -1])))
        items.append(draw(st.sampled_from([number, slice(draw(end), draw(end), step), slice(None, None, step)])))
    for odd in (None, None, ..., rarely(draw, None, 0)):  # two ellipses are not drawn: torch takes them at some places
        if draw(st.integers(0, 3)) == 0:
            items.insert(draw(st.integers(0, len(items))), odd)
    return Case({"index": items[0] if len(items) == 1 else tuple(items)}, [x])


@case("Sub", "Div", "Maximum")
def directed(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    if kind != "Maximum" and draw(st.booleans()):
        return Case({"scalar": draw(st.sampled_from([2.0, -0.5])), "reversed": draw(st.booleans())}, [x])
    other = tuple(draw(st.sampled_from([n, 1])) for n in x)[draw(st.integers(0, len(x))) :]
    other = rarely(draw, other, (*x[:-1], 5))
    return Case({}, draw(st.permutations([x, other])))


@case("Stack")
def stack(draw: Any, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    other = rarely(draw, x, (*x, 2))
    return Case({"dim": dim(draw, len(x) + 1)}, [x, x, other][draw(st.integers(0, 2)) :])


@case("MatMul")
def matmul(draw: Any, rank: int, kind: str) -> Case:
    batch = shape(draw, 0, 2)
    rows, inner, columns = sizes(draw, 3, 1, 4)
    a, b = (tuple(draw(st.sampled_from([n, 1])) for n in batch)[draw(st.integers(0, len(batch))) :] for _ in "ab")
    a = draw(st.sampled_from([(*a, rows, inner), (*a, rows, inner), (inner,), (rows, inner)]))
    wrong = rarely(draw, inner, 5)
    b = draw(st.sampled_from([(*b, wrong, columns), (*b, wrong, columns), (wrong,), (wrong, columns)]))
    return Case({}, [rarely(draw, a, ()), rarely(draw, b, (7, *b))])


@case("Parameter", "Buffer")
def leaf(draw: Any, rank: int, kind: str) -> Case:
    return Case({"shape": shape(draw, 0)}, [])


@case("Add", "Mul")
def pointwise(draw: Any, rank: int, kind: str) -> Case:
    shape = sizes(draw, draw(st.integers(1, 4)), 1, 4)
    other = tuple(draw(st.sampled_from([n, 1])) for n in shape)[draw(st.integers(0, len(shape))) :]
    other = rarely(draw, other, (*shape[:-1], shape[-1] + 1))
    return Case({}, draw(st.permutations([shape, other])))
