"""The command line: a group whose commands are one file each, loaded when asked for.

Commands parse, call one library function and echo; nothing is computed here. Every failure is one paragraph on stderr:
exit code 2 for a slip of usage or a spec, 1 for a check that failed, 3 for a file that cannot be read.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from convcalc.errors import ConvcalcError, UnknownName, did_you_mean

COMMANDS = ("summary", "sizes", "solve", "compare", "export", "fmt", "networks", "layers", "matrix", "field")
"""Each is the file of that name beside this one, and holds a click command called ``command``."""


class Told(click.ClickException):
    """An error as its one paragraph."""

    def __init__(self, paragraph: str, exit_code: int) -> None:
        super().__init__(paragraph)
        vars(self)["exit_code"] = exit_code  # click keeps it on the class, one for each kind of error

    def show(self, file: Any = None) -> None:
        """Print the paragraph to stderr."""
        click.echo(self.message, file=file, err=True)


@contextmanager
def told() -> Iterator[None]:
    """Errors raised inside become a paragraph and an exit code."""
    try:
        yield
    except ConvcalcError as error:
        raise Told(f"{type(error).__name__}: {error}", error.exit_code) from None
    except click.UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # click's way to print the help
            raise
        command = error.ctx.command_path if error.ctx else "convcalc"
        raise Told(f"UsageError: {error.format_message()}\n  see `{command} --help`", 2) from None
    except OSError as error:
        if error.filename is None:  # not about a file: a broken pipe, which click ends quietly
            raise
        raise Told(f"FileError: {error.filename}: {error.strerror}", 3) from None


class House(click.Group):
    """A group that loads a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, from its file."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"convcalc.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click's, with our words where there is no such command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UnknownName(f"no command is called {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's."""
        if not gc.get_freeze_count():
            gc.freeze()  # what is imported by now stays: looking for garbage in it takes a tenth of a short run
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click's, with errors told in our way."""
        with told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, with errors told in our way."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a terminal that lacks ⌈ shows ? instead of a traceback
                stream.reconfigure(errors="replace")
        with told():
            return super().invoke(ctx)


@click.group(
    cls=House,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: convcalc summary resnet50",
)
@click.version_option(package_name="convcalc", message="%(prog)s %(version)s")
def main() -> None:
    """Shapes, parameters, FLOPs and receptive fields of convolutional networks, exact and before they exist."""
