"""An inverse question, put: which letters are asked for, what is wanted of the network, and what values of them give.

How solutions are found is the business of `inverse`, which solves relations, and `search`, which tries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.conditions import Condition
from convcalc.algebra.dims import Dim, Shape, as_dim, is_symbolic, prod
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

USUAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1}
"""The defaults of arguments; what differs from them is less simple."""

FROM_ZERO = ("padding", "output_padding")
SHOWN = 1000


class Problem(NamedTuple):
    """A question: ``build`` gives the graph for values of ``letters``; ``graph`` is the one in letters, if any.

    ``output`` and ``params`` are what is wanted of the output named ``at`` and of the parameters.
    """

    letters: tuple[str, ...]
    build: Callable[[Mapping[str, int]], Graph]
    graph: Graph | None
    at: str | None = None
    output: Shape | None = None
    params: int | None = None
    where: tuple[Condition, ...] = ()

    def output_of(self, graph: Graph) -> Shape:
        """The output that is asked for, without the batch."""
        name = self.at if self.at is not None else graph.outputs[0]
        return graph[name].output_shape[1:]


class Solution(NamedTuple):
    """Values of the letters, and what they give."""

    values: Mapping[str, int]
    layer: str
    output: Shape
    params: Dim


class Answers(NamedTuple):
    """All solutions, the simplest first; ``family`` says them in letters where they do not end.

    ``total`` is how many there are, of which some may not be listed. Without any, ``miss`` is the closest found.
    """

    solutions: tuple[Solution, ...]
    family: tuple[str, ...] = ()
    miss: Solution | None = None
    endless: bool = False
    total: int = 0


def params_of(graph: Graph) -> Dim:
    """The elements of all learned tensors that a graph owns."""
    layers = {id(layer): layer for layer in graph.owned.values()}.values()
    counts = [prod(shape) for layer in layers for shape in layer.weights().values()]
    total: Dim = 0
    for count in counts:
        total = total + count
    return total


def wanted(problem: Problem, graph: Graph) -> list[Any]:
    """What is wanted as relations between the letters, which may be 0; False among them where that cannot be."""
    from convcalc.algebra.symbolic.relations import stated

    relations: list[Any] = []
    if problem.output is not None:
        output = problem.output_of(graph)
        if len(output) != len(problem.output):
            return [False]
        relations += [stated("==", a, b) for a, b in zip(output, problem.output)]
    if problem.params is not None:
        relations.append(stated("==", params_of(graph), problem.params))
    return [relation for relation in relations if relation is not True]


def roles(graph: Graph) -> dict[str, set[str]]:
    """For each letter the arguments of layers that it stands in."""
    found: dict[str, set[str]] = {}
    for node in graph.nodes:
        for name, value in vars(node.layer).items():
            for item in value if isinstance(value, tuple) else (value,):
                for symbol in item.free_symbols if is_symbolic(item) else ():
                    found.setdefault(str(symbol), set()).add(name)
    return found


def reaches(graph: Graph) -> list[Any]:
    """That no window lies in the padding alone: the padding is smaller than the kernel's reach."""
    from convcalc.algebra.symbolic.relations import stated

    found: list[Any] = []
    for node in graph.nodes:
        kernel, padding = getattr(node.layer, "kernel_size", None), getattr(node.layer, "padding", None)
        if "Transpose" in type(node.layer).__name__ or not isinstance(padding, tuple) or not isinstance(kernel, tuple):
            continue
        dilation = getattr(node.layer, "dilation", None) or (1,) * len(kernel)
        for k, p, d in zip(kernel, padding, dilation):
            if is_symbolic(p) or is_symbolic(k) or is_symbolic(d):
                found.append(stated(">=", d * (k - 1), p))
    return found


def tried_all(problem: Problem, found: Sequence[Mapping[str, int]]) -> tuple[Solution, ...]:
    """What values give, the simplest first; those that a layer refuses left out."""
    solutions = [solution for values in found if (solution := tried(problem, values)) is not None]
    return tuple(sorted(solutions, key=lambda solution: simplicity(problem, solution.values)))


def tried(problem: Problem, values: Mapping[str, int]) -> Solution | None:
    """What the values give, by the numbers; None where they are refused."""
    try:
        graph = problem.build(values)
        layer = repr(graph.nodes[-1].layer) if len(graph.nodes) == 1 else ""
        return Solution(dict(values), layer, problem.output_of(graph), params_of(graph))
    except ConvcalcError:
        return None


def distance(problem: Problem, solution: Solution) -> int | None:
    """How far from what is wanted; 0 is a solution, None is beyond comparison."""
    total = 0
    if problem.output is not None:
        if len(solution.output) != len(problem.output):
            return None
        for a, b in zip(solution.output, problem.output):
            gap = as_dim(a - b)
            if not isinstance(gap, int):
                return None
            total += abs(gap)
    if problem.params is not None:
        if not isinstance(solution.params, int):
            return None
        total += abs(solution.params - problem.params)
    return total


def simplicity(problem: Problem, values: Mapping[str, int]) -> tuple[Any, ...]:
    """A key: fewer arguments other than usual, then odd kernels, then smaller numbers."""
    names = roles(problem.graph) if problem.graph is not None else {}
    unusual = even = 0
    for name, value in values.items():
        usual = [USUAL[role] for role in names.get(name, ()) if role in USUAL]
        unusual += bool(usual) and value not in usual
        even += "kernel_size" in names.get(name, ()) and value % 2 == 0
    return unusual, even, sum(values.values()), tuple(values.values())
