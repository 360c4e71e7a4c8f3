"""A graph as a picture's source: Graphviz's dot and Mermaid's flowcharts, each module a frame around its layers.

Laying it out and drawing it is those programs' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from convcalc.algebra.dims import show_shape
from convcalc.network.graph import Graph, Node

INDENT = "  "


@dataclass
class Frame:
    """A module with what is drawn inside it, by place in the graph."""

    path: str
    kind: str
    places: list[int] = field(default_factory=list)
    frames: dict[str, Frame] = field(default_factory=dict)


def frames(graph: Graph) -> Frame:
    """The modules of a graph, nested, each with the calls of the layers that it holds.

    >>> from convcalc import zoo, trace
    >>> list(frames(trace(zoo.load("resnet18")[0], (1, 3, 64, 64))).frames)
    ['layer1', 'layer2', 'layer3', 'layer4']
    """
    root = Frame("", graph.modules.get("", ""))
    for i, node in enumerate(graph.nodes):
        at, parts = root, node.path.split(".")
        for j in range(1, len(parts)):
            path = ".".join(parts[:j])
            if path in graph.modules:
                at = at.frames.setdefault(path, Frame(path, graph.modules[path]))
        at.places.append(i)
    return root


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
    ids = _ids(graph)
    lines = [f"digraph {_quoted(name)} {{", f'{INDENT}node [shape=box, fontname="Helvetica"];']
    for input, shape in graph.inputs.items():
        lines.append(f"{INDENT}{ids[input]} [label={_quoted(input, show_shape(shape[1:]))}, shape=oval];")
    lines += _dot_frame(graph, frames(graph), INDENT)
    lines += [f"{INDENT}{ids[source]} -> {ids[node.name]};" for node in graph.nodes for source in node.inputs]
    for i, output in enumerate(graph.outputs):
        label = "output" if len(graph.outputs) == 1 else f"output {i + 1}"
        lines += [f"{INDENT}o{i} [label={_quoted(label)}, shape=oval];", f"{INDENT}{ids[output]} -> o{i};"]
    return "\n".join([*lines, "}"])


def _dot_frame(graph: Graph, frame: Frame, indent: str) -> Iterator[str]:
    for i in frame.places:
        yield f"{indent}n{i} [label={_quoted(*_label(graph.nodes[i]))}];"
    for inner in frame.frames.values():
        yield f"{indent}subgraph {_quoted('cluster_' + inner.path)} {{"
        yield f"{indent + INDENT}label={_quoted(_title(inner))};"
        yield from _dot_frame(graph, inner, indent + INDENT)
        yield indent + "}"


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
    ids = _ids(graph)
    lines = ["flowchart TD"]
    for input, shape in graph.inputs.items():
        lines.append(f"{INDENT}{ids[input]}([{_marked(input, show_shape(shape[1:]))}])")
    lines += _mermaid_frame(graph, frames(graph), INDENT)
    lines += [f"{INDENT}{ids[source]} --> {ids[node.name]}" for node in graph.nodes for source in node.inputs]
    for i, output in enumerate(graph.outputs):
        label = "output" if len(graph.outputs) == 1 else f"output {i + 1}"
        lines += [f"{INDENT}o{i}([{_marked(label)}])", f"{INDENT}{ids[output]} --> o{i}"]
    return "\n".join(lines)


def _mermaid_frame(graph: Graph, frame: Frame, indent: str) -> Iterator[str]:
    for i in frame.places:
        yield f"{indent}n{i}[{_marked(*_label(graph.nodes[i]))}]"
    for inner in frame.frames.values():
        first = next(_places(inner))
        yield f"{indent}subgraph m{first}_{inner.path.count('.')}[{_marked(_title(inner))}]"
        yield from _mermaid_frame(graph, inner, indent + INDENT)
        yield indent + "end"


def _places(frame: Frame) -> Iterator[int]:
    yield from frame.places
    for inner in frame.frames.values():
        yield from _places(inner)


def _ids(graph: Graph) -> dict[str, str]:
    """A short name for each input and call: paths hold signs that these languages read as their own."""
    return {
        **{name: f"i{i}" for i, name in enumerate(graph.inputs)},
        **{node.name: f"n{i}" for i, node in enumerate(graph.nodes)},
    }


def _label(node: Node) -> tuple[str, str, str]:
    return node.name, repr(node.layer), show_shape(node.output_shape[1:])


def _title(frame: Frame) -> str:
    return f"{frame.path}: {frame.kind}"


def _quoted(*lines: str) -> str:
    """Lines as one of dot's strings."""
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line) + '"'


def _marked(*lines: str) -> str:
    """Lines as one of Mermaid's strings, in which some signs have names."""
    names = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    return '"' + "<br>".join("".join(names.get(sign, sign) for sign in line) for line in lines if line) + '"'
