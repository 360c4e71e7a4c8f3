"""Two reports side by side: paired rows, what differs in each pair, and totals with their differences.

Rows are paired so that the sum of their similarity is largest, where layers and shapes count for more than names: an
inserted or removed layer does not upset the pairs around it, and a layer with a new path is still the same layer.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from operator import add
from typing import Any, NamedTuple

from convcalc.analysis.count.call import Count, canonical_count
from convcalc.analysis.count.metrics import METRICS
from convcalc.analysis.count.report import Report, Row
from convcalc.analysis.fields.flow import ReceptiveField
from convcalc.errors import SpecError

CHANGES = ("added", "removed", "changed", "renamed", "same")
"""The values of `Pair.change`."""

STRUCTURE, LAYER, KIND, NAME, ONLY_NAME = 4, 2, 1, 2, 1
"""The similarity of two rows: of equal layer and shapes, of equal layer, of equal kind; what an equal name adds to
these; and of rows with nothing but their name in common, little, since a place in a Sequential is a name too.

The first three count double for layers that have arguments: one ReLU() is much like another.
"""

MOST_CELLS = 4_000_000  # of the table of all rows against all, which takes about half a second


class Pair(NamedTuple):
    """A row of A and its partner in B, None if it has none; ``rewired``: it takes its input from another layer."""

    a: Row | None
    b: Row | None
    rewired: bool = False

    @property
    def change(self) -> str:
        """One of `CHANGES`."""
        if self.a is None or self.b is None:
            return "added" if self.a is None else "removed"
        if self.rewired or _facts(self.a) != _facts(self.b):
            return "changed"
        return "same" if self.a.name == self.b.name else "renamed"


def _facts(row: Row) -> tuple[object, ...]:
    """Return everything about a row but its place."""
    return row.type, row.layer, row.output_shape, row.rf, row.counts


class Total(NamedTuple):
    """A total of A and the same total of B."""

    name: str
    title: str
    a: Count
    b: Count

    @property
    def delta(self) -> Count:
        """B minus A; unknown where either is incomplete."""
        if self.a.value is None or self.b.value is None or not (self.a.complete and self.b.complete):
            return Count(None, False)
        return Count(canonical_count(self.b.value - self.a.value))

    @property
    def percent(self) -> Fraction | None:
        """The difference as a percentage of A; None for formulas, and where A is 0.

        >>> Total("params", "Params", Count(200), Count(250)).percent
        Fraction(25, 1)
        """
        if isinstance(self.a.value, int) and isinstance(self.delta.value, int) and self.a.value:
            return Fraction(100 * self.delta.value, self.a.value)
        return None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two reports, their rows in pairs, and their totals.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> a, b = (analyze(trace(nn.Sequential(nn.Conv2d(3, 8, k)), (1, 3, 9, 9))) for k in (3, 5))
    >>> both = compare(a, b)
    >>> [pair.change for pair in both.pairs], both.totals["params"].delta.value
    (['changed'], 384)
    """

    a: Report
    b: Report
    pairs: tuple[Pair, ...]
    depth: int | None = None

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of pairs of each of `CHANGES`."""
        changes = Counter(pair.change for pair in self.pairs)
        return {change: changes[change] for change in CHANGES}

    @property
    def changed(self) -> tuple[Pair, ...]:
        """The pairs that differ."""
        return tuple([pair for pair in self.pairs if pair.change != "same"])

    @cached_property
    def totals(self) -> Mapping[str, Total]:
        """Every total that is compared, except the receptive field."""
        a, b = self.a, self.b
        compared = [row for name, row in METRICS.items() if row.compared and name in a.counts and name in b.counts]
        rows = [
            *[Total(row.name, row.title, a.counts[row.name], b.counts[row.name]) for row in compared],
            Total("output_bytes", "Output bytes, fp32", a.memory.outputs, b.memory.outputs),
            Total("depth", "Depth", Count(a.depth), Count(b.depth)),
        ]
        return {row.name: row for row in rows}

    @property
    def rf(self) -> tuple[ReceptiveField, ReceptiveField]:
        """The total receptive fields of A and B."""
        return self.a.totals["rf"], self.b.totals["rf"]


def compare(a: Report, b: Report, depth: int | None = None) -> Comparison:
    """Return the comparison of two reports, rows folded to modules at ``depth``; raise SpecError if that is negative.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> a, b = (analyze(trace(nn.Sequential(*layers), (1, 8))) for layers in ([nn.ReLU()], [nn.ReLU(), nn.Tanh()]))
    >>> [pair.change for pair in compare(a, b).pairs]
    ['same', 'added']
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    aligned = align(*[report.rows if depth is None else report.folded(depth) for report in (a, b)])
    partners = {x.name: y.name for x, y in aligned if x and y}
    partners |= dict(zip(a.graph.inputs, b.graph.inputs))
    paired = set(partners.values())
    pairs = [Pair(x, y, bool(x and y and _rewired(x, y, partners, paired))) for x, y in aligned]
    if a.uncalled or b.uncalled:
        pairs.append(Pair(a.uncalled, b.uncalled))
    return Comparison(a, b, tuple(pairs), depth)


def _rewired(x: Row, y: Row, partners: Mapping[str, str], paired: set[str]) -> bool:
    """Return whether an input of ``x`` has a partner that ``y`` does not take; others were added or removed."""
    if len(x.inputs) != len(y.inputs):
        return partners.keys() >= set(x.inputs) and paired >= set(y.inputs)
    return any(i in partners and partners[i] != j and j in paired for i, j in zip(x.inputs, y.inputs))


class _Item(NamedTuple):
    """A row and its keys for pairing; ``distinctive``: its layer has arguments, so that it is unlikely to recur."""

    row: Row
    name: str
    kind: str
    layer: Hashable
    structure: Hashable
    distinctive: bool


_Pairs = list[tuple[_Item | None, _Item | None]]


def align(a: Sequence[Row], b: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Return pairs of a row of ``a`` and one of ``b``, each once and in order; None where a row has no partner.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> one = analyze(trace(nn.Sequential(nn.ReLU(), nn.Tanh()), (1, 8))).rows
    >>> two = analyze(trace(nn.Sequential(nn.Tanh()), (1, 8))).rows
    >>> [(x and x.name, y and y.name) for x, y in align(one, two)]
    [('0', None), ('1', '0')]
    """
    one, two = list(map(_item, a)), list(map(_item, b))
    head = _common_length(one, two)
    tail = _common_length(one[head:][::-1], two[head:][::-1])
    m, n = len(one) - tail, len(two) - tail
    pairs: _Pairs = [*zip(one[:head], two), *_pair_up(one[head:m], two[head:n]), *zip(one[m:], two[n:])]
    return [(x and x.row, y and y.row) for x, y in pairs]


def _item(row: Row) -> _Item:
    layer: Any = row.layer if row.layer is not None else (row.type, tuple(row.counts.values()))
    distinctive = row.layer is None or not row.spec.endswith("()")
    return _Item(row, row.name, row.type, layer, (layer, row.input_shapes, row.output_shape), distinctive)


def _common_length(a: Iterable[_Item], b: Iterable[_Item]) -> int:
    """Return how many rows at the beginning are the same in ``a`` and ``b``."""
    return sum(takewhile(bool, (x.name == y.name and x.structure == y.structure for x, y in zip(a, b))))


def _pair_up(a: list[_Item], b: list[_Item]) -> _Pairs:
    """Return the best pairs; where comparing all with all is too much, match runs of surely equal rows first."""
    if len(a) * len(b) <= MOST_CELLS:
        return _best_pairs(a, b)
    for keys in (_names, _numbered_structures):
        matcher = SequenceMatcher(None, keys(a), keys(b), autojunk=False)
        *blocks, _ = matcher.get_matching_blocks()  # the last is empty
        if blocks:
            pairs: _Pairs = []
            i = j = 0
            for x, y, n in blocks:
                pairs += [*_pair_up(a[i:x], b[j:y]), *zip(a[x : x + n], b[y : y + n])]
                i, j = x + n, y + n
            return pairs + _pair_up(a[i:], b[j:])
    return [*[(x, None) for x in a], *[(None, y) for y in b]]


def _names(items: list[_Item]) -> list[Hashable]:
    return [(item.name, item.structure) for item in items]


def _numbered_structures(items: list[_Item]) -> list[Hashable]:
    """Return as keys each structure with how often it has occurred so far."""
    occurrences, keys = Counter[Hashable](), list[Hashable]()
    for item in items:
        occurrences[item.structure] += 1
        keys.append((item.structure, occurrences[item.structure]))
    return keys


def _best_pairs(a: list[_Item], b: list[_Item]) -> _Pairs:
    """Return the pairs with the largest sum of similarity, by dynamic programming with a row for each of ``a``."""
    table = [[0] * (len(b) + 1)]
    for scores in _scores(a, b):
        above, best = table[-1], 0
        paired = map(add, above, scores)
        # each cell is the largest of its left, upper and paired neighbour; `max` would take three times as long
        row = [best := (p if p >= u and p > best else u if u > best else best) for p, u in zip(paired, above[1:])]
        table.append([0, *row])
    pairs: _Pairs = []
    i, j = len(a), len(b)
    while i or j:
        if j and (not i or table[i][j] == table[i][j - 1]):
            j -= 1
            pairs.append((None, b[j]))
        elif i and (not j or table[i][j] == table[i - 1][j]):
            i -= 1
            pairs.append((a[i], None))
        else:
            i, j = i - 1, j - 1
            pairs.append((a[i], b[j]))
    return pairs[::-1]


def _scores(a: list[_Item], b: list[_Item]) -> Iterator[list[int]]:
    """Yield for each of ``a`` its similarity to each of ``b``; most have nothing in common."""
    names = {y.name: j for j, y in enumerate(b)}
    places = defaultdict[Hashable, list[int]](list)
    for j, y in enumerate(b):
        for key in (y.kind, y.layer, y.structure):
            places[key].append(j)
    by_structure: dict[Hashable, list[int]] = {}
    for x in a:
        if x.structure not in by_structure:
            scores = by_structure[x.structure] = [0] * len(b)
            for key, score in ((x.kind, KIND), (x.layer, LAYER), (x.structure, STRUCTURE)):
                for j in places.get(key, ()):
                    scores[j] = score * (2 if x.distinctive else 1)
        scores = by_structure[x.structure].copy()
        if (at := names.get(x.name)) is not None:
            scores[at] = scores[at] + NAME if scores[at] else ONLY_NAME
        yield scores
