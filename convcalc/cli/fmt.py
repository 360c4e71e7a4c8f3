"""``convcalc fmt``."""

import click

from convcalc import cli
from convcalc.errors import SpecError


@click.command(
    short_help="Print a sheet in canonical layout.", epilog="Example: convcalc fmt 'conv(6,5); relu(); maxpool(2)'"
)
@click.argument("sheet")
@click.option("--check", is_flag=True, help="Print nothing; exit with code 1 if the text would change.")
@click.option("--write", is_flag=True, help="Write the canonical text back to the file.")
def command(sheet: str, check: bool, write: bool) -> None:
    """Print the canonical text of SHEET: a .net file, - for stdin, or the text itself.

    Blocks, loops and comments are kept.
    """
    from convcalc.questions.fmt import fmt

    answer = fmt(sheet)
    if write and not answer.in_file:
        raise SpecError("--write needs a file", hint="without --write, the text is printed")
    if not (check or write):
        click.echo(answer.text, nl=False)
    elif answer.changed and check:
        cli.exit_on([f"{answer.source} is not in canonical layout; `convcalc fmt {sheet} --write` rewrites it"])
    elif answer.changed:
        cli.save(sheet, answer.text)
