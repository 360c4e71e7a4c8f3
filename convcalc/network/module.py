"""Composites: `Module`, its containers and the transformer's encoder block, written as in torch.nn.

Children are found by walking ``vars()``, so nothing is registered and ``super().__init__()`` is not needed (it does
no harm). Calling a module runs its ``forward`` on symbolic tensors; recording is the tape's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, overload

from convcalc.algebra.types import Dim
from convcalc.errors import SpecError
from convcalc.layers.activation import GELU, ReLU
from convcalc.layers.attention import MultiheadAttention
from convcalc.layers.base import Layer, recorder
from convcalc.layers.demands import check_call
from convcalc.layers.dropout import Dropout
from convcalc.layers.linear import Linear
from convcalc.layers.norm import LayerNorm


class Module:
    """Base of all networks and blocks: assign layers in ``__init__``, use them in ``forward``.

    >>> from convcalc import nn, trace
    >>> class Block(nn.Module):
    ...     def __init__(self, c):
    ...         self.conv = nn.Conv2d(c, c, 3, padding=1)
    ...     def forward(self, x):
    ...         return x + self.conv(x)
    >>> [node.path for node in trace(Block(8), (1, 8, 5, 5)).nodes]
    ['conv', 'add']
    """

    def forward(self, *inputs: Any) -> Any:
        """What the module computes; each subclass writes its own."""
        raise SpecError("has no forward", where=type(self).__name__, hint="define forward(self, x)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        try:
            tape = recorder.get()
        except LookupError:
            what = "a module computes shapes only inside trace() or summary()"
            hint = "call convcalc.summary(model, shape) instead of the model itself"
            raise SpecError(what, where=type(self).__name__, hint=hint) from None
        with tape.inside(self):  # type: ignore[attr-defined]
            try:
                return self.forward(*inputs, **options)
            except TypeError:
                check_call(self.forward, type(self).__name__, inputs, options)
                raise


def children(module: Module) -> Iterator[tuple[str, Layer | Module]]:
    """The named layers and modules that ``module`` holds itself."""
    for name, value in vars(module).items():
        if isinstance(value, (Layer, Module)):
            yield name, value


def walk(module: Layer | Module, path: str = "") -> Iterator[tuple[str, Layer | Module]]:
    """Every module and layer below and including ``module``, with its path."""
    ahead = [(path, module)]
    while ahead:
        path, item = ahead.pop()
        yield path, item
        if isinstance(item, Module):
            prefix = path + "." if path else ""
            ahead.extend([(prefix + name, value) for name, value in children(item)][::-1])


def _hold(owner: Module, named: Mapping[str, Any]) -> None:
    """Put children into a container; raises SpecError for what is none."""
    for child in named.values():
        if not isinstance(child, (Layer, Module)):
            hint = "a layer is made by calling its kind: nn.ReLU(), not nn.ReLU" if isinstance(child, type) else ""
            raise SpecError(f"holds layers and modules; received {child!r}", where=type(owner).__name__, hint=hint)
    vars(owner).update(named)


class _Container(Module):
    """Children under numbers, as torch's containers name them."""

    def __init__(self, modules: Iterable[Layer | Module] = ()) -> None:
        self.extend(modules)

    def append(self, module: Layer | Module) -> _Container:
        """Add one at the end."""
        return self.extend([module])

    def extend(self, modules: Iterable[Layer | Module]) -> _Container:
        """Add several at the end."""
        if not isinstance(modules, Iterable):
            raise SpecError(f"takes several layers or modules; received {modules!r}", where=type(self).__name__)
        _hold(self, {str(i): module for i, module in enumerate(modules, len(self))})
        return self

    def __len__(self) -> int:
        return len(dict(children(self)))

    def __iter__(self) -> Iterator[Any]:
        return iter([child for _, child in children(self)])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> _Container: ...
    def __getitem__(self, index: int | slice) -> Any:
        """A child, or some of them as a container of their own."""
        held = list(children(self))
        return self._part(dict(held[index])) if isinstance(index, slice) else held[index][1]

    def _part(self, held: Mapping[str, Layer | Module]) -> _Container:
        return type(self)(held.values())


class Sequential(_Container):
    """Layers in order; an ordered mapping gives them names.

    >>> from convcalc import nn, trace
    >>> trace(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (1, 3, 8, 8)).nodes[-1].output_shape
    (1, 8, 6, 6)
    """

    def __init__(self, *modules: Layer | Module | Mapping[str, Layer | Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            _hold(self, modules[0])
        else:
            self.extend(modules)  # type: ignore[arg-type]

    def forward(self, input: Any) -> Any:
        """Each child in turn, on what the one before returned."""
        for child in self:
            input = child(input)
        return input

    def _part(self, held: Mapping[str, Layer | Module]) -> Sequential:
        return Sequential(held)  # as in torch, the names stay those of the whole


class ModuleList(_Container):
    """Children held in a list; ``forward`` of the owner calls them."""


class ModuleDict(Module):
    """Children held under names; ``forward`` of the owner calls them."""

    def __init__(self, modules: Mapping[str, Layer | Module] = {}) -> None:
        if not isinstance(modules, Mapping):
            raise SpecError(f"takes a mapping of names to layers; received {modules!r}", where=type(self).__name__)
        _hold(self, modules)

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def __setitem__(self, name: str, module: Layer | Module) -> None:
        _hold(self, {name: module})

    def __len__(self) -> int:
        return len(vars(self))

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __contains__(self, name: str) -> bool:
        return name in vars(self)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and children, in order."""
        return vars(self).items()

    def values(self) -> Iterable[Any]:
        """The children, in order."""
        return vars(self).values()

    def keys(self) -> Iterable[str]:
        """The names, in order."""
        return vars(self).keys()


class TransformerEncoderLayer(Module):
    """Self-attention and two linear layers, each with a shortcut and a norm, as `torch.nn.TransformerEncoderLayer`.

    Source: arXiv:1706.03762, section 3.1; with ``norm_first`` arXiv:2002.04745. Attention is `layers.attention`'s.
    Takes (L, N, d_model), (N, L, d_model) with ``batch_first``, or (L, d_model). ``activation`` is "relu", "gelu"
    or anything that maps a tensor to a tensor, such as ``nn.SiLU()``. Raises SpecError as its layers do.

    >>> from convcalc import trace
    >>> trace(TransformerEncoderLayer(512, 8), (10, 32, 512)).nodes[-1].output_shape
    (10, 32, 512)
    """

    def __init__(
        self,
        d_model: Dim,
        nhead: Dim,
        dim_feedforward: Dim = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The block's output, shaped as ``src``; the masks change neither shapes nor counts."""
        masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask, "is_causal": is_causal}
        if self.norm_first:
            x = src + self._attend(self.norm1(src), masks)
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(src + self._attend(src, masks))
        return self.norm2(x + self._feed_forward(x))

    def _attend(self, x: Any, masks: dict[str, Any]) -> Any:
        return self.dropout1(self.self_attn(x, x, x, need_weights=False, **masks)[0])

    def _feed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


def _activation(given: Any) -> Any:
    """A layer for an activation's name, or what was given where a tensor can be passed to it."""
    if isinstance(given, str) and given in ("relu", "gelu"):
        return ReLU() if given == "relu" else GELU()
    if callable(given) and not isinstance(given, type):
        return given
    what, hint = f"activation must be 'relu', 'gelu' or a layer; received {given!r}", "nn.SiLU(), not nn.SiLU"
    raise SpecError(what, where="TransformerEncoderLayer", hint=f"a layer is made by calling its kind: {hint}")
