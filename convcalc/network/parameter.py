"""Parameters and buffers that a module holds itself, used in ``forward`` like tensors.

Each is a layer without inputs: as an operand it becomes a node of the graph, and its name in the ``state_dict`` is its
path. The tensors inside a layer such as a convolution's weight are the layer's own and not these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import Shape, show, show_shape
from convcalc.algebra.field import Field
from convcalc.errors import SpecError
from convcalc.layers.base import _Idle
from convcalc.network.tensor import Operand, listed


class _Leaf(_Idle, Operand):
    """A tensor that a module holds; used as an operand it becomes a node without inputs."""

    arity = (0, 0)

    shape: Shape

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*([listed(args)] if args or not kwargs else []), **kwargs)

    def check(self) -> None:
        sizes = self.shape if isinstance(self.shape, (tuple, list)) else (self.shape,)
        shape = tuple([self.dim_of("a size", n) for n in sizes])
        if any(isinstance(n, int) and n < 1 for n in shape):
            raise SpecError(f"sizes must be at least 1; received {show_shape(shape)}", where=type(self).__name__)
        self.normalise(shape=shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(show, self.shape))})"

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def field(self, fields: Sequence[Field], inputs: Sequence[Shape], output: Shape) -> Field:
        return Field((None,) * len(output))


class Parameter(_Leaf):
    """A learned tensor of this shape, held by a module under a name: ``self.token = nn.Parameter(1, 1, 768)``.

    >>> Parameter(1, 1, 768).weights()
    {'': (1, 1, 768)}
    """

    def weights(self) -> Mapping[str, Shape]:
        return {"": self.shape}


class Buffer(_Leaf):
    """A tensor of state that is not learned, held by a module under a name.

    >>> Buffer(49, 49).buffers()
    {'': (49, 49)}
    """

    def buffers(self) -> Mapping[str, Shape]:
        return {"": self.shape}
