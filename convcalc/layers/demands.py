"""What a layer demands of its inputs: errors with the values expected and received, and functions that raise them.

A demand on letters cannot be decided; it becomes an assumption of the graph, with the text of its error as the reason.
Demands on arguments are in `layers.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from convcalc.algebra.dims import equal, show, show_shape
from convcalc.algebra.types import Condition, Dim, Shape
from convcalc.errors import ShapeError, SpecError

if TYPE_CHECKING:
    from inspect import Parameter

T = TypeVar("T")

ANY = 1_000_000  # any number of inputs

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""The names of the spatial axes, by their number."""

Assumed: TypeAlias = "tuple[Condition, str]"
"""An assumption on letters, and the error where it does not hold."""

_assumed: ContextVar[list[Assumed] | None] = ContextVar("assumed", default=None)


def axis_name(rank: int, axis: int) -> str:
    """Return the name of a tensor's axis.

    >>> axis_name(4, 2)
    'height'
    """
    names = ("batch size", "number of channels", *AXES.get(rank - 2, ()))
    return names[axis] if axis < len(names) else f"axis {axis}"


def counted(least: int, most: int) -> str:
    """Return a number of inputs from ``least`` to ``most`` in words.

    >>> counted(1, 1), counted(1, 3), counted(2, ANY)
    ('1 input', '1 to 3 inputs', 'at least 2 inputs')
    """
    if least < most < ANY:
        return f"{least} to {most} inputs"
    return f"{'at least ' * (most >= ANY)}{least} input{'s' * (least != 1)}"


class WrongNumberOfInputs(ShapeError):
    """Fewer or more inputs than a layer or a module takes; ``names`` are those of its ``forward``, if known.

    >>> print(WrongNumberOfInputs(3, 3, 1, ["query", "key", "value"]))
    takes 3 inputs (query, key, value), received 1
    """

    def __init__(
        self, least: int, most: int, received: int, names: Sequence[str] | None = None, *, where: str = ""
    ) -> None:
        self.least = least
        self.most = most
        self.received = received
        self.names = names
        listed = "" if names is None else f" ({', '.join(names)})"
        super().__init__(f"takes {counted(least, most)}{listed}, received {received}", where=where)


class WrongAxes(ShapeError):
    """An input whose number of axes is not one of ``expected``.

    >>> print(WrongAxes((4, 3), (1, 8)))
    expected an input of 4 or 3 axes, received 2: 1 x 8
    """

    def __init__(self, expected: Sequence[int], shape: Shape) -> None:
        self.expected = tuple(expected)
        self.shape = shape
        wanted = " or ".join(map(str, expected))
        super().__init__(f"expected an input of {wanted} axes, received {len(shape)}: {show_shape(shape)}")


class TooFewAxes(ShapeError):
    """An input of fewer axes than ``least``.

    >>> print(TooFewAxes(3, (1, 8)))
    expected an input of at least 3 axes, received 2: 1 x 8
    """

    def __init__(self, least: int, shape: Shape) -> None:
        self.least = least
        self.shape = shape
        super().__init__(f"expected an input of at least {least} axes, received {len(shape)}: {show_shape(shape)}")


class WrongSpatialAxes(ShapeError):
    """An input whose number of spatial axes differs from the number of values in ``argument``.

    >>> print(WrongSpatialAxes("size", 2, (1, 4, 8)))
    expected an input of 2 spatial axes (size), received 1: 1 x 4 x 8
    """

    def __init__(self, argument: str, expected: int, shape: Shape) -> None:
        self.argument = argument
        self.expected = expected
        self.shape = shape
        wanted = f"an input of {expected} spatial axes ({argument})"
        super().__init__(f"expected {wanted}, received {len(shape) - 2}: {show_shape(shape)}", about=[argument])


class SizeMismatch(ShapeError):
    """An axis whose size differs from what ``argument`` says; ``axis`` is what the size counts, in the plural.

    >>> print(SizeMismatch("in_channels", "channels", 3, 4))
    expected 3 channels (in_channels), received 4
    """

    def __init__(self, argument: str, axis: str, expected: Dim, received: Dim) -> None:
        self.argument = argument
        self.axis = axis
        self.expected = expected
        self.received = received
        what = f"expected {show(expected)} {axis} ({argument}), received {show(received)}"
        super().__init__(what, about=[argument])


class NotDivisible(ShapeError):
    """An axis whose size is not a multiple of what ``argument`` says.

    >>> print(NotDivisible("groups", "channels", 6, 4))
    expected channels divisible by 4 (groups), received 6
    """

    def __init__(self, argument: str, axis: str, size: Dim, by: Dim) -> None:
        self.argument = argument
        self.axis = axis
        self.size = size
        self.by = by
        super().__init__(
            f"expected {axis} divisible by {show(by)} ({argument}), received {show(size)}", about=[argument]
        )


class ShapesDiffer(ShapeError):
    """Two inputs that differ along ``axis``, where their sizes ``a`` and ``b`` must agree.

    >>> print(ShapesDiffer("height", 8, 9, ((1, 4, 8, 8), (1, 4, 9, 8))))
    the inputs differ in height (8 and 9)
    """

    def __init__(self, axis: str, a: Dim, b: Dim, shapes: tuple[Shape, Shape]) -> None:
        self.axis = axis
        self.a = a
        self.b = b
        self.shapes = shapes
        super().__init__(f"the inputs differ in {axis} ({show(a)} and {show(b)})")


class NotBroadcastable(ShapeError):
    """Two inputs that cannot be broadcast to one shape, since one has size ``a`` where the other has ``b``.

    >>> print(NotBroadcastable(8, 9, ((1, 4, 8, 8), (1, 4, 9, 8))))
    1 x 4 x 8 x 8 and 1 x 4 x 9 x 8 cannot be broadcast: 8 does not match 9
    """

    def __init__(self, a: Dim, b: Dim, shapes: tuple[Shape, Shape]) -> None:
        self.a = a
        self.b = b
        self.shapes = shapes
        both = " and ".join(map(show_shape, shapes))
        super().__init__(f"{both} cannot be broadcast: {show(a)} does not match {show(b)}")


class TooSmall(ShapeError):
    """An output of ``rank`` axes that is empty along ``axis``.

    >>> error = TooSmall(4, 2, 0)
    >>> print(error, error.is_spatial)
    the output height is 0 True
    """

    def __init__(self, rank: int, axis: int, size: Dim) -> None:
        self.rank = rank
        self.axis = axis
        self.size = size
        super().__init__(f"the output {axis_name(rank, axis)} is {show(size)}")

    @property
    def is_spatial(self) -> bool:
        """Return whether the axis is a spatial one, along which windows slide."""
        return self.rank - 2 in AXES and self.axis >= 2


def require(condition: Condition, error: str | ShapeError) -> None:
    """Raise ``error`` (a text becomes a ShapeError) if ``condition`` is false; on letters it becomes an assumption."""
    if condition is False:
        raise ShapeError(error) if isinstance(error, str) else error
    if condition is not True and (assumed := _assumed.get()) is not None:
        assumed.append((condition, error if isinstance(error, str) else error.what))


def require_axes(shape: Shape, least: int) -> None:
    """Raise TooFewAxes unless a shape has at least ``least`` axes."""
    if len(shape) < least:
        raise TooFewAxes(least, shape)


def require_size(received: Dim, expected: Dim, argument: str, axis: str) -> None:
    """Raise SizeMismatch unless an axis has the size that ``argument`` says."""
    if received != expected:
        require(equal(received, expected), SizeMismatch(argument, axis, expected, received))


def require_divisible(size: Dim, by: Dim, axis: str, argument: str) -> None:
    """Raise NotDivisible unless the size of an axis is a multiple of what ``argument`` says."""
    fits = equal(size % by, 0)
    if fits is not True:
        require(fits, NotDivisible(argument, axis, size, by))


def require_alike(a: Shape, b: Shape, what: str) -> None:
    """Raise ShapeError with the text ``what`` unless two shapes are equal."""
    require(len(a) == len(b), what)
    for m, n in zip(a, b):
        require(equal(m, n), what)


def collect_assumptions(compute: Callable[[], T]) -> tuple[T, tuple[Assumed, ...]]:
    """Return what ``compute`` returns, and what it assumes of letters."""
    assumed: list[Assumed] = []
    token = _assumed.set(assumed)
    try:
        return compute(), tuple(assumed)
    finally:
        _assumed.reset(token)


def check_call(forward: Callable[..., Any], where: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Raise SpecError for wrong options of a call of ``forward``, WrongNumberOfInputs for wrong inputs.

    >>> check_call(lambda x, y: x, "Net", [1], {})
    Traceback (most recent call last):
    convcalc.layers.demands.WrongNumberOfInputs: Net: takes 2 inputs (x, y), received 1
    """
    from inspect import signature  # slow to import, and needed for errors alone

    expected = signature(forward)
    try:
        expected.bind(*inputs, **options)
        return
    except TypeError:
        pass
    for name in options:
        if name not in expected.parameters:
            hint = f"it takes {', '.join(expected.parameters)}"
            raise SpecError(f"a call has no argument {name!r}", where=where, hint=hint) from None
    raise _wrong_number(list(expected.parameters.values()), len(inputs), where) from None


def _wrong_number(parameters: Sequence[Parameter], received: int, where: str) -> WrongNumberOfInputs:
    """Return the error for ``received`` inputs: where they are too few, it names those needed, else all there are."""
    places = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    names = [p.name for p in places]
    endless = any(p.kind is p.VAR_POSITIONAL for p in places)
    least = sum(p.default is p.empty for p in places) - endless
    if received < least < len(places):
        return WrongNumberOfInputs(least, ANY, received, names[:least], where=where)
    return WrongNumberOfInputs(least, ANY if endless else len(places), received, names, where=where)
