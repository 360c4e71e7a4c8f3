"""``convcalc export``: a network as something that another program reads."""

from __future__ import annotations

import click

from convcalc.cli import arguments

TARGETS = ("torch", "net", "json", "dot", "mermaid")


@click.command(
    short_help="A network as torch code, a sheet, JSON or a picture.",
    epilog="""\b
Examples:
  convcalc export resnet50 --to net
  convcalc export vgg16 --set num_classes=10 --to torch
  convcalc export "conv(6, 5); relu(); maxpool(2)" --input 1x28x28 --to mermaid
\b
Graphviz draws what dot says: convcalc export lenet5 --to dot | dot -Tsvg""",
)
@arguments.network
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="What to write.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Where to; stdout if not given.")
def command(
    network: str,
    input_: str | None,
    batch: str | None,
    settings: tuple[str, ...],
    target: str,
    output: str | None,
) -> None:
    """Write NETWORK as PyTorch source (torch), a sheet with blocks and loops (net), JSON that convcalc reads back
    (json), or a picture's source (dot, mermaid)."""
    from convcalc.readers import traced
    from convcalc.writers.export import export

    shapes = () if input_ is None else (input_,)
    source, _, graph = traced(network, *shapes, batch=batch, settings=dict(map(arguments.setting, settings)))
    text = export(graph, target, source.name).rstrip("\n") + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)
