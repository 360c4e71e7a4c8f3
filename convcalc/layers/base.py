"""The contract of a layer: the facts that each kind states about a call."""

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

# The words for what a layer computes, each priced by a convention (`analysis.count.conventions`). A new word belongs
# here only if some convention prices it differently from all others.
Op: TypeAlias = Literal[
    "mac",  # a multiply–accumulate of a convolution or a matrix product
    "bias",  # a bias added
    "stat",  # an element that enters a mean and a variance
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
"""The tape that is recording, which receives each call of a layer on symbolic tensors."""


class Layer(Spelling, Configured):
    """A kind of layer: its arguments as annotated attributes, and the facts about a call.

    How it is written, on a sheet and in PyTorch, is in `Spelling`.
    """

    arity: ClassVar[tuple[int, int]] = (1, 1)  # the smallest and largest number of inputs
    formulas: ClassVar[Rules] = {
        "size": (UNCHANGED,),
        "macs": (NONE,),
        "field": (UNCHANGED,),
        "memory": (MEMORY,),
    }
    """The formulas by quantity; a subclass states those that differ from its parents'."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the parents' formulas to those that the class states; register a kind that another package defines."""
        super().__init_subclass__(**options)
        own = vars(cls).get("formulas", {})
        if own:
            inherited = next(vars(kind)["formulas"] for kind in cls.__mro__[1:] if "formulas" in vars(kind))
            cls.formulas = {**inherited, **own}
        if not cls.__module__.startswith("convcalc."):
            _add_outside(cls, own)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Record a call on symbolic tensors and return its output."""
        try:
            return self.forward(*inputs, **options)
        except TypeError:
            check_call(self.forward, repr(self), inputs, options)
            raise

    def forward(self, *inputs: Any) -> Any:
        """Record a call; overridden by kinds that return several tensors or take more than tensors."""
        return record(self, *inputs)

    def further(self, name: str, output: Any, *inputs: Any) -> Any:
        """Record a further output of a call, such as the indices of a maximum."""
        return record(Output(self, name), output, *inputs)

    # The facts, for a call with inputs of these shapes: (N, C, *spatial).

    def resolve(self, *inputs: Shape) -> Layer:
        """Return the layer that the first call turns this one into: itself, except for lazy kinds."""
        return self

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the output's shape, by default the first input's; raise ShapeError where torch refuses the input."""
        return inputs[0]

    def further_outputs(self, *inputs: Shape) -> Tensors:
        """Return the shapes of a call's further outputs by name."""
        return {}

    def further_field(self, name: str, main: Field) -> Field | None:
        """Return the receptive field of a further output, by default that of the main one."""
        return main

    def weights(self) -> Tensors:
        """Return the shapes of the learned tensors, named as in torch's ``state_dict``."""
        return {}

    def weight_and_bias(self, weight: Shape, bias: Shape) -> Tensors:
        """Return the `weights` of a kind with an argument ``bias``."""
        return {"weight": weight, "bias": bias} if self.__dict__["bias"] else {"weight": weight}

    def buffers(self) -> Tensors:
        """Return the shapes of the tensors that are kept but not learned."""
        return {}

    def work(self, inputs: Shapes, output: Shape) -> Work | None:
        """Return what a call computes, by word of `Op`; None where that is not known."""
        return None

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        """Return the output's receptive field, by default that of pointwise kinds; None where it is not known.

        Raises Undefined where there is none.
        """
        return join(fields, output)

    def seen(self, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
        """Return what units see along ``axis``, computed by the formulas of the field from what each input's units see.

        ``axis`` is an axis of the first input; where inputs are broadcast, it counts from the output's end. None where
        only `field` says it: the units then see the full extent, or what the input's units see (`layers.workings`).
        """
        return None

    def reaches(self) -> Sequence[tuple[Dim, Dim]]:
        """Return for each axis the distance between a window's ends and the padding, which is at most that distance."""
        return ()

    def require_rank(self, shape: Shape, *ranks: int) -> None:
        """Raise WrongAxes unless ``ranks`` has the number of axes, by default of (N, C, *spatial) or (C, *spatial)."""
        ranks = ranks or (self.rank + 2, self.rank + 1)
        if len(shape) not in ranks:
            raise WrongAxes(ranks, shape)


class _Idle(Layer):
    """A kind that does no arithmetic."""

    def work(self, inputs: Shapes, output: Shape) -> Work:
        return {}


class Lazy(Layer):
    """A kind that takes its first argument, the channels, from its first input, and then becomes another kind.

    It is declared as ``class LazyConv2d(Lazy, becomes=Conv2d)``.
    """

    becomes: ClassVar[type[Layer]] = Layer
    channel_axis: ClassVar[int] = 0  # the axis of the channels, if it does not precede the spatial axes
    factory = True

    def __init_subclass__(cls, becomes: type[Layer] | None = None, **options: Any) -> None:
        """Give the class all but the first argument of the kind that it ``becomes``; a family of kinds becomes none."""
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
    """A further output, such as the last state of an LSTM; its inputs are the main output and the layer's own inputs.

    A graph keeps it only if it is used.
    """

    source: Layer
    name: str
    arity = (1, ANY)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.source.further_outputs(*inputs[1:])[self.name]

    def field(self, fields: Fields, inputs: Shapes, output: Shape) -> Field | None:
        return self.source.further_field(self.name, fields[0])


def record(layer: Layer, *inputs: Any, via: str | None = None) -> Any:
    """Record a call on the current tape and return its output; raise SpecError where no tape is recording.

    ``via`` is how the call was written, such as by an operator (`network.graph.Via`).
    """
    try:
        tape = recorder.get()
    except LookupError:
        what, hint = "a layer computes shapes only inside trace() or summary()", "call convcalc.summary(model, shape)"
        raise SpecError(what, where=repr(layer), hint=f"{hint} instead of the model itself") from None
    return tape(layer, *inputs) if via is None else tape(layer, *inputs, via=via)


def kinds(base: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """Yield every public kind of layer that is loaded; the names of families begin with an underscore."""
    for kind in base.__subclasses__():
        if not kind.__name__.startswith("_") and kind not in (Lazy, Output):
            yield kind
        yield from kinds(kind)


OUTSIDE: dict[str, type[Layer]] = {}
"""Public kinds from other packages, by name."""

_OWN_SPELLING = {
    "sheet": "",
    "also": {},
    "sheet_example": "",
    "merges": False,
    "in_torch": False,
    "operator": "",
    "torch_call": "",
}
"""What a kind from another package does not inherit from one of ours: it would be read and written as ours."""

_COMPUTED_BY = {"size": "output_shape", "channels": "output_shape", "macs": "work", "field": "field"}
"""The method that each quantity is computed by."""


def _add_outside(kind: type[Layer], own: Rules) -> None:
    """Register a kind from another package, so that sheets and documents can name it; ``own`` are formulas it states.

    Inherited formulas are dropped for quantities that it computes by methods of its own.
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
    """Raise WrongNumberOfInputs unless ``layer`` takes this number of inputs."""
    least, most = layer.arity
    if not least <= len(inputs) <= most:
        raise WrongNumberOfInputs(least, most, len(inputs))


def infer(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Shape, tuple[Assumed, ...]]:
    """Return the output shape of a call and what it assumes of letters; raise ShapeError for a size below 1."""
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
    """Return the field after these taps along the last axes; None where one of them depends on a letter."""
    return None if None in taps else field.through(taps)  # type: ignore[arg-type]
