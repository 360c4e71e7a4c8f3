"""The contract of a layer: which facts each kind states about a call, and what it may demand of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from convcalc.algebra.dims import as_dim, at_least, equal, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.intervals import Reach, Taps
from convcalc.algebra.types import Condition, Dim, Shape
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.binding import _REQUIRED as _REQUIRED
from convcalc.layers.binding import Configured

# What a layer may say that it computes, each word priced by a convention (`analysis.metrics`); a new one belongs here
# only when a convention prices it differently from all others.
Op: TypeAlias = Literal[
    "mac",  # a multiply–accumulate of a convolution or a matrix product
    "bias",  # a bias added
    "stat",  # an element entering a mean and a variance
    "norm",  # an element normalised by them
    "affine",  # an element scaled and shifted by learned parameters
    "activation",  # an element passed through an activation function
    "compare",  # an element compared in a maximum's window
    "add",  # any other addition: merges, averages
    "mul",  # any other multiplication or division
    "exp",  # an exponential of a softmax
    "interpolate",  # a source element weighted in an interpolation
    "lookup",  # a row read from a table
]
OPS: tuple[Op, ...] = get_args(Op)
Work: TypeAlias = Mapping[Op, Dim]

Fields: TypeAlias = Sequence[Field]
Shapes: TypeAlias = Sequence[Shape]
Tensors: TypeAlias = Mapping[str, Shape]

recorder: ContextVar[Callable[..., Any]] = ContextVar("recorder")
"""The tape in force: what a call of a layer on symbolic tensors is handed to."""

ANY = 1_000_000  # as many inputs as one likes


class Layer(Configured):
    """A kind of layer: its arguments as annotated attributes, and the facts about a call."""

    arity: ClassVar[tuple[int, int]] = (1, 1)  # the least and the greatest number of inputs

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Record a call on symbolic tensors; returns the output tensor."""
        try:
            return self.forward(*inputs, **options)
        except TypeError:
            check_call(self.forward, self, inputs, options)
            raise

    def forward(self, *inputs: Any) -> Any:
        """What a call does; kinds that return several tensors, or take more than tensors, differ."""
        return record(self, *inputs)

    def further(self, name: str, output: Any, *inputs: Any) -> Any:
        """Record a further output of a call."""
        return record(Output(self, name), output, *inputs)

    # The facts, for a call with inputs of these shapes: (N, C, *spatial).

    def resolve(self, *inputs: Shape) -> Layer:
        """The layer that a first call makes of this one; Lazy kinds differ."""
        return self

    def output_shape(self, *inputs: Shape) -> Shape:
        """By default the first input's shape; raises ShapeError where torch refuses the input."""
        return inputs[0]

    def further_outputs(self, *inputs: Shape) -> Tensors:
        """What a call returns besides."""
        return {}

    def further_field(self, name: str, main: Field) -> Field | None:
        """As `field`; by default that of the main output."""
        return main

    def weights(self) -> Tensors:
        """Learned tensors, named as in torch's ``state_dict``."""
        return {}

    def weight_and_bias(self, weight: Shape, bias: Shape) -> Tensors:
        """`weights` of a kind that has an argument ``bias``."""
        return {"weight": weight, "bias": bias} if self.__dict__["bias"] else {"weight": weight}

    def buffers(self) -> Tensors:
        """Tensors that are not learned."""
        return {}

    def work(self, inputs: Shapes, output: Shape) -> Work | None:
        """What a call computes; None where that is not known."""
        return None

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        """The output's receptive field, by default that of pointwise kinds; None, or Undefined, where there is none."""
        return join(fields, output)

    def require_rank(self, shape: Shape, *ranks: int) -> None:
        """Raise ShapeError for another number of axes, by default than channels and the spatial ones, batch or not."""
        ranks = ranks or (self.rank + 2, self.rank + 1)
        if len(shape) not in ranks:
            wanted = " or ".join(map(str, ranks))
            raise ShapeError(f"expected an input of {wanted} axes, received {len(shape)}: {show_shape(shape)}")


class _Idle(Layer):
    """A kind that computes nothing."""

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {}


class Lazy(Layer):
    """A kind whose first argument is the channels of its first input, which makes it the kind that it ``becomes``.

    Written ``class LazyConv2d(Lazy, becomes=Conv2d)``.
    """

    becomes: ClassVar[type[Layer]] = Layer
    channel_axis: ClassVar[int] = 0  # where the channels are, if not before the spatial axes
    factory = True

    def __init_subclass__(cls, becomes: type[Layer] | None = None, **options: Any) -> None:
        """Give the class the arguments of the kind that it ``becomes``, but for the first; families become none."""
        super().__init_subclass__(rank=becomes.rank if becomes else None, **options)
        if becomes is not None:
            cls.becomes, cls.annotated, cls.named_paddings = becomes, becomes.annotated, becomes.named_paddings
            cls.take(becomes.names[1:], becomes.arguments)

    def resolve(self, *inputs: Shape) -> Layer:
        require_inputs(self, inputs)
        x, axis = inputs[0], self.channel_axis or -1 - self.rank
        if not -len(x) <= axis < len(x):
            raise ShapeError(f"expected an input with channels, received {show_shape(x)}")
        return self.becomes(x[axis], **self.__dict__)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.resolve(*inputs).output_shape(*inputs)


class Output(_Idle):
    """A further output, such as the last state of an LSTM, recorded on the main one and the layer's own inputs.

    A graph keeps it only where it is used.
    """

    source: Layer
    name: str
    arity = (1, ANY)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.source.further_outputs(*inputs[1:])[self.name]

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return self.source.further_field(self.name, fields[0])


def check_call(forward: Callable[..., Any], owner: Any, inputs: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Raise ShapeError where a ``forward`` takes other inputs, SpecError for options."""
    from inspect import Parameter, signature  # costs the start of a run

    takes = signature(forward)
    try:
        takes.bind(*inputs, **options)
        return
    except TypeError:
        pass
    where = repr(owner) if isinstance(owner, Layer) else type(owner).__name__
    for name in options:
        if name not in takes.parameters:
            hint = f"it takes {', '.join(takes.parameters)}"
            raise SpecError(f"a call has no argument {name!r}", where=where, hint=hint) from None
    places = [p for p in takes.parameters.values() if p.kind is not Parameter.KEYWORD_ONLY]
    several = any(p.kind is Parameter.VAR_POSITIONAL for p in places)
    least = sum(p.default is Parameter.empty for p in places) - several
    few = len(inputs) < least < len(places)
    wanted = counted(least, ANY if several or few else len(places))
    shown = ", ".join([p.name for p in places[: least if few else None]])
    raise ShapeError(f"takes {wanted} ({shown}), received {len(inputs)}", where=where) from None


def counted(least: int, most: int) -> str:
    """So many inputs, in words.

    >>> counted(1, 1), counted(1, 3), counted(2, ANY)
    ('1 input', '1 to 3 inputs', 'at least 2 inputs')
    """
    if least < most < ANY:
        return f"{least} to {most} inputs"
    return f"{'at least ' * (most >= ANY)}{least} input{'s' * (least != 1)}"


def require_inputs(layer: Layer, inputs: Shapes) -> None:
    """Raise ShapeError unless ``layer`` takes so many."""
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        raise ShapeError(f"takes {counted(least, most)}, received {len(inputs)}")


def record(layer: Layer, *inputs: Any) -> Any:
    try:
        tape = recorder.get()
    except LookupError:
        what, hint = "a layer computes shapes only inside trace() or summary()", "call convcalc.summary(model, shape)"
        raise SpecError(what, where=repr(layer), hint=f"{hint} instead of the model itself") from None
    return tape(layer, *inputs)


def kinds(base: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """Every public kind of layer that is loaded; families begin with an underscore."""
    for kind in base.__subclasses__():
        if not kind.__name__.startswith("_") and kind not in (Lazy, Output):
            yield kind
        yield from kinds(kind)


AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""The names of the spatial axes, by their number."""

Assumed: TypeAlias = "tuple[Condition, str]"
"""What is assumed of letters, and what is wrong where it does not hold."""

_assumed: ContextVar[list[Assumed] | None] = ContextVar("assumed", default=None)


def require(condition: Condition, what: str) -> None:
    """Raise ShapeError where ``condition`` is false; where it hangs on letters, the graph assumes it."""
    if condition is False:
        raise ShapeError(what)
    if condition is not True and (assumed := _assumed.get()) is not None:
        assumed.append((condition, what))


def require_axes(shape: Shape, least: int) -> None:
    if len(shape) < least:
        raise ShapeError(f"expected an input of at least {least} axes, received {len(shape)}: {show_shape(shape)}")


def require_size(received: Dim, expected: Dim, name: str, axis: str) -> None:
    """Raise ShapeError unless an axis has the size that argument ``name`` says."""
    if received != expected:
        what = f"expected {show(expected)} {axis} ({name}), received {show(received)}"
        require(equal(received, expected), what)


def require_divisible(size: Dim, by: Dim, axis: str, name: str) -> None:
    what = f"expected {axis} divisible by {show(by)} ({name}), received {show(size)}"
    require(equal(size % by, 0), what)


def require_alike(a: Shape, b: Shape, what: str) -> None:
    require(len(a) == len(b), what)
    for m, n in zip(a, b):
        require(equal(m, n), what)


def infer(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Shape, tuple[Assumed, ...]]:
    """The output shape of a call, checked to be positive, and what it assumes of letters."""
    assumed: list[Assumed] = []
    token = _assumed.set(assumed)
    try:
        require_inputs(layer, inputs)
        shape = layer.output_shape(*inputs)
        if any(type(dim) is not int for dim in shape):
            shape = tuple(map(as_dim, shape))
        for i, dim in enumerate(shape):
            if type(dim) is not int or dim <= 0:
                require(at_least(dim, 1), f"the output {axis_name(len(shape), i)} is {show(dim)}")
        return shape, tuple(assumed)
    finally:
        _assumed.reset(token)


def axis_name(rank: int, axis: int) -> str:
    """The name of a tensor's axis.

    >>> axis_name(4, 2)
    'height'
    """
    names = ("batch size", "number of channels", *AXES.get(rank - 2, ()))
    return names[axis] if axis < len(names) else f"axis {axis}"


def slid(field: Field, taps: Sequence[Taps | Reach | None]) -> Field | None:
    """The field after these taps along the last axes; None where one hangs on a letter."""
    return None if None in taps else field.through(taps)  # type: ignore[arg-type]
