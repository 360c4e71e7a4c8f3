"""Networks from JSON: a report, with or without the graph's part, to a graph; nothing in it is executed.

All rows are computed again; a file whose shapes differ from the results is refused.
"""

import ast
import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from convcalc.algebra.expression import LITERALS, Language
from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import Shape, is_symbolic
from convcalc.errors import ConvcalcError, SpecError, UnknownName, did_you_mean
from convcalc.formats.json.write import SCHEMA_VERSION
from convcalc.formats.sheet.names import kinds
from convcalc.formats.sheet.plan import guarded
from convcalc.formats.sheet.source import parse_expression
from convcalc.layers.base import Layer, Output
from convcalc.network.graph import SEVERAL_OUTPUTS, Graph, Via, node_name
from convcalc.network.tensor import Tensor, is_unheld, usual_via
from convcalc.network.trace import Tape

MOST_BYTES = 200_000_000
MOST_ROWS = 100_000
MOST_SPEC = 10_000
MOST_PARTS = 100  # of a path, each of which is looked up with all before it

_KINDS = {dict: "an object", list: "a list", str: "a string", int: "an integer"}


def read_json(text: str, name: str = "network", shapes: Sequence[Shape] = ()) -> Graph:
    """Return the graph of a JSON text; ``shapes`` (with the batch) replace those of its inputs.

    Raises SpecError if the text is not a network's JSON, ShapeError if a layer cannot take its input.

    >>> from convcalc import summary
    >>> read_json(summary("lenet5").to_text("json")).nodes[0].layer
    Conv2d(1, 6, 5)
    """
    return NetworkDocument(text, name).graph(*shapes)


class NetworkDocument:
    """A network's JSON; ``shapes`` are those of its inputs, with the batch. Raises SpecError if it is not valid."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.document = self._parse(text)
        network = self.document.get("network")
        self.network = network if isinstance(network, str) and network else name
        rows = self._of(self.document.get("rows"), list, "rows")
        if len(rows) > MOST_ROWS:
            raise self._wrong(f"a network may not have more than {MOST_ROWS:,} layers")
        self.rows = [self._of(row, dict, f"row {i}") for i, row in enumerate(rows, 1)]
        self.rest = self._of(self.document.get("graph", {}), dict, "graph")
        self.shapes = [self._shape(shape) for shape in self._of(self.document.get("inputs"), list, "inputs")]

    def _wrong(self, what: str, place: str = "", hint: str = "") -> SpecError:
        return SpecError(what, where=f"{self.name}: {place}" if place else self.name, hint=hint)

    def _parse(self, text: str) -> dict[str, Any]:
        if len(text) > MOST_BYTES:
            raise self._wrong(f"a network's JSON may have at most {MOST_BYTES:,} characters")
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            where = f"{self.name}:{error.lineno}:{error.colno}"
            raise SpecError(f"this is not JSON: {error.msg}", where=where) from None
        except (ValueError, RecursionError):
            raise self._wrong("this is not JSON: it is nested too deeply") from None
        if not isinstance(document, dict) or "schema_version" not in document:
            hint = "convcalc export resnet50 --to json writes such a file"
            raise self._wrong("expected a network's JSON, with a schema_version", hint=hint)
        version = document["schema_version"]
        if isinstance(version, bool) or version != SCHEMA_VERSION:
            what = f"schema_version {json.dumps(version)[:40]} is unknown; this convcalc reads {SCHEMA_VERSION}"
            raise self._wrong(what, hint="a newer version may read it")
        return document

    def graph(self, *shapes: Shape) -> Graph:
        """Return the graph for inputs of these shapes, or for the file's own, whose output shapes are then checked."""
        self.tape = Tape()
        self.layers: dict[str, Layer] = {}
        self.values: dict[str, Tensor] = {}
        self.read: set[str] = set()
        names, input_shapes = self._input_names(), list(shapes) or self.shapes
        if len(names) != len(input_shapes):
            raise self._wrong(f"takes {len(names)} input{'s' * (len(names) != 1)}, received {len(input_shapes)}")
        self.values.update((name, self.tape.input(name, shape)) for name, shape in zip(names, input_shapes))
        owners = self._texts(self.rest.get("owners", [""] * len(self.rows)), "owners")
        if len(owners) != len(self.rows):
            received = f"{len(self.rows)} rows and {len(owners)} owners"
            raise self._wrong(f"expected an owner for each row; received {received}", "graph")
        for i, (row, owner) in enumerate(zip(self.rows, owners), 1):
            self._call(row, owner, f"row {i}", input_shapes == self.shapes)
        modules = self._of(self.rest.get("modules", {}), dict, "modules")
        self._texts(list(modules.values()), "modules")
        outputs = self._texts(self.rest["outputs"], "outputs") if "outputs" in self.rest else self._ends()
        if not outputs:
            raise self._wrong("expected at least one output", "outputs")
        graph = self.tape.graph(*[self._known(output, "outputs") for output in outputs])
        owned = self._owned()
        self._check_paths(owned, [*owned, *filter(None, modules)])
        return replace(graph, owned=owned, modules=modules)

    def _check_paths(self, owned: Mapping[str, Layer], paths: Sequence[str]) -> None:
        """Raise SpecError for texts that are not paths, and for paths inside a layer."""
        for path in filter(None, paths):
            parts = path.split(".")
            if len(parts) > MOST_PARTS:
                raise self._wrong(f"{path!r:.80} is a path of more than {MOST_PARTS} names")
            if "" in parts:
                raise self._wrong(f"{path!r:.80} is not a path; write names separated by dots")
            for holder in (".".join(parts[:i]) for i in range(len(parts))):
                if holder in owned:
                    raise self._wrong(f"{path!r:.80} is inside {holder!r:.80}, which is a layer")

    def _input_names(self) -> list[str]:
        """Return the names of the inputs; if the file does not list them, those that rows read and no row produces."""
        if "inputs" in self.rest:
            return self._texts(self.rest["inputs"], "inputs")
        made = {node_name(str(row.get("path")), row.get("call", 0)) for row in self.rows}
        lists = [self._texts(row.get("inputs", []), f"row {i}: inputs") for i, row in enumerate(self.rows, 1)]
        read = dict.fromkeys(name for names in lists for name in names)
        return [name for name in read if name not in made] or ["input"][: len(self.shapes)]

    def _call(self, row: Mapping[str, Any], owner: str, what: str, check: bool) -> None:
        path = self._of(row.get("path"), str, f"{what}: path")
        name = node_name(path, self._of(row.get("call", 0), int, f"{what}: call"))
        spec = self._of(row.get("spec"), str, f"{what}: spec")
        layer = self.layers.get(path) or read_layer(spec, f"{self.name}: {what}")
        if path in self.layers and repr(layer) != spec:
            raise self._wrong(f"{path} is {layer!r} in an earlier row", what)
        self.layers[path] = layer
        names = self._texts(row.get("inputs", []), f"{what}: inputs")
        inputs = [self._known(each, what) for each in names]
        self.read.update(names)
        with guarded(type(layer).__name__), self.tape.at(path, layer, owner, self._via(path, layer)):
            output = self.tape.record(layer, *inputs, path=path)
        if output.name != name or name in self.values:
            raise self._wrong(f"{name} is out of order; expected {output.name}", what)
        stated, shape = row.get("output_shape"), list(output.shape)
        if check and stated is not None and not any(map(is_symbolic, shape)) and shape != stated:
            raise self._wrong(f"the output_shape is {shape}; the file says {json.dumps(stated)[:80]}", what)
        self.values[name] = output

    def _via(self, path: str, layer: Layer) -> Via:
        """Return how a layer is called, which the file does not say: as a module if one holds it, else as is usual."""
        owned = self.rest.get("owned")
        held = path in owned if isinstance(owned, dict) else not is_unheld(type(layer))
        return "module" if held or isinstance(layer, Output) else usual_via(type(layer))

    def _known(self, name: str, what: str) -> Tensor:
        if name not in self.values:
            raise self._wrong(f"{name!r:.80} is neither an input nor an earlier row", what)
        return self.values[name]

    def _ends(self) -> list[str]:
        """Return the calls that nothing reads: all if a note says that there are several outputs, else the last one."""
        if not self.layers:
            raise self._wrong("there are no layers, so there is nothing to compute")
        ends = [name for name in self.values if name not in self.read]
        notes = self.document.get("notes")
        several = isinstance(notes, list) and any(str(note).startswith(SEVERAL_OUTPUTS) for note in notes)
        return ends if several else ends[-1:]

    def _owned(self) -> dict[str, Layer]:
        if "owned" not in self.rest:
            return self.layers
        owned = {}
        for path, value in self._of(self.rest["owned"], dict, "owned").items():
            spec = self._of(value, str, f"owned {path}")
            owned[path] = self.layers.get(spec) or read_layer(spec, f"{self.name}: owned {path}")
        return owned

    def _texts(self, value: Any, what: str) -> list[str]:
        return [self._of(item, str, what) for item in self._of(value, list, what)]

    def _shape(self, value: Any) -> Shape:
        sizes = self._of(value, list, "inputs")
        for size in sizes:
            if isinstance(size, bool) or not isinstance(size, (int, str)):
                raise self._wrong(f"a size must be an integer or a letter; received {json.dumps(size)[:40]}", "inputs")
        return tuple(parse_dim(str(size), str(size)) for size in sizes)

    def _of(self, value: Any, kind: type[Any], what: str) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(f"expected {_KINDS[kind]}; received {json.dumps(value)[:40]}", what)
        return value


def read_layer(spec: str, where: str = "") -> Layer:
    """Return a layer from its text as `repr` writes it; raise SpecError if that is not a layer.

    >>> read_layer("Conv2d(3, 64, 7, stride=2, padding=3)")
    Conv2d(3, 64, 7, stride=2, padding=3)
    """
    try:
        if len(spec) > MOST_SPEC:
            raise SpecError("it is too long")
        value = _LAYERS.value(parse_expression(spec), _NAMES)
        if not isinstance(value, Layer):
            raise SpecError("it is not a layer")
        return value
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError, AttributeError):
        raise SpecError(f"cannot read the layer {spec!r:.80}", where=where) from None
    except ConvcalcError as error:
        raise SpecError(f"cannot read the layer {spec!r:.80}: {error}", where=where) from None


def _layer(language: Language, node: ast.Call, names: Mapping[str, Any]) -> Any:
    callables: dict[str, Any] = {"slice": slice, "Output": Output, **kinds()}
    if not isinstance(node.func, ast.Name):
        raise language.refuse(node, names)
    if (name := node.func.id) not in callables:
        hint = did_you_mean(name, kinds()) or "a document names layers as torch does: Conv2d"
        raise UnknownName(f"there is no layer called {name!r:.60}", hint=hint)
    kwargs = {str(keyword.arg): language.value(keyword.value, names) for keyword in node.keywords if keyword.arg}
    if len(kwargs) < len(node.keywords):  # one is given twice, or follows **
        raise language.refuse(node, names)
    return callables[name](*[language.value(arg, names) for arg in node.args], **kwargs)


def _word(language: Language, node: ast.Name, names: Mapping[str, Any]) -> Any:
    return names[node.id] if node.id in names else parse_dim(node.id, node.id)


_LAYERS = Language(
    {**LITERALS, ast.Name: _word, ast.Call: _layer},
    {ast.USub: operator.neg},
    lambda node, names: SpecError(f"{ast.unparse(node)[:40]} is not allowed in a layer"),
)
"""Layers as `repr` writes them; other names are letters."""

_NAMES = {"inf": float("inf"), "Ellipsis": ...}
