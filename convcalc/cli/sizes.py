"""``convcalc sizes``."""

import click

from convcalc import cli


@cli.command("Which input sizes work.", "sizes alexnet", "sizes unet --input 1x350x350", "sizes resnet50 --floor-loss")
@cli.network
@click.option("--floor-loss", is_flag=True, help="Show where a floor drops pixels.")
@cli.text_or_json()
def command(asked: cli.Asked, floor_loss: bool, format_: str) -> None:
    """Which input sizes NETWORK takes, and the layer that asks for each restriction.

    With --input in numbers: whether that size works, and if not, the nearest that do (exit code 1).
    """
    from convcalc.analysis.solving.legal import floor_loss as lost
    from convcalc.questions.sizes import sizes
    from convcalc.views import answers, json

    answer = asked.by(sizes)
    losses = None if answer.graph is None or not floor_loss else lost(answer.graph)
    click.echo((json if format_ == "json" else answers).sizes(answer, losses))
    if answer.verdict is not None and not answer.verdict.works:
        raise SystemExit(1)
