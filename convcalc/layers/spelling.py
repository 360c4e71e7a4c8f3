"""How a kind of layer is written: its names and defaults on a spec sheet, and its spelling in PyTorch source.

These facts are declared on the class or on the base of its family, so that readers and writers consult the kind and
never compare its name. Only `convcalc.formats` knows the texts as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.types import Shape


class Spelling:
    """The spelling of a kind; each attribute has a default, and a kind states those in which it differs.

    A class is named as the module in torch.nn. A template of torch's source has these placeholders:

    - ``{x}``, ``{y}`` and ``{z}`` for the first three inputs, ``{all}`` for all of them, with commas;
    - ``{dim}`` for the argument ``dim``, and ``{end_dim=-1}`` for one that is omitted where it is -1;
    - ``{*shape}`` for the items of the argument ``shape``, without its brackets;
    - ``{**rest}`` for all other arguments by name, except trailing ones that are None or False.
    """

    __slots__ = ()

    # On a sheet.
    sheet: ClassVar[str] = ""
    """The lowercase name, shared by a family; by default the class name without rank, in lower case: ``maxpool``."""
    also: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Further lowercase names, such as ``gap``, with the arguments that each implies when called without any."""
    infers: ClassVar[Mapping[str, Any]] = {}
    """Arguments that the lowercase name takes from the input's shape, such as ``in_channels``, with the axes."""
    sheet_defaults: ClassVar[Mapping[str, Any]] = {}
    """Arguments with another default on a sheet, since a sheet has no batch."""
    merges: ClassVar[bool] = False
    """Whether inputs are written in the first brackets: ``add(a, b)`` instead of ``conv(8, 3)(a)``."""
    any_rank: ClassVar[bool] = False
    """Whether a kind with a rank decides by its own checks which inputs it takes."""
    takes_vectors: ClassVar[bool] = False
    """Whether a kind of rank 1 also takes vectors."""
    wants_vector: ClassVar[bool] = False
    """Whether the lowercase name refuses a map, since a ``flatten()`` is missing before it."""
    sheet_example: ClassVar[str] = ""
    """A sheet whose last layer is of this kind, where no example can be derived from the docstring."""

    # In PyTorch.
    in_torch: ClassVar[bool] = True
    """Whether torch.nn has a class of this name."""
    operator: ClassVar[str] = ""
    """The operator between inputs that is equivalent to a call of this layer: ``+``."""
    torch_call: ClassVar[str] = ""
    """A template of the equivalent function or method: ``torch.cat([{all}], {dim})``."""
    passes_one: ClassVar[bool] = False
    """Whether the output of a single input is that input, so that no call is written."""
    held_as: ClassVar[str] = ""
    """What torch's methods call a tensor that a module holds: ``buffer`` in ``register_buffer``."""
    printed: ClassVar[tuple[str, ...] | None] = ()
    """Words that ``print(model)`` adds to the arguments; None where it prints submodules instead of arguments."""
    noisy: ClassVar[bool] = False
    """Whether a call is random in training."""
    outside: ClassVar[float] = 0.0
    """What a window reads outside the input."""
    index_input: ClassVar[int | None] = None
    """The position of an input that holds integers."""
    averages: ClassVar[bool] = False
    """Whether a window's sum is divided by the number of its elements."""
    rearranges: ClassVar[bool] = False
    """Whether the output's elements are those of the inputs, integers if those are."""
    joins: ClassVar[bool] = False
    """Whether inputs are placed side by side, each unchanged."""
    alternatives: ClassVar[tuple[str, ...]] = ()
    """Further outputs of which a call returns one: the first unless another is used."""

    def torch_inputs(self, shapes: Sequence[Shape], read: Collection[str]) -> str:
        """Return a template of the arguments in a module's call.

        ``shapes`` are those of the inputs; ``read`` names the further outputs that are used.
        """
        return "{all}"

    @classmethod
    def family(cls) -> str:
        """Return the name of the class without its rank.

        >>> from convcalc import nn
        >>> nn.MaxPool2d.family(), nn.ReLU6.family()
        ('MaxPool', 'ReLU6')
        """
        return cls.__name__.removesuffix(f"{getattr(cls, 'rank', 0)}d")

    @classmethod
    def sheet_name(cls) -> str:
        """Return the lowercase name of the kind on a sheet.

        >>> from convcalc import nn
        >>> nn.ConvTranspose2d.sheet_name(), nn.MaxPool2d.sheet_name()
        ('convT', 'maxpool')
        """
        return cls.sheet or cls.family().lower()
