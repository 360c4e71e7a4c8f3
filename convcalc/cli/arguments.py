"""Arguments and options that several commands share: the network, its input, its settings."""

from __future__ import annotations

from collections.abc import Callable
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
