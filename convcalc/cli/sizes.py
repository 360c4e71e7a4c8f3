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
    from convcalc.questions.sizes import sizes

    answer = asked.by(sizes, floor_loss=floor_loss)
    click.echo(answer.to_text(format_))
    if not answer.works:
        raise SystemExit(1)
