"""Formulas compiled into functions of numbers, for speed: the public face of `symbolic.program`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from convcalc.algebra.parse import parse_dim
from convcalc.algebra.symbolic import make_function
from convcalc.algebra.types import is_symbolic


def compile(what: Any, letters: str | Sequence[Any]) -> Callable[..., Any]:
    """Return a function of ``letters``, in this order, that computes an expression, or each expression in a mapping.

    It takes integers, or NumPy arrays of integers (counts are then 64-bit: up to 9·10¹⁸). Values of a mapping that are
    not expressions are returned as they are. Raises SpecError for a letter that is not among ``letters``.

    >>> from convcalc import summary
    >>> totals = compile(summary("resnet50", "3xHxW").totals, "H W")
    >>> totals(224, 224)["macs"], totals(64, 96)["macs"]
    (4089184256, 502513664)
    """
    names = letters.replace(",", " ").split() if isinstance(letters, str) else letters
    order = [parse_dim(name, name) if isinstance(name, str) else name for name in names]
    exprs = what if isinstance(what, Mapping) else {"": what}
    computed = [name for name, value in exprs.items() if isinstance(value, int) or is_symbolic(value)]
    evaluate = make_function([exprs[name] for name in computed], order)

    def compute(*sizes: Any) -> Any:
        # counts would overflow 32 bits
        wide = [size.astype("int64") if hasattr(size, "astype") else size for size in sizes]
        results = {**exprs, **dict(zip(computed, evaluate(*wide)))}
        return results if exprs is what else results[""]

    return compute
