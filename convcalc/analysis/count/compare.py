"""Two reports side by side: rows paired, what differs in each pair, and totals with their differences.

Pairs make the largest sum of likeness, of layers and shapes before names, so that what was put in or taken out between
does not tear the rest apart, and a layer under another path stays the same layer.
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
"""What a pair of rows can be."""

STRUCTURE, LAYER, KIND, NAME, ONLY_NAME = 4, 2, 1, 2, 1
"""How alike two rows are: by layer and shapes, by the layer alone, by its kind alone; what an equal name adds to that;
and by an equal name alone, since a place in a Sequential is a name too, and says little.

The first three count twice for layers that have arguments: one ReLU() is much like another.
"""

MOST_CELLS = 4_000_000  # of a table of all against all: about half a second


class Pair(NamedTuple):
    """A row of A and its partner in B; None where it has none. ``rewired``: it takes its input from elsewhere."""

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
    """Return all of a row but its place."""
    return row.type, row.layer, row.output_shape, row.rf, row.counts


class Total(NamedTuple):
    """A total of A beside that of B."""

    name: str
    title: str
    a: Count
    b: Count

    @property
    def delta(self) -> Count:
        """B less A; not known where either is incomplete."""
        if self.a.value is None or self.b.value is None or not (self.a.complete and self.b.complete):
            return Count(None, False)
        return Count(canonical_count(self.b.value - self.a.value))

    @property
    def percent(self) -> Fraction | None:
        """The difference in percent of A; None for formulas, and where A is 0.

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
        """How many pairs there are of each of `CHANGES`."""
        changes = Counter(pair.change for pair in self.pairs)
        return {change: changes[change] for change in CHANGES}

    @property
    def changed(self) -> tuple[Pair, ...]:
        """The pairs that differ."""
        return tuple([pair for pair in self.pairs if pair.change != "same"])

    @cached_property
    def totals(self) -> Mapping[str, Total]:
        """Every total that is compared, but the receptive field."""
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
        """The receptive fields of both."""
        return self.a.totals["rf"], self.b.totals["rf"]


def compare(a: Report, b: Report, depth: int | None = None) -> Comparison:
    """Return the comparison of two reports, rows folded to modules at ``depth``; raise SpecError if that is below 0."""
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    aligned = align(*[report.rows if depth is None else report.folded(depth) for report in (a, b)])
    partners = {x.name: y.name for x, y in aligned if x and y}
    partners |= dict(zip(a.graph.inputs, b.graph.inputs))
    known = set(partners.values())
    pairs = [Pair(x, y, bool(x and y and _rewired(x, y, partners, known))) for x, y in aligned]
    if a.uncalled or b.uncalled:
        pairs.append(Pair(a.uncalled, b.uncalled))
    return Comparison(a, b, tuple(pairs), depth)


def _rewired(x: Row, y: Row, partners: Mapping[str, str], known: set[str]) -> bool:
    """Return whether an input of ``x`` has a partner that ``y`` does not take; others were added or removed."""
    if len(x.inputs) != len(y.inputs):
        return partners.keys() >= set(x.inputs) and known >= set(y.inputs)
    return any(i in partners and partners[i] != j and j in known for i, j in zip(x.inputs, y.inputs))


class _Item(NamedTuple):
    row: Row
    name: str
    kind: str
    layer: Hashable
    structure: Hashable
    telling: bool


_Pairs = list[tuple[_Item | None, _Item | None]]


def align(a: Sequence[Row], b: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Return rows of ``a`` beside rows of ``b``, each once and in order; None where a row has no partner.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.count.report import analyze
    >>> one = analyze(trace(nn.Sequential(nn.ReLU(), nn.Tanh()), (1, 8))).rows
    >>> two = analyze(trace(nn.Sequential(nn.Tanh()), (1, 8))).rows
    >>> [(x and x.name, y and y.name) for x, y in align(one, two)]
    [('0', None), ('1', '0')]
    """
    one, two = list(map(_item, a)), list(map(_item, b))
    head = _same(one, two)
    tail = _same(one[head:][::-1], two[head:][::-1])
    m, n = len(one) - tail, len(two) - tail
    pairs: _Pairs = [*zip(one[:head], two), *_paired(one[head:m], two[head:n]), *zip(one[m:], two[n:])]
    return [(x and x.row, y and y.row) for x, y in pairs]


def _item(row: Row) -> _Item:
    layer: Any = row.layer if row.layer is not None else (row.type, tuple(row.counts.values()))
    telling = row.layer is None or not row.spec.endswith("()")
    return _Item(row, row.name, row.type, layer, (layer, row.input_shapes, row.output_shape), telling)


def _same(a: Iterable[_Item], b: Iterable[_Item]) -> int:
    """Return how many are the same from the first one."""
    return sum(takewhile(bool, (x.name == y.name and x.structure == y.structure for x, y in zip(a, b))))


def _paired(a: list[_Item], b: list[_Item]) -> _Pairs:
    """Return the best pairs; where all against all is too much, those between rows that are surely the same."""
    if len(a) * len(b) <= MOST_CELLS:
        return _best(a, b)
    for keys in (_names, _turns):
        matcher = SequenceMatcher(None, keys(a), keys(b), autojunk=False)
        *blocks, _ = matcher.get_matching_blocks()  # the last is empty
        if blocks:
            pairs: _Pairs = []
            i = j = 0
            for x, y, n in blocks:
                pairs += [*_paired(a[i:x], b[j:y]), *zip(a[x : x + n], b[y : y + n])]
                i, j = x + n, y + n
            return pairs + _paired(a[i:], b[j:])
    return [*[(x, None) for x in a], *[(None, y) for y in b]]


def _names(items: list[_Item]) -> list[Hashable]:
    return [(item.name, item.structure) for item in items]


def _turns(items: list[_Item]) -> list[Hashable]:
    """Return keys that tell the first of a structure from the second of it, and so on."""
    seen, turns = Counter[Hashable](), list[Hashable]()
    for item in items:
        seen[item.structure] += 1
        turns.append((item.structure, seen[item.structure]))
    return turns


def _best(a: list[_Item], b: list[_Item]) -> _Pairs:
    """Return the pairs of the largest sum of likeness, by the usual table with a row for each of ``a``."""
    table = [[0] * (len(b) + 1)]
    for scores in _scores(a, b):
        above, best = table[-1], 0
        paired = map(add, above, scores)
        # each cell the largest of its left, its upper, and its paired; `max` would take three times as long
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
    """Yield how alike each of ``a`` is to each of ``b``: most have nothing in common."""
    names = {y.name: j for j, y in enumerate(b)}
    places = defaultdict[Hashable, list[int]](list)
    for j, y in enumerate(b):
        for key in (y.kind, y.layer, y.structure):
            places[key].append(j)
    known: dict[Hashable, list[int]] = {}
    for x in a:
        if x.structure not in known:
            scores = known[x.structure] = [0] * len(b)
            for key, score in ((x.kind, KIND), (x.layer, LAYER), (x.structure, STRUCTURE)):
                for j in places.get(key, ()):
                    scores[j] = score * (2 if x.telling else 1)
        scores = known[x.structure].copy()
        if (at := names.get(x.name)) is not None:
            scores[at] = scores[at] + NAME if scores[at] else ONLY_NAME
        yield scores
