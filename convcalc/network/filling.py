"""Dims put in place of the letters of a graph: in its shapes, in its layers' arguments, in what it demands.

`Graph.subs` is the way in. Solving assumptions of a user's is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from convcalc.algebra.dims import Condition, Dim, as_dim, is_symbolic, letter, show, substitute
from convcalc.errors import ShapeError, UnknownName, did_you_mean
from convcalc.layers.base import Layer
from convcalc.network.graph import Graph, Reason


def filled(graph: Graph, sizes: Mapping[str, Dim]) -> Graph:
    """``graph`` with ``sizes`` in place of its letters; raises UnknownName, and ShapeError for a demand that fails."""
    known = graph.letters
    for name in sizes:
        if name not in known:
            hint = did_you_mean(name, known) or (f"there are {', '.join(known)}" if known else "there are none")
            raise UnknownName(f"no letter here is called {name}", hint=hint)
    values = {letter(name): as_dim(size, name) for name, size in sizes.items()}
    put = _putter(values)
    nodes = [node._replace(**{name: put(getattr(node, name)) for name in _HELD}) for node in graph.nodes]
    reasons: dict[Condition, Reason] = {}
    for relation, reason in graph.reasons.items():
        now = relation if isinstance(relation, bool) else _now(relation, values)
        if now is False:
            raise _broken(reason, relation, sizes)
        if now is not True:
            reasons[now] = reason
    return replace(
        graph,
        inputs=put(graph.inputs),
        nodes=tuple(nodes),
        owned=put(graph.owned),
        assumptions=_strongest(reasons),
        reasons=reasons,
    )


_HELD = ("layer", "input_shapes", "output_shape")


def _putter(values: Mapping[Any, Dim]) -> Callable[[Any], Any]:
    """A function that puts dims in place of letters in nested values; one layer object becomes one layer object."""
    layers: dict[int, tuple[Layer, Layer]] = {}  # with the old one, which so lives as long as its id stands for it

    def put(value: Any) -> Any:
        if is_symbolic(value):
            return substitute(value, values)
        if isinstance(value, Layer):
            if id(value) not in layers:
                arguments = {name: put(argument) for name, argument in vars(value).items()}
                changed = any(arguments[name] is not argument for name, argument in vars(value).items())
                layers[id(value)] = value, type(value)(**arguments) if changed else value
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


def _now(relation: Any, values: Mapping[Any, Dim]) -> Condition:
    from convcalc.algebra.symbolic.relations import restated

    return restated(relation, values)


def _strongest(reasons: Mapping[Condition, Reason]) -> tuple[Condition, ...]:
    if not reasons:
        return ()
    from convcalc.algebra.symbolic.relations import strongest

    return strongest(reasons)


def _broken(reason: Reason, relation: Any, sizes: Mapping[str, Dim]) -> ShapeError:
    """The error for a demand that these sizes do not meet."""
    given = ", ".join(f"{name} = {show(size)}" for name, size in sizes.items())
    return ShapeError(f"needs {show(relation)}; with {given} that does not hold", where=reason.node)
