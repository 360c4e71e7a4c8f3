"""Layers that put the same elements into another shape: Flatten, Unflatten and Reshape.

The first two are torch.nn's. What all layers without work share stands here too. Those that
reorder, drop or stretch axes stand in `axes`, slices in `slicing`, means and sums in `reducing`.

Receptive fields: positions merged into one axis are channels to whatever reads that axis, and what reads channels reads
them all, so they see the whole. An axis split in two has no single interval map: its field is not defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, Shape, as_dim, equal, prod, show, show_shape
from convcalc.algebra.field import Along, Field
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Layer
from convcalc.layers.checks import require
from convcalc.layers.work import NOTHING, Work


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


class _Moving(Layer):
    """What all kinds here share: no work, and the checks of their arguments."""

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING

    def whole_numbers(self, *names: str) -> None:
        """Put ints (anything with ``__index__``) in place of the named arguments."""
        self.normalise(**{name: self.whole(name, getattr(self, name)) for name in names})

    def several(self, name: str) -> tuple[Any, ...]:
        """Argument ``name``, one number or several, as a tuple of dims; raises SpecError."""
        value = getattr(self, name)
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        return tuple([self.whole(name, item) for item in values])

    def whole(self, name: str, value: Any) -> Any:
        """A number given for argument ``name`` as a dim; raises SpecError."""
        if isinstance(value, bool):
            raise SpecError(f"{name} takes a whole number; received {value}", where=type(self).__name__)
        return as_dim(value, f"{type(self).__name__}: {name}")

    def shape_argument(self, name: str) -> None:
        """Put a tuple of sizes in place of argument ``name``: positive, but for one -1."""
        sizes = self.several(name)
        if any(isinstance(n, int) and n < 1 and n != -1 for n in sizes) or sizes.count(-1) > 1:
            raise SpecError(
                f"{name} must hold sizes of at least 1, and -1 at most once; received {sizes}",
                where=type(self).__name__,
            )
        self.normalise(**{name: sizes})


class Flatten(_Moving):
    """Merge the axes from ``start_dim`` to ``end_dim`` into one, as `torch.nn.Flatten`.

    >>> Flatten().output_shape((1, 256, 6, 6))
    (1, 9216)
    """

    start_dim: int = 1
    end_dim: int = -1

    def check(self) -> None:
        if type(self.start_dim) is not int or type(self.end_dim) is not int:
            self.whole_numbers("start_dim", "end_dim")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        first, last = axis_of(self.start_dim, len(x)), axis_of(self.end_dim, len(x))
        if first > last:
            raise ShapeError(f"start_dim {self.start_dim} comes after end_dim {self.end_dim} in {show_shape(x)}")
        return (*x[:first], prod(x[first : last + 1]), *x[last + 1 :])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return regrouped(fields[0], inputs[0], output)


class Reshape(_Moving):
    """The same elements in another shape, of which one size may be -1: found from the rest. As `torch.reshape`.

    >>> Reshape((2, 4, -1)).output_shape((2, 8, 5, 5))
    (2, 4, 50)
    """

    shape: Shape

    def check(self) -> None:
        self.shape_argument("shape")

    def output_shape(self, *inputs: Shape) -> Shape:
        return filled(self.shape, inputs[0])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return regrouped(fields[0], inputs[0], output)


class Unflatten(_Moving):
    """Split one axis into several, one of which may be -1, as `torch.nn.Unflatten` without named axes.

    >>> Unflatten(1, (2, -1)).output_shape((1, 8, 5, 5))
    (1, 2, 4, 5, 5)
    """

    dim: int
    unflattened_size: Shape

    def check(self) -> None:
        self.whole_numbers("dim")
        if not isinstance(self.unflattened_size, (tuple, list)) or not self.unflattened_size:
            raise SpecError(
                f"unflattened_size must be a tuple of sizes; received {self.unflattened_size!r}", where="Unflatten"
            )
        self.shape_argument("unflattened_size")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        axis = axis_of(self.dim, len(x))
        return (*x[:axis], *filled(self.unflattened_size, x[axis : axis + 1]), *x[axis + 1 :])

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return regrouped(fields[0], inputs[0], output)


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
    """The field after a reshape: axes that stay keep it, merged ones see the whole, of split ones it is not defined."""
    if before == after:
        return field
    axes: list[Along | None] = [None] * len(after)
    gone = {i for i, n in enumerate(before) if n == 1}
    for old, new in _groups(before, after):
        if len(old) == len(new) == 1:
            axes[new[0]] = field.axes[old[0]]
        elif len(new) == 1:
            gone.update(old)
        elif any(field.axes[i] for i in old):
            return None
    return field.collapsed(sorted(gone)).moved(axes)


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
