"""How the numbers of a call are computed: the formulas of its kind with their values, by quantity.

Output sizes, multiply–accumulates and elements read are recorded while the layer computes them, so that they cannot
differ from what is computed. Fields follow the recurrence in `Layer.seen`, parameters the formulas derived from the
sizes of tensors; tests hold both equal to `Layer.field` and `Layer.weights`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convcalc.algebra.dims import prod
from convcalc.algebra.field import Field, Undefined
from convcalc.algebra.formula import Formula, Step, recording
from convcalc.algebra.intervals import Axis
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import SpecError
from convcalc.layers.base import Layer, Shapes
from convcalc.layers.formulas import MEMORY, NONE, QUANTITIES, Seen, Stated
from convcalc.layers.parameters import Parameters, parameters, parameters_of_kind


class Workings(NamedTuple):
    """The steps of a call by quantity, in the order of computation; the output's shape; and the parameters."""

    steps: Mapping[str, Sequence[Step]]
    output: Shape
    params: Parameters | None

    def sizes(self) -> dict[int, Step]:
        """Return the last step for each axis of the output, channels included, whose size a formula computes."""
        rank = len(self.output)
        steps = [*self.steps["channels"], *self.steps["size"]]
        return {step.axis % rank: step for step in steps if step.axis is not None}

    def total(self, quantity: str) -> Dim:
        """Return the sum of the results of a quantity's steps."""
        return sum([step.result for step in self.steps[quantity]])


def formulas_of(kind: type[Layer]) -> dict[str, Stated]:
    """Return all formulas of a kind by quantity, in the order of `QUANTITIES`; a lazy kind has those it ``becomes``.

    >>> from convcalc.layers.conv import LazyConv2d
    >>> for formula in formulas_of(LazyConv2d)["params"]:
    ...     print(formula)
    K·K·C_in·C_out + C_out
    """
    kind = getattr(kind, "becomes", kind)
    try:
        formulas = parameters_of_kind(kind)
        params: Stated = (formulas.total,) if formulas else (NONE,)
    except SpecError:
        params = ("the elements of its tensors",)
    stated = {**kind.formulas, "params": params}
    return {quantity: stated[quantity] for quantity in QUANTITIES if stated.get(quantity)}


def workings(layer: Layer, *inputs: Shape) -> Workings:
    """Return how the numbers of a call are computed; raise ShapeError where the layer refuses its inputs.

    >>> from convcalc.layers.conv import Conv2d
    >>> steps, output, params = workings(Conv2d(3, 64, 7, stride=2, padding=3), (1, 3, 224, 224))
    >>> print(*steps["size"][:1], *steps["params"], sep="\\n")
    ⌊(224 + 2·3 − 1·(7 − 1) − 1)/2⌋ + 1 = 112
    7·7·3·64 + 64 = 9472
    """
    layer = layer.resolve(*inputs)
    with recording() as steps:
        output = layer.output_shape(*inputs)
        layer.work(inputs, output)
    whose = {formula: quantity for quantity, stated in type(layer).formulas.items() for formula in stated}
    by_quantity: dict[str, list[Step]] = {quantity: [] for quantity in QUANTITIES}
    for step in steps:
        if step.formula in whose:
            by_quantity[whose[step.formula]].append(step)
    params = parameters(layer)
    if params:
        by_quantity["params"].append(_step(params.total, [params.values[name] for name in params.total.symbols]))
    by_quantity["memory"].append(_step(MEMORY, [prod(output)]))
    return Workings(by_quantity, output, params)


def _step(formula: Formula, values: Sequence[Dim]) -> Step:
    """Return one use of a formula, computed for these values."""
    return Step(formula, dict(zip(formula.symbols, values)), formula(*values))


def field_workings(
    layer: Layer, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape
) -> tuple[Seen | None, list[Step]]:
    """Return what a layer's units see along an axis of its first input, and the steps of computing it.

    ``before`` says for each input that varies along ``axis`` what its units see along one axis of the network's input.
    The result is None where it is not defined or depends on letters. Where units see different extents, it is the
    largest.

    >>> from convcalc.layers.pool import MaxPool2d
    >>> pool = MaxPool2d(3, 2)
    >>> seen, steps = field_workings(pool, [Seen.pixel(32)], 2, [(1, 8, 32, 32)], (1, 8, 15, 15))
    >>> print(seen, *steps[:2], sep="\\n")
    Seen(size=3, jump=2, start=0, extent=32)
    1 + 1·(3 − 1)·1 = 3
    1·2 = 2
    """
    with recording() as steps:
        seen = layer.seen(before, axis, inputs, output)
        if seen is None:
            seen = _unchanged_or_whole(layer, before, axis, inputs, output)
    return seen, steps


def _unchanged_or_whole(layer: Layer, before: Sequence[Seen], axis: int, inputs: Shapes, output: Shape) -> Seen | None:
    """Return what units see by `Layer.field` where no formula says it: the whole axis, or what the input's see."""
    fields = []
    for shape in inputs:
        place = axis if axis >= 0 else len(shape) + axis
        fields.append(Field(tuple([Axis(0) if i == place else None for i in range(len(shape))])))
    try:
        field = layer.field(fields, inputs, output)
    except Undefined:
        return None
    if field is None:
        return None
    if 0 in field.whole | field.gates:
        return before[0].whole()
    kept = [along for along in field.maps().values() if along == Axis(0)]
    return before[0] if kept and all(seen == before[0] for seen in before) else None
