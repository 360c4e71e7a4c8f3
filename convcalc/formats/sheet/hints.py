"""Hints that say how to repair a call on a sheet, chosen by the facts of its error and never by the text."""

import ast
from collections.abc import Sequence

from convcalc.algebra.dims import show
from convcalc.errors import ConvcalcError, MissingArguments, NotAnInteger
from convcalc.formats.sheet.expressions import FractionAmongLetters
from convcalc.formats.sheet.names import WrongMap, any_kind, kinds, merges, positional, usage
from convcalc.formats.sheet.plan import Plan
from convcalc.layers.demands import (
    ANY,
    NotBroadcastable,
    ShapesDiffer,
    SizeMismatch,
    TooFewAxes,
    TooSmall,
    WrongAxes,
    WrongNumberOfInputs,
    WrongSpatialAxes,
)
from convcalc.network.tensor import Tensor


def explain(error: ConvcalcError, node: ast.Call, name: str, named: Sequence[Tensor], plan: Plan) -> None:
    """Give an error a hint on how to repair the call; ``named`` are the inputs in its second pair of brackets."""
    if isinstance(error, (WrongMap, WrongAxes, TooFewAxes, WrongSpatialAxes)) and _seems_to_hold_a_batch(plan):
        error.hint = "write an input without the batch: input(3, H, W)"
    if not error.hint:
        error.hint = _repair(error, node, name, named, plan)


def _seems_to_hold_a_batch(plan: Plan) -> bool:
    """Return whether the first input has at least four sizes after the batch, and the first of these is 1."""
    shape = plan.inputs[0].shape if plan.inputs else ()
    return len(shape) > 4 and shape[1] == 1


def _repair(error: ConvcalcError, node: ast.Call, name: str, named: Sequence[Tensor], plan: Plan) -> str:
    """Return the hint for the facts of an error, or for the look of the call."""
    inputs = named or ([plan.flow] if isinstance(plan.flow, Tensor) else [])
    if name in merges():
        return _agreeing_sizes(error, name.lower())
    match error:
        case SizeMismatch() if error.axis.split()[0] in ("channels", "features"):
            return _agreeing_argument(error, node, name, bool(named))
        case MissingArguments() if any_kind(name):
            return f"write {usage(name)}"
        case WrongNumberOfInputs(least=least, most=most) if least > len(inputs) and most in (least, ANY):
            return f"give its inputs in a second pair of brackets: {name}(...)({', '.join('abcdef'[:least])})"
    if _repeats_channels(node, name, inputs):
        rest = ", ".join(map(ast.unparse, node.args[1:]))
        return f"{name} takes in_channels from its input: write {name}({rest})"
    match error:
        case TooSmall() if error.is_spatial and any_kind(name):
            return "the map is smaller than the window: pool less before this layer, add padding, or use a larger input"
        case NotAnInteger() | FractionAmongLetters() if any(isinstance(part, ast.Div) for part in ast.walk(node)):
            return "/ divides exactly; // divides and rounds down, ceil(a/b) rounds up"
    return ""


def _agreeing_argument(error: SizeMismatch, node: ast.Call, name: str, named: bool) -> str:
    """Return which two sizes disagree and, for torch's names, the call that agrees with the input."""
    received, giver = show(error.received), "its input" if named else "the line before"
    hint = f"{error.argument} is {show(error.expected)} here, but {giver} gives {received}"
    return hint + _with_channels(node, name, error.argument, received) if name in kinds() else hint


def _with_channels(node: ast.Call, name: str, argument: str, received: str) -> str:
    """Return the call with ``argument`` as received, and the call by the short name, which does not need it."""
    arguments = [(word, "", value) for word, value in zip(positional(name, kinds()[name]), node.args)]
    arguments.extend((str(keyword.arg), f"{keyword.arg}=", keyword.value) for keyword in node.keywords)
    fixed = ", ".join(key + (received if word == argument else ast.unparse(value)) for word, key, value in arguments)
    short = ", ".join(key + ast.unparse(value) for word, key, value in arguments if word != argument)
    return f": write {name}({fixed}) or {kinds()[name].sheet_name()}({short})"


def _repeats_channels(node: ast.Call, name: str, inputs: Sequence[Tensor]) -> bool:
    """Return whether a call by a short name seems to begin with the input channels, which only torch's name takes."""
    if any_kind(name) is None or name in kinds() or len(node.args) <= 2:
        return False
    shape = inputs[0].shape if inputs else ()
    return len(shape) > 1 and ast.unparse(node.args[0]) == show(shape[1])


def _agreeing_sizes(error: ConvcalcError, name: str) -> str:
    """Return how to make the inputs of a merge agree."""
    if name in ("matmul", "stack"):
        return ""
    match error:
        case ShapesDiffer(axis="number of channels"):
            return ""
        case ShapesDiffer(axis=axis, a=int(a), b=int(b)) if 0 < abs(a - b) < b // 8:
            return (
                f"an odd {axis} was halved and later doubled: "
                f"use an input whose {axis} can be halved without a remainder"
            )
    if name == "cat":
        way = "pool the larger map, or enlarge the smaller with convT"
        return f"cat joins channels, so the other sizes must agree: {way}"
    if isinstance(error, NotBroadcastable):
        return f"{name} needs equal shapes: conv(C, 1) changes the channels, a stride or pooling the size"
    return ""
