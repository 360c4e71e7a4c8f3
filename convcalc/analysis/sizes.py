"""Legal input sizes, found by trying: the smallest square input that a network accepts.

Which sizes work in general, and why others fail, is a question to the letters in a symbolic graph, and not asked here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from convcalc.algebra.dims import Shape
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph


def smallest(build: Callable[[Shape], Graph], shape: Shape, usual: int, seconds: float = 0.4) -> int | None:
    """The smallest n for which ``build`` takes ``shape`` with all its spatial sizes n; None where it was not found.

    ``usual`` is a size that should work: where it does not, size is not what is wrong, and the search is not begun. It
    stops there, or after ``seconds``.

    >>> from convcalc import nn, trace
    >>> smallest(lambda shape: trace(nn.Conv2d(3, 8, 5), shape), (1, 3, 2, 2), 64)
    5
    """
    if not shape[2:] or not accepts(build, square(shape, usual)):
        return None
    end = time.monotonic() + seconds
    for n in range(1, usual + 1):
        if accepts(build, square(shape, n)):
            return n
        if time.monotonic() > end:
            break
    return None


def square(shape: Sequence[object], n: int) -> Shape:
    """``shape`` with all its spatial sizes n.

    >>> square((1, 3, 10, 12), 63)
    (1, 3, 63, 63)
    """
    return (*shape[:2], *[n] * (len(shape) - 2))  # type: ignore[arg-type]


def accepts(build: Callable[[Shape], Graph], shape: Shape) -> bool:
    """Whether ``build`` takes this shape."""
    try:
        build(shape)
    except ConvcalcError:
        return False
    return True
