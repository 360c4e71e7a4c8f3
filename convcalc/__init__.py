"""convcalc: everything about a convolutional network before it exists.

Public names only. What is light is imported here; what needs an optional library is found on first use.
"""

from convcalc.network.trace import trace

__all__ = ["trace"]
