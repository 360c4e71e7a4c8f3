"""How the arguments of a kind of layer are bound, checked and printed."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, TypeAlias

from convcalc.algebra.dims import Dim, as_dim, equal, is_symbolic, show
from convcalc.errors import SpecError, did_you_mean

PerAxis: TypeAlias = Any
"""An argument that is one number for each of ``rank`` spatial axes, given as one number for all or as a tuple."""

_REQUIRED = object()

# A network says the same thing many times (`ReLU()`, `BatchNorm2d(64)`): what plain arguments are bound to is kept.
_PLAIN = frozenset((int, bool, str, type(None)))
_MOST_BOUND = 4096
_CHECKS = {"Dim": (int, "positive"), "int": (int, "_whole"), "float": (float, "real")}
_CHECKS |= {f"{word} | None": (type(None), "_optional") for word in _CHECKS}
_bound: dict[Any, Bound] = {}


class Bound:
    """A frozen value; a subclass lists its arguments as annotated attributes, named and ordered as in torch.nn.

    Their annotations are checked: a ``Dim`` is at least 1, a ``PerAxis`` becomes a tuple, an ``int`` is whole, a
    ``float`` a number; ``| None`` allows None. A ``bool`` takes anything for its truth, as torch does.
    """

    __slots__ = ("__dict__", "__weakref__", "_hash", "shared")
    _hash: int
    shared: Any
    """One layer that stands for all its equals as a key of caches, which then need not compare arguments."""

    rank: ClassVar[int] = 0
    """The number of spatial axes, read off the name: 2 for ``Conv2d``."""
    factory: ClassVar[bool] = False
    """Whether the kind takes torch's ``device`` and ``dtype``, which say nothing here."""
    order: ClassVar[str] = ""
    """The arguments, where they are fewer than the annotations or in another order."""
    annotated: ClassVar[dict[str, str]] = {}
    arguments: ClassVar[dict[str, Any]] = {}
    """Argument names in order, with their defaults."""
    names: ClassVar[tuple[str, ...]] = ()
    positives: ClassVar[tuple[str, ...]] = ()
    per_axis: ClassVar[tuple[str, ...]] = ()
    switches: ClassVar[tuple[str, ...]] = ()
    checks: ClassVar[dict[str, tuple[type, str]]] = {}
    """The other annotated arguments: the type that needs no check, and the method that checks."""
    named_paddings: ClassVar[tuple[str, ...]] = ()
    """What argument ``padding`` may be besides numbers."""

    def __init_subclass__(cls) -> None:
        if cls.__name__[-2:] in ("1d", "2d", "3d"):
            cls.rank = int(cls.__name__[-2])
        # read as text: evaluating annotations would import typing's world for each class
        own = cls.__dict__.get("__annotations__", {}).items()  # noqa: RUF063
        cls.annotated = {name: str(word) for name, word in own if not str(word).startswith("ClassVar")}
        for parent in cls.__mro__[1:]:
            cls.annotated = vars(parent).get("annotated", {}) | cls.annotated
        cls.take(tuple(cls.order.split() or cls.annotated), {})

    @classmethod
    def take(cls, names: tuple[str, ...], defaults: dict[str, Any]) -> None:
        """Make these the arguments, with ``defaults`` where the class has none of its own."""
        cls.names = names
        cls.arguments = {name: getattr(cls, name, defaults.get(name, _REQUIRED)) for name in names}
        words = {name: cls.annotated[name] for name in names}
        cls.positives, cls.per_axis, cls.switches = (
            tuple([name for name in names if words[name] == word]) for word in ("Dim", "PerAxis", "bool")
        )
        cls.checks = {name: _CHECKS[word] for name, word in words.items() if word in _CHECKS and word != "Dim"}

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
        cls = type(self)
        values = self.__dict__
        values.update(cls.arguments)
        values.update(zip(cls.names, args))
        values.update(kwargs)
        by_place = cls.names[: len(args)]
        if (
            len(values) != len(cls.names)
            or _REQUIRED in values.values()
            or len(args) > len(by_place)
            or not kwargs.keys().isdisjoint(by_place)
        ):
            self._check_binding(args, kwargs)
        for name in cls.per_axis:
            values[name] = self._each_axis(name, values[name])
        try:
            for name in cls.positives:
                if type(values[name]) is not int or values[name] < 1:
                    values[name] = self.positive(name)
            for name, (plain, method) in cls.checks.items():
                if type(values[name]) is not plain:
                    values[name] = getattr(self, method)(name)
            self.check()
            for name in cls.switches:
                values[name] = bool(values[name])
        except TypeError:
            held = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
            lettered = [name for name, items in held.items() if any(map(is_symbolic, items))]
            if not lettered:
                raise
            what = f"a number must stand where a letter does: {', '.join(lettered)}"
            raise SpecError(what, where=cls.__name__) from None
        try:
            _set_hash(self, hash((cls, *values.values())))
        except TypeError:
            odd = {name: value for name, value in values.items() if not _is_value(value)}
            self.refuse("; ".join(f"{name} must be a single value, received {value!r}" for name, value in odd.items()))
        _set_shared(self, self)

    def _check_binding(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Say what is wrong with a call; drop torch's factory arguments."""
        names, values = self.names, self.__dict__
        if len(args) > len(names):
            self.refuse(f"takes at most {len(names)} arguments, received {len(args)}")
        for name in kwargs:
            if name in names[: len(args)]:
                self.refuse(f"received {name} twice")
            if self.factory and name in ("device", "dtype"):
                del values[name]
            elif name not in names:
                hint = did_you_mean(name, names) or f"it takes {', '.join(names)}"
                self.refuse(f"has no argument {name!r}", hint)
        missing = [name for name in names if values[name] is _REQUIRED]
        if missing:
            self.refuse(f"needs {' and '.join(missing)}")

    def check(self) -> None:
        """Check and normalise the arguments; raises SpecError."""

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        raise SpecError(what, where=type(self).__name__, hint=hint) from None

    def normalise(self, **values: Any) -> None:
        """Put the normal form of arguments in place of what was given; only for `check`."""
        self.__dict__.update(values)

    def dim_of(self, name: str, value: Any) -> Dim:
        return whole(value, f"{type(self).__name__}: {name}")

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
            self.refuse(f"{name} takes one whole number or {self.rank} of them; received {value!r}")
        return (self.dim_of(name, value),) * self.rank

    def positive(self, name: str) -> Dim:
        value = self.dim_of(name, getattr(self, name))
        if isinstance(value, int) and value < 1:
            self.refuse(f"{name} must be at least 1; received {value}")
        return value

    def _whole(self, name: str) -> Dim:
        return self.dim_of(name, getattr(self, name))

    def real(self, name: str) -> Any:
        value = getattr(self, name)
        if not isinstance(value, (int, float)):
            self.refuse(f"{name} must be a number; received {value!r}")
        return value

    def _optional(self, name: str) -> Any:
        """An argument that may be None."""
        word = self.annotated[name].removesuffix(" | None")
        return None if getattr(self, name) is None else getattr(self, _CHECKS[word][1])(name)

    def number(self, name: str, value: Any) -> float:
        """Anything that ``float`` takes."""
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            self.refuse(f"{name} must be a number; received {value!r}")

    def flags(self, *names: str) -> None:
        """Raise SpecError unless these arguments are True or False."""
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, bool):
                self.refuse(f"{name} must be True or False; received {value!r}")

    def divisible(self, name: str, by: str) -> None:
        """Raise SpecError where argument ``by`` does not divide argument ``name``."""
        a, b = getattr(self, name), getattr(self, by)
        if equal(a % b, 0) is False:
            self.refuse(f"{name} must be divisible by {by}; received {a} and {b}")

    def each_at_least(self, least: int, *names: str) -> None:
        """Raise SpecError unless every number of these per-axis arguments is large enough."""
        for name in names:
            value = getattr(self, name)
            if isinstance(value, tuple) and any(isinstance(item, int) and item < least for item in value):
                self.refuse(f"{name} must be at least {least}; received {self.shown(name)}")

    def one_of(self, name: str, *legal: Any) -> None:
        value = getattr(self, name)
        if value not in legal:
            wanted = " or ".join(map(repr, legal))
            self.refuse(f"{name} must be {wanted}; received {value!r}")

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
            if usual[name] is _REQUIRED and len(words) == self.names.index(name):
                words.append(self.shown(name))
            elif value != usual[name] and self.shown(name) != self._compact(name, usual[name]):
                words.append(f"{name}={self.shown(name)}")
        return f"{type(self).__name__}({', '.join(words)})"

    def defaults(self) -> dict[str, Any]:
        """The defaults that `repr` leaves out; a kind whose defaults depend on other arguments extends it."""
        return self.arguments

    def shown(self, name: str) -> str:
        """Argument ``name`` as `repr` writes it."""
        return self._compact(name, getattr(self, name))

    def _repeats(self, name: str) -> int:
        """How many numbers of an argument may be given as one."""
        return self.rank if name in self.per_axis else 0

    def _compact(self, name: str, value: Any) -> str:
        if isinstance(value, tuple) and len(value) == self._repeats(name) and len(set(value)) == 1:
            value = value[0]
        return show(value) if is_symbolic(value) else repr(value)


def whole(value: Any, what: str) -> Dim:
    """``value`` as a dim; like torch this takes no bool for a number, and of sympy's only what can be whole."""
    odd = isinstance(value, bool)
    if is_symbolic(value):
        odd = not hasattr(value, "__floordiv__") or (value.is_number and not value.is_integer)
    if odd:
        raise SpecError(f"{what} must be a whole number; received {value!r}")
    return as_dim(value, what)


def _is_value(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


_set_hash = Bound._hash.__set__  # type: ignore[attr-defined]  # a layer is frozen once it is bound
_set_shared = Bound.shared.__set__
