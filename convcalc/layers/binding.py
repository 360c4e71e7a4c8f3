"""How the arguments of a kind of layer are bound to their names, frozen and printed; `layers.checks` checks them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from convcalc.algebra.types import is_symbolic
from convcalc.errors import MissingArguments, did_you_mean
from convcalc.layers.checks import CHECKS, Checks

_REQUIRED = object()

_PLAIN = frozenset((int, bool, str, type(None)))


@lru_cache(maxsize=4096)
def intern_settled(kind: Any, args: tuple[Any, ...], types: Any, kwargs: Any) -> Configured:
    """Return the settled value of ``kind`` for these plain arguments, made once and cached.

    Settled means that its arguments are bound, checked and frozen. A network repeats the same calls (`ReLU()`,
    `BatchNorm2d(64)`), and settling is most of what a layer costs. Each layer is still an object of its own, which owns
    its weights: `Configured.__init__` copies the arguments from the value returned here and keeps that value as
    ``shared``, the key of all equal layers in other caches. ``types``, those of all arguments, keep apart values that
    are equal but different: 1 == True == 1.0.
    """
    settled: Configured = kind.__new__(kind)
    settled._bind(args, dict(kwargs))
    return settled


class Configured(Checks):
    """A frozen value; a subclass lists its arguments as annotated attributes, named and ordered as in torch.nn.

    Each is checked: a ``Dim`` is at least 1, a ``PerAxis`` becomes a tuple, an ``int`` is an integer, a ``float`` is a
    number, and a ``bool`` is the truth of whatever was passed, as in torch.
    """

    __slots__ = ("__dict__", "__weakref__", "_hash", "shared")
    _hash: int  # of a settled value
    shared: Any  # the settled value that all equal layers share as a key of caches, so that no arguments are compared
    rank: ClassVar[int] = 0  # the number of spatial axes: 2 for ``Conv2d``, 0 where it may be any
    factory: ClassVar[bool] = False  # whether torch's ``device`` and ``dtype`` are accepted, and ignored
    order: ClassVar[str] = ""  # the arguments, if fewer than the annotations or in another order
    annotated: ClassVar[dict[str, str]] = {}
    arguments: ClassVar[dict[str, Any]] = {}  # with their defaults
    names: ClassVar[tuple[str, ...]] = ()
    per_axis: ClassVar[tuple[str, ...]] = ()
    checks: ClassVar[list[tuple[str, tuple[type, ...], str]]] = []
    named_paddings: ClassVar[tuple[str, ...]] = ()  # what ``padding`` may be other than numbers

    def __init_subclass__(cls, rank: int | None = None) -> None:
        """Read the arguments from the annotations; a kind of one rank states it: ``class Conv2d(_Conv, rank=2)``."""
        if rank is not None:
            cls.rank = rank
        # read as text: evaluating the annotations of each class is slow
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
        cls.checks = [(name, *CHECKS[cls.annotated[name]]) for name in names if cls.annotated[name] in CHECKS]

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
        """Bind the arguments to their names, check them and freeze; raises SpecError."""
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
        """Raise SpecError for too many arguments, for one passed twice, or for one that does not exist."""
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
        """Raise SpecError where an argument is a letter that this kind cannot check."""
        each = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
        lettered = [name for name, items in each.items() if any(map(is_symbolic, items))]
        if lettered:
            self.refuse(f"needs a number, not a letter, for {', '.join(lettered)}", about=lettered)

    def _refuse_unhashable(self, values: dict[str, Any]) -> None:
        """Raise SpecError for a mutable value, such as a list."""
        for name, value in values.items():
            try:
                hash(value)
            except TypeError:
                self.refuse_argument(name, f"must be a single value; received {value!r}")

    def check(self) -> None:
        """Check and normalise the arguments; raises SpecError."""

    def normalise(self, **values: Any) -> None:
        """Replace arguments by their normal forms; only for `check`."""
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; make a new one instead of setting {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        number: int = self.shared._hash
        return number

    def __repr__(self) -> str:
        words: list[str] = []
        defaults = self.defaults()
        for name, value in self.__dict__.items():
            if defaults[name] is _REQUIRED and len(words) == self.names.index(name):
                words.append(self.shown(name))
            elif value != defaults[name] and self.shown(name) != self._compact(name, defaults[name]):
                words.append(f"{name}={self.shown(name)}")
        return f"{type(self).__name__}({', '.join(words)})"

    def defaults(self) -> dict[str, Any]:
        """Return the values that `repr` omits; in some kinds they depend on other arguments."""
        return self.arguments


# called for each layer; the slot's own setter, since `Configured.__setattr__` refuses all attributes
_share = Configured.shared.__set__
