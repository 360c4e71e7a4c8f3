"""Sizes, shapes and letters, parsed from text: ``224``, ``H``, ``3x224x224``."""

import re
from typing import Any

from convcalc.algebra.dims import letter
from convcalc.algebra.types import LIMIT, Dim, Shape
from convcalc.errors import SpecError


def parse_shape(text: str) -> Shape:
    """Return the shape in a text such as ``3x224x224``, ``3,224,224`` or ``3xHxW`` (letters become symbols).

    Raises SpecError for sizes that are neither integers from 1 to 10⁹ nor letters.

    >>> parse_shape("3x224x224")
    (3, 224, 224)
    """
    return tuple([parse_dim(part, text) for part in re.split(r"\s*[x×,]\s*", text.strip())])


def parse_dim(part: str, text: str) -> Dim:
    """Return one size, the ``part`` of a ``text`` that errors quote; raise SpecError as `parse_shape` does.

    >>> parse_dim("224", "3x224x224")
    224
    """
    if re.fullmatch(r"[0-9]+", part):
        if len(part) <= 10 and 0 < int(part) <= LIMIT:
            return int(part)
        shown = part if len(part) <= 20 else f"a number of {len(part)} digits"
        raise SpecError(f"a size must be from 1 to {LIMIT:,}; received {shown}", hint="write it as 3x224x224")
    if re.fullmatch(r"[A-Za-z_]\w*", part) and part.lower() not in ("nan", "inf", "infinity"):
        dim: Dim = letter(part)
        return dim
    part, text = (word if len(word) <= 40 else word[:37] + "..." for word in (part, text))
    raise SpecError(
        f"{part!r} in {text!r} is not a size",
        details=["a size is an integer such as 224 or a letter such as H"],
        hint="write it as 3x224x224 or 3xHxW",
    )


def symbols(names: str) -> Any:
    """Return the symbols of the letters in a text: one by itself, several as a tuple.

    Raises SpecError for a text without letters, or with anything else.

    >>> H, W = symbols("H W")
    >>> (H + 1) // 2 * W
    W*floor(H/2 + 1/2)
    """
    dims = [parse_dim(name, names) for name in names.replace(",", " ").split()]
    if not dims or any(isinstance(dim, int) for dim in dims):
        raise SpecError(f"expected letters, such as 'H W'; received {names!r:.60}")
    return dims[0] if len(dims) == 1 else tuple(dims)
