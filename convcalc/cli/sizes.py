"""``convcalc sizes``."""

import click

from convcalc import cli


@cli.command(
    "Show which input sizes work.", "sizes alexnet", "sizes unet --input 1x350x350", "sizes resnet50 --floor-loss"
)
@cli.network
@click.option("--floor-loss", is_flag=True, help="Show where rounding down (a floor) drops pixels.")
@cli.text_or_json()
def command(request: cli.Request, floor_loss: bool, format_: str) -> None:
    """Show which input sizes NETWORK takes, and which layer imposes each constraint.

    If --input is in numbers, show whether that size works; if it does not, show the nearest that do, and exit with
    code 1.
    """
    from convcalc.questions.sizes import sizes

    answer = request.answer(sizes, floor_loss=floor_loss)
    click.echo(answer.to_text(format_))
    if not answer.works:
        raise SystemExit(1)
