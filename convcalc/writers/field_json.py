"""A layer's receptive field as JSON, the contract for scripts: what ``convcalc field --format json`` prints.

The same as `field` says in words. Positions of a start and a stop are as for a slice; nothing is rounded.
"""

from __future__ import annotations

import json
from typing import Any

from convcalc.analysis.focus import Glimpse
from convcalc.analysis.paths import Profile
from convcalc.analysis.sight import Box
from convcalc.writers.field import Told, is_local, padding_share
from convcalc.writers.json import SCHEMA_VERSION, as_field, plain


def render(told: Told) -> str:
    """``told`` as JSON text, a fact on a line.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.focus import Focus
    >>> told = Told("net", Focus(trace(nn.Conv1d(1, 1, 3), (1, 1, 32))))
    >>> json.loads(render(told))["rf"]["size"]
    [3]
    """
    lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in as_dict(told).items()]
    return "{" + ",\n ".join(lines) + "}"


def as_dict(told: Told) -> dict[str, Any]:
    """``told`` as plain lists, dicts, numbers and strings."""
    focus = told.focus
    node = focus.nodes[focus.name]
    rows: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "network": told.network,
        "layer": focus.name,
        "type": type(node.layer).__name__,
        "input": plain(focus.pixels),
        "output_shape": plain(node.output_shape),
        "rf": as_field(focus.rf),
    }
    if is_local(focus):
        rows |= {"centre": plain(focus.centre), "effective_padding": plain(focus.padding), "units": plain(focus.units)}
        rows["unpadded_from"] = plain(told.unpadded)
    if told.unit is not None:
        rows["unit"] = _unit_dict(told.unit, focus.glimpse(told.unit))
    if told.pixel is not None:
        rows["covers"] = {"pixel": list(told.pixel), "units": [_box(box) for box in focus.covering(told.pixel)]}
    if told.effective:
        rows["effective"] = [_profile_dict(profile) for profile in focus.profiles(told.unit)]
    if told.tiling is not None:
        rows["tiling"] = [
            {**strip._asdict(), "tiles": [tile._asdict() for tile in strip.tiles]} for strip in told.tiling
        ]
    if told.stack:
        rows["stack"] = [
            {"layer": level.node.name, "rf": as_field(level.rf), "growth": list(level.growth)}
            for level in focus.stack()
        ]
    return rows


def _box(box: Box) -> list[list[int]]:
    return [[i for i in range(positions.bit_length()) if positions >> i & 1] for positions in box]


def _unit_dict(unit: tuple[int, ...], glimpses: tuple[Glimpse, ...] | None) -> dict[str, Any]:
    if glimpses is None:
        return {"unit": list(unit), "box": None}
    return {
        "unit": list(unit),
        "box": [list(glimpse.box) for glimpse in glimpses],
        "inside": [list(glimpse.inside) for glimpse in glimpses],
        "padding": [list(glimpse.padding) for glimpse in glimpses],
        "padding_share": float(padding_share(glimpses)),
    }


def _profile_dict(profile: Profile) -> dict[str, Any]:
    return {
        "start": profile.start,
        "paths": [str(number) for number in profile.paths],
        "standard_deviation": profile.deviation,
        "holding_95": list(profile.holding()),
    }
