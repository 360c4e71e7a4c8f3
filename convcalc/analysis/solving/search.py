"""The search for the letters of an inverse question: relations narrow them until numbers are left; none is missed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product, takewhile
from typing import Any

from convcalc.algebra.dims import letter, substitute
from convcalc.algebra.types import LIMIT, is_symbolic
from convcalc.analysis.solving.problem import SHOWN, Answers, Problem, Solution
from convcalc.network.graph import Graph

MOST_WORK = 2_500_000
"""The most steps of narrowing, which take a few seconds."""
LARGE = LIMIT // 100
"""A number that represents all large ones; with larger ones a size that they result in may exceed `LIMIT`."""
MOST_PROOFS = 20
"""The most candidates for infinitely many solutions that are proved."""


def free_letters(relations: Sequence[Any]) -> set[str]:
    """Return the letters in relations."""
    return {str(s) for relation in relations if is_symbolic(relation) for s in relation.free_symbols}


def equations(pairs: Any) -> list[Any]:
    """Make equations of pairs that must be equal, without those that always hold; one that cannot hold is False.

    None for pairs means that nothing can be equal.
    """
    from convcalc.algebra.symbolic import relate

    return [False] if pairs is None else [r for a, b in pairs if (r := relate("==", a, b)) is not True]


class Search:
    """A search that starts from all values that letters may have and narrows them by relations until numbers are left.

    ``bounds`` are the least and greatest number of each letter. A solution satisfies the ``equations``, which state
    what is wanted, and the ``conditions``: the ``demands`` of the network and the claims of the question. ``exact``
    says whether all claims are relations; if not, each point is also checked by `Problem.allows`.

    A letter that is not asked for, such as the H of an input, may be any number, and the equations must hold for all
    these numbers. So narrowing uses the equations for several such numbers together: ``samples`` are the pairs of what
    is computed and what is wanted for each.
    """

    def __init__(self, problem: Problem, graph: Graph) -> None:
        from convcalc.algebra.claim_relations import derive_relations

        self.problem = problem
        self.letters = [letter(name) for name in problem.letters]
        self.bounds = tuple(problem.bounds())
        wanted = problem.pairs(problem.result({}, graph))
        self.equations = equations(wanted)
        self.demands = _demands(graph, set(problem.letters))
        dims = problem.name_values(self.letters)
        claims = [relation for claim in problem.where for relation in derive_relations(claim, dims)]
        self.exact = None not in claims
        self.conditions = [*self.demands, *(claim for claim in claims if claim is not None and claim is not True)]
        self.samples = [
            [(substitute(computed, numbers), substitute(asked, numbers)) for computed, asked in wanted or ()]
            for numbers in self._numbers_of_others(graph)
        ]
        relations = [relation for sample in self.samples for relation in equations(sample)]
        self.narrowing = self._narrowing(relations if wanted else [False, *relations])

    def _numbers_of_others(self, graph: Graph) -> list[dict[Any, int]]:
        """Return several choices of legal numbers for the letters not asked for; one empty choice if there are none."""
        from convcalc.algebra.symbolic.regions import Region

        others = sorted(free_letters(self.equations) - set(self.problem.letters))
        if not others:
            return [{}]
        legal = Region([r for r in graph.assumptions if free_letters([r]) <= set(others)], others)
        # large, different and in steps of 5, so that an equation is unlikely to hold for all of them by chance
        starts = [[97 + 8 * i + 5 * turn for i in range(len(others))] for turn in range(9)]
        numbers = [legal.nearest(start, up=True) for start in starts]
        return [dict(zip(map(letter, others), chosen)) for chosen in numbers if chosen is not None]

    def _narrowing(self, wanted: Sequence[Any]) -> Any:
        from convcalc.algebra.symbolic.narrowing import Narrowing

        return Narrowing([*self.conditions, *wanted], self.letters)

    def answers(self) -> Answers:
        """Return all solutions, or the simplest of them if there are very many or infinitely many."""
        from convcalc.algebra.symbolic.narrowing import search, size

        problem, total, upto, asked = self.problem, 0, "", False
        candidates: list[Mapping[str, int]] = []
        for far, part in search(self.narrowing, self.bounds, _largest, self.exact):
            if part is not None:
                total += size(part) if self.exact else problem.allows(problem.name_values([low for low, _ in part]))
                if len(candidates) <= SHOWN:
                    candidates += filter(problem.allows, map(problem.name_values, _points(part)))
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
        solutions = tuple(s for s in problem.try_all(candidates) if problem.distance(s) == 0)
        miss = None if solutions else self._nearest()
        return Answers(solutions, miss=miss, total=len(solutions), upto=upto)

    def _each(self, narrowing: Any, key: Any) -> Iterator[dict[str, int]]:
        """Yield the first points that a narrowing leaves."""
        from convcalc.algebra.symbolic.narrowing import search

        most = narrowing.work + MOST_WORK // 10
        parts = takewhile(lambda _: narrowing.work < most, search(narrowing, self.bounds, key, False))
        points = (self.problem.name_values([low for low, _ in part]) for _, part in parts if part)
        return islice(filter(self.problem.allows, points), SHOWN)

    def _simplest(self, candidates: Sequence[Mapping[str, int]], most: int) -> tuple[Solution, ...]:
        """Return the simplest solutions among the candidates and the results of a search in order of simplicity."""
        every = [*candidates, *islice(self._each(self.narrowing, self.problem.simplicity()), most)]
        return self.problem.try_all({tuple(values.values()): values for values in every}.values(), most)

    def _endless(self, candidates: Sequence[Mapping[str, int]]) -> bool:
        """Return whether there are infinitely many solutions.

        That is proved by a letter whose large values all solve the problem, or by a ray from one solution through
        another on which all points are solutions.
        """
        from convcalc.algebra.symbolic import restate
        from convcalc.algebra.symbolic.narrowing import search, width

        for i, (low, high) in enumerate(self.bounds):
            if high == LIMIT:
                large = (max(low, LARGE), high)
                bounds = (*self.bounds[:i], large, *self.bounds[i + 1 :])
                for _, part in islice(search(self.narrowing, bounds, width, True), 200):
                    if part and part[i] == large and self._holds([low for low, _ in part]):
                        return True
        for start, step in islice(find_rays(candidates, self.bounds, self._holds), MOST_PROOFS):
            moved = {x: a + d * letter("t") for x, a, d in zip(self.letters, start, step)}
            if all(restate(relation, moved) is True for relation in [*self.demands, *self.equations]):
                return True
        return False

    def _holds(self, point: Sequence[int]) -> bool:
        """Return whether a point, a number for each letter, is a solution."""
        values = self.problem.name_values(point)
        inside = all(low <= n <= high for n, (low, high) in zip(point, self.bounds))
        inside = inside and self.narrowing(tuple(zip(point, point)))[1] and self.problem.allows(values)
        return inside and self.problem.distance(self.problem.try_values(values)) == 0

    def _family(self) -> tuple[str, ...]:
        """Return the equations as text, floors replaced by bounds: ``2·p + 222 ≤ k ≤ …``."""
        from convcalc.algebra.symbolic import open_floor

        return tuple(dict.fromkeys(open_floor(relation) for relation in self.equations))

    def _nearest(self) -> Solution | None:
        """Return the point nearest to what is wanted, searching at most 1 off, then 2, 4, …; None if none was found."""
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
                for solution in self.problem.try_all(near[gap], 200):
                    if self.problem.distance(solution) is not None:
                        return solution
                refused += len(near[gap])
            work += narrowing.work
            if work > MOST_WORK // 2:
                break
        return None


def find_rays(
    candidates: Sequence[Mapping[str, int]], box: Sequence[tuple[int, int]], holds: Callable[[Sequence[int]], bool]
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield start and step of rays from one solution through another that ``holds`` at small and large multiples."""
    points = sorted(tuple(values.values()) for values in candidates)[:40]
    steps = ((x, [b - a for a, b in zip(x, y)]) for x in points for y in points if x != y)
    most = [LIMIT if high == LIMIT else 0 for _, high in box]  # of a step
    onward = ((x, step) for x, step in steps if all(0 <= d <= end for d, end in zip(step, most)))
    for start, step in islice(onward, 300):
        multiples = (2, 3, 5, 8, 99, 1000, LARGE // max(step))
        if all(holds([a + d * multiple for a, d in zip(start, step)]) for multiple in multiples):
            yield start, step


def _largest(box: Sequence[tuple[int, int]]) -> int:
    """Return the sort key of a search in which no letter gets ahead of another: the largest lower bound."""
    return max((low for low, _ in box), default=0)


def _points(box: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, ...]]:
    """Yield the points of a box, only some if it is large."""
    return islice(product(*[range(low, min(high, low + SHOWN) + 1) for low, high in box]), SHOWN + 1)


def _demands(graph: Graph, letters: set[str]) -> list[Any]:
    """Return what a graph demands of these letters alone: its assumptions, and that every window reaches the input.

    For that no padding may exceed a window's reach; otherwise some window would be in the padding only.
    """
    from convcalc.algebra.symbolic import relate

    pairs = [pair for node in graph.nodes for pair in node.layer.reaches()]
    reaching = [relate(">=", reach, padding) for reach, padding in pairs if is_symbolic(padding)]
    return [relation for relation in [*graph.assumptions, *reaching] if free_letters([relation]) <= letters]
