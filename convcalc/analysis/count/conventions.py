"""Conventions: what counts as a FLOP. Each is a function of a call and of the site where a network makes it.

In the simple case it is a list of prices, one for each word of work. A tool whose count depends on how a layer is
reached, on what owns it, or on which of its calls this is, needs a function that also takes the site:

    @convention("hooks", unit="MACs", description="multiply–accumulates of modules, since hooks see nothing else")
    def hooks(call: Call, site: Site) -> Count: ...

The quantities of a report are metrics, in a file of their own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from convcalc.algebra.types import Dim
from convcalc.analysis.count.call import Call, Charge, Count, Site, as_count
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.layers.base import OPS, Op


class Convention(NamedTuple):
    """A rule for what a call costs, in ``unit``; ``sees_site`` is whether ``price`` also takes the site of the call.

    >>> convention_named("torch").unit
    'FLOPs'
    """

    name: str
    unit: str
    description: str
    price: Callable[..., Charge]
    sees_site: bool = False

    def charge(self, call: Call, site: Site | None = None) -> Count:
        """Return what ``call`` costs; a count of None, not complete, where the convention has no rule for it.

        >>> from convcalc import nn
        >>> convention_named("torch").charge(Call(nn.ReLU(), ((1, 4),), (1, 4), {"mac": 10, "bias": 3}))
        Count(value=20, complete=True)
        """
        return as_count(self.price(call, site) if self.sees_site else self.price(call))

    @property
    def prices(self) -> Mapping[Op, int]:
        """The price of each word if the convention is a list of prices, else empty."""
        return self.price.prices if isinstance(self.price, PriceList) else {}


class PriceList:
    """A price for each word of work (`layers.base`); a word that is not listed costs 0.

    A call whose work is unknown has no price.

    >>> from convcalc import nn
    >>> price_list({"mac": 2, "bias": 1})(Call(nn.ReLU(), ((1, 4),), (1, 4), {"mac": 10, "bias": 3, "add": 5}))
    23
    """

    def __init__(self, prices: Mapping[Op, int]) -> None:
        self.prices = dict(prices)

    def __call__(self, call: Call) -> Dim | None:
        work = call.work
        return None if work is None else sum([price * work[op] for op, price in self.prices.items() if op in work])


def price_list(prices: Mapping[Op, int]) -> PriceList:
    """Return the price of a convention as a list; raise SpecError for an unknown word or a negative price.

    >>> convention("mac and bias", unit="operations", description="1 for each")(price_list({"mac": 1, "bias": 1})).name
    'mac and bias'
    >>> del CONVENTIONS["mac and bias"]
    """
    for op, price in prices.items():
        if op not in OPS:
            hint = did_you_mean(op, OPS) or f"the words are {', '.join(OPS)}"
            raise SpecError(f"{op!r} is not a word of work", hint=hint)
        if type(price) is not int or price < 0:
            raise SpecError(f"the price of {op!r} must be an integer of at least 0; received {price!r}")
    return PriceList(prices)


CONVENTIONS: dict[str, Convention] = {}
"""The conventions by name; ``torch`` is the definition of `torch.utils.flop_counter`."""

_OURS: set[str] = set()


def convention(
    name: str, *, unit: str, description: str, sees_site: bool | None = None
) -> Callable[[Callable[..., Charge]], Convention]:
    """Register a price as the convention called ``name``, from inside the package or outside.

    A price is a function ``price(call)`` or ``price(call, site)`` that returns a `Count`, a number, or None where it
    has no rule; or it is a `price_list`. Its signature shows whether it takes the site, unless ``sees_site`` does: a
    price without the site is called once for equal calls, one with the site at every call. Raises SpecError for the
    name of one of convcalc's own conventions.

    >>> @convention("modules", unit="MACs", description="multiply–accumulates of modules alone")
    ... def modules(call: Call, site: Site) -> Charge:
    ...     return 0 if site.via != "module" else call.work and call.work.get("mac", 0)
    >>> modules.sees_site, CONVENTIONS.pop("modules").unit
    (True, 'MACs')
    """

    def register(price: Callable[..., Charge]) -> Convention:
        if name in _OURS:
            raise SpecError(f"convcalc has a convention called {name!r} already", hint="choose another name")
        sees = _takes_site(price) if sees_site is None else sees_site
        row = CONVENTIONS[name] = Convention(name, unit, description, price, sees)
        return row

    return register


def _takes_site(price: Callable[..., Any]) -> bool:
    """Return whether ``price`` takes a site after the call."""
    if isinstance(price, PriceList):
        return False
    from inspect import signature  # slow to import, and no convention of convcalc's own needs it

    return len(signature(price).parameters) > 1


def convention_named(name: str) -> Convention:
    """Return the convention called ``name``; raise UnknownName where there is none.

    >>> convention_named("torch").prices
    {'mac': 2}
    """
    check_name(name, CONVENTIONS, "convention", "there is")
    return CONVENTIONS[name]


def check_name(name: str, rows: Iterable[str], what: str, there_are: str) -> None:
    """Raise UnknownName unless ``name`` is one of ``rows``; the hint is the most similar name, or the list of all."""
    if name not in rows:
        hint = did_you_mean(name, rows) or f"{there_are} {', '.join(rows)}"
        raise UnknownName(f"there is no {what} called {name!r}", hint=hint)


convention(
    "torch",
    unit="FLOPs",
    description="2 FLOPs for each multiply–accumulate of convolutions and matrix products, 0 for all else",
)(price_list({"mac": 2}))

_OURS.update(CONVENTIONS)
