"""Legal input sizes: which a network takes, which layer asks for each restriction, and what a floor leaves unread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from convcalc.algebra.assume import assume
from convcalc.algebra.dims import as_dim, at_least, letter, show, truth
from convcalc.algebra.field import Field
from convcalc.algebra.intervals import Axis
from convcalc.algebra.periodic import ALL, NONE, Sizes
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.analysis.fields.flow import field_of
from convcalc.errors import ConvcalcError, NoSolution, ShapeError, SpecError
from convcalc.layers.demands import axis_name
from convcalc.network.graph import Graph, Node, Reason

if TYPE_CHECKING:
    from convcalc.algebra.symbolic.regions import Region

AXES = {1: "L", 2: "HW", 3: "DHW"}
"""The letters of spatial axes, by their number."""

Build = Callable[..., Graph]


class Demand(NamedTuple):
    needs: str
    node: str
    why: str


class Legal(NamedTuple):
    """The sizes that a network takes: ``shapes`` are its inputs in letters, ``held`` tells of axes held at numbers."""

    graph: Graph
    shapes: tuple[Shape, ...]
    region: "Region"
    demands: tuple[Demand, ...]
    held: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        return self.region.letters

    def told(self) -> list[str]:
        """The sizes, a line for each box.

        >>> from convcalc import nn, symbols, trace
        >>> legal(trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)), (1, 3, *symbols("H W")))).told()
        ['H ≥ 4, W ≥ 4']
        """
        return self.region.told()

    def values(self, shapes: Sequence[Shape]) -> tuple[int, ...] | None:
        """The numbers that full shapes give the letters; None where they do not fit."""
        found: dict[str, Any] = {}
        for lettered, numbers in zip(self.shapes, shapes):
            if len(lettered) != len(numbers):
                return None
            for dim, n in zip(lettered, numbers):
                if dim != n and (not is_symbolic(dim) or found.setdefault(str(dim), n) != n):
                    return None
        return tuple(found.get(name, 1) for name in self.letters)

    def filled(self, sizes: Sequence[int]) -> tuple[Shape, ...]:
        """The full shapes for these numbers."""
        numbers = dict(zip(self.letters, sizes))
        return tuple(tuple(numbers.get(str(dim), dim) for dim in shape) for shape in self.shapes)


def legal(graph: Graph, held: Sequence[str] = ()) -> Legal:
    """What a graph traced in letters says of them.

    >>> from convcalc import nn, symbols, trace
    >>> found = legal(trace(nn.MaxPool2d(4, padding=1), (1, 3, *symbols("H W"))))
    >>> found.demands[0]
    Demand(needs='H ≥ 2', node='', why='the output height is ⌊(H + 2)/4⌋')
    """
    from convcalc.algebra.symbolic.regions import Region

    shapes = tuple(graph.inputs.values())
    letters = [str(dim) for shape in shapes for dim in shape if is_symbolic(dim) and dim.is_Symbol]  # type: ignore[union-attr]
    region = Region(graph.assumptions, list(dict.fromkeys([*letters, *graph.letters])))
    return Legal(graph, shapes, region, tuple(_demands(graph.reasons, region)), tuple(held))


def _demands(reasons: Mapping[Any, Reason], region: "Region") -> Iterator[Demand]:
    """The demands that the others do not imply, in order."""
    from convcalc.algebra.symbolic import solve_relation
    from convcalc.algebra.symbolic.regions import boxes_of

    alone: dict[str, dict[Any, Sizes]] = {name: {} for name in region.letters}
    for relation in reasons:
        sizes = solve_relation(relation) if len(relation.free_symbols) == 1 else None
        if sizes is not None:
            alone[str(*relation.free_symbols)][relation] = sizes
    told = {relation: pairs[relation].told(name) for name, pairs in alone.items() for relation in _needed(pairs)}
    box = {name: reduce(Sizes.__and__, pairs.values(), ALL) for name, pairs in alone.items()}
    for relation, (node, what) in reasons.items():
        if not any(relation in pairs for pairs in alone.values()):
            cases = boxes_of(relation, box) or ()
            if not any(all(case.get(name, ALL) & s == s for name, s in box.items()) for case in cases):
                told[relation] = show(relation)
        if relation in told:
            yield Demand(told[relation], node, what.split(", in ")[0] or f"{show(relation)} does not hold")


def _needed(pairs: Mapping[Any, Sizes]) -> Iterator[Any]:
    """The relations of one letter that the rest does not say; of several that say the same the last."""
    *after, whole = accumulate([*pairs.values()][::-1], Sizes.__and__, initial=ALL)
    before = ALL
    for (relation, sizes), rest in zip(pairs.items(), reversed(after)):
        if before & rest != whole:
            before = before & sizes
            yield relation


def lettered(shape: Shape) -> Shape:
    """A shape without the batch, with letters for its spatial sizes if it has none.

    >>> lettered((3, 224, 224))
    (3, H, W)
    """
    if any(map(is_symbolic, shape[1:])) or len(shape) - 1 not in AXES:
        return shape
    return (shape[0], *map(letter, AXES[len(shape) - 1]))


def study(build: Build, inputs: Sequence[Shape], usual: Sequence[Shape] = ()) -> Legal:
    """The legal sizes of a network that ``build`` traces from full shapes, here ``inputs`` in letters.

    An axis for which a layer needs a number is held at its size in ``usual``. Raises SpecError where there is no
    letter, and what ``build`` raises where no axis may be one.
    """
    if not any(is_symbolic(dim) for shape in inputs for dim in shape):
        raise SpecError("there is no size to ask about", hint="give the input in letters: --input 3xHxW")
    try:
        return legal(build(*inputs))
    except ConvcalcError as error:
        pairs = [pair for shape, sizes in zip(inputs, usual) for pair in zip(shape, sizes)]
        numbers = {str(dim): n for dim, n in pairs if is_symbolic(dim) and not is_symbolic(n)}
        for name in numbers if len(numbers) > 1 else ():
            held = {other: n for other, n in numbers.items() if other != name}
            told = ", ".join(f"{other} = {n}" for other, n in held.items())
            try:
                graph = build(*[tuple(as_dim(held.get(str(dim), dim)) for dim in shape) for shape in inputs])
            except ConvcalcError:
                continue
            return legal(graph, [f"with {told}: {error.where}: {error.what}"])
        raise


class Verdict(NamedTuple):
    """Whether given sizes work; where not, why, and the nearest that do."""

    shapes: tuple[Shape, ...]
    error: ConvcalcError | None = None
    below: tuple[Shape, ...] | None = None
    above: tuple[Shape, ...] | None = None

    @property
    def works(self) -> bool:
        return self.error is None

    @property
    def padding(self) -> tuple[int, ...]:
        pairs = zip(self.shapes[0][2:], self.above[0][2:] if self.above is not None else ())
        return tuple(int(b) - int(a) for a, b in pairs)  # type: ignore[arg-type]


def judge(build: Build, found: Legal, shapes: Sequence[Shape]) -> Verdict:
    """Whether a network takes these full shapes, in numbers.

    >>> from convcalc import nn, symbols, trace
    >>> pool = nn.MaxPool2d(4)
    >>> found = legal(trace(pool, (1, 3, *symbols("H W"))))
    >>> judge(lambda *shapes: trace(pool, *shapes), found, [(1, 3, 2, 9)]).above
    ((1, 3, 4, 9),)
    """
    full = tuple(shapes)
    try:
        build(*full)
        return Verdict(full)
    except ConvcalcError as error:
        sizes = found.values(full)
        near = [None if sizes is None else found.region.nearest(sizes, up) for up in (False, True)]
        return Verdict(full, error, *[None if n is None else found.filled(n) for n in near])


class Loss(NamedTuple):
    """How many positions a node leaves unread at the end of an axis, and for which sizes."""

    node: str
    axis: str
    size: Dim
    lost: Dim
    when: str


def floor_loss(graph: Graph) -> list[Loss]:
    """Pixels that no window reads because a floor cut it off, node by node.

    >>> from convcalc import nn, trace
    >>> floor_loss(trace(nn.MaxPool2d(2), (1, 3, 7, 8)))
    [Loss(node='', axis='height', size=7, lost=1, when='')]
    """
    return [loss for node in graph.nodes for loss in _losses(node)]


def _losses(node: Node) -> Iterator[Loss]:
    if len(node.input_shapes) != 1 or not hasattr(node.layer, "stride"):
        return
    (before,) = node.input_shapes
    field = field_of(node.layer, [Field.of_input(len(before))], [before], node.output_shape)
    for i, axis in enumerate(field.axes if field is not None else ()):
        if not isinstance(axis, Axis) or axis.source != i - 2 or len(axis.phases) > 1:
            continue
        (seen,) = axis.phases
        if seen and axis.advance > 1:
            lost = as_dim(before[i] - 1 - seen[1] - (node.output_shape[i] - 1) * axis.advance)
            if truth(at_least(0, lost)) is not True:
                yield Loss(node.name, axis_name(len(before), i), before[i], lost, _when(lost))


def _when(lost: Any) -> str:
    """For which sizes; empty where that cannot be told."""
    if not is_symbolic(lost) or len(lost.free_symbols) != 1:
        return ""
    from convcalc.algebra.symbolic import relate, solve_relation

    found = solve_relation(relate(">=", lost, 1))
    return found.told(str(*lost.free_symbols)) if found else ""


def under(graph: Graph, texts: Sequence[str]) -> tuple[Graph, str]:
    """``graph`` with the assumptions in ``texts`` put in, and what they come to.

    Raises SpecError for a text that is no assumption, NoSolution where no size satisfies them and the graph.

    >>> from convcalc import nn, symbols, trace
    >>> graph, told = under(trace(nn.MaxPool2d(4), (1, 3, *symbols("H W"))), ["H % 32 == 0", "H == W"])
    >>> told, [show(n) for n in graph.nodes[0].output_shape]
    ('H = W = 32·n', ['1', '3', '8·n', '8·n'])
    """
    given = assume(texts, graph.letters)
    none = f"no size satisfies {' and '.join(texts)}"
    try:
        now = graph.subs(given.values)
    except ShapeError as error:
        raise NoSolution(none, details=[f"{error.where} {error.what}"]) from None
    left = {}
    for relation, reason in now.reasons.items():
        settled = _settled(relation, given.bounds)
        if settled is False:
            raise NoSolution(none, details=[f"{reason.node} needs {show(relation)}"])  # type: ignore[arg-type]
        if settled is None:
            left[relation] = reason
    now = replace(now, reasons=left, assumptions=tuple(r for r in now.assumptions if r in left))
    lows = {name: low - 1 for name, (low, _) in given.bounds.items() if low > 1 and name in now.letters}
    for sign in (1, -1) if lows else ():  # minima that lower bounds decide: what holds from there on holds from 1 on
        now = now.subs({name: letter(name) + sign * low for name, low in lows.items()})
    return now, given.told()


def _settled(relation: Any, bounds: Mapping[str, tuple[int, int | None]]) -> bool | None:
    """Whether bounds make a relation true, or false; None where neither."""
    from convcalc.algebra.symbolic import holds_within, solve_relation

    names = list(map(str, relation.free_symbols))
    found = solve_relation(relation) if len(names) == 1 else None
    if found is None or names[0] not in bounds:
        return True if holds_within(relation, bounds) else None
    low, high = bounds[names[0]]
    allowed = Sizes.from_(low) if high is None else Sizes.from_(low) & ~Sizes.from_(high + 1)
    both = allowed & found
    return both == allowed if both in (allowed, NONE) else None
