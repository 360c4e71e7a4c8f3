"""Names of layers on a sheet: those of torch.nn, and short ones, which take some arguments from the input."""

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
"""Names of layers elsewhere, in lower case and without a rank; for hints only."""

ARGUMENTS_ELSEWHERE = _pairs(
    "filters=out_channels channels=out_channels out=out_channels units=out_features size=kernel_size "
    "pool_size=kernel_size k=kernel_size s=stride d=dilation rate=p axis=dim"
)
"""Names of arguments elsewhere that resemble none of ours; for hints only."""

FORMS = ("input", "output", "include", "net")
"""What can be called on a sheet without being a layer."""


T = TypeVar("T")


def _of_all_kinds(table: Callable[[], T]) -> Callable[[], T]:
    """Cache a table of the kinds until another package adds one; if none does, a call costs next to nothing."""
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
    """Return the family (``Conv`` for ``Conv2d``) that each lowercase name means; our kinds win."""
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
    """Return, by both of their names, the kinds that join tensors: those in the first pair of brackets."""
    joining = [kind for kind in reversed([*kinds().values()]) if kind.merges]  # ours last, so that they win
    return {**{kind.sheet_name(): kind for kind in joining}, **{kind.__name__: kind for kind in joining}}


@_of_all_kinds
def operators() -> Mapping[str, type[Layer]]:
    """Return the kind that each operator between tensors means."""
    return {kind.operator: kind for kind in reversed([*kinds().values()]) if kind.operator}


def member(family: str, rank: int) -> type[Layer] | None:
    """Return the kind of a family for maps with ``rank`` spatial axes, 0 for vectors; None if there is none.

    >>> member("BatchNorm", 0), member("ReLU", 2), member("Conv", 4)
    (<class 'convcalc.layers.norm.BatchNorm1d'>, <class 'convcalc.layers.activation.ReLU'>, None)
    """
    if kind := kinds().get(family):
        return kind
    if rank == 0 and (kind := kinds().get(f"{family}1d")) and kind.takes_vectors:
        return kind
    return kinds().get(f"{family}{rank}d")


def is_layer(name: str) -> bool:
    """Return whether a name is that of a layer, by torch's spelling or the short one.

    >>> is_layer("Conv2d"), is_layer("conv"), is_layer("input")
    (True, True, False)
    """
    return name in families() or name in kinds()


def check_name(name: str, more: Sequence[str] = ()) -> None:
    """Raise UnknownName unless ``name`` is a layer, SpecError if it is several; hints may also offer ``more`` names.

    >>> check_name("cnv")
    Traceback (most recent call last):
    convcalc.errors.UnknownName: there is no layer called 'cnv'
      did you mean conv or convT?
    """
    if is_layer(name):
        return
    if hasattr(nn, name):
        hint = "in a sheet, write its layers one after the other; put those that repeat in a block: def name(c):"
        raise SpecError(f"{name} is not a single layer", hint=hint)
    if name.lower() in families() and (kind := any_kind(name.lower())):
        reads = "" if kind.family() in kinds() else ", which takes its rank and channels from the input,"
        hint = f"write {kind.sheet_name()}{reads} or torch's name, {kind.__name__}"
    elif elsewhere := ELSEWHERE.get(re.sub("[123]d$", "", name).lower().removesuffix("2d")):
        hint = f"here it is called {elsewhere}"
    else:
        names = [*families(), *FORMS, *more] if name[:1].islower() else [*kinds(), *families(), *more]
        hint = did_you_mean(name, names) or did_you_mean(name.lower(), names) or "`convcalc layers` lists them"
    raise UnknownName(f"there is no layer called {name!r:.60}", hint=hint)


class WrongMap(SpecError):
    """A layer on an input with fewer spatial axes than ``least`` or more than ``most``; ``shape`` has the batch.

    >>> print(WrongMap("Conv2d", 2, 2, (1, 3, 100)))
    Conv2d needs an input with 2 spatial axes; received 3 x 100
    """

    def __init__(self, layer: str, least: int, most: int, shape: Shape, hint: str = "") -> None:
        self.layer = layer
        self.least = least
        self.most = most
        self.shape = shape
        ranks = f"{least} to {most}" if least < most else str(most)
        axes = "spatial axis" if most == 1 else "spatial axes"
        super().__init__(f"{layer} needs an input with {ranks} {axes}; {_received(shape)}", hint=hint)


def _received(shape: Shape) -> str:
    return f"received {show_shape(shape[1:]) or 'a single number'}"


def build(name: str, shape: Shape, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Layer:
    """Return the layer that ``name(*args, **kwargs)`` means on an input of ``shape``, which has the batch.

    Raises SpecError if no kind with this name takes such an input, or these arguments.

    >>> build("conv", (1, 3, 32, 32), [64, 7], {"padding": 3})
    Conv2d(3, 64, 7, padding=3)
    """
    rank = len(shape) - 2
    kind = member(families()[name], rank)
    if kind is None:
        hint = "write an input with its channels first, then a size for each axis: input(3, H, W)"
        if rank == 0:
            hint = f"a vector has no height and width: put {name} before flatten()"
        raise WrongMap(name, 1, 3, shape, hint)
    if not args and not kwargs:
        kwargs = kind.also.get(name, {})
    if kind.wants_vector and len(shape) > 3 and not kind.infers.keys() & kwargs.keys():
        size = display(args[0]) if args else "..."
        what = f"{name}({size}) on a map of {show_shape(shape[1:])} would work on the last axis alone"
        hint = "write flatten() on the line before to make the map a vector, or "
        raise SpecError(what, hint=f"{hint}{kind.__name__}({show(shape[-1])}, {size}) if you mean the last axis")
    if len(shape) < 2 and kind.infers:
        raise SpecError(f"{name} needs an input with channels; {_received(shape)}")
    inferred: dict[str, Any] = {argument: shape[place] for argument, place in kind.infers.items()}
    names = positional(name, kind)
    if len(args) > len(names):
        raise _too_many(name, kind, args)
    return kind(**{**inferred, **dict(zip(names, args)), **kwargs})


def check_rank(kind: type[Layer], shape: Shape) -> None:
    """Raise WrongMap if a kind is for another number of spatial axes than its input of ``shape`` has."""
    rank = len(shape) - 2
    if not kind.rank or kind.any_rank or rank == kind.rank or (rank == 0 and kind.takes_vectors):
        return
    other = f"{kind.family()}{rank}d"
    hint = f"write {other}(...) or {kind.sheet_name()}(...)" if other in kinds() else ""
    raise WrongMap(kind.__name__, kind.rank, kind.rank, shape, hint)


def positional(name: str, kind: type[Layer]) -> list[str]:
    """Return the names of the arguments in the order in which a call by ``name`` takes them.

    >>> positional("conv", kinds()["Conv2d"])[:2], positional("Conv2d", kinds()["Conv2d"])[:2]
    (['out_channels', 'kernel_size'], ['in_channels', 'out_channels'])
    """
    return [argument for argument in kind.arguments if name in kinds() or argument not in kind.infers]


def any_kind(name: str) -> type[Layer] | None:
    """Return a kind that this name may mean, whatever the input; None if there is none."""
    family = families().get(name, name)
    if (kind := member(family, 2)) or name not in families():
        return kind
    return next(kind for kind in kinds().values() if kind.family() == family)


def check_arguments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise SpecError for arguments that the layer does not have, whatever its input."""
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
            begins = [other for other in kind.arguments if other.startswith(argument[:4].lower()) and argument[3:]]
            meant = begins[0] if begins else ""
        hint = f"did you mean {meant}?" if meant else f"it takes {', '.join(names) or 'none'}"
        raise SpecError(f"{name} has no argument {argument!r}", hint=near or hint, about=[argument])


def usage(name: str) -> str:
    """Return an example of a call by this name, with the arguments that it needs.

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
        return SpecError(what, hint=f"it takes {first} from its input: write {usage(name)}")
    return SpecError(what, hint=f"it takes {', '.join(names)}" if names else f"write {name}()")


def callee_of(node: ast.AST) -> str:
    """Return the name that a call calls, without ``nn.`` in front; an empty text if it calls something else."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr in kinds():
        owner = function.value
        return function.attr if "nn" in (getattr(owner, "id", ""), getattr(owner, "attr", "")) else ""
    return function.id if isinstance(function, ast.Name) else ""


def callees(node: ast.AST) -> list[str]:
    """Return the names that the calls inside a node call."""
    return [callee_of(call) for call in ast.walk(node) if isinstance(call, ast.Call)]


def display(value: object) -> str:
    """Return a value as a sheet writes it.

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
    """Return a value as layers take it: a fraction as a float."""
    return float(value) if isinstance(value, Fraction) else value


def targets(node: ast.Assign) -> list[str]:
    """Return the names before the ``=``; none if there is anything else."""
    target = node.targets[0]
    items = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    names = [item.id for item in items if isinstance(item, ast.Name)]
    return names if len(names) == len(items) else []


def assigned_names(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that lines assign, including those in loops and conditions, but not in blocks."""
    lines = [line for line in statements if not isinstance(line, ast.FunctionDef)]
    nodes = [node for line in lines for node in ast.walk(line) if isinstance(node, ast.Assign)]
    return frozenset(name for node in nodes for name in targets(node))
