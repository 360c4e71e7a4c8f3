"""From whatever names a network to its graph: a name in the zoo, a sheet, or a model in Python; see `READERS`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from errno import ENOENT
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, TypeVar

from convcalc.algebra.dims import show_shape
from convcalc.algebra.parse import parse_shape
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.errors import ConvcalcError, ShapeError, SpecError, did_you_mean
from convcalc.network.graph import Graph
from convcalc.network.trace import trace

if TYPE_CHECKING:
    from convcalc.formats.sheet.plan import Reading


class Network:
    """A name, a function from full shapes to the graph, and the shapes of usual inputs, without the batch."""

    inputs: Sequence[Shape]
    checked = True
    """Whether the number of axes of an input is checked against the usual ones here."""

    def __init__(self, name: str, graph: Callable[..., Graph], inputs: Sequence[Shape] = ()) -> None:
        self.name = name
        self.graph = graph
        self.inputs = inputs

    @property
    def input(self) -> Shape | None:
        """The usual shape of the first input, without the batch."""
        return self.inputs[0] if self.inputs else None


ReadNetwork: TypeAlias = "Callable[[Any, Mapping[str, Any]], Network | None]"
R = TypeVar("R", bound=ReadNetwork)

READERS: dict[str, ReadNetwork] = {}
"""Readers by name, in the order in which they are asked."""


def reader(read: R) -> R:
    """Register a function as a reader: from what names a network, and its settings, to a `Network`.

    A reader returns None for anything that it does not read. Readers from outside are asked after ours, and before any
    callable is taken as a module and any text as a name.
    """
    READERS[read.__name__] = read
    return read


class TextNetwork(Network):
    """A text that describes a network.

    >>> TextNetwork("input(3, 32, 32); conv(8, 3)", "sheet").graph().nodes[-1].output_shape
    (1, 8, 30, 30)
    """

    checked = False

    def __init__(
        self, text: str, source: str, folder: Path | None = None, settings: Mapping[str, Any] = {}, name: str = ""
    ) -> None:
        self.text = text
        self.source = source
        self.folder = folder
        self.settings = settings
        title = re.search(r"""(?m)^[ \t]*net\([ \t]*(["'])([^"'\n]{1,100})\1\s*\)""", text)
        self.name = title[2].strip() if title else name or source

    def graph(self, *shapes: Shape) -> Graph:
        """Return the graph for inputs of these full shapes, or the text's own; raises SpecError or ShapeError."""
        batch: Dim = shapes[0][0] if shapes else 1
        if any(shape[:1] != (batch,) for shape in shapes):
            raise SpecError("the inputs of a sheet share one batch", where=self.source)
        return self._reader([shape[1:] for shape in shapes], batch).read()

    def _reader(self, inputs: Sequence[Shape] = (), batch: Dim = 1) -> Reading:
        from convcalc.formats.exam import Exam
        from convcalc.formats.sheet.read import Reader
        from convcalc.formats.sheet.source import Source, Text
        from convcalc.formats.torch.repr import Printed, is_repr

        kind: type[Reading] = Printed if is_repr(self.text) else Exam if _is_exam(self.text) else Reader
        text = (Source if kind is Reader else Text)(self.text, self.source)
        return kind(text, inputs, batch, self.settings, self.folder)

    @cached_property
    def inputs(self) -> Sequence[Shape]:  # type: ignore[override]
        """The shapes of the inputs that the text states, without the batch; empty if it states none."""
        reader = self._reader()
        if not re.search(reader.states_input, self.text) and not reader.root.errors:
            return ()
        try:
            reader.read()
        except ConvcalcError:  # raised again when the graph is built, which without inputs would not happen
            if not reader.plan.inputs:
                raise
        return tuple(tensor.shape[1:] for tensor in reader.plan.inputs)


def read_model(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """Return the network of a module, a layer, or a function of symbolic tensors; None for anything else."""
    if isinstance(source, str) or not callable(source):
        return None
    name = getattr(source, "__name__", type(source).__name__)
    if settings:
        hint = "pass them to its constructor; settings are for networks that are named by text"
        raise SpecError(f"takes no settings; received {', '.join(settings)}", where=name, hint=hint)
    return Network(name, lambda *shapes: trace(source, *shapes))


@reader
def read_document(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """Return the network of a ``.json`` file, as ``export --to json`` and ``summary --format json`` write them."""
    if not isinstance(source, str) or not source.endswith(".json"):
        return None
    from convcalc.formats.json.read import MOST_BYTES, NetworkDocument

    with _path(source).open("rb") as file:
        document = NetworkDocument(file.read(MOST_BYTES + 1).decode("utf-8-sig", "replace"), source)
    if settings:
        raise SpecError(f"takes no settings; received {', '.join(settings)}", where=source)
    return Network(document.network, document.graph, [shape[1:] for shape in document.shapes])


def _path(source: str) -> Path:
    if "\0" in source:
        raise FileNotFoundError(ENOENT, "a file name cannot contain a NUL", source)
    return Path(source)


def _content(file: BinaryIO, name: str) -> str:
    from convcalc.formats.sheet.source import read_file  # not needed for a network's name

    return read_file(file, name)


def _is_exam(text: str) -> bool:
    from convcalc.formats.exam import is_exam  # not needed for a network's name

    return is_exam(text)


@reader
def read_text(source: Any, settings: Mapping[str, Any] = {}) -> TextNetwork | None:
    """Return the text of a ``.net`` or ``.txt`` file, of stdin (``-``), or ``source`` itself; None for a name.

    Raises SpecError for a file that is not text, and OSError for one that cannot be read.

    >>> read_text("conv(6, 5); relu()").text, read_text("resnet50")
    ('conv(6, 5); relu()', None)
    """
    if not isinstance(source, str):
        return None
    if source == "-":
        return TextNetwork(_content(sys.stdin.buffer, "stdin"), "stdin", None, settings, "sheet")
    if "(" in source or "\n" in source or (re.search(r"[\s,;-]", source) and _is_exam(source)):
        return TextNetwork(source, "text", None, settings, "sheet")
    if not source.endswith((".net", ".txt")):
        return None
    path = _path(source)
    if path.suffix == ".net" and not path.exists():
        near = did_you_mean(source, [str(other) for other in path.parent.glob("*.net")])
        raise FileNotFoundError(ENOENT, f"there is no such file{'; ' + near if near else ''}", source)
    with path.open("rb") as file:
        return TextNetwork(_content(file, path.name), path.name, path.parent, settings, path.stem)


def read_zoo(source: Any, settings: Mapping[str, Any]) -> Network | None:
    """Return the network of the zoo with this name; raise UnknownName if there is none."""
    if not isinstance(source, str):
        return None
    from convcalc import zoo

    model, shape = zoo.load(source, **settings)
    return Network(source, lambda *shapes: trace(model, *shapes), [shape])


def read(source: Any, settings: Mapping[str, Any] = {}) -> Network:
    """Return the network that ``source`` names; raise SpecError or UnknownName if it names none.

    >>> read("resnet50").input
    (3, 224, 224)
    """
    for read_source in (*READERS.values(), read_model, read_zoo):  # the last two take any callable and any text
        network = read_source(source, settings)
        if network is not None:
            return network
    raise SpecError(f"expected the name of a network or a module; received {source!r:.60}")


def traced(
    network: Any, *shapes: Shape | str, batch: Dim | str | None = None, settings: Mapping[str, Any] = {}
) -> tuple[Network, list[Shape], Graph]:
    """Return a network, the full shapes of its inputs, and its graph; arguments and errors are those of `summary`.

    >>> traced("lenet5")[1]
    [(1, 1, 32, 32)]
    """
    source = read(network, settings)
    full = full_shapes(source, shapes, batch)
    try:
        return source, full, source.graph(*full)
    except ShapeError as error:
        if not error.hint and len(full) == 1 and all(isinstance(dim, int) for dim in full[0]):
            from convcalc.analysis.solving.budget import find_smallest, with_spatial_size

            usual = max((dim for dim in (source.input or ())[1:] if isinstance(dim, int)), default=256)
            if n := find_smallest(source.graph, full[0], usual):
                error.hint = (
                    f"the smallest input this network accepts is {show_shape(with_spatial_size(full[0], n)[2:])}"
                )
        raise


def letters_in(*shapes: Iterable[Any]) -> dict[str, None]:
    """Return the letters in shapes, in order, as keys.

    >>> letters_in(parse_shape("3xHxW"))
    {'H': None, 'W': None}
    """
    return dict.fromkeys(
        str(name) for shape in shapes for dim in shape if is_symbolic(dim) for name in dim.free_symbols
    )


def full_shapes(source: Network, shapes: Sequence[Shape | str], batch: Dim | str | None) -> list[Shape]:
    """Return the shapes of the inputs with their batch; raise SpecError for a shape that cannot be one."""
    usual = source.input if source.checked or not shapes else None
    if shapes:
        return [_full(source.name, usual, shape, batch) for shape in shapes]
    if usual is None:
        hint = 'give it as --input 3x224x224; in Python as "3x224x224" or (1, 3, 224, 224)'
        raise SpecError("needs the shape of its input", where=source.name, hint=hint)
    return [(*_batch(batch), *shape) for shape in source.inputs]


def _full(where: str, usual: Shape | None, given: Shape | str, batch: Dim | str | None) -> Shape:
    """Return a shape with its batch: a tuple begins with it, a text does not have it."""
    what = hint = ""
    if isinstance(given, str):
        shape = parse_shape(given)
        if usual is not None and len(shape) != len(usual):
            hint = f"write it as {'x'.join(map(str, usual))}"
            if len(shape) == len(usual) + 1:
                rest = "x".join(map(str, shape[1:]))
                hint = f"write it without the batch, {rest}, and give the batch separately (--batch {shape[0]})"
            what = f"takes an input of {len(usual)} axes, such as {show_shape(usual)}"
            what += f"; received {len(shape)}: {show_shape(shape)}"
    elif not isinstance(given, (tuple, list)):
        what = f"expected a tuple or a text such as '3x224x224' as the shape; received {given!r:.60}"
    elif batch is not None:
        what = "batch is for a shape as text, such as '3x224x224'; a tuple begins with its batch"
    elif usual is not None and len(given) != len(usual) + 1:
        what = f"takes a shape of {len(usual) + 1} sizes, such as {(1, *usual)}; received {tuple(given)}"
        hint = "a tuple begins with the batch"
    if what:
        raise SpecError(what, where=where, hint=hint)
    return (*_batch(batch), *shape) if isinstance(given, str) else tuple(given)


def _batch(batch: Dim | str | None) -> Shape:
    """Return the batch as the first size of a shape: an integer or a letter."""
    try:
        sizes = parse_shape("1" if batch is None else str(batch))
    except SpecError as error:
        raise SpecError(error.what, where="batch", hint="write it as an integer such as 8, or a letter") from None
    if len(sizes) != 1:
        raise SpecError(f"expected one size, received {len(sizes)}: {show_shape(sizes)}", where="batch")
    return sizes
