"""Strategies for the kinds that move, merge and reduce tensors."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from tests.strategies.base import Case, Draw, case, sizes


def shape(draw: Any, low: int = 1, high: int = 4, ones: bool = False) -> tuple[int, ...]:
    """Draw a shape of ``low`` to ``high`` axes; with ``ones``, sizes of 1 are more frequent."""
    drawn = sizes(draw, draw(st.integers(low, high)), 1, 4)
    return tuple(draw(st.sampled_from([n, 1])) for n in drawn) if ones else drawn


def dim(draw: Draw, rank: int) -> int:
    """Draw an axis, counted from either end; when off, it is out of range."""
    last = max(rank, 1)  # torch takes a scalar's axis 0
    return draw.off(draw(st.integers(-last, last - 1)), last, -last - 1)


def dims(draw: Draw, rank: int) -> Any:
    """Draw None, an axis, or several different ones; when off, one is repeated."""
    order = draw(st.permutations(range(rank)))[: draw(st.integers(0, rank))]
    several = tuple(axis - draw(st.sampled_from([0, rank])) for axis in order)
    several = draw.off(several, (0, -rank), (*several, rank))
    return draw(st.sampled_from([None, dim(draw, rank), several, list(several)]))


def stretched(draw: Draw, x: tuple[int, ...]) -> tuple[int, ...]:
    """Draw a shape that broadcasts with ``x``; when off, one of its sizes does not."""
    other = tuple(draw(st.sampled_from([n, 1])) for n in x)[draw(st.integers(0, len(x))) :]
    return draw.off(other, (*x[:-1], 5))


@case("Flatten")
def flatten(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0, 5)
    last = max(len(x), 1) - 1
    first, end = sorted(draw(st.tuples(*[st.integers(0, last)] * 2)))
    start_dim = draw.off(first - draw(st.sampled_from([0, last + 1])), end + 1, last + 1)
    end_dim = draw.off(end - draw(st.sampled_from([0, last + 1])), last + 1, -last - 2)
    kwargs = {"start_dim": start_dim, "end_dim": end_dim}
    if draw(st.integers(0, 3)) == 0:  # to the end by default
        del kwargs["end_dim"]
    if (end >= 1 or "end_dim" not in kwargs) and last >= 1 and draw(st.integers(0, 3)) == 0:  # and from the second axis
        del kwargs["start_dim"]
    return Case(kwargs, [x])


@case("Cat")
def cat(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 1)
    along = draw(st.integers(-len(x), len(x) - 1))
    inputs = []
    for _ in range(draw(st.integers(1, 4))):
        other = tuple(draw(st.integers(1, 4)) if i == along % len(x) else n for i, n in enumerate(x))
        inputs.append(draw.off(other, other[1:], (*other[:-1], other[-1] + 1), (other[0] + 1, *other[1:])))
    if along % len(x) == 0 and draw(st.booleans()):
        return Case({}, inputs)
    return Case({"dim": draw.off(along, len(x), -len(x) - 1)}, inputs)


@case("Mean", "Sum")
def reduction(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0, 5)
    return Case({"dim": dims(draw, len(x)), "keepdim": draw(st.booleans())}, [x])


def regrouped(draw: Draw, elements: int) -> tuple[int, ...]:
    """Draw sizes with this product, sometimes one of them -1; when off, with another product, or illegal."""
    sizes: list[int] = []
    while elements > 1 and len(sizes) < 4:
        size = draw(st.sampled_from([n for n in range(1, elements + 1) if elements % n == 0]))
        sizes.append(size)
        elements //= size
    sizes.insert(draw(st.integers(0, len(sizes))), elements)
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return tuple(draw.off(sizes, [*sizes, 2], [*sizes, -1], [-2, *sizes], sizes[1:]))


@case("Reshape")
def reshape(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"shape": regrouped(draw, prod(x))}, [x])


@case("Unflatten")
def unflatten(draw: Draw, rank: int, kind: str) -> Case:
    x = tuple(n * draw(st.sampled_from([1, 1, 2, 3])) for n in shape(draw, 1))
    along = draw(st.integers(-len(x), len(x) - 1))
    new = regrouped(draw, x[along])
    along = draw.off(along, len(x), -len(x) - 1)
    return Case({"dim": along, "unflattened_size": draw(st.sampled_from([new, list(new)]))}, [x])


@case("Permute")
def permute(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    order = tuple(axis - draw(st.sampled_from([0, len(x)])) for axis in draw(st.permutations(range(len(x)))))
    return Case({"dims": draw.off(order, order[1:], (*order, 0), (0,) * len(x))}, [x])


@case("Transpose")
def transpose(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"dim0": dim(draw, len(x)), "dim1": dim(draw, len(x))}, [x])


@case("Squeeze")
def squeeze(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0, ones=True)
    kwargs = {"dim": dims(draw, len(x))}
    if isinstance(kwargs["dim"], list):  # squeeze does not accept a list in torch 2.13, though mean does
        kwargs = {}
    return Case(kwargs, [x])


@case("Unsqueeze")
def unsqueeze(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    return Case({"dim": dim(draw, len(x) + 1)}, [x])


@case("Expand")
def expand(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0, ones=True)
    wanted = [draw(st.sampled_from([-1, n, n, draw(st.integers(1, 3)) if n == 1 else n])) for n in x]
    wanted = [*(draw(st.integers(1, 3)) for _ in range(draw(st.integers(0, 2)))), *wanted]
    wanted = draw.off(wanted, [-1, *wanted], wanted[1:], [*wanted[:-1], 5], [*wanted[:-1], -2])
    return Case({"sizes": tuple(wanted)}, [x])


@case("Roll")
def roll(draw: Draw, rank: int, kind: str) -> Case:
    x = draw.off(shape(draw, 1), ())
    along = dims(draw, len(x))
    number = st.integers(-5, 5)
    several = isinstance(along, (tuple, list)) and len(along) > 0
    shifts = draw(st.tuples(*[number] * len(along)) if several else number)  # without axes, as one row
    return Case({"shifts": draw.off(shifts, (1, 2, 3)), "dims": along}, [x])


def span(draw: Draw, n: int) -> slice:
    """Draw a slice of ``n`` elements that is not empty; when off, it is, or the step is not positive."""
    end = st.none() | st.integers(-7, 7)
    step = draw(st.none() | st.integers(1, 3))
    some = slice(draw(end), draw(end), step)
    if not range(n)[some]:
        some = draw.off(slice(some.start), some)
        some = some if range(n)[some] or draw.is_wrong else slice(None, None, step)
    return slice(some.start, some.stop, draw.off(some.step, 0, -1))


def item(draw: Draw, n: int) -> Any:
    """Draw the item of an index for an axis of ``n``: a number or a slice."""
    number = draw.off(draw(st.integers(-n, n - 1)), n, -n - 1)
    return draw(st.sampled_from([number, span(draw, n), slice(None, None, draw(st.sampled_from([None, 2])))]))


@case("Slice")
def index(draw: Draw, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(0, 4)), 1, 6)
    front = draw(st.integers(0, len(x)))
    items = [item(draw, n) for n in x[:front]]
    if draw(st.integers(0, 3)) == 0:  # two ellipses are not drawn: torch accepts them in some places
        back = draw(st.integers(front, len(x)))
        items += [..., *(item(draw, n) for n in x[back:])]
    items = draw.off(items, [*items, *[0] * (len(x) - len(items) + 2)])
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        items = [*items]
        items.insert(draw(st.integers(0, len(items))), None)
    return Case({"index": items[0] if len(items) == 1 else tuple(items)}, [x])


@case("Sub", "Div", "Maximum")
def directed(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    if kind != "Maximum" and draw(st.booleans()):
        return Case({"scalar": draw(st.sampled_from([2.0, -0.5])), "reversed": draw(st.booleans())}, [x])
    return Case({}, draw(st.permutations([x, stretched(draw, x)])))


@case("Stack")
def stack(draw: Draw, rank: int, kind: str) -> Case:
    x = shape(draw, 0)
    other = draw.off(x, (*x, 2), x[1:], (*x[:-1], 5))
    return Case({"dim": dim(draw, len(x) + 1)}, [x, x, other][draw(st.integers(0, 2)) :])


@case("MatMul")
def matmul(draw: Draw, rank: int, kind: str) -> Case:
    batch = shape(draw, 0, 2)
    rows, inner, columns = sizes(draw, 3, 1, 4)
    a, b = (tuple(draw(st.sampled_from([n, 1])) for n in batch)[draw(st.integers(0, len(batch))) :] for _ in "ab")
    a = draw(st.sampled_from([(*a, rows, inner), (*a, rows, inner), (inner,), (rows, inner)]))
    met = draw.off(inner, inner + 1)
    b = draw(st.sampled_from([(*b, met, columns), (*b, met, columns), (met,), (met, columns)]))
    return Case({}, [draw.off(a, ()), draw.off(b, (7, *b), ())])


@case("Parameter", "Buffer")
def leaf(draw: Draw, rank: int, kind: str) -> Case:
    return Case({"shape": shape(draw, 0)}, [])


@case("Add", "Mul")
def pointwise(draw: Draw, rank: int, kind: str) -> Case:
    x = sizes(draw, draw(st.integers(1, 4)), 1, 4)
    if draw(st.integers(0, 3)) == 0:
        return Case({"scalar": draw(st.sampled_from([2.0, -0.5, 3]))}, [x])
    others = [stretched(draw, x) for _ in range(draw(st.integers(1, 2)))]
    return Case({}, draw(st.permutations([x, *others])))
