"""``convcalc summary``: the table of a network, layer by layer."""

from __future__ import annotations

import click

from convcalc.cli import arguments


@click.command(
    short_help="A network layer by layer.",
    epilog="""\b
Examples:
  convcalc summary resnet50 --depth 1
  convcalc summary alexnet --input 3xHxW --columns layer,output_shape,macs
  convcalc summary resnet50 --input 3xHxW --assume "H % 32 == 0" --assume "H == W"
  convcalc summary vgg16 --set num_classes=10 --batch 8 --format csv
  convcalc summary mobilenet_v2 --depth 1 --max-macs 600M""",
)
@arguments.network
@arguments.assumptions
@click.option("--depth", type=int, metavar="N", help="Fold layers into the modules at this depth.")
@arguments.table
@click.option("--strict", is_flag=True, help="Exit with 1 where a number is not complete.")
@arguments.gates("NETWORK")
def command(
    network: str,
    input_: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    assume: tuple[str, ...],
    depth: int | None,
    columns: str | None,
    convention: str,
    format_: str,
    strict: bool,
    **limits: str | None,
) -> None:
    """Shapes, parameters, FLOPs and receptive fields of NETWORK, layer by layer, and their totals."""
    from convcalc.analysis import gates
    from convcalc.readers import summary
    from convcalc.writers import write

    held = gates.limits(limits)
    shapes = () if input_ is None else (input_,)
    given = dict(map(arguments.setting, settings))
    report = summary(network, *shapes, batch=batch, convention=convention, settings=given, assume=assume)
    click.echo(write(report, format_, arguments.names(columns), depth, arguments.terminal_width()))
    incomplete = "strict: some numbers are not complete; see ? and ≥ above"
    arguments.hold([*([incomplete] if strict and not report.complete else []), *gates.check(report, held)])
