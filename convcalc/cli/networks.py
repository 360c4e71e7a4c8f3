"""``convcalc networks``."""

import click

from convcalc import cli


@cli.command("List the known networks.", "networks 'resnet*'", "networks 'vgg*_bn' --format csv")
@click.argument("pattern", default="*", shell_complete=cli.complete_network)
@cli.format()
def command(pattern: str, format_: str) -> None:
    """List the networks whose names match PATTERN (as in a shell: *, ?, [ab]): parameters, MACs, usual input, paper."""
    from convcalc.questions.networks import networks

    click.echo(networks(pattern).to_text(format_, cli.terminal_width()))
