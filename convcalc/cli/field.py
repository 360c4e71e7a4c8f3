"""``convcalc field``: the receptive field of one layer, to the pixel."""

from __future__ import annotations

import click

from convcalc.cli import arguments
from convcalc.errors import SpecError


def position(text: str | None, option: str) -> tuple[int, ...] | None:
    """A position from text such as ``3,5``; raises SpecError.

    >>> position("3,5", "--unit")
    (3, 5)
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise SpecError(f"{text!r:.60} is not a position", where=option, hint=f"write it as {option} 3,5")
    return tuple(map(int, parts))


@click.command(
    short_help="A layer's receptive field.",
    epilog="""\b
Examples:
  convcalc field resnet50
  convcalc field resnet50 layer3 --unit 3,5 --covers 112,112
  convcalc field vgg16 features.29 --stack
  convcalc field resnet50 layer2 --tile 256 --input 3x1024x1024
  convcalc field vgg16 features.30 --effective""",
)
@arguments.network
@click.argument("layer", required=False)
@click.option("--unit", metavar="Y,X", help="What this unit sees, and how much of that is padding.")
@click.option("--covers", metavar="Y,X", help="Which units see this pixel.")
@click.option("--stack", is_flag=True, help="How the field grows, layer by layer.")
@click.option("--effective", is_flag=True, help="The effective field: where 95 % of the paths end.")
@click.option(
    "--tile", metavar="N", help="Tiles of N (or NxM) pixels: overlap and places that give the whole's output."
)
@click.option("--through-gates", is_flag=True, help="Follow gates (squeeze and excitation): they see the whole input.")
@click.option("--plot", metavar="FILE", type=click.Path(), help="Draw the fields, their growth, the effective field.")
@click.option("--image", metavar="FILE", type=click.Path(), help="An image to draw them on, in place of a blank input.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="text or json."
)
def command(
    network: str,
    layer: str | None,
    input_: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    unit: str | None,
    covers: str | None,
    stack: bool,
    effective: bool,
    tile: str | None,
    through_gates: bool,
    plot: str | None,
    image: str | None,
    format_: str,
) -> None:
    """The receptive field of LAYER in NETWORK: a call or a module by its name in the summary.

    Without LAYER, the last one whose units do not see the whole input.
    """
    from convcalc.analysis.focus import Focus
    from convcalc.readers import traced
    from convcalc.writers import field, field_json

    shapes = () if input_ is None else (input_,)
    source, full, graph = traced(network, *shapes, batch=batch, settings=dict(map(arguments.setting, settings)))
    focus = Focus(graph, layer, through_gates)
    told = field.tell(source.name, focus, source.graph, full, tile=tile)
    told = told._replace(
        unit=position(unit, "--unit"), pixel=position(covers, "--covers"), stack=stack, effective=effective
    )
    click.echo(field_json.render(told) if format_ == "json" else field.render(told))
    if plot is not None:
        from convcalc.writers.plot import draw

        draw(focus, plot, image, source.name)
    elif image is not None:
        raise SpecError("--image goes with --plot", hint="give --plot out.png too")
