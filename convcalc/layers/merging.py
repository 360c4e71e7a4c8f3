"""Layers that combine several tensors: arithmetic, concatenation and stacking; torch.nn has none of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

from convcalc.algebra.dims import equal, prod, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.errors import ShapeError
from convcalc.layers.axes import stretched
from convcalc.layers.base import Fields, Layer, Op, Shapes, Work, _Idle
from convcalc.layers.demands import ANY, NotBroadcastable, ShapesDiffer, axis_name, require, require_alike
from convcalc.layers.formulas import Seen, rules
from convcalc.layers.shaping import axis_of

CONCATENATED_SIZE = Formula(
    "concatenated size",
    "m + n",
    {"m": "size of the tensors so far along the axis", "n": "size of the next one"},
    mistakes={"only the first": "m", "the larger of the two": "max(m, n)"},
    source="torch.cat",
)

STACKED_SIZE = Formula(
    "size of the new axis",
    "t",
    {"t": "number of tensors stacked"},
    source="torch.stack",
)

JOINED_FIELD = Formula(
    "receptive field of two branches",
    "max(a + r, b + q) - min(a, b)",
    {
        "a": "first pixel that unit 0 of one branch sees",
        "r": "its field",
        "b": "first pixel that unit 0 of the other branch sees",
        "q": "its field",
    },
    mistakes={"added": "a + r + b + q - a - b", "the smaller of the two": "min(a + r, b + q) - max(a, b)"},
    source="Araujo, Norris and Sim, Distill 2019, doi:10.23915/distill.00021: the union of both fields",
)

JOINED_START = Formula(
    "start of two branches",
    "min(a, b)",
    {name: JOINED_FIELD.symbols[name] for name in "ab"},
    source=JOINED_FIELD.source,
)


def joined(before: Sequence[Seen]) -> Seen | None:
    """Return what units that combine all of ``before`` see; None where the jumps differ or a start is unknown.

    >>> joined([Seen(5, 2, -2, 32), Seen(1, 2, 0, 32)])
    Seen(size=5, jump=2, start=-2, extent=32)
    """
    one, *others = before
    if any(other.jump != one.jump or other.start is None or one.start is None for other in others):
        return None
    return reduce(_both, others, one)


def _both(one: Seen, other: Seen) -> Seen:
    """Return what units that combine both see."""
    (r, j, a, extent), (q, _, b, _) = one, other
    return Seen(JOINED_FIELD(a, r, b, q), j, JOINED_START(a, b), extent)


def broadcast(a: Shape, b: Shape) -> Shape:
    """Return the shape that two shapes broadcast to, as in torch; raise NotBroadcastable where they do not fit.

    >>> broadcast((1, 4, 8, 8), (4, 1, 1))
    (1, 4, 8, 8)
    """
    if a == b:
        return a
    longer = max(len(a), len(b))
    pairs = zip((1,) * (longer - len(a)) + a, (1,) * (longer - len(b)) + b)
    return tuple([_broadcast_size(m, n, a, b) for m, n in pairs])


def _broadcast_size(m: Dim, n: Dim, a: Shape, b: Shape) -> Dim:
    if m == n or n == 1:
        return m
    if m == 1:
        return n
    require(equal(m, n), NotBroadcastable(m, n, (a, b)))
    return n if isinstance(n, int) else m


class _Broadcasting(Layer):
    """An operation on the elements of tensors whose shapes can be broadcast."""

    in_torch = False
    merges = True

    arity = (1, ANY)
    op: ClassVar[Op]
    formulas = rules(
        size=("along each axis the larger of the inputs': they must be equal, or one of them 1",),
        field=(JOINED_FIELD, JOINED_START),
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        for other in inputs[1:]:
            shape = broadcast(shape, other)
        return shape

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return join([stretched(field, shape, output) for field, shape in zip(fields, inputs)], output)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units that combine all inputs see."""
        return joined(before)

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {self.op: prod(output) * max(len(inputs) - 1, 1)}


class _Pointwise(_Broadcasting):
    """An operation on tensors, or on a tensor and a number."""

    scalar: Any = None  # a number, or a dim computed from sizes

    def check(self) -> None:
        if self.scalar is not None and not is_symbolic(self.scalar):
            self.real("scalar", self.scalar)


class Add(_Pointwise):
    """The sum of tensors, or of a tensor and a number: ``x + y``.

    >>> Add().output_shape((1, 4, 8, 8), (1, 4, 8, 8))
    (1, 4, 8, 8)
    """

    operator = "+"

    op = "add"


class Mul(_Pointwise):
    """The elementwise product of tensors, or of a tensor and a number: ``x * y``.

    >>> Mul().output_shape((1, 4, 8, 8), (1, 4, 1, 1))
    (1, 4, 8, 8)
    """

    operator = "*"

    op = "mul"


class _Directed(_Pointwise):
    """An operation whose operands cannot be exchanged."""

    reversed: bool = False  # whether the number is on the left

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) != (2 if self.scalar is None else 1):
            raise ShapeError("takes two tensors, or one tensor and a number")
        return super().output_shape(*inputs)


class Sub(_Directed):
    """The difference of two tensors, or of a tensor and a number (on the left if ``reversed``): ``x - y``.

    >>> Sub(1.0, reversed=True).output_shape((1, 4, 8, 8))
    (1, 4, 8, 8)
    """

    operator = "-"

    op = "add"


class Div(_Directed):
    """The quotient of two tensors, or of a tensor and a number (on the left if ``reversed``): ``x / y``.

    >>> Div().output_shape((1, 4, 8, 8), (1, 1, 8, 8))
    (1, 4, 8, 8)
    """

    operator = "/"

    op = "mul"


class Maximum(_Broadcasting):
    """The elementwise maximum of two tensors, as `torch.maximum`.

    >>> Maximum().output_shape((1, 4, 8, 8), (4, 1, 1))
    (1, 4, 8, 8)
    """

    torch_call = "torch.maximum({all})"

    arity = (2, 2)

    op = "compare"


class Cat(_Idle):
    """The concatenation of tensors along axis ``dim``, as `torch.cat`; all other sizes must agree.

    >>> Cat(1).output_shape((1, 4, 8, 8), (1, 3, 8, 8))
    (1, 7, 8, 8)
    """

    in_torch = False
    torch_call = "torch.cat([{all}], {dim})"
    merges = True
    sheet_defaults = {"dim": 1}  # on a sheet the batch is implied, and channels are concatenated
    passes_one = True
    rearranges = True
    joins = True

    arity = (1, ANY)

    dim: int = 0
    formulas = rules(
        size=(CONCATENATED_SIZE, "along the other axes as the inputs'"),
        field=(JOINED_FIELD, JOINED_START),
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs[0]:
            raise ShapeError("expected inputs of at least 1 axis, received a scalar")
        first = inputs[0]
        axis = axis_of(self.dim, len(first))
        shape = list(first)
        for x in inputs[1:]:
            if len(x) != len(first):
                raise ShapeError(f"{show_shape(first)} and {show_shape(x)} differ in the number of axes")
            for i, (m, n) in enumerate(zip(shape, x)):
                if i == axis:
                    shape[i] = CONCATENATED_SIZE(m, n, axis=axis)
                elif m != n:
                    require(equal(m, n), ShapesDiffer(axis_name(len(first), i), m, n, (first, x)))
                    shape[i] = n if isinstance(n, int) else m
        return tuple(shape)

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        axis = axis_of(self.dim, len(output))
        return None if any(field.axes[axis] for field in fields) else join(fields, output)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units that combine all inputs see; None along the axis of concatenation."""
        return None if axis % len(output) == axis_of(self.dim, len(output)) else joined(before)


class Stack(_Idle):
    """Tensors of equal shape stacked along a new axis ``dim``, as `torch.stack`.

    >>> Stack(1).output_shape((1, 4, 8), (1, 4, 8))
    (1, 2, 4, 8)
    """

    in_torch = False
    torch_call = "torch.stack([{all}], {dim})"
    merges = True
    rearranges = True
    joins = True

    arity = (1, ANY)

    dim: int = 0
    formulas = rules(
        size=(STACKED_SIZE, "along the other axes as the inputs'"),
        field=(JOINED_FIELD, JOINED_START),
    )

    def output_shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for x in inputs[1:]:
            require_alike(first, x, f"{show_shape(first)} and {show_shape(x)} differ")
        axis = axis_of(self.dim, len(first) + 1)
        return (*first[:axis], STACKED_SIZE(len(inputs), axis=axis), *first[axis:])

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        joint = join(fields, inputs[0])
        axis = axis_of(self.dim, len(output))
        return joint and joint.moved((*joint.axes[:axis], None, *joint.axes[axis:]))

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units that combine all inputs see."""
        return joined(before)
