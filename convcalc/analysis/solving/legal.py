"""Legal input sizes: those a network takes, the layer that imposes each constraint, and what floors leave unread."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from convcalc.algebra.dims import as_dim, at_least, letter, show, truth
from convcalc.algebra.field import Field
from convcalc.algebra.intervals import Axis
from convcalc.algebra.periodic import ALL, Sizes
from convcalc.algebra.types import Dim, Shape, is_symbolic
from convcalc.analysis.fields.flow import field_of
from convcalc.errors import ConvcalcError, SpecError
from convcalc.layers.demands import axis_name
from convcalc.network.graph import Graph, Node, Reason

if TYPE_CHECKING:
    from convcalc.algebra.symbolic.regions import Region

AXES = {1: "L", 2: "HW", 3: "DHW"}
"""The letters of the spatial axes, by the number of axes."""

Build = Callable[..., Graph]


class Demand(NamedTuple):
    """A demand of a call on the sizes (``H ≥ 63``), and why: what would be wrong otherwise."""

    needs: str
    node: str
    why: str


class LegalSizes(NamedTuple):
    """The sizes that a network takes; ``shapes`` are its inputs in letters, ``held`` are notes on axes kept numbers."""

    graph: Graph
    shapes: tuple[Shape, ...]
    region: "Region"
    demands: tuple[Demand, ...]
    held: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the inputs, in order."""
        return self.region.letters

    def describe(self) -> list[str]:
        """Return the sizes as text, a line for each case.

        >>> from convcalc import nn, symbols, trace
        >>> graph = trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)), (1, 3, *symbols("H W")))
        >>> find_legal_sizes(graph).describe()
        ['H ≥ 4, W ≥ 4']
        """
        return self.region.describe()

    def values(self, shapes: Sequence[Shape]) -> tuple[int, ...] | None:
        """Return the numbers that full shapes have in place of the letters; None if they do not match."""
        values: dict[str, Any] = {}
        for lettered, numbers in zip(self.shapes, shapes):
            if len(lettered) != len(numbers):
                return None
            for dim, n in zip(lettered, numbers):
                if dim != n and (not is_symbolic(dim) or values.setdefault(str(dim), n) != n):
                    return None
        return tuple(values.get(name, 1) for name in self.letters)

    def fill(self, sizes: Sequence[int]) -> tuple[Shape, ...]:
        """Return the full shapes with these numbers in place of the letters."""
        numbers = dict(zip(self.letters, sizes))
        return tuple(tuple(numbers.get(str(dim), dim) for dim in shape) for shape in self.shapes)


def find_legal_sizes(graph: Graph, held: Sequence[str] = ()) -> LegalSizes:
    """Return the sizes that a graph traced in letters takes.

    >>> from convcalc import nn, symbols, trace
    >>> sizes = find_legal_sizes(trace(nn.MaxPool2d(4, padding=1), (1, 3, *symbols("H W"))))
    >>> sizes.demands[0]
    Demand(needs='H ≥ 2', node='', why='the output height is ⌊(H + 2)/4⌋')
    """
    from convcalc.algebra.symbolic.regions import Region

    shapes = tuple(graph.inputs.values())
    letters = [str(dim) for shape in shapes for dim in shape if is_symbolic(dim) and dim.is_Symbol]  # type: ignore[union-attr]
    region = Region(graph.assumptions, list(dict.fromkeys([*letters, *graph.letters])))
    return LegalSizes(graph, shapes, region, tuple(_demands(graph.reasons, region)), tuple(held))


def _demands(reasons: Mapping[Any, Reason], region: "Region") -> Iterator[Demand]:
    """Yield the demands that the others do not imply, in the order of ``reasons``."""
    by_letter = _solved_by_letter(reasons, region.letters)
    texts = {
        relation: solved[relation].describe(name)
        for name, solved in by_letter.items()
        for relation in _not_implied(solved)
    }
    sizes = {name: reduce(Sizes.__and__, solved.values(), ALL) for name, solved in by_letter.items()}
    for relation in reasons:
        alone = any(relation in solved for solved in by_letter.values())
        if not alone and not _follows_from(sizes, relation):
            texts[relation] = show(relation)
    for relation, (node, what) in reasons.items():
        if relation in texts:
            yield Demand(texts[relation], node, what or f"{show(relation)} does not hold")


def _solved_by_letter(relations: Iterable[Any], letters: Iterable[str]) -> dict[str, dict[Any, Sizes]]:
    """Return for each letter the relations in no other letter, with the sizes at which each of them holds."""
    from convcalc.algebra.symbolic import solve_relation

    by_letter: dict[str, dict[Any, Sizes]] = {name: {} for name in letters}
    for relation in relations:
        sizes = solve_relation(relation) if len(relation.free_symbols) == 1 else None
        if sizes is not None:
            by_letter[str(*relation.free_symbols)][relation] = sizes
    return by_letter


def _not_implied(solved: Mapping[Any, Sizes]) -> Iterator[Any]:
    """Yield the relations of one letter that the others do not imply; of equivalent ones, the last."""
    *after, all_sizes = accumulate([*solved.values()][::-1], Sizes.__and__, initial=ALL)
    before = ALL
    for (relation, sizes), rest in zip(solved.items(), reversed(after)):
        if before & rest != all_sizes:
            before = before & sizes
            yield relation


def _follows_from(sizes: Mapping[str, Sizes], relation: Any) -> bool:
    """Return whether a relation between letters holds wherever each letter has one of its ``sizes``."""
    from convcalc.algebra.symbolic.regions import cases_of

    cases = cases_of(relation, dict(sizes)) or ()
    return any(all(case.get(name, ALL) & allowed == allowed for name, allowed in sizes.items()) for case in cases)


def with_letters(shape: Shape) -> Shape:
    """Return a shape without the batch, with letters for its spatial sizes unless it has letters already.

    >>> with_letters((3, 224, 224))
    (3, H, W)
    """
    if any(map(is_symbolic, shape[1:])) or len(shape) - 1 not in AXES:
        return shape
    return (shape[0], *map(letter, AXES[len(shape) - 1]))


def study(build: Build, inputs: Sequence[Shape], usual: Sequence[Shape] = ()) -> LegalSizes:
    """Return the legal sizes of a network that ``build`` traces from full shapes; ``inputs`` are these in letters.

    An axis for which a layer needs a number keeps its size in ``usual``. Raises SpecError if there is no letter, and
    the error of ``build`` if no axis can be a letter.
    """
    if not any(is_symbolic(dim) for shape in inputs for dim in shape):
        raise SpecError("there is no size to ask about", hint="give the input in letters: --input 3xHxW")
    try:
        return find_legal_sizes(build(*inputs))
    except ConvcalcError as error:
        pairs = [pair for shape, sizes in zip(inputs, usual) for pair in zip(shape, sizes)]
        numbers = {str(dim): n for dim, n in pairs if is_symbolic(dim) and not is_symbolic(n)}
        for name in numbers if len(numbers) > 1 else ():
            held = {other: n for other, n in numbers.items() if other != name}
            values = ", ".join(f"{other} = {n}" for other, n in held.items())
            try:
                graph = build(*[tuple(as_dim(held.get(str(dim), dim)) for dim in shape) for shape in inputs])
            except ConvcalcError:
                continue
            return find_legal_sizes(graph, [f"with {values}: {error.where}: {error.what}"])
        raise


class Verdict(NamedTuple):
    """The verdict on sizes: whether they work; if not, why, and the nearest ones that do."""

    shapes: tuple[Shape, ...]
    error: ConvcalcError | None = None
    below: tuple[Shape, ...] | None = None
    above: tuple[Shape, ...] | None = None

    @property
    def works(self) -> bool:
        """Whether the network takes them."""
        return self.error is None

    @property
    def padding(self) -> tuple[int, ...]:
        """How many pixels to add along each spatial axis of the first input to get the nearest larger sizes."""
        pairs = zip(self.shapes[0][2:], self.above[0][2:] if self.above is not None else ())
        return tuple(int(b) - int(a) for a, b in pairs)  # type: ignore[arg-type]


def judge(build: Build, legal: LegalSizes, shapes: Sequence[Shape]) -> Verdict:
    """Return whether a network takes these full shapes, in numbers, and the nearest legal ones if it does not.

    >>> from convcalc import nn, symbols, trace
    >>> pool = nn.MaxPool2d(4)
    >>> legal = find_legal_sizes(trace(pool, (1, 3, *symbols("H W"))))
    >>> judge(lambda *shapes: trace(pool, *shapes), legal, [(1, 3, 2, 9)]).above
    ((1, 3, 4, 9),)
    """
    full = tuple(shapes)
    try:
        build(*full)
        return Verdict(full)
    except ConvcalcError as error:
        sizes = legal.values(full)
        near = [None if sizes is None else legal.region.nearest(sizes, up) for up in (False, True)]
        return Verdict(full, error, *[None if n is None else legal.fill(n) for n in near])


class Loss(NamedTuple):
    """The number of positions that a node leaves unread at the end of an axis, and the sizes at which it does."""

    node: str
    axis: str
    size: Dim
    lost: Dim
    when: str


def floor_loss(graph: Graph) -> list[Loss]:
    """Return the pixels that no window reads because a floor rounds them away, node by node.

    >>> from convcalc import nn, trace
    >>> floor_loss(trace(nn.MaxPool2d(2), (1, 3, 7, 8)))
    [Loss(node='', axis='height', size=7, lost=1, when='')]
    """
    return [loss for node in graph.nodes for loss in _losses(node)]


def _losses(node: Node) -> Iterator[Loss]:
    """Yield what one node leaves unread, axis by axis."""
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
    """Return the sizes at which pixels are lost, as text; empty if they are unknown."""
    if not is_symbolic(lost) or len(lost.free_symbols) != 1:
        return ""
    from convcalc.algebra.symbolic import relate, solve_relation

    sizes = solve_relation(relate(">=", lost, 1))
    return sizes.describe(str(*lost.free_symbols)) if sizes else ""
