"""The closed vocabulary of counted work: what a layer may say that it computes.

A layer tallies its work in these words; what a word costs is the business of a convention (`analysis.conventions`).
A new word belongs here only when a convention prices it differently from all that stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from convcalc.algebra.dims import Dim

Op: TypeAlias = Literal[
    "mac",  # one multiply–accumulate of a convolution or a matrix product
    "bias",  # one bias added to an output element
    "stat",  # one element entering a mean and a variance
    "norm",  # one element normalised by a mean and a variance
    "affine",  # one element scaled and shifted by learned parameters
    "activation",  # one element passed through an activation function
    "compare",  # one element compared inside a maximum's window
    "add",  # one element added outside convolutions and products: merges, averages
    "mul",  # one element multiplied or divided outside convolutions and products
    "exp",  # one exponential of a softmax
    "interpolate",  # one source element weighted in an interpolation
    "lookup",  # one row read from a table
]

Work: TypeAlias = Mapping[Op, Dim]

OPS: tuple[Op, ...] = get_args(Op)

NOTHING: Work = {}
"""The work of a layer that only moves or renames elements."""
