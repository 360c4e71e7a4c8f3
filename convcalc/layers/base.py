"""The contract of a layer: which facts each kind states, and how its arguments are bound, checked and printed.

A layer is frozen, and equal to any layer of its kind with equal arguments. It states facts (shapes, weights, work,
receptive field) about a call with given input shapes and holds no state of a network. Which kinds there are, this
file does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar

from convcalc.algebra.dims import Dim, Shape, as_dim, is_symbolic, show, show_shape
from convcalc.algebra.field import Field, join
from convcalc.errors import ShapeError, SpecError, did_you_mean
from convcalc.layers.work import NOTHING, Work

recorder: ContextVar[Callable[..., Any]] = ContextVar("recorder")
"""The tape in force: what a call of a layer on symbolic tensors is handed to."""

_REQUIRED = object()

ANY = 1_000_000
"""As many inputs as one likes."""

# A network says the same thing many times (`ReLU()`, `BatchNorm2d(64)`): what plain arguments are bound to is kept.
_PLAIN = frozenset((int, bool, str, type(None)))
_MOST_BOUND = 4096
_bound: dict[Any, Layer] = {}


class Layer:
    """A kind of layer; a subclass lists its arguments as annotated attributes, named and ordered as in torch.nn.

    ``per_axis`` names the arguments that are one number for each of ``rank`` spatial axes, given as one number for
    all or as a tuple. ``factory`` marks kinds that take torch's ``device`` and ``dtype``, which say nothing here.
    """

    __slots__ = ("__dict__", "__weakref__", "_hash", "shared")
    _hash: int
    shared: Layer
    """One layer that stands for all its equals as a key of caches, which then need not compare arguments."""

    rank: ClassVar[int] = 0
    per_axis: ClassVar[tuple[str, ...]] = ()
    factory: ClassVar[bool] = False
    arity: ClassVar[tuple[int, int]] = (1, 1)
    """The least and the greatest number of inputs."""
    arguments: ClassVar[dict[str, Any]] = {}
    """Argument names in order, with their defaults."""
    order: ClassVar[tuple[str, ...]] = ()
    """The order of the arguments, where it is not that of the annotations."""
    names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        names = dict(cls.__mro__[1].__dict__.get("arguments", {})) if len(cls.__mro__) > 1 else {}
        # read as text: evaluating annotations would import typing's world for each class
        for name, annotation in cls.__dict__.get("__annotations__", {}).items():  # noqa: RUF063
            if str(annotation).startswith("ClassVar"):
                names.pop(name, None)  # an argument of the family that this kind fixes
            else:
                names[name] = _REQUIRED
        if cls.order:
            names = {name: names[name] for name in cls.order}
        cls.arguments = {name: getattr(cls, name, _REQUIRED) for name in names}
        cls.names = tuple(names)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        types = (*map(type, args), *map(type, kwargs.values()))
        if not _PLAIN.issuperset(types):
            return self._bind(args, kwargs)
        key = (type(self), args, types, *kwargs.items())  # the types, since 1 == True == 1.0
        known = _bound.get(key)
        if known is None:
            self._bind(args, kwargs)
            if len(_bound) > _MOST_BOUND:
                _bound.clear()
            _bound[key] = self
        else:
            self.__dict__.update(known.__dict__)
            _set_hash(self, known._hash)
            _set_shared(self, known)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Bind the arguments to their names, as Python does, and check them."""
        cls = type(self)
        values = self.__dict__
        values.update(cls.arguments)
        values.update(zip(cls.arguments, args))
        values.update(kwargs)
        if len(values) != len(cls.arguments) or _REQUIRED in values.values() or not _fits(cls.names, args, kwargs):
            _check_binding(cls, args, kwargs, values)
        for name in cls.per_axis:
            values[name] = self._each_axis(name, values[name])
        try:
            self.check()
        except TypeError:
            held = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
            lettered = [name for name, items in held.items() if any(map(is_symbolic, items))]
            if not lettered:
                raise
            raise SpecError(
                f"a number must stand where a letter does: {', '.join(lettered)}", where=cls.__name__
            ) from None
        _set_hash(self, hash((cls, *values.values())))
        _set_shared(self, self)

    def check(self) -> None:
        """Check and normalise the arguments (through `normalise`); raises SpecError."""

    def normalise(self, **values: Any) -> None:
        """Put the normal form of an argument in place of what was given; only for `check`."""
        self.__dict__.update(values)

    def _each_axis(self, name: str, value: Any) -> Any:
        if type(value) is int:
            return (value,) * self.rank
        if value is None or (isinstance(value, str) and name == "padding"):
            return value
        if isinstance(value, (tuple, list)):
            if len(value) == self.rank:
                return tuple(as_dim(item, f"{type(self).__name__}: {name}") for item in value)
            raise SpecError(
                f"{name} takes one whole number or {self.rank} of them; received {value!r}", where=type(self).__name__
            )
        return (as_dim(value, f"{type(self).__name__}: {name}"),) * self.rank

    def positive(self, name: str) -> Dim:
        """Argument ``name`` as a dim of at least 1; raises SpecError."""
        value = as_dim(getattr(self, name), f"{type(self).__name__}: {name}")
        if isinstance(value, int) and value < 1:
            raise SpecError(f"{name} must be at least 1; received {value}", where=type(self).__name__)
        return value

    def each_at_least(self, name: str, least: int) -> None:
        """Raise SpecError unless every number of a per-axis argument is at least ``least``."""
        value = getattr(self, name)
        if value is None:
            raise SpecError(f"{name} must be a whole number; received None", where=type(self).__name__)
        if isinstance(value, tuple) and any(isinstance(item, int) and item < least for item in value):
            raise SpecError(
                f"{name} must be at least {least}; received {self._compact(name, value)}", where=type(self).__name__
            )

    def one_of(self, name: str, legal: Sequence[Any]) -> None:
        """Raise SpecError unless argument ``name`` is one of the legal values."""
        value = getattr(self, name)
        if value not in legal:
            wanted = " or ".join(map(repr, legal)) or "a whole number for each axis"
            raise SpecError(f"{name} must be {wanted}; received {value!r}", where=type(self).__name__)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; build another one instead of setting {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        words: list[str] = []
        usual = self.defaults()
        for name, value in self.__dict__.items():
            if usual[name] is _REQUIRED and len(words) == list(usual).index(name):
                words.append(self._compact(name, value))
            elif value != usual[name] and self._compact(name, value) != self._compact(name, usual[name]):
                words.append(f"{name}={self._compact(name, value)}")
        return f"{type(self).__name__}({', '.join(words)})"

    def defaults(self) -> dict[str, Any]:
        """The defaults that `repr` leaves out; a kind whose defaults depend on other arguments extends it."""
        return self.arguments

    def shown(self, name: str) -> str:
        """Argument ``name`` as `repr` writes it."""
        return self._compact(name, getattr(self, name))

    def _compact(self, name: str, value: Any) -> str:
        if name in self.per_axis and isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        return show(value) if hasattr(value, "free_symbols") else repr(value)

    def __call__(self, *inputs: Any) -> Any:
        """Record a call on symbolic tensors; returns the output tensor."""
        return record(self, *inputs)

    # The facts, for a call with inputs of these shapes. Full shapes: (N, C, *spatial).

    def resolve(self, *inputs: Shape) -> Layer:
        """The layer that a first call with these inputs makes of this one; Lazy kinds differ."""
        return self

    def output_shape(self, *inputs: Shape) -> Shape:
        """The output's shape; raises ShapeError where torch would refuse the input. Default: the first input's."""
        return inputs[0]

    def further_outputs(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Names and shapes of what a call returns besides `output_shape`'s tensor. Default: nothing."""
        return {}

    def further_field(self, name: str, main: Field) -> Field | None:
        """The field of further output ``name``; None where it is not defined. Default: that of the main output."""
        return main

    def weights(self) -> Mapping[str, Shape]:
        """Learned tensors: name as in torch's ``state_dict``, and shape. Default: none."""
        return {}

    def buffers(self) -> Mapping[str, Shape]:
        """Tensors of state that is not learned, as `weights`. Default: none."""
        return {}

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work | None:
        """What a call computes, tallied; None where that is not known, which is the default."""
        return None

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        """The output's receptive field; None where it is not defined. Default: pointwise, inputs joined."""
        return join(fields, output)


_set_hash = Layer._hash.__set__  # type: ignore[attr-defined]  # a layer is frozen once it is bound
_set_shared = Layer.shared.__set__  # type: ignore[attr-defined]


class Lazy(Layer):
    """A kind whose first argument is read off its first input: ``becomes`` with the size of ``channel_axis``."""

    becomes: ClassVar[type[Layer]]
    channel_axis: ClassVar[int]
    factory: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.arguments = dict(list(cls.becomes.arguments.items())[1:])
        cls.names = tuple(cls.arguments)

    def resolve(self, *inputs: Shape) -> Layer:
        if len(inputs[0]) < abs(self.channel_axis):
            raise ShapeError(f"expected an input with channels, received {show_shape(inputs[0])}")
        return self.becomes(inputs[0][self.channel_axis], **self.__dict__)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.resolve(*inputs).output_shape(*inputs)


class Output(Layer):
    """A further output of a layer that has several, such as the last state of an LSTM.

    Recorded on the layer's main output followed by the layer's own inputs; a graph keeps it only where it is used.
    """

    source: Layer
    name: str
    arity: ClassVar[tuple[int, int]] = (1, ANY)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.source.further_outputs(*inputs[1:])[self.name]

    def work(self, inputs: Sequence[Shape], output: Shape) -> Work:
        return NOTHING  # the source's work covers all its outputs

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field | None:
        return self.source.further_field(self.name, fields[0])


def record(layer: Layer, *inputs: Any) -> Any:
    """Hand a call to the tape in force."""
    try:
        tape = recorder.get()
    except LookupError:
        raise SpecError(
            "a layer computes shapes only inside trace() or summary()",
            where=repr(layer),
            hint="call convcalc.summary(model, shape) instead of the model itself",
        ) from None
    return tape(layer, *inputs)


def _fits(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether no argument is one too many, nor given both by place and by name."""
    return len(args) <= len(names) and (not kwargs or kwargs.keys().isdisjoint(names[: len(args)]))


def _check_binding(cls: type[Layer], args: tuple[Any, ...], kwargs: dict[str, Any], values: dict[str, Any]) -> None:
    """Say what is wrong with a call of the constructor; drop torch's factory arguments."""
    names = list(cls.arguments)
    if len(args) > len(names):
        raise SpecError(f"takes at most {len(names)} arguments, received {len(args)}", where=cls.__name__)
    for name in kwargs:
        if name in names[: len(args)]:
            raise SpecError(f"received {name} twice", where=cls.__name__)
        if name in names:
            continue
        if cls.factory and name in ("device", "dtype"):
            del values[name]
            continue
        hint = did_you_mean(name, names) or f"it takes {', '.join(names)}"
        raise SpecError(f"has no argument {name!r}", where=cls.__name__, hint=hint)
    missing = [name for name in names if values[name] is _REQUIRED]
    if missing:
        raise SpecError(f"needs {' and '.join(missing)}", where=cls.__name__)


def kinds(base: type[Layer] = Layer) -> Iterator[type[Layer]]:
    """Every public kind of layer that is loaded; families begin with an underscore."""
    for kind in base.__subclasses__():
        if not kind.__name__.startswith("_") and kind not in (Lazy, Output):
            yield kind
        yield from kinds(kind)
