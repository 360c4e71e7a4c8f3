"""``convcalc matrix``."""

import click

from convcalc import cli


@cli.command(
    "A convolution as a matrix.",
    'matrix "Conv1d(1, 1, 3, stride=2)" --input 1x6',
    'matrix "Conv2d(1, 1, 2, bias=False)" --input 1x3x3 --format latex',
)
@click.argument("layer")
@click.option("--input", "input_", metavar="SIZES", help="Input without the batch, such as 1x6.")
@cli.format("A")
def command(layer: str, input_: str | None, format_: str) -> None:
    """The matrix of the convolution LAYER, from its input (x) to its output (y), with letters for shared weights."""
    from convcalc.questions.matrix import matrix

    click.echo(cli.Asked(layer, input_).by(matrix).to_text(format_))
