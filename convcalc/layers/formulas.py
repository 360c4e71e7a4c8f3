"""The quantities that a kind has formulas for, and the formulas that many kinds share.

A formula of one family is in that family's file; `layers.workings` finds the formulas of a call and their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from convcalc.algebra.formula import Formula

QUANTITIES: Mapping[str, str] = {
    "size": "output size",
    "channels": "output channels",
    "params": "parameters",
    "macs": "multiply–accumulates",
    "reads": "elements read",
    "field": "receptive field",
    "memory": "memory",
}
"""What a kind has formulas for, and its name for users. Formulas of ``params`` follow from the learned tensors' sizes
(`layers.parameters`); ``reads`` are the elements that pooling reads."""

Stated: TypeAlias = "tuple[Formula | str, ...]"
Rules: TypeAlias = "Mapping[str, Stated]"
"""By quantity, the formulas that compute it, of which a call uses one or several, or a sentence where there is nothing
to compute."""


def rules(
    *,
    size: Stated | None = None,
    channels: Stated | None = None,
    macs: Stated | None = None,
    reads: Stated | None = None,
    field: Stated | None = None,
    memory: Stated | None = None,
) -> Rules:
    """Return the formulas that a kind states, by quantity; those that it omits are inherited.

    >>> list(rules(field=(FIELD, JUMP, START)))
    ['field']
    """
    stated = {"size": size, "channels": channels, "macs": macs, "reads": reads, "field": field, "memory": memory}
    return {quantity: formulas for quantity, formulas in stated.items() if formulas is not None}


UNCHANGED = "as the input's"
NONE = "none"
MIXED = "along the other axes as the input's"


class Seen(NamedTuple):
    """What units see along one axis of the network's input, in pixels; each number may be a letter.

    ``size`` is how many pixels a unit sees, ``jump`` (possibly a fraction) the distance between neighbouring units,
    ``start`` the first pixel that unit 0 sees, and ``extent`` the input's size along the axis.
    """

    size: Any
    jump: Any
    start: Any
    extent: Any

    @classmethod
    def pixel(cls, extent: Any) -> Seen:
        """Return what the pixels of an input of size ``extent`` see: themselves.

        >>> Seen.pixel(224)
        Seen(size=1, jump=1, start=0, extent=224)
        """
        return cls(1, 1, 0, extent)

    def whole(self) -> Seen:
        """Return what units see that see the input's full extent.

        >>> Seen.pixel(224).whole()
        Seen(size=224, jump=0, start=0, extent=224)
        """
        return Seen(WHOLE_FIELD(self.extent), 0, 0, self.extent)

    def slid(self, k: Any, s: Any, p: Any, d: Any) -> Seen:
        """Return what units see after a window of kernel size ``k``, stride ``s``, padding ``p``, dilation ``d``.

        >>> Seen.pixel(224).slid(7, 2, 3, 1).slid(3, 2, 1, 1)
        Seen(size=11, jump=4, start=-5, extent=224)
        """
        r, j, a, extent = self
        return Seen(FIELD(r, d, k, j), JUMP(j, s), START(a, p, j), extent)


GIVEN_SIZE = Formula(
    "size given",
    "o",
    {"o": "size that an argument sets, whatever the input's"},
    source="torch.nn.AdaptiveAvgPool2d, torch.nn.Upsample, torch.nn.MaxUnpool2d",
)

_SEEN = {"r": "field of the input's units", "j": "pixels between the input's units (product of the strides so far)"}
_STRIDED = {"d": "dilation", "k": "kernel size", "s": "stride"}
_FIRST = {"a": "first pixel that unit 0 of the input sees", "p": "padding before", "j": _SEEN["j"]}

FIELD = Formula(
    "receptive field",
    "r + d*(k - 1)*j",
    {"r": _SEEN["r"], "d": _STRIDED["d"], "k": _STRIDED["k"], "j": _SEEN["j"]},
    mistakes={
        "kernel sizes multiplied": "r*k",
        "k instead of k − 1": "r + d*k*j",
        "earlier strides forgotten": "r + d*(k - 1)",
        "dilation ignored": "r + (k - 1)*j",
    },
    source="Araujo, Norris and Sim, Distill 2019, doi:10.23915/distill.00021",
)

JUMP = Formula(
    "jump",
    "j*s",
    {"j": _SEEN["j"], "s": _STRIDED["s"]},
    mistakes={"strides added": "j + s", "earlier strides forgotten": "s"},
    source=FIELD.source,
)

START = Formula(
    "start",
    "a - p*j",
    _FIRST,
    mistakes={"jump forgotten": "a - p", "padding ignored": "a"},
    source=FIELD.source,
)

SHIFTED_START = Formula(
    "start of a shifted axis",
    "a + b*j",
    {"a": _FIRST["a"], "b": "position of the input that unit 0 reads", "j": _SEEN["j"]},
    mistakes={"jump forgotten": "a + b"},
    source=FIELD.source,
)

SPREAD_JUMP = Formula(
    "jump of an axis that grows",
    "quotient(j, s)",
    {"j": _SEEN["j"], "s": "stride, or the factor that the axis grows by"},
    mistakes={"multiplied, as if it were strided": "j*s"},
    source="each step between units of the input becomes s steps between units of the output",
)

WHOLE_FIELD = Formula(
    "receptive field where all positions are mixed",
    "x",
    {"x": "size of the network's input along the axis"},
    source="every unit sees the full extent of the axis",
)

MEMORY = Formula(
    "bytes in fp32",
    "4*e",
    {"e": "elements of the output, or of the parameters"},
    mistakes={"bytes per number forgotten": "e", "bits instead of bytes": "32*e", "fp16": "2*e"},
    source="IEEE 754, binary32: 4 bytes per number",
)
