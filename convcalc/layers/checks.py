"""What the annotation of an argument demands of its value, and how the value is written.

How arguments are bound to their names is in `layers.binding`; what a layer demands of its inputs, in `layers.demands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn, TypeAlias

from convcalc.algebra.dims import as_dim, equal, show
from convcalc.algebra.types import Dim, is_symbolic
from convcalc.errors import NotAnInteger, SpecError

PerAxis: TypeAlias = Any
"""One number for each of ``rank`` spatial axes, written as one for all or as a tuple."""
Dims: TypeAlias = "tuple[Dim, ...]"
"""Integers, written as one or as several."""
Flag: TypeAlias = bool
"""A bool where torch does not take a number for it."""

CHECKS: dict[str, tuple[tuple[type, ...], str]] = {
    "PerAxis": ((), "_each_axis"),
    "Dim": ((), "positive"),
    "int": ((int,), "dim_of"),
    "float": ((float,), "real"),
    "bool": ((bool,), "_truth"),
    "Flag": ((bool,), "_flag"),
    "Dims": ((), "dims_of"),
    "int | Dims": ((int,), "_one_or_dims"),
}
"""By annotation, the types that need no check, and the method of `Checks` that returns the normal form or refuses."""
CHECKS |= {f"{word} | None": ((*plain, type(None)), method) for word, (plain, method) in CHECKS.items()}


class Checks:
    """The checks of a kind's arguments, one method for each annotation and some for `check`; all raise SpecError."""

    __slots__ = ()
    rank: ClassVar[int]
    arguments: ClassVar[dict[str, Any]]
    per_axis: ClassVar[tuple[str, ...]]
    named_paddings: ClassVar[tuple[str, ...]]

    def refuse(self, what: str, hint: str = "", *, about: Sequence[str] = ()) -> NoReturn:
        """Raise SpecError for arguments that the kind cannot take; ``about`` names them, the nearest first."""
        raise SpecError(what, where=type(self).__name__, hint=hint, about=about) from None

    def refuse_argument(self, name: str, what: str, *others: str) -> NoReturn:
        """Raise SpecError saying ``what`` is wrong with argument ``name``, which the ``others`` have a part in."""
        self.refuse(f"{name} {what}", about=[name, *others])

    def dim_of(self, name: str, value: Any) -> Dim:
        """Return ``value`` as a dim, of any sign."""
        return as_integer(value, name, type(self).__name__)

    def positive(self, name: str, value: Any) -> Dim:
        """Return ``value`` as a dim of at least 1."""
        dim = value if type(value) is int else self.dim_of(name, value)
        if isinstance(dim, int) and dim < 1:
            self.refuse_argument(name, f"must be at least 1; received {dim}")
        return dim

    def dims_of(self, name: str, value: Any) -> Dims:
        """Return one dim or a sequence of dims as a tuple."""
        return tuple([self.dim_of(name, n) for n in (value if isinstance(value, (tuple, list)) else (value,))])

    def real(self, name: str, value: Any) -> Any:
        """Return ``value`` if it is an int or a float."""
        if not isinstance(value, (int, float)):
            self.refuse_argument(name, f"must be a number; received {value!r}")
        return value

    def number(self, name: str, value: Any) -> float:
        """Return anything that ``float`` accepts as a float."""
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            self.refuse_argument(name, f"must be a number; received {value!r}")

    def divisible(self, name: str, by: str) -> None:
        """Raise SpecError where argument ``name`` is not a multiple of argument ``by``; letters may be."""
        a, b = getattr(self, name), getattr(self, by)
        if equal(a % b, 0) is False:
            self.refuse_argument(name, f"must be divisible by {by}; received {a} and {b}", by)

    def each_at_least(self, least: int, *names: str) -> None:
        """Raise SpecError where one of these arguments holds a number below ``least``."""
        for name in names:
            value = getattr(self, name)
            numbers = value if isinstance(value, tuple) else (value,)
            if any(isinstance(number, int) and number < least for number in numbers):
                self.refuse_argument(name, f"must be at least {least}; received {self.shown(name)}")

    def one_of(self, name: str, *legal: Any) -> None:
        """Raise SpecError unless argument ``name`` is one of the ``legal`` values."""
        value = getattr(self, name)
        if value not in legal:
            wanted = " or ".join(map(repr, legal))
            self.refuse_argument(name, f"must be {wanted}; received {value!r}")

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

    def _one_or_dims(self, name: str, value: Any) -> Dim | Dims:
        dims = self.dims_of(name, value)
        return dims if isinstance(value, (tuple, list)) else dims[0]

    def _truth(self, name: str, value: Any) -> bool:
        return bool(value)

    def _flag(self, name: str, value: Any) -> NoReturn:
        self.refuse_argument(name, f"must be True or False; received {value!r}")

    def shown(self, name: str) -> str:
        """Return argument ``name`` as `repr` writes it."""
        return self._compact(name, getattr(self, name))

    def _repeats(self, name: str) -> int:
        """Return how many equal numbers are written as one."""
        return self.rank if name in self.per_axis else 0

    def _compact(self, name: str, value: Any) -> str:
        if isinstance(value, tuple) and len(value) == self._repeats(name) and len(set(value)) == 1:
            value = value[0]
        return show(value) if is_symbolic(value) else repr(value)


def as_integer(value: Any, name: str, owner: str = "") -> Dim:
    """Return ``value`` as a dim: an int that is not a bool, or an expression that can be an integer.

    Raises NotAnInteger, which names the argument ``name`` and its ``owner``.

    >>> as_integer(True, "kernel_size", "Conv2d")
    Traceback (most recent call last):
    convcalc.errors.NotAnInteger: Conv2d: kernel_size must be an integer; received True
    """
    is_other = isinstance(value, bool)
    if is_symbolic(value):
        is_other = not hasattr(value, "__floordiv__") or (value.is_number and not value.is_integer)
    if is_other:
        raise NotAnInteger(name, value, owner)
    return as_dim(value, name, owner)
