"""Layers by the names of a sheet: torch.nn's, and short ones for which the input says what need not be written.

``CamelCase`` names are torch.nn's, with all their arguments. A ``lowercase`` name is the same kind without its rank
(``conv`` on a map of height and width is ``Conv2d``) and without arguments that the input's shape gives. Reading the
sheet itself is the business of `readers.spec`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from convcalc import nn
from convcalc.algebra.dims import Shape, show, show_shape
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.layers.base import Layer, Lazy, Output
from convcalc.network.tensor import Operand

SHORT = {
    "convT": "ConvTranspose",
    "bn": "BatchNorm",
    "gn": "GroupNorm",
    "ln": "LayerNorm",
    "lrn": "LocalResponseNorm",
    "fc": "Linear",
    "gap": "AdaptiveAvgPool",
    "mha": "MultiheadAttention",
}
"""Short names that are not simply a kind's name in lower case."""

FROM_INPUT = {
    "in_channels": 1,
    "num_features": 1,
    "num_channels": 1,
    "in_features": -1,
    "normalized_shape": -1,
    "embed_dim": -1,
    "input_size": -1,
}
"""Arguments that the input's shape gives, with the axis that gives them."""

MERGES = {
    "add": "Add",
    "mul": "Mul",
    "sub": "Sub",
    "div": "Div",
    "cat": "Cat",
    "stack": "Stack",
    "matmul": "MatMul",
    "maximum": "Maximum",
}
"""Kinds that join several tensors, which are named inside the first brackets."""


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


ELSEWHERE = _pairs(
    "dense=linear deconv=convT tconv=convT upconv=convT conv_transpose=convT batch_norm=bn pool=maxpool "
    "maxpooling=maxpool averagepooling=avgpool globalaveragepooling=gap globalavgpool=gap global_avg_pool=gap "
    "concat=cat concatenate=cat swish=silu depthwise=conv separableconv=conv activation=relu"
)
"""What layers are called elsewhere, in lower case and without a rank: for hints only."""

ARGUMENTS_ELSEWHERE = _pairs(
    "filters=out_channels channels=out_channels out=out_channels units=out_features kernel=kernel_size "
    "size=kernel_size pool_size=kernel_size k=kernel_size s=stride strides=stride pad=padding d=dilation rate=p "
    "dilation_rate=dilation use_bias=bias group=groups axis=dim"
)
"""What arguments are called elsewhere: for hints only."""

FORMS = ("input", "output", "include", "net")
"""What is called on a sheet and is no layer."""


@cache
def kinds() -> Mapping[str, type[Layer]]:
    """Every kind of layer that may stand on a sheet, by torch's name."""
    found = {name: getattr(nn, name) for name in nn.__all__}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type) and issubclass(kind, Layer) and kind not in (Layer, Lazy, Output)
    }


@cache
def families() -> Mapping[str, str]:
    """Every lowercase name and the kind or family (a kind less its rank) that it stands for."""
    stems = {_stem(name) for name, kind in kinds().items() if not issubclass(kind, Lazy)}
    return {**{stem.lower(): stem for stem in sorted(stems)}, **SHORT}


def _stem(kind: str) -> str:
    return kind[:-2] if re.search(r"[123]d$", kind) else kind


def short_name(kind: str) -> str:
    """The lowercase name of a kind.

    >>> short_name("ConvTranspose2d"), short_name("ReLU")
    ('convT', 'relu')
    """
    stem = _stem(kind)
    return {family: short for short, family in SHORT.items() if short not in ("fc", "gap")}.get(stem, stem.lower())


def check_name(name: str, more: Sequence[str] = ()) -> None:
    """Raise UnknownName unless ``name`` is a layer; ``more`` are names of blocks, to be offered besides."""
    if name in families() or name in kinds():
        return
    if hasattr(nn, name):
        raise SpecError(
            f"{name} is not a single layer",
            hint="a sheet is its layers in order; a part that repeats is a block: def name(c):",
        )
    near = families().get(name.lower())
    if near:
        short = short_name(near)
        reads = ", which reads its rank and channels off the input," if near not in kinds() else ""
        raise UnknownName(f"there is no layer {name!r}", hint=f"write {short}{reads} or torch's name, {_example(near)}")
    known = [*families(), *MERGES, *FORMS, *more] if name[:1].islower() else [*kinds(), *families(), *more]
    elsewhere = ELSEWHERE.get(_stem(name).lower().removesuffix("2d"))
    hint = f"here it is called {elsewhere}" if elsewhere else did_you_mean(name, known)
    hint = hint or did_you_mean(name.lower(), known) or "`convcalc layers` lists them"
    raise UnknownName(f"there is no layer {name!r}", hint=hint)


def _example(stem: str) -> str:
    return stem if stem in kinds() else f"{stem}2d"


def camel(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Layer:
    """The layer that torch's name means, with torch's arguments.

    >>> camel("Conv2d", [3, 64, 7], {})
    Conv2d(3, 64, 7)
    """
    check_name(name)
    return kinds()[name](*args, **kwargs)


def kind_of(name: str, shape: Shape) -> type[Layer]:
    """The kind that a lowercase name stands for on an input of this full shape; raises UnknownName or SpecError."""
    check_name(name)
    family = families()[name]
    if family in kinds():
        return kinds()[family]
    rank = len(shape) - 2
    if rank == 0 and f"Lazy{family}1d" in kinds() and family == "BatchNorm":
        rank = 1  # the one family whose kind for sequences takes vectors too
    kind = kinds().get(f"{family}{rank}d")
    if kind is None:
        raise SpecError(
            f"{name} works on maps of 1 to 3 spatial axes; here flows {show_shape(shape[1:]) or 'a single number'}",
            hint=f"a vector has no height and width: {name} stands before flatten()"
            if rank == 0
            else "an input has its channels first, then a size for each axis: input(3, H, W)",
        )
    return kind


def build(name: str, shape: Shape, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Layer:
    """The layer that ``name(*args, **kwargs)`` means on an input of this full shape.

    >>> build("conv", (1, 3, 32, 32), [64, 7], {"padding": 3})
    Conv2d(3, 64, 7, padding=3)
    """
    kind = kind_of(name, shape)
    if name == "gap" and not args and not kwargs:
        args = [1]
    if kind.__name__ == "Linear" and len(shape) > 3 and "in_features" not in kwargs:
        _refuse_map(name, shape, args)
    given = _from_input(name, kind, shape)
    names = positional(name, kind)
    if len(args) > len(names):
        raise _too_many(name, kind, names, args)
    return kind(**{**given, **dict(zip(names, args)), **kwargs})


def _from_input(name: str, kind: type[Layer], shape: Shape) -> dict[str, Any]:
    """The arguments that the input's shape gives."""
    needed = {argument: axis for argument, axis in FROM_INPUT.items() if argument in kind.arguments}
    if len(shape) < 2 and needed:
        raise SpecError(f"{name} needs an input with channels; here flows {show_shape(shape[1:]) or 'a single number'}")
    given: dict[str, Any] = {argument: shape[axis] for argument, axis in needed.items()}
    if kind.__name__.startswith("LocallyConnected"):
        given["input_size"] = shape[2:]  # of recurrent kinds the features have this name, here it is the map's size
    return given


def check_rank(kind: type[Layer], shape: Shape) -> None:
    """Raise SpecError where a kind of one rank meets a map of another; torch might take an axis for the batch."""
    name, rank = kind.__name__, len(shape) - 2
    ranked = _stem(name) != name and _stem(name) not in kinds() and not _stem(name).endswith("Pad")  # pads any axes
    if ranked and rank != int(name[-2]) and not (rank == 0 and name == "BatchNorm1d"):
        axes = "spatial axis" if name[-2] == "1" else "spatial axes"
        other = f"{_stem(name)}{rank}d"
        raise SpecError(
            f"{name} works on maps of {name[-2]} {axes}; here flows {show_shape(shape[1:]) or 'a single number'}",
            hint=f"write {other}(...) or {short_name(name)}(...)" if other in kinds() else "",
        )


def positional(name: str, kind: type[Layer]) -> list[str]:
    """The arguments in the order in which a call by this name takes them."""
    if name in kinds():
        return list(kind.arguments)
    return [argument for argument in kind.arguments if argument not in FROM_INPUT]


def any_kind(name: str) -> type[Layer] | None:
    """A kind that this name may stand for, whatever flows; None where there is none."""
    family = families().get(name, name)
    found = kinds().get(family) or kinds().get(f"{family}2d")
    return found


def check_arguments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise SpecError for arguments that this layer lacks; all that can be said where the input is not known."""
    kind = any_kind(name)
    if kind is None or issubclass(kind, Operand):  # the arguments of a parameter are its sizes, however many
        return
    names = positional(name, kind)
    if len(args) > len(names):
        raise _too_many(name, kind, names, args)
    for argument in kwargs:
        if argument not in kind.arguments and not (kind.factory and argument in ("device", "dtype")):
            raise SpecError(f"{name} has no argument {argument!r}", hint=_near_argument(argument, kind, names))


def _near_argument(argument: str, kind: type[Layer], names: Sequence[str]) -> str:
    """Which argument may be meant: a near name, or the one that is called so elsewhere."""
    elsewhere = ARGUMENTS_ELSEWHERE.get(argument.lower(), "")
    if elsewhere in kind.arguments:
        return f"did you mean {elsewhere}?"
    begins = next((known for known in kind.arguments if known.startswith(argument[:4].lower()) and argument[3:]), "")
    near = did_you_mean(argument, kind.arguments) or (begins and f"did you mean {begins}?")
    return near or (f"it takes {', '.join(names)}" if names else "it takes none")


def usage(name: str, kind: type[Layer]) -> str:
    """A call of this name with what it needs.

    >>> from convcalc import nn
    >>> usage("conv", nn.Conv2d), usage("Linear", nn.Linear)
    ('conv(out_channels, kernel_size)', 'Linear(in_features, out_features)')
    """
    needed = [argument for argument in positional(name, kind) if kind.arguments[argument] is _REQUIRED]
    return f"{name}({', '.join(needed)})"


_REQUIRED = nn.Linear.arguments["in_features"]


def _too_many(name: str, kind: type[Layer], names: Sequence[str], args: Sequence[Any]) -> SpecError:
    first = next((argument for argument in kind.arguments if argument in FROM_INPUT), "")
    what = f"{name} takes at most {len(names)} argument{'s' * (len(names) != 1)}, received {len(args)}"
    if first and name not in kinds():
        return SpecError(what, hint=f"it reads {first} off its input: write {usage(name, kind)}")
    return SpecError(what, hint=f"it takes {', '.join(names)}" if names else f"write {name}()")


def _refuse_map(name: str, shape: Shape, args: Sequence[Any]) -> None:
    from convcalc.readers.arithmetic import display

    size = display(args[0]) if args else "..."
    raise SpecError(
        f"{name}({size}) on a map of {show_shape(shape[1:])}: it would work on the last axis alone",
        hint="write flatten() on the line before to make the map one vector, "
        f"or Linear({show(shape[-1])}, {size}) if the last axis is meant",
    )
