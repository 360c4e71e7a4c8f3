"""A graph as PyTorch source: classes with the attribute names of the graph's paths, so the same ``state_dict``.

The file that is written imports torch alone and runs one forward pass when it is run. Which classes there are stands in
`classes`, what their ``forward`` says in `forward`; torch itself is not imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from convcalc.algebra.dims import show_count, show_shape
from convcalc.analysis.report import analyze
from convcalc.network.graph import Graph
from convcalc.writers.classes import Class, Modules
from convcalc.writers.fold import Text
from convcalc.writers.forms import shown
from convcalc.writers.forward import Forward
from convcalc.writers.modules import plain_name
from convcalc.writers.operators import finite, refuse_letters, whole_inputs

MOST_COLUMNS = 110
INDENT = "    "


def write_torch(graph: Graph, name: str = "") -> str:
    """The source of a torch module for a graph, runnable as it stands.

    Raises UnsupportedOperation for layers that torch does not have, and for letters.

    >>> from convcalc import nn, trace
    >>> source = write_torch(trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 32, 32)), "tiny")
    >>> print(source[source.index("class") : source.index("if __name__")].strip())
    class Tiny(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(
                nn.Conv2d(3, 8, 3),
                nn.ReLU(),
            )
    """
    refuse_letters(graph)
    modules = Modules(graph, name)
    ties = modules.ties()
    parts = [_class(item, ties if item is modules.classes[-1] else []) for item in modules.classes]
    parts.append(list(_main(graph, modules.classes[-1].name)))
    body = "\n\n\n".join("\n".join(wrapped for line in lines for wrapped in _wrapped(line)) for lines in parts)
    return f'"""{_docstring(graph, name or modules.classes[-1].name)}\n"""\n\n{_imports(body)}\n\n\n{body}\n'


def _docstring(graph: Graph, name: str) -> str:
    report = analyze(graph, network=name)
    params, macs = (report.counts[key] for key in ("params", "macs"))
    at_least = "" if macs.complete else "at least "
    sizes = " and ".join(show_shape(shape) for shape in graph.inputs.values())
    counted = f"{show_count(params.value or 0)} parameters, {at_least}{show_count(macs.value or 0)} MACs"
    return f"{name}: {counted}\nfor an input of {sizes}. Written by convcalc."


def _imports(body: str) -> str:
    lines = ["from collections import OrderedDict", ""] if "OrderedDict(" in body else []
    lines.append("import torch")
    if re.search(r"\bF\.", body):
        lines.append("import torch.nn.functional as F")
    return "\n".join([*lines, "from torch import nn"])


def _main(graph: Graph, name: str) -> Iterator[str]:
    """What runs when the file does: one forward pass on noise."""
    whole = whole_inputs(graph)
    inputs = ", ".join(
        f"torch.zeros({', '.join(map(str, shape))}, dtype=torch.long)"
        if key in whole
        else f"torch.randn({', '.join(map(str, shape))})"
        for key, shape in graph.inputs.items()
    )
    yield 'if __name__ == "__main__":'
    yield f"{INDENT}model = {name}().eval()"
    yield f"{INDENT}with torch.no_grad():"
    yield f"{INDENT * 2}output = model({inputs})"
    shape = "tuple(output.shape)" if len(graph.outputs) == 1 else "*(tuple(each.shape) for each in output)"
    yield f"{INDENT}print({shape})"


def _class(item: Class, ties: Sequence[str]) -> list[str]:
    """The lines of one class."""
    children, is_numbered, said = item.definition.body
    parameters = [parameter.name for parameter in item.definition.parameters]
    forward = _own(said, parameters)
    kept = [name for name in parameters if re.search(rf"\bself\.{name}\b", repr(forward))]
    lines = [f"class {item.name}(nn.{item.base}):"]
    if children or ties or kept:
        lines += [INDENT + line for line in _constructor(item, children, is_numbered == "True", kept, ties)]
    if forward is not None:
        body = Forward(forward)
        lines += [""] if len(lines) > 1 else []
        arguments = ", ".join(["self", *(f"{name}: torch.Tensor" for name in body.arguments)])
        kind = "torch.Tensor" if len(body.outputs) == 1 else "tuple[torch.Tensor, ...]"
        lines.append(f"{INDENT}def forward({arguments}) -> {kind}:")
        lines += [INDENT * 2 + line for line in body.lines()]
    return lines if len(lines) > 1 else [*lines, f"{INDENT}pass"]


def _own(form: Any, parameters: Sequence[str]) -> Any:
    """What ``forward`` says, with the arguments of the constructor as the attributes that keep them."""
    if isinstance(form, Text) and not form.startswith("'"):
        return Text(re.sub(r"[A-Za-z_]\w*", lambda m: f"self.{m[0]}" if m[0] in parameters else m[0], form))
    return tuple(_own(item, parameters) for item in form) if isinstance(form, tuple) else form


def _wrapped(line: str) -> Iterator[str]:
    """A line that is too long in several, cut behind commas and plus signs between brackets."""
    indent = line[: len(line) - len(line.lstrip())] + 2 * INDENT
    depth, start, cut, before = 0, 0, 0, ""
    for i, sign in enumerate(line):
        depth += (sign in "([{") - (sign in ")]}")
        if i - start + len(before) > MOST_COLUMNS and cut > start:
            yield before + line[start:cut].rstrip()
            start, before = cut, indent
        if depth and (line[i - 1 : i + 1] == ", " or line[i - 2 : i + 1] == " + "):
            cut = i + 1
    yield before + line[start:]


def _constructor(
    item: Class, children: Any, is_numbered: bool, kept: Sequence[str], ties: Sequence[str]
) -> Iterator[str]:
    words = ["self"]
    for p in item.definition.parameters:
        kind = "float" if any(isinstance(value, float) for value in p.values) else "int"
        words.append(f"{p.name}: {kind}" + (f" = {p.default!r}" if p.default is not None else ""))
    yield f"def __init__({', '.join(words)}) -> None:"
    if item.base == "Sequential":
        called = ("Sequential", "" if is_numbered else "named", children)
        yield from (INDENT + line for line in _made(called, "super().__init__"))
        yield from (f"{INDENT}self.{name} = {name}" for name in kept)
    elif item.base != "Module":
        yield f"{INDENT}super().__init__({finite(shown(children[0][1][2]))})"
    else:
        yield f"{INDENT}super().__init__()"
        yield from (f"{INDENT}self.{name} = {name}" for name in kept)
        for name, form in children:
            yield from (INDENT + line for line in _attribute(name, form))
    for tie in ties:
        yield INDENT + tie


def _attribute(name: str, form: Any) -> Iterator[str]:
    """The lines that make one child."""
    kind, what, inner = form
    if kind == "Buffer":
        sizes = shown(inner)
        yield f'self.register_buffer("{name}", torch.zeros({sizes}{", dtype=torch.long" if what else ""}))'
        return
    first, *rest = _made(form)
    if plain_name(name):
        yield f"self.{name} = {first}"
        yield from rest
    else:
        yield f'self.add_module("{name}", {first}' + ("" if rest else ")")
        yield from rest[:-1]
        yield from [rest[-1] + ")"] if rest else []


def _made(form: Any, called: str = "") -> list[str]:
    """The lines of the expression that makes a module; ``called`` stands in place of the class's name."""
    kind, what, inner = form
    if kind in ("nn", "class"):
        return [f"{'nn.' if kind == 'nn' else ''}{what}({finite(shown(inner))})"]
    if kind == "Parameter":
        return [f"nn.Parameter(torch.zeros({shown(inner)}))"]
    if kind == "Buffer":
        return [f"nn.Buffer(torch.zeros({shown(inner)}))"]
    called = called or f"nn.{kind}"
    if kind == "ModuleDict":
        items = [_keyed(f'"{name}": ', item) for name, item in inner]
        return _listed(f"{called}({{", items, "})")
    if what == "named":
        items = [_keyed(f'("{name}", ', item, ")") for name, item in inner]
        return _listed(f"{called}(OrderedDict([", items, "]))")
    items = _repeated([_made(item) for _, item in inner])
    return _listed(f"{called}([", items, "])") if kind == "ModuleList" else _listed(f"{called}(", items, ")")


def _keyed(before: str, form: Any, after: str = "") -> list[str]:
    lines = _made(form)
    lines[0] = before + lines[0]
    lines[-1] += after
    return lines


def _repeated(items: Sequence[list[str]]) -> list[list[str]]:
    """Items in which equal ones in a row are one comprehension."""
    result: list[list[str]] = []
    i = 0
    while i < len(items):
        times = 1
        while i + times < len(items) and items[i + times] == items[i]:
            times += 1
        if times > 1 and len(items[i]) == 1 and not items[i][0].startswith("nn."):
            result.append([f"*[{items[i][0]} for _ in range({times})]"])
        else:
            result.extend(items[i : i + times])
        i += times
    return result


def _listed(before: str, items: Sequence[list[str]], after: str) -> list[str]:
    """Items between brackets: on one line where there is but one or none, else each on lines of its own."""
    if len(items) <= 1 and all(len(item) == 1 for item in items):
        return [before + "".join(item[0] for item in items) + after]
    lines = [before]
    for item in items:
        lines += [INDENT + line for line in item[:-1]]
        lines.append(INDENT + item[-1] + ",")
    return [*lines, after]
