"""``convcalc compare``: two networks side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from convcalc.cli import arguments
from convcalc.errors import ConvcalcError


@contextmanager
def blamed(name: str) -> Iterator[None]:
    """Errors raised inside say of which network they are."""
    try:
        yield
    except ConvcalcError as error:
        error.details.append(f"this is network {name}")
        raise


@click.command(
    short_help="Two networks side by side.",
    epilog="""\b
Examples:
  convcalc compare resnet18 resnet34 --depth 1
  convcalc compare lenet5 lenet5 --set-b num_classes=26 --max-params +5%
  convcalc compare vgg16 vgg16_bn --format json --all""",
)
@click.argument("a", shell_complete=arguments.complete_network)
@click.argument("b", shell_complete=arguments.complete_network)
@click.option("--input", "input_", metavar="SIZES", help="Input of both, without the batch; letters allowed: 3xHxW.")
@click.option("--input-b", metavar="SIZES", help="Input of B, where it is another one.")
@click.option("--batch", metavar="N", help="Size of the batch, printed then with the shapes.  [default: 1]")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="An argument of both networks.")
@click.option("--set-b", "settings_b", metavar="NAME=VALUE", multiple=True, help="An argument of B alone.")
@click.option("--depth", type=int, metavar="N", help="Fold layers into the modules at this depth.")
@click.option("--all", "every", is_flag=True, help="Rows that are the same in both, too.")
@arguments.table
@arguments.gates("B", ", or +5% against A")
def command(
    a: str,
    b: str,
    input_: str | None,
    input_b: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    settings_b: tuple[str, ...],
    depth: int | None,
    every: bool,
    columns: str | None,
    convention: str,
    format_: str,
    **limits: str | None,
) -> None:
    """What network B changes in network A: layers added (+), removed (-), changed (~) and renamed (=), and the totals.

    Layers are paired by what they are and where they stand, so that a layer under another name stays the same layer.
    """
    from convcalc.analysis import gates
    from convcalc.analysis.compare import compare
    from convcalc.readers import summary
    from convcalc.writers.comparison import write

    held = gates.limits(limits, relative=True)
    both = dict(map(arguments.setting, settings))
    reports = []
    for name, network, shape, more in (("A", a, input_, {}), ("B", b, input_b or input_, settings_b)):
        with blamed(name):
            own = {**both, **dict(map(arguments.setting, more))}
            shapes = () if shape is None else (shape,)
            reports.append(summary(network, *shapes, batch=batch, convention=convention, settings=own))
    width = arguments.terminal_width()
    click.echo(write(compare(reports[0], reports[1], depth), format_, arguments.names(columns), every, width))
    arguments.hold(gates.check(reports[1], held, reports[0]))
