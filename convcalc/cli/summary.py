"""``convcalc summary``: the table of a network, layer by layer."""

from __future__ import annotations

import shutil
import sys

import click

from convcalc.cli import arguments


@click.command(
    short_help="A network layer by layer.",
    epilog="""\b
Examples:
  convcalc summary resnet50 --depth 1
  convcalc summary alexnet --input 3xHxW --columns layer,output_shape,macs
  convcalc summary vgg16 --set num_classes=10 --batch 8 --format csv""",
)
@arguments.network
@click.option("--depth", type=int, metavar="N", help="Fold layers into the modules at this depth.")
@click.option(
    "--columns", metavar="NAMES", help="Columns, with commas between: layer,type,output_shape,params,macs,rf."
)
@click.option(
    "--convention",
    default="torch",
    show_default=True,
    metavar="NAME",
    shell_complete=arguments.complete_convention,
    help="What a FLOP is.",
)
@click.option(
    "--format",
    "format_",
    default="simple",
    show_default=True,
    metavar="NAME",
    shell_complete=arguments.complete_format,
    help="json, csv, or a format of tabulate: plain, github, latex, html, ...",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where a number is not complete.")
def command(
    network: str,
    input_: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    depth: int | None,
    columns: str | None,
    convention: str,
    format_: str,
    strict: bool,
) -> None:
    """Shapes, parameters, FLOPs and receptive fields of NETWORK, layer by layer, and their totals."""
    from convcalc.readers import summary
    from convcalc.writers import write

    shapes = () if input_ is None else (input_,)
    report = summary(
        network, *shapes, batch=batch, convention=convention, settings=dict(map(arguments.setting, settings))
    )
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(write(report, format_, names, depth, width))
    if strict and not report.complete:
        click.echo("strict: some numbers are not complete; see ? and ≥ above", err=True)
        sys.exit(1)
