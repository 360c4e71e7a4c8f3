"""What is counted: a call of a layer, the site where a network makes it, and the count itself.

These are facts only; metrics and conventions turn them into numbers.
"""

from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.dims import as_dim
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Layer, Work
from convcalc.network.graph import Via


class Count(NamedTuple):
    """A number, exact if ``complete``; otherwise a lower bound, or None where nothing is known."""

    value: Dim | None
    complete: bool = True


Charge: TypeAlias = Count | Dim | None
"""What a metric or a convention may return: a count, a complete number, or None for unknown."""


class Call(NamedTuple):
    """A call of a layer, as far as shapes determine it; ``work`` is None where it is unknown.

    Equal calls of equal layers compare equal, wherever a network makes them.
    """

    layer: Layer
    inputs: tuple[Shape, ...]
    output: Shape
    work: Work | None


class Site(NamedTuple):
    """The place where a network makes a call.

    ``path`` is the layer's path, ``call`` the index of this call of the layer, from 0, and ``calls`` their number;
    ``owner`` is the path of the module whose ``forward`` makes the call, and ``owner_kind`` its class; ``via`` is how
    the call is written: as a module, a function, an operator or a method.
    """

    path: str
    call: int
    calls: int
    owner: str
    owner_kind: str
    via: Via


def as_count(charge: Charge) -> Count:
    """Return ``charge`` as a count in canonical form; raise SpecError unless its number is an integer or symbolic.

    >>> as_count(3), as_count(None)
    (Count(value=3, complete=True), Count(value=None, complete=False))
    """
    value, complete = charge if isinstance(charge, Count) else (charge, True)
    return Count(canonical_count(value), complete and value is not None)


def canonical_count(value: Any) -> Any:
    """Return ``value``, an integer, symbolic or None, in canonical form, since metrics may return any sum of sympy's.

    >>> canonical_count(None), canonical_count(12)
    (None, 12)
    """
    return value if value is None or type(value) is int else as_dim(value)
