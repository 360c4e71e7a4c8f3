"""``convcalc summary``."""

from collections.abc import Sequence

import click

from convcalc import cli


@cli.command(
    "A network layer by layer.",
    "summary resnet50 --depth 1",
    "summary alexnet --input 3xHxW --columns layer,output_shape,macs",
    'summary resnet50 --input 3xHxW --assume "H % 32 == 0" --assume "H == W"',
    "summary vgg16 --set num_classes=10 --batch 8 --format csv",
    "summary mobilenet_v2 --depth 1 --max-macs 600M",
)
@cli.network
@click.option(
    "--assume",
    metavar="CLAIM",
    multiple=True,
    help="What holds of the letters: 'H % 32 == 0', 'H == W', 'H >= 64'; any number of times.",
)
@cli.depth
@cli.columns
@cli.convention
@cli.format()
@cli.through_gates
@click.option("--strict", is_flag=True, help="Exit with 1 where a number is not complete.")
@cli.gates("NETWORK")
def command(
    asked: cli.Asked,
    assume: Sequence[str],
    depth: int | None,
    columns: list[str] | None,
    convention: str,
    format_: str,
    through_gates: bool,
    strict: bool,
    **limits: str | None,
) -> None:
    """Shapes, parameters, FLOPs and receptive fields of NETWORK, layer by layer, and their totals."""
    from convcalc.questions.summary import summary

    answer = asked.by(summary, convention=convention, assume=assume, through_gates=through_gates, **limits)
    click.echo(answer.to_text(format_, columns, depth, cli.terminal_width()))
    incomplete = "strict: some numbers are not complete; see ? and ≥ above"
    cli.hold([*([incomplete] if strict and not answer.complete else []), *answer.broken])
