"""Kinds of layers described for people: arguments, what they compute, their formulas, and an example on a sheet.

Everything is read off the kinds themselves (their arguments, docstrings, and the formulas that their code names), so
that nothing here can differ from what is computed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from textwrap import fill
from types import CodeType, FunctionType
from typing import NamedTuple

from convcalc.algebra.dims import Shape, show_count
from convcalc.algebra.formula import Formula
from convcalc.analysis.report import Report, analyze
from convcalc.errors import ConvcalcError, UnknownName
from convcalc.layers.base import Layer
from convcalc.readers.names import FROM_INPUT, any_kind, check_name, families, kinds, short_name
from convcalc.readers.spec import read_spec
from convcalc.writers.columns import rf_text, shape_text

WIDTH = 120  # where there is no terminal


def listed(pattern: str = "*", width: int | None = None) -> str:
    """All kinds whose names, torch's or the lowercase one, match a shell's pattern, with arguments, one a line.

    Raises UnknownName where none does.

    >>> print(listed("MaxPool?d").splitlines()[0])
    MaxPool1d(kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False)
    """
    names = sorted(kinds(), key=str.lower)
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(short_name(name), pattern)]
    if not found:
        raise UnknownName(f"no layer matches {pattern!r:.60}", hint="`convcalc layers` lists them all")
    return "\n".join(_indented(signature(kinds()[name]), width) for name in found)


def described(name: str, width: int | None = None) -> str:
    """All about one kind, by torch's name or the lowercase one. Raises UnknownName.

    >>> print(described("relu").splitlines()[0])
    ReLU(inplace=False)
    """
    kind = find(name)
    parts = [_indented(signature(kind), width), _indented(_plain(_first_part(kind)), width, "")]
    parts += [_indented(_on_sheets(kind), width), _example(kind, width)]
    used = formulas(kind)
    return "\n\n".join([*parts, *(_formula(formula, width) for formula in used)])


def find(name: str) -> type[Layer]:
    """The kind of this name; of a family that has several ranks the one for height and width. Raises UnknownName.

    >>> find("conv"), find("Conv1d")
    (<class 'convcalc.layers.conv.Conv2d'>, <class 'convcalc.layers.conv.Conv1d'>)
    """
    bare = re.sub(r"^(torch\.)?nn\.", "", name)
    kind = any_kind(bare)
    if kind is None:
        check_name(bare)
        raise UnknownName(f"there is no layer {name!r:.60}", hint="`convcalc layers` lists them all")
    return kind


def signature(kind: type[Layer]) -> str:
    """A kind with its arguments and their defaults, as it is written.

    >>> signature(find("Linear"))
    'Linear(in_features, out_features, bias=True)'
    """
    return f"{kind.__name__}({', '.join(_arguments(kind, list(kind.arguments)))})"


def _arguments(kind: type[Layer], names: Sequence[str]) -> Iterator[str]:
    needed = find("Linear").arguments["in_features"]  # what stands for a default where there is none
    for name in names:
        value = kind.arguments[name]
        yield name if value is needed else f"{name}={value!r}"


def formulas(kind: type[Layer]) -> list[Formula]:
    """The formulas that a kind's code names, itself or through functions of this library, in that order.

    >>> [formula.name for formula in formulas(find("Linear"))]
    ['multiply–accumulates of a linear layer']
    """
    found: dict[int, Formula] = {}
    todo = list(_methods(getattr(kind, "becomes", kind)))  # lazy kinds become others
    seen: set[object] = set()
    while todo:
        function = todo.pop(0)
        if function in seen:
            continue
        seen.add(function)
        for name in _names(function.__code__):
            value = function.__globals__.get(name)
            if isinstance(value, Formula):
                found[id(value)] = value
            elif isinstance(value, FunctionType) and value.__module__.startswith("convcalc.layers"):
                todo.append(value)
    return list(found.values())


def _methods(kind: type[Layer]) -> Iterator[FunctionType]:
    """The methods of a kind and of its families that its calls reach, less those of every layer."""
    parents = [parent for parent in kind.__mro__ if parent not in Layer.__mro__]
    for name in dict.fromkeys(name for parent in parents[::-1] for name in vars(parent)):
        for parent in parents:
            function = vars(parent).get(name)
            if isinstance(function, FunctionType):
                yield function
                if "super" not in function.__code__.co_names:
                    break


def _names(code: CodeType) -> Iterator[str]:
    """All names that a function reads, those of functions inside it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _formula(formula: Formula, width: int | None) -> str:
    lines = [f"{formula.name}: {formula}"]
    margin = max(map(len, formula.symbols), default=0)
    lines += [f"  {symbol:{margin}}  {meaning}" for symbol, meaning in formula.symbols.items()]
    lines += [f"  slip, {slip}: {formula.slip(slip)}" for slip in formula.slips]
    if formula.source:
        lines.append(f"  source: {formula.source}")
    return "\n".join(_indented(line, width) for line in lines)


def _on_sheets(kind: type[Layer]) -> str:
    """How the kind is written on a sheet."""
    name = short_name(kind.__name__)
    stem = families().get(name, "")
    if stem == kind.__name__ or (stem not in kinds() and _stem_of(kind) == stem):
        rest = [argument for argument in kind.arguments if argument not in FROM_INPUT]
        given = [argument for argument in kind.arguments if argument in FROM_INPUT]
        text = f"on a sheet: {name}({', '.join(_arguments(kind, rest))})"
        if given:
            text += f", with {' and '.join(given)} from its input"
        others = [other.__name__ for other in kinds().values() if other is not kind and _stem_of(other) == stem]
        return text + (f"; by the axes of that it is {' or '.join(others)} too" if others else "")
    return f"on a sheet: {kind.__name__}(...), by this name alone"


def _stem_of(kind: type[Layer]) -> str:
    """The kind's name without its rank."""
    return re.sub(r"[123]d$", "", kind.__name__)


class Example(NamedTuple):
    """A call of a kind, out of its docstring: the arguments as written, and its inputs' shapes, if it has them."""

    call: ast.Call
    shapes: tuple[Shape, ...]


def example(kind: type[Layer]) -> Example | None:
    """The call in a kind's docstring; None where there is none.

    >>> example(find("Linear")).shapes
    ((128, 20),)
    """
    for line in (kind.__doc__ or "").splitlines():
        if not line.strip().startswith(">>> "):
            continue
        for node in ast.walk(ast.parse(line.strip()[4:], mode="eval")):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                call = node.func.value
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == kind.__name__:
                    return Example(call, _shapes(node.args))
    return None


def _shapes(nodes: Sequence[ast.expr]) -> tuple[Shape, ...]:
    """The shapes among the arguments of a method: ``output_shape`` takes each, ``work`` a list of them."""
    first = nodes[0] if nodes else None
    if isinstance(first, ast.List):
        nodes = first.elts
    return tuple(ast.literal_eval(node) for node in nodes)


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
"""Examples of kinds whose docstrings show something else than a call on an input of their own."""


def sheets(kind: type[Layer], shown: Example) -> Iterator[str]:
    """The lines of a sheet that may make this call: by the lowercase name, else by torch's.

    >>> print(next(sheets(find("Conv2d"), example(find("Conv2d")))))
    input(3, 224, 224)
    conv(64, 7, stride=2, padding=3)
    """
    name, letters = short_name(kind.__name__), "abcdef"[: len(shown.shapes)]
    sizes = [", ".join(map(str, shape[1:])) for shape in shown.shapes]
    named = [f"{word.arg}={ast.unparse(word.value)}" for word in shown.call.keywords]
    short = [ast.unparse(x) for argument, x in zip(kind.arguments, shown.call.args) if argument not in FROM_INPUT]
    if len(sizes) == 1:
        yield f"input({sizes[0]})\n{name}({', '.join([*short, *named])})"
        yield f"input({sizes[0]})\n{ast.unparse(shown.call)}"
        return
    inputs = "".join(f"{letter} = input({size})\n" for letter, size in zip(letters, sizes))
    full = [f"{argument}={ast.unparse(x)}" for argument, x in zip(kind.arguments, shown.call.args)]
    yield f"{inputs}{name}({', '.join([*letters, *full, *named])})"  # merges name their inputs in the first brackets
    yield f"{inputs}{name}({', '.join([*short, *named])})({', '.join(letters)})"


def read_example(kind: type[Layer]) -> tuple[str, Report] | None:
    """The example of a kind as a sheet, and its numbers; None where it cannot be written as one.

    >>> text, report = read_example(find("Linear"))
    >>> text, report.totals["params"]
    ('input(20)\\nlinear(30)', 630)
    """
    shown = example(kind)
    tries = (
        [SHEETS[kind.__name__]] if kind.__name__ in SHEETS else sheets(kind, shown) if shown and shown.shapes else []
    )
    for text in tries:
        try:
            report = analyze(read_spec(text).graph)
        except ConvcalcError:
            continue
        wanted = getattr(kind, "becomes", kind)  # lazy kinds become others
        if type(report.graph.nodes[-1].layer) is wanted:
            return text, report
    return None


def _example(kind: type[Layer], width: int | None) -> str:
    found = read_example(kind)
    if found is None:
        lines = [line.strip() for line in (kind.__doc__ or "").splitlines()]
        first = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
        return "\n".join(["for example, in Python", *[f"  {line}" for line in lines[first:] if line]])
    text, report = found
    last = report.rows[-1]
    numbers = [f"{show_count(last.params)} parameters"] if last.params else []
    numbers += [f"{show_count(last.macs)} MACs"] if last.macs else []
    seen = rf_text(last.rf)
    numbers += [f"a receptive field of {seen}"] if seen not in ("1", "-", "global") else []
    gives = ", ".join([shape_text(last.output_shape, report), *numbers])
    return "\n".join(["for example", *[f"  {line}" for line in text.splitlines()], _indented(f"gives {gives}", width)])


def _first_part(kind: type[Layer]) -> str:
    """The docstring without its example."""
    return " ".join((kind.__doc__ or "").split(">>>")[0].split())


def _plain(text: str) -> str:
    """A docstring without its marks."""
    return re.sub(r"`+", "", text)


def _indented(text: str, width: int | None, indent: str = "    ") -> str:
    return fill(text, width or WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
