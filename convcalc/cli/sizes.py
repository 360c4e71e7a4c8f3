"""``convcalc sizes``: which input sizes a network takes, and why others fail."""

from __future__ import annotations

import sys

import click

from convcalc.cli import arguments


@click.command(
    short_help="Which input sizes work.",
    epilog="""\b
Examples:
  convcalc sizes alexnet
  convcalc sizes unet --input 1x350x350
  convcalc sizes resnet50 --floor-loss""",
)
@arguments.network
@click.option("--floor-loss", is_flag=True, help="Show where a floor drops pixels.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    network: str,
    input_: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    floor_loss: bool,
    format_: str,
) -> None:
    """Which input sizes NETWORK takes, and the layer that asks for each restriction.

    With --input in numbers: whether that size works, and if not, the nearest that do (exit code 1).
    """
    from convcalc.analysis import floor_loss as floors
    from convcalc.readers.questions import sizes
    from convcalc.writers import sizes as writer

    given = dict(map(arguments.setting, settings))
    shapes = () if input_ is None else (input_,)
    answer = sizes(network, *shapes, batch=batch, settings=given)
    losses = None if answer.graph is None or not floor_loss else floors.floor_loss(answer.graph)
    if answer.verdict is None:
        as_dict = writer.as_dict(answer.name, answer.legal)
        text = writer.render(answer.name, answer.legal, losses)
    else:
        as_dict = {"network": answer.name, **writer.verdict_as_dict(answer.verdict)}
        text = writer.render_verdict(answer.verdict, losses)
    click.echo(writer.as_json(as_dict, losses) if format_ == "json" else text)
    if answer.verdict is not None and not answer.verdict.works:
        sys.exit(1)
