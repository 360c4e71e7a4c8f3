"""``convcalc export``."""

import click

from convcalc import cli


@cli.command(
    "Write a network as torch code, a sheet, JSON or a picture.",
    "export resnet50 --to net",
    "export vgg16 --set num_classes=10 --to torch",
    'export "conv(6, 5); relu(); maxpool(2)" --input 1x28x28 --to mermaid'
    "\n\n\b\nGraphviz draws a picture from dot: convcalc export lenet5 --to dot | dot -Tsvg",
)
@cli.network
@click.option(
    "--to",
    type=click.Choice(["torch", "net", "json", "dot", "mermaid"]),
    required=True,
    help="Language to write.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="File to write, not stdout.")
def command(request: cli.Request, to: str, output: str | None) -> None:
    """Write NETWORK as PyTorch source (torch), a sheet with blocks and loops (net), JSON that convcalc reads back
    (json), or the source of a picture (dot, mermaid)."""
    from convcalc.questions.export import export

    text = request.answer(export, to=to)
    if output is None:
        click.echo(text, nl=False)
    else:
        cli.save(output, text)
