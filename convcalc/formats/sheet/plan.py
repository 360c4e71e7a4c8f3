"""A plan being read: what flows, which names stand for what, where each layer stands; and what errors mean."""

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

MOST_STACKED = 1000  # recurrent layers in one: each has tensors of its own
MOST_PARTS = 120  # of an expression in letters
MOST_TERMS = 12  # of a sum of letters: a product of five such sums is computed in a moment
MOST_DEGREE = 12
RANGE = f"numbers lie between -{LIMIT:,} and {LIMIT:,}"

AUDIBLE = False
"""Whether failures inside layers are raised as they are, for tests."""

UNKNOWN = object()
"""The value of a name, or of what flows, after an error."""


class Unknown(Exception):
    """What this needs was lost to an error that has been reported already."""


class Frame:
    """One block being read; ``reserved`` are names that unnamed layers do not take."""

    def __init__(self, names: dict[str, Any], path: str = "", reserved: Collection[str] = ()) -> None:
        self.names = names
        self.path = path
        self.reserved = reserved
        self.layers: dict[str, Layer] = {}
        self.counts: Counter[str] = Counter()
        self.taken: set[str] = set()

    def place(self, name: str, numbered: bool) -> str:
        """``name`` as the last part of a path, with a number if it is taken or ``numbered``."""
        while True:
            self.counts[name] += 1
            count = self.counts[name]
            part = f"{name}{count}" if numbered else name if count == 1 else f"{name}_{count}"
            if part not in self.taken and not (numbered and part in self.reserved):
                self.taken.add(part)
                return part


class Plan:
    """Layers recorded in order, each on what flows or on named inputs; ``parts`` is what the last call returned."""

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
        """The innermost block."""
        return self.frames[-1]

    def declare(self, name: str, shape: Shape) -> Tensor:
        """A new input of this shape without the batch, which flows from here; raises SpecError for large sizes."""
        name = name or ("input" if not self.inputs else f"input{len(self.inputs) + 1}")
        check_sizes(shape)
        self.flow = tensor = self.tape.input(self._path(name, False), (self.batch, *shape))
        self.inputs.append(tensor)
        return tensor

    def need_flow(self) -> Tensor:
        """What flows; raises SpecError where nothing does yet."""
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
        """Record a call of ``layer``, in the text ``called`` so, and return its main output, which flows from here."""
        stacked = getattr(layer, "num_layers", 0)
        if stacked > MOST_STACKED:
            what = f"num_layers is at most {MOST_STACKED:,} on a sheet; received {stacked:,}"
            raise SpecError(what, about=["num_layers"])
        path = self._path(name or stem, not name)
        self.frame.layers[path.rpartition(".")[2]] = layer
        with guarded(called or type(layer).__name__), self.tape.at(path, layer, self.frame.path, via):
            return self._call(layer, inputs)

    def again(self, name: str, inputs: Sequence[Tensor]) -> Tensor:
        """One more call of a layer of this block, which keeps its weights."""
        with guarded(name):
            return self._call(self.frame.layers[name], inputs)

    def _call(self, layer: Layer, inputs: Sequence[Tensor]) -> Tensor:
        token = recorder.set(self.tape)
        try:
            self.parts = tuple(_leaves(layer(*inputs)))
        finally:
            recorder.reset(token)
        if not isinstance(layer, Operand):  # which is a tensor that the plan holds
            self.flow = self.parts[0]
        for part in self.parts:
            check_sizes(part.shape)
        return self.parts[0]

    @contextmanager
    def scope(self, name: str, kind: str, names: dict[str, Any], reserved: Collection[str] = ()) -> Iterator[None]:
        """What is recorded inside belongs to a block: a module of its own."""
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

    ``inputs`` (without the batch) take the place of the text's own, ``settings`` are values of its constants and
    letters, and ``folder`` is where it may include from.
    """

    states_input = r"\binput\s*\("
    """How the notation says an input."""

    def __init__(
        self,
        text: Text,
        inputs: Sequence[Shape] = (),
        batch: Dim = 1,
        settings: Mapping[str, Any] = {},
        folder: Path | None = None,
    ) -> None:
        self.root = text
        self.given = inputs
        self.plan = Plan(batch)
        self.settings = settings
        self.unused = set(settings)
        self.folder = folder

    def _follow(self) -> None:
        raise NotImplementedError

    def read(self) -> Graph:
        """The graph; raises SpecError or ShapeError."""
        try:
            self._follow()
        except Enough:
            pass
        except (RecursionError, MemoryError):
            raise SpecError("brackets, blocks or sums are nested too deeply", where=self.root.name) from None
        self.root.finish()
        outputs = self.plan.outputs or [self.plan.flow]
        if not all(isinstance(output, Tensor) for output in outputs):
            what, hint = "no layers, so nothing to compute", "begin with input(3, H, W)"
            raise SpecError(what, where=self.root.name, hint=hint)
        return self.plan.tape.graph(*outputs)


def within_limits(value: Any) -> Any:
    """``value`` in normal form (whole fractions as ints); raises SpecError where it is too large."""
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
    """Raise SpecError for sizes that no plan has: they may double their length at every layer."""
    for i, size in enumerate(shape):
        if is_symbolic(size):
            check_expression(size)
        elif isinstance(size, int) and size > LIMIT:
            shown = show_shape(shape) if max(len(show(n)) for n in shape) < 30 else "a shape"
            raise SpecError(f"{shown}: the {axis_name(len(shape), i)} exceeds {LIMIT:,}")


def check_expression(value: Any) -> None:
    """Raise SpecError for an expression in letters that is longer or larger than a plan's."""
    stack, parts = [value], 0
    while stack:
        part = stack.pop()
        parts += 1
        if parts > MOST_PARTS or (part.is_Add and len(part.args) > MOST_TERMS):
            raise SpecError(f"an expression in letters has at most {MOST_TERMS} terms and {MOST_PARTS} parts")
        if part.is_Rational and max(abs(part.p), part.q) > LIMIT:
            raise SpecError(f"{RANGE}; {show(value):.60} holds a larger one")
        if part.is_Pow and not (part.args[1].is_Integer and abs(part.args[1]) <= MOST_DEGREE):
            raise SpecError(f"a letter is multiplied by itself at most {MOST_DEGREE} times")
        stack.extend(part.args)


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Python's errors inside become a SpecError: a text may give a layer anything."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        if AUDIBLE:
            raise
        raise SpecError(f"{name} cannot take these values") from error
