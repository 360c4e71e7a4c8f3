"""Layers that give the same elements another shape, and sums and means over axes.

Positions merged into one axis act as channels for whatever reads that axis: their field is the full extent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convcalc.algebra.dims import as_dim, equal, prod, show, show_shape
from convcalc.algebra.field import Entry, Field, Packed, Part, Undefined
from convcalc.algebra.formula import Formula
from convcalc.algebra.intervals import Along
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError
from convcalc.layers.base import Fields, Layer, Shapes, Work, _Idle
from convcalc.layers.checks import Dims
from convcalc.layers.demands import require
from convcalc.layers.formulas import MIXED, WHOLE_FIELD, rules

FLATTENED_SIZE = Formula(
    "flattened size",
    "c*p",
    {"c": "size of the first axis merged: the channels", "p": "positions: the product of the other axes' sizes"},
    mistakes={"channels forgotten": "p", "added": "c + p"},
    source="torch.nn.Flatten",
)

MISSING_SIZE = Formula(
    "size for -1",
    "e//k",
    {"e": "elements, divided by the sizes that stay", "k": "product of the other sizes given"},
    source="torch.reshape: the number of elements stays the same",
)


def axis_of(dim: Dim, rank: int) -> int:
    """Return ``dim``, which may count from the end, as the index of an axis; raise ShapeError if it is out of range.

    >>> axis_of(-1, 4)
    3
    """
    span = max(rank, 1)  # torch accepts 0 and -1 for a tensor without axes
    if not isinstance(dim, int):
        raise ShapeError(f"an axis must be an integer; received {dim!r}")
    if -span <= dim < span:
        return dim % span
    what = f"dim {dim} is out of range for an input of {rank} axes ({-span} to {span - 1})"
    raise ShapeError(what, about=["dim"])


def axes_of(dims: Iterable[Dim], rank: int) -> tuple[int, ...]:
    """Return several dims as the indices of axes; raise ShapeError where one is out of range or an axis is repeated."""
    axes = tuple([axis_of(dim, rank) for dim in dims])
    if len(set(axes)) < len(axes):
        raise ShapeError(f"the same axis appears twice in {tuple(dims)}")
    return axes


class _Regrouping(_Idle):
    """A kind that divides the same elements into other axes."""

    rearranges = True
    formulas = rules(
        size=("the sizes given", MISSING_SIZE),
        field=(WHOLE_FIELD, "this holds where positions are merged; an axis that stays keeps its field"),
    )

    def check_sizes(self, name: str) -> None:
        """Make argument ``name`` a tuple of sizes, of which one may be -1; raise SpecError for others."""
        sizes = self.dims_of(name, getattr(self, name))
        if any(isinstance(n, int) and n < 1 and n != -1 for n in sizes) or sizes.count(-1) > 1:
            self.refuse_argument(name, f"must contain sizes of at least 1, and -1 at most once; received {sizes}")
        self.normalise(**{name: sizes})

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return regrouped(fields[0], inputs[0], output)


class Flatten(_Regrouping):
    """The axes from ``start_dim`` to ``end_dim`` merged into one, as `torch.nn.Flatten`.

    >>> Flatten().output_shape((1, 4, 8, 8))
    (1, 256)
    """

    torch_call = "{x}.flatten({start_dim}, {end_dim=-1})"

    start_dim: int = 1
    end_dim: int = -1
    formulas = rules(size=(FLATTENED_SIZE, MIXED))

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        first, last = axis_of(self.start_dim, len(x)), axis_of(self.end_dim, len(x))
        if first > last:
            what = f"start_dim {self.start_dim} comes after end_dim {self.end_dim} in {show_shape(x)}"
            raise ShapeError(what, about=["start_dim", "end_dim"])
        merged = FLATTENED_SIZE(x[first], prod(x[first + 1 : last + 1]), axis=first) if x else 1
        return (*x[:first], merged, *x[last + 1 :])


class Reshape(_Regrouping):
    """The same elements in another shape, of which one size may be -1, as `torch.reshape`.

    >>> Reshape((2, 2, -1)).output_shape((1, 4, 8, 8))
    (2, 2, 64)
    """

    in_torch = False
    torch_call = "{x}.reshape({*shape})"

    shape: Shape

    def check(self) -> None:
        self.check_sizes("shape")

    def output_shape(self, *inputs: Shape) -> Shape:
        return filled(self.shape, inputs[0])


class Unflatten(_Regrouping):
    """One axis split into several, of which one may be -1, as `torch.nn.Unflatten` without named axes.

    >>> Unflatten(1, (2, -1)).output_shape((1, 4, 8, 8))
    (1, 2, 2, 8, 8)
    """

    torch_call = "{x}.unflatten({dim}, {unflattened_size})"

    dim: int
    unflattened_size: Shape

    def check(self) -> None:
        if not isinstance(self.unflattened_size, (tuple, list)) or not self.unflattened_size:
            self.refuse_argument("unflattened_size", f"must be a tuple of sizes; received {self.unflattened_size!r}")
        self.check_sizes("unflattened_size")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        axis = axis_of(self.dim, len(x))
        return (*x[:axis], *filled(self.unflattened_size, x[axis : axis + 1], axis), *x[axis + 1 :])


def filled(sizes: Shape, before: Shape, first: int = 0) -> Shape:
    """Return ``sizes`` with -1 replaced so that they hold the elements of ``before``; raise ShapeError if none fits.

    They are the sizes of the output's axes ``first``, ``first + 1``, …

    >>> filled((2, -1), (1, 4, 8))
    (2, 16)
    """
    is_open, others = -1 in sizes, [n for n in sizes if n != -1]
    rest = []
    for n in before:  # equal sizes cancel, which keeps assumptions on letters short
        if n in others:
            others.remove(n)
        else:
            rest.append(n)
    have, need = prod(rest), prod(others)
    missing = as_dim(have // need) if is_open else 1
    fits = equal(have, need * missing)
    if fits is not True:
        total, wanted = show(prod(before)), " x ".join("?" if n == -1 else show(n) for n in sizes)
        require(fits, f"the {total} elements of {show_shape(before)} do not fill {wanted}")
    return tuple([MISSING_SIZE(have, need, axis=i) if n == -1 else n for i, n in enumerate(sizes, first)])


def regrouped(field: Field, before: Shape, after: Shape) -> Field | None:
    """Return the field after a reshape: axes that stay keep it, split axes become windows, merged axes see everything.

    Windows merged with other axes are packed until another reshape splits them again.
    """
    if before == after:
        return field
    axes: list[Entry] = [None] * len(after)
    merged = {i for i, n in enumerate(before) if n == 1}
    for old, new in _groups(before, after):
        if not any(field.axes[i] for i in old):
            continue
        factors: list[Factor] = []
        for i in old:
            entry = field.axes[i]
            factors += zip(entry.sizes, entry.axes) if isinstance(entry, Packed) else [(before[i], entry)]
        for i, taken in zip(new, _distributed(factors, [after[i] for i in new])):
            together = _reunited(taken)
            if len(together) == 1:
                axes[i] = together[0][1]
            elif any(isinstance(entry, Part) for _, entry in together):
                axes[i] = Packed(*zip(*together))
            else:
                merged.update(old)
    return field.collapsed(sorted(merged)).moved(axes)


Factor = tuple[Dim, "Along | Part | None"]
"""A factor of a tensor's axis: its size, and its entry in the field."""


def _distributed(factors: list[Factor], sizes: Sequence[Dim]) -> Iterator[list[Factor]]:
    """Yield the factors of each new axis in turn; a factor that does not fit into its axis is split in two."""
    rest = list(factors)
    for room in sizes:
        taken: list[Factor] = []
        while room != 1:
            if not rest:
                raise Undefined
            n, entry = rest.pop(0)
            if equal(room % n, 0) is not True:
                inner = as_dim(n // room)
                if isinstance(entry, Part) or as_dim(inner * room) != n:
                    raise Undefined
                rest.insert(0, (inner, entry and Part(entry, n, inner, True)))
                n, entry = room, entry and Part(entry, n, inner, False)
            taken.append((n, entry))
            room = as_dim(room // n)
        yield taken


def _reunited(factors: list[Factor]) -> list[Factor]:
    """Return the factors with windows and the places inside them joined into the axis that they were split from."""
    joined: list[Factor] = []
    for n, entry in factors:
        m, before = joined[-1] if joined else (1, None)
        if isinstance(entry, Part) and entry.inner and before == entry._replace(inner=False):
            joined[-1] = m * n, entry.along
        else:
            joined.append((n, entry))
    return joined


def _groups(before: Shape, after: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the shortest runs of axes that hold the same elements before and after, leaving out sizes of 1."""
    cut: dict[Dim, int] = {1: 0}
    new = [i for i, n in enumerate(after) if n != 1]
    for j, i in enumerate(new, 1):
        cut[as_dim(prod(after[: i + 1]))] = j
    run: list[int] = []
    used = 0
    for i, n in enumerate(before):
        if n == 1:
            continue
        run.append(i)
        upto = cut.get(as_dim(prod(before[: i + 1])))
        if upto is not None:
            yield run, new[used:upto]
            run, used = [], upto


class Sum(Layer):
    """The sum over the axes ``dim``, or over all, as `torch.sum`; with ``keepdim`` they stay with size 1.

    >>> Sum(1).output_shape((1, 4, 8, 8))
    (1, 8, 8)
    """

    in_torch = False
    torch_call = "{x}.sum({**rest})"

    dim: int | Dims | None = None
    keepdim: bool = False
    formulas = rules(
        size=("the input's without the axes summed over, or 1 for each with keepdim",),
        field=(WHOLE_FIELD, MIXED),
    )

    def reduced(self, rank: int) -> tuple[int, ...]:
        """Return the axes of an input of ``rank`` axes that are summed over."""
        dims = () if self.dim is None else self.dims_of("dim", self.dim)
        return axes_of(dims or range(rank), rank)  # none are all, as in torch

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        reduced = self.reduced(len(x))
        if self.keepdim:
            return tuple([1 if i in reduced else n for i, n in enumerate(x)])
        return tuple([n for i, n in enumerate(x) if i not in reduced])

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"add": prod(inputs[0])}

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field:
        reduced = [i for i in self.reduced(len(inputs[0])) if i < len(inputs[0])]
        field = fields[0].collapsed(reduced)
        return field if self.keepdim else field.moved([axis for i, axis in enumerate(field.axes) if i not in reduced])


class Mean(Sum):
    """The mean over the axes ``dim``, or over all, as `torch.mean`; with ``keepdim`` they stay with size 1.

    >>> Mean((2, 3)).output_shape((1, 4, 8, 8))
    (1, 4)
    """

    torch_call = "{x}.mean({**rest})"

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {"add": prod(inputs[0]), "mul": prod(output)}
