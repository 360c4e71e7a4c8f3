"""Closed forms as fast functions of numbers, or of NumPy arrays of them.

The Python text of an expression is made by `printing` from sympy's tree, never from what a user wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import is_symbolic, parse_dim
from convcalc.errors import SpecError, did_you_mean


def compile(what: Any, letters: str | Sequence[Any]) -> Callable[..., Any]:
    """A function of ``letters``, in this order, that gives the value of an expression, or of each in a mapping.

    Its arguments are whole numbers, or NumPy's arrays of them, with which counts are 64-bit whole numbers, right up to
    9·10¹⁸. What is not an expression in a mapping (a receptive field) stays as it is.
    Raises SpecError for a letter that is not among ``letters``.

    >>> from convcalc import summary
    >>> totals = compile(summary("resnet50", "3xHxW").totals, "H W")
    >>> totals(224, 224)["macs"], totals(64, 96)["macs"]
    (4089184256, 502513664)
    """
    order = _letters(letters)
    if not isinstance(what, Mapping):
        value = function([what], order)
        return lambda *sizes: value(*_whole(sizes))[0]
    names = [name for name, value in what.items() if isinstance(value, int) or is_symbolic(value)]
    values = function([what[name] for name in names], order)
    return lambda *sizes: {**what, **dict(zip(names, values(*_whole(sizes))))}


def function(exprs: Sequence[Any], letters: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
    """A function of letters (symbols) that gives the values of expressions as a tuple; relations give truths."""
    from convcalc.algebra.symbolic.printing import program

    known = {str(letter) for letter in letters}
    for letter in {str(letter) for expr in exprs if is_symbolic(expr) for letter in expr.free_symbols}:
        if letter not in known:
            hint = did_you_mean(letter, known) or f"name it too: '{' '.join([*map(str, letters), letter])}'"
            raise SpecError(
                f"the letter {letter} has no place among {', '.join(map(str, letters)) or 'none'}", hint=hint
            )
    lines, values = program(exprs, letters)
    arguments = ", ".join(f"_{i}" for i in range(len(letters)))
    body = "\n ".join([*lines, f"return ({', '.join(values)}{',' if values else ''})"])
    space: dict[str, Any] = {"least": _least, "__builtins__": {}}
    exec(f"def compute({arguments}):\n {body}", space)
    computed: Callable[..., tuple[Any, ...]] = space["compute"]
    return computed


def _letters(letters: str | Sequence[Any]) -> list[Any]:
    names = letters.replace(",", " ").split() if isinstance(letters, str) else list(letters)
    return [parse_dim(name, name) if isinstance(name, str) else name for name in names]


def _whole(sizes: Sequence[Any]) -> list[Any]:
    """Arrays as 64-bit whole numbers: in 32 bits counts would run over."""
    return [size.astype("int64") if hasattr(size, "astype") else size for size in sizes]


def _least(a: Any, b: Any) -> Any:
    """The smaller of two numbers, or of two arrays place by place."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    return (a + b - abs(a - b)) // 2
