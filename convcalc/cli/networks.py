"""``convcalc networks``: the networks there are, with their totals."""

from __future__ import annotations

import click

from convcalc.cli import arguments


@click.command(
    short_help="The networks there are.",
    epilog="""\b
Examples:
  convcalc networks 'resnet*'
  convcalc networks 'vgg*_bn' --format csv""",
)
@click.argument("pattern", default="*", shell_complete=arguments.complete_network)
@click.option(
    "--format",
    "format_",
    default="simple",
    show_default=True,
    metavar="NAME",
    shell_complete=arguments.complete_format,
    help="json, csv, or a format of tabulate: plain, github, latex, html, ...",
)
def command(pattern: str, format_: str) -> None:
    """The networks whose names match PATTERN (as in a shell: *, ?, [ab]): parameters, MACs, usual input, paper."""
    from convcalc.writers import networks

    click.echo(networks.listed(pattern, format_, arguments.terminal_width()))
