"""How much work a function does, in calls of Python functions: the same on every machine, however busy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def count_calls(function: Callable[[], Any]) -> int:
    """Return how many Python functions ``function`` calls, itself included.

    >>> count_calls(lambda: sorted([3, 1, 2], key=lambda n: n))
    4
    """
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls
