"""How one call is written in PyTorch, by an operator, a function or a method; and what cannot be written.

Which of these a kind has is declared on its class (`convcalc.layers.spelling`); here the templates are filled.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.types import is_symbolic
from convcalc.errors import UnsupportedOperation
from convcalc.formats.code.arguments import value_form
from convcalc.formats.code.forms import text
from convcalc.formats.code.structure import tensor_word
from convcalc.layers.base import Layer, Output
from convcalc.layers.conv import same_pads
from convcalc.network.graph import Graph, Node


class Expression(NamedTuple):
    """An expression of Python, and whether it needs brackets as an operand."""

    text: str
    compound: bool = False

    @property
    def operand(self) -> str:
        """Return the text as an operator or a method takes it."""
        return f"({self.text})" if self.compound else self.text


LONG = 80  # expressions of this length get brackets, so that they may be broken

_GAP = re.compile(r"\{(\**)(\w+)(?:=([^}]*))?\}")
_INPUTS = ("x", "y", "z")

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
"""The attributes of `torch.nn.Module`, which the name of a child must not hide."""


def has_function(kind: type[Layer] | Layer) -> bool:
    """Return whether an operator, a function or a method of torch does what this kind does.

    >>> from convcalc import nn
    >>> has_function(nn.Cat), has_function(nn.ReLU), has_function(nn.Conv2d)
    (True, True, False)
    """
    return bool(kind.operator or kind.torch_call)


def is_writable(kind: type[Layer] | Layer) -> bool:
    """Return whether torch has a module, a function or an operator for a kind.

    >>> from convcalc import nn
    >>> is_writable(nn.Cat), is_writable(nn.LocallyConnected2d)
    (True, False)
    """
    return kind.in_torch or has_function(kind)


def called_as_function(layer: Layer, held: bool) -> bool:
    """Return whether a call is written as a function; ``held`` if a module of the network holds the layer."""
    if not layer.in_torch:
        return True
    # a module may choose the value of an argument that is None, a function does not
    return not held and has_function(layer) and None not in vars(layer).values()


def spell_function(kind: type[Layer], inputs: Sequence[Expression], filled: Any) -> Expression:
    """Return the call of a function on these inputs; ``filled`` are its arguments as a filled form.

    >>> from convcalc import nn
    >>> spell_function(nn.Mean, [Expression("x")], (("dim", ("2", "3")), ("keepdim", "False"))).text
    'x.mean(dim=(2, 3))'
    """
    values = {name: text(form) for name, form in filled}
    if kind.operator:
        return _spell_operator(kind.operator, inputs, values)
    if kind.passes_one and len(inputs) == 1:
        return inputs[0]
    return Expression(fill(kind.torch_call, inputs, values))


def _spell_operator(operator: str, inputs: Sequence[Expression], values: Mapping[str, str]) -> Expression:
    words = [x.operand for x in inputs]
    words += [values["scalar"]] if values.get("scalar", "None") != "None" else []
    joined = f" {operator} ".join(reversed(words) if values.get("reversed") == "True" else words)
    return Expression(joined, len(words) > 1) if len(joined) < LONG else Expression(f"({joined})")


def fill(template: str, inputs: Sequence[Expression], values: Mapping[str, str]) -> str:
    """Return a template of `Spelling` with its gaps filled by inputs and arguments.

    >>> fill("{x}.flatten({start_dim}, {end_dim=-1})", [Expression("a + b", True)], {"start_dim": "1", "end_dim": "-1"})
    '(a + b).flatten(1)'
    >>> fill("{x}.reshape({*shape})", [Expression("x")], {"shape": "(2, -1)"})
    'x.reshape(2, -1)'
    >>> fill("{x}.sum({**rest})", [Expression("x")], {"dim": "None", "keepdim": "True"})
    'x.sum(dim=None, keepdim=True)'
    """
    placed = {name for _, name, _ in _GAP.findall(template)}
    rest = [(name, word) for name, word in values.items() if name not in placed]
    while rest and rest[-1][1] in ("None", "False"):
        rest.pop()

    def filling(gap: re.Match[str]) -> str:
        stars, name, default = gap.groups()
        if stars == "**":
            return ", ".join(f"{name}={word}" for name, word in rest)
        if name == "all":
            return ", ".join(x.text for x in inputs)
        if name in _INPUTS:
            x = inputs[_INPUTS.index(name)]
            return x.operand if template[gap.end() : gap.end() + 1] in (".", "[") else x.text
        word = values[name]
        if stars:
            return word[1:-1].removesuffix(",") or "()"
        return "" if word == default else word

    return _GAP.sub(filling, template).replace(", )", ")")


def function_form(layer: Layer) -> Any:
    """Return the arguments of a function as a form."""
    names = {"index": "channels"}  # a slice usually takes channels, which may depend on others
    return tuple((name, value_form(names.get(name, name), value)) for name, value in vars(layer).items())


def finite(words: str) -> str:
    """Return arguments with infinity as Python has to write it.

    >>> finite("-inf, max_val=1.0")
    '-float("inf"), max_val=1.0'
    """
    return re.sub(r"(?<![\w.\"])inf\b", 'float("inf")', words)


def padding_form(node: Node) -> Any:
    """Return the padding of ``padding="tf_same"``, last axis first, and its filling, for `torch.nn.functional.pad`."""
    layer: Any = node.layer
    dilation = getattr(layer, "dilation", (1,) * layer.rank)
    pads: list[Any] = []
    for i in reversed(range(layer.rank)):
        reach = dilation[i] * (layer.kernel_size[i] - 1)
        pads.extend(same_pads(node.input_shapes[0][i - layer.rank], reach, layer.stride[i]))
    mode = getattr(layer, "padding_mode", "zeros")
    filling = f', value=float("{layer.outside}")' if layer.outside else ""
    return value_form("pad", tuple(pads)), filling if mode == "zeros" else f', mode="{mode}"'


def refuse(graph: Graph) -> None:
    """Raise UnsupportedOperation for a layer or a name that torch cannot have, and for a size that is a letter."""
    for name, shape in graph.inputs.items():
        if any(map(is_symbolic, shape)):
            hint = "give them with --input, such as --input 3x224x224"
            raise UnsupportedOperation(f"torch code needs numbers; {name} is {' x '.join(map(str, shape))}", hint=hint)
    for path in (*graph.owned, *filter(None, graph.modules)):
        _refuse_name(path, graph.owned.get(path))
    for node in graph.nodes:
        if isinstance(node.layer, Output) and getattr(node.layer.source, "padding", None) == "tf_same":
            raise UnsupportedOperation(
                "torch counts indices in the padded input where padding is 'tf_same'",
                where=node.path,
                hint="give the padding as numbers, or leave out return_indices",
            )
    for path, layer in (*((node.path, node.layer) for node in graph.nodes), *graph.owned.items()):
        if not is_writable(layer):
            raise UnsupportedOperation(
                f"torch has no layer for {type(layer).__name__}", where=path, hint="write it as a sheet: --to net"
            )
        for value in vars(layer).values():
            if any(map(is_symbolic, value if isinstance(value, tuple) else (value,))):
                raise UnsupportedOperation(
                    f"torch code needs numbers; received {layer!r}",
                    where=path,
                    hint="give the letters values with --set or --input",
                )


def _refuse_name(path: str, layer: Layer | None) -> None:
    if not path and tensor_word(layer):
        hint = "let a module hold it: self.weight = nn.Parameter(3)"
        raise UnsupportedOperation("a tensor that no module holds has no name in torch", hint=hint)
    for part in path.split(".") if path else ():
        if not part or part in TAKEN or (part.startswith("__") and part.endswith("__")):
            what = f"{part!r} is a name that torch's modules use themselves" if part else "torch allows no empty name"
            raise UnsupportedOperation(what, where=path, hint="call it something else")


def integer_values(graph: Graph) -> set[str]:
    """Return the names of the values that are integers: those read as indices, or rearranged before they are read so.

    >>> from convcalc import nn, trace
    >>> sorted(integer_values(trace(nn.Sequential(nn.Flatten(), nn.Embedding(10, 4)), (1, 3, 3))))
    ['0', 'input']
    """
    integers: set[str] = set()
    for node in reversed(graph.nodes):
        if node.layer.index_input is not None:
            integers.add(node.inputs[node.layer.index_input])
        elif node.name in integers and node.layer.rearranges:
            integers.update(node.inputs)
    return integers
