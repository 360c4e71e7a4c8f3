"""Real torch modules for convcalc's layers and graphs, against which shapes, tensors and counts are tested.

Kinds that torch.nn has are taken from it by name; the rest are written here from torch's operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._pytree import tree_leaves

from convcalc.layers.base import Layer, Output
from convcalc.layers.recurrent import _Gated
from convcalc.network.graph import Graph

OURS: dict[str, Callable[..., nn.Module]] = {}


def ours(cls: type[nn.Module]) -> type[nn.Module]:
    """Register the torch module of a kind that torch.nn does not have, under the kind's name."""
    OURS[cls.__name__] = cls
    return cls


def module_of(kind: str, **kwargs: Any) -> nn.Module:
    """Return the torch module of a kind with these arguments, in eval mode."""
    if kwargs.get("padding") == "tf_same":
        return TFSame(kind, **kwargs).eval()
    return (OURS.get(kind) or getattr(nn, kind))(**kwargs).eval()


def arguments_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments that ``layer`` can be built from again."""
    return dict(vars(layer))


class TFSame(nn.Module):
    """TensorFlow's SAME in torch: explicit padding, the odd pixel on the right, then a layer without padding."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__()
        self.mode = kwargs.pop("padding_mode", "zeros")
        self.layer = getattr(nn, kind)(**{**kwargs, "padding": 0})
        self.value = float("-inf") if kind.startswith("MaxPool") else 0.0
        rank = int(kind[-2])

        def each(value):
            return (value,) * rank if isinstance(value, int) else tuple(value) * (rank if len(value) == 1 else 1)

        layer = self.layer
        self.window = tuple(map(each, (layer.kernel_size, layer.stride, getattr(layer, "dilation", 1))))
        if min(map(min, self.window)) < 1:
            raise ValueError("kernel, stride and dilation must be positive")

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.layer.state_dict(*args, **kwargs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for n, k, s, d in zip(x.shape[-len(self.window[0]) :], *self.window):
            total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            pads = [total // 2, total - total // 2, *pads]
        if self.mode == "zeros":
            return self.layer(F.pad(x, pads, value=self.value))
        return self.layer(F.pad(x, pads, mode=self.mode))


class _LocallyConnected(nn.Module):
    """A local connection: every output position reads its window with its own kernel."""

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


@ours
class Sub(_Scalar):
    def __init__(self, scalar: float | None = None, reversed: bool = False) -> None:
        super().__init__(scalar)
        self.reversed = reversed

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        x, y = xs if self.scalar is None else (*xs, self.scalar)
        return self.combine(y, x) if self.reversed else self.combine(x, y)

    def combine(self, x: Any, y: Any) -> torch.Tensor:
        return x - y


@ours
class Div(Sub):
    def combine(self, x: Any, y: Any) -> torch.Tensor:
        return x / y


class _Function(nn.Module):
    """A function of torch called with the kind's arguments, which have the function's names."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.kwargs = kwargs

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        return self.call(*xs, **self.kwargs)


def _functions(**functions: Callable[..., torch.Tensor]) -> None:
    for kind, function in functions.items():
        ours(type(kind, (_Function,), {"call": staticmethod(function)}))


_functions(
    Maximum=torch.maximum,
    Cat=lambda *xs, dim=0: torch.cat(xs, dim),
    Stack=lambda *xs, dim=0: torch.stack(xs, dim),
    Mean=torch.mean,
    Sum=torch.sum,
    Reshape=torch.reshape,
    Permute=torch.permute,
    Transpose=torch.transpose,
    Squeeze=lambda x, dim=None: x.squeeze() if dim is None else x.squeeze(dim),
    Unsqueeze=torch.unsqueeze,
    Exp=torch.exp,
    Normalize=F.normalize,
    Expand=lambda x, sizes: x.expand(sizes),
    Roll=lambda x, shifts, dims=None: x.roll(shifts, dims),
)


@ours
class IndexSelect(_Function):
    """A function whose index may be any numbers, made legal integers, because a graph's buffers hold no values."""

    def forward(self, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return torch.index_select(x, self.kwargs["dim"], (0 * index).nan_to_num().long())


@ours
class Slice(_Function):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        index = self.kwargs["index"]
        items = index if isinstance(index, tuple) else (index,)
        return x[tuple(slice(*item) if isinstance(item, tuple) else item for item in items)]


@ours
class MatMul(_Function):
    """A product with vectors written as matrices, because torch's counter sees no FLOPs in products with vectors."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if not a.dim() or not b.dim():
            return torch.matmul(a, b)
        product = torch.matmul(a[None] if a.dim() == 1 else a, b[:, None] if b.dim() == 1 else b)
        product = product.squeeze(-1) if b.dim() == 1 else product
        return product.squeeze(-1 if b.dim() == 1 else -2) if a.dim() == 1 else product


class _MaxUnpool:
    """Unpooling that takes a tensor of the output's size in place of the size, and makes any floats legal indices."""

    def forward(self, x: torch.Tensor, indices: torch.Tensor, like: torch.Tensor | None = None) -> torch.Tensor:
        if indices.is_floating_point():
            indices = (0 * indices).nan_to_num().long()
        return super().forward(x, indices, output_size=None if like is None else like.shape[-len(self.kernel_size) :])


class _MaxUnpool1d(_MaxUnpool, nn.MaxUnpool1d): ...


class _MaxUnpool2d(_MaxUnpool, nn.MaxUnpool2d): ...


class _MaxUnpool3d(_MaxUnpool, nn.MaxUnpool3d): ...


OURS |= {f"MaxUnpool{rank}d": kind for rank, kind in enumerate((_MaxUnpool1d, _MaxUnpool2d, _MaxUnpool3d), 1)}


class _Leaf(nn.Module):
    """A tensor that a module holds itself; on its own it has an empty name, which torch does not allow."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.value = torch.randn(shape)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return {"": self.value}

    def put(self, holder: nn.Module, name: str) -> None:
        self.place = (holder, name)  # the holder may be moved to another device and then has the current tensor

    def forward(self) -> torch.Tensor:
        return getattr(*self.place) if hasattr(self, "place") else self.value


@ours
class Parameter(_Leaf):
    def put(self, holder: nn.Module, name: str) -> None:
        super().put(holder, name)
        holder.register_parameter(name, nn.Parameter(self.value))


@ours
class Buffer(_Leaf):
    def put(self, holder: nn.Module, name: str) -> None:
        super().put(holder, name)
        holder.register_buffer(name, self.value)


@ours
class Bilinear(nn.Bilinear):
    """`torch.nn.Bilinear` by matrix products, which torch's counter sees; the original decides what is refused."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        expected = super().forward(x, y)
        rows = x.reshape(-1, self.in1_features) @ self.weight.permute(1, 0, 2).flatten(1)
        products = rows.reshape(-1, self.out_features, self.in2_features) @ y.reshape(-1, self.in2_features, 1)
        result = products.reshape(expected.shape) + (0 if self.bias is None else self.bias)
        torch.testing.assert_close(result, expected)
        return result


class FromGraph(nn.Module):
    """A graph as a torch module with the same paths, so the same ``state_dict``; ``shapes`` has each node's output."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._built: dict[int, nn.Module] = {}
        for path, layer in (*graph.owned.items(), *((node.path, node.layer) for node in graph.nodes)):
            if id(layer) not in self._built and not isinstance(layer, Output):
                self._built[id(layer)] = module_of(type(layer).__name__, **arguments_of(layer))
            if path in graph.owned:
                self._put(path, self._built[id(layer)])
        self.eval()

    def loose_leaves(self) -> list[_Leaf]:
        """Return the tensors made during the forward pass, which no module holds."""
        return [leaf for leaf in self._built.values() if isinstance(leaf, _Leaf) and not hasattr(leaf, "place")]

    def _put(self, path: str, module: nn.Module) -> None:
        *parents, name = path.split(".")
        holder: nn.Module = self
        for parent in parents:
            if parent not in holder._modules:
                holder.add_module(parent, nn.Module())
            holder = holder._modules[parent]
        if isinstance(module, _Leaf):
            module.put(holder, name)
        else:
            holder.add_module(name or "self", module)

    def forward(self, *inputs: torch.Tensor) -> list[torch.Tensor]:
        values, results = dict(zip(self._graph.inputs, inputs)), {}
        for node in self._graph.nodes:
            if isinstance(node.layer, Output):
                place = list(node.layer.source.further_outputs(*node.input_shapes[1:])).index(node.layer.name)
                values[node.name] = results[node.inputs[0]][1 + place]
            else:
                given: list[Any] = [values[name] for name in node.inputs]
                if isinstance(node.layer, _Gated) and len(given) > 2:  # torch takes several states as a tuple
                    given = [given[0], tuple(given[1:])]
                result = self._built[id(node.layer)](*given)
                results[node.name] = tree_leaves(result)
                values[node.name] = results[node.name][0]
            self.shapes[node.name] = tuple(values[node.name].shape)
        return [values[name] for name in self._graph.outputs]
