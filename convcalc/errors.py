"""The errors convcalc raises: one paragraph that says where, what, why and what to do.

An error is raised where the fact is known and given its place by who knows it (the tape).
"""

from collections.abc import Iterable


class ConvcalcError(Exception):
    """Base of all errors meant for the user.

    >>> print(ConvcalcError("the output height is 0", details=["(2 - 3)//2 + 1 = 0"], where="pool"))
    pool: the output height is 0
      (2 - 3)//2 + 1 = 0
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", details: Iterable[str] = (), hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.details = list(details)
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n  ".join([head, *self.details, *filter(None, [self.hint])])


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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names, if any.

    >>> did_you_mean("resnet5", ["resnet50", "vgg16"])
    'did you mean resnet50?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=4, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""
