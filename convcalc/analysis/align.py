"""Which call of one network is which of another: the rows of two reports, paired in order.

Pairs are chosen to make the largest sum of likeness, of layers and shapes before names, so that what was put in or
taken out between does not tear the rest apart, and a layer under another path stays the same layer. What differs
between the two of a pair is the business of `compare`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from operator import add
from typing import Any, NamedTuple, TypeAlias

from convcalc.analysis.report import Row

Pairs: TypeAlias = "list[tuple[Row | None, Row | None]]"

STRUCTURE, LAYER, KIND, NAME, ONLY_NAME = 4, 2, 1, 2, 1
"""How alike two rows are: by layer and shapes, by the layer alone, by its kind alone; what an equal name adds to that;
and by an equal name alone, since a place in a Sequential is a name too, and says little.

The first three count twice for layers that have arguments: one ReLU() is much like another. So a conv under its old
name with other arguments (2 + 2) outweighs no more than a ReLU() elsewhere (4), and never itself elsewhere (8).
"""

MOST_CELLS = 4_000_000  # of a table of all against all: about half a second; longer networks are cut at anchors first


class _Item(NamedTuple):
    """A row with what is compared of it."""

    row: Row
    name: str
    kind: str
    layer: Hashable
    structure: Hashable
    telling: bool


def align(a: Sequence[Row], b: Sequence[Row]) -> Pairs:
    """Rows of ``a`` beside rows of ``b``, each once and in order; None where a row has no partner.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.report import analyze
    >>> one = analyze(trace(nn.Sequential(nn.ReLU(), nn.Tanh()), (1, 8))).rows
    >>> two = analyze(trace(nn.Sequential(nn.Tanh()), (1, 8))).rows
    >>> [(x and x.name, y and y.name) for x, y in align(one, two)]
    [('0', None), ('1', '0')]
    """
    one, two = list(map(_item, a)), list(map(_item, b))
    least = min(len(one), len(two))
    head = 0
    while head < least and _alike(one[head], two[head]):
        head += 1
    tail = 0
    while tail < least - head and _alike(one[-tail - 1], two[-tail - 1]):
        tail += 1
    middle = _paired(one[head : len(one) - tail], two[head : len(two) - tail])
    ends = list(zip(a, b)), list(zip(a[len(a) - tail :], b[len(b) - tail :]))
    return [*ends[0][:head], *[(x and x.row, y and y.row) for x, y in middle], *ends[1]]


def _item(row: Row) -> _Item:
    layer: Any = row.layer if row.layer is not None else (row.type, tuple(row.counts.values()))
    telling = row.layer is None or not row.spec.endswith("()")
    return _Item(row, row.name, row.type, layer, (layer, row.input_shapes, row.output_shape), telling)


def _alike(x: _Item, y: _Item) -> bool:
    return x.name == y.name and x.structure == y.structure


def _paired(a: list[_Item], b: list[_Item]) -> list[tuple[_Item | None, _Item | None]]:
    """The best pairs; in networks too long for all against all, the best between rows that are surely the same."""
    if len(a) * len(b) <= MOST_CELLS:
        return _best(a, b)
    for keys in (_by_name, _by_turn):
        anchors = _anchors(list(keys(a)), list(keys(b)))
        if anchors:
            return list(_between(anchors, a, b))
    return [*[(x, None) for x in a], *[(None, y) for y in b]]


def _by_name(items: list[_Item]) -> Iterator[Hashable]:
    return ((item.name, item.structure) for item in items)


def _by_turn(items: list[_Item]) -> Iterator[Hashable]:
    """The first of a structure, the second of it, and so on."""
    seen: Counter[Hashable] = Counter()
    for item in items:
        seen[item.structure] += 1
        yield item.structure, seen[item.structure]


def _between(
    anchors: list[tuple[int, int]], a: list[_Item], b: list[_Item]
) -> Iterator[tuple[_Item | None, _Item | None]]:
    i = j = 0
    for x, y in anchors:
        yield from _paired(a[i:x], b[j:y])
        yield a[x], b[y]
        i, j = x + 1, y + 1
    yield from _paired(a[i:], b[j:])


def _anchors(a: list[Hashable], b: list[Hashable]) -> list[tuple[int, int]]:
    """Places of equal keys, each key standing once in either list, of which as many as can be are in order."""
    places = {key: j for j, key in enumerate(b)}
    lasts: list[int] = []  # the least place in b at which a row of so many anchors can end
    ends: list[int] = []
    pairs = [(i, places[key]) for i, key in enumerate(a) if key in places]
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        length = bisect_left(lasts, j)
        before.append(ends[length - 1] if length else -1)
        lasts[length : length + 1] = [j]
        ends[length : length + 1] = [n]
    chain = []
    n = ends[-1] if ends else -1
    while n >= 0:
        chain.append(pairs[n])
        n = before[n]
    return chain[::-1]


def _best(a: list[_Item], b: list[_Item]) -> list[tuple[_Item | None, _Item | None]]:
    """The pairs of the largest sum of likeness, by the usual table: a row for each of ``a``, a column of ``b``."""
    scores = _Scores(b)
    table = [[0] * (len(b) + 1)]
    for x in a:
        above, best = table[-1], 0
        paired = map(add, above, scores.of(x))
        # each cell the largest of its left, its upper, and its paired; `max` would take three times as long
        row = [best := (p if p >= u and p > best else u if u > best else best) for p, u in zip(paired, above[1:])]
        table.append([0, *row])
    pairs: list[tuple[_Item | None, _Item | None]] = []
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
        self.kinds = _places(y.kind for y in others)
        self.layers = _places(y.layer for y in others)
        self.structures = _places(y.structure for y in others)
        self.others = len(others)
        self.known: dict[Hashable, list[int]] = {}

    def of(self, x: _Item) -> list[int]:
        """The likeness of ``x`` to each."""
        known = self.known.get(x.structure)
        if known is None:
            known = self.known[x.structure] = [0] * self.others
            times = 2 if x.telling else 1
            for j in self.kinds.get(x.kind, ()):
                known[j] = times * KIND
            for j in self.layers.get(x.layer, ()):
                known[j] = times * LAYER
            for j in self.structures.get(x.structure, ()):
                known[j] = times * STRUCTURE
        j = self.names.get(x.name, -1)
        if j < 0:
            return known
        return [*known[:j], known[j] + NAME if known[j] else ONLY_NAME, *known[j + 1 :]]


def _places(keys: Iterable[Hashable]) -> Mapping[Hashable, list[int]]:
    """Where each key stands."""
    found: dict[Hashable, list[int]] = {}
    for j, key in enumerate(keys):
        found.setdefault(key, []).append(j)
    return found
