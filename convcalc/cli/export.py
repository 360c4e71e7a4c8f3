"""``convcalc export``."""

import click

from convcalc import cli


@cli.command(
    "A network as torch code, a sheet, JSON or a picture.",
    "export resnet50 --to net",
    "export vgg16 --set num_classes=10 --to torch",
    'export "conv(6, 5); relu(); maxpool(2)" --input 1x28x28 --to mermaid'
    "\n\n\b\nGraphviz draws what dot says: convcalc export lenet5 --to dot | dot -Tsvg",
)
@cli.network
@click.option(
    "--to",
    type=click.Choice(["torch", "net", "json", "dot", "mermaid"]),
    required=True,
    help="What to write.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Where to; stdout if not given.")
def command(asked: cli.Asked, to: str, output: str | None) -> None:
    """Write NETWORK as PyTorch source (torch), a sheet with blocks and loops (net), JSON that convcalc reads back
    (json), or a picture's source (dot, mermaid)."""
    from convcalc.questions.export import export

    text = asked.by(export, to=to)
    if output is None:
        click.echo(text, nl=False)
    else:
        cli.save(output, text)
