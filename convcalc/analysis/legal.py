"""Legal input sizes: which sizes a network takes, which layer asks for each restriction, and why others fail.

The relations that a trace in letters leaves are solved by `algebra.regions`; here they are put beside the layers that
demand them. Pixels that are lost inside legal sizes are `floor_loss`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape, as_dim, is_symbolic, letter, show
from convcalc.algebra.periodic import ALL, Sizes
from convcalc.algebra.symbolic.regions import Region, boxes_of, everything
from convcalc.algebra.symbolic.relations import solved
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.graph import Graph, Reason

AXES = {1: "L", 2: "HW", 3: "DHW"}
"""The letters of spatial axes, by their number."""


class Demand(NamedTuple):
    """What one node asks of the sizes: for people, and why."""

    needs: str
    node: str
    why: str


class Legal(NamedTuple):
    """The sizes that a network takes: ``shapes`` are its inputs in letters, ``held`` axes that had to be numbers."""

    graph: Graph
    shapes: tuple[Shape, ...]
    region: Region
    demands: tuple[Demand, ...]
    held: tuple[str, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters in the order of the region's."""
        return self.region.letters

    def told(self) -> list[str]:
        """The sizes, a line for each box: letters that go together stand in one.

        >>> from convcalc import nn, symbols, trace
        >>> legal(trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)), (1, 3, *symbols("H W")))).told()
        ['H ≥ 4, W ≥ 4']
        """
        word = ", " if len(self.region.boxes) < 2 else " with "
        lines = [word.join(box[name].told(name) for name in self.letters) for box in self.region.boxes]
        return [" and where ".join([line, *map(show, self.region.rest)]) for line in lines]

    def values(self, shapes: Sequence[Shape]) -> tuple[int, ...] | None:
        """The numbers that full shapes give the letters; None where they do not fit these inputs."""
        found: dict[str, Any] = {}
        for lettered, numbers in zip(self.shapes, shapes):
            if len(lettered) != len(numbers):
                return None
            for dim, n in zip(lettered, numbers):
                if dim != n and (not is_symbolic(dim) or found.setdefault(str(dim), n) != n):
                    return None
        return tuple(found.get(name, 1) for name in self.letters)

    def filled(self, sizes: Sequence[int]) -> tuple[Shape, ...]:
        """The inputs' full shapes with these numbers for the letters."""
        numbers = dict(zip(self.letters, sizes))
        return tuple(tuple(numbers.get(str(dim), dim) for dim in shape) for shape in self.shapes)


def legal(graph: Graph, held: Sequence[str] = ()) -> Legal:
    """What a graph traced in letters says of them.

    >>> from convcalc import nn, symbols, trace
    >>> found = legal(trace(nn.MaxPool2d(4, padding=1), (1, 3, *symbols("H W"))))
    >>> found.demands[0]
    Demand(needs='H ≥ 2', node='', why='the output height is ⌊(H + 2)/4⌋')
    """
    shapes = tuple(graph.inputs.values())
    letters = list(dict.fromkeys(str(dim) for shape in shapes for dim in shape if is_symbolic(dim) and dim.is_Symbol))  # type: ignore[union-attr]
    letters += [name for name in graph.letters if name not in letters]
    region = Region(graph.assumptions, letters)
    return Legal(graph, shapes, region, tuple(_demands(graph.reasons, region)), tuple(held))


def _demands(reasons: Mapping[Any, Reason], region: Region) -> Iterator[Demand]:
    """The demands without which the region would be larger, in the order of the nodes."""
    alone: dict[str, list[tuple[Any, Sizes]]] = {name: [] for name in region.letters}
    for relation in reasons:
        names = [str(name) for name in relation.free_symbols]
        sizes = solved(relation) if len(names) == 1 else None
        if sizes is not None:
            alone[names[0]].append((relation, sizes))
    kept = {relation for pairs in alone.values() for relation in _needed(pairs)}
    box = {name: everything(sizes for _, sizes in pairs) for name, pairs in alone.items()}
    for relation, (node, what) in reasons.items():
        names = [str(name) for name in relation.free_symbols]
        why = what.split(", in ")[0] or f"{show(relation)} does not hold"
        if relation in kept:
            sizes = solved(relation)
            assert sizes is not None
            yield Demand(sizes.told(names[0]), node, why)
        elif not any(relation == r for pairs in alone.values() for r, _ in pairs) and not _implied(relation, box):
            yield Demand(show(relation), node, why)


def _needed(pairs: list[tuple[Any, Sizes]]) -> Iterator[Any]:
    """The relations of one letter that the rest does not say; of several that say the same the last."""
    after = [ALL]
    for _, sizes in reversed(pairs):
        after.append(after[-1] & sizes)
    whole = after.pop()
    before = ALL
    for (relation, sizes), rest in zip(pairs, reversed(after)):
        if before & rest != whole:
            before = before & sizes
            yield relation


def _implied(relation: Any, box: Mapping[str, Sizes]) -> bool:
    """Whether a relation between letters holds all over a box."""
    cases = boxes_of(relation, dict(box))
    return cases is not None and any(all(case.get(name, ALL) & s == s for name, s in box.items()) for case in cases)


def lettered(shape: Shape) -> Shape:
    """A shape without the batch, with letters for its spatial sizes where it has none.

    >>> lettered((3, 224, 224))
    (3, H, W)
    """
    if any(is_symbolic(dim) for dim in shape[1:]) or len(shape) - 1 not in AXES:
        return shape
    return (shape[0], *map(letter, AXES[len(shape) - 1]))


def study(build: Callable[..., Graph], inputs: Sequence[Shape], usual: Sequence[Shape] = ()) -> Legal:
    """The legal sizes of a network that ``build`` traces from full shapes, here ``inputs`` in letters.

    Where a layer needs a number for an axis, that axis is held at its size in ``usual``, and the rest is studied.
    Raises SpecError where there is no letter, and what ``build`` raises where no axis may be one.
    """
    inputs = tuple(tuple(shape) for shape in inputs)
    if not any(is_symbolic(dim) for shape in inputs for dim in shape):
        raise SpecError("there is no size to ask about", hint="give the input in letters: --input 3xHxW")
    try:
        return legal(build(*inputs))
    except ConvcalcError as error:
        for name, graph in _alone(build, inputs, usual):
            others = [f"{i} = {n}" for i, n in _pairs(inputs, usual) if i != name]
            return legal(graph, [f"with {', '.join(dict.fromkeys(others))}: {error.where}: {error.what}"])
        raise


def _pairs(inputs: Sequence[Shape], usual: Sequence[Shape]) -> Iterator[tuple[str, Dim]]:
    """Each letter with the number that usually stands in its place."""
    for shape, numbers in zip(inputs, usual):
        for dim, n in zip(shape, numbers):
            if is_symbolic(dim) and not is_symbolic(n):
                yield str(dim), n


def _alone(build: Callable[..., Graph], inputs: Sequence[Shape], usual: Sequence[Shape]) -> Iterator[tuple[str, Graph]]:
    """The graphs in which one letter stands alone, for those letters that a layer lets stand."""
    numbers = dict(_pairs(inputs, usual))
    for name in numbers if len(numbers) > 1 else ():
        held = {i: n for i, n in numbers.items() if i != name}
        try:
            yield name, build(*[tuple(as_dim(held.get(str(dim), dim)) for dim in shape) for shape in inputs])
        except ConvcalcError:
            continue


class Verdict(NamedTuple):
    """Whether given sizes work; where not, why, and the nearest that do: below, and above with the padding to there."""

    shapes: tuple[Shape, ...]
    error: ConvcalcError | None = None
    below: tuple[Shape, ...] | None = None
    above: tuple[Shape, ...] | None = None

    @property
    def works(self) -> bool:
        """Whether the sizes work."""
        return self.error is None

    @property
    def padding(self) -> tuple[int, ...]:
        """What each spatial axis of the first input lacks to ``above``."""
        if self.above is None:
            return ()
        return tuple(int(b) - int(a) for a, b in zip(self.shapes[0][2:], self.above[0][2:]))  # type: ignore[arg-type]


def judge(build: Callable[..., Graph], found: Legal, shapes: Sequence[Shape]) -> Verdict:
    """Whether a network takes these full shapes, in numbers.

    >>> from convcalc import nn, symbols, trace
    >>> pool = nn.MaxPool2d(4)
    >>> found = legal(trace(pool, (1, 3, *symbols("H W"))))
    >>> judge(lambda *shapes: trace(pool, *shapes), found, [(1, 3, 2, 9)]).above
    ((1, 3, 4, 9),)
    """
    full = tuple(tuple(shape) for shape in shapes)
    try:
        build(*full)
    except ConvcalcError as error:
        sizes = found.values(full)
        if sizes is None:
            return Verdict(full, error)
        near = [found.region.nearest(sizes, up) for up in (False, True)]
        below, above = [None if n is None else found.filled(n) for n in near]
        return Verdict(full, error, below, above)
    return Verdict(full)
