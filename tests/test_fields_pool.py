"""Receptive fields of pooling, resizing, padding and shuffling layers against what real torch outputs depend on.

One input position at a time is raised far above the rest; the outputs that change have seen it. A position to which
interpolation gives weight 0 is not seen: none of its values reaches the output (NaN would, since torch multiplies it).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.algebra.field import Field
from convcalc.layers.base import infer
from tests.strategies import LEGAL, Case
from tests.strategies.pool import TF_SAME_LEGAL
from tests.torch_modules import module_of

FAMILY = ("Pool", "Upsampl", "Pad", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle")
STRATEGIES = {kind: cases for kind, cases in LEGAL.items() if any(word in kind for word in FAMILY)}
STRATEGIES |= {f"{kind} tf_same": cases for kind, cases in TF_SAME_LEGAL.items()}

Interval = tuple[int, int]


def seen(module: torch.nn.Module, shape: tuple[int, ...], axis: int) -> list[Interval | None]:
    """Return the first and last input position along ``axis`` that each unit of the output along it depends on."""
    size = shape[axis]
    x = (torch.rand((1, *shape[1:]), dtype=torch.float64) + 0.5).repeat(size + 1, *[1] * (len(shape) - 1))
    for position in range(size):  # one sample for each position, and the last one unchanged
        x[position].select(axis - 1, position).add_(1e6)
    y = module(x)
    y = y[0] if isinstance(y, tuple) else y
    changed = (y[:-1] - y[-1:]).abs().transpose(1, axis).flatten(2).amax(2) > 1e-5
    return [_hull(changed[:, unit].nonzero().flatten().tolist()) for unit in range(y.shape[axis])]


def _hull(positions: list[int]) -> Interval | None:
    return (positions[0], positions[-1]) if positions else None


def factors_of(case: Case) -> tuple[Any, ...]:
    """Return the scale factors of an upsampling."""
    factors = case.kwargs.get("scale_factor") or ()
    return factors if isinstance(factors, tuple) else (factors,)


def is_irregular(case: Case) -> bool:
    """Return whether a scale factor is not a simple fraction, so that no period of reasonable length exists."""
    return any(not (float(factor) * 30).is_integer() for factor in factors_of(case))


def takes_shortcut(kind: str, case: Case, output: tuple[int, ...]) -> bool:
    """Return whether torch's nearest kernel for two axes copies or doubles, although a fractional factor is given.

    It does so where the sizes come out equal or doubled; the kernels for one and three axes do not, nor other modes.
    """
    if not kind.startswith("Upsampl") or case.kwargs.get("mode", "nearest") != "nearest" or len(output) != 4:
        return False
    if all(float(factor) % 1 == 0 for factor in factors_of(case)):
        return False
    return any(o in (n, 2 * n) for n, o in zip(case.inputs[0][2:], output[2:]))


def check_unit(predicted: Interval, real: Interval | None, size: int, fills_border: bool) -> None:
    """Assert that both are equal inside the input, and that a unit sees no more at a border that is not made of it."""
    low, high = predicted
    if low >= 0 and high < size:
        assert real == predicted
    elif real is not None and not fills_border:
        assert low <= real[0] and real[1] <= high


@pytest.mark.parametrize("name", sorted(STRATEGIES))
@given(data=st.data())
def test_field_equals_torch(name: str, data: st.DataObject) -> None:
    kind = name.split()[0]
    case = data.draw(STRATEGIES[name])
    shape = case.inputs[0]
    layer = getattr(nn, kind)(**case.kwargs)
    output, _ = infer(layer, (shape,))
    pads_batch = getattr(case.kwargs.get("padding"), "__len__", int)() == 2 * len(shape)
    if len(shape) != (layer.rank + 2 if layer.rank else max(len(shape), 4)) or pads_batch:
        return  # a field's first two axes are batch and channels; a padded batch would mix the samples
    field = layer.field([Field.of_input(len(shape))], (shape,), output)
    if takes_shortcut(kind, case, output):
        return
    if field is None:
        assert is_irregular(case)
        return
    module = module_of(kind, **case.kwargs).double()
    fills: Any = kind.startswith(("Reflection", "Replication", "Circular"))
    fills = fills or case.kwargs.get("padding_mode", "zeros") != "zeros"
    for axis in range(2, len(shape)):
        whole = axis - 2 in field.whole
        assert whole == (field.axes[axis] is None)
        units = seen(module, shape, axis)
        if not any(units):
            continue  # along another axis all windows are in the padding
        for unit, real in enumerate(units):
            moving = field.axes[axis]
            predicted = (0, shape[axis] - 1) if moving is None else moving.interval(unit)
            assert predicted is not None
            check_unit(predicted, real, shape[axis], fills)


@pytest.mark.parametrize("factor", [1.3333333333333335, 0.20000000000000004])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_factor_beside_a_simple_fraction_is_that_fraction(factor: float, mode: str) -> None:
    """torch holds scales in single precision, in which a factor has no more digits than that."""
    layer = nn.Upsample(scale_factor=factor, mode=mode)
    module = module_of("Upsample", scale_factor=factor, mode=mode)
    output, _ = infer(layer, ((1, 1, 20, 20),))
    field = layer.field([Field.of_input(4)], ((1, 1, 20, 20),), output)
    assert field is not None
    moving = field.axes[2]
    assert moving is not None
    for unit, real in enumerate(seen(module, (1, 1, 20, 20), 2)):
        check_unit(moving.interval(unit), real, 20, False)
