"""Real torch modules for convcalc's layers and graphs: what every shape, tensor and count is held against.

Kinds that torch.nn has are taken from it by name; the rest are written here from torch's operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from convcalc.layers.base import Layer
from convcalc.network.graph import Graph

OURS: dict[str, Callable[..., nn.Module]] = {}


def ours(cls: type[nn.Module]) -> type[nn.Module]:
    """Register the torch module for a kind that torch.nn lacks, under the kind's name."""
    OURS[cls.__name__] = cls
    return cls


def module_of(kind: str, **kwargs: Any) -> nn.Module:
    """The torch module of a kind with these arguments, in eval mode."""
    if kwargs.get("padding") == "tf_same":
        return TFSame(kind, **kwargs).eval()
    return (OURS.get(kind) or getattr(nn, kind))(**kwargs).eval()


def arguments_of(layer: Layer) -> dict[str, Any]:
    """The arguments that build ``layer`` again."""
    return dict(vars(layer))


class TFSame(nn.Module):
    """TensorFlow's SAME by torch's means: pad by hand, the odd pixel on the right, then a layer without padding."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__()
        self.layer = getattr(nn, kind)(**{**kwargs, "padding": 0, "padding_mode": "zeros"})
        self.mode = kwargs.get("padding_mode", "zeros")
        self.value = float("-inf") if kind.startswith("MaxPool") else 0.0

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.layer.state_dict(*args, **kwargs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rank = len(self.layer.kernel_size)
        pads: list[int] = []
        for n, k, s, d in zip(x.shape[-rank:], self.layer.kernel_size, self.layer.stride, self.layer.dilation):
            total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            pads = [total // 2, total - total // 2, *pads]
        if self.mode == "zeros":
            return self.layer(F.pad(x, pads, value=self.value))
        return self.layer(F.pad(x, pads, mode=self.mode))


class _LocallyConnected(nn.Module):
    """Every output position reads its own window with its own kernel."""

    def __init__(
        self, in_channels, out_channels, input_size, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
        padding_mode="zeros",
    ) -> None:  # fmt: skip
        super().__init__()
        rank = int(type(self).__name__[-2])

        def each(value):
            return (value,) * rank if isinstance(value, int) else tuple(value)

        self.input_size, self.k, self.s, self.p, self.d = map(
            each, (input_size, kernel_size, stride, padding, dilation)
        )
        like = getattr(nn, f"Conv{rank}d")(in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        positions = like(torch.zeros(1, in_channels, *self.input_size)).shape[2:]
        self.weight = nn.Parameter(torch.randn(*positions, *like.weight.shape))
        self.bias = nn.Parameter(torch.randn(out_channels, *positions)) if bias else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2:] != self.input_size:
            raise RuntimeError("another input size")
        x = F.pad(x, [p for size in reversed(self.p) for p in (size, size)])
        out = x.new_zeros(x.shape[0], self.weight.shape[len(self.k)], *self.weight.shape[: len(self.k)])
        for position in (
            torch.cartesian_prod(*[torch.arange(n) for n in out.shape[2:]]).reshape(-1, len(self.k)).tolist()
        ):
            window = x[
                (
                    ...,
                    *[slice(i * s, i * s + d * (k - 1) + 1, d) for i, s, k, d in zip(position, self.s, self.k, self.d)],
                )
            ]
            out[(..., *position)] = window.flatten(1) @ self.weight[tuple(position)].flatten(1).T
        return out if self.bias is None else out + self.bias


for _rank in (1, 2, 3):
    ours(type(f"LocallyConnected{_rank}d", (_LocallyConnected,), {}))


class _Scalar(nn.Module):
    def __init__(self, scalar: float | None = None) -> None:
        super().__init__()
        self.scalar = scalar


@ours
class Add(_Scalar):
    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        total = xs[0] if self.scalar is None else xs[0] + self.scalar
        for x in xs[1:]:
            total = total + x
        return total


@ours
class Mul(_Scalar):
    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        product = xs[0] if self.scalar is None else xs[0] * self.scalar
        for x in xs[1:]:
            product = product * x
        return product


class FromGraph(nn.Module):
    """A graph as a torch module: same paths, so the same ``state_dict`` names; ``shapes`` holds what each node gave."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.layers: dict[int, nn.Module] = {}
        for path, layer in (*graph.owned.items(), *((node.path, node.layer) for node in graph.nodes)):
            if id(layer) not in self.layers:
                self.layers[id(layer)] = module_of(type(layer).__name__, **arguments_of(layer))
            if path in graph.owned:
                self._put(path, self.layers[id(layer)])
        self.eval()

    def _put(self, path: str, module: nn.Module) -> None:
        *parents, name = path.split(".")
        holder: nn.Module = self
        for parent in parents:
            if parent not in holder._modules:
                holder.add_module(parent, nn.Module())
            holder = holder._modules[parent]
        holder.add_module(name or "self", module)

    def forward(self, *inputs: torch.Tensor) -> list[torch.Tensor]:
        values = dict(zip(self.graph.inputs, inputs))
        for node in self.graph.nodes:
            result = self.layers[id(node.layer)](*[values[name] for name in node.inputs])
            values[node.name] = result[0] if isinstance(result, tuple) else result
            self.shapes[node.name] = tuple(values[node.name].shape)
        return [values[name] for name in self.graph.outputs]
