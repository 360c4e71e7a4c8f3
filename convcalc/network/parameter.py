"""Parameters and buffers: tensors that a module holds itself.

Each is a layer without inputs, with torch's operators and methods. Used as an operand it becomes a node of the graph,
and its name in the ``state_dict`` is its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import show, show_shape
from convcalc.algebra.field import Field
from convcalc.algebra.types import Shape
from convcalc.errors import SpecError
from convcalc.layers.base import _Idle
from convcalc.layers.formulas import rules
from convcalc.network.tensor import Operand, listed


class _Leaf(_Idle, Operand):
    """A tensor that a module holds; as an operand it becomes a node without inputs."""

    arity = (0, 0)
    formulas = rules(size=("the sizes given",), field=("sees nothing of the input",))

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

    held_as = "parameter"

    def weights(self) -> Mapping[str, Shape]:
        return {"": self.shape}


class Buffer(_Leaf):
    """A tensor of state that is not learned, held by a module under a name.

    >>> Buffer(49, 49).buffers()
    {'': (49, 49)}
    """

    held_as = "buffer"

    def buffers(self) -> Mapping[str, Shape]:
        return {"": self.shape}
