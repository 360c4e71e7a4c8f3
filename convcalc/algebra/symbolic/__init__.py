"""Sizes as symbols, on top of sympy: an index of what the rest of the package uses, and nothing else.

From the ground up: `terms` (sums), `bounds`, `program` (Python made from expressions), `sizes` (one letter, exactly),
`rounding` (rewrites of floors), `canonical`, `printing`, `relations`; on top of these `narrowing` and `regions`, which
answer questions about several letters and are imported by their own names, since few runs need them.
"""

from convcalc.algebra.symbolic.canonical import canonical, ceiling_of, minimum, substitute
from convcalc.algebra.symbolic.printing import pretty
from convcalc.algebra.symbolic.program import make_function
from convcalc.algebra.symbolic.relations import (
    at_least,
    drop_implied,
    equal,
    holds_within,
    open_floor,
    relate,
    restate,
    solve_relation,
)
from convcalc.algebra.symbolic.terms import symbol

__all__ = [
    "at_least",
    "canonical",
    "ceiling_of",
    "drop_implied",
    "equal",
    "holds_within",
    "make_function",
    "minimum",
    "open_floor",
    "pretty",
    "relate",
    "restate",
    "solve_relation",
    "substitute",
    "symbol",
]
