"""``convcalc layers``."""

import click

from convcalc import cli


@cli.command("List the kinds of layers, or describe one.", "layers Conv2d", "layers conv", "layers '*pool*'")
@click.argument("name", default="*", shell_complete=cli.complete_layer)
def command(name: str) -> None:
    """Describe the layer NAME: its arguments, what it computes, an example on a sheet, its formulas, common mistakes.

    NAME is torch's (Conv2d) or a sheet's (conv). If it is a pattern (as in a shell: *, ?, [ab]) or left out, the layers
    whose names match are listed, one on each line.
    """
    from convcalc.questions.layers import layers

    click.echo(layers(name).to_text(width=cli.terminal_width()))
