"""What is counted: a call of a layer, the site where a network makes it, and the count itself.

Facts alone; how they become numbers is for metrics and conventions to say.
"""

from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.dims import as_dim
from convcalc.algebra.types import Dim, Shape
from convcalc.layers.base import Layer, Work
from convcalc.network.graph import Via


class Count(NamedTuple):
    """A number and whether it is all of it: else a lower bound, or None, not known at all."""

    value: Dim | None
    complete: bool = True


Charge: TypeAlias = Count | Dim | None
"""What a metric or a convention may return: a count, a number that is all of it, or None, which is not known."""


class Call(NamedTuple):
    """What a call computes from shapes alone; ``work`` is None where it is not known.

    Equal calls of equal layers are one, wherever they are made.
    """

    layer: Layer
    inputs: tuple[Shape, ...]
    output: Shape
    work: Work | None


class Site(NamedTuple):
    """Where a network makes a call.

    ``path`` is the layer's, ``call`` the number of this call of the layer, from 0, and ``calls`` how many there are;
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
    """Return ``value`` in canonical form: metrics may leave sympy's sums as they fell."""
    return value if value is None or type(value) is int else as_dim(value)
