"""``convcalc matrix``."""

import click

from convcalc import cli


@cli.command(
    "Show a convolution as a matrix.",
    'matrix "Conv1d(1, 1, 3, stride=2)" --input 1x6',
    'matrix "Conv2d(1, 1, 2, bias=False)" --input 1x3x3 --format latex',
)
@click.argument("layer")
@click.option("--input", "input_", metavar="SIZES", help="Input shape without the batch, such as 1x6.")
@cli.format("a")
def command(layer: str, input_: str | None, format_: str) -> None:
    """Show the matrix that takes the input (x) of the convolution LAYER to its output (y), with letters for shared
    weights."""
    from convcalc.questions.matrix import matrix

    click.echo(cli.Request(layer, input_).answer(matrix).to_text(format_))
