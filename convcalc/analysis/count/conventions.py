"""Conventions: what a FLOP is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from convcalc.algebra.types import Dim
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.base import Op, Work


class Convention(NamedTuple):
    """What each word of work (`layers.base`) costs, in ``unit``; nothing, where it is not listed.

    >>> CONVENTIONS["torch"].price({"mac": 10, "bias": 3})
    20
    """

    name: str
    unit: str
    prices: Mapping[Op, int]
    description: str

    def price(self, work: Work) -> Dim:
        return sum([price * work[op] for op, price in self.prices.items() if op in work])


CONVENTIONS: Mapping[str, Convention] = {
    "torch": Convention(
        name="torch",
        unit="FLOPs",
        prices={"mac": 2},
        description="2 FLOPs for each multiply–accumulate of convolutions and matrix products, 0 for all else",
    ),
}
"""By name. ``torch`` is the definition of `torch.utils.flop_counter`."""


def find(name: str) -> Convention:
    """The convention called ``name``; raises UnknownName.

    >>> find("torch").unit
    'FLOPs'
    """
    check_name(name, CONVENTIONS, "convention", "there is")
    return CONVENTIONS[name]


def check_name(name: str, rows: Iterable[str], what: str, known: str) -> None:
    if name not in rows:
        hint = did_you_mean(name, rows) or f"{known} {', '.join(rows)}"
        raise UnknownName(f"no {what} is called {name!r}", hint=hint)
