"""How the arguments of a kind of layer are bound, checked and printed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, NoReturn, TypeAlias

from convcalc.algebra.dims import as_dim, equal, show
from convcalc.algebra.types import Dim, is_symbolic
from convcalc.errors import MissingArguments, NotAnInteger, SpecError, did_you_mean

PerAxis: TypeAlias = Any
"""One number for each of ``rank`` spatial axes, given as one for all or as a tuple."""
Dims: TypeAlias = "tuple[Dim, ...]"
"""Whole numbers, given as one or as several."""
Flag: TypeAlias = bool
"""A bool where torch takes no number for it."""

_REQUIRED = object()

_PLAIN = frozenset((int, bool, str, type(None)))
_CHECKS: dict[str, tuple[tuple[type, ...], str]] = {
    "PerAxis": ((), "_each_axis"),
    "Dim": ((), "positive"),
    "int": ((int,), "dim_of"),
    "float": ((float,), "real"),
    "bool": ((bool,), "_truth"),
    "Flag": ((bool,), "_flag"),
    "Dims": ((), "dims_of"),
    "int | Dims": ((int,), "_one_or_dims"),
}
"""Annotations: the types that need no check, and the method that gives the normal form or refuses."""
_CHECKS |= {f"{word} | None": ((*plain, type(None)), method) for word, (plain, method) in _CHECKS.items()}


@lru_cache(maxsize=4096)
def intern_settled(kind: Any, args: tuple[Any, ...], types: Any, kwargs: Any) -> Configured:
    """Return the one settled value of ``kind`` for these plain arguments, made by the first call and kept for the next.

    Settled is a value whose arguments are bound, checked and frozen. A network says the same many times (`ReLU()`,
    `BatchNorm2d(64)`), and settling is most of what a layer costs. Each layer stays an object of its own, which owns
    its weights: `Configured.__init__` copies the arguments from the value returned here, and keeps that value as
    ``shared``, one key for all equal layers in other caches. ``types`` are those of all arguments, which keep apart
    what is equal and yet different: 1 == True == 1.0.
    """
    settled: Configured = kind.__new__(kind)
    settled._bind(args, dict(kwargs))
    return settled


class Configured:
    """A frozen value; a subclass lists its arguments as annotated attributes, named and ordered as in torch.nn.

    They are checked: a ``Dim`` is at least 1, a ``PerAxis`` becomes a tuple, an ``int`` is whole, a ``float`` a number;
    a ``bool`` takes anything for its truth, as torch does.
    """

    __slots__ = ("__dict__", "__weakref__", "_hash", "shared")
    _hash: int  # of a settled value
    shared: Any  # the settled value that all its equals share as a key of caches, which then compare no arguments
    rank: ClassVar[int] = 0  # the number of spatial axes: 2 for ``Conv2d``, 0 where any may be
    factory: ClassVar[bool] = False  # whether torch's ``device`` and ``dtype`` are taken, which say nothing here
    order: ClassVar[str] = ""  # the arguments, where they are fewer than the annotations or in another order
    annotated: ClassVar[dict[str, str]] = {}
    arguments: ClassVar[dict[str, Any]] = {}  # with their defaults
    names: ClassVar[tuple[str, ...]] = ()
    per_axis: ClassVar[tuple[str, ...]] = ()
    checks: ClassVar[list[tuple[str, tuple[type, ...], str]]] = []
    named_paddings: ClassVar[tuple[str, ...]] = ()  # what argument ``padding`` may be besides numbers

    def __init_subclass__(cls, rank: int | None = None) -> None:
        """Read the arguments off the annotations; a kind of one rank says it: ``class Conv2d(_Conv, rank=2)``."""
        if rank is not None:
            cls.rank = rank
        # read as text: evaluating annotations would import typing's world for each class
        cls.annotated = {
            name: str(word)
            for parent in reversed(cls.__mro__)
            if parent is not Configured and issubclass(parent, Configured)
            for name, word in vars(parent).get("__annotations__", {}).items()
            if not str(word).startswith("ClassVar")
        }
        cls.take(tuple(cls.order.split() or cls.annotated), {})

    @classmethod
    def take(cls, names: tuple[str, ...], defaults: dict[str, Any]) -> None:
        """Make these the arguments, with ``defaults`` where the class has none."""
        cls.names = names
        cls.arguments = {name: getattr(cls, name, defaults.get(name, _REQUIRED)) for name in names}
        cls.per_axis = tuple([name for name in names if cls.annotated[name] == "PerAxis"])
        cls.checks = [(name, *_CHECKS[cls.annotated[name]]) for name in names if cls.annotated[name] in _CHECKS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        types = (*map(type, args), *map(type, kwargs.values()))
        if _PLAIN.issuperset(types):
            kind: Any = type(self)
            settled = intern_settled(kind, args, types, tuple(kwargs.items()))
            self.__dict__.update(settled.__dict__)
            _share(self, settled)
        else:
            self._bind(args, kwargs)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Bind the arguments to their names, check them, and settle; raises SpecError."""
        self._check_names(args, kwargs)
        values = self.__dict__
        values.update(self.arguments)
        values.update(zip(self.names, args))
        values.update(kwargs)
        if self.factory:
            values.pop("device", None)
            values.pop("dtype", None)
        if _REQUIRED in values.values():
            missing = [name for name in self.names if values[name] is _REQUIRED]
            raise MissingArguments(missing, where=type(self).__name__)
        self._settle(values)

    def _check_names(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise SpecError for more arguments than there are, one given twice, or one that does not exist."""
        names = self.names
        if len(args) > len(names):
            self.refuse(f"takes at most {len(names)} arguments, received {len(args)}")
        for name in kwargs:
            if name in names[: len(args)]:
                self.refuse(f"received {name} twice", about=[name])
            if name not in names and not (self.factory and name in ("device", "dtype")):
                hint = did_you_mean(name, names) or f"it takes {', '.join(names)}"
                self.refuse(f"has no argument {name!r}", hint, about=[name])

    def _settle(self, values: dict[str, Any]) -> None:
        """Check the arguments and freeze; raises SpecError."""
        try:
            for name, plain, method in self.checks:
                value = values[name]
                if type(value) not in plain:
                    values[name] = getattr(self, method)(name, value)
            self.check()
        except TypeError:
            self._refuse_letters(values)
            raise
        try:
            number = hash((type(self), *values.values()))
        except TypeError:
            self._refuse_unhashable(values)
            raise
        object.__setattr__(self, "_hash", number)
        _share(self, self)

    def _refuse_letters(self, values: dict[str, Any]) -> None:
        """Raise SpecError where a letter is given, which this kind cannot check."""
        each = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
        lettered = [name for name, items in each.items() if any(map(is_symbolic, items))]
        if lettered:
            self.refuse(f"a number must stand where a letter does: {', '.join(lettered)}", about=lettered)

    def _refuse_unhashable(self, values: dict[str, Any]) -> None:
        """Raise SpecError for a value that may change, such as a list."""
        for name, value in values.items():
            try:
                hash(value)
            except TypeError:
                self.refuse_argument(name, f"must be a single value, received {value!r}")

    def check(self) -> None:
        """Check and normalise the arguments; raises SpecError."""

    def refuse(self, what: str, hint: str = "", *, about: Sequence[str] = ()) -> NoReturn:
        """Raise SpecError for arguments that the kind cannot take; ``about`` names them, the nearest first."""
        raise SpecError(what, where=type(self).__name__, hint=hint, about=about) from None

    def refuse_argument(self, name: str, what: str, *others: str) -> NoReturn:
        """Raise SpecError for argument ``name``, of which ``what`` is wrong, together with the ``others``."""
        self.refuse(f"{name} {what}", about=[name, *others])

    def normalise(self, **values: Any) -> None:
        """Put normal forms in place of what was given; only for `check`."""
        self.__dict__.update(values)

    def dim_of(self, name: str, value: Any) -> Dim:
        return as_integer(value, name, type(self).__name__)

    def _each_axis(self, name: str, value: Any) -> Any:
        if type(value) is int:
            return (value,) * self.rank
        if value is None and self.arguments[name] is None:
            return value
        if isinstance(value, str) and name == "padding" and self.named_paddings:
            self.one_of(name, *self.named_paddings)
            return value
        if isinstance(value, (tuple, list)):
            if len(value) == self.rank:
                return tuple([self.dim_of(name, item) for item in value])
            self.refuse_argument(name, f"takes one integer or {self.rank} of them; received {value!r}")
        return (self.dim_of(name, value),) * self.rank

    def positive(self, name: str, value: Any) -> Dim:
        dim = value if type(value) is int else self.dim_of(name, value)
        if isinstance(dim, int) and dim < 1:
            self.refuse_argument(name, f"must be at least 1; received {dim}")
        return dim

    def dims_of(self, name: str, value: Any) -> Dims:
        return tuple([self.dim_of(name, n) for n in (value if isinstance(value, (tuple, list)) else (value,))])

    def _one_or_dims(self, name: str, value: Any) -> Dim | Dims:
        dims = self.dims_of(name, value)
        return dims if isinstance(value, (tuple, list)) else dims[0]

    def real(self, name: str, value: Any) -> Any:
        if not isinstance(value, (int, float)):
            self.refuse_argument(name, f"must be a number; received {value!r}")
        return value

    def _truth(self, name: str, value: Any) -> bool:
        return bool(value)

    def _flag(self, name: str, value: Any) -> NoReturn:
        self.refuse_argument(name, f"must be True or False; received {value!r}")

    def number(self, name: str, value: Any) -> float:
        """Anything that ``float`` takes."""
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            self.refuse_argument(name, f"must be a number; received {value!r}")

    def divisible(self, name: str, by: str) -> None:
        a, b = getattr(self, name), getattr(self, by)
        if equal(a % b, 0) is False:
            self.refuse_argument(name, f"must be divisible by {by}; received {a} and {b}", by)

    def each_at_least(self, least: int, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            numbers = value if isinstance(value, tuple) else (value,)
            if any(isinstance(number, int) and number < least for number in numbers):
                self.refuse_argument(name, f"must be at least {least}; received {self.shown(name)}")

    def one_of(self, name: str, *legal: Any) -> None:
        value = getattr(self, name)
        if value not in legal:
            wanted = " or ".join(map(repr, legal))
            self.refuse_argument(name, f"must be {wanted}; received {value!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; build another one instead of setting {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        number: int = self.shared._hash
        return number

    def __repr__(self) -> str:
        words: list[str] = []
        usual = self.defaults()
        for name, value in self.__dict__.items():
            if usual[name] is _REQUIRED and len(words) == self.names.index(name):
                words.append(self.shown(name))
            elif value != usual[name] and self.shown(name) != self._compact(name, usual[name]):
                words.append(f"{name}={self.shown(name)}")
        return f"{type(self).__name__}({', '.join(words)})"

    def defaults(self) -> dict[str, Any]:
        """What `repr` leaves out; in some kinds it depends on other arguments."""
        return self.arguments

    def shown(self, name: str) -> str:
        """Argument ``name`` as `repr` writes it."""
        return self._compact(name, getattr(self, name))

    def _repeats(self, name: str) -> int:
        """How many numbers may be given as one."""
        return self.rank if name in self.per_axis else 0

    def _compact(self, name: str, value: Any) -> str:
        if isinstance(value, tuple) and len(value) == self._repeats(name) and len(set(value)) == 1:
            value = value[0]
        return show(value) if is_symbolic(value) else repr(value)


def as_integer(value: Any, name: str, owner: str = "") -> Dim:
    """Return ``value`` as a dim; as in torch no bool, and of sympy's only what can be an integer. Raises NotAnInteger.

    >>> as_integer(True, "kernel_size", "Conv2d")
    Traceback (most recent call last):
    convcalc.errors.NotAnInteger: Conv2d: kernel_size must be an integer; received True
    """
    odd = isinstance(value, bool)
    if is_symbolic(value):
        odd = not hasattr(value, "__floordiv__") or (value.is_number and not value.is_integer)
    if odd:
        raise NotAnInteger(name, value, owner)
    return as_dim(value, name, owner)


_share = (
    Configured.shared.__set__
)  # the slot's own setter, since a value is frozen for its users; called for each layer
