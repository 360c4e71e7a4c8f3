"""A layer's receptive field as text, section by section."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from convcalc.algebra.dims import show_count, show_shape
from convcalc.algebra.types import Dim
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus, Level, Profile
from convcalc.analysis.fields.survey import Coverage, Survey, UnitView
from convcalc.analysis.fields.tiling import Strip
from convcalc.layers.demands import axis_name
from convcalc.views.columns import extents, rf_text
from convcalc.views.table import tabulated

MOST_TILES = 12
"""Tiles along an axis that are listed one by one."""


def render(network: str, survey: Survey) -> str:
    """Return the text about a layer's field: the facts, then a section for each thing that was asked.

    >>> from convcalc import nn, trace
    >>> focus = Focus(trace(nn.Conv1d(1, 1, 3, 2), (1, 1, 9)))
    >>> print(render("net", Survey(focus, seen=UnitView((3,), focus.glimpse((3,))))).splitlines()[-1])
      0 % of the box is padding
    """
    return "\n\n".join("\n".join(section) for section in _sections(network, survey, survey.focus))


def _sections(network: str, survey: Survey, focus: Focus) -> Iterator[Iterable[str]]:
    node = focus.nodes[focus.name]
    kind = type(node.layer).__name__
    what = f"{show_shape(node.output_shape[1:])} from an input of {show_shape(focus.pixels)}"
    yield [f"{network}, {f'{focus.name} ({kind})' if focus.name else kind}: {what}"]
    yield _facts(survey, focus, focus.rf) if survey.local else [f"receptive field  {rf_text(focus.rf)}"]  # type: ignore[arg-type]
    if survey.seen is not None:
        yield _unit(focus, survey.seen)
    if survey.covered is not None:
        yield _covers(focus, survey.covered)
    if survey.profiles is not None:
        yield _effective(focus, survey.profiles)
    if survey.tiling is not None:
        yield _tiling(focus, survey.tiling)
    if survey.levels is not None:
        yield _stack(survey.levels)


def axes(focus: Focus) -> list[str]:
    """Return the names of the input's axes."""
    rank = 2 + len(focus.pixels)
    return [axis_name(rank, i) for i in range(2, rank)]


def _aligned(rows: Sequence[Sequence[str]], sides: str, margin: str = "") -> list[str]:
    """Return rows as lines with their cells in columns, each aligned to the left (l) or right (r)."""
    return [margin + line for line in tabulated([*map(list, rows)], (), sides, "plain").splitlines()]


def _facts(survey: Survey, focus: Focus, rf: Extent) -> Iterator[str]:
    sizes = [("" if rf.exact else "≤ ") + size for size in extents(rf)]
    rows = [
        ["", *axes(focus)],
        ["size", *sizes],
        ["jump (effective stride)", *map(_number, rf.jump)],
        ["start of unit 0", *map(_number, rf.start)],
        ["centre of unit 0", *map(_number, focus.centre)],
        ["effective padding", *map(_number, focus.padding)],
    ]
    yield from _aligned(rows, "l" + "r" * len(sizes))
    if not rf.exact:
        yield "an outer bound: a unit may see less"
    for name, phases in zip(axes(focus), rf.phases):
        if len(phases) > 1:
            yield f"{name}: {_by_phase(phases)}"
    if any(rf.gated):
        yield "in addition, a gate, broadcast over the map, sees the whole input (--through-gates follows it)"
    if all(isinstance(n, int) for n in (*focus.pixels, *focus.units)):
        yield f"the unit in the middle ({_place(focus.middle())}) sees {_percent(focus.share)} of the input"
    if focus.beyond:
        yield f"the receptive field is not defined at {focus.beyond} and after it"
    if survey.unpadded is not None:
        yield f"some unit sees no padding if the input is {show_shape(survey.unpadded)} or larger"


def _by_phase(phases: Sequence[Any]) -> str:
    sizes = [0 if seen is None else seen[1] - seen[0] + 1 for seen in phases]
    parts = [f"{size} at {sizes.count(size)} of {len(sizes)} phases" for size in sorted(set(sizes))]
    where = [i for i, size in enumerate(sizes) if size == min(sizes)]
    few = len(set(sizes)) == 2 and len(where) <= 8
    return ", ".join(parts) + (f" ({min(sizes)} at {', '.join(map(str, where))})" if few else "")


def _unit(focus: Focus, seen: UnitView) -> Iterator[str]:
    if seen.glimpses is None:
        yield f"unit {_place(seen.unit)} sees nothing of the input"
        return
    yield f"unit {_place(seen.unit)} sees"
    rows = [["", "from", "to", "size", "in the padding", "reads of the input"]]
    for name, glimpse in zip(axes(focus), seen.glimpses):
        first, last = glimpse.box
        padding = _ends(glimpse.padding) if any(glimpse.padding) else "none"
        rows.append([name, str(first), str(last), str(last - first + 1), padding, _run(*glimpse.inside)])
    yield from _aligned(rows, "lrrrll", "  ")
    yield f"  {_percent(seen.padding_share)} of the box is padding"


def _covers(focus: Focus, covered: Coverage) -> Iterator[str]:
    pixel = _place(covered.pixel)
    yield f"pixel {pixel} is seen by the units" if covered.boxes else f"no unit sees pixel {pixel}"
    for box in covered.boxes:
        yield "  " + ", ".join([f"{name} {_runs(positions)}" for name, positions in zip(axes(focus), box)])


def _runs(positions: int) -> str:
    """Return positions, a bit for each, as ranges: ``1–3 and 5``."""
    bits = f"{positions:b}"[::-1]
    return " and ".join(_run(run.start(), run.end() - 1) for run in re.finditer("1+", bits))


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _effective(focus: Focus, profiles: Sequence[Profile]) -> Iterator[str]:
    yield "effective field with uniform weights (Luo et al. 2016)"
    rows = [["", "standard deviation", "95 % of the paths", "size", "of", "paths"]]
    for name, profile in zip(axes(focus), profiles):
        (first, last), size = profile.holding(), len(profile.paths)
        spread = [f"{profile.deviation:.2f} px", f"{first} to {last}", str(last - first + 1), str(size)]
        rows.append([name, *spread, _large(profile.total)])
    yield from _aligned(rows, "lrrrrr", "  ")


def _large(number: int) -> str:
    """Return a count, a large one as ``1.23e45``, even if no float can hold it."""
    digits = str(number)
    return show_count(number) if len(digits) < 10 else f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


def _tiling(focus: Focus, strips: Sequence[Strip]) -> Iterator[str]:
    size = " x ".join(str(strip.size) for strip in strips)
    yield f"tiles of {size} whose outputs together equal the output of the whole input"
    rows = [["", "overlap", "step", "begins at multiples of", "spoilt units"]]
    for name, strip in zip(axes(focus), strips):
        rows.append([name, str(strip.overlap), str(strip.step), str(strip.alignment), _ends(strip.spoilt)])
    yield from _aligned(rows, "lrrrl", "  ")
    for name, strip in zip(axes(focus), strips):
        yield f"\n  {name}: take pixels, keep units of the tile, put them at"
        cells = [["{}:{}".format(*ends) for ends in tile] for tile in strip.tiles]
        if len(cells) > MOST_TILES:
            cells[MOST_TILES - 1 : -1] = [["..."] * 3]
        yield from _aligned(cells, "rrr", "    ")


def _ends(both: tuple[int, int]) -> str:
    return "{} before, {} after".format(*both)


def _stack(levels: Sequence[Level]) -> Iterator[str]:
    rows = [["Layer", "Type", "Output shape", "RF", "Growth", "Jump", "Start"]]
    for level in levels:
        rf, node = level.rf, level.node
        growth = "" if not any(level.growth) else "+" + _same(level.growth)
        jump, start = ("", "") if not isinstance(rf, Extent) else (_same(rf.jump), _same(rf.start))
        shape = show_shape(node.output_shape[1:])
        rows.append([node.name or "-", type(node.layer).__name__, shape, rf_text(rf), growth, jump, start])
    lines = _aligned(rows, "lllrrrr")
    yield from [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _same(values: Sequence[Any]) -> str:
    """Return one number if all axes have the same, or each axis's."""
    texts = [_number(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else " x ".join(texts)


def _number(value: "Dim | Fraction | None") -> str:
    """Return a number, halves with a decimal point; ``-`` for None."""
    if value is None:
        return "-"
    return str(float(value) if isinstance(value, Fraction) and value.denominator == 2 else value)


def _place(position: Sequence[int]) -> str:
    return ",".join(map(str, position))


def _percent(share: Fraction) -> str:
    """Return a share in percent, never rounded to 0 or 100."""
    value = 100 * float(share)
    return f"{value:.0f} %" if share in (0, 1) else f"{min(max(value, 0.1), 99.9):.1f} %"
