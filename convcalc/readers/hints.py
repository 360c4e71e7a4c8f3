"""What would repair a line that a layer refused: which argument is meant, and what to write instead.

The refusal itself, with its formula, is the layer's; the place is the reader's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from convcalc.algebra.dims import show
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.tensor import Tensor
from convcalc.readers.names import MERGES, any_kind, kinds, positional, short_name, usage

_MISMATCH = re.compile(r"expected (.+?) (?:channels|features)\b.*? \((\w+)\), received (.+)$")
_AXES = re.compile(r"expected an input of .* axes, received (\d+)")
_UNPACKED = re.compile(r"expected (?:at least )?(\d+)")


AUDIBLE = False
"""Whether failures inside layers are raised as they are; for tests, which look for them."""


@contextmanager
def guarded(name: str, inputs: int = 0) -> Iterator[None]:
    """Python's errors inside become a SpecError: layers check what they are given, but a text may give anything."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        text = str(error)
        wanted = _UNPACKED.search(text) if "unpack" in text else None
        missing = re.search(r"(\d+) required positional argument", text)
        if wanted and int(wanted[1]) != inputs:
            raise _wrong_number(name, int(wanted[1]), inputs) from None
        most = re.search(r"takes (?:from \d+ to )?(\d+) positional arguments? but \d+ were given", text)
        if most and inputs and inputs > int(most[1]) - 1:
            raise _wrong_number(name, int(most[1]) - 1, inputs) from None
        if missing:
            raise _wrong_number(name, inputs + int(missing[1]), inputs) from None
        if AUDIBLE:
            raise
        raise SpecError(f"{name} cannot take these values") from error


def _wrong_number(name: str, wanted: int, received: int) -> SpecError:
    inputs = ", ".join("abcdef"[:wanted]) or "a"
    return SpecError(
        f"{name} takes {wanted} input{'s' * (wanted != 1)}, received {received}",
        hint=f"name its inputs in a second pair of brackets: {name}(...)({inputs})" if wanted > 1 else "",
    )


def place_of(node: ast.Call, name: str, what: str) -> ast.AST:
    """The part of a call that an error's text speaks of: the argument whose name comes first in it, or the call."""
    kind = any_kind(name)
    if kind is None:
        return node
    given: dict[str, ast.AST] = {keyword.arg: keyword for keyword in node.keywords if keyword.arg}
    given.update(zip(positional(name, kind), node.args))
    for word in re.findall(r"\w+", what):
        if word in given:
            return given[word]
    return node


def explain(
    error: ConvcalcError, node: ast.Call, name: str, inputs: Sequence[Tensor], *, named: bool, batched: bool
) -> None:
    """Add to ``error`` a hint that would repair the call ``node`` of a layer; errors that have one keep it.

    ``named`` says whether ``inputs`` stood in second brackets, ``batched`` whether the sheet's input begins with a 1.
    """
    if batched and ("spatial ax" in error.what or _AXES.search(error.what)):
        error.hint = "an input is written without the batch: input(3, H, W)"
    if error.hint:
        return
    mismatch, kind = _MISMATCH.search(error.what), any_kind(name)
    if mismatch:
        before = "its input gives" if named else "the line before gives"
        error.hint = _other_channels(node, name, mismatch[1], mismatch[2], mismatch[3], before)
    elif name in MERGES or name in MERGES.values():
        error.hint = _other_sizes(error.what, name)
    elif kind and " needs " in f" {error.what}" and "=" not in error.what:
        error.hint = f"write {usage(name, kind)}"
    elif kind and _names_channels(node, name, inputs):
        rest = ", ".join(ast.unparse(value) for value in node.args[1:])
        error.hint = f"{name} reads in_channels off its input: write {name}({rest})"
    elif kind and re.search(r"the output \w+ is (0|-)", error.what):
        error.hint = "the map is smaller than the window: pool less before it, add padding, or take a larger input"
    elif "whole number" in error.what and any(isinstance(part, ast.Div) for part in ast.walk(node)):
        error.hint = "/ divides exactly; // divides and rounds down, ceil(a/b) rounds up"


def _other_channels(node: ast.Call, name: str, expected: str, argument: str, received: str, before: str) -> str:
    said = f"{argument} is {expected} here, {before} {received}"
    kind = kinds().get(name)
    if kind is None:
        return said
    names = positional(name, kind)
    place = names.index(argument) if argument in names else -1
    values = [ast.unparse(value) for value in node.args]
    named = [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in node.keywords]
    if 0 <= place < len(values):
        fixed = [*values[:place], received, *values[place + 1 :], *named]
        short = [*values[:place], *values[place + 1 :], *named]
    else:
        fixed = [*values, *(f"{argument}={received}" if f"{argument}=" in item else item for item in named)]
        short = [*values, *(item for item in named if f"{argument}=" not in item)]
    return f"{said}: write {name}({', '.join(fixed)}) or {short_name(name)}({', '.join(short)})"


def _other_sizes(what: str, name: str) -> str:
    short = name.lower()
    if "number of channels" in what or short in ("matmul", "stack"):
        return ""
    sizes = re.search(r"(\w+) (\d+) against (\d+)", what)
    if sizes and 0 < abs(int(sizes[2]) - int(sizes[3])) < int(sizes[3]) // 8:
        axis = sizes[1]
        return f"an odd {axis} was halved and doubled on the way: take an input whose {axis} can be halved without rest"
    if short == "cat":
        return (
            "cat joins channels, and the other sizes must agree: pool the larger map, or enlarge the smaller by convT"
        )
    if "do not fit" in what:
        return f"{short} needs equal shapes: conv(C, 1) changes the channels, and a stride or pooling the size"
    return ""


def _names_channels(node: ast.Call, name: str, inputs: Sequence[Tensor]) -> bool:
    """Whether a call by a short name begins with the input's channels, which it reads off the input anyway."""
    channels = show(inputs[0].shape[1]) if inputs and len(inputs[0].shape) > 1 else ""
    return name not in kinds() and len(node.args) > 2 and ast.unparse(node.args[0]) == channels
