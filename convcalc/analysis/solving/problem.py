"""An inverse question: what is known of its letters, what numbers for them give, and the answers. No searching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.claims import Claim
from convcalc.algebra.dims import as_dim
from convcalc.algebra.types import LIMIT, Dim, Shape, is_symbolic
from convcalc.analysis.count.report import totals
from convcalc.errors import ConvcalcError, UnknownName, did_you_mean
from convcalc.network.graph import Graph

USUAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1}
"""Defaults of arguments; what differs from them is less simple."""
FROM_ZERO = {"padding", "output_padding"}
SHOWN = 1000


class Solution(NamedTuple):
    """Values of the letters, and what they give."""

    values: Mapping[str, int]
    layer: str
    output: Shape
    params: Dim


class Answers(NamedTuple):
    """Solutions, the simplest first, of ``total`` in all; ``family`` says them in letters where they are many.

    Without any, ``miss`` is the closest; ``upto`` says how far letters were tried where that was not the end.
    """

    solutions: tuple[Solution, ...]
    family: tuple[str, ...] = ()
    miss: Solution | None = None
    endless: bool = False
    total: int = 0
    upto: str = ""


class Problem(NamedTuple):
    """A question: ``build`` gives the graph for values of ``letters``; ``graph`` is the one in letters, if any.

    ``output`` is wanted of the call named ``at``, and ``params`` of the parameters.
    """

    letters: tuple[str, ...]
    build: Callable[[Mapping[str, int]], Graph]
    graph: Graph | None
    at: str | None = None
    output: Shape | None = None
    params: int | None = None
    where: tuple[Claim, ...] = ()

    def output_of(self, graph: Graph) -> Shape:
        """The output asked for, without the batch; raises UnknownName where the network has no such call."""
        name = self.at if self.at is not None else graph.outputs[0]
        shapes = {**graph.inputs, **{node.name: node.output_shape for node in graph.nodes}}
        if name not in shapes:
            raise UnknownName(f"no call is named {name!r:.60}", hint=did_you_mean(name, shapes))
        return shapes[name][1:]

    def given(self, values: Mapping[str, int], graph: Graph) -> Solution:
        """What the graph for some values gives."""
        layer = repr(graph.nodes[-1].layer) if len(graph.nodes) == 1 else ""
        params: Any = totals(graph, ["params"])["params"].value
        return Solution(dict(values), layer, self.output_of(graph), params)

    def tried(self, values: Mapping[str, int]) -> Solution | None:
        """What values give; None where they are refused."""
        try:
            return self.given(values, self.build(values))
        except ConvcalcError:
            return None

    def tried_all(self, found: Iterable[Mapping[str, int]], most: int = SHOWN) -> tuple[Solution, ...]:
        """What values give, the simplest first, refused ones left out."""
        key = self.simplest()
        every = map(self.tried, sorted(found, key=lambda values: key([(n, n) for n in values.values()]))[:most])
        return tuple(solution for solution in every if solution is not None)

    def pairs(self, solution: Solution) -> list[tuple[Dim, Dim]] | None:
        """What is given beside what is wanted; None where it has another rank."""
        if self.output is not None and len(solution.output) != len(self.output):
            return None
        params = [] if self.params is None else [(solution.params, self.params)]
        return [*zip(solution.output, self.output or ()), *params]

    def distance(self, solution: Solution | None) -> int | None:
        """How far from what is wanted; 0 is a solution, None is beyond comparison."""
        pairs = None if solution is None else self.pairs(solution)
        gaps = None if pairs is None else [as_dim(a - b) for a, b in pairs]
        return None if gaps is None or any(map(is_symbolic, gaps)) else sum(map(abs, gaps))  # type: ignore[arg-type]

    def allows(self, values: Mapping[str, int]) -> bool:
        return all(condition.holds(values) for condition in self.where)

    def named(self, numbers: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.letters, numbers))

    def roles(self) -> dict[str, set[str]]:
        """The arguments that each letter stands in."""
        found: dict[str, set[str]] = {name: set() for name in self.letters}
        for node in self.graph.nodes if self.graph is not None else ():
            for name, value in vars(node.layer).items():
                for item in value if isinstance(value, tuple) else (value,):
                    for symbol in item.free_symbols if is_symbolic(item) else ():
                        found.setdefault(str(symbol), set()).add(name)
        return found

    def bounds(self) -> list[tuple[int, int]]:
        """The least and the greatest number for each letter: a padding may be 0, and no size is beyond `LIMIT`."""
        roles = self.roles()
        zero = [self.graph is None or bool(roles[name] and roles[name] <= FROM_ZERO) for name in self.letters]
        least = [max([c.least.get(name, 0) for c in self.where] + [1 - z]) for name, z in zip(self.letters, zero)]
        most = [min([c.most.get(name, LIMIT) for c in self.where] + [LIMIT]) for name in self.letters]
        return list(zip(least, most))

    def simplest(self) -> Callable[[Sequence[tuple[int, int]]], tuple[Any, ...]]:
        """A key for bounds of letters: fewer arguments other than usual, then odd kernels, then smaller numbers."""
        roles = [self.roles()[name] for name in self.letters]
        usual = [{USUAL[role] for role in names if role in USUAL} for names in roles]

        def key(box: Sequence[tuple[int, int]]) -> tuple[Any, ...]:
            lows = tuple(low for low, _ in box)
            unusual = sum(bool(at) and not any(low <= n <= high for n in at) for at, (low, high) in zip(usual, box))
            even = sum(
                "kernel_size" in names and low == high and low % 2 == 0 for names, (low, high) in zip(roles, box)
            )
            return unusual, even, sum(lows), lows

        return key

    def upto(self, tried: int) -> str:
        """How far letters were tried, those that could go farther."""
        farther = [name for name, (_, most) in zip(self.letters, self.bounds()) if most > tried]
        return ", ".join(f"{name} ≤ {tried}" for name in farther)
