"""Two reports side by side: rows paired, what differs in each pair, and totals with their differences.

Pairs are chosen to make the largest sum of likeness, of layers and shapes before names, so that what was put in or
taken out between does not tear the rest apart, and a layer under another path stays the same layer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from functools import cached_property
from itertools import count, takewhile
from operator import add
from typing import Any, NamedTuple, TypeAlias

from convcalc.analysis.flow import ReceptiveField
from convcalc.analysis.metrics import METRICS, Count, whole
from convcalc.analysis.report import Report, Row
from convcalc.errors import SpecError

CHANGES = ("added", "removed", "changed", "renamed", "same")
"""What a pair of rows can be."""

STRUCTURE, LAYER, KIND, NAME, ONLY_NAME = 4, 2, 1, 2, 1
"""How alike two rows are: by layer and shapes, by the layer alone, by its kind alone; what an equal name adds to that;
and by an equal name alone, since a place in a Sequential is a name too, and says little.

The first three count twice for layers that have arguments: one ReLU() is much like another. So a conv under its old
name with other arguments (2 + 2) outweighs no more than a ReLU() elsewhere (4), and never itself elsewhere (8).
"""

MOST_CELLS = 4_000_000  # of a table of all against all: about half a second; longer networks are cut at anchors first


class Pair(NamedTuple):
    """A row of A and its partner in B; None where it has none. ``rewired``: it takes its input from elsewhere."""

    a: Row | None
    b: Row | None
    rewired: bool = False

    @property
    def change(self) -> str:
        """One of `CHANGES`. Another path with the same layer, shapes and numbers is a rename, and no more."""
        if self.a is None or self.b is None:
            return "added" if self.a is None else "removed"
        if self.rewired or _facts(self.a) != _facts(self.b):
            return "changed"
        return "same" if self.a.name == self.b.name else "renamed"


def _facts(row: Row) -> tuple[object, ...]:
    """What is said of a row apart from where it stands."""
    return row.type, row.layer, row.output_shape, row.rf, tuple(row.counts.values())


class Total(NamedTuple):
    """A total of both networks."""

    name: str
    title: str
    a: Count
    b: Count

    @property
    def delta(self) -> Count:
        """B less A; not known where either is incomplete."""
        if self.a.value is None or self.b.value is None or not (self.a.complete and self.b.complete):
            return Count(None, False)
        return Count(whole(self.b.value - self.a.value))

    @property
    def percent(self) -> Fraction | None:
        """The difference in percent of A, for numbers; None for formulas, and where A is 0.

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
    >>> from convcalc.analysis.report import analyze
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
        """How many pairs there are of each change."""
        found = Counter(pair.change for pair in self.pairs)
        return {change: found[change] for change in CHANGES}

    @cached_property
    def totals(self) -> Mapping[str, Total]:
        """Parameters, MACs, FLOPs, bytes of all outputs, and depth; the receptive field is `rf`."""
        a, b = self.a, self.b
        rows = [
            Total(name, METRICS[name].title, a.counts[name], b.counts[name]) for name in ("params", "macs", "flops")
        ]
        rows.append(Total("output_bytes", "Output bytes, fp32", a.memory.outputs, b.memory.outputs))
        rows.append(Total("depth", "Depth", Count(a.depth), Count(b.depth)))
        return {row.name: row for row in rows}

    @property
    def rf(self) -> tuple[ReceptiveField, ReceptiveField]:
        """The receptive fields of the first output."""
        return self.a.totals["rf"], self.b.totals["rf"]


def compare(a: Report, b: Report, depth: int | None = None) -> Comparison:
    """The comparison of two reports with all metrics; ``depth`` folds rows to the modules at that depth.

    Raises SpecError for a depth below 0.
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth must be at least 0; received {depth}")
    aligned = align(*[report.rows if depth is None else report.folded(depth) for report in (a, b)])
    partners = {x.name: y.name for x, y in aligned if x and y}
    partners |= dict(zip(a.graph.inputs, b.graph.inputs))
    known = set(partners.values())
    pairs = [Pair(x, y, bool(x and y) and _rewired(x, y, partners, known)) for x, y in aligned]  # type: ignore[arg-type]
    if a.uncalled or b.uncalled:
        pairs.append(Pair(a.uncalled, b.uncalled))
    return Comparison(a, b, tuple(pairs), depth)


def _rewired(x: Row, y: Row, partners: Mapping[str, str], known: set[str]) -> bool:
    """Whether an input of ``x`` has a partner, yet not the one that ``y`` takes.

    An input without a partner was taken out or put in, which is told there.
    """
    if len(x.inputs) != len(y.inputs):
        return partners.keys() >= set(x.inputs) and known >= set(y.inputs)
    return any(i in partners and j in known and partners[i] != j for i, j in zip(x.inputs, y.inputs))


class _Item(NamedTuple):
    row: Row
    name: str
    kind: str
    layer: Hashable
    structure: Hashable
    telling: bool


_Pairs: TypeAlias = "list[tuple[_Item | None, _Item | None]]"


def align(a: Sequence[Row], b: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Rows of ``a`` beside rows of ``b``, each once and in order; None where a row has no partner.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.report import analyze
    >>> one = analyze(trace(nn.Sequential(nn.ReLU(), nn.Tanh()), (1, 8))).rows
    >>> two = analyze(trace(nn.Sequential(nn.Tanh()), (1, 8))).rows
    >>> [(x and x.name, y and y.name) for x, y in align(one, two)]
    [('0', None), ('1', '0')]
    """
    one, two = list(map(_item, a)), list(map(_item, b))
    head = _same(one, two)
    tail = _same(reversed(one[head:]), reversed(two[head:]))
    m, n = len(one) - tail, len(two) - tail
    pairs: _Pairs = [*zip(one[:head], two), *_paired(one[head:m], two[head:n]), *zip(one[m:], two[n:])]
    return [(x and x.row, y and y.row) for x, y in pairs]


def _item(row: Row) -> _Item:
    layer: Any = row.layer if row.layer is not None else (row.type, tuple(row.counts.values()))
    telling = row.layer is None or not row.spec.endswith("()")
    return _Item(row, row.name, row.type, layer, (layer, row.input_shapes, row.output_shape), telling)


def _same(a: Iterable[_Item], b: Iterable[_Item]) -> int:
    """How many are the same from the first on."""
    return sum(takewhile(bool, (x.name == y.name and x.structure == y.structure for x, y in zip(a, b))))


def _paired(a: list[_Item], b: list[_Item]) -> _Pairs:
    """The best pairs; in networks too long for all against all, the best between rows that are surely the same."""
    if len(a) * len(b) <= MOST_CELLS:
        return _best(a, b)
    for keys in (_names, _turns):
        matcher = SequenceMatcher(None, keys(a), keys(b), autojunk=False)
        blocks = matcher.get_matching_blocks()[:-1]  # the last is empty
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
    """The first of a structure, the second of it, and so on."""
    seen: dict[Hashable, Iterator[int]] = defaultdict(count)
    return [(item.structure, next(seen[item.structure])) for item in items]


def _best(a: list[_Item], b: list[_Item]) -> _Pairs:
    """The pairs of the largest sum of likeness, by the usual table: a row for each of ``a``, a column of ``b``."""
    scores = _Scores(b)
    table = [[0] * (len(b) + 1)]
    for x in a:
        above, best = table[-1], 0
        paired = map(add, above, scores.of(x))
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


class _Scores:
    """How alike a row is to each of the other network's, found by what is equal: most have nothing in common."""

    def __init__(self, others: list[_Item]) -> None:
        self.names = {y.name: j for j, y in enumerate(others)}
        self.places: dict[Hashable, list[int]] = {}
        for j, y in enumerate(others):
            for key in (y.kind, y.layer, y.structure):
                self.places.setdefault(key, []).append(j)
        self.others = len(others)
        self.known: dict[Hashable, list[int]] = {}

    def of(self, x: _Item) -> list[int]:
        """The likeness of ``x`` to each."""
        known = self.known.get(x.structure)
        if known is None:
            known = self.known[x.structure] = [0] * self.others
            for key, score in ((x.kind, KIND), (x.layer, LAYER), (x.structure, STRUCTURE)):
                for j in self.places.get(key, ()):
                    known[j] = score * (2 if x.telling else 1)
        j = self.names.get(x.name, -1)
        if j < 0:
            return known
        return [*known[:j], known[j] + NAME if known[j] else ONLY_NAME, *known[j + 1 :]]
