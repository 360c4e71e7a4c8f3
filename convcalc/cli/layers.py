"""``convcalc layers``: the kinds of layers there are, and all about one of them."""

from __future__ import annotations

import click

from convcalc.cli import arguments


def complete_layer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of layers that begin like this, for the shell."""
    from convcalc.readers.names import families, kinds

    return [name for name in (*kinds(), *families()) if name.startswith(incomplete)]


@click.command(
    short_help="The layers there are.",
    epilog="""\b
Examples:
  convcalc layers Conv2d
  convcalc layers conv
  convcalc layers '*pool*'""",
)
@click.argument("name", default="*", shell_complete=complete_layer)
def command(name: str) -> None:
    """The layer NAME: its arguments, what it computes, an example on a sheet, its formulas and their slips.

    NAME is torch's (Conv2d) or a sheet's (conv). Where it is a pattern (as in a shell: *, ?, [ab]), or left out, the
    layers whose names match, one a line.
    """
    from convcalc.writers import catalogue

    width = arguments.terminal_width()
    show = catalogue.listed if set(name) & set("*?[") else catalogue.described
    click.echo(show(name, width))
