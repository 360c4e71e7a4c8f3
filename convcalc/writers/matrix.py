"""A convolution's matrix as a table: letters for shared weights, zeros elsewhere, and what that saves."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_lowercase

from convcalc.algebra.dims import show_count
from convcalc.analysis.matrix import Matrix
from convcalc.writers import table

ZERO = "0"


def render(matrix: Matrix, format: str = "simple") -> str:
    """``matrix`` in one of tabulate's formats; raises UnknownName for another.

    >>> from convcalc import nn, trace
    >>> from convcalc.analysis.matrix import matrix
    >>> print(render(matrix(trace(nn.Conv1d(1, 1, 3, stride=2, bias=False), (1, 1, 6))), "plain").split("Matrix")[0])
        x1    x2    x3    x4    x5    x6
    y1  a     b     c     0     0     0
    y2  0     0     a     b     c     0
    <BLANKLINE>
    <BLANKLINE>
    """
    table.check_format(format)
    letters = names(matrix.shape)
    positions = prod(matrix.output[1:])
    biases = [f"bias{i + 1}" if matrix.output[0] > 1 else "bias" for i in range(matrix.output[0])]
    cells = []
    for i, row in enumerate(matrix.entries):
        shown = [" + ".join(letters[place] for place in entry) or ZERO for entry in row]
        cells.append([f"y{i + 1}", *shown, *([f"+ {biases[i // positions]}"] if matrix.bias else [])])
    titles = ["", *[f"x{i + 1}" for i in range(len(matrix.entries[0]))], *([""] if matrix.bias else [])]
    text = table.tabulated(cells, titles, ["left"] * len(titles), format)
    return table.framed([], [text], list(_below(matrix)), format, None).lstrip("\n")


def names(shape: Sequence[int]) -> list[str]:
    """A name for each weight: a letter, or where these do not do, a letter for each kernel and a number in it.

    >>> names((1, 1, 3)), names((2, 2, 7))[7:9], names((64, 3, 3))[-1]
    (['a', 'b', 'c'], ['b1', 'b2'], 'w576')
    """
    count, kernel = prod(shape), prod(shape[2:])
    if count <= len(ascii_lowercase):
        return list(ascii_lowercase[:count])
    if count // kernel <= len(ascii_lowercase):
        return [f"{ascii_lowercase[i // kernel]}{i % kernel + 1}" for i in range(count)]
    return [f"w{i + 1}" for i in range(count)]


def _below(matrix: Matrix) -> list[tuple[str, str]]:
    rows, columns, weights = len(matrix.entries), len(matrix.entries[0]), prod(matrix.shape)
    nouns = "weight stands" if weights == 1 else "weights stand"
    shared = f"{show_count(weights)} {nouns} at {show_count(matrix.nonzero)} places; the rest is zero"
    dense = f"a fully connected layer has {show_count(rows * columns)} weights"
    return [("Matrix", f"{rows} x {columns}; {dense}"), ("Shared", shared)]
