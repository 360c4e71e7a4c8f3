"""Inverse questions: what the letters of a network must be, for its output, its parameters, its work to be so.

A `Problem` holds the letters asked for and what is wanted; `answers` gives all solutions, exactly where the relations
can be solved, else by search. The largest value inside a budget is `budget`'s, layers for a receptive field `reach`'s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from typing import Any, NamedTuple

from convcalc.algebra.conditions import Condition
from convcalc.algebra.dims import Dim, Shape, as_dim, is_symbolic, letter, prod
from convcalc.algebra.regions import Region
from convcalc.errors import ConvcalcError
from convcalc.network.graph import Graph

USUAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1}
"""The defaults of arguments; what differs from them is less simple."""

FROM_ZERO = ("padding", "output_padding")
CAPS = {1: 4096, 2: 300, 3: 48, 4: 18}
"""How far letters without a bound are tried, by the number of letters."""

SHOWN = 1000
MOST_TRIED = 250_000


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


def answers(problem: Problem) -> Answers:
    """All values of the letters that give what is wanted."""
    solved = _exactly(problem)
    return _searched(problem) if solved is None else solved


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
    from convcalc.algebra.relations import stated

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


def _exactly(problem: Problem) -> Answers | None:
    """The answers by solving relations; None where letters may be 0, or relations cannot be taken apart."""
    graph = problem.graph
    if graph is None or problem.where or any(set(FROM_ZERO) & names for names in roles(graph).values()):
        return None
    asked = {letter(name) for name in problem.letters}
    demands = [r for r in graph.assumptions if problem.output is not None or r.free_symbols <= asked]  # type: ignore[union-attr]
    relations: list[Any] = [*demands, *wanted(problem, graph)]
    free = {str(symbol) for relation in relations if not isinstance(relation, bool) for symbol in relation.free_symbols}
    if not free <= set(problem.letters):
        return None
    region = Region(relations, problem.letters)
    if region.rest:
        return None
    if any(sizes.finite is False for box in region.boxes for sizes in box.values()):
        word = " with " if len(region.boxes) > 1 else ", "
        family = [word.join(box[name].told(name) for name in problem.letters) for box in region.boxes]
        values = [[sizes.above(1) for sizes in box.values()] for box in region.boxes]
        first = [{name: n for name, n in zip(problem.letters, v) if n is not None} for v in values]
        return Answers(_solutions(problem, first[:SHOWN]), tuple(family), endless=True)
    if not region.boxes:
        return Answers((), (), _closest(problem, _domains(problem)[0]))
    lists: list[list[list[int]]] = [[sorted(sizes.below) for sizes in box.values()] for box in region.boxes]
    total = sum(math.prod(map(len, box)) for box in lists)
    listed = islice(chain.from_iterable(product(*box) for box in lists), SHOWN)
    solutions = _solutions(problem, [dict(zip(problem.letters, numbers)) for numbers in listed])
    runs = [", ".join(box[name].told(name) for name in problem.letters) for box in region.boxes]
    return Answers(solutions, tuple(runs) if total > 12 else (), total=total)


def _solutions(problem: Problem, found: Sequence[Mapping[str, int]]) -> tuple[Solution, ...]:
    """What values give, the simplest first; those that a layer refuses left out."""
    solutions = [solution for values in found if (solution := _tried(problem, values)) is not None]
    return tuple(sorted(solutions, key=lambda solution: simplicity(problem, solution.values)))


def _tried(problem: Problem, values: Mapping[str, int]) -> Solution | None:
    """What the values give, by the numbers; None where they are refused."""
    try:
        graph = problem.build(values)
        layer = repr(graph.nodes[-1].layer) if len(graph.nodes) == 1 else ""
        return Solution(dict(values), layer, problem.output_of(graph), params_of(graph))
    except ConvcalcError:
        return None


def _distance(problem: Problem, solution: Solution) -> int | None:
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


def _domains(problem: Problem) -> tuple[list[range], set[str]]:
    """The values to try for each letter, and the letters that no condition bounds from above."""
    names = roles(problem.graph) if problem.graph is not None else {}
    cap = (
        CAPS.get(len(problem.letters), 10)
        if problem.graph is not None
        else {1: 200, 2: 20}.get(len(problem.letters), 6)
    )
    domains, open_ = [], set()
    for name in problem.letters:
        least = 0 if names.get(name) and names[name] <= set(FROM_ZERO) else 1
        most = min([c.most[name] for c in problem.where if name in c.most], default=None)
        least = max([c.least[name] for c in problem.where if name in c.least] + [least])
        if most is None:
            open_.add(name)
            most = max(least, 1) + cap
        domains.append(range(least, most + 1))
    return domains, open_


def _searched(problem: Problem) -> Answers:
    """The answers by trying, the formulas first, and then by the numbers what they let pass."""
    domains, open_ = _domains(problem)
    if math.prod(map(len, domains)) > 20 * MOST_TRIED:
        domains = [domain[: max(4, int(MOST_TRIED ** (1 / len(domains))))] for domain in domains]
    passing = list(_passing(problem, domains))
    solutions = _solutions(problem, passing[:SHOWN])
    exact = tuple(s for s in solutions if _distance(problem, s) == 0)
    far = {
        name
        for name, domain in zip(problem.letters, domains)
        if name in open_ and any(s.values[name] >= domain[-1] - len(domain) // 4 for s in exact)
    }
    if far and len(exact) > 1:
        return Answers(exact, tuple(_family(problem)), endless=True)
    if exact:
        return Answers(exact, total=len(exact) if len(passing) <= SHOWN else len(passing))
    return Answers((), (), _closest(problem, domains))


def _passing(problem: Problem, domains: Sequence[range]) -> Iterator[dict[str, int]]:
    """The values for which all formulas and conditions hold, and windows do not lie in the padding alone."""
    test = _formulas(problem)
    for numbers in product(*domains):
        values = dict(zip(problem.letters, numbers))
        if all(c.holds(values) for c in problem.where) and test(numbers):
            yield values


def _formulas(problem: Problem) -> Callable[[Sequence[int]], bool]:
    """A fast test of values, by the relations in letters; without a graph in letters all pass."""
    from convcalc.algebra.compiled import function

    if problem.graph is None:
        return lambda numbers: _distance_of(problem, numbers) == 0
    relations = [*wanted(problem, problem.graph), *reaches(problem.graph)]
    if False in relations:
        return lambda numbers: False
    own = {str(symbol) for relation in relations for symbol in relation.free_symbols} - set(problem.letters)
    test = function(relations, [letter(name) for name in (*problem.letters, *sorted(own))])
    samples = [[97 + 8 * i + 5 * turn for i in range(len(own))] for turn in range(1 if not own else 9)]

    def holds(numbers: Sequence[int]) -> bool:
        try:
            return all(all(test(*numbers, *sample)) for sample in samples)
        except ZeroDivisionError:
            return False

    return holds


def _distance_of(problem: Problem, numbers: Sequence[int]) -> int | None:
    solution = _tried(problem, dict(zip(problem.letters, numbers)))
    return None if solution is None else _distance(problem, solution)


def reaches(graph: Graph) -> list[Any]:
    """That no window lies in the padding alone: the padding is smaller than the kernel's reach."""
    from convcalc.algebra.relations import stated

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


def _family(problem: Problem) -> Iterator[str]:
    """What is wanted, in letters, with floors opened: ``2·p + 222 ≤ k ≤ …``."""
    from convcalc.algebra.relations import opened

    if problem.graph is not None:
        relations = [r for r in wanted(problem, problem.graph) if not isinstance(r, bool)]
        yield from dict.fromkeys(opened(relation) for relation in relations)


def _closest(problem: Problem, domains: Sequence[range]) -> Solution | None:
    """Of what was tried, that which comes nearest to what is wanted: by the formulas, or else by the numbers."""
    gaps = _gaps(problem)
    most = MOST_TRIED // 5 if gaps is not None else 800
    ranked: dict[int, list[dict[str, int]]] = {}
    for numbers in product(*[domain[: max(2, int(most ** (1 / len(domains))))] for domain in domains]):
        values = dict(zip(problem.letters, numbers))
        if all(c.holds(values) for c in problem.where):
            gap = gaps(numbers) if gaps is not None else _distance_of(problem, numbers)
            if gap is not None:
                ranked.setdefault(gap, []).append(values)
    for gap in sorted(ranked)[:SHOWN]:
        for values in sorted(ranked[gap], key=lambda values: simplicity(problem, values))[:SHOWN]:
            solution = _tried(problem, values)
            if solution is not None and _distance(problem, solution) is not None:
                return solution
    return None


def _gaps(problem: Problem) -> Callable[[Sequence[int]], int | None] | None:
    """How far values are from what is wanted, by the formulas; None where there are none."""
    from convcalc.algebra.compiled import function

    if problem.graph is None:
        return None
    relations = wanted(problem, problem.graph)
    if False in relations:
        return None
    tests = [*relations, *reaches(problem.graph)]
    own = sorted({str(symbol) for relation in tests for symbol in relation.free_symbols} - set(problem.letters))
    letters = [letter(name) for name in (*problem.letters, *own)]
    sides = function([side for relation in relations for side in relation.args], letters)
    legal = function(reaches(problem.graph), letters)
    sample = [97 + 8 * i for i in range(len(own))]

    def gap(numbers: Sequence[int]) -> int | None:
        try:
            if not all(legal(*numbers, *sample)):
                return None
            values = [int(value) for value in sides(*numbers, *sample)]
        except ZeroDivisionError:
            return None
        if any(value < 1 for value in values):
            return None
        return sum(abs(a - b) for a, b in zip(values[::2], values[1::2]))

    return gap
