"""What every notation of plans shares while it is read: the current flow, names, paths of layers, and limits.

The *flow* is the value that a layer takes if it names no input: the output of the line before.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from convcalc.algebra.dims import show, show_shape
from convcalc.algebra.types import LIMIT, Dim, Shape, is_symbolic
from convcalc.errors import SpecError
from convcalc.formats.sheet.source import Enough, Text
from convcalc.layers.base import Layer, recorder
from convcalc.layers.demands import axis_name
from convcalc.network.graph import Graph, Via
from convcalc.network.tensor import Operand, Tensor
from convcalc.network.trace import Tape, _leaves

MOST_STACKED = 1000  # layers inside one recurrent layer, each with tensors of its own
MOST_PARTS = 120  # of an expression in letters
MOST_TERMS = 12  # of a sum of letters: products of five such sums are still computed quickly
MOST_DEGREE = 12
RANGE = f"numbers must be between -{LIMIT:,} and {LIMIT:,}"

AUDIBLE = False
"""Whether Python's errors inside layers are raised unchanged; for tests."""

UNKNOWN = object()
"""The value of a name or of the flow after an error."""


class Unknown(Exception):
    """A value was lost to an error that has been reported already."""


class Frame:
    """A block being read; ``reserved`` are names that unnamed layers must not take."""

    def __init__(self, names: dict[str, Any], path: str = "", reserved: Collection[str] = ()) -> None:
        self.names = names
        self.path = path
        self.reserved = reserved
        self.layers: dict[str, Layer] = {}
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()

    def place(self, name: str, numbered: bool) -> str:
        """Take ``name`` as the last part of a path and return it, with a number if it is taken or ``numbered``."""
        while True:
            self.counts[name] += 1
            count = self.counts[name]
            part = f"{name}{count}" if numbered else name if count == 1 else f"{name}_{count}"
            if part not in self.taken and not (numbered and part in self.reserved):
                self.taken.add(part)
                return part


class Plan:
    """Layers recorded in order, each on the flow or on named inputs; ``parts`` are all outputs of the last call."""

    flow: Any = None
    parts: tuple[Tensor, ...] = ()

    def __init__(self, batch: Dim = 1) -> None:
        self.batch = batch
        self.tape = Tape()
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.frames = [Frame({})]

    @property
    def frame(self) -> Frame:
        """Return the innermost block."""
        return self.frames[-1]

    def declare(self, name: str, shape: Shape) -> Tensor:
        """Return a new input of ``shape`` (without the batch), the new flow; raise SpecError for large sizes."""
        name = name or ("input" if not self.inputs else f"input{len(self.inputs) + 1}")
        check_sizes(shape)
        self.flow = tensor = self.tape.input(self._path(name, False), (self.batch, *shape))
        self.inputs.append(tensor)
        return tensor

    def need_flow(self) -> Tensor:
        """Return the flow; raise SpecError if there is none yet, Unknown if it was lost to an error."""
        if self.flow is UNKNOWN:
            raise Unknown
        if not isinstance(self.flow, Tensor):
            hint = "begin with input(3, H, W), or give --input 3x224x224"
            raise SpecError("no input has been given before this layer", hint=hint)
        return self.flow

    def record(
        self,
        layer: Layer,
        inputs: Sequence[Tensor],
        stem: str,
        name: str = "",
        *,
        called: str = "",
        via: Via = "module",
    ) -> Tensor:
        """Record a call of ``layer`` and return its main output, the new flow; errors name the layer as ``called``."""
        stacked = getattr(layer, "num_layers", 0)
        if stacked > MOST_STACKED:
            what = f"num_layers may be at most {MOST_STACKED:,} in a sheet; received {stacked:,}"
            raise SpecError(what, about=["num_layers"])
        path = self._path(name or stem, not name)
        self.frame.layers[path.rpartition(".")[2]] = layer
        with guarded(called or type(layer).__name__), self.tape.at(path, layer, self.frame.path, via):
            return self._call(layer, inputs)

    def again(self, name: str, inputs: Sequence[Tensor]) -> Tensor:
        """Record another call of a layer of this block, with the same weights, and return its main output."""
        with guarded(name):
            return self._call(self.frame.layers[name], inputs)

    def _call(self, layer: Layer, inputs: Sequence[Tensor]) -> Tensor:
        token = recorder.set(self.tape)
        try:
            self.parts = tuple(_leaves(layer(*inputs)))
        finally:
            recorder.reset(token)
        if not isinstance(layer, Operand):  # a parameter does not become the flow
            self.flow = self.parts[0]
        for part in self.parts:
            check_sizes(part.shape)
        return self.parts[0]

    @contextmanager
    def scope(self, name: str, kind: str, names: dict[str, Any], reserved: Collection[str] = ()) -> Iterator[None]:
        """Record what follows inside a block, which is a module of its own."""
        path = self._path(name or kind, not name)
        self.tape.own_module(path, kind)
        self.frames.append(Frame(names, path, reserved))
        yield
        self.frames.pop()

    def _path(self, name: str, numbered: bool) -> str:
        part = self.frame.place(name, numbered)
        return f"{self.frame.path}.{part}" if self.frame.path else part


class Reading:
    """A text being read, in any notation.

    ``inputs`` are shapes (without the batch) that replace those in the text, ``settings`` are values of its constants
    and letters, and ``folder`` is where it may include sheets from.
    """

    states_input = r"\binput\s*\("
    """A pattern by which an input is recognized in the notation."""

    def __init__(
        self,
        text: Text,
        inputs: Sequence[Shape] = (),
        batch: Dim = 1,
        settings: Mapping[str, Any] = {},
        folder: Path | None = None,
    ) -> None:
        self.root = text
        self.input_shapes = inputs
        self.plan = Plan(batch)
        self.settings = settings
        self.unused = set(settings)
        self.folder = folder

    def _follow(self) -> None:
        raise NotImplementedError

    def read(self) -> Graph:
        """Return the graph; raise SpecError or ShapeError with the places of all independent errors."""
        try:
            self._follow()
        except Enough:
            pass
        except (RecursionError, MemoryError):
            raise SpecError("brackets, blocks or sums are nested too deeply", where=self.root.name) from None
        self.root.finish()
        outputs = self.plan.outputs or [self.plan.flow]
        if not all(isinstance(output, Tensor) for output in outputs):
            what, hint = "there are no layers, so there is nothing to compute", "begin with input(3, H, W)"
            raise SpecError(what, where=self.root.name, hint=hint)
        return self.plan.tape.graph(*outputs)


def within_limits(value: Any) -> Any:
    """Return a number in normal form (an integral fraction as an int); raise SpecError if it is too large.

    >>> within_limits(Fraction(6, 2))
    3
    """
    if isinstance(value, Fraction):
        if value.denominator == 1:
            value = value.numerator
        elif value.denominator > LIMIT:
            raise SpecError(f"a fraction's denominator may not exceed {LIMIT:,}")
    if is_symbolic(value):
        from convcalc.algebra.symbolic import canonical

        value = canonical(value)
        if is_symbolic(value):
            check_expression(value)
            return value
    if abs(value) > LIMIT:
        huge = f"{int(value):,}" if abs(value) < 10**30 else "a number of more than 30 digits"
        raise SpecError(f"{RANGE}; this gives {huge}")
    return value


def check_sizes(shape: Shape) -> None:
    """Raise SpecError for a size that is too large, or too long an expression: layer by layer, both may double."""
    for i, size in enumerate(shape):
        if is_symbolic(size):
            check_expression(size)
        elif isinstance(size, int) and size > LIMIT:
            shown = show_shape(shape) if max(len(show(n)) for n in shape) < 30 else "a shape"
            raise SpecError(f"{shown}: the {axis_name(len(shape), i)} exceeds {LIMIT:,}")


def check_expression(value: Any) -> None:
    """Raise SpecError for an expression in letters that is too long, or has too large numbers or powers."""
    stack, parts = [value], 0
    while stack:
        part = stack.pop()
        parts += 1
        if parts > MOST_PARTS or (part.is_Add and len(part.args) > MOST_TERMS):
            raise SpecError(f"an expression in letters may have at most {MOST_TERMS} terms and {MOST_PARTS} parts")
        if part.is_Rational and max(abs(part.p), part.q) > LIMIT:
            raise SpecError(f"{RANGE}; {show(value):.60} contains a larger one")
        if part.is_Pow and not (part.args[1].is_Integer and abs(part.args[1]) <= MOST_DEGREE):
            raise SpecError(f"the power of a letter may be at most {MOST_DEGREE}")
        stack.extend(part.args)


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turn Python's errors into a SpecError, since a text may give a layer any arguments; ``name`` is that layer."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        if AUDIBLE:
            raise
        raise SpecError(f"{name} cannot take these values") from error
