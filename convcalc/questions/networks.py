"""The question of which networks have a name, and their totals at their usual inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from convcalc import zoo
from convcalc.algebra.types import Shape
from convcalc.analysis.count.tally import count_totals
from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.trace import trace
from convcalc.questions.answer import Table
from convcalc.views import catalogue, json


class Listed(NamedTuple):
    """A network and its totals at its usual input."""

    network: str
    params: Any
    macs: Any
    input: Shape
    paper: str


@dataclass(frozen=True, eq=False, repr=False)
class KnownNetworks(Table):
    """Networks by their ``names``. A row is a network with its totals, which are counted on request."""

    names: tuple[str, ...]

    @cached_property
    def rows(self) -> tuple[Listed, ...]:
        """A row for each name."""
        return tuple(map(measure, self.names))

    def __iter__(self) -> Iterator[Listed]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.names)

    def to_text(self, format: str = "simple", width: int | None = None) -> str:
        """Return the table, csv or JSON, papers cut to a terminal's ``width``; raise UnknownName for other formats."""
        return catalogue.networks(Listed._fields, self, format, width)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows under one key, as plain Python."""
        return json.plain({"networks": self.to_rows()})

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dict for each network."""
        return [row._asdict() for row in self]


def networks(pattern: str = "*") -> KnownNetworks:
    """Return the networks whose names match a shell pattern; raise UnknownName if none does.

    >>> print(networks("lenet5").to_text("csv"))
    network,params,macs,input,paper
    lenet5,61706,416520,1x32x32,"LeCun et al. 1998, Proc. IEEE 86(11)"
    """
    names = zoo.names(pattern)
    if not names:
        hint = did_you_mean(pattern.strip("*?"), zoo.names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network matches {pattern!r:.60}", hint=hint)
    return KnownNetworks(tuple(names))


def measure(name: str) -> Listed:
    """Return a network's totals at its usual input; raise UnknownName if there is no such network.

    >>> measure("lenet5").params
    61706
    """
    model, shape = zoo.load(name)
    counts = count_totals(trace(model, (1, *shape)), ("params", "macs"))
    return Listed(name, counts["params"].value, counts["macs"].value, shape, zoo.entry(name).paper)
