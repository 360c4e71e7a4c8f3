"""The command line: a group of commands, each in a file that is imported when it is called, and the options they share.

Every failure is one paragraph on stderr. The exit code is 2 for an error of usage or in a network, 1 for a check that
failed, and 3 for a file that cannot be read or written.
"""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from importlib import import_module
from inspect import cleandoc
from typing import Any, NamedTuple, NoReturn

import click

from convcalc import plugins
from convcalc.errors import ConvcalcError, SpecError, UnknownName, did_you_mean

COMMANDS = ("summary", "sizes", "solve", "compare", "export", "fmt", "networks", "layers", "matrix", "field")
"""Each names a file in this folder that defines a click command called ``command``."""


def fail(paragraph: str, exit_code: int) -> NoReturn:
    """Print a paragraph on stderr and exit."""
    click.echo(paragraph, err=True)
    sys.exit(exit_code)


def save(path: str, text: str) -> None:
    """Write a file; raise OSError that names it."""
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def exit_on(failures: Sequence[str]) -> None:
    """Print failures, a line each, and exit with code 1, if there are any."""
    if failures:
        fail("\n".join(failures), 1)


class LazyGroup(click.Group):
    """A group that imports a command's file when it is called, and prints every error as one paragraph."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which the help lists them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of this name; return None if there is none."""
        return import_module(f"convcalc.cli.{cmd_name}").command if cmd_name in COMMANDS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a command line; raise UsageError for text that cannot be encoded or contains a NUL."""
        for arg in args:
            with suppress(UnicodeEncodeError):
                if b"\0" not in os.fsencode(arg):
                    continue
            raise click.UsageError(f"{arg!r:.60} contains a character that no argument or file name can contain")
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that a line calls, by click's rules; raise UnknownName with names that are close."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UnknownName(f"no command is called {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command line and exit."""
        if not gc.get_freeze_count():
            # looking for garbage takes a tenth of a short run: modules imported so far stay, and those to come too
            gc.freeze()
            gc.set_threshold(100_000)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that cannot show ⌈ shows ? instead of a traceback
                stream.reconfigure(errors="replace")
        try:
            plugins.load()  # before any command's file is imported: options and completions list what plugins add
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}) or 0)
        except ConvcalcError as error:
            fail(f"{error.title}: {error}", error.exit_code)
        except click.UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":  # how click prints the help
                fail(error.format_message(), 2)
            command = error.ctx.command_path if error.ctx else "convcalc"
            fail(f"UsageError: {error.format_message()}\n  see `{command} --help`", 2)
        except click.Abort:
            fail("Aborted!", 1)
        except OSError as error:
            where = "the output" if error.filename is None else error.filename
            fail(f"FileError: {where}: {error.strerror or error}", 3)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: convcalc summary resnet50",
)
@click.version_option(package_name="convcalc", message="%(prog)s %(version)s")
def main() -> None:
    """Compute exact shapes, parameters, FLOPs and receptive fields of convolutional networks before they are built."""


def command(short_help: str, *examples: str) -> Callable[..., Any]:
    """Return a decorator that makes a function a command, with examples below its help."""
    lines = "".join(f"\n  convcalc {example}" for example in examples)
    return click.command(short_help=short_help, epilog=f"\b\nExamples:{lines}")


def completing(module: str, *names: str) -> Callable[..., list[str]]:
    """Return a completion for the shell: the words in a module's tables, or from its functions, that begin as typed."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        tables = [getattr(import_module(f"convcalc.{module}"), name) for name in names]
        words = [word for table in tables for word in (table() if callable(table) else table)]
        return [word for word in words if word.startswith(incomplete)]

    return complete


complete_network = completing("zoo", "names")
complete_layer = completing("formats.sheet.names", "kinds", "families")


def setting(text: str) -> tuple[str, Any]:
    """Return the name and the value in a text such as ``num_classes=10``; raise SpecError for any other text.

    >>> setting("num_classes=10"), setting("bn=true"), setting("mode=nearest")
    (('num_classes', 10), ('bn', True), ('mode', 'nearest'))
    """
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier() and value):
        raise SpecError(f"{text!r:.60} is not name=value", where="--set", hint="write it as --set num_classes=10")
    words = {"true": True, "false": False, "none": None}
    if value.lower() in words:
        return name, words[value.lower()]
    import ast

    try:
        return name, ast.literal_eval(value) if len(value) <= 100 else value
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return name, value


class Request(NamedTuple):
    """A network as the command line names it."""

    network: str
    input: str | None
    batch: str | None = None
    settings: Sequence[str] = ()

    def answer(self, question: Callable[..., Any], *named: Any, **options: Any) -> Any:
        """Return a question's answer about the network; ``named`` are the arguments before the input."""
        shapes = () if self.input is None else (self.input,)
        settings = dict(map(setting, self.settings))
        return question(self.network, *named, *shapes, batch=self.batch, settings=settings, **options)


NETWORK = "a name that `convcalc networks` lists, a .net or .json file, the text of a sheet, or - for stdin"
SIZES = "without the batch; letters are allowed: 3xHxW"
REPEATED = "such as num_classes=10; can be given more than once"


def network(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument NETWORK and --input, --batch and --set, as one `Request`."""

    @click.argument("network", shell_complete=complete_network)
    @click.option("--input", "input_", metavar="SIZES", help=f"Input shape {SIZES}.")
    @batch
    @click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help=f"Network setting, {REPEATED}.")
    @wraps(command)
    def run(network: str, input_: str | None, batch: str | None, settings: Sequence[str], **options: Any) -> None:
        command(Request(network, input_, batch, settings), **options)

    run.__doc__ = f"{cleandoc(command.__doc__ or '')}\n\nNETWORK is {NETWORK}."
    return run


batch = click.option("--batch", metavar="N", help="Batch size; shapes are then printed with it.  [default: 1]")
depth = click.option("--depth", type=int, metavar="N", help="Fold layers into the modules at this depth.")
columns = click.option(
    "--columns",
    metavar="NAMES",
    callback=lambda ctx, param, text: None if text is None else [name.strip() for name in text.split(",")],
    help="Columns, separated by commas: layer,type,output_shape,params,macs,rf.",
)
convention = click.option(
    "--convention",
    default="torch",
    show_default=True,
    metavar="NAME",
    shell_complete=completing("analysis.count.conventions", "CONVENTIONS"),
    help="What counts as a FLOP.",
)
through_gates = click.option(
    "--through-gates",
    is_flag=True,
    help="Let receptive fields follow gates (squeeze and excitation), which see the whole input.",
)


def format(which: str = "json, csv, or a") -> Callable[..., Any]:
    """Return the option --format for a table; ``which`` names the formats that are not tabulate's."""
    return click.option(
        "--format",
        "format_",
        default="simple",
        show_default=True,
        metavar="NAME",
        shell_complete=completing("views.table", "formats"),
        help=f"Output format: {which} format of tabulate (plain, github, latex, html, ...).",
    )


def text_or_json() -> Callable[..., Any]:
    """Return the option --format for an answer that is not a table."""
    kinds = click.Choice(["text", "json"])
    return click.option("--format", "format_", type=kinds, default="text", show_default=True, help="Output format.")


def gates(holder: str, more: str = "") -> Callable[..., Any]:
    """Return a decorator that adds an option for each gate; ``holder`` is the network that must pass them."""
    from convcalc.analysis.count.gates import every_gate

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for gate in reversed(list(every_gate().values())):
            example = "100" if gate.name == "min-rf" else "600M"
            text = f"Exit with code 1 if {holder} has {gate.broken_by} than this (such as {example}{more})."
            command = click.option(f"--{gate.name}", metavar="LIMIT", help=text)(command)
        return command

    return decorate


def terminal_width() -> int | None:
    """Return the terminal's width in characters, or None for a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
