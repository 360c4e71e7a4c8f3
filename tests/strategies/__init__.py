"""Hypothesis strategies for each kind of layer: its arguments and the shapes of its inputs.

``LEGAL`` holds cases that torch accepts, ``NEARLY`` those with one thing off, ``CASES`` three of the first to one of
the second. One file for each family, as in ``convcalc.layers``. Only draws; what is compared with torch stands in
test_layers.py.
"""

from tests.strategies import conv, functions, pool, resize, tensor, unpool, vector  # each registers its kinds
from tests.strategies.base import CASES, LEGAL, NEARLY, Case, Draw, case, nd, rarely, sizes

__all__ = ["CASES", "LEGAL", "NEARLY", "Case", "Draw", "case", "nd", "rarely", "sizes"]
__all__ += ["conv", "functions", "pool", "resize", "tensor", "unpool", "vector"]
