"""Layers that put the same elements into another shape, and means and sums over whole axes.

Receptive fields: positions merged into one axis are channels to whatever reads that axis, and see the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, Shape, as_dim, equal, prod, show, show_shape
from convcalc.algebra.field import Entry, Field, Packed, Part, Undefined
from convcalc.algebra.intervals import Along
from convcalc.errors import ShapeError
from convcalc.layers.base import Layer, Work, _Idle, require


def axis_of(dim: int, rank: int) -> int:
    """``dim``, which may count from the end, as an axis number; raises ShapeError where there is no such axis.

    >>> axis_of(-1, 4)
    3
    """
    span = max(rank, 1)  # torch lets a tensor without axes answer to 0 and -1
    if not isinstance(dim, int):
        raise ShapeError(f"an axis is named by a whole number; received {dim!r}")
    if -span <= dim < span:
        return dim % span
    raise ShapeError(f"there is no dim {dim} in an input of {rank} axes (they go from {-span} to {span - 1})")


def axes_of(dims: Iterable[int], rank: int) -> tuple[int, ...]:
    """Several dims as axis numbers; raises ShapeError where one is missing or stands twice."""
    axes = tuple([axis_of(dim, rank) for dim in dims])
    if len(set(axes)) < len(axes):
        raise ShapeError(f"the same axis stands twice in {tuple(dims)}")
    return axes


class _Moving(_Idle):
    def several(self, name: str) -> tuple[Any, ...]:
        """Argument ``name``, one number or several, as a tuple of dims; raises SpecError."""
        value = getattr(self, name)
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        return tuple([self.dim_of(name, item) for item in values])

    def shape_argument(self, name: str) -> None:
        """Put a tuple of sizes in place of argument ``name``: positive, but for one -1."""
        sizes = self.several(name)
        if any(isinstance(n, int) and n < 1 and n != -1 for n in sizes) or sizes.count(-1) > 1:
            self.refuse(f"{name} must hold sizes of at least 1, and -1 at most once; received {sizes}")
        self.normalise(**{name: sizes})


class _Regrouping(_Moving):
    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return regrouped(fields[0], inputs[0], output)


class Flatten(_Regrouping):
    """Merge the axes from ``start_dim`` to ``end_dim`` into one, as `torch.nn.Flatten`.

    >>> Flatten().output_shape((1, 256, 6, 6))
    (1, 9216)
    """

    start_dim: int = 1
    end_dim: int = -1

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        first, last = axis_of(self.start_dim, len(x)), axis_of(self.end_dim, len(x))
        if first > last:
            raise ShapeError(f"start_dim {self.start_dim} comes after end_dim {self.end_dim} in {show_shape(x)}")
        return (*x[:first], prod(x[first : last + 1]), *x[last + 1 :])


class Reshape(_Regrouping):
    """The same elements in another shape, of which one size may be -1: found from the rest. As `torch.reshape`.

    >>> Reshape((2, 4, -1)).output_shape((2, 8, 5, 5))
    (2, 4, 50)
    """

    shape: Shape

    def check(self) -> None:
        self.shape_argument("shape")

    def output_shape(self, *inputs: Shape) -> Shape:
        return filled(self.shape, inputs[0])


class Unflatten(_Regrouping):
    """Split one axis into several, one of which may be -1, as `torch.nn.Unflatten` without named axes.

    >>> Unflatten(1, (2, -1)).output_shape((1, 8, 5, 5))
    (1, 2, 4, 5, 5)
    """

    dim: int
    unflattened_size: Shape

    def check(self) -> None:
        if not isinstance(self.unflattened_size, (tuple, list)) or not self.unflattened_size:
            self.refuse(f"unflattened_size must be a tuple of sizes; received {self.unflattened_size!r}")
        self.shape_argument("unflattened_size")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        axis = axis_of(self.dim, len(x))
        return (*x[:axis], *filled(self.unflattened_size, x[axis : axis + 1]), *x[axis + 1 :])


def filled(sizes: Shape, before: Shape) -> Shape:
    """``sizes`` with the -1 found, for the elements of ``before``; raises ShapeError where their number differs."""
    missing, known = -1 in sizes, [n for n in sizes if n != -1]
    rest = []
    for n in before:  # equal sizes cancel, which keeps what is assumed of letters short
        if n in known:
            known.remove(n)
        else:
            rest.append(n)
    have, need = prod(rest), prod(known)
    found = as_dim(have // need) if missing else 1
    fits = equal(have, need * found)
    if fits is not True:
        total, wanted = show(prod(before)), " x ".join("?" if n == -1 else show(n) for n in sizes)
        require(fits, f"the {total} elements of {show_shape(before)} do not fill {wanted}")
    return tuple([found if n == -1 else n for n in sizes])


def regrouped(field: Field, before: Shape, after: Shape) -> Field | None:
    """The field after a reshape: axes that stay keep it, split ones become windows, merged ones see the whole.

    Windows whose axes are merged with others are packed, until a reshape takes them apart again.
    """
    if before == after:
        return field
    axes: list[Entry] = [None] * len(after)
    gone = {i for i, n in enumerate(before) if n == 1}
    for old, new in _groups(before, after):
        if not any(field.axes[i] for i in old):
            continue
        factors = [factor for i in old for factor in _unpacked(before[i], field.axes[i])]
        for i, taken in zip(new, _dealt(factors, [after[i] for i in new])):
            together = _put_together(taken)
            if len(together) == 1:
                axes[i] = together[0][1]
            elif any(isinstance(entry, Part) for _, entry in together):
                sizes, entries = zip(*together)
                axes[i] = Packed(sizes, entries)
            else:
                gone.update(old)
    return field.collapsed(sorted(gone)).moved(axes)


Factor = tuple[Dim, "Along | Part | None"]
"""An axis that is a factor of a tensor axis: its size, and what a field knows of it."""


def _unpacked(size: Dim, entry: Entry) -> list[Factor]:
    return list(zip(entry.sizes, entry.axes)) if isinstance(entry, Packed) else [(size, entry)]


def _dealt(factors: list[Factor], sizes: Sequence[Dim]) -> Iterator[list[Factor]]:
    """The factors dealt to new axes of these sizes; one that reaches beyond an axis is split in two."""
    rest = list(factors)
    for size in sizes:
        taken: list[Factor] = []
        room = size
        while room != 1:
            if not rest:
                raise Undefined
            n, entry = rest.pop(0)
            if equal(room % n, 0) is not True:
                inner = as_dim(n // room)
                if as_dim(inner * room) != n:
                    raise Undefined
                rest.insert(0, (inner, _part(entry, n, inner, True)))
                n, entry = room, _part(entry, n, inner, False)
            taken.append((n, entry))
            room = as_dim(room // n)
        yield taken


def _part(entry: Along | Part | None, size: Dim, window: Dim, inner: bool) -> Part | None:
    if isinstance(entry, Part):
        raise Undefined
    return Part(entry, size, window, inner) if entry else None


def _put_together(factors: list[Factor]) -> list[Factor]:
    """The factors, windows and the places inside them as the one axis that they were."""
    whole: list[Factor] = []
    for n, entry in factors:
        m, before = whole[-1] if whole else (1, None)
        if isinstance(entry, Part) and entry.inner and before == entry._replace(inner=False):
            whole[-1] = m * n, entry.along
        else:
            whole.append((n, entry))
    return whole


def _groups(before: Shape, after: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """The shortest runs of axes (sizes of 1 apart) that hold the same elements before and after."""
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
    """The sum over the axes ``dim`` (all, where it is None), which stay with size 1 if ``keepdim``; as `torch.sum`.

    >>> Sum(1).output_shape((2, 8, 7, 7))
    (2, 7, 7)
    """

    dim: int | tuple[int, ...] | None = None
    keepdim: bool = False

    def check(self) -> None:
        if isinstance(self.dim, (tuple, list)):
            self.normalise(dim=tuple([self.dim_of("dim", item) for item in self.dim]))
        elif self.dim is not None:
            self.normalise(dim=self.dim_of("dim", self.dim))

    def reduced(self, rank: int) -> tuple[int, ...]:
        """The axes that are summed over; raises ShapeError where one is missing."""
        dims = self.dim if isinstance(self.dim, tuple) else () if self.dim is None else (self.dim,)
        return axes_of(dims or range(rank), rank)  # no axes named: all, as in torch

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        gone = self.reduced(len(x))
        if self.keepdim:
            return tuple([1 if i in gone else n for i, n in enumerate(x)])
        return tuple([n for i, n in enumerate(x) if i not in gone])

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(inputs[0])}

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        gone = [i for i in self.reduced(len(inputs[0])) if i < len(inputs[0])]
        field = fields[0].collapsed(gone)
        return field if self.keepdim else field.moved([axis for i, axis in enumerate(field.axes) if i not in gone])


class Mean(Sum):
    """The mean over the axes ``dim`` (all, where it is None), which stay with size 1 if ``keepdim``; as `torch.mean`.

    >>> Mean((2, 3)).output_shape((1, 512, 7, 7))
    (1, 512)
    """

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {"add": prod(inputs[0]), "mul": prod(output)}
