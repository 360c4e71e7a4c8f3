"""An inverse question: its letters, what numbers for them result in, and the form of its answers. No searching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.claims import Claim
from convcalc.algebra.dims import as_dim
from convcalc.algebra.types import LIMIT, Dim, Shape, is_symbolic
from convcalc.analysis.count.tally import count_totals
from convcalc.errors import ConvcalcError, UnknownName, did_you_mean
from convcalc.network.graph import Graph

USUAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1}
"""Defaults of arguments; a solution that deviates from them is less simple."""
FROM_ZERO = {"padding", "output_padding"}
"""Arguments that may be 0."""
SHOWN = 1000
"""The most solutions that are listed."""


class Solution(NamedTuple):
    """Values of the letters, and the layer, output and parameters that they result in.

    ``layer`` is empty unless the network is a single layer; ``output`` is without the batch.
    """

    values: Mapping[str, int]
    layer: str
    output: Shape
    params: Dim


class Answers(NamedTuple):
    """Solutions, the simplest first, out of ``total``; ``family`` describes them in letters if there are many.

    ``endless``: there are infinitely many. If there are none, ``miss`` is the closest to one. ``upto`` says how far
    letters were tried, if larger values remain.
    """

    solutions: tuple[Solution, ...]
    family: tuple[str, ...] = ()
    miss: Solution | None = None
    endless: bool = False
    total: int = 0
    upto: str = ""


class Problem(NamedTuple):
    """An inverse question: for which ``letters`` has the call named ``at`` the ``output``, and the network ``params``?

    ``build`` returns the graph for values of the letters; ``graph`` is the graph in letters, None if layers need
    numbers. ``where`` must hold too. ``at`` is by default the network's output; None for ``output`` or ``params`` is
    no demand.
    """

    letters: tuple[str, ...]
    build: Callable[[Mapping[str, int]], Graph]
    graph: Graph | None
    at: str | None = None
    output: Shape | None = None
    params: int | None = None
    where: tuple[Claim, ...] = ()

    def output_of(self, graph: Graph) -> Shape:
        """Return the shape asked about, without the batch; raise UnknownName if the network has no such call."""
        name = self.at if self.at is not None else graph.outputs[0]
        shapes = {**graph.inputs, **{node.name: node.output_shape for node in graph.nodes}}
        if name not in shapes:
            raise UnknownName(f"there is no call named {name!r:.60}", hint=did_you_mean(name, shapes))
        return shapes[name][1:]

    def result(self, values: Mapping[str, int], graph: Graph) -> Solution:
        """Return what ``values`` result in, where ``graph`` is the graph for them."""
        layer = repr(graph.nodes[-1].layer) if len(graph.nodes) == 1 else ""
        params: Any = count_totals(graph, ["params"])["params"].value
        return Solution(dict(values), layer, self.output_of(graph), params)

    def try_values(self, values: Mapping[str, int]) -> Solution | None:
        """Return what ``values`` result in; None if the network refuses them."""
        try:
            return self.result(values, self.build(values))
        except ConvcalcError:
            return None

    def try_all(self, candidates: Iterable[Mapping[str, int]], most: int = SHOWN) -> tuple[Solution, ...]:
        """Return what the ``most`` simplest candidates result in, without those that the network refuses."""
        key = self.simplicity()
        simplest = sorted(candidates, key=lambda values: key([(n, n) for n in values.values()]))[:most]
        return tuple(solution for solution in map(self.try_values, simplest) if solution is not None)

    def pairs(self, solution: Solution) -> list[tuple[Dim, Dim]] | None:
        """Return pairs of what ``solution`` has and what is wanted; None if its output has another rank."""
        if self.output is not None and len(solution.output) != len(self.output):
            return None
        params = [] if self.params is None else [(solution.params, self.params)]
        return [*zip(solution.output, self.output or ()), *params]

    def distance(self, solution: Solution | None) -> int | None:
        """Return the distance from what is wanted; 0 for a solution, None if they cannot be compared."""
        pairs = None if solution is None else self.pairs(solution)
        gaps = None if pairs is None else [as_dim(a - b) for a, b in pairs]
        return None if gaps is None or any(map(is_symbolic, gaps)) else sum(map(abs, gaps))  # type: ignore[arg-type]

    def allows(self, values: Mapping[str, int]) -> bool:
        """Return whether the claims in ``where`` hold for these values."""
        return all(claim.holds(values) for claim in self.where)

    def name_values(self, numbers: Sequence[Any]) -> dict[str, Any]:
        """Return numbers, one for each letter, by letter."""
        return dict(zip(self.letters, numbers))

    def roles(self) -> dict[str, set[str]]:
        """Return the names of the arguments in which each letter occurs."""
        roles: dict[str, set[str]] = {name: set() for name in self.letters}
        for node in self.graph.nodes if self.graph is not None else ():
            for name, value in vars(node.layer).items():
                for item in value if isinstance(value, tuple) else (value,):
                    for symbol in item.free_symbols if is_symbolic(item) else ():
                        roles.setdefault(str(symbol), set()).add(name)
        return roles

    def bounds(self) -> list[tuple[int, int]]:
        """Return the least and the greatest number for each letter: a padding may be 0, and no size exceeds `LIMIT`."""
        roles = self.roles()
        zero = [self.graph is None or bool(roles[name] and roles[name] <= FROM_ZERO) for name in self.letters]
        least = [max([c.least.get(name, 0) for c in self.where] + [1 - z]) for name, z in zip(self.letters, zero)]
        most = [min([c.most.get(name, LIMIT) for c in self.where] + [LIMIT]) for name in self.letters]
        return list(zip(least, most))

    def simplicity(self) -> Callable[[Sequence[tuple[int, int]]], tuple[Any, ...]]:
        """Return a sort key for bounds of the letters, the simplest first.

        First come those with few arguments that differ from their defaults, then odd kernels, then small numbers.
        """
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
        """Return as text the letters that may be larger than ``tried``, the largest number that was tried."""
        larger = [name for name, (_, most) in zip(self.letters, self.bounds()) if most > tried]
        return ", ".join(f"{name} ≤ {tried}" for name in larger)
