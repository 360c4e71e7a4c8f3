"""The search for an inverse question's letters: narrowed by relations until numbers are left, with nothing left out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product, takewhile
from typing import Any

from convcalc.algebra.dims import letter, substitute
from convcalc.algebra.types import LIMIT, is_symbolic
from convcalc.analysis.solving.problem import SHOWN, Answers, Problem, Solution
from convcalc.network.graph import Graph

MOST_WORK = 2_500_000
"""How many steps of narrowing are computed, which takes some seconds."""
FAR_OUT = LIMIT // 100
"""A number that stands for all large ones; what larger ones give may be beyond what is taken for a size."""
MOST_PROOFS = 20
"""How many candidates for solutions without end are proved."""


def free(relations: Sequence[Any]) -> set[str]:
    """The letters in relations."""
    return {str(s) for relation in relations if is_symbolic(relation) for s in relation.free_symbols}


def equations(pairs: Any) -> list[Any]:
    """What is wanted, as equations; False among them where that cannot be."""
    from convcalc.algebra.symbolic import relate

    return [False] if pairs is None else [r for a, b in pairs if (r := relate("==", a, b)) is not True]


class Search:
    """Letters narrowed by relations until numbers are left, from all numbers that they may be.

    ``bounds`` are the least and greatest number of each letter. A solution fulfils the ``equations``, which say what is
    wanted, and what is ``known``: the ``demands`` of the network and the claims of the question. ``exact`` says whether
    all claims are relations; if not, each point is also checked by `Problem.allows`.

    A letter that is not asked for, such as the H of an input, may be any number, and the equations must hold for all of
    them. They are therefore narrowed for several such numbers together: ``samples`` are what is computed and what is
    wanted for each.
    """

    def __init__(self, problem: Problem, graph: Graph) -> None:
        self.problem = problem
        self.letters = [letter(name) for name in problem.letters]
        self.bounds = tuple(problem.bounds())
        wanted = problem.pairs(problem.given({}, graph))
        self.equations = equations(wanted)
        self.demands = _demands(graph, set(problem.letters))
        claims = [part for c in problem.where for part in c.relations(problem.named(self.letters))]
        self.exact = None not in claims
        self.known = [*self.demands, *(claim for claim in claims if claim is not None and claim is not True)]
        self.samples = [
            [(substitute(computed, numbers), substitute(asked, numbers)) for computed, asked in wanted or ()]
            for numbers in self._numbers_of_others(graph)
        ]
        relations = [relation for sample in self.samples for relation in equations(sample)]
        self.narrowing = self._narrowing(relations if wanted else [False, *relations])

    def _numbers_of_others(self, graph: Graph) -> list[dict[Any, int]]:
        """Return several legal numbers for the letters that are not asked for; one empty choice if there are none."""
        from convcalc.algebra.symbolic.regions import Region

        others = sorted(free(self.equations) - set(self.problem.letters))
        if not others:
            return [{}]
        legal = Region([r for r in graph.assumptions if free([r]) <= set(others)], others)
        # large and unlike each other, and in steps of 5, so that hardly an equation holds for all of them by chance
        starts = [[97 + 8 * i + 5 * turn for i in range(len(others))] for turn in range(9)]
        numbers = [legal.nearest(start, up=True) for start in starts]
        return [dict(zip(map(letter, others), chosen)) for chosen in numbers if chosen is not None]

    def _narrowing(self, wanted: Sequence[Any]) -> Any:
        from convcalc.algebra.symbolic.narrowing import Narrowing

        return Narrowing([*self.known, *wanted], self.letters)

    def answers(self) -> Answers:
        """All that is left; of very much, or of what does not end, the simplest."""
        from convcalc.algebra.symbolic.narrowing import search, size

        problem, total, upto, asked = self.problem, 0, "", False
        candidates: list[Mapping[str, int]] = []
        for far, part in search(self.narrowing, self.bounds, _largest, self.exact):
            if part is not None:
                total += size(part) if self.exact else problem.allows(problem.named([low for low, _ in part]))
                if len(candidates) <= SHOWN:
                    candidates += filter(problem.allows, map(problem.named, _points(part)))
            if self.narrowing.work > MOST_WORK // (3 if total > SHOWN else 6 if far > 10**6 else 1):
                upto = problem.upto(far - 1)
            if not asked and (len(candidates) > 40 or upto):
                asked = True
                if self._endless(candidates):
                    return Answers(self._simplest(candidates, 50), self._family(), endless=True)
            if upto:
                break
        if total > SHOWN:
            return Answers(self._simplest(candidates, SHOWN), self._family(), total=total, upto=upto)
        solutions = tuple(s for s in problem.tried_all(candidates) if problem.distance(s) == 0)
        miss = None if solutions else self._nearest()
        return Answers(solutions, miss=miss, total=len(solutions), upto=upto)

    def _each(self, narrowing: Any, key: Any) -> Iterator[dict[str, int]]:
        """The points that a narrowing leaves, the first of them."""
        from convcalc.algebra.symbolic.narrowing import search

        most = narrowing.work + MOST_WORK // 10
        parts = takewhile(lambda _: narrowing.work < most, search(narrowing, self.bounds, key, False))
        points = (self.problem.named([low for low, _ in part]) for _, part in parts if part)
        return islice(filter(self.problem.allows, points), SHOWN)

    def _simplest(self, candidates: Sequence[Mapping[str, int]], most: int) -> tuple[Solution, ...]:
        """Return the simplest of the candidates and of a search for them."""
        every = [*candidates, *islice(self._each(self.narrowing, self.problem.simplest()), most)]
        return self.problem.tried_all({tuple(values.values()): values for values in every}.values(), most)

    def _endless(self, candidates: Sequence[Mapping[str, int]]) -> bool:
        """Whether all is as wanted wherever a letter is large, or ever farther on from one solution through another."""
        from convcalc.algebra.symbolic import restate
        from convcalc.algebra.symbolic.narrowing import search, width

        for i, (low, high) in enumerate(self.bounds):
            if high == LIMIT:
                half = (max(low, FAR_OUT), high)
                far = (*self.bounds[:i], half, *self.bounds[i + 1 :])
                for _, part in islice(search(self.narrowing, far, width, True), 200):
                    if part and part[i] == half and self._holds([low for low, _ in part]):
                        return True
        for start, step in islice(rays(candidates, self.bounds, self._holds), MOST_PROOFS):
            moved = {x: a + d * letter("t") for x, a, d in zip(self.letters, start, step)}
            if all(restate(relation, moved) is True for relation in [*self.demands, *self.equations]):
                return True
        return False

    def _holds(self, point: Sequence[int]) -> bool:
        values = self.problem.named(point)
        inside = all(low <= n <= high for n, (low, high) in zip(point, self.bounds))
        inside = inside and self.narrowing(tuple(zip(point, point)))[1] and self.problem.allows(values)
        return inside and self.problem.distance(self.problem.tried(values)) == 0

    def _family(self) -> tuple[str, ...]:
        """What is wanted, with floors opened: ``2·p + 222 ≤ k ≤ …``."""
        from convcalc.algebra.symbolic import open_floor

        return tuple(dict.fromkeys(open_floor(relation) for relation in self.equations))

    def _nearest(self) -> Solution | None:
        """What comes nearest to what is wanted: what is at most 1 off, 2, 4 …"""
        from convcalc.algebra.symbolic import make_function, relate

        sides = make_function([side for pair in self.samples[0] for side in pair], self.letters)

        def off(values: Mapping[str, int]) -> int:
            numbers = sides(*values.values())
            return sum(abs(a - b) for a, b in zip(numbers[::2], numbers[1::2]))

        refused = work = 0
        for slack in (2**i for i in range(40 if self.samples[0] else 0)):
            ends = [end for sample in self.samples for a, b in sample for end in ((a + slack, b), (b + slack, a))]
            near: dict[int, list[Mapping[str, int]]] = {}
            narrowing = self._narrowing([relate(">=", *end) for end in ends])
            for values in self._each(narrowing, _largest):
                near.setdefault(off(values), []).append(values)
            for gap in sorted(gap for gap in near if gap <= slack and refused < 200):
                for solution in self.problem.tried_all(near[gap], 200):
                    if self.problem.distance(solution) is not None:
                        return solution
                refused += len(near[gap])
            work += narrowing.work
            if work > MOST_WORK // 2:
                break
        return None


def rays(
    candidates: Sequence[Mapping[str, int]], box: Sequence[tuple[int, int]], holds: Callable[[Sequence[int]], bool]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """From one solution through another: start and step where all holds near and far out."""
    points = sorted(tuple(values.values()) for values in candidates)[:40]
    steps = ((x, [b - a for a, b in zip(x, y)]) for x in points for y in points if x != y)
    most = [LIMIT if high == LIMIT else 0 for _, high in box]  # of a step
    onward = ((x, step) for x, step in steps if all(0 <= d <= end for d, end in zip(step, most)))
    for start, step in islice(onward, 300):
        turns = (2, 3, 5, 8, 99, 1000, FAR_OUT // max(step))
        if all(holds([a + d * turn for a, d in zip(start, step)]) for turn in turns):
            yield start, step


def _largest(box: Sequence[tuple[int, int]]) -> int:
    """The order of a search: no letter is tried farther than another."""
    return max((low for low, _ in box), default=0)


def _points(box: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, ...]]:
    """The points of a box, of a large one some."""
    return islice(product(*[range(low, min(high, low + SHOWN) + 1) for low, high in box]), SHOWN + 1)


def _demands(graph: Graph, letters: set[str]) -> list[Any]:
    """Return what a graph demands of these letters alone: its assumptions, and windows that reach the input.

    No padding exceeds a window's reach, or some window would lie in the padding alone.
    """
    from convcalc.algebra.symbolic import relate

    pairs = [pair for node in graph.nodes for pair in node.layer.reaches()]
    reaching = [relate(">=", reach, padding) for reach, padding in pairs if is_symbolic(padding)]
    return [relation for relation in [*graph.assumptions, *reaching] if free([relation]) <= letters]
