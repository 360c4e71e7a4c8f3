"""convcalc: everything about a convolutional network before it exists.

Public names only. What is light is imported here; what needs an optional library is found on first use.
"""

from convcalc.analysis.report import Report, analyze
from convcalc.network.trace import trace
from convcalc.readers import summary

__all__ = ["Report", "analyze", "summary", "trace"]
