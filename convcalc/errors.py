"""The errors convcalc raises: one paragraph that says where, what, why and what to do.

An error is raised where its facts are known, and gets its place from the code that knows the place (the tape, a sheet).
An error that other code acts on is a subclass with its facts as attributes, here or next to the rule that it is about
(`layers.demands`); its text is made from these. No code reads an error's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A place in a text; line and column count from 1."""

    name: str
    line: int
    column: int


class ConvcalcError(Exception):
    """The base of all errors meant for the user.

    ``about`` names the layer arguments that the error is about, the closest first; ``place`` is set once the position
    of the error in a text is known.

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
        """Make an error picklable, whatever its constructor takes."""
        return Exception.__new__, (type(self), self.what), self.__dict__

    @property
    def title(self) -> str:
        """The name of the public class, with which a printed error begins.

        >>> NotAnInteger("kernel_size", 2.5).title
        'SpecError'
        """
        public = [kind.__name__ for kind in type(self).__mro__ if ConvcalcError in kind.__bases__]
        return public[0] if public else type(self).__name__


class SpecError(ConvcalcError):
    """A layer, argument, size or network that is not legal as written."""


class ShapeError(ConvcalcError):
    """An input that a layer cannot take."""


class UnknownName(ConvcalcError):
    """A name that does not exist; the hint suggests similar ones."""


class UnsupportedOperation(ConvcalcError):
    """Something legal that convcalc cannot express."""


class NoSolution(ConvcalcError):
    """A question that has no answer."""

    exit_code = 1


class NotAnInteger(SpecError):
    """A value that is not an integer, for an argument or size called ``name`` (of ``owner``) that must be one.

    >>> print(NotAnInteger("kernel_size", 2.5, "Conv2d"))
    Conv2d: kernel_size must be an integer; received 2.5
    """

    def __init__(self, name: str, received: object, owner: str = "") -> None:
        self.name = name
        self.received = received
        subject = f"{owner}: {name}" if owner else name
        super().__init__(f"{subject} must be an integer; received {received!r}", about=[name])


class MissingArguments(SpecError):
    """The required arguments that were left out of a call of a layer kind.

    >>> print(MissingArguments(["out_channels", "kernel_size"], where="Conv2d"))
    Conv2d: needs out_channels and kernel_size
    """

    def __init__(self, names: Iterable[str], *, where: str = "") -> None:
        self.names = tuple(names)
        super().__init__(f"needs {' and '.join(self.names)}", where=where)


class UnknownSetting(SpecError):
    """A setting that a network does not have; ``known`` maps those that it has to their defaults.

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
    """Return a hint that suggests the known names closest to ``name``; empty if none is close.

    >>> did_you_mean("resnet5", ["resnet50", "resnet34", "resnet18", "vgg16"])
    'did you mean resnet50, resnet34 or resnet18?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=4, cutoff=0.6)
    return f"did you mean {either(near)}?" if near else ""


def either(words: Sequence[str]) -> str:
    """Return words as alternatives in a sentence.

    >>> either([".png", ".svg", ".pdf"])
    '.png, .svg or .pdf'
    """
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
