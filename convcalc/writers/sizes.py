"""Legal sizes as text or JSON: what works, who asks for it, why given sizes fail, where a floor drops pixels.

What is said is found by `analysis.legal` and `analysis.floor_loss`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from convcalc.algebra.dims import Shape, show, show_shape
from convcalc.analysis.floor_loss import Loss
from convcalc.analysis.legal import Legal, Verdict
from convcalc.writers.table import tabulated


def render(name: str, found: Legal, losses: Sequence[Loss] | None = None) -> str:
    """The sizes that a network takes, as text.

    >>> from convcalc import nn, symbols, trace
    >>> from convcalc.analysis.legal import legal
    >>> print(render("pool", legal(trace(nn.ReLU(), (1, 3, *symbols("H W"))))))
    pool, input 3 x H x W
    <BLANKLINE>
    works for any H, any W
    """
    lines = [f"{name}, input {', '.join(show_shape(shape[1:]) for shape in found.shapes)}"]
    lines += [f"Note  {held}" for held in found.held]
    told = found.told()
    if not told:
        lines += ["", "no size works"]
    elif len(told) == 1:
        lines += ["", f"works for {told[0]}"]
    else:
        lines += ["", "works for", *[f"  {line}" for line in told]]
    if found.demands:
        lines += ["", _table(found.demands, ("Needs", "Layer", "Or else"))]
    if losses is not None:
        lines += ["", _losses(losses)]
    return "\n".join(lines)


def _losses(losses: Sequence[Loss]) -> str:
    if not losses:
        return "no floor drops a pixel"
    numbers = not any(loss.when for loss in losses)
    columns = 4 if numbers else 5
    rows = [(loss.node, loss.axis, show(loss.size), show(loss.lost), loss.when)[:columns] for loss in losses]
    return _table(rows, ("Layer", "Axis", "Of", "Dropped", "Where")[:columns])


def _table(rows: Sequence[Sequence[str]], titles: Sequence[str]) -> str:
    return tabulated([list(row) for row in rows], titles, ["left"] * len(titles), "simple")


def render_verdict(verdict: Verdict, losses: Sequence[Loss] | None = None) -> str:
    """Whether given sizes work, and what to do where they do not, as text."""
    asked = _sizes(verdict.shapes)
    if verdict.error is None:
        return "\n".join([f"{asked} works", *([] if losses is None else ["", _losses(losses)])])
    lines = [f"{asked} does not work", *[f"  {line}" for line in str(verdict.error).splitlines()]]
    near = [
        f"{_sizes(shapes)} {side}"
        for shapes, side in ((verdict.below, "below"), (verdict.above, "above"))
        if shapes is not None
    ]
    lines.append(f"nearest that work: {' and '.join(near)}" if near else "no size near it works")
    if verdict.above is not None:
        lines.append(f"padding to {_sizes(verdict.above)}: {_padding(verdict.padding)}")
    return "\n".join(lines)


def _sizes(shapes: Sequence[Shape]) -> str:
    return ", ".join(show_shape(shape[2:]) for shape in shapes)


def _padding(padding: Sequence[int]) -> str:
    """What is missing, axis by axis, and how it is shared out to both sides."""
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(padding), ())
    return ", ".join(f"{n} in {name} ({n // 2} before, {n - n // 2} after)" for n, name in zip(padding, names) if n)


def as_dict(name: str, found: Legal) -> dict[str, Any]:
    """The sizes as plain lists, dicts, numbers and strings.

    A box says for each letter: the members ``below`` a ``start``, and from there on all with one of these
    ``remainders`` by ``period``; of several boxes one must hold.
    """
    boxes = [
        {
            letter: {
                "text": sizes.told(letter),
                "below": sorted(sizes.below),
                "start": sizes.start,
                "period": sizes.period,
                "remainders": sorted(sizes.remainders),
            }
            for letter, sizes in box.items()
        }
        for box in found.region.boxes
    ]
    return {
        "network": name,
        "inputs": [[n if isinstance(n, int) else str(n) for n in shape] for shape in found.shapes],
        "boxes": boxes,
        "relations": list(map(str, found.region.rest)),
        "demands": [demand._asdict() for demand in found.demands],
        "notes": list(found.held),
    }


def verdict_as_dict(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain lists, dicts, numbers and strings."""
    return {
        "inputs": [list(shape) for shape in verdict.shapes],
        "works": verdict.works,
        "error": None if verdict.error is None else str(verdict.error),
        "below": None if verdict.below is None else [list(shape) for shape in verdict.below],
        "above": None if verdict.above is None else [list(shape) for shape in verdict.above],
        "padding": list(verdict.padding),
    }


def as_json(document: dict[str, Any], losses: Sequence[Loss] | None = None) -> str:
    """A document as JSON text, with what floors drop, where that was asked for."""
    if losses is not None:
        plain = [{**loss._asdict(), "size": _plain(loss.size), "lost": _plain(loss.lost)} for loss in losses]
        document = {**document, "floor_loss": plain}
    return json.dumps(document, ensure_ascii=False, indent=1)


def _plain(dim: Any) -> Any:
    return dim if isinstance(dim, int) else str(dim)
