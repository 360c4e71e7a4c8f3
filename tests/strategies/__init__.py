"""One hypothesis strategy for each kind of layer: its arguments and the shapes of its inputs, legal or nearly so.

One file for each family, as in ``convcalc.layers``. Only draws; what is compared with torch stands in test_layers.py.
"""

from tests.strategies import conv, functions, pool, tensor, unpool, vector  # each registers its kinds in CASES
from tests.strategies.base import CASES, Case, case, nd, rarely, sizes

__all__ = ["CASES", "Case", "case", "conv", "functions", "nd", "pool", "rarely", "sizes", "tensor", "unpool", "vector"]
