"""Layers by their names on a sheet: torch.nn's, and lowercase ones without what the input gives."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache, wraps
from typing import Any, TypeVar

from convcalc import nn
from convcalc.algebra.dims import show, show_shape
from convcalc.algebra.types import Shape, is_symbolic
from convcalc.errors import SpecError, UnknownName, did_you_mean
from convcalc.layers.base import _REQUIRED, OUTSIDE, Layer, Lazy, Output
from convcalc.network.tensor import Operand


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


ELSEWHERE = _pairs(
    "dense=linear deconv=convT tconv=convT upconv=convT conv_transpose=convT batch_norm=bn pool=maxpool "
    "maxpooling=maxpool averagepooling=avgpool globalaveragepooling=gap globalavgpool=gap global_avg_pool=gap "
    "concat=cat concatenate=cat swish=silu depthwise=conv separableconv=conv activation=relu"
)
"""What layers are called elsewhere, in lower case and without a rank: for hints only."""

ARGUMENTS_ELSEWHERE = _pairs(
    "filters=out_channels channels=out_channels out=out_channels units=out_features size=kernel_size "
    "pool_size=kernel_size k=kernel_size s=stride d=dilation rate=p axis=dim"
)
"""What arguments are called elsewhere, where no letters say it: for hints only."""

FORMS = ("input", "output", "include", "net")
"""What is called on a sheet and is not a layer."""


T = TypeVar("T")


def _of_all_kinds(table: Callable[[], T]) -> Callable[[], T]:
    """Keep a table of the kinds until another package adds one; without any, a call costs next to nothing."""
    ours: Callable[[], T] = cache(table)
    every: Callable[[object], T] = lru_cache(maxsize=1)(lambda outside: table())
    return wraps(table)(lambda: every(tuple(OUTSIDE.values())) if OUTSIDE else ours())


@_of_all_kinds
def kinds() -> Mapping[str, type[Layer]]:
    """Return every kind of layer that may be on a sheet, by torch's name; ours before those of other packages."""
    named = {name: getattr(nn, name) for name in nn.__all__}
    ours = {
        name: kind
        for name, kind in named.items()
        if isinstance(kind, type) and issubclass(kind, Layer) and kind not in (Layer, Lazy, Output)
    }
    return {**ours, **{name: kind for name, kind in OUTSIDE.items() if not hasattr(nn, name)}}


@_of_all_kinds
def families() -> Mapping[str, str]:
    """Return every lowercase name with the kind or family (a kind less its rank) that it means; ours win."""
    every = [kind for kind in kinds().values() if not issubclass(kind, Lazy)]
    ours = _lowercase([kind for kind in every if kind not in OUTSIDE.values()])
    others = _lowercase([kind for kind in every if kind in OUTSIDE.values()])
    return {**ours, **{name: family for name, family in others.items() if name not in ours}}


def _lowercase(some: Sequence[type[Layer]]) -> dict[str, str]:
    """Return the lowercase names of some kinds, each with its family."""
    declared = {name: kind.family() for kind in some for name in (kind.sheet_name(), *kind.also)}
    return {**{family.lower(): family for family in sorted({kind.family() for kind in some})}, **declared}


@_of_all_kinds
def merges() -> Mapping[str, type[Layer]]:
    """Return the kinds that join several tensors, which are named inside the first brackets, by either name."""
    joining = [kind for kind in reversed([*kinds().values()]) if kind.merges]  # ours last, so that they win
    return {**{kind.sheet_name(): kind for kind in joining}, **{kind.__name__: kind for kind in joining}}


@_of_all_kinds
def operators() -> Mapping[str, type[Layer]]:
    """Return the kinds that an operator between tensors means, by that."""
    return {kind.operator: kind for kind in reversed([*kinds().values()]) if kind.operator}


def member(family: str, rank: int) -> type[Layer] | None:
    """Return the kind of a family for maps of so many axes, 0 for vectors; None where there is none.

    >>> member("BatchNorm", 0), member("ReLU", 2), member("Conv", 4)
    (<class 'convcalc.layers.norm.BatchNorm1d'>, <class 'convcalc.layers.activation.ReLU'>, None)
    """
    if kind := kinds().get(family):
        return kind
    if rank == 0 and (kind := kinds().get(f"{family}1d")) and kind.takes_vectors:
        return kind
    return kinds().get(f"{family}{rank}d")


def is_layer(name: str) -> bool:
    """Return whether a name is a layer's, torch's or the lowercase one."""
    return name in families() or name in kinds()


def check_name(name: str, more: Sequence[str] = ()) -> None:
    """Raise UnknownName unless ``name`` is a layer; ``more`` are names to be offered besides."""
    if is_layer(name):
        return
    if hasattr(nn, name):
        hint = "a sheet is its layers in order; a part that repeats is a block: def name(c):"
        raise SpecError(f"{name} is not a single layer", hint=hint)
    if name.lower() in families() and (kind := any_kind(name.lower())):
        reads = "" if kind.family() in kinds() else ", which reads its rank and channels off the input,"
        hint = f"write {kind.sheet_name()}{reads} or torch's name, {kind.__name__}"
    elif elsewhere := ELSEWHERE.get(re.sub("[123]d$", "", name).lower().removesuffix("2d")):
        hint = f"here it is called {elsewhere}"
    else:
        known = [*families(), *FORMS, *more] if name[:1].islower() else [*kinds(), *families(), *more]
        hint = did_you_mean(name, known) or did_you_mean(name.lower(), known) or "`convcalc layers` lists them"
    raise UnknownName(f"there is no layer {name!r:.60}", hint=hint)


class WrongMap(SpecError):
    """A layer on a map whose number of spatial axes is not one from ``least`` to ``most``; ``shape`` is full.

    >>> print(WrongMap("Conv2d", 2, 2, (1, 3, 100)))
    Conv2d works on maps of 2 spatial axes; here flows 3 x 100
    """

    def __init__(self, layer: str, least: int, most: int, shape: Shape, hint: str = "") -> None:
        self.layer = layer
        self.least = least
        self.most = most
        self.shape = shape
        ranks = f"{least} to {most}" if least < most else str(most)
        axes = "spatial axis" if most == 1 else "spatial axes"
        super().__init__(f"{layer} works on maps of {ranks} {axes}; {_flowing(shape)}", hint=hint)


def _flowing(shape: Shape) -> str:
    return f"here flows {show_shape(shape[1:]) or 'a single number'}"


def build(name: str, shape: Shape, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Layer:
    """The layer that ``name(*args, **kwargs)`` means on an input of this full shape.

    >>> build("conv", (1, 3, 32, 32), [64, 7], {"padding": 3})
    Conv2d(3, 64, 7, padding=3)
    """
    rank = len(shape) - 2
    kind = member(families()[name], rank)
    if kind is None:
        hint = "an input has its channels first, then a size for each axis: input(3, H, W)"
        if rank == 0:
            hint = f"a vector has no height and width: {name} stands before flatten()"
        raise WrongMap(name, 1, 3, shape, hint)
    if not args and not kwargs:
        kwargs = kind.also.get(name, {})
    if kind.wants_vector and len(shape) > 3 and not kind.infers.keys() & kwargs.keys():
        size = display(args[0]) if args else "..."
        what = f"{name}({size}) on a map of {show_shape(shape[1:])}: it would work on the last axis alone"
        hint = "write flatten() on the line before to make the map one vector, or "
        raise SpecError(what, hint=f"{hint}{kind.__name__}({show(shape[-1])}, {size}) if the last axis is meant")
    if len(shape) < 2 and kind.infers:
        raise SpecError(f"{name} needs an input with channels; {_flowing(shape)}")
    inferred: dict[str, Any] = {argument: shape[place] for argument, place in kind.infers.items()}
    names = positional(name, kind)
    if len(args) > len(names):
        raise _too_many(name, kind, args)
    return kind(**{**inferred, **dict(zip(names, args)), **kwargs})


def check_rank(kind: type[Layer], shape: Shape) -> None:
    """Raise SpecError where a kind of one rank meets a map of another."""
    rank = len(shape) - 2
    if not kind.rank or kind.any_rank or rank == kind.rank or (rank == 0 and kind.takes_vectors):
        return
    other = f"{kind.family()}{rank}d"
    hint = f"write {other}(...) or {kind.sheet_name()}(...)" if other in kinds() else ""
    raise WrongMap(kind.__name__, kind.rank, kind.rank, shape, hint)


def positional(name: str, kind: type[Layer]) -> list[str]:
    """The arguments in the order in which a call by this name takes them."""
    return [argument for argument in kind.arguments if name in kinds() or argument not in kind.infers]


def any_kind(name: str) -> type[Layer] | None:
    """Return a kind that this name may mean, whatever flows; None where there is none."""
    family = families().get(name, name)
    if (kind := member(family, 2)) or name not in families():
        return kind
    return next(kind for kind in kinds().values() if kind.family() == family)


def check_arguments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise SpecError for arguments that this layer lacks, whatever its input."""
    kind = any_kind(name)
    if kind is None or issubclass(kind, Operand):  # the arguments of a parameter are its sizes, however many
        return
    names = positional(name, kind)
    if len(args) > len(names):
        raise _too_many(name, kind, args)
    for argument in kwargs:
        if argument in kind.arguments or (kind.factory and argument in ("device", "dtype")):
            continue
        meant, near = ARGUMENTS_ELSEWHERE.get(argument.lower(), ""), ""
        if meant not in kind.arguments:
            near = did_you_mean(argument, kind.arguments)
            begins = [known for known in kind.arguments if known.startswith(argument[:4].lower()) and argument[3:]]
            meant = begins[0] if begins else ""
        hint = f"did you mean {meant}?" if meant else f"it takes {', '.join(names) or 'none'}"
        raise SpecError(f"{name} has no argument {argument!r}", hint=near or hint, about=[argument])


def usage(name: str) -> str:
    """A call of this name with what it needs.

    >>> usage("conv")
    'conv(out_channels, kernel_size)'
    """
    kind = any_kind(name)
    needed = [word for word in positional(name, kind) if kind.arguments[word] is _REQUIRED] if kind else []
    return f"{name}({', '.join(needed)})"


def _too_many(name: str, kind: type[Layer], args: Sequence[Any]) -> SpecError:
    names = positional(name, kind)
    what = f"{name} takes at most {len(names)} argument{'s' * (len(names) != 1)}, received {len(args)}"
    first = next(iter(kind.infers), "")
    if first and name not in kinds():
        return SpecError(what, hint=f"it reads {first} off its input: write {usage(name)}")
    return SpecError(what, hint=f"it takes {', '.join(names)}" if names else f"write {name}()")


def callee_of(node: ast.AST) -> str:
    """The name that a call calls (``nn.`` in front is dropped), or an empty text."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr in kinds():
        owner = function.value
        return function.attr if "nn" in (getattr(owner, "id", ""), getattr(owner, "attr", "")) else ""
    return function.id if isinstance(function, ast.Name) else ""


def callees(node: ast.AST) -> list[str]:
    return [callee_of(call) for call in ast.walk(node) if isinstance(call, ast.Call)]


def display(value: object) -> str:
    """A value as a sheet writes it.

    >>> display(Fraction(5, 2)), display(("same", 5))
    ('2.5', "('same', 5)")
    """
    if is_symbolic(value):
        return show(value)  # type: ignore[arg-type]
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    if isinstance(value, tuple):
        return f"({', '.join(map(display, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def plain(value: Any) -> Any:
    """``value`` as layers take it: no fraction."""
    return float(value) if isinstance(value, Fraction) else value


def targets(node: ast.Assign) -> list[str]:
    """The names before the ``=``; none where something else stands there."""
    target = node.targets[0]
    items = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    names = [item.id for item in items if isinstance(item, ast.Name)]
    return names if len(names) == len(items) else []


def names_given(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """All names that lines give, in loops and conditions too, but not in blocks."""
    lines = [line for line in statements if not isinstance(line, ast.FunctionDef)]
    nodes = [node for line in lines for node in ast.walk(line) if isinstance(node, ast.Assign)]
    return frozenset(name for node in nodes for name in targets(node))
