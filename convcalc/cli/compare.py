"""``convcalc compare``."""

from collections.abc import Sequence

import click

from convcalc import cli


@cli.command(
    "Compare two networks side by side.",
    "compare resnet18 resnet34 --depth 1",
    "compare lenet5 lenet5 --set-b num_classes=26 --max-params +5%",
    "compare vgg16 vgg16_bn --format json --all",
)
@click.argument("a", shell_complete=cli.complete_network)
@click.argument("b", shell_complete=cli.complete_network)
@click.option("--input", "input_", metavar="SIZES", help=f"Input shape of both {cli.SIZES}.")
@click.option("--input-b", metavar="SIZES", help="Input shape of B, if it is a different one.")
@cli.batch
@click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help=f"Setting of both networks, {cli.REPEATED}."
)
@click.option("--set-b", "settings_b", metavar="NAME=VALUE", multiple=True, help="Setting of B alone.")
@cli.depth
@click.option("--all", "every", is_flag=True, help="Include rows that are the same in both.")
@cli.columns
@cli.convention
@cli.format()
@cli.gates("B", ", or +5% relative to A")
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
    """Show what network B changes in network A: layers added (+), removed (-), changed (~) and renamed (=), and totals.

    Layers are paired by kind and position, so that a layer with a different name still counts as the same layer.

    A and B are each a name that `convcalc networks` lists, a .net or .json file, or the text of a sheet.
    """
    from convcalc.questions.compare import compare

    request = cli.Request(a, input_, batch, settings)
    of_b = {"input_b": input_b, "settings_b": dict(map(cli.setting, settings_b))}
    answer = request.answer(compare, b, **of_b, depth=depth, convention=convention, **limits)
    click.echo(answer.to_text(format_, columns, every, cli.terminal_width()))
    cli.exit_on(answer.broken)
