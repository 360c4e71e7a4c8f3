"""How PyTorch says one call: a module of torch.nn, an operator, a function or a method, each as text.

Only what torch.nn has no module for needs a line in `FUNCTIONS`. Which calls there are, and in what order, is the
business of `forward`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.errors import UnsupportedOperation
from convcalc.layers.base import Layer
from convcalc.layers.conv import same_pads
from convcalc.layers.slicing import Slice
from convcalc.network.graph import Graph, Node
from convcalc.network.parameter import Buffer, Parameter
from convcalc.writers.fold import number
from convcalc.writers.forms import arguments, text, value_form


class Said(NamedTuple):
    """An expression of Python, and whether it needs brackets as an operand."""

    text: str
    compound: bool = False

    @property
    def operand(self) -> str:
        """The expression where an operator or a dot stands beside it."""
        return f"({self.text})" if self.compound else self.text


LONG = 80  # characters of an expression that gets brackets, so that it may be cut

Arguments = Mapping[str, str]
Function = Callable[[Sequence[Said], Arguments], Said]


def _joined(sign: str) -> Function:
    """Operands with an operator between them; a number among the arguments is one of them."""

    def say(inputs: Sequence[Said], given: Arguments) -> Said:
        scalar = given.get("scalar", "None")
        words = [x.operand for x in inputs] + ([scalar] if scalar != "None" else [])
        if given.get("reversed") == "True":
            words.reverse()
        joined = f" {sign} ".join(words)
        return Said(joined, len(words) > 1) if len(joined) < LONG else Said(f"({joined})")

    return say


def _method(name: str, *keywords: str) -> Function:
    """A method of the first input; arguments among ``keywords`` are named, and left out where they say nothing."""

    def say(inputs: Sequence[Said], given: Arguments) -> Said:
        words = [value for key, value in given.items() if key not in keywords]
        words += [f"{key}={given[key]}" for key in keywords if given[key] not in ("None", "False")]
        return Said(f"{inputs[0].operand}.{name}({', '.join(words)})")

    return say


def _function(name: str, *, listed: bool = False) -> Function:
    """A function of all inputs, and the arguments behind them."""

    def say(inputs: Sequence[Said], given: Arguments) -> Said:
        words = ", ".join(x.text for x in inputs)
        if name == "torch.cat" and len(inputs) == 1:
            return inputs[0]
        return Said(f"{name}({', '.join([f'[{words}]' if listed else words, *given.values()])})")

    return say


def _star(name: str) -> Function:
    """A method of the first input whose sizes are given one by one."""

    def say(inputs: Sequence[Said], given: Arguments) -> Said:
        (sizes,) = given.values()
        return Said(f"{inputs[0].operand}.{name}({sizes[1:-1].removesuffix(',')})")

    return say


FUNCTIONS: Mapping[str, Function] = {
    "Add": _joined("+"),
    "Mul": _joined("*"),
    "Sub": _joined("-"),
    "Div": _joined("/"),
    "MatMul": _joined("@"),
    "Maximum": _function("torch.maximum"),
    "Cat": _function("torch.cat", listed=True),
    "Stack": _function("torch.stack", listed=True),
    "Mean": _method("mean", "dim", "keepdim"),
    "Sum": _method("sum", "dim", "keepdim"),
    "Reshape": _star("reshape"),
    "Permute": _star("permute"),
    "Expand": _star("expand"),
    "Transpose": _method("transpose"),
    "Squeeze": _method("squeeze", "dim"),
    "Unsqueeze": _method("unsqueeze"),
    "Roll": _method("roll", "dims"),
    "Exp": _method("exp"),
    "Normalize": lambda inputs, given: Said(
        f"F.normalize({', '.join([inputs[0].text, *(f'{key}={value}' for key, value in given.items())])})"
    ),
    "IndexSelect": lambda inputs, given: Said(f"{inputs[0].operand}.index_select({given['dim']}, {inputs[1].text})"),
    "Slice": lambda inputs, given: Said(f"{inputs[0].operand}[{given['index'][1:-1].removesuffix(',')}]"),
    # what torch.nn has a module for, where no module of the network holds it
    "Flatten": lambda inputs, given: Said(
        f"{inputs[0].operand}.flatten({', '.join([given['start_dim'], given['end_dim']]).removesuffix(', -1')})"
    ),
    "Unflatten": _method("unflatten"),
    "ReLU": lambda inputs, given: Said(f"F.relu({inputs[0].text})"),
    "Sigmoid": lambda inputs, given: Said(f"torch.sigmoid({inputs[0].text})"),
    "Tanh": lambda inputs, given: Said(f"torch.tanh({inputs[0].text})"),
    "Softmax": lambda inputs, given: Said(f"{inputs[0].operand}.softmax({given['dim']})"),
}
"""Kinds that torch says by an operator, a function or a method; the first of them has no other way."""

ONLY_FUNCTIONS = frozenset(list(FUNCTIONS)[: list(FUNCTIONS).index("Flatten")])
"""Those that torch.nn has no module for."""

NO_WAY = ("LocallyConnected1d", "LocallyConnected2d", "LocallyConnected3d")
"""Kinds that torch has no layer for."""


def check(layer: Layer, path: str) -> None:
    """Raise UnsupportedOperation for a layer that torch cannot say, or whose sizes are letters."""
    if type(layer).__name__ in NO_WAY:
        raise UnsupportedOperation(
            f"torch has no layer for {type(layer).__name__}", where=path, hint="write it as a sheet: --to net"
        )
    for value in vars(layer).values():
        if any(hasattr(item, "free_symbols") for item in (value if isinstance(value, tuple) else (value,))):
            raise UnsupportedOperation(
                f"torch code needs numbers; received {layer!r}",
                where=path,
                hint="give letters their values by --set or --input",
            )


def constructed(layer: Layer) -> tuple[str, Any]:
    """The class that makes a layer in torch, and the form of its arguments."""
    if isinstance(layer, (Parameter, Buffer)):
        return type(layer).__name__, arguments(layer)
    left_out = ["padding"] if getattr(layer, "padding", None) == "tf_same" else []
    return type(layer).__name__, arguments(layer, left_out)


def function_form(layer: Layer) -> Any:
    """The arguments of a function, each with its name, as a form."""
    if isinstance(layer, Slice):
        return (("index", value_form("channels", layer.index)),)
    return tuple((name, value_form(name, value)) for name, value in vars(layer).items())


def said(kind: str, inputs: Sequence[Said], filled: Any) -> Said:
    """A function's call, from its filled form.

    >>> said("Mean", [Said("x")], (("dim", ("tuple", "2", "3")), ("keepdim", "False"))).text
    'x.mean(dim=(2, 3))'
    """
    return FUNCTIONS[kind](inputs, {name: text(form) for name, form in filled})


def finite(words: str) -> str:
    """Arguments with infinity as Python says it.

    >>> finite("-inf, max_val=1.0")
    '-float("inf"), max_val=1.0'
    """
    return re.sub(r"(?<![\w.\"])inf\b", 'float("inf")', words)


def pads_form(node: Node) -> Any:
    """What ``padding="tf_same"`` pads, last axis first, as `torch.nn.functional.pad` takes it."""
    layer: Any = node.layer
    rank = layer.rank
    dilation = getattr(layer, "dilation", (1,) * rank)
    pads: list[Any] = []
    for i in reversed(range(rank)):
        reach = dilation[i] * (layer.kernel_size[i] - 1)
        pads.extend(same_pads(node.input_shapes[0][i - rank], reach, layer.stride[i]))
    if not all(map(number, pads)):
        raise UnsupportedOperation(
            "padding='tf_same' pads by the input's size, which is a letter here",
            where=node.path,
            hint="give numbers by --input",
        )
    return value_form("pad", tuple(pads))


def pad_mode(layer: Any) -> str:
    """How `torch.nn.functional.pad` fills what it adds before a layer, as further arguments."""
    mode = getattr(layer, "padding_mode", "zeros")
    if mode != "zeros":
        return f', mode="{mode}"'
    return ', value=float("-inf")' if "MaxPool" in type(layer).__name__ else ""


def whole_layers(graph: Graph) -> set[int]:
    """Layers whose tensors hold whole numbers: those that are read as an index."""
    read = {node.inputs[1] for node in graph.nodes if type(node.layer).__name__ == "IndexSelect"}
    for node in reversed(graph.nodes):
        if node.name in read and type(node.layer).__name__ in ("Reshape", "Flatten", "Slice", "Permute"):
            read.update(node.inputs)  # an index that is moved before it is read
    return {id(node.layer) for node in graph.nodes if node.name in read}


def whole_inputs(graph: Graph) -> set[str]:
    """Inputs that hold whole numbers."""
    kinds: Mapping[str, int] = {"IndexSelect": 1, "Embedding": 0, "EmbeddingBag": 0}
    places = ((node, kinds.get(type(node.layer).__name__)) for node in graph.nodes)
    return {node.inputs[place] for node, place in places if place is not None} & set(graph.inputs)


def refuse_letters(graph: Graph) -> None:
    """Raise UnsupportedOperation where an input's size is a letter."""
    for name, shape in graph.inputs.items():
        if not all(isinstance(n, int) for n in shape):
            shown = " x ".join(map(str, shape))
            raise UnsupportedOperation(
                f"torch code needs numbers; {name} is {shown}", hint="give them by --input, such as --input 3x224x224"
            )
