"""Graphs to pictures, in the languages of Graphviz and Mermaid. Nothing is drawn here: this is their source text."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from convcalc.algebra.dims import show_shape
from convcalc.network.graph import Graph, Node

INDENT = "  "


class _Language(NamedTuple):
    """The syntax of a picture's source; ``escapes`` are the signs that its texts may not contain."""

    escapes: Mapping[int, str]
    line: str
    box: str
    oval: str
    edge: str
    frame: str
    end: str

    def quote(self, *lines: str) -> str:
        """Return lines as one quoted text; empty ones are left out."""
        return '"' + self.line.join(line.translate(self.escapes) for line in lines if line) + '"'


_DOT = _Language(
    str.maketrans({"\\": "\\\\", '"': '\\"'}),
    "\\n",
    "{} [label={}];",
    "{} [label={}, shape=oval];",
    "{} -> {};",
    "subgraph {name} {{\n{indent}label={title};",
    "}",
)
_MERMAID = _Language(
    str.maketrans({"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}),
    "<br>",
    "{}[{}]",
    "{}([{}])",
    "{} --> {}",
    "subgraph {place}[{title}]",
    "end",
)


def write_dot(graph: Graph, name: str = "network") -> str:
    """Return a graph in Graphviz's language: ``convcalc export ... --to dot | dot -Tsvg``.

    >>> from convcalc import nn, trace
    >>> print(write_dot(trace(nn.ReLU(), (1, 8))))
    digraph "network" {
      node [shape=box, fontname="Helvetica"];
      i0 [label="input\\n8", shape=oval];
      n0 [label="ReLU()\\n8"];
      i0 -> n0;
      o0 [label="output", shape=oval];
      n0 -> o0;
    }
    """
    head = f'digraph {_DOT.quote(name)} {{\n{INDENT}node [shape=box, fontname="Helvetica"];'
    return "\n".join([head, *_drawn(graph, _DOT), "}"])


def write_mermaid(graph: Graph) -> str:
    """Return a graph in Mermaid's language, which GitHub draws if it is in a ``mermaid`` block.

    >>> from convcalc import nn, trace
    >>> print(write_mermaid(trace(nn.ReLU(), (1, 8))))
    flowchart TD
      i0(["input<br>8"])
      n0["ReLU()<br>8"]
      i0 --> n0
      o0(["output"])
      n0 --> o0
    """
    return "\n".join(["flowchart TD", *_drawn(graph, _MERMAID)])


def _drawn(graph: Graph, language: _Language) -> Iterator[str]:
    """Yield all lines but the head; ids are numbers, since paths contain signs with a meaning of their own here."""
    ids = {name: f"i{i}" for i, name in enumerate(graph.inputs)}
    ids.update((node.name, f"n{i}") for i, node in enumerate(graph.nodes))
    for name, shape in graph.inputs.items():
        yield INDENT + language.oval.format(ids[name], language.quote(name, show_shape(shape[1:])))
    yield from _framed(graph, enumerate(graph.nodes), "", language, INDENT)[1]
    for node in graph.nodes:
        yield from (INDENT + language.edge.format(ids[source], ids[node.name]) for source in node.inputs)
    for i, output in enumerate(graph.outputs):
        label = "output" if len(graph.outputs) == 1 else f"output {i + 1}"
        yield INDENT + language.oval.format(f"o{i}", language.quote(label))
        yield INDENT + language.edge.format(ids[output], f"o{i}")


def _framed(
    graph: Graph, nodes: Iterable[tuple[int, Node]], path: str, language: _Language, indent: str
) -> tuple[int, list[str]]:
    """Return the number of the first layer below ``path``, and the lines: layers, then a frame for each module."""
    held: dict[str, list[tuple[int, Node]]] = {}
    for i, node in nodes:
        above = accumulate(node.path.split(".")[:-1], "{}.{}".format)
        inner = next((at for at in above if at in graph.modules and len(at) > len(path)), "")
        held.setdefault(inner, []).append((i, node))
    printed, lines = [], []
    for i, node in held.pop("", ()):
        label = language.quote(node.name, repr(node.layer), show_shape(node.output_shape[1:]))
        lines.append(indent + language.box.format(f"n{i}", label))
        printed.append(i)
    for inner, within in held.items():
        first, inside = _framed(graph, within, inner, language, indent + INDENT)
        printed.append(first)
        name, title = language.quote(f"cluster_{inner}"), language.quote(f"{inner}: {graph.modules[inner]}")
        place = f"m{first}_{inner.count('.')}"
        head = language.frame.format(name=name, title=title, place=place, indent=indent + INDENT)
        lines += [indent + head, *inside, indent + language.end]
    return [*printed, 0][0], lines
