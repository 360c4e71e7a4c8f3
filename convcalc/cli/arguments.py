"""Arguments and options that several commands share: the network, its input, its settings."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from convcalc.errors import SpecError

F = TypeVar("F", bound=Callable[..., Any])


def complete_network(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of networks that begin like this, for the shell."""
    from convcalc import zoo

    return [name for name in zoo.names() if name.startswith(incomplete)]


def complete_convention(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of conventions that begin like this, for the shell."""
    from convcalc.analysis.conventions import CONVENTIONS

    return [name for name in CONVENTIONS if name.startswith(incomplete)]


def complete_format(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of formats that begin like this, for the shell."""
    from convcalc.writers import formats

    return [name for name in formats() if name.startswith(incomplete)]


def setting(text: str) -> tuple[str, Any]:
    """A setting from text such as ``num_classes=10``; raises SpecError.

    >>> setting("num_classes=10"), setting("bn=true"), setting("mode=nearest")
    (('num_classes', 10), ('bn', True), ('mode', 'nearest'))
    """
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier() and value):
        raise SpecError(f"{text!r:.60} is not name=value", where="--set", hint="write it as --set num_classes=10")
    return name, _value(value)


def _value(text: str) -> Any:
    """A number, a truth, a tuple of them, or else the text itself."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    import ast

    try:
        return ast.literal_eval(text) if len(text) <= 100 else text
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def network(command: F) -> F:
    """The arguments of a command on a network: NETWORK, --input, --batch, --set."""
    for decorate in reversed(
        (
            click.argument("network", shell_complete=complete_network),
            click.option("--input", "input_", metavar="SIZES", help="Input without the batch; letters allowed: 3xHxW."),
            click.option("--batch", metavar="N", help="Size of the batch, printed then with the shapes.  [default: 1]"),
            click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="An argument of the network."),
        )
    ):
        command = decorate(command)
    return command


def assumptions(command: F) -> F:
    """The option of a command that takes letters: --assume, any number of times."""
    text = "What holds of the letters: 'H % 32 == 0', 'H == W', 'H >= 64'; any number of times."
    return click.option("--assume", "assume", metavar="CLAIM", multiple=True, help=text)(command)


def table(command: F) -> F:
    """The options of a command that prints a table: --columns, --convention, --format."""
    for decorate in reversed(
        (
            click.option(
                "--columns",
                metavar="NAMES",
                help="Columns, by commas: layer,type,output_shape,params,macs,rf.",
            ),
            click.option(
                "--convention",
                default="torch",
                show_default=True,
                metavar="NAME",
                shell_complete=complete_convention,
                help="What a FLOP is.",
            ),
            click.option(
                "--format",
                "format_",
                default="simple",
                show_default=True,
                metavar="NAME",
                shell_complete=complete_format,
                help="json, csv, or a format of tabulate: plain, github, latex, html, ...",
            ),
        )
    ):
        command = decorate(command)
    return command


def names(columns: str | None) -> list[str] | None:
    """The names in the text of --columns."""
    return None if columns is None else [name.strip() for name in columns.split(",")]


def terminal_width() -> int | None:
    """The width of the terminal that is printed to; None where it is a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def gates(holder: str, more: str = "") -> Callable[[F], F]:
    """An option for each gate, which ``holder`` must pass; ``more`` is said of their values in the help."""
    from convcalc.analysis.gates import GATES

    def decorate(command: F) -> F:
        for gate in reversed(list(GATES.values())):
            example = "100" if gate.name == "min-rf" else "600M"
            text = f"Exit with 1 where {holder} has {gate.broken_by} than this: {example}{more}."
            command = click.option(f"--{gate.name}", metavar="LIMIT", help=text)(command)
        return command

    return decorate


def hold(failures: Sequence[str]) -> None:
    """Tell on stderr what failed, a line each, and end with exit code 1; nothing where nothing failed."""
    for failure in failures:
        click.echo(failure, err=True)
    if failures:
        sys.exit(1)
