"""``convcalc compare``."""

from collections.abc import Sequence

import click

from convcalc import cli


@cli.command(
    "Two networks side by side.",
    "compare resnet18 resnet34 --depth 1",
    "compare lenet5 lenet5 --set-b num_classes=26 --max-params +5%",
    "compare vgg16 vgg16_bn --format json --all",
)
@click.argument("a", shell_complete=cli.complete_network)
@click.argument("b", shell_complete=cli.complete_network)
@click.option("--input", "input_", metavar="SIZES", help="Input of both, without the batch; letters allowed: 3xHxW.")
@click.option("--input-b", metavar="SIZES", help="Input of B, where it is another one.")
@cli.batch
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="An argument of both networks.")
@click.option("--set-b", "settings_b", metavar="NAME=VALUE", multiple=True, help="An argument of B alone.")
@cli.depth
@click.option("--all", "every", is_flag=True, help="Rows that are the same in both, too.")
@cli.columns
@cli.convention
@cli.format()
@cli.gates("B", ", or +5% against A")
def command(
    a: str,
    b: str,
    input_: str | None,
    input_b: str | None,
    batch: str | None,
    settings: Sequence[str],
    settings_b: Sequence[str],
    depth: int | None,
    every: bool,
    columns: list[str] | None,
    convention: str,
    format_: str,
    **limits: str | None,
) -> None:
    """What network B changes in network A: layers added (+), removed (-), changed (~) and renamed (=), and the totals.

    Layers are paired by what they are and where they stand, so that a layer under another name stays the same layer.
    """
    from convcalc.questions.compare import compare

    asked = cli.Asked(a, input_, batch, settings)
    of_b = {"input_b": input_b, "settings_b": dict(map(cli.setting, settings_b))}
    answer = asked.by(compare, b, **of_b, depth=depth, convention=convention, **limits)
    click.echo(answer.to_text(format_, columns, every, cli.terminal_width()))
    cli.hold(answer.broken)
