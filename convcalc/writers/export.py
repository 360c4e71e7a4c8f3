"""A graph in the language of another program: a sheet, torch code, JSON, and pictures' source.

Pictures are Graphviz's dot and Mermaid's flowcharts, each module a frame around its layers; those programs lay out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from convcalc.algebra.dims import show_shape
from convcalc.errors import UnknownName, did_you_mean
from convcalc.network.graph import Graph

INDENT = "  "


def export(graph: Graph, target: str, name: str = "") -> str:
    """``graph`` as ``torch``, ``net``, ``json``, ``dot`` or ``mermaid``; ``name`` is the network's.

    Raises UnsupportedOperation where the target cannot say it, and UnknownName for another target.

    >>> from convcalc import nn, trace
    >>> print(export(trace(nn.Sequential(nn.Linear(8, 2)), (1, 8)), "net", "tiny"))
    net('tiny')
    input(8)
    <BLANKLINE>
    linear(2)
    """
    if target == "torch":
        from convcalc.writers.torch import write_torch

        return write_torch(graph, name)
    if target == "net":
        from convcalc.writers.spec import write_spec

        return write_spec(graph, name) + _never_called(graph)
    if target == "json":
        return _json(graph, name)
    if target in ("dot", "mermaid"):
        return write_dot(graph, name or "network") if target == "dot" else write_mermaid(graph)
    known = ("torch", "net", "json", "dot", "mermaid")
    raise UnknownName(
        f"cannot export to {target!r}", hint=did_you_mean(target, known) or f"there are {', '.join(known)}"
    )


def _never_called(graph: Graph) -> str:
    from convcalc.writers.structure import holds

    lost = [path for path in graph.unused if holds(graph.owned[path])]
    return f"\n\n# never called, and so not on this sheet: {', '.join(lost)}" if lost else ""


def _json(graph: Graph, name: str) -> str:
    """A report as JSON, with ``graph`` added: what its rows do not say, so that `readers.json` can read it back."""
    from json import dumps

    from convcalc.analysis.report import analyze
    from convcalc.writers.json import render

    called = {id(node.layer): node.path for node in graph.nodes}
    more = {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "owners": [node.owner for node in graph.nodes],
        "owned": {path: called.get(id(layer)) or repr(layer) for path, layer in graph.owned.items()},
        "modules": dict(graph.modules),
    }
    text = render(analyze(graph, network=name)).removesuffix("}")
    return f'{text},\n "graph": {dumps(more, ensure_ascii=False)}}}'


@dataclass
class Frame:
    """A module with what is drawn inside it, by place in the graph."""

    title: str
    path: str = ""
    places: list[int] = field(default_factory=list)
    frames: dict[str, Frame] = field(default_factory=dict)

    def first(self) -> int:
        return self.places[0] if self.places else next(iter(self.frames.values())).first()


def _frames(graph: Graph) -> Frame:
    root = Frame("")
    for i, node in enumerate(graph.nodes):
        at, parts = root, node.path.split(".")
        for j in range(1, len(parts)):
            path = ".".join(parts[:j])
            if path in graph.modules:
                at = at.frames.setdefault(path, Frame(f"{path}: {graph.modules[path]}", path))
        at.places.append(i)
    return root


class _Language(NamedTuple):
    """How a picture's source says a layer, an input or output, an edge, the head and the end of a frame."""

    quoted: Callable[..., str]
    box: str
    oval: str
    edge: str
    frame: Callable[[Frame, str], list[str]]
    end: str


def write_dot(graph: Graph, name: str = "network") -> str:
    """The graph in Graphviz's language: ``convcalc export ... --to dot | dot -Tsvg``.

    >>> from convcalc import nn, trace
    >>> print(write_dot(trace(nn.Sequential(nn.ReLU()), (1, 8))))
    digraph "network" {
      node [shape=box, fontname="Helvetica"];
      i0 [label="input\\n8", shape=oval];
      n0 [label="0\\nReLU()\\n8"];
      i0 -> n0;
      o0 [label="output", shape=oval];
      n0 -> o0;
    }
    """

    def frame(inner: Frame, indent: str) -> list[str]:
        head = f"{indent}subgraph {_quoted('cluster_' + inner.path)} {{"
        return [head, f"{indent + INDENT}label={_quoted(inner.title)};"]

    language = _Language(_quoted, "{} [label={}];", "{} [label={}, shape=oval];", "{} -> {};", frame, "}")
    head = [f"digraph {_quoted(name)} {{", f'{INDENT}node [shape=box, fontname="Helvetica"];']
    return "\n".join([*head, *_drawn(graph, language), "}"])


def write_mermaid(graph: Graph) -> str:
    """The graph in Mermaid's language, which GitHub draws from a ``mermaid`` block.

    >>> from convcalc import nn, trace
    >>> print(write_mermaid(trace(nn.Sequential(nn.ReLU()), (1, 8))))
    flowchart TD
      i0(["input<br>8"])
      n0["0<br>ReLU()<br>8"]
      i0 --> n0
      o0(["output"])
      n0 --> o0
    """

    def frame(inner: Frame, indent: str) -> list[str]:
        return [f"{indent}subgraph m{inner.first()}_{inner.path.count('.')}[{_marked(inner.title)}]"]

    language = _Language(_marked, "{}[{}]", "{}([{}])", "{} --> {}", frame, "end")
    return "\n".join(["flowchart TD", *_drawn(graph, language)])


def _drawn(graph: Graph, language: _Language) -> Iterator[str]:
    """All lines but the head; ids are numbers, since paths hold signs that these languages read as their own."""
    ids = {name: f"i{i}" for i, name in enumerate(graph.inputs)}
    ids.update((node.name, f"n{i}") for i, node in enumerate(graph.nodes))

    def inside(frame: Frame, indent: str) -> Iterator[str]:
        for i in frame.places:
            node = graph.nodes[i]
            label = language.quoted(node.name, repr(node.layer), show_shape(node.output_shape[1:]))
            yield indent + language.box.format(f"n{i}", label)
        for inner in frame.frames.values():
            yield from language.frame(inner, indent)
            yield from inside(inner, indent + INDENT)
            yield indent + language.end

    for name, shape in graph.inputs.items():
        yield INDENT + language.oval.format(ids[name], language.quoted(name, show_shape(shape[1:])))
    yield from inside(_frames(graph), INDENT)
    for node in graph.nodes:
        yield from (INDENT + language.edge.format(ids[source], ids[node.name]) for source in node.inputs)
    for i, output in enumerate(graph.outputs):
        label = "output" if len(graph.outputs) == 1 else f"output {i + 1}"
        yield INDENT + language.oval.format(f"o{i}", language.quoted(label))
        yield INDENT + language.edge.format(ids[output], f"o{i}")


def _quoted(*lines: str) -> str:
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line) + '"'


def _marked(*lines: str) -> str:
    names = str.maketrans({"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"})
    return '"' + "<br>".join(line.translate(names) for line in lines if line) + '"'
