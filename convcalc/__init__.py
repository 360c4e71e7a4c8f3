"""convcalc: everything about a convolutional network before it exists.

Public names only. What is light is imported here; what loads an optional or a slow library is found on first use.
"""

from convcalc import nn
from convcalc.analysis.report import Report, analyze
from convcalc.network.tensor import cat, flatten, matmul, stack
from convcalc.network.trace import trace
from convcalc.readers import summary

__all__ = ["Report", "analyze", "cat", "flatten", "matmul", "nn", "stack", "summary", "trace"]
