"""A plan being read: what flows, which names stand for what, and where each layer's path begins.

Readers of text record their layers here; the syntax they read is their own business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from convcalc.algebra.dims import LIMIT, Dim, Shape, is_symbolic, show, show_shape
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, recorder
from convcalc.layers.checks import axis_name
from convcalc.network.graph import Graph
from convcalc.network.tensor import Operand, Tensor
from convcalc.network.trace import Tape
from convcalc.readers.arithmetic import check_expression

MOST_STACKED = 1000  # recurrent layers in one: each has tensors of its own

UNKNOWN = object()
"""The value of a name, or of what flows, after an error."""


class Unknown(Exception):  # not an error of the user's: the one it follows from is reported
    """What this needs was lost to an error that has been reported already."""


class Frame:
    """One block being read: its names, the path of its module, its layers, and how often each kind of name was given.

    ``reserved`` are names that the block's own lines give: unnamed layers do not take them.
    """

    def __init__(self, names: dict[str, Any], path: str = "", reserved: Collection[str] = ()) -> None:
        self.names = names
        self.path = path
        self.reserved = reserved
        self.layers: dict[str, Layer] = {}
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()

    def place(self, name: str, numbered: bool) -> str:
        """``name`` as the last part of a path; taken ones get the next number, and ``numbered`` ones all have one."""
        while True:
            self.counts[name] += 1
            count = self.counts[name]
            part = f"{name}{count}" if numbered else name if count == 1 else f"{name}_{count}"
            if part not in self.taken and not (numbered and part in self.reserved):
                self.taken.add(part)
                return part


class Plan:
    """Layers recorded in order, each on what flows or on named inputs."""

    def __init__(self, batch: Dim = 1) -> None:
        self.batch = batch
        self.tape = Tape()
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.flow: Any = None
        self.parts: tuple[Tensor, ...] = ()
        """All that the last call returned; most layers return one tensor."""
        self.frames = [Frame({})]

    @property
    def frame(self) -> Frame:
        """The innermost block."""
        return self.frames[-1]

    def declare(self, name: str, shape: Shape) -> Tensor:
        """A new input of this shape without the batch; it flows from here. Raises SpecError for sizes too large."""
        name = name or ("input" if not self.inputs else f"input{len(self.inputs) + 1}")
        check_sizes(shape)
        tensor = self.tape.input(self._path(name, False), (self.batch, *shape))
        self.flow = tensor
        self.inputs.append(tensor)
        return tensor

    def need_flow(self) -> Tensor:
        """What flows; raises SpecError where nothing does yet."""
        if self.flow is UNKNOWN:
            raise Unknown
        if not isinstance(self.flow, Tensor):
            raise SpecError(
                "no input has been given before this layer", hint="begin with input(3, H, W), or give --input 3x224x224"
            )
        return self.flow

    def record(self, layer: Layer, inputs: Sequence[Tensor], name: str, *, numbered: bool = True) -> Tensor:
        """A call of ``layer``; its main output flows from here. An unnamed layer is numbered: conv1, conv2."""
        frame = self.frame
        if getattr(layer, "num_layers", 0) > MOST_STACKED:
            raise SpecError(f"num_layers is at most {MOST_STACKED:,} on a sheet; received {layer.num_layers:,}")  # type: ignore[attr-defined]
        path = self._path(name, numbered)
        frame.layers[path.rpartition(".")[2]] = layer
        return self._call(layer, inputs, path)

    def again(self, name: str, inputs: Sequence[Tensor]) -> Tensor:
        """One more call of a layer of this block, which keeps its weights."""
        return self._call(self.frame.layers[name], inputs, None)

    def _call(self, layer: Layer, inputs: Sequence[Tensor], path: str | None) -> Tensor:
        token = recorder.set(self.tape)
        try:
            if path is None:
                result = layer(*inputs)
            elif isinstance(layer, Operand):  # a parameter: a tensor that the plan holds, with no input
                with self.tape.at(path, layer, owner=self.frame.path):
                    self.parts = (self.tape.record(layer),)
                return self.parts[0]
            else:
                with self.tape.at(path, layer, owner=self.frame.path):
                    result = layer(*inputs)
        finally:
            recorder.reset(token)
        self.parts = tuple(_leaves(result))
        self.flow = self.parts[0]
        for part in self.parts:
            check_sizes(part.shape)
        return self.parts[0]

    @contextmanager
    def scope(
        self, name: str, kind: str, names: dict[str, Any], *, numbered: bool, reserved: Collection[str] = ()
    ) -> Iterator[None]:
        """What is recorded inside belongs to a block: a module of its own."""
        path = self._path(name, numbered)
        self.tape.own_module(path, kind)
        self.frames.append(Frame(names, path, reserved))
        try:
            yield
        finally:
            self.frames.pop()

    def _path(self, name: str, numbered: bool) -> str:
        """A path in the present block for ``name``."""
        part = self.frame.place(name, numbered)
        return f"{self.frame.path}.{part}" if self.frame.path else part

    def graph(self, where: str) -> Graph:
        """The graph of all that was recorded; raises SpecError where that is nothing."""
        outputs = self.outputs or [self.flow]
        if not all(isinstance(output, Tensor) for output in outputs):
            raise SpecError("no layers, so nothing to compute", where=where, hint="begin with input(3, H, W)")
        return self.tape.graph(*outputs)


def check_sizes(shape: Shape) -> None:
    """Raise SpecError for sizes that no plan has; without it they would double their length at every layer."""
    for i, size in enumerate(shape):
        if is_symbolic(size):
            check_expression(size)
        elif isinstance(size, int) and size > LIMIT:
            shown = show_shape(shape) if max(len(show(n)) for n in shape) < 30 else "a shape"
            raise SpecError(f"{shown}: the {axis_name(len(shape), i)} exceeds {LIMIT:,}")


def _leaves(result: object) -> Iterator[Tensor]:
    """The tensors that a call returned, through nested tuples."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, tuple):
        for item in result:
            yield from _leaves(item)
