"""From what a user names to a graph: a network of the zoo, a sheet, or a model in Python.

`read` asks each of `READERS` in turn; a new kind of source (a file, a text, a model of another library) is one function
there. What is computed of a graph is not known here, but for `summary`, which puts the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from convcalc.algebra.dims import Dim, Shape, parse_shape, show_shape
from convcalc.analysis.report import Report, analyze
from convcalc.errors import ShapeError, SpecError
from convcalc.layers.base import Layer
from convcalc.network.graph import Graph
from convcalc.network.module import Module
from convcalc.network.trace import trace


class Network:
    """What a reader makes of a source: a name, how to get its graph for full shapes, its usual inputs if it has any.

    ``inputs`` are without the batch; a function is asked for them only where they are needed.
    """

    def __init__(
        self, name: str, graph: Callable[..., Graph], inputs: Sequence[Shape] | Callable[[], Sequence[Shape]] = ()
    ) -> None:
        self.name = name
        self.graph = graph
        self._inputs = inputs

    @cached_property
    def inputs(self) -> tuple[Shape, ...]:
        """The usual shapes of all inputs, without the batch."""
        return tuple(self._inputs() if callable(self._inputs) else self._inputs)

    @property
    def expected(self) -> Shape | None:
        """The usual shape of the first input, to hold given ones against; None for a sheet, which does so itself."""
        return None if callable(self._inputs) else self.input

    @property
    def input(self) -> Shape | None:
        """The usual shape of the first input, without the batch."""
        return self.inputs[0] if self.inputs else None


Reader: TypeAlias = "Callable[[Any, Mapping[str, Any]], Network | None]"
"""Takes a source and settings; None where the source is not of its kind."""


def read_model(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """A module, a layer, or a function of symbolic tensors."""
    if isinstance(source, str) or not (isinstance(source, (Layer, Module)) or callable(source)):
        return None
    name = type(source).__name__ if isinstance(source, (Layer, Module)) else getattr(source, "__name__", "network")
    if settings:
        hint = "give them to its constructor; settings are for networks that are named"
        raise SpecError(f"takes no settings; received {', '.join(settings)}", where=name, hint=hint)
    return Network(name, lambda *shapes: trace(source, *shapes))


def read_text(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """A sheet: a ``.net`` file, ``-`` for stdin, or its text itself; in any notation that `readers.text` knows."""
    if not isinstance(source, str):
        return None
    from convcalc.readers.text import find

    written = find(source, settings)
    return None if written is None else Network(written.name, written.graph, lambda: written.inputs)


def read_zoo(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """A network of the zoo by its name; raises UnknownName."""
    if not isinstance(source, str):
        return None
    from convcalc import zoo

    model, shape = zoo.load(source, **settings)
    return Network(source, lambda *shapes: trace(model, *shapes), [shape])


def read_document(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """A ``.json`` file, as ``convcalc export --to json`` and ``summary --format json`` write it."""
    if not isinstance(source, str) or not source.endswith(".json"):
        return None
    from convcalc.readers.json import document, input_shapes, read_json

    with open(source, encoding="utf-8", errors="replace") as file:
        text = file.read()
    found = document(text, source)
    if settings:
        raise SpecError(f"takes no settings; received {', '.join(settings)}", where=source)
    shapes = input_shapes(found, source)
    name = found.get("network")
    return Network(
        name if isinstance(name, str) and name else source,
        lambda *full: read_json(text, source, () if list(full) == shapes else full),
        [shape[1:] for shape in shapes],
    )


READERS: tuple[Reader, ...] = (read_model, read_document, read_text, read_zoo)
"""In the order in which they are asked; the zoo takes every name, so it comes last."""


def read(source: Any, settings: Mapping[str, Any] = {}) -> Network:
    """The network that ``source`` means; raises SpecError or UnknownName.

    >>> read("resnet50").input
    (3, 224, 224)
    """
    for reader in READERS:
        network = reader(source, settings)
        if network is not None:
            return network
    raise SpecError(f"expected the name of a network or a module; received {source!r:.60}")


def traced(
    network: Any, *shapes: Shape | str, batch: Dim | str | None = None, settings: Mapping[str, Any] = {}
) -> tuple[Network, list[Shape], Graph]:
    """A network read and its graph, with the full shapes of its inputs; arguments and errors as of `summary`.

    >>> traced("lenet5")[1]
    [(1, 1, 32, 32)]
    """
    source = read(network, settings)
    full = full_shapes(source, shapes, batch)
    try:
        return source, full, source.graph(*full)
    except ShapeError as error:
        if not error.hint and len(full) == 1:
            error.hint = _smallest_input(source, full[0])
        raise


def summary(
    network: Any,
    *shapes: Shape | str,
    batch: Dim | str | None = None,
    convention: str = "torch",
    settings: Mapping[str, Any] = {},
    assume: Sequence[str] = (),
) -> Report:
    """The report of a network: a name (``settings`` are its arguments) or a module.

    A shape that is a tuple is full, with the batch; a text such as ``"3xHxW"`` is without it, and ``batch`` (1 if not
    given) goes before it. Without shapes a named network takes its usual input. ``assume`` says what holds of letters:
    ``"H % 32 == 0"``. Raises SpecError, UnknownName, ShapeError where a layer refuses its input, and NoSolution where
    no size satisfies the assumptions.

    >>> summary("resnet50", (1, 3, 224, 224)).totals["params"]
    25557032
    """
    source, full, graph = traced(network, *shapes, batch=batch, settings=settings)
    shown = batch is not None or any(shape[:1] != (1,) for shape in full)
    if not assume:
        return analyze(graph, convention=convention, network=source.name, show_batch=shown)
    from convcalc.analysis.given import under

    graph, told = under(graph, assume)
    return analyze(graph, convention=convention, network=source.name, show_batch=shown, given=told)


def full_shapes(source: Network, shapes: tuple[Shape | str, ...], batch: Dim | str | None) -> list[Shape]:
    """The input shapes with the batch."""
    if not shapes:
        if source.input is None:
            hint = 'give (1, 3, 224, 224) or "3x224x224"'
            raise SpecError("needs the shape of its input", where=source.name, hint=hint)
        return [(*_batch(batch), *shape) for shape in source.inputs]
    return [
        _from_text(source, shape, batch) if isinstance(shape, str) else _full(source, shape, batch) for shape in shapes
    ]


def _full(source: Network, shape: Shape, batch: Dim | str | None) -> Shape:
    """A shape that was given with its batch."""
    if not isinstance(shape, (tuple, list)):
        raise SpecError(f"a shape is a tuple or a text such as '3x224x224'; received {shape!r:.60}", where=source.name)
    if batch is not None:
        raise SpecError("batch goes with a text such as '3x224x224'; a tuple begins with its batch", where=source.name)
    usual = source.expected
    if usual is not None and len(shape) != len(usual) + 1:
        what = f"takes a shape of {len(usual) + 1} sizes, such as {(1, *usual)}; received {tuple(shape)}"
        raise SpecError(what, where=source.name, hint="a tuple begins with the batch")
    return tuple(shape)


def _from_text(source: Network, text: str, batch: Dim | str | None) -> Shape:
    """A shape that was given as text, with the batch put before it."""
    shape, usual = parse_shape(text), source.expected
    if usual is not None and len(shape) != len(usual):
        received = f"{len(shape)}: {show_shape(shape)}"
        hint = f"write it as {'x'.join(map(str, usual))}"
        if len(shape) == len(usual) + 1:
            rest = "x".join(map(str, shape[1:]))
            hint = f"write it without the batch, {rest}, and give that apart (--batch {shape[0]})"
        what = f"takes an input of {len(usual)} axes, such as {show_shape(usual)}; received {received}"
        raise SpecError(what, where=source.name, hint=hint)
    return (*_batch(batch), *shape)


def _batch(batch: Dim | str | None) -> Shape:
    """The batch as the first size of a shape: a whole number or a letter."""
    if batch is None:
        return (1,)
    try:
        sizes = parse_shape(str(batch))
    except SpecError as error:
        raise SpecError(error.what, where="batch", hint="write it as a whole number such as 8, or a letter") from None
    if len(sizes) != 1:
        raise SpecError(f"expected one size, received {len(sizes)}: {show_shape(sizes)}", where="batch")
    return sizes


def _smallest_input(source: Network, shape: Shape) -> str:
    """What to say of the smallest input that works, where the sizes are what is wrong."""
    from convcalc.analysis.sizes import smallest, square

    if not all(isinstance(dim, int) for dim in shape):
        return ""
    usual = max((dim for dim in (source.input or ())[1:] if isinstance(dim, int)), default=256)
    n = smallest(source.graph, shape, usual)
    return f"the smallest input this network accepts is {show_shape(square(shape, n)[2:])}" if n else ""
