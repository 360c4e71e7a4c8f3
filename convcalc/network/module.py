"""Composites: `Module`, its containers and the transformer's encoder block, written as in torch.nn.

Children are found by walking ``vars()``, so nothing is registered and ``super().__init__()`` is not needed (it does
no harm). Calling a module runs its ``forward`` on symbolic tensors; `network.trace` records what happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

from convcalc.errors import SpecError
from convcalc.layers.base import Layer, recorder
from convcalc.layers.demands import check_call


class Module:
    """The base of networks and blocks: assign layers in ``__init__`` and use them in ``forward``.

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
        """Compute the module's output; each subclass defines its own."""
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
    """Yield the layers and modules that ``module`` holds itself, by name."""
    for name, value in vars(module).items():
        if isinstance(value, (Layer, Module)):
            yield name, value


def walk(module: Layer | Module, path: str = "") -> Iterator[tuple[str, Layer | Module]]:
    """Yield ``module`` and every module and layer below it, each with its path."""
    ahead = [(path, module)]
    while ahead:
        path, item = ahead.pop()
        yield path, item
        if isinstance(item, Module):
            prefix = path + "." if path else ""
            ahead.extend([(prefix + name, value) for name, value in children(item)][::-1])


def _hold(owner: Module, named: Mapping[str, Any]) -> None:
    """Put children into a container; raise SpecError for what is not a layer or module."""
    for child in named.values():
        if not isinstance(child, (Layer, Module)):
            hint = "call the class to make a layer: nn.ReLU(), not nn.ReLU" if isinstance(child, type) else ""
            raise SpecError(f"holds layers and modules; received {child!r}", where=type(owner).__name__, hint=hint)
    vars(owner).update(named)


class _Container(Module):
    """A module whose children are named by numbers, as in torch's containers."""

    def __init__(self, modules: Iterable[Layer | Module] = ()) -> None:
        self.extend(modules)

    def append(self, module: Layer | Module) -> _Container:
        """Add a child at the end."""
        return self.extend([module])

    def extend(self, modules: Iterable[Layer | Module]) -> _Container:
        """Add several children at the end."""
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
        """Return a child, or a container of some of them."""
        named = list(children(self))
        return self._part(dict(named[index])) if isinstance(index, slice) else named[index][1]

    def _part(self, named: Mapping[str, Layer | Module]) -> _Container:
        return type(self)(named.values())


class Sequential(_Container):
    """A chain of layers; an ordered mapping names them.

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
        """Call each child in turn on the output of the one before."""
        for child in self:
            input = child(input)
        return input

    def _part(self, named: Mapping[str, Layer | Module]) -> Sequential:
        return Sequential(named)  # as in torch, children keep their names


class ModuleList(_Container):
    """A list of children, which the ``forward`` of its owner calls."""


class ModuleDict(Module):
    """A mapping of names to children, which the ``forward`` of its owner calls."""

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
        """Return names and children, in order."""
        return vars(self).items()

    def values(self) -> Iterable[Any]:
        """Return the children, in order."""
        return vars(self).values()

    def keys(self) -> Iterable[str]:
        """Return the names, in order."""
        return vars(self).keys()
