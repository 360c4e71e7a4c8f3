"""Pictures of receptive fields; the only file that imports matplotlib (extra ``plot``), and only to draw."""

import os
from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Any, NamedTuple

from convcalc.algebra.intervals import Along, Interval
from convcalc.analysis.fields.flow import Extent
from convcalc.analysis.fields.focus import Focus, Level, Profile
from convcalc.errors import SpecError, either
from convcalc.network.graph import node_name
from convcalc.views.columns import rf_text
from convcalc.views.field import axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""The palette of Okabe and Ito, which colour-blind readers can distinguish."""

DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (10, 3)), (0, (1, 1)))

ENDINGS = (".png", ".svg", ".pdf")


class Stage(NamedTuple):
    """A layer whose field is drawn, and its place in the stack."""

    place: int
    level: Level
    colour: str
    dashes: Any

    @property
    def label(self) -> str:
        """The entry in a legend: the layer's name, cut if it is long, and its receptive field."""
        path = self.level.node.path or type(self.level.node.layer).__name__
        name = node_name(path if len(path) <= 28 else "…" + path[-27:], self.level.node.call)
        return f"{name}: {rf_text(self.level.rf)}"


def stages(levels: Sequence[Level]) -> list[Stage]:
    """Return up to six layers to draw, with the largest fields: the last at each jump, or at sizes if few jumps."""
    local: list[tuple[int, Any]] = [
        (i, level) for i, level in enumerate(levels) if isinstance(level.rf, Extent) and not any(level.rf.along)
    ]
    turning = [[*run][-1] for _, run in groupby(local, lambda entry: entry[1].rf.jump)]
    kept = _distinct(turning)[-len(COLOURS) :]
    if len(kept) < 3:
        sizes = _distinct(local)
        kept = sizes[:: -((len(sizes) + 4) // 5)][::-1]
    return [Stage(*entry, colour, dashes) for entry, colour, dashes in zip(kept, COLOURS, DASHES)]


def _distinct(levels: Sequence[tuple[int, Level]]) -> list[tuple[int, Level]]:
    """Return the last level at each size."""
    return sorted({rf_text(level.rf): (i, level) for i, level in levels}.values(), key=lambda entry: entry[0])


def draw(focus: Focus, path: str, image: str | None = None, network: str = "") -> None:
    """Draw ``focus`` into a file (png, svg or pdf), its fields on ``image`` if one is given.

    Raises SpecError for another ending, for sizes in letters, for units that see the whole input, and without
    matplotlib.
    """
    if os.path.splitext(path)[1] not in ENDINGS:  # which of the name ".png" is empty
        hint = f"its name must end in {either(ENDINGS)}"
        raise SpecError(f"{path!r:.60} is not a supported picture file", where="--plot", hint=hint)
    picture(focus, image, network).savefig(path)


def picture(focus: Focus, image: str | None = None, network: str = "") -> Any:
    """Return the picture as a matplotlib Figure; raises the same errors as `draw`."""
    focus.along()
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        hint = "pip install 'convcalc[plot]' installs it"
        raise SpecError("pictures need matplotlib, which is not installed", where="--plot", hint=hint) from None
    figure = Figure(figsize=(14, 5.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    levels = focus.stack()
    shown = stages(levels)
    _boxes(left, focus, shown, image)
    _growth(middle, focus, levels, shown)
    _profile(right, focus)
    for panel in (middle, right):
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    figure.suptitle(f"{network or 'network'}, {focus.name or 'output'}: receptive field {rf_text(focus.rf)}")
    return figure


def _labelled(panel: Any, title: str, x: str, y: str = "", **legend: Any) -> None:
    panel.set_title(title, fontsize=10)
    panel.set(xlabel=x, ylabel=y)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), fontsize=8, frameon=False, **legend)


def _boxes(panel: Any, focus: Focus, shown: Sequence[Stage], image: str | None) -> None:
    """Draw the field of each stage's middle unit on the last two axes of the input; an input of one axis is a band."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, withStroke

    names = axes(focus)
    pixels: Any = (1, *focus.pixels)
    height, width = pixels[-2:]
    _input(panel, height, width, image)
    edges = [(-0.5, height - 0.5, -0.5, width - 0.5)]
    for i, stage in enumerate(reversed(shown)):
        part = Focus(focus.graph, stage.level.node.name, focus.through_gates)
        spans = [(0, 0), *[_widest(axis, i) for axis, i in zip(part.along(), part.middle())]]
        (top, bottom), (first, last) = spans[-2:]
        inset = 0.5 - 0.06 * i if len(names) == 1 else 0.5  # along a line, the smaller within the larger
        edges.append((top - inset, bottom + inset, first - 0.5, last + 0.5))
        bottom_left, size = (first - 0.5, edges[-1][0]), (last - first + 1, bottom - top + 2 * inset)
        box = Rectangle(bottom_left, *size, fill=False, label=stage.label)
        line = 3.6 - 0.4 * i
        box.set(edgecolor=stage.colour, linewidth=line, linestyle=stage.dashes)
        # outlined in white, so that it is visible on any image
        box.set_path_effects([withStroke(linewidth=line + 1.6, foreground="white"), Normal()])
        panel.add_patch(box)
    tops, bottoms, firsts, lasts = zip(*edges)
    margin = 0.03 * max(max(bottoms) - min(tops), max(lasts) - min(firsts))
    panel.set_xlim(min(firsts) - margin, max(lasts) + margin)
    if len(names) == 1:
        panel.set(yticks=[], ylim=(2, -2), aspect="auto")
    else:
        panel.set(ylim=(max(bottoms) + margin, min(tops) - margin), aspect="equal")
    title = "what a unit in the middle sees" + (" (grey: the input)" if image is None else "")
    labelled = [f"{name} (pixels)" for name in names[:-3:-1]]
    handles, labels = panel.get_legend_handles_labels()
    _labelled(panel, title, *labelled, handles=handles[::-1], labels=labels[::-1], ncols=2, handlelength=3.5)


def _widest(axis: Along, unit: int) -> Interval:
    """Return what the unit sees, or a neighbour that sees more."""
    seen = [axis.interval(i) or (0, 0) for i in range(unit, unit + max(len(axis.phases), 1))]
    return max(seen, key=lambda ends: ends[1] - ends[0])


def _input(panel: Any, height: int, width: int, image: str | None) -> None:
    from matplotlib.image import imread
    from matplotlib.patches import Rectangle

    if image is None:
        panel.add_patch(Rectangle((-0.5, -0.5), width, height, facecolor="0.88", edgecolor="0.45", linewidth=1))
        return
    try:
        picture = imread(image)
    except Exception as error:  # each image format has a reader with errors of its own
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise SpecError(f"{image:.60} is not an image that can be read: {error}", where="--image") from None
    panel.imshow(picture, extent=(-0.5, width - 0.5, height - 0.5, -0.5), cmap="gray", aspect="auto")


def _growth(panel: Any, focus: Focus, levels: Sequence[Level], shown: Sequence[Stage]) -> None:
    """Draw the largest size so far, layer by layer: shorter branches would make a curve of sizes dip."""
    local: list[tuple[int, Any]] = [
        (i, level.rf) for i, level in enumerate(levels, 1) if isinstance(level.rf, Extent) and level.rf.jump[0]
    ]
    places = [i for i, _ in local]
    high = [*accumulate([rf.size[0] for _, rf in local], max)]
    panel.plot(places, high, color="0.25", linewidth=1.5, drawstyle="steps-post")
    if any(rf.size[0] != rf.smallest[0] for _, rf in local if rf.exact):
        low = [*accumulate([rf.smallest[0] for _, rf in local], max)]
        panel.fill_between(places, low, high, step="post", color="0.75", label="from phase to phase")
    for stage in shown:
        size = dict(local)[stage.place + 1].size[0]
        panel.plot(stage.place + 1, size, "o", color=stage.colour, markeredgecolor="black", zorder=3)
    pixels = focus.pixels[0]
    panel.axhline(pixels, color="0.45", linewidth=1, linestyle=(0, (4, 3)), label=f"the input's size, {pixels}")
    panel.xaxis.get_major_locator().set_params(integer=True)
    along = "" if len(focus.pixels) == 1 else f" along the {axes(focus)[0]}"
    title = "growth by depth (dots: the boxes' layers)"
    _labelled(panel, title, "layer calls, in order", f"receptive field{along} (pixels)")


def _profile(panel: Any, focus: Focus) -> None:
    """Draw the effective field along each axis, equal ones once."""
    curves: dict[tuple[int, ...], tuple[Profile, list[str]]] = {}
    for name, profile in zip(axes(focus), focus.profiles()):
        curves.setdefault(profile.paths, (profile, []))[1].append(name)
    for (profile, names), colour, dashes in zip(curves.values(), COLOURS, DASHES):
        first, last = profile.holding()
        mean = float(profile.mean)
        at = [profile.start + i - mean for i in range(len(profile.paths))]
        share = [100 * number / profile.total for number in profile.paths]
        label = f"{' and '.join(names)}: σ = {profile.deviation:.1f} pixels"
        panel.plot(at, share, color=colour, linestyle=dashes, label=label)
        ends = [first - 0.5 - mean, last + 0.5 - mean]
        panel.axvspan(*ends, color=colour, alpha=0.15, linewidth=0, label=f"95 % within {last - first + 1} pixels")
    title = "effective field with uniform weights"
    _labelled(panel, title, "pixels from the mean", "paths that end there (%)", ncols=2)
