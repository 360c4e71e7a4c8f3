"""``convcalc networks``: the names of the networks there are."""

from __future__ import annotations

import click

from convcalc.cli import arguments
from convcalc.errors import UnknownName, did_you_mean


@click.command(short_help="The networks there are.", epilog="Example: convcalc networks 'resnet*'")
@click.argument("pattern", default="*", shell_complete=arguments.complete_network)
def command(pattern: str) -> None:
    """The networks whose names match PATTERN (as in a shell: *, ?, [ab]), one a line."""
    from convcalc import zoo

    names = zoo.names(pattern)
    if not names:
        hint = did_you_mean(pattern, zoo.names()) or "`convcalc networks` lists them all"
        raise UnknownName(f"no network matches {pattern!r}", hint=hint)
    click.echo("\n".join(names))
