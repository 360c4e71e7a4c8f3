"""``convcalc field``."""

import click

from convcalc import cli
from convcalc.errors import SpecError


def _position(text: str | None, option: str) -> tuple[int, ...] | None:
    """Return the position in a text such as ``3,5``; raise SpecError for any other text."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise SpecError(f"{text!r:.60} is not a position", where=option, hint=f"write it as {option} 3,5")
    return tuple(map(int, parts))


@cli.command(
    "Show a layer's receptive field.",
    "field resnet50",
    "field resnet50 layer3 --unit 3,5 --covers 112,112",
    "field vgg16 features.29 --stack",
    "field resnet50 layer2 --tile 256 --input 3x1024x1024",
    "field vgg16 features.30 --effective",
)
@cli.network
@click.argument("layer", required=False)
@click.option("--unit", metavar="Y,X", help="Show what this unit sees, and how much of that is padding.")
@click.option("--covers", metavar="Y,X", help="Show which units see this pixel.")
@click.option("--stack", is_flag=True, help="Show how the field grows, layer by layer.")
@click.option("--effective", is_flag=True, help="Show the effective field: where 95 % of the paths end.")
@click.option(
    "--tile",
    metavar="N",
    help="Show how tiles of N (or NxM) pixels must overlap, and where they go, to give the output of the whole input.",
)
@cli.through_gates
@click.option("--plot", metavar="FILE", type=click.Path(), help="Draw the fields, their growth, the effective field.")
@click.option("--image", metavar="FILE", type=click.Path(), help="Image to draw them on, instead of a blank input.")
@cli.text_or_json()
def command(
    request: cli.Request,
    layer: str | None,
    unit: str | None,
    covers: str | None,
    tile: str | None,
    through_gates: bool,
    plot: str | None,
    image: str | None,
    format_: str,
    **sections: bool,
) -> None:
    """Show the receptive field of LAYER in NETWORK: a call or a module, named as in the summary.

    Without LAYER, it is the last one whose units do not see the whole input.
    """
    from convcalc.questions.field import field

    if image is not None and plot is None:
        raise SpecError("--image needs --plot", hint="give --plot out.png too")
    places = {"unit": _position(unit, "--unit"), "covers": _position(covers, "--covers")}
    answer = request.answer(field, layer, tile=tile, through_gates=through_gates, **places, **sections)
    click.echo(answer.to_text(format_))
    if plot is not None:
        answer.plot(plot, image)
