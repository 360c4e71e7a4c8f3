"""The contract of a layer: which facts each kind states about a call, and what it may demand of its inputs.

Which kinds there are, this file does not know. A demand that hangs on letters becomes an assumption of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from convcalc.algebra.dims import Condition, Dim, Shape, as_dim, at_least, equal, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.intervals import Reach, Taps
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.binding import _REQUIRED as _REQUIRED
from convcalc.layers.binding import Bound

# What a layer may say that it computes. What a word costs is the business of a convention (`analysis.metrics`); a
# new word belongs here only when a convention prices it differently from all that stand here.
Op: TypeAlias = Literal[
    "mac",  # one multiply–accumulate of a convolution or a matrix product
    "bias",  # one bias added to an output element
    "stat",  # one element entering a mean and a variance
    "norm",  # one element normalised by a mean and a variance
    "affine",  # one element scaled and shifted by learned parameters
    "activation",  # one element passed through an activation function
    "compare",  # one element compared inside a maximum's window
    "add",  # one element added outside convolutions and products: merges, averages
    "mul",  # one element multiplied or divided outside convolutions and products
    "exp",  # one exponential of a softmax
    "interpolate",  # one source element weighted in an interpolation
    "lookup",  # one row read from a table
]
OPS: tuple[Op, ...] = get_args(Op)
Work: TypeAlias = Mapping[Op, Dim]

recorder: ContextVar[Callable[..., Any]] = ContextVar("recorder")
"""The tape in force: what a call of a layer on symbolic tensors is handed to."""

ANY = 1_000_000
"""As many inputs as one likes."""


class Layer(Bound):
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
        """What a call does; a kind that returns several tensors, or takes more than tensors, writes its own."""
        return record(self, *inputs)

    # The facts, for a call with inputs of these shapes. Full shapes: (N, C, *spatial).

    def resolve(self, *inputs: Shape) -> Layer:
        """The layer that a first call makes of this one; Lazy kinds differ."""
        return self

    def output_shape(self, *inputs: Shape) -> Shape:
        """The output's shape; raises ShapeError where torch refuses the input. Default: the first input's."""
        return inputs[0]

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        """What a call returns besides `output_shape`'s tensor. Default: nothing."""
        return {}

    def further_field(self, name: str, main: Field) -> Field | None:
        """The field of a further output; None where it is not defined. Default: that of the main output."""
        return main

    def weights(self) -> Mapping[str, Shape]:
        """Learned tensors: name as in torch's ``state_dict``, and shape. Default: none."""
        return {}

    def buffers(self) -> Mapping[str, Shape]:
        """Mapping[str, Shape] of state that is not learned, as `weights`. Default: none."""
        return {}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work | None:
        """What a call computes, tallied; None where that is not known, which is the default."""
        return None

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        """The output's receptive field; None where it is not defined. Default: pointwise, inputs joined."""
        return join(fields, output)


class _Idle(Layer):
    """A kind that computes nothing: it only moves, drops or renames elements."""

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return {}


class Lazy(Layer):
    """A kind whose first argument is the channels of its first input, which makes it the kind ``becomes``."""

    becomes: ClassVar[type[Layer]] = Layer
    channel_axis: ClassVar[int] = 0
    """Where the channels are, if not before the spatial axes."""
    factory = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.annotated, cls.named_paddings = cls.becomes.annotated, cls.becomes.named_paddings
        cls.take(cls.becomes.names[1:], cls.becomes.arguments)

    def resolve(self, *inputs: Shape) -> Layer:
        require_inputs(self, inputs)
        x, axis = inputs[0], self.channel_axis or -1 - self.rank
        if not -len(x) <= axis < len(x):
            raise ShapeError(f"expected an input with channels, received {show_shape(x)}")
        return self.becomes(x[axis], **self.__dict__)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.resolve(*inputs).output_shape(*inputs)


class Output(_Idle):
    """A further output of a layer, such as the last state of an LSTM; the source tallies all work.

    Recorded on the main output followed by the layer's own inputs; a graph keeps it only where it is used.
    """

    source: Layer
    name: str
    arity = (1, ANY)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.source.further_outputs(*inputs[1:])[self.name]

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return self.source.further_field(self.name, fields[0])


def check_call(forward: Callable[..., Any], owner: Any, inputs: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Raise ShapeError where ``forward`` of a layer, module or function takes other inputs, SpecError for options."""
    from inspect import Parameter, signature  # costs the start of a run

    takes = signature(forward)
    try:
        takes.bind(*inputs, **options)
        return
    except TypeError:
        pass
    where = repr(owner) if isinstance(owner, Layer) else type(owner).__name__
    places = [p for p in takes.parameters.values() if p.kind is not Parameter.KEYWORD_ONLY]
    names = [p.name for p in places]
    for name in options.keys() - takes.parameters.keys():
        hint = f"it takes {', '.join(takes.parameters)}"
        raise SpecError(f"a call has no argument {name!r}", where=where, hint=hint) from None
    several = any(p.kind is Parameter.VAR_POSITIONAL for p in places)
    least = sum(p.default is Parameter.empty for p in places) - several
    few = len(inputs) < least < len(places)
    wanted = counted(least, ANY if several or few else len(places))
    shown = ", ".join(names[:least] if few else names)
    raise ShapeError(f"takes {wanted} ({shown}), received {len(inputs)}", where=where) from None


def counted(least: int, most: int) -> str:
    """So many inputs, in words.

    >>> counted(1, 1), counted(1, 3), counted(2, ANY)
    ('1 input', '1 to 3 inputs', 'at least 2 inputs')
    """
    if most >= ANY:
        return f"at least {least} input{'s' * (least != 1)}"
    return f"{least} to {most} inputs" if least < most else f"{least} input{'s' * (least != 1)}"


def require_inputs(layer: Layer, inputs: Sequence[Shape]) -> None:
    """Raise ShapeError unless ``layer`` takes so many."""
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        raise ShapeError(f"takes {counted(least, most)}, received {len(inputs)}")


def record(layer: Layer, *inputs: Any) -> Any:
    try:
        tape = recorder.get()
    except LookupError:
        raise SpecError(
            "a layer computes shapes only inside trace() or summary()",
            where=repr(layer),
            hint="call convcalc.summary(model, shape) instead of the model itself",
        ) from None
    return tape(layer, *inputs)


def kinds(base: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """Every public kind of layer that is loaded; families begin with an underscore."""
    for kind in base.__subclasses__():
        if not kind.__name__.startswith("_") and kind not in (Lazy, Output):
            yield kind
        yield from kinds(kind)


AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""The names of the spatial axes in messages, by their number."""

Assumed: TypeAlias = "tuple[Condition, str]"
"""What was assumed of letters, and what is wrong where it does not hold."""

_assumed: ContextVar[list[Assumed] | None] = ContextVar("assumed", default=None)


def require(condition: Condition, what: str) -> None:
    """Raise ShapeError where ``condition`` is false; where it hangs on letters, make it an assumption of the graph."""
    if condition is True:
        return
    if condition is False:
        raise ShapeError(what)
    assumed = _assumed.get()
    if assumed is not None:
        assumed.append((condition, what))


def require_rank(shape: Shape, *ranks: int) -> None:
    if len(shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise ShapeError(f"expected an input of {wanted} axes, received {len(shape)}: {show_shape(shape)}")


def require_axes(shape: Shape, least: int) -> None:
    if len(shape) < least:
        raise ShapeError(f"expected an input of at least {least} axes, received {len(shape)}: {show_shape(shape)}")


def require_size(received: Dim, expected: Dim, name: str, axis: str) -> None:
    """Raise ShapeError unless ``axis`` has the size that argument ``name`` announced."""
    if received != expected:
        what = f"expected {show(expected)} {axis} ({name}), received {show(received)}"
        require(equal(received, expected), what)


def require_alike(a: Shape, b: Shape, what: str) -> None:
    require(len(a) == len(b), what)
    for m, n in zip(a, b):
        require(equal(m, n), what)


def infer(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Shape, tuple[Assumed, ...]]:
    """The output shape of a call, checked to be positive, and what was assumed of letters."""
    token = _assumed.set([])
    try:
        require_inputs(layer, inputs)
        shape = layer.output_shape(*inputs)
        if any(type(dim) is not int for dim in shape):
            shape = tuple(map(as_dim, shape))
        for i, dim in enumerate(shape):
            if type(dim) is not int or dim <= 0:
                require(at_least(dim, 1), f"the output {axis_name(len(shape), i)} is {show(dim)}")
        return shape, tuple(_assumed.get() or ())
    finally:
        _assumed.reset(token)


def axis_name(rank: int, axis: int) -> str:
    """The name of a tensor's axis in messages.

    >>> axis_name(4, 2)
    'height'
    """
    names = ("batch size", "number of channels", *AXES.get(rank - 2, ()))
    return names[axis] if axis < len(names) else f"axis {axis}"


def weight_and_bias(weight: Shape, bias: Shape, has_bias: Any) -> Mapping[str, Shape]:
    return {"weight": weight, "bias": bias} if has_bias else {"weight": weight}


def slid(field: Field, taps: Sequence[Taps | Reach | None]) -> Field | None:
    """The field after these taps along the last axes; None where one of them hangs on a letter."""
    return field.through([tap for tap in taps if tap]) if all(taps) else None
