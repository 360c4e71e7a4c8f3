"""``convcalc matrix``: a convolution as a fully connected layer with shared and zeroed weights."""

from __future__ import annotations

import click

from convcalc.cli import arguments


@click.command(
    short_help="A convolution as a matrix.",
    epilog="""\b
Examples:
  convcalc matrix "Conv1d(1, 1, 3, stride=2)" --input 1x6
  convcalc matrix "Conv2d(1, 1, 2, bias=False)" --input 1x3x3 --format latex""",
)
@click.argument("layer")
@click.option("--input", "input_", metavar="SIZES", help="Input without the batch, such as 1x6.")
@click.option(
    "--format",
    "format_",
    default="simple",
    show_default=True,
    metavar="NAME",
    shell_complete=arguments.complete_format,
    help="A format of tabulate: plain, github, latex, html, ...",
)
def command(layer: str, input_: str | None, format_: str) -> None:
    """The matrix of the convolution LAYER, from its input (x) to its output (y), with letters for shared weights."""
    from convcalc.analysis.matrix import matrix
    from convcalc.readers import summary
    from convcalc.writers.matrix import render

    shapes = () if input_ is None else (input_,)
    click.echo(render(matrix(summary(layer, *shapes).graph), format_))
