"""``convcalc layers``."""

import click

from convcalc import cli


@cli.command("The layers there are.", "layers Conv2d", "layers conv", "layers '*pool*'")
@click.argument("name", default="*", shell_complete=cli.complete_layer)
def command(name: str) -> None:
    """The layer NAME: its arguments, what it computes, an example on a sheet, its formulas and their common mistakes.

    NAME is torch's (Conv2d) or a sheet's (conv). Where it is a pattern (as in a shell: *, ?, [ab]), or left out, the
    layers whose names match, one a line.
    """
    from convcalc.questions.layers import layers

    click.echo(layers(name).to_text(width=cli.terminal_width()))
