"""The networks and kinds of layers that exist, as text: tables of networks, signatures, and the page of a kind."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from textwrap import TextWrapper
from types import CodeType, FunctionType
from typing import Any

from convcalc.algebra.dims import show_count, show_shape
from convcalc.algebra.formula import Formula
from convcalc.analysis.count.report import Report
from convcalc.formats.sheet.names import FROM_INPUT, families, kinds, short_name
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.views.columns import SEPARATED, rf_text, separated, shape_text
from convcalc.views.table import Cells, check_format, tabulated


def networks(
    names: Sequence[str], networks: Iterable[Sequence[Any]], format: str = "simple", width: int | None = None
) -> str:
    """Return networks as a table, csv or JSON, papers cut to a terminal's ``width``; raises UnknownName for a format.

    A network is its name, parameters, MACs, usual input and paper; ``names`` are what these are called.

    >>> print(networks(["network", "params", "macs", "input", "paper"], [("net", 9, 81, (1, 3, 3), "")], "plain"))
    Network      Params    MACs  Input        Paper
    net               9      81  1 x 3 x 3
    """
    if format not in ("json", *SEPARATED):
        check_format(format)
    rows = [dict(zip(names, network)) for network in networks]
    if format == "json":
        return json.dumps(rows, indent=1)
    if format in SEPARATED:
        return separated(names, ({**row, "input": "x".join(map(str, row["input"]))}.values() for row in rows), format)

    def shrunk(cells: Cells, excess: int) -> Cells:
        room = max(8, max(len(row[-1]) for row in cells) - excess)
        return [[*row, paper if len(paper) <= room else paper[: room - 1] + "…"] for *row, paper in cells]

    cells = [
        [row["network"], show_count(row["params"]), show_count(row["macs"]), show_shape(row["input"]), row["paper"]]
        for row in rows
    ]
    return tabulated(cells, ["Network", "Params", "MACs", "Input", "Paper"], "lrr", format, width, shrunk)


def listed(kinds: Iterable[type[Layer]], width: int | None = None) -> str:
    """Return kinds of layers with their arguments, one a line in a terminal's ``width``.

    >>> from convcalc import nn
    >>> print(listed([nn.ReLU, nn.Softmax]))
    ReLU(inplace=False)
    Softmax(dim=None)
    """
    return _filled(map(signature, kinds), width)


def described(kind: type[Layer], example: tuple[str, Report] | None, width: int | None = None) -> str:
    """Return the page of a kind; ``example`` is a sheet with it and the numbers of that, if there is one.

    >>> from convcalc import nn
    >>> print(described(nn.ReLU, None).splitlines()[0])
    ReLU(inplace=False)
    """
    prose = " ".join((kind.__doc__ or "").split(">>>")[0].replace("`", "").split())
    parts = [_filled([signature(kind)], width), _filled([prose], width, ""), _filled([_on_sheets(kind)], width)]
    parts += [_example(kind, example, width), *[_filled(_formula(formula), width) for formula in formulas(kind)]]
    return "\n\n".join(parts)


def _filled(lines: Iterable[str], width: int | None, indent: str = "    ") -> str:
    style = TextWrapper(width or 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(style.fill, lines))


def signature(kind: type[Layer], name: str = "", without: Collection[str] = ()) -> str:
    """A kind with its arguments and their defaults.

    >>> from convcalc import nn
    >>> signature(nn.Linear)
    'Linear(in_features, out_features, bias=True)'
    """
    words = [word if x is _REQUIRED else f"{word}={x!r}" for word, x in kind.arguments.items() if word not in without]
    return f"{name or kind.__name__}({', '.join(words)})"


def formulas(kind: type[Layer]) -> list[Formula]:
    """The formulas that a kind's code names, itself or through functions of `layers`.

    >>> from convcalc import nn
    >>> [formula.name for formula in formulas(nn.Linear)]
    ['multiply–accumulates of a linear layer']
    """
    found: dict[int, Formula] = {}
    todo = list(_methods(getattr(kind, "becomes", kind)))  # lazy kinds become others
    for function in todo:  # which grows on the way
        for name in _names(function.__code__):
            value = function.__globals__.get(name)
            if isinstance(value, Formula):
                found[id(value)] = value
            elif isinstance(value, FunctionType) and value.__module__.startswith("convcalc.layers"):
                todo += [value] if value not in todo else []
    return list(found.values())


def _methods(kind: type[Layer]) -> Iterator[FunctionType]:
    """The methods that a kind has but not every layer, and those which they extend."""
    parents = [parent for parent in kind.__mro__ if parent not in Layer.__mro__]
    for name in dict.fromkeys(name for parent in parents[::-1] for name in vars(parent)):
        for parent in parents:
            function = vars(parent).get(name)
            if isinstance(function, FunctionType):
                yield function
                if "super" not in function.__code__.co_names:
                    break


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _formula(formula: Formula) -> Iterator[str]:
    yield f"{formula.name}: {formula}"
    margin = max(map(len, formula.symbols), default=0)
    for symbol, meaning in formula.symbols.items():
        yield f"  {symbol:{margin}}  {meaning}"
    for slip in formula.slips:
        yield f"  slip, {slip}: {formula.slip(slip)}"
    if formula.source:
        yield f"  source: {formula.source}"


def _on_sheets(kind: type[Layer]) -> str:
    name, own = short_name(kind.__name__), _stem(kind)
    stem = families().get(name, "")
    if stem != kind.__name__ and (stem in kinds() or own != stem):
        return f"on a sheet: {kind.__name__}(...), by this name alone"
    text = f"on a sheet: {signature(kind, name, FROM_INPUT)}"
    if given := [argument for argument in kind.arguments if argument in FROM_INPUT]:
        text += f", with {' and '.join(given)} from its input"
    others = [other.__name__ for other in kinds().values() if other is not kind and _stem(other) == stem]
    return text + (f"; by the axes of that it is {' or '.join(others)} too" if others else "")


def _stem(kind: type[Layer]) -> str:
    return re.sub(r"[123]d$", "", kind.__name__)


def _example(kind: type[Layer], example: tuple[str, Report] | None, width: int | None) -> str:
    if example is None:
        _, mark, rest = (kind.__doc__ or "").partition(">>>")
        lines = map(str.strip, f"{mark}{rest}".splitlines())
        return "\n  ".join(["for example, in Python", *filter(None, lines)])
    text, report = example
    last = report.rows[-1]
    counts = {"parameters": last.params, "MACs": last.macs}.items()
    numbers = [shape_text(last.output_shape, report), *[f"{show_count(n)} {noun}" for noun, n in counts if n]]
    seen = rf_text(last.rf)
    numbers += [f"a receptive field of {seen}"] if seen not in ("1", "-", "global") else []
    return "\n  ".join(["for example", *text.splitlines()]) + "\n" + _filled([f"gives {', '.join(numbers)}"], width)
