"""Conventions: what a FLOP is, as one price list each over the words of `layers.work`.

Adding a convention is adding one row. Multiply–accumulates are counted alike under all of them (that is what the word
says); what differs between tools and papers is the price of the rest. What a layer computes is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from convcalc.algebra.dims import Dim
from convcalc.errors import UnknownName, did_you_mean
from convcalc.layers.work import Op, Work


class Convention(NamedTuple):
    """A price list: what each word of work costs, in ``unit``; a word that is not listed costs nothing.

    >>> CONVENTIONS["torch"].price({"mac": 10, "bias": 3})
    20
    """

    name: str
    unit: str
    prices: Mapping[Op, int]
    description: str

    def price(self, work: Work) -> Dim:
        """What a tally of work costs."""
        total: Dim = 0
        for op, price in self.prices.items():
            if op in work:
                total = total + price * work[op]
        return total


_ROWS = (
    Convention(
        name="torch",
        unit="FLOPs",
        prices={"mac": 2},
        description="2 FLOPs for each multiply–accumulate of convolutions and matrix products, 0 for all else",
    ),
)

CONVENTIONS: Mapping[str, Convention] = {row.name: row for row in _ROWS}
"""Every convention by its name. ``torch`` is the definition of `torch.utils.flop_counter`."""


def find(name: str) -> Convention:
    """The convention called ``name``; raises UnknownName.

    >>> find("torch").unit
    'FLOPs'
    """
    if name not in CONVENTIONS:
        hint = did_you_mean(name, CONVENTIONS) or f"there is {', '.join(CONVENTIONS)}"
        raise UnknownName(f"no convention is called {name!r}", hint=hint)
    return CONVENTIONS[name]
