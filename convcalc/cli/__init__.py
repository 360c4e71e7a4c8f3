"""The command line: a group whose commands are one file each, loaded when asked for, and the options they share.

Every failure is one paragraph on stderr: exit code 2 for a slip of usage or a spec, 1 for a check that failed, 3 for a
file that cannot be read.
"""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click

from convcalc import plugins
from convcalc.errors import ConvcalcError, SpecError, UnknownName, did_you_mean

COMMANDS = ("summary", "sizes", "solve", "compare", "export", "fmt", "networks", "layers", "matrix", "field")
"""Each is the file of that name beside this one, and holds a click command called ``command``."""


def fail(paragraph: str, exit_code: int) -> NoReturn:
    click.echo(paragraph, err=True)
    sys.exit(exit_code)


def save(path: str, text: str) -> None:
    """Write a file; raises OSError that names it."""
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def hold(failures: Sequence[str]) -> None:
    """End with exit code 1 where something failed."""
    if failures:
        fail("\n".join(failures), 1)


class House(click.Group):
    """Loads a command's file when it is asked for, and tells errors in our way."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(f"convcalc.cli.{cmd_name}").command if cmd_name in COMMANDS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for arg in args:
            with suppress(UnicodeEncodeError):
                if b"\0" not in os.fsencode(arg):
                    continue
            raise click.UsageError(f"{arg!r:.60} holds a sign that no argument and no file's name can hold")
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UnknownName(f"no command is called {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        if not gc.get_freeze_count():
            gc.freeze()  # what is imported by now stays: looking for garbage in it takes a tenth of a short run
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that lacks ⌈ shows ? instead of a traceback
                stream.reconfigure(errors="replace")
        try:
            plugins.load()  # before a command's file is imported: options and completions list what plugins add
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}) or 0)
        except ConvcalcError as error:
            fail(f"{error.title}: {error}", error.exit_code)
        except click.UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":  # click's way to print the help
                fail(error.format_message(), 2)
            command = error.ctx.command_path if error.ctx else "convcalc"
            fail(f"UsageError: {error.format_message()}\n  see `{command} --help`", 2)
        except click.Abort:
            fail("Aborted!", 1)
        except OSError as error:
            where = "the output" if error.filename is None else error.filename
            fail(f"FileError: {where}: {error.strerror or error}", 3)


@click.group(
    cls=House,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: convcalc summary resnet50",
)
@click.version_option(package_name="convcalc", message="%(prog)s %(version)s")
def main() -> None:
    """Shapes, parameters, FLOPs and receptive fields of convolutional networks, exact and before they exist."""


def command(short_help: str, *examples: str) -> Callable[..., Any]:
    """A command of the group, with examples below its help."""
    lines = "".join(f"\n  convcalc {example}" for example in examples)
    return click.command(short_help=short_help, epilog=f"\b\nExamples:{lines}")


def completing(module: str, *names: str) -> Callable[..., list[str]]:
    """For the shell: what begins as what is typed, of the words that a module's tables or functions give."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        known = [getattr(import_module(f"convcalc.{module}"), name) for name in names]
        words = [word for each in known for word in (each() if callable(each) else each)]
        return [word for word in words if word.startswith(incomplete)]

    return complete


complete_network = completing("zoo", "names")
complete_layer = completing("formats.sheet.names", "kinds", "families")


def setting(text: str) -> tuple[str, Any]:
    """A setting from text such as ``num_classes=10``; raises SpecError.

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


class Asked(NamedTuple):
    """A network as a command line names it."""

    network: str
    input: str | None
    batch: str | None = None
    settings: Sequence[str] = ()

    def by(self, question: Callable[..., Any], *named: Any, **more: Any) -> Any:
        """Return the answer to a question about it; ``named`` goes before the input."""
        shapes = () if self.input is None else (self.input,)
        settings = dict(map(setting, self.settings))
        return question(self.network, *named, *shapes, batch=self.batch, settings=settings, **more)


def network(command: Callable[..., None]) -> Callable[..., None]:
    """NETWORK, --input, --batch and --set, as `Asked`."""

    @click.argument("network", shell_complete=complete_network)
    @click.option("--input", "input_", metavar="SIZES", help="Input without the batch; letters allowed: 3xHxW.")
    @batch
    @click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="An argument of the network.")
    @wraps(command)
    def asking(network: str, input_: str | None, batch: str | None, settings: Sequence[str], **options: Any) -> None:
        command(Asked(network, input_, batch, settings), **options)

    return asking


batch = click.option("--batch", metavar="N", help="Size of the batch, printed then with the shapes.  [default: 1]")
depth = click.option("--depth", type=int, metavar="N", help="Fold layers into the modules at this depth.")
columns = click.option(
    "--columns",
    metavar="NAMES",
    callback=lambda ctx, param, text: None if text is None else [name.strip() for name in text.split(",")],
    help="Columns, by commas: layer,type,output_shape,params,macs,rf.",
)
convention = click.option(
    "--convention",
    default="torch",
    show_default=True,
    metavar="NAME",
    shell_complete=completing("analysis.count.conventions", "CONVENTIONS"),
    help="What a FLOP is.",
)
through_gates = click.option(
    "--through-gates", is_flag=True, help="Follow gates (squeeze and excitation): they see the whole input."
)


def format(which: str = "json, csv, or a") -> Callable[..., Any]:
    return click.option(
        "--format",
        "format_",
        default="simple",
        show_default=True,
        metavar="NAME",
        shell_complete=completing("views.table", "formats"),
        help=f"{which} format of tabulate: plain, github, latex, html, ...",
    )


def text_or_json(help: str | None = None) -> Callable[..., Any]:
    kinds = click.Choice(["text", "json"])
    return click.option("--format", "format_", type=kinds, default="text", show_default=True, help=help)


def gates(holder: str, more: str = "") -> Callable[..., Any]:
    """An option for each gate, which ``holder`` must pass."""
    from convcalc.analysis.count.gates import every_gate

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for gate in reversed(list(every_gate().values())):
            example = "100" if gate.name == "min-rf" else "600M"
            text = f"Exit with 1 where {holder} has {gate.broken_by} than this: {example}{more}."
            command = click.option(f"--{gate.name}", metavar="LIMIT", help=text)(command)
        return command

    return decorate


def terminal_width() -> int | None:
    """The terminal's width; None for a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
