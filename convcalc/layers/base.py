"""The contract of a layer: which facts each kind states about a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from convcalc.algebra.dims import as_dim, at_least, show_shape
from convcalc.algebra.field import Field, join
from convcalc.algebra.intervals import Reach, Taps
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.binding import _REQUIRED as _REQUIRED
from convcalc.layers.binding import Configured
from convcalc.layers.demands import (
    ANY,
    Assumed,
    TooSmall,
    WrongAxes,
    WrongNumberOfInputs,
    check_call,
    collect_assumptions,
    require,
)
from convcalc.layers.formulas import MEMORY, NONE, UNCHANGED, Rules, Seen
from convcalc.layers.spelling import Spelling

# What a layer may say that it computes, each word priced by a convention (`analysis.count.conventions`); a new one
# belongs here only when a convention prices it differently from all others.
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


class Layer(Spelling, Configured):
    """A kind of layer: its arguments as annotated attributes, and the facts about a call.

    How it is written, on a sheet and in PyTorch, stands in `Spelling`.
    """

    arity: ClassVar[tuple[int, int]] = (1, 1)  # the least and the greatest number of inputs
    formulas: ClassVar[Rules] = {
        "size": (UNCHANGED,),
        "macs": (NONE,),
        "field": (UNCHANGED,),
        "memory": (MEMORY,),
    }
    """By quantity; a subclass states those that differ from its parents'."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Add its parents' formulas to those that the class states; register a kind that another package defines."""
        super().__init_subclass__(**options)
        own = vars(cls).get("formulas", {})
        if own:
            inherited = next(vars(kind)["formulas"] for kind in cls.__mro__[1:] if "formulas" in vars(kind))
            cls.formulas = {**inherited, **own}
        if not cls.__module__.startswith("convcalc."):
            _add_outside(cls, own)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Record a call on symbolic tensors; returns the output tensor."""
        try:
            return self.forward(*inputs, **options)
        except TypeError:
            check_call(self.forward, repr(self), inputs, options)
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

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along ``axis`` by the formulas of the field, from what those of each input see.

        ``axis`` is that of the first input (counted from its end, of the output where inputs broadcast). None where
        `field` alone says it: the units then see the whole axis, or what the input's see (`layers.workings`).
        """
        return None

    def reaches(self) -> Sequence[tuple[Dim, Dim]]:
        """Return for each axis how far a window's ends are apart, and the padding, which is at most that."""
        return ()

    def require_rank(self, shape: Shape, *ranks: int) -> None:
        """Raise WrongAxes for another number of axes, by default than channels and the spatial ones, batch or not."""
        ranks = ranks or (self.rank + 2, self.rank + 1)
        if len(shape) not in ranks:
            raise WrongAxes(ranks, shape)


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


def record(layer: Layer, *inputs: Any, via: str | None = None) -> Any:
    """Hand a call, written ``via`` an operator or the like, to the tape in force; raise SpecError if there is none."""
    try:
        tape = recorder.get()
    except LookupError:
        what, hint = "a layer computes shapes only inside trace() or summary()", "call convcalc.summary(model, shape)"
        raise SpecError(what, where=repr(layer), hint=f"{hint} instead of the model itself") from None
    return tape(layer, *inputs) if via is None else tape(layer, *inputs, via=via)


def kinds(base: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """Every public kind of layer that is loaded; families begin with an underscore."""
    for kind in base.__subclasses__():
        if not kind.__name__.startswith("_") and kind not in (Lazy, Output):
            yield kind
        yield from kinds(kind)


OUTSIDE: dict[str, type[Layer]] = {}
"""Public kinds of other packages, by name."""

_OWN_SPELLING = {
    "sheet": "",
    "also": {},
    "sheet_example": "",
    "merges": False,
    "in_torch": False,
    "operator": "",
    "torch_call": "",
}
"""What a kind of another package does not take over from one of ours that it extends: it would be read as that one."""

_COMPUTED_BY = {"size": "output_shape", "channels": "output_shape", "macs": "work", "field": "field"}
"""The method that the formulas of a quantity are of."""


def _add_outside(kind: type[Layer], own: Rules) -> None:
    """Register a kind of another package, so that sheets and documents may name it; ``own`` are formulas it states.

    No other formulas are shown for what it computes by methods of its own.
    """
    overridden = {quantity for quantity, method in _COMPUTED_BY.items() if method in vars(kind)} - own.keys()
    kind.formulas = {quantity: stated for quantity, stated in kind.formulas.items() if quantity not in overridden}
    for name, value in _OWN_SPELLING.items():
        owner = next(parent for parent in kind.__mro__ if name in vars(parent))
        if owner.__module__.startswith("convcalc."):
            setattr(kind, name, value)
    if not kind.__name__.startswith("_"):
        OUTSIDE[kind.__name__] = kind


def require_inputs(layer: Layer, inputs: Shapes) -> None:
    """Raise WrongNumberOfInputs unless ``layer`` takes so many."""
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        raise WrongNumberOfInputs(least, most, len(inputs))


def infer(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Shape, tuple[Assumed, ...]]:
    """Return the output shape of a call, checked to be positive, and what it assumes of letters; raises ShapeError."""
    return collect_assumptions(lambda: _output_shape(layer, inputs))


def _output_shape(layer: Layer, inputs: tuple[Shape, ...]) -> Shape:
    require_inputs(layer, inputs)
    shape = layer.output_shape(*inputs)
    if any(type(dim) is not int for dim in shape):
        shape = tuple(map(as_dim, shape))
    for i, dim in enumerate(shape):
        if type(dim) is not int or dim <= 0:
            require(at_least(dim, 1), TooSmall(len(shape), i, dim))
    return shape


def slid(field: Field, taps: Sequence[Taps | Reach | None]) -> Field | None:
    """The field after these taps along the last axes; None where one hangs on a letter."""
    return None if None in taps else field.through(taps)  # type: ignore[arg-type]
