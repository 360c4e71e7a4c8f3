"""The tape, which records calls of layers on symbolic tensors as a graph.

Readers build a graph with `Tape.record`; `trace` runs a model's ``forward`` on a tape. Every size that enters a graph
is checked here, once, and errors are given their place. Nothing but shapes is computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from convcalc.algebra.dims import show_shape
from convcalc.algebra.formula import recording
from convcalc.algebra.types import Condition, Shape, is_symbolic
from convcalc.errors import ConvcalcError, ShapeError, SpecError
from convcalc.layers.base import Layer, Output, infer, recorder, require_inputs
from convcalc.layers.checks import as_integer
from convcalc.layers.demands import check_call
from convcalc.network.graph import Graph, Node, Reason, Via, node_name
from convcalc.network.module import Module, walk
from convcalc.network.tensor import Tensor

# A network repeats a few distinct calls many times, and layers are values, so their results can be shared.
_infer = lru_cache(maxsize=4096)(infer)


class _Seat:
    """The place of one layer object: its path, what it resolved to, how it is called, and how often it was."""

    def __init__(self, path: str, item: Layer | Module, via: Via = "module") -> None:
        self.path, self.item, self.via, self.calls = path, item, via, 0
        self.made = item  # kept alive, since seats are found by its id


class _Inside:
    """A context in which the module at ``owner`` makes the calls of a tape; entered often, so not a generator."""

    __slots__ = ("owner", "tape")

    def __init__(self, tape: Tape, owner: str) -> None:
        self.tape, self.owner = tape, owner

    def __enter__(self) -> None:
        tape = self.tape
        tape.owner, self.owner = self.owner, tape.owner

    def __exit__(self, *_: object) -> None:
        self.tape.owner = self.owner


class Tape:
    """A record of calls in order; the layers of ``model`` have their paths in it.

    >>> from convcalc import nn
    >>> tape = Tape()
    >>> x = tape.input("input", (1, 3, 8, 8))
    >>> tape.record(nn.Conv2d(3, 4, 3), x, path="conv").shape
    (1, 4, 6, 6)
    """

    def __init__(self, model: Layer | Module | None = None) -> None:
        self._inputs: dict[str, Shape] = {}
        self._nodes: list[Node] = []
        self._owned: dict[str, Layer] = {}
        self._modules: dict[str, str] = {}
        self._seats: dict[int, _Seat] = {}
        self._taken: Counter[str] = Counter()
        self.owner = ""  # the path of the module whose forward is running
        self._reasons: dict[Condition, Reason] = {}
        if model is not None:
            self._own(model)

    def _own(self, model: Layer | Module, path: str = "", via: Via = "module") -> None:
        for where, item in walk(model, path):
            self._seats.setdefault(id(item), _Seat(where, item, via))
            if isinstance(item, Layer):
                self._owned[where] = item
            else:
                self._modules[where] = type(item).__name__

    def input(self, name: str, shape: Shape) -> Tensor:
        """Return a new input of the network; raise SpecError unless all its sizes are at least 1."""
        if not isinstance(shape, Iterable):
            raise SpecError(f"{name} must be a tuple of sizes; received {shape!r}")
        shape = tuple(as_integer(dim, f"a size of {name}") for dim in shape)
        for dim in shape:
            if isinstance(dim, int) and dim < 1:
                raise SpecError(f"the sizes of {name} must be positive; received {show_shape(shape)}")
        self._inputs[name] = shape
        return Tensor(shape, name)

    def record(self, layer: Layer, *inputs: Any, path: str | None = None, via: Via | None = None) -> Tensor:
        """Record a call of ``layer`` on tensors (parameters count as tensors) and return its output.

        ``via`` is how the call is written: by default as a module if the model holds the layer or it has a ``path``,
        else as a function. Raises ShapeError with the place, the inputs and the formula where the layer refuses its
        input.
        """
        shapes: tuple[Shape, ...]
        names: tuple[str, ...]
        if len(inputs) == 1 and type(x := inputs[0]) is Tensor:  # nearly always, and faster
            tensors, shapes, names = [x], (x.shape,), (x.name,)
        else:
            tensors = [x if type(x) is Tensor else self._tensor(x, layer) for x in inputs]
            shapes, names = tuple([x.shape for x in tensors]), tuple([x.name for x in tensors])
        seat = self._seats.get(id(layer))
        if seat is None:
            via_seat: Via = "module" if path or isinstance(layer, Output) else "function"  # a layer that no model holds
            seat = self._seats[id(layer)] = _Seat(path or self._new_path(layer), layer, via_seat)
        path, call = seat.path, seat.calls
        try:
            if call == 0:
                seat.item = layer.resolve(*shapes)
            layer = seat.item  # type: ignore[assignment]  # a module never comes here
            output, assumed = _infer(layer.shared, shapes)
        except ConvcalcError as error:
            raise _placed(error, path, layer, tensors) from None
        for condition, what in assumed:
            self._reasons.setdefault(condition, Reason(node_name(path, call), what))
        seat.calls = call + 1
        self._nodes.append(Node(path, call, layer, names, shapes, output, self.owner, via or seat.via))
        return Tensor(output, node_name(path, call) if call else path)

    __call__ = record

    def _tensor(self, value: Any, layer: Layer) -> Tensor:
        """Return the tensor that a parameter or buffer becomes as an operand: the output of a node without inputs."""
        if isinstance(value, Layer):
            return self.record(value)
        raise SpecError(f"takes symbolic tensors; received {value!r}", where=repr(layer))

    def _new_path(self, layer: Layer) -> str:
        """Return a path for a layer that no module holds: its kind, below the calling module, numbered from 2."""
        prefix = self.owner + "." if self.owner else ""
        base = prefix + type(layer).__name__.lower()
        while True:
            self._taken[base] += 1
            path = base if self._taken[base] == 1 else f"{base}{self._taken[base]}"
            if path not in self._owned and path not in self._modules:
                return path

    def inside(self, module: Module) -> AbstractContextManager[None]:
        """Return a context in which calls are made by ``module``."""
        seat = self._seats.get(id(module))
        return _Inside(self, seat.path if seat else self.owner)

    def at(self, path: str, layer: Layer, owner: str = "", via: Via = "module") -> AbstractContextManager[None]:
        """Own ``layer`` at ``path`` and return a context in which the module at ``owner`` makes calls; for readers.

        ``via`` is how the layer's calls are written.
        """
        self._own(layer, path, via)
        return _Inside(self, owner)

    def own_module(self, path: str, kind: str) -> None:
        """Own a composite of the class ``kind`` at ``path``; for readers."""
        self._modules[path] = kind

    def graph(self, *outputs: Tensor) -> Graph:
        """Return the graph recorded so far, with these outputs."""
        owned: dict[str, Any] = {path: self._seats[id(layer)].item for path, layer in self._owned.items()}
        assumptions: tuple[Condition, ...] = ()
        if self._reasons:
            from convcalc.algebra.symbolic import drop_implied

            assumptions = drop_implied(self._reasons)
        names, reasons = tuple(x.name for x in outputs), dict(self._reasons)
        read = {name for node in self._nodes for name in node.inputs}.union(names)
        nodes = tuple([node for node in self._nodes if not isinstance(node.layer, Output) or node.name in read])
        return Graph(dict(self._inputs), nodes, names, owned, self._modules, assumptions, reasons)


def trace(model: Layer | Module | Callable[..., Any], *shapes: Shape) -> Graph:
    """Run ``model`` on symbolic inputs of these full shapes (N, C, *spatial) and return the graph.

    Raises SpecError for sizes that are not positive integers or letters, ShapeError where a layer refuses its
    input.

    >>> from convcalc import nn
    >>> trace(nn.Conv2d(3, 64, 7, stride=2, padding=3), (1, 3, 224, 224)).nodes[0].output_shape
    (1, 64, 112, 112)
    """
    if isinstance(model, type) or not callable(model):
        hint = "call the class to make one: nn.ReLU(), not nn.ReLU" if isinstance(model, type) else ""
        raise SpecError(f"trace takes a layer, a module or a function; received {model!r}", hint=hint)
    tape = Tape(model if isinstance(model, (Layer, Module)) else None)
    names = ["input"] if len(shapes) == 1 else [f"input{i}" for i in range(1, len(shapes) + 1)]
    inputs = [tape.input(name, shape) for name, shape in zip(names, shapes)]
    token = recorder.set(tape)
    try:
        graph = tape.graph(*_leaves(model(*inputs)))
        return replace(graph, retrace=partial(trace, model)) if any(map(is_symbolic, chain(*shapes))) else graph
    except TypeError as error:
        if not _compares_letters(error):
            check_call(model, repr(model) if isinstance(model, Layer) else type(model).__name__, inputs, {})
            raise
        what = "compares sizes, and the result depends on a letter"
        raise SpecError(what, where="forward", hint="give that size as a number") from None
    finally:
        recorder.reset(token)


def _compares_letters(error: TypeError) -> bool:
    """Return whether an error is sympy's for the truth of a relation between letters.

    It is recognised by where it was raised, in a method of the relation, since sympy may change its text.
    """
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    relation = None if place is None else place.tb_frame.f_locals.get("self")
    return getattr(relation, "is_Relational", False) is True


def _leaves(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in what ``forward`` returned, within tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _leaves(item)


def _placed(error: ConvcalcError, path: str, layer: Layer, inputs: list[Tensor]) -> ConvcalcError:
    """Return ``error`` with the place where it happened, the inputs, and the formula that failed."""
    if error.where:
        return error
    error.where = f"{path} = {layer!r}" if path else repr(layer)
    shown = ", ".join(f"{show_shape(x.shape[1:])} from {x.name}" for x in inputs)
    with recording() as steps, suppress(ConvcalcError):
        require_inputs(layer, [x.shape for x in inputs])
        layer.output_shape(*[x.shape for x in inputs])
    failed = [str(step) for step in steps if isinstance(step.result, int) and step.result < 1]
    error.details.insert(0, "; ".join([f"input {shown}", *failed[:1]]) if isinstance(error, ShapeError) else shown)
    return error
