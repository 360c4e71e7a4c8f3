"""Sizes and shapes from text: ``224``, ``H``, ``3x224x224``."""

import re
from typing import Any

from convcalc.algebra.dims import letter
from convcalc.algebra.types import LIMIT, Dim, Shape
from convcalc.errors import SpecError


def parse_shape(text: str) -> Shape:
    """A shape from text such as ``3x224x224``, ``3,224,224`` or ``3xHxW`` (letters are symbols).

    Raises SpecError for anything but integers from 1 to 10⁹ and names.

    >>> parse_shape("3x224x224")
    (3, 224, 224)
    """
    return tuple([parse_dim(part, text) for part in re.split(r"\s*[x×,]\s*", text.strip())])


def parse_dim(part: str, text: str) -> Dim:
    """One size out of ``text``, as `parse_shape`."""
    if re.fullmatch(r"[0-9]+", part):
        if len(part) <= 10 and 0 < int(part) <= LIMIT:
            return int(part)
        shown = part if len(part) <= 20 else f"a number of {len(part)} digits"
        raise SpecError(f"a size lies between 1 and {LIMIT:,}; received {shown}", hint="write it as 3x224x224")
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
    """The letters in a text, one alone or several as a tuple. Raises SpecError.

    >>> H, W = symbols("H W")
    >>> (H + 1) // 2 * W
    W*floor(H/2 + 1/2)
    """
    found = [parse_dim(name, names) for name in names.replace(",", " ").split()]
    if not found or any(isinstance(letter, int) for letter in found):
        raise SpecError(f"expected letters, such as 'H W'; received {names!r:.60}")
    return found[0] if len(found) == 1 else tuple(found)
