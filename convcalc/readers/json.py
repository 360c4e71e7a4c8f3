"""A network from JSON, as `writers.json` and `writers.exchange` write it; layers are parsed from text, never executed.

What a file's rows say is computed anew: shapes that differ from those in the file are an error, since then it is not
the network that it says it is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.algebra.dims import Shape, is_symbolic, parse_dim
from convcalc.errors import ConvcalcError, SpecError
from convcalc.layers.base import Layer, Output
from convcalc.network.graph import Graph, node_name
from convcalc.network.tensor import Tensor
from convcalc.network.trace import Tape
from convcalc.readers.hints import guarded
from convcalc.readers.names import camel

SCHEMA_VERSIONS = (1,)
MOST_BYTES = 200_000_000
MOST_ROWS = 100_000
MOST_SPEC = 10_000


def read_json(text: str, name: str = "network", shapes: Sequence[Shape] = ()) -> Graph:
    """The graph of a JSON text; ``shapes`` (full) take the place of the file's own.

    Raises SpecError for text that is not such JSON, of another version, or whose shapes are wrong.

    >>> from convcalc.readers import summary
    >>> from convcalc.writers.json import render
    >>> read_json(render(summary("lenet5"))).nodes[0].layer
    Conv2d(1, 6, 5)
    """
    return _Document(document(text, name), name).graph(shapes)


def document(text: str, name: str = "network") -> dict[str, Any]:
    """The JSON of a network, checked for its version; raises SpecError."""
    if len(text) > MOST_BYTES:
        raise SpecError(f"a network's JSON holds at most {MOST_BYTES:,} characters", where=name)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f"{name}:{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else name
        what = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise SpecError(f"this is not JSON: {what}", where=place) from None
    if not isinstance(found, dict) or "schema_version" not in found:
        raise SpecError("expected a network's JSON, with a schema_version", where=name, hint=_HINT)
    version = found["schema_version"]
    if isinstance(version, bool) or version not in SCHEMA_VERSIONS:
        known = " and ".join(map(str, SCHEMA_VERSIONS))
        raise SpecError(
            f"schema_version {json.dumps(version)[:40]} is not known; this convcalc reads {known}",
            where=name,
            hint="a newer convcalc may read it",
        )
    return found


_HINT = "such a file is written by convcalc export resnet50 --to json"


def input_shapes(found: Mapping[str, Any], name: str) -> list[Shape]:
    """The full shapes of the inputs that a document states."""
    return [_shape(shape, f"{name}: inputs") for shape in _of(found.get("inputs"), list, f"{name}: inputs")]


class _Document:
    """A document being made a graph."""

    def __init__(self, found: Mapping[str, Any], name: str) -> None:
        self.name = name
        self.rows = _of(found.get("rows"), list, f"{name}: rows")
        if len(self.rows) > MOST_ROWS:
            raise SpecError(f"a network may not have more than {MOST_ROWS:,} layers", where=name)
        self.rest = _of(found.get("graph", {}), dict, f"{name}: graph")
        self.shapes = input_shapes(found, name)
        self.notes = found.get("notes", [])
        self.tape = Tape()
        self.layers: dict[str, Layer] = {}
        self.values: dict[str, Tensor] = {}
        self.read: set[str] = set()

    def graph(self, shapes: Sequence[Shape]) -> Graph:
        """The graph, for inputs of these full shapes or its own."""
        names = self._input_names()
        given = list(shapes) or self.shapes
        if len(names) != len(given):
            raise SpecError(f"takes {len(names)} inputs, received {len(given)}", where=self.name)
        self.values.update((name, self.tape.input(name, shape)) for name, shape in zip(names, given))
        owners = self._texts(self.rest.get("owners", [""] * len(self.rows)), "owners")
        if len(owners) != len(self.rows):
            raise SpecError(f"{len(self.rows)} rows and {len(owners)} owners", where=f"{self.name}: graph")
        for i, row in enumerate(self.rows):
            self._call(_of(row, dict, f"{self.name}: row {i + 1}"), owners[i], f"{self.name}: row {i + 1}", not shapes)
        modules = _of(self.rest.get("modules", {}), dict, f"{self.name}: modules")
        if not all(isinstance(kind, str) for kind in modules.values()):
            raise SpecError("expected names of types", where=f"{self.name}: modules")
        outputs = self._texts(self.rest["outputs"], "outputs") if "outputs" in self.rest else self._ends()
        graph = self.tape.graph(*[self._known(output, f"{self.name}: outputs") for output in outputs])
        return replace(graph, owned=self._owned(), modules=modules)

    def _input_names(self) -> list[str]:
        """The inputs' names: those that are given, else whatever the rows read that no row makes."""
        if "inputs" in self.rest:
            return self._texts(self.rest["inputs"], "inputs")
        made = {node_name(str(row.get("path")), row.get("call", 0)) for row in self.rows if isinstance(row, dict)}
        read = [name for row in self.rows if isinstance(row, dict) for name in row.get("inputs") or ()]
        found = list(dict.fromkeys(name for name in read if isinstance(name, str) and name not in made))
        return found if found or len(self.shapes) != 1 else ["input"]

    def _call(self, row: Mapping[str, Any], owner: str, where: str, check: bool) -> None:
        """The call of one row."""
        path, call = _of(row.get("path"), str, f"{where}: path"), _of(row.get("call", 0), int, f"{where}: call")
        name = node_name(path, call)
        layer = self.layers.get(path) or read_layer(_of(row.get("spec"), str, f"{where}: spec"), where)
        if path in self.layers and repr(layer) != row.get("spec"):
            raise SpecError(f"{path} is {layer!r} in a row before", where=where)
        self.layers[path] = layer
        names = self._texts(row.get("inputs", []), f"{where}: inputs")
        inputs = [self._known(each, where) for each in names]
        self.read.update(names)
        with guarded(type(layer).__name__, len(inputs)), self.tape.at(path, layer, owner):
            output = self.tape.record(layer, *inputs, path=path)
        if output.name != name or name in self.values:
            raise SpecError(f"{name} stands in the wrong place; expected {output.name}", where=where)
        stated, shape = row.get("output_shape"), list(output.shape)
        if check and stated is not None and not any(map(is_symbolic, shape)) and shape != stated:
            raise SpecError(f"the output_shape is {shape}; the file says {json.dumps(stated)[:80]}", where=where)
        self.values[name] = output

    def _known(self, name: str, where: str) -> Tensor:
        if name not in self.values:
            raise SpecError(f"{name!r:.80} is neither an input nor a row before", where=where)
        return self.values[name]

    def _ends(self) -> list[str]:
        """The calls that nothing reads; of several the last, unless the notes say that there are several outputs."""
        ends = [name for name in self.values if name not in self.read]
        if not self.layers:
            raise SpecError("no layers, so nothing to compute", where=self.name)
        several = isinstance(self.notes, list) and any(str(note).startswith("several outputs") for note in self.notes)
        return ends if several else ends[-1:]

    def _owned(self) -> dict[str, Layer]:
        """The layer at each path of the state: one that is called, or one of its own."""
        if "owned" not in self.rest:
            return dict(self.layers)
        owned = {}
        for path, said in _of(self.rest["owned"], dict, f"{self.name}: owned").items():
            spec = _of(said, str, f"{self.name}: owned {path}")
            owned[path] = self.layers.get(spec) or read_layer(spec, f"{self.name}: owned {path}")
        return owned

    def _texts(self, value: Any, what: str) -> list[str]:
        items = _of(value, list, f"{self.name}: {what}")
        return [_of(item, str, f"{self.name}: {what}") for item in items]


def read_layer(spec: str, where: str = "") -> Layer:
    """A layer from its text, as `repr` writes it; raises SpecError.

    >>> read_layer("Conv2d(3, 64, 7, stride=2, padding=3)")
    Conv2d(3, 64, 7, stride=2, padding=3)
    """
    try:
        if len(spec) > MOST_SPEC:
            raise SpecError("it is too long")
        value = _value(ast.parse(spec, mode="eval").body)
        if not isinstance(value, Layer):
            raise SpecError("it is no layer")
        return value
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError, AttributeError):
        raise SpecError(f"cannot read the layer {spec!r:.80}", where=where) from None
    except ConvcalcError as error:
        raise SpecError(f"cannot read the layer {spec!r:.80}: {error}", where=where) from None


_NAMES = {"inf": float("inf"), "Ellipsis": ...}


def _value(node: ast.expr) -> Any:
    """The value of what may stand in a layer's text: numbers, texts, tuples, slices, letters, layers."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return _NAMES[node.id] if node.id in _NAMES else parse_dim(node.id, node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(map(_value, node.elts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        args = list(map(_value, node.args))
        kwargs = {str(keyword.arg): _value(keyword.value) for keyword in node.keywords if keyword.arg}
        if len(kwargs) == len(node.keywords):
            if node.func.id == "slice":
                return slice(*args)
            return Output(*args, **kwargs) if node.func.id == "Output" else camel(node.func.id, args, kwargs)
    raise SpecError(f"{ast.unparse(node)[:40]} cannot stand in a layer")


def _shape(value: Any, where: str) -> Shape:
    """A shape of whole numbers and letters."""
    sizes = _of(value, list, where)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, str)):
            raise SpecError(f"a size is a whole number or a letter; received {json.dumps(size)[:40]}", where=where)
    return tuple(parse_dim(str(size), str(size)) for size in sizes)


def _of(value: Any, kind: type[Any], where: str) -> Any:
    """``value``, which must be of this type; raises SpecError."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        wanted = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}[kind]
        raise SpecError(f"expected {wanted}; received {json.dumps(value)[:40]}", where=where)
    return value
