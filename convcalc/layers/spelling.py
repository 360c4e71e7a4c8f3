"""How a kind of layer is written: its names and habits on a spec sheet, and in PyTorch source.

These are facts of a class, declared on it or on the base of its family, so that readers and writers look at a kind and
never at its name. What the texts look like as a whole is known to `convcalc.formats` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from convcalc.algebra.types import Shape


class Spelling:
    """How a kind is written; each attribute has a default, and a kind states those in which it differs.

    The name of a class is that of the module in torch.nn. A template of torch's source has gaps:

    - ``{x}``, ``{y}`` and ``{z}`` for the first three inputs, ``{all}`` for all of them, with commas;
    - ``{dim}`` for the argument ``dim``, and ``{end_dim=-1}`` for one that is left out where it is -1;
    - ``{*shape}`` for the items of the argument ``shape``, without its brackets;
    - ``{**rest}`` for all other arguments by name, without the last ones that are None or False.
    """

    __slots__ = ()

    # On a sheet.
    sheet: ClassVar[str] = ""
    """The lowercase name, shared by a family; by default the class's without its rank, in lower case: ``maxpool``."""
    also: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Further lowercase names, and the arguments that each stands for when called without any: ``gap``."""
    infers: ClassVar[Mapping[str, Any]] = {}
    """Arguments that the lowercase name takes from the input's shape, with the axis or axes: ``in_channels``."""
    sheet_defaults: ClassVar[Mapping[str, Any]] = {}
    """Arguments whose default on a sheet is another one, since a sheet has no batch."""
    merges: ClassVar[bool] = False
    """Whether inputs are named in the first brackets: ``add(a, b)`` instead of ``conv(8, 3)(a)``."""
    any_rank: ClassVar[bool] = False
    """Whether a kind with a rank leaves it to its own checks which maps it takes."""
    takes_vectors: ClassVar[bool] = False
    """Whether a kind of rank 1 also takes vectors."""
    wants_vector: ClassVar[bool] = False
    """Whether the lowercase name refuses a map, for which a ``flatten()`` is missing."""
    sheet_example: ClassVar[str] = ""
    """A sheet whose last layer is of this kind, where the docstring does not show a call that makes one."""

    # In PyTorch.
    in_torch: ClassVar[bool] = True
    """Whether torch.nn has a class of this name."""
    operator: ClassVar[str] = ""
    """The operator between inputs that makes this layer's call: ``+``."""
    torch_call: ClassVar[str] = ""
    """A template of the function or method that does the same: ``torch.cat([{all}], {dim})``."""
    passes_one: ClassVar[bool] = False
    """Whether a single input is its own output, so that no call is written."""
    held_as: ClassVar[str] = ""
    """What torch's methods call a tensor that a module holds: ``buffer`` of ``register_buffer``."""
    printed: ClassVar[tuple[str, ...] | None] = ()
    """Words that ``print(model)`` adds to the arguments; None where it prints modules in place of these."""
    noisy: ClassVar[bool] = False
    """Whether a call is random in training."""
    outside: ClassVar[float] = 0.0
    """What a window reads outside of the input."""
    index_input: ClassVar[int | None] = None
    """The place of an input that holds integers."""
    averages: ClassVar[bool] = False
    """Whether a window's sum is divided by the number of its elements."""
    rearranges: ClassVar[bool] = False
    """Whether the output's elements are those of the inputs, integers if those are."""
    joins: ClassVar[bool] = False
    """Whether inputs are put side by side, each unchanged."""
    alternatives: ClassVar[tuple[str, ...]] = ()
    """Further outputs of which a call returns one, the first unless another is read."""

    def torch_inputs(self, shapes: Sequence[Shape], read: Collection[str]) -> str:
        """Return a template of what the brackets of a module's call hold.

        The inputs have these ``shapes``; of the further outputs, those in ``read`` are used.
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
