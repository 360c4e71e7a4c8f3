"""How PyTorch says one call: by a module of torch.nn, an operator, a function or a method."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from convcalc.algebra.types import is_symbolic
from convcalc.errors import UnsupportedOperation
from convcalc.formats.code.forms import text, value_form
from convcalc.formats.code.structure import tensor_word
from convcalc.layers.base import Layer, Output
from convcalc.layers.conv import same_pads
from convcalc.network.graph import Graph, Node


class Said(NamedTuple):
    """An expression, and whether it needs brackets as an operand."""

    text: str
    compound: bool = False

    @property
    def operand(self) -> str:
        return f"({self.text})" if self.compound else self.text


LONG = 80  # such expressions get brackets, so that they may be cut

SIGNS = {"Add": "+", "Mul": "*", "Sub": "-", "Div": "/", "MatMul": "@"}

FUNCTIONS = {
    **SIGNS,
    "Maximum": "torch.maximum({all})",
    "Cat": "torch.cat([{all}], {dim})",
    "Stack": "torch.stack([{all}], {dim})",
    "Mean": "{x}.mean({named})",
    "Sum": "{x}.sum({named})",
    "Reshape": "{x}.reshape({bare})",
    "Permute": "{x}.permute({bare})",
    "Expand": "{x}.expand({bare})",
    "Transpose": "{x}.transpose({given})",
    "Squeeze": "{x}.squeeze({named})",
    "Unsqueeze": "{x}.unsqueeze({given})",
    "Roll": "{x}.roll({shifts}, {named})",
    "Exp": "{x}.exp()",
    "Normalize": "F.normalize({all}, {named})",
    "IndexSelect": "{x}.index_select({dim}, {y})",
    "Slice": "{x}[{bare}]",
    # what torch.nn has a module for, where no module of the network holds it
    "Flatten": "{x}.flatten({given})",
    "Unflatten": "{x}.unflatten({given})",
    "ReLU": "F.relu({all})",
    "Sigmoid": "torch.sigmoid({all})",
    "Tanh": "torch.tanh({all})",
    "Softmax": "{x}.softmax({dim})",
}
"""Kinds that torch says by an operator, a function or a method, with gaps for arguments.

``x`` is the first input, ``y`` the last, ``all`` are all; ``given`` are the values of all arguments, ``named`` the rest
of them by name unless they are defaults, ``bare`` is the first without its brackets.
"""

ONLY_FUNCTIONS = frozenset(list(FUNCTIONS)[: list(FUNCTIONS).index("Flatten")])
"""Those that torch.nn has no module for."""

_TAKEN = """
T_destination _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks
_forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs
_get_backward_hooks _get_backward_pre_hooks _get_name _is_full_backward_hook _load_from_state_dict
_load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
_non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook
_replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks _state_dict_pre_hooks _version
_wrapped_call_impl add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
TAKEN = frozenset(_TAKEN.split())
"""The attributes of `torch.nn.Module`, which no child may hide."""

NO_WAY = ("LocallyConnected1d", "LocallyConnected2d", "LocallyConnected3d")
"""Kinds that torch has no layer for."""


def said(kind: str, inputs: Sequence[Said], filled: Any) -> Said:
    """A function's call.

    >>> said("Mean", [Said("x")], (("dim", ("2", "3")), ("keepdim", "False"))).text
    'x.mean(dim=(2, 3))'
    """
    given = {name: text(form) for name, form in filled}
    template = FUNCTIONS[kind]
    if kind in SIGNS:
        words = [x.operand for x in inputs]
        words += [given["scalar"]] if given.get("scalar", "None") != "None" else []
        joined = f" {template} ".join(reversed(words) if given.get("reversed") == "True" else words)
        return Said(joined, len(words) > 1) if len(joined) < LONG else Said(f"({joined})")
    if kind == "Cat" and len(inputs) == 1:
        return inputs[0]
    values = ", ".join(given.values())
    unsaid = ("False",) if given.get("keepdim") == "True" else ("None", "False")
    rest = [f"{name}={value}" for name, value in given.items() if f"{{{name}}}" not in template and value not in unsaid]
    expression = template.format(
        x=inputs[0].operand,
        y=inputs[-1].text,
        all=", ".join(x.text for x in inputs),
        given=values.removesuffix(", -1") if kind == "Flatten" else values,
        named=", ".join(rest),
        bare=next(iter(given.values()), "")[1:-1].removesuffix(",") or "()",
        **given,
    )
    return Said(expression.replace(", )", ")"))


def function_form(layer: Layer) -> Any:
    """The arguments of a function as a form."""
    names = {"index": "channels"} if type(layer).__name__ == "Slice" else {}
    return tuple((name, value_form(names.get(name, name), value)) for name, value in vars(layer).items())


def finite(words: str) -> str:
    """Arguments with infinity as Python says it.

    >>> finite("-inf, max_val=1.0")
    '-float("inf"), max_val=1.0'
    """
    return re.sub(r"(?<![\w.\"])inf\b", 'float("inf")', words)


def padding_form(node: Node) -> Any:
    """What ``padding="tf_same"`` pads, last axis first, and with what, for `torch.nn.functional.pad`."""
    layer: Any = node.layer
    dilation = getattr(layer, "dilation", (1,) * layer.rank)
    pads: list[Any] = []
    for i in reversed(range(layer.rank)):
        reach = dilation[i] * (layer.kernel_size[i] - 1)
        pads.extend(same_pads(node.input_shapes[0][i - layer.rank], reach, layer.stride[i]))
    mode = getattr(layer, "padding_mode", "zeros")
    filling = ', value=float("-inf")' if "MaxPool" in type(layer).__name__ else ""
    return value_form("pad", tuple(pads)), filling if mode == "zeros" else f', mode="{mode}"'


def refuse(graph: Graph) -> None:
    """Raise UnsupportedOperation for a layer that torch cannot say, and where a size is a letter."""
    for name, shape in graph.inputs.items():
        if any(map(is_symbolic, shape)):
            hint = "give them by --input, such as --input 3x224x224"
            raise UnsupportedOperation(f"torch code needs numbers; {name} is {' x '.join(map(str, shape))}", hint=hint)
    for path in (*graph.owned, *filter(None, graph.modules)):
        _refuse_name(path, graph.owned.get(path))
    for node in graph.nodes:
        if isinstance(node.layer, Output) and getattr(node.layer.source, "padding", None) == "tf_same":
            raise UnsupportedOperation(
                "torch counts indices in the padded input where padding is 'tf_same'",
                where=node.path,
                hint="give the padding in numbers, or do without return_indices",
            )
    for path, layer in (*((node.path, node.layer) for node in graph.nodes), *graph.owned.items()):
        if type(layer).__name__ in NO_WAY:
            raise UnsupportedOperation(
                f"torch has no layer for {type(layer).__name__}", where=path, hint="write it as a sheet: --to net"
            )
        for value in vars(layer).values():
            if any(map(is_symbolic, value if isinstance(value, tuple) else (value,))):
                raise UnsupportedOperation(
                    f"torch code needs numbers; received {layer!r}",
                    where=path,
                    hint="give letters their values by --set or --input",
                )


def _refuse_name(path: str, layer: Layer | None) -> None:
    if not path and tensor_word(layer):
        hint = "let a module hold it: self.weight = nn.Parameter(3)"
        raise UnsupportedOperation("a tensor that no module holds has no name in torch", hint=hint)
    for part in path.split(".") if path else ():
        if not part or part in TAKEN or (part.startswith("__") and part.endswith("__")):
            what = f"{part!r} is a name that torch's modules use themselves" if part else "a name in torch is not empty"
            raise UnsupportedOperation(what, where=path, hint="call it something else")


def whole(graph: Graph) -> set[str]:
    """The values of whole numbers: those that are read as an index, or moved before that."""
    places = {"IndexSelect": 1, "Embedding": 0, "EmbeddingBag": 0, **{f"MaxUnpool{rank}d": 1 for rank in (1, 2, 3)}}
    read: set[str] = set()
    for node in reversed(graph.nodes):
        kind = type(node.layer).__name__
        if kind in places:
            read.add(node.inputs[places[kind]])
        elif node.name in read and kind in ("Reshape", "Flatten", "Slice", "Permute"):
            read.update(node.inputs)
    return read
