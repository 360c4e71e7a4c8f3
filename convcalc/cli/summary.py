"""``convcalc summary``."""

from collections.abc import Sequence

import click

from convcalc import cli


@cli.command(
    "Show a network layer by layer.",
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
    help="Assumption about letters: 'H % 32 == 0', 'H == W', 'H >= 64'; can be given more than once.",
)
@cli.depth
@cli.columns
@cli.convention
@cli.format()
@cli.through_gates
@click.option("--strict", is_flag=True, help="Exit with code 1 if a number is incomplete.")
@cli.gates("NETWORK")
def command(
    request: cli.Request,
    assume: Sequence[str],
    depth: int | None,
    columns: list[str] | None,
    convention: str,
    format_: str,
    through_gates: bool,
    strict: bool,
    **limits: str | None,
) -> None:
    """Show shapes, parameters, FLOPs and receptive fields of NETWORK, layer by layer and in total."""
    from convcalc.questions.summary import summary

    answer = request.answer(summary, convention=convention, assume=assume, through_gates=through_gates, **limits)
    click.echo(answer.to_text(format_, columns, depth, cli.terminal_width()))
    incomplete = "strict: some numbers are incomplete; see ? and ≥ above"
    cli.exit_on([*([incomplete] if strict and not answer.complete else []), *answer.broken])
