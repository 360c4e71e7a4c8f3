"""Small forward passes in numpy that count what they do, in the words of a work tally, for each kind of layer.

A forward pass takes a torch module's arguments and weights, computes what the module computes, window by window or line
by line, and counts the operands it meets. It shares no formula with convcalc. What is compared stands in test_work.py.
"""

from tests.forwards import vector, windows  # each registers its kinds
from tests.forwards.base import FORWARDS, Call

__all__ = ["FORWARDS", "Call", "vector", "windows"]
