"""Graphs to PyTorch source with the same ``state_dict``, which runs a forward pass; torch is not imported here."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from textwrap import indent
from typing import Any

from convcalc.algebra.dims import show_shape
from convcalc.formats.code.forms import CallForm, SourceText, map_leaves, spell_arguments, text
from convcalc.formats.code.structure import is_plain_name, quote, setter
from convcalc.formats.torch.classes import Class, Modules
from convcalc.formats.torch.operators import Expression, fill, finite, integer_values, refuse, spell_function
from convcalc.network.graph import Graph

MOST_COLUMNS = 110
MOST_INLINED = 60  # characters of an expression inside another
MOST_NESTED = 3
INDENT = "    "


def write_torch(graph: Graph, name: str = "", counted: str = "") -> str:
    """Return the source of a torch module for a graph, which can be run; ``counted`` goes into its docstring.

    Raises UnsupportedOperation for layers that torch does not have, and for sizes that are letters.

    >>> from convcalc import nn, trace
    >>> source = write_torch(trace(nn.Conv2d(3, 8, 3), (1, 3, 32, 32)), "tiny")
    >>> print(source[source.index("class") : source.index("if __name__")].strip())
    class Tiny(nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(3, 8, 3)
    """
    refuse(graph)
    modules = Modules(graph, name)
    *inner, network = modules.classes
    parts = [*(_class(item, ()) for item in inner), _class(network, modules.ties()), _main(graph, network.name)]
    body = "\n".join(line for long in "\n\n\n".join(parts).split("\n") for line in _wrapped(long))
    imports = "from collections import OrderedDict\n\n" if "OrderedDict(" in body else ""
    imports += "import torch\n" + ("import torch.nn.functional as F\n" if re.search(r"\bF\.", body) else "")
    return f'"""{_docstring(graph, name or network.name, counted)}\n"""\n\n{imports}from torch import nn\n\n\n{body}\n'


def _docstring(graph: Graph, name: str, counted: str) -> str:
    sizes = " and ".join(show_shape(shape) for shape in graph.inputs.values())
    name = re.sub(r"[^\w .:/+-]", "_", name)  # so that no sign in it ends the docstring
    return f"{name}{': ' * bool(counted)}{counted}\nfor an input of {sizes}. Written by convcalc."


def _main(graph: Graph, name: str) -> str:
    integers = integer_values(graph)
    inputs = []
    for key, shape in graph.inputs.items():
        sizes = ", ".join(map(str, shape)) or "()"
        inputs.append(f"torch.zeros({sizes}, dtype=torch.long)" if key in integers else f"torch.randn({sizes})")
    printed = "tuple(output.shape)" if len(graph.outputs) == 1 else "*(tuple(each.shape) for each in output)"
    return f"""if __name__ == "__main__":
    model = {name}().eval()
    with torch.no_grad():
        output = model({", ".join(inputs)})
    print({printed})"""


def _class(item: Class, ties: Collection[str]) -> str:
    kind, children, call = item.definition.body
    parameters = [parameter.name for parameter in item.definition.parameters]

    def as_attribute(leaf: Any) -> Any:  # in forward, the constructor's arguments are attributes
        if not isinstance(leaf, SourceText) or leaf.source.startswith("'"):
            return leaf
        return SourceText(
            re.sub(r"[A-Za-z_]\w*", lambda m: f"self.{m[0]}" if m[0] in parameters else m[0], leaf.source)
        )

    forward = map_leaves(call, as_attribute)
    kept = [name for name in parameters if re.search(rf"\bself\.{name}\b", repr(forward))]
    parts: list[str] = []
    if children or ties or kept:
        parts.append(_constructor(item, kind, children, kept, ties))
    if forward is not None:
        parts.append(Forward(*forward).method())
    return f"class {item.name}(nn.{item.base}):\n" + indent("\n\n".join(parts) or "pass", INDENT)


def _wrapped(line: str) -> Iterator[str]:
    """Yield a line, broken if it is too long, after commas and plus signs inside brackets."""
    further = line[: len(line) - len(line.lstrip())] + 2 * INDENT
    depth, start, cut, before = 0, 0, 0, ""
    for i, sign in enumerate(line):
        depth += (sign in "([{") - (sign in ")]}")
        if i - start + len(before) > MOST_COLUMNS and cut > start:
            yield before + line[start:cut].rstrip()
            start, before = cut, further
        if depth and (line[i - 1 : i + 1] == ", " or line[i - 2 : i + 1] == " + "):
            cut = i + 1
    yield before + line[start:]


def _constructor(item: Class, kind: str, children: Any, kept: Sequence[str], ties: Collection[str]) -> str:
    words = ["self"]
    for p in item.definition.parameters:
        number = "float" if any(isinstance(value, float) for value in p.values) else "int"
        words.append(f"{p.name}: {number}" + ("" if p.default is None else f" = {p.default!r}"))
    made, attributes = "super().__init__()", children
    if item.base == "Sequential":
        made, attributes = _made((kind, "", children)).replace("nn.Sequential", "super().__init__", 1), ()
    elif item.base != "Module":
        made, attributes = f"super().__init__({finite(spell_arguments(children[0][1][2]))})", ()
    lines = [made, *(f"self.{name} = {name}" for name in kept), *(_attribute(*child) for child in attributes), *ties]
    return f"def __init__({', '.join(words)}) -> None:\n" + indent("\n".join(lines), INDENT)


def _attribute(name: str, form: Any) -> str:
    kind, dtype, inner = form
    word = kind if kind in ("buffer", "parameter") else ""
    made = _zeros(inner, dtype) if word else _made(form)
    if word == "parameter":
        made = f"nn.Parameter({made})"
    if is_plain_name(name) and word != "buffer":
        return f"self.{name} = {made}"
    return f"self.{setter(word)}({quote(name)}, {made})"


def _zeros(sizes: Any, dtype: str = "") -> str:
    return f"torch.zeros({spell_arguments(sizes) or '()'}{dtype})"


CONTAINERS = {
    "Sequential": ("nn.Sequential(", "{1}", ")"),
    "Ordered": ("nn.Sequential(OrderedDict([", "({0}, {1})", "]))"),
    "ModuleList": ("nn.ModuleList([", "{1}", "])"),
    "ModuleDict": ("nn.ModuleDict({", "{0}: {1}", "})"),
}
"""The text before a container's children, for each child (by name and text), and after them."""


def _made(form: Any) -> str:
    """Return the expression that makes a module; if a container has several items, each has a line of its own."""
    kind, what, inner = form
    if kind not in CONTAINERS:
        return str(what).format(finite(spell_arguments(inner)))
    before, item, after = CONTAINERS[kind]
    items = [item.format(quote(name), _made(child)) for name, child in inner]
    if item == "{1}":
        items = list(_repeated(items))
    if len(items) <= 1 and "\n" not in "".join(items):
        return before + "".join(items) + after
    return before + "\n" + indent("".join(f"{item},\n" for item in items), INDENT) + after


def _repeated(items: Sequence[str]) -> Iterator[str]:
    for item, run in groupby(items):
        times = len(list(run))
        if times > 1 and "\n" not in item and not item.startswith("nn."):
            yield f"*[{item} for _ in range({times})]"
        else:
            yield from [item] * times


class Forward:
    """The ``forward`` of a class: its calls in order, and variables for their values."""

    def __init__(self, calls: Sequence[CallForm], inputs: int, outputs: Sequence[str]) -> None:
        self.calls = calls
        self.outputs = outputs
        self.arguments = [*"xyz"][:inputs] if inputs <= 3 else [f"x{i + 1}" for i in range(inputs)]
        self.variables = {str(i): name for i, name in enumerate(self.arguments)}
        self.values = {value: Expression(name) for value, name in self.variables.items()}
        self.depth: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self.last = dict.fromkeys(self.variables, len(calls))
        for i, refs in enumerate([*(call.refs for call in calls), outputs]):
            self.last.update(dict.fromkeys(refs, i))
            self.reads.update(refs)

    def method(self) -> str:
        """Return the source of the method."""
        lines = [line for i, call in enumerate(self.calls) for line in self._line(i, call)]
        returned = ", ".join(self.values[out].text for out in self.outputs)
        lines.append(f"return {returned}" if self.outputs else "pass")
        arguments = ", ".join(["self", *(f"{name}: torch.Tensor" for name in self.arguments)])
        kind = "torch.Tensor" if len(self.outputs) == 1 else "tuple[torch.Tensor, ...]"
        return f"def forward({arguments}) -> {kind}:\n" + indent("\n".join(lines), INDENT)

    def _line(self, i: int, call: CallForm) -> Iterator[str]:
        main, *further = call.outs
        expression = self._expression(call, [self.values[ref] for ref in call.refs])
        depth = 0 if call.kind == "value" else 1 + max((self.depth[ref] for ref in call.refs), default=0)
        alone = self.reads[main] == 1 and self.last[main] == i + 1 and len(expression.text) <= MOST_INLINED
        if not further and (call.kind == "value" or (alone and depth < MOST_NESTED)):
            self.values[main], self.depth[main] = expression, depth
            return
        free = self._free(i)
        for out in call.outs:
            name = self._name(out, call.name.name if self.last.get(out, -1) > i + 1 else "", free)
            self.values[out], self.variables[out] = Expression(name), name
        target, *names = (self.variables[out] for out in call.outs)
        if call.kind == "parts" and len(names) > 1:  # torch returns an LSTM's states as a tuple of their own
            names = [f"({', '.join(names)})"]
        yield f"{', '.join([target, *names])} = {expression.text}"

    def _free(self, i: int) -> list[str]:
        """Return the variables that are not read after call ``i``, those that it reads first."""
        own = [self.variables.get(ref, "x") for ref in dict.fromkeys(self.calls[i].refs) if self.last[ref] <= i]
        pending = " ".join(
            self.values[value].text for value, last in self.last.items() if last > i and value in self.values
        )
        alive = {"_", *re.findall(r"\w+", pending)}
        return [name for name in dict.fromkeys([*own, "x", *self.variables.values()]) if name not in alive]

    def _name(self, out: str, wish: str, free: list[str]) -> str:
        """Return a variable for a value: the value's own name, a free variable, or a new one."""
        if self.reads[out] == 0:
            return "_"
        taken = {*self.variables.values(), "F", "torch", "nn", "self", "super", "float"}
        if is_plain_name(wish) and wish not in taken:
            return wish
        if free:
            return free.pop(0)
        names: list[str] = [*"yz", *(f"y{i}" for i in range(2, len(taken) + 3))]
        return next(name for name in names if name not in taken)

    def _expression(self, call: CallForm, inputs: Sequence[Expression]) -> Expression:
        if call.kind == "value":
            return Expression(call.callee)
        if call.kind == "function":
            return spell_function(call.callee, inputs, call.form)
        if call.kind == "zeros":
            return Expression(_zeros(call.form, call.callee))
        made, template, padding, picked = call.form
        callee = call.callee if made is None else call.callee.format(finite(spell_arguments(made)))
        words = fill(template, inputs, {})
        if not padding:
            return Expression(f"{callee}({words}){picked}")
        pads, filling = text(padding[0]), padding[1]
        padded = f"{callee}(F.pad({words}, {pads}{filling})){picked}"
        ones = f"F.pad(torch.ones_like({words}), {pads}{filling})"
        return Expression(padded) if call.kind == "pad" else Expression(f"{padded} / {callee}({ones})", True)
