"""What there is: the zoo's networks with their totals, and kinds of layers with all about them."""

import ast
import json
import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from textwrap import TextWrapper
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from convcalc import zoo
from convcalc.algebra.dims import show_count, show_shape
from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Shape
from convcalc.analysis.count.report import Report, analyze, totals
from convcalc.errors import ConvcalcError, UnknownName, did_you_mean
from convcalc.formats.sheet.names import FROM_INPUT, any_kind, check_name, families, kinds, short_name
from convcalc.formats.sheet.read import read_spec
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.network.trace import trace
from convcalc.views.columns import SEPARATED, rf_text, separated, shape_text
from convcalc.views.table import Cells, check_format, tabulated


class Listed(NamedTuple):
    """A network and its totals at its usual input."""

    network: str
    params: Any
    macs: Any
    input: Shape
    paper: str


def measured(name: str) -> Listed:
    """A network by its name; raises UnknownName.

    >>> measured("lenet5").params
    61706
    """
    model, shape = zoo.load(name)
    found = totals(trace(model, (1, *shape)), ("params", "macs"))
    return Listed(name, found["params"].value, found["macs"].value, shape, zoo.entry(name).paper)


def networks(pattern: str = "*", format: str = "simple", width: int | None = None) -> str:
    """The networks whose names match a shell's pattern, papers cut to a terminal's ``width``; raises UnknownName.

    >>> print(networks("lenet5", "csv"))
    network,params,macs,input,paper
    lenet5,61706,416520,1x32x32,"LeCun et al. 1998, Proc. IEEE 86(11)"
    """
    if format not in ("json", *SEPARATED):
        check_format(format)
    names = zoo.names(pattern)
    if not names:
        hint = did_you_mean(pattern.strip("*?"), zoo.names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network matches {pattern!r:.60}", hint=hint)
    rows = [measured(name) for name in names]
    if format == "json":
        return json.dumps([row._asdict() for row in rows], indent=1)
    if format in SEPARATED:
        return separated(Listed._fields, ((*row[:3], "x".join(map(str, row.input)), row.paper) for row in rows), format)

    def shrunk(cells: Cells, excess: int) -> Cells:
        room = max(8, max(len(row[-1]) for row in cells) - excess)
        return [[*row, paper if len(paper) <= room else paper[: room - 1] + "…"] for *row, paper in cells]

    cells = [[x.network, show_count(x.params), show_count(x.macs), show_shape(x.input), x.paper] for x in rows]
    return tabulated(cells, ["Network", "Params", "MACs", "Input", "Paper"], "lrr", format, width, shrunk)


def listed(pattern: str = "*", width: int | None = None) -> str:
    """All kinds of which either name matches a shell's pattern; else raises UnknownName.

    >>> print(listed("MaxPool?d").splitlines()[0])
    MaxPool1d(kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False)
    """
    names = sorted(kinds(), key=str.lower)
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(short_name(name), pattern)]
    if not found:
        raise UnknownName(f"no layer matches {pattern!r:.60}", hint="`convcalc layers` lists them all")
    return _filled([signature(kinds()[name]) for name in found], width)


def described(name: str, width: int | None = None) -> str:
    """All about the kind of this name; raises UnknownName.

    >>> print(described("relu").splitlines()[0])
    ReLU(inplace=False)
    """
    kind = find(name)
    prose = " ".join((kind.__doc__ or "").split(">>>")[0].replace("`", "").split())
    parts = [_filled([signature(kind)], width), _filled([prose], width, ""), _filled([_on_sheets(kind)], width)]
    parts += [_example(kind, width), *[_filled(_formula(formula), width) for formula in formulas(kind)]]
    return "\n\n".join(parts)


def _filled(lines: Iterable[str], width: int | None, indent: str = "    ") -> str:
    style = TextWrapper(width or 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(style.fill, lines))


def find(name: str) -> type[Layer]:
    """The kind of torch's or the lowercase name; of several ranks that for height and width. Raises UnknownName.

    >>> find("conv"), find("Conv1d")
    (<class 'convcalc.layers.conv.Conv2d'>, <class 'convcalc.layers.conv.Conv1d'>)
    """
    bare = re.sub(r"^(torch\.)?nn\.", "", name)
    check_name(bare)
    kind = any_kind(bare)
    assert kind
    return kind


def signature(kind: type[Layer], name: str = "", without: Collection[str] = ()) -> str:
    """A kind with its arguments and their defaults.

    >>> signature(find("Linear"))
    'Linear(in_features, out_features, bias=True)'
    """
    words = [word if x is _REQUIRED else f"{word}={x!r}" for word, x in kind.arguments.items() if word not in without]
    return f"{name or kind.__name__}({', '.join(words)})"


def formulas(kind: type[Layer]) -> list[Formula]:
    """The formulas that a kind's code names, itself or through functions of `layers`.

    >>> [formula.name for formula in formulas(find("Linear"))]
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


class Example(NamedTuple):
    """A call in a docstring, and its inputs' shapes."""

    call: ast.Call
    shapes: tuple[Shape, ...]


def example(kind: type[Layer]) -> Example | None:
    """The call in a kind's docstring, if there is one.

    >>> example(find("Linear")).shapes
    ((128, 20),)
    """
    for line in re.findall(r">>> (.*)", kind.__doc__ or ""):
        for node in ast.walk(ast.parse(line, mode="eval")):
            match node:
                case ast.Call(ast.Attribute(ast.Call(ast.Name(kind.__name__)) as call), shapes):
                    if shapes and isinstance(shapes[0], ast.List):  # `work` takes a list, `output_shape` each
                        shapes = shapes[0].elts
                    return Example(call, tuple(map(ast.literal_eval, shapes)))
    return None


SHEETS = {
    "BatchNorm1d": "input(100)\nBatchNorm1d(100)",
    "BatchNorm2d": "input(64, 56, 56)\nbn()",
    "Hardtanh": "input(64, 56, 56)\nhardtanh(min_val=-2.0)",
    "Identity": "input(64, 56, 56)\nidentity()",
    "InstanceNorm2d": "input(64, 56, 56)\ninstancenorm(affine=True)",
    "LocallyConnected1d": "input(1, 6)\nlocallyconnected(1, 3, bias=False)",
    "LocallyConnected2d": "input(3, 6, 6)\nlocallyconnected(8, 3, bias=False)",
    "LocallyConnected3d": "input(1, 6, 6, 6)\nlocallyconnected(1, 3, bias=False)",
    "MatMul": "a = input(8, 197, 64)\nb = input(8, 64, 197)\nmatmul(a, b)",
    "MultiheadAttention": "x = input(197, 512)\nmha(8)(x, x, x)",
    "PReLU": "input(64, 56, 56)\nprelu(64)",
    "RMSNorm": "input(197, 768)\nrmsnorm()",
}
"""Examples of kinds whose docstrings show something else than a call on an input."""


def _sheets(kind: type[Layer], shown: Example) -> Iterator[str]:
    """Sheets that may make this call."""
    name, letters = short_name(kind.__name__), "abcdef"[: len(shown.shapes)]
    sizes = [", ".join(map(str, shape[1:])) for shape in shown.shapes]
    named = [f"{word.arg}={ast.unparse(word.value)}" for word in shown.call.keywords]
    given = {argument: ast.unparse(x) for argument, x in zip(kind.arguments, shown.call.args)}
    own = ", ".join([*[x for argument, x in given.items() if argument not in FROM_INPUT], *named])
    if len(sizes) == 1:
        yield f"input({sizes[0]})\n{name}({own})"
        yield f"input({sizes[0]})\n{ast.unparse(shown.call)}"
        return
    inputs = "".join(f"{letter} = input({size})\n" for letter, size in zip(letters, sizes))
    full = [f"{argument}={x}" for argument, x in given.items()]
    yield f"{inputs}{name}({', '.join([*letters, *full, *named])})"  # so merges name their inputs
    yield f"{inputs}{name}({own})({', '.join(letters)})"


def read_example(kind: type[Layer]) -> tuple[str, Report] | None:
    """The example of a kind as a sheet, if it can be one, and its numbers.

    >>> text, report = read_example(find("Linear"))
    >>> text, report.totals["params"]
    ('input(20)\\nlinear(30)', 630)
    """
    shown = example(kind)
    tries = _sheets(kind, shown) if shown and shown.shapes else ()
    for text in [SHEETS[kind.__name__]] if kind.__name__ in SHEETS else tries:
        try:
            report = analyze(read_spec(text).graph)
        except ConvcalcError:
            continue
        if type(report.graph.nodes[-1].layer) is getattr(kind, "becomes", kind):
            return text, report
    return None


def _example(kind: type[Layer], width: int | None) -> str:
    found = read_example(kind)
    if found is None:
        _, mark, rest = (kind.__doc__ or "").partition(">>>")
        lines = map(str.strip, f"{mark}{rest}".splitlines())
        return "\n  ".join(["for example, in Python", *filter(None, lines)])
    text, report = found
    last = report.rows[-1]
    counts = {"parameters": last.params, "MACs": last.macs}.items()
    numbers = [shape_text(last.output_shape, report), *[f"{show_count(n)} {noun}" for noun, n in counts if n]]
    seen = rf_text(last.rf)
    numbers += [f"a receptive field of {seen}"] if seen not in ("1", "-", "global") else []
    return "\n  ".join(["for example", *text.splitlines()]) + "\n" + _filled([f"gives {', '.join(numbers)}"], width)
