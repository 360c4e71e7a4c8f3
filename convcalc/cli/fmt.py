"""``convcalc fmt``."""

import click

from convcalc import cli
from convcalc.errors import SpecError


@click.command(
    short_help="A sheet in canonical layout.", epilog="Example: convcalc fmt 'conv(6,5); relu(); maxpool(2)'"
)
@click.argument("sheet")
@click.option("--check", is_flag=True, help="Print nothing, and exit with 1 where the text would change.")
@click.option("--write", is_flag=True, help="Put the canonical text in the file's place.")
def command(sheet: str, check: bool, write: bool) -> None:
    """The canonical text of SHEET: a .net file, - for stdin, or the text itself. Blocks, loops and comments stay."""
    from convcalc.questions.fmt import fmt

    answer = fmt(sheet)
    if write and not answer.in_file:
        raise SpecError("--write needs a file", hint="without it the text is printed")
    if not (check or write):
        click.echo(answer.text, nl=False)
    elif answer.changed and check:
        cli.hold([f"{answer.source} is not in canonical layout; `convcalc fmt {sheet} --write` puts it so"])
    elif answer.changed:
        cli.save(sheet, answer.text)
