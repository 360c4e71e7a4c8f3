"""The graph of a network, between everything that makes networks and everything that reads them.

A node is one *call* of a layer, not a layer: a layer called twice makes two nodes, and owns its weights once. A graph
is frozen. It is recorded by `network.trace` and analysed in `convcalc.analysis`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

from convcalc.algebra.dims import as_dim, letter, show, substitute
from convcalc.algebra.types import Condition, Dim, Shape, is_symbolic
from convcalc.errors import ShapeError, UnknownName, did_you_mean
from convcalc.layers.base import Layer

SEVERAL_OUTPUTS = "several outputs"
"""The beginning of a report's note on a network of several outputs, by which readers of its JSON recognise it."""

Via: TypeAlias = Literal["module", "function", "operator", "method"]
"""How a call reached its layer: as a ``module`` that the model holds (or a parameter of it), as a ``function``
(``cc.cat((x, y))``, or a layer made inside ``forward``), as an ``operator`` (``x + y``, ``x[:, 0]``), or as a
``method`` (``x.flatten(1)``)."""


class Node(NamedTuple):
    """One call of a layer.

    ``path`` is where the layer sits in the model, ``call`` counts the calls of this layer object, ``inputs`` are names
    of nodes or of the graph's inputs, ``owner`` is the path of the module whose ``forward`` made the call, and ``via``
    is how the call was written, which some tools count by.
    """

    path: str
    call: int
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    owner: str = ""
    via: Via = "module"

    @property
    def name(self) -> str:
        """Return the node's name in the graph: its path, with the number of the call if it is not the first."""
        return node_name(self.path, self.call)


def node_name(path: str, call: int) -> str:
    """Return the name of the call numbered ``call``, from 0, of the layer at ``path``.

    >>> node_name("layer1.0.relu", 1)
    'layer1.0.relu:1'
    """
    return f"{path}:{call}" if call else path


class Reason(NamedTuple):
    """Why a relation of letters must hold: the node that demands it, and the error where it does not hold."""

    node: str
    what: str


@dataclass(frozen=True)
class Graph:
    """A network as recorded: inputs, calls in order, outputs.

    ``owned`` maps every path of the model's ``state_dict`` to the layer that holds its tensors; a layer under two paths
    is there twice, as in torch. ``modules`` names the composite at each path. ``assumptions`` must hold for the letters
    in the shapes; ``reasons`` says of each relation demanded, including those that others imply, which node demanded it
    and why. ``retrace`` traces the model that the graph came from for other shapes.
    """

    inputs: Mapping[str, Shape]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    owned: Mapping[str, Layer] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[Condition, ...] = ()
    reasons: Mapping[Condition, Reason] = field(default_factory=dict)
    retrace: Callable[..., Graph] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def pixels(self) -> Shape:
        """Return the sizes of the input's spatial axes; of several inputs, those of the one with the most axes."""
        return max((shape[2:] for shape in self.inputs.values()), key=len, default=())

    @property
    def unused(self) -> tuple[str, ...]:
        """Return the paths of layers that are owned but never called, such as auxiliary heads in eval mode."""
        called = {id(node.layer) for node in self.nodes}
        return tuple(path for path, layer in self.owned.items() if id(layer) not in called)

    def state_dict(self) -> dict[str, Shape]:
        """Return the shape of each tensor in torch's ``state_dict`` by name, learned or not."""
        return {
            ".".join(filter(None, (path, name))): shape
            for path, layer in self.owned.items()
            for name, shape in (*layer.weights().items(), *layer.buffers().items())
        }

    @property
    def letters(self) -> tuple[str, ...]:
        """Return the letters in the inputs and the layers, in the order in which they occur."""
        values: list[Any] = [*self.inputs.values(), *[vars(layer) for layer in self.owned.values()]]
        return tuple(dict.fromkeys(str(name) for dim in _dims(values) for name in sorted(dim.free_symbols, key=str)))

    def subs(self, values: Mapping[str, Dim] = {}, **sizes: Dim) -> Graph:
        """Return the graph with numbers (or other dims) substituted for letters: ``graph.subs(H=224, W=224)``.

        It equals, node by node, a trace with these numbers: where numbers replace all letters and the model is at hand,
        it is traced again, since ``forward`` may depend on sizes. Raises UnknownName for a letter that is not in the
        graph, ShapeError where a node's demand does not hold.

        >>> from convcalc import nn, symbols, trace
        >>> graph = trace(nn.Conv2d(3, 8, 3), (1, 3, *symbols("H W")))
        >>> graph.subs(H=32, W=30).nodes[0].output_shape
        (1, 8, 30, 28)
        """
        graph = filled(self, {**values, **sizes})
        in_layers = any(True for _ in _dims([vars(layer) for layer in self.owned.values()]))
        return graph if self.retrace is None or in_layers or graph.letters else self.retrace(*graph.inputs.values())

    def __getitem__(self, name: str) -> Node:
        return {node.name: node for node in self.nodes}[name]


def _dims(values: Any) -> Iterator[Any]:
    """Yield the dims with letters in nested tuples, lists, mappings and layers."""
    if is_symbolic(values):
        yield values
    elif isinstance(values, Layer):
        yield from _dims(vars(values))
    elif isinstance(values, (tuple, list, Mapping)):
        for value in values.values() if isinstance(values, Mapping) else values:
            yield from _dims(value)


def filled(graph: Graph, sizes: Mapping[str, Dim]) -> Graph:
    """Return ``graph`` with ``sizes`` substituted for its letters; raises as `Graph.subs`, and never traces again."""
    from convcalc.algebra.symbolic import drop_implied, restate

    letters = graph.letters
    for name in sizes:
        if name not in letters:
            near = did_you_mean(name, letters)
            hint = near or (f"its letters are {', '.join(letters)}" if letters else "it has no letters")
            raise UnknownName(f"the network has no letter {name}", hint=hint)
    values = {letter(name): as_dim(size, name) for name, size in sizes.items()}
    put = _substitution(values)
    with_dims = ("layer", "input_shapes", "output_shape")
    nodes = [node._replace(**{name: put(getattr(node, name)) for name in with_dims}) for node in graph.nodes]
    reasons: dict[Condition, Reason] = {}
    relation: Any
    for relation, reason in graph.reasons.items():
        now = restate(relation, values)
        if now is False:
            substituted = ", ".join(f"{name} = {show(size)}" for name, size in sizes.items())
            raise ShapeError(f"needs {show(relation)}, which does not hold with {substituted}", where=reason.node)
        if now is not True:
            reasons[now] = reason
    changed = {"inputs": put(graph.inputs), "owned": put(graph.owned), "assumptions": drop_implied(reasons)}
    return replace(graph, nodes=tuple(nodes), reasons=reasons, **changed)


def _substitution(values: Mapping[Any, Dim]) -> Callable[[Any], Any]:
    """Return a function that substitutes dims in nested values; one layer object becomes one layer object."""
    layers: dict[int, tuple[Layer, Layer]] = {}  # by id, with the old layer, so that it lives as long as its id is used

    def put(value: Any) -> Any:
        if is_symbolic(value):
            return substitute(value, values)
        if isinstance(value, Layer):
            if id(value) not in layers:
                arguments = put(vars(value))
                same = all(arguments[name] is argument for name, argument in vars(value).items())
                layers[id(value)] = value, value if same else type(value)(**arguments)
            return layers[id(value)][1]
        if isinstance(value, Mapping):
            return {name: put(item) for name, item in value.items()}
        if isinstance(value, (tuple, list)):
            items = [put(item) for item in value]
            if all(new is old for new, old in zip(items, value)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value

    return put
