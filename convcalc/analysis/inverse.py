"""Inverse questions: what the letters of a network must be for its output and its parameters to be as wanted.

Exact where the relations can be solved; else by trying, the formulas first, then the numbers that they let pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

from convcalc.algebra.dims import Dim, Shape, as_dim, is_symbolic, letter
from convcalc.algebra.formula import Condition
from convcalc.analysis.report import totals
from convcalc.errors import ConvcalcError, UnknownName, did_you_mean
from convcalc.network.graph import Graph

USUAL = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0, "groups": 1}
"""Defaults of arguments; what differs from them is less simple."""
FROM_ZERO = {"padding", "output_padding"}
SHOWN, MOST_TRIED = 1000, 250_000

CAPS = {1: 4096, 2: 300, 3: 48, 4: 18}
"""How far letters without a bound are tried, by the number of letters."""


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
    where: tuple[Condition, ...] = ()

    def output_of(self, graph: Graph) -> Shape:
        """The output asked for, without the batch; raises UnknownName where the network has no such call."""
        name = self.at if self.at is not None else graph.outputs[0]
        shapes = {**graph.inputs, **{node.name: node.output_shape for node in graph.nodes}}
        if name not in shapes:
            raise UnknownName(f"no call is named {name!r:.60}", hint=did_you_mean(name, shapes))
        return shapes[name][1:]

    def allows(self, values: Mapping[str, int]) -> bool:
        return all(c.holds(values) for c in self.where)


class Solution(NamedTuple):
    """Values of the letters, and what they give."""

    values: Mapping[str, int]
    layer: str
    output: Shape
    params: Dim


class Answers(NamedTuple):
    """Solutions, the simplest first, of ``total`` in all; ``family`` says them in letters where they do not end.

    Without any, ``miss`` is the closest found, and ``upto`` how far letters were tried where not all could be.
    """

    solutions: tuple[Solution, ...]
    family: tuple[str, ...] = ()
    miss: Solution | None = None
    endless: bool = False
    total: int = 0
    upto: str = ""


def answers(problem: Problem) -> Answers:
    """All values of the letters that give what is wanted."""
    return _exactly(problem) or _searched(problem)


def _exactly(problem: Problem) -> Answers | None:
    """By solving relations; None where letters may be 0, or relations cannot be taken apart."""
    from convcalc.algebra.symbolic.regions import Region

    graph, letters = problem.graph, problem.letters
    if graph is None or any(FROM_ZERO & names for names in _roles(graph).values()):
        return None
    demands = [r for r in graph.assumptions if problem.output is not None or _free([r]) <= set(letters)]
    relations: list[Any] = [*demands, *_wanted(problem, graph)]
    if not _free(relations) <= set(letters):
        return None
    region = Region(relations, letters)
    if region.rest or (problem.where and not region.count <= MOST_TRIED):
        return None
    if region.count == math.inf:
        first: list[Any] = [{name: sizes.least for name, sizes in box.items()} for box in region.boxes]
        return Answers(_tried_all(problem, first[:SHOWN]), tuple(region.told()), endless=True)
    lists = [[sorted(sizes.below) for sizes in box.values()] for box in region.boxes]
    total: Any = region.count
    every: Any = (dict(zip(letters, numbers)) for box in lists for numbers in product(*box))
    if problem.where:
        every = list(filter(problem.allows, every))
        total = len(every)
    if not total:
        return Answers((), (), _nearest(problem, relations) or _closest(problem, _domains(problem)[0]))
    solutions = _tried_all(problem, list(islice(every, SHOWN)))
    family = tuple(region.told(", ")) if total > max(12, len(region.boxes)) and not problem.where else ()
    return Answers(solutions, family, total=total)


def _nearest(problem: Problem, relations: Sequence[Any]) -> Solution | None:
    """What comes nearest to a number of parameters alone, where that grows with each letter."""
    from convcalc.algebra.symbolic.growth import solutions

    if len(relations) != 1 or not is_symbolic(relations[0]) or problem.where:
        return None
    _, numbers = solutions(relations[0], problem.letters, (1,) * len(problem.letters))
    return None if numbers is None else _tried(problem, dict(zip(problem.letters, numbers)))


def _free(relations: Sequence[Any]) -> set[str]:
    return {str(s) for relation in relations if is_symbolic(relation) for s in relation.free_symbols}


def _wanted(problem: Problem, graph: Graph) -> list[Any]:
    """What is wanted, as equations; False among them where that cannot be."""
    from convcalc.algebra.symbolic.relations import stated

    relations: list[Any] = []
    if problem.output is not None:
        output = problem.output_of(graph)
        if len(output) != len(problem.output):
            return [False]
        relations += [stated("==", a, b) for a, b in zip(output, problem.output)]
    if problem.params is not None:
        relations.append(stated("==", _params(graph), problem.params))
    return [relation for relation in relations if relation is not True]


def _params(graph: Graph) -> Any:
    return totals(graph, ["params"])["params"].value


def _roles(graph: Graph | None) -> dict[str, set[str]]:
    """The arguments that each letter stands in."""
    found: dict[str, set[str]] = {}
    for node in graph.nodes if graph is not None else ():
        for name, value in vars(node.layer).items():
            for item in value if isinstance(value, tuple) else (value,):
                for symbol in item.free_symbols if is_symbolic(item) else ():
                    found.setdefault(str(symbol), set()).add(name)
    return found


def _tried_all(problem: Problem, found: Sequence[Mapping[str, int]]) -> tuple[Solution, ...]:
    """What values give, the simplest first, refused ones left out."""
    solutions = [solution for values in found if (solution := _tried(problem, values)) is not None]
    return tuple(sorted(solutions, key=lambda solution: _simplicity(problem, solution.values)))


def _tried(problem: Problem, values: Mapping[str, int]) -> Solution | None:
    """None where they are refused."""
    try:
        graph = problem.build(values)
        layer = repr(graph.nodes[-1].layer) if len(graph.nodes) == 1 else ""
        return Solution(dict(values), layer, problem.output_of(graph), _params(graph))
    except ConvcalcError:
        return None


def _distance(problem: Problem, solution: Solution | None) -> int | None:
    """How far from what is wanted; 0 is a solution, None is beyond comparison."""
    if solution is None or len(solution.output) != len(problem.output or solution.output):
        return None
    pairs: list[tuple[Dim, Dim]] = list(zip(solution.output, problem.output or ()))
    if problem.params is not None:
        pairs.append((solution.params, problem.params))
    gaps = [as_dim(a - b) for a, b in pairs]
    return None if any(map(is_symbolic, gaps)) else sum(map(abs, gaps))  # type: ignore[arg-type]


def _simplicity(problem: Problem, values: Mapping[str, int]) -> tuple[Any, ...]:
    """A key: fewer arguments other than usual, then odd kernels, then smaller numbers."""
    names = _roles(problem.graph)
    usual = {name: [USUAL[role] for role in names.get(name, ()) if role in USUAL] for name in values}
    unusual = sum(bool(usual[name]) and value not in usual[name] for name, value in values.items())
    even = sum("kernel_size" in names.get(name, ()) and value % 2 == 0 for name, value in values.items())
    return unusual, even, sum(values.values()), tuple(values.values())


def _searched(problem: Problem) -> Answers:
    domains, open_ = _domains(problem)
    if math.prod(map(len, domains)) > 20 * MOST_TRIED:
        open_ = set(problem.letters)
        domains = [domain[: max(4, int(MOST_TRIED ** (1 / len(domains))))] for domain in domains]
    gap, fast = _gaps(problem)
    every = (dict(zip(problem.letters, n)) for n in (product(*domains) if fast or not problem.graph else ()))
    passing = [values for values in every if problem.allows(values) and gap(values, True) == 0]
    exact = tuple(s for s in _tried_all(problem, passing[:SHOWN]) if _distance(problem, s) == 0)
    edges = {name: d[-1] - len(d) // 4 for name, d in zip(problem.letters, domains) if name in open_}
    if len(exact) > 1 and any(s.values[name] >= edge for s in exact for name, edge in edges.items()):
        return Answers(exact, _family(problem), endless=True)
    upto = ", ".join(f"{name} ≤ {d[-1]}" for name, d in zip(problem.letters, domains) if name in open_)
    if exact:
        total = len(exact) if len(passing) <= SHOWN else len(passing)
        return Answers(exact, total=total, upto=upto if len(domains) > 1 else "")
    return Answers((), (), _closest(problem, domains), upto=upto)


def _domains(problem: Problem) -> tuple[list[range], set[str]]:
    """The values to try, and the letters that no condition bounds from above."""
    names, count = _roles(problem.graph), len(problem.letters)
    cap = {1: 200, 2: 20}.get(count, 6) if problem.graph is None else CAPS.get(count, 10)
    domains, open_ = [], set()
    for name in problem.letters:
        least = 0 if problem.graph is None or (names.get(name) and names[name] <= FROM_ZERO) else 1
        most = min([c.most[name] for c in problem.where if name in c.most], default=None)
        least = max([c.least[name] for c in problem.where if name in c.least] + [least])
        if most is None:
            open_.add(name)
            most = max(least, 1) + cap
        domains.append(range(least, most + 1))
    return domains, open_


def _family(problem: Problem) -> tuple[str, ...]:
    """What is wanted, with floors opened: ``2·p + 222 ≤ k ≤ …``."""
    from convcalc.algebra.symbolic.relations import opened

    relations = [] if problem.graph is None else _wanted(problem, problem.graph)
    return tuple(dict.fromkeys(opened(relation) for relation in relations if is_symbolic(relation)))


def _closest(problem: Problem, domains: Sequence[range]) -> Solution | None:
    gap, fast = _gaps(problem)
    most = MOST_TRIED // 5 if fast else 800
    ranked: dict[int, list[dict[str, int]]] = {}
    for numbers in product(*[domain[: max(2, int(most ** (1 / len(domains))))] for domain in domains]):
        values = dict(zip(problem.letters, numbers))
        distance = gap(values, False) if problem.allows(values) else None
        if distance is not None:
            ranked.setdefault(distance, []).append(values)
    for distance in sorted(ranked)[:SHOWN]:
        for values in sorted(ranked[distance], key=lambda values: _simplicity(problem, values))[:SHOWN]:
            if _distance(problem, solution := _tried(problem, values)) is not None:
                return solution
    return None


def _gaps(problem: Problem) -> tuple[Callable[[Mapping[str, int], bool], int | None], bool]:
    """A function that tells how far values are from what is wanted, and whether it is fast: by formulas in letters.

    Other letters get a number there; ``surely``, several in turn.
    """
    from convcalc.algebra.symbolic.printing import function

    def tried(values: Mapping[str, int], surely: bool) -> int | None:
        return _distance(problem, _tried(problem, values))

    relations: list[Any] = [False] if problem.graph is None else _wanted(problem, problem.graph)
    if problem.graph is None or False in relations:
        return tried, False
    reach = _reaches(problem.graph)
    own = sorted(_free([*relations, *reach]) - set(problem.letters))
    letters = [letter(name) for name in (*problem.letters, *own)]
    sides, legal = function([side for r in relations for side in r.args], letters), function(reach, letters)
    samples = [[97 + 8 * i + 5 * turn for i in range(len(own))] for turn in range(9 if own else 1)]

    def computed(values: Mapping[str, int], surely: bool) -> int | None:
        total = 0
        for sample in samples if surely else samples[:1]:
            numbers = [*values.values(), *sample]
            try:
                if not all(legal(*numbers)):
                    return None
                found = list(map(int, sides(*numbers)))
            except ZeroDivisionError:
                return None
            total += sum(abs(a - b) for a, b in zip(found[::2], found[1::2]))
            if total and (surely or min(found) < 1):
                return None
        return total

    return computed, True


def _reaches(graph: Graph) -> list[Any]:
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
