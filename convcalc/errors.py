"""The errors convcalc raises: one paragraph that says where, what, why and what to do.

An error is raised where the fact is known and given its place by who knows it (the tape, a sheet). What other code acts
on is a fact: a subclass with the values as attributes, which its text is made of, here or beside the rule that it
states (`layers.demands`). Nothing reads an error's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A place in a text; line and column count from 1."""

    name: str
    line: int
    column: int


class ConvcalcError(Exception):
    """Base of all errors meant for the user.

    ``about`` names the arguments of a layer that the error is about, the nearest first; ``place`` is set once the error
    has been found in a text.

    >>> print(ConvcalcError("the output height is 0", details=["(2 - 3)//2 + 1 = 0"], where="pool"))
    pool: the output height is 0
      (2 - 3)//2 + 1 = 0
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str = "", details: Iterable[str] = (), hint: str = "", about: Iterable[str] = ()
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.details = list(details)
        self.hint = hint
        self.about = tuple(about)
        self.place: Place | None = None

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n  ".join([head, *self.details, *filter(None, [self.hint])])

    def __reduce__(self) -> Any:
        """Let an error travel between processes, whatever its constructor takes."""
        return Exception.__new__, (type(self), self.what), self.__dict__

    @property
    def title(self) -> str:
        """Return the name of the public class, which heads a printed error.

        >>> NotAnInteger("kernel_size", 2.5).title
        'SpecError'
        """
        public = [kind.__name__ for kind in type(self).__mro__ if ConvcalcError in kind.__bases__]
        return public[0] if public else type(self).__name__


class SpecError(ConvcalcError):
    """What was written is no legal layer, argument, size or network."""


class ShapeError(ConvcalcError):
    """A layer met an input that it cannot take."""


class UnknownName(ConvcalcError):
    """A name that nothing bears; the hint offers near ones."""


class UnsupportedOperation(ConvcalcError):
    """A legal thing that convcalc cannot express."""


class NoSolution(ConvcalcError):
    """A question that has no answer."""

    exit_code = 1


class NotAnInteger(SpecError):
    """A value that is not an integer, where argument or size ``name``, of ``owner`` if it has one, takes nothing else.

    >>> print(NotAnInteger("kernel_size", 2.5, "Conv2d"))
    Conv2d: kernel_size must be an integer; received 2.5
    """

    def __init__(self, name: str, received: object, owner: str = "") -> None:
        self.name = name
        self.received = received
        subject = f"{owner}: {name}" if owner else name
        super().__init__(f"{subject} must be an integer; received {received!r}", about=[name])


class MissingArguments(SpecError):
    """Arguments that a kind of layer needs, and was not given.

    >>> print(MissingArguments(["out_channels", "kernel_size"], where="Conv2d"))
    Conv2d: needs out_channels and kernel_size
    """

    def __init__(self, names: Iterable[str], *, where: str = "") -> None:
        self.names = tuple(names)
        super().__init__(f"needs {' and '.join(self.names)}", where=where)


class UnknownSetting(SpecError):
    """A setting that a network does not have; ``known`` are those it has, with their defaults.

    >>> print(UnknownSetting("classes", {"num_classes": 10}, where="lenet5"))
    lenet5: has no setting 'classes'
      it takes num_classes=10
    """

    def __init__(self, setting: str, known: Mapping[str, Any], *, where: str = "") -> None:
        self.setting = setting
        self.known = known
        legal = ", ".join(f"{name}={default!r}" for name, default in known.items())
        super().__init__(f"has no setting {setting!r}", where=where, hint=f"it takes {legal}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names, if any.

    >>> did_you_mean("resnet5", ["resnet50", "vgg16"])
    'did you mean resnet50?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=4, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""
