"""The words of exams (``CONV-9-32``, ``POOL-2``, ``s2 p1``), and how a line is taken apart into them.

What a line of words means is `readers.exam`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple


class Word(NamedTuple):
    """What a word of an exam stands for: a layer of the sheet, what its numbers are, and their usual values."""

    layer: str
    numbers: tuple[str, ...] = ()
    usual: tuple[Any, ...] = ()
    """Of the last numbers, where they may be left out."""


WORDS = {
    "CONV": Word("conv", ("kernel_size", "out_channels")),
    "DWCONV": Word("conv", ("kernel_size",)),
    "TCONV": Word("convT", ("kernel_size", "out_channels")),
    "POOL": Word("maxpool", ("kernel_size", "stride"), (2, None)),
    "AVGPOOL": Word("avgpool", ("kernel_size", "stride"), (2, None)),
    "GAP": Word("gap"),
    "FC": Word("linear", ("out_features",)),
    "FLATTEN": Word("flatten"),
    "BN": Word("bn"),
    "LRN": Word("lrn", ("size",), (5,)),
    "RELU": Word("relu"),
    "LEAKYRELU": Word("leakyrelu", ("negative_slope",), (0.01,)),
    "SIGMOID": Word("sigmoid"),
    "TANH": Word("tanh"),
    "SOFTMAX": Word("softmax"),
    "DROPOUT": Word("dropout", ("p",), (0.5,)),
}

SAME_WORD = {
    **dict.fromkeys(("CONVOLUTION", "CONV1D", "CONV2D", "CONV3D"), "CONV"),
    **dict.fromkeys(("DEPTHWISE", "DEPTHWISECONV"), "DWCONV"),
    **dict.fromkeys(("CONVT", "DECONV", "UPCONV", "TRANSPOSEDCONV"), "TCONV"),
    **dict.fromkeys(("MAXPOOL", "MAXPOOLING", "POOLING", "MP"), "POOL"),
    **dict.fromkeys(("AVERAGEPOOL", "AVGPOOLING", "AVERAGEPOOLING", "AP"), "AVGPOOL"),
    **dict.fromkeys(("GLOBALAVGPOOL", "GLOBALAVERAGEPOOL", "GLOBALAVERAGEPOOLING", "GLOBALPOOL"), "GAP"),
    **dict.fromkeys(("DENSE", "LINEAR", "FULLYCONNECTED"), "FC"),
    **dict.fromkeys(("BATCHNORM", "BATCHNORMALIZATION"), "BN"),
}

OPTIONS = {
    **dict.fromkeys(("S", "STRIDE", "STRIDES"), "stride"),
    **dict.fromkeys(("P", "PAD", "PADDING"), "padding"),
    **dict.fromkeys(("D", "DILATION"), "dilation"),
    **dict.fromkeys(("G", "GROUPS"), "groups"),
}

_TWO_WORDS = re.compile(
    r"(?i)\b(max|avg|average|global|batch|leaky|fully|depthwise|transposed)[ _-]+"
    r"(?=(?:avg|average|max)?[ _-]*pool|norm|relu|connected|conv)"
)
_SIZES = re.compile(r"(?<=[\w)])\s*[x×*]\s*(?=[\w(])")
_TOKEN = re.compile(r"[^\s,;>→=:]+")
LAYER = re.compile(r"([A-Za-z]+?)(?:-?(\d[\w.]*|(?<=-)[A-Za-z]\w*))?((?:-[\w.]+)*)$")


_BEGINS = re.compile(
    r"(?im)^[ \t|*]*(?:"
    r"(?:conv|pool|max-?pool|avg-?pool|fc|dense)-?\d+(?:-[\w-]+)?\b(?!\s*[(=])|input[\s|:=]+\w)"
)


def is_exam(text: str) -> bool:
    """Whether a text is in the notation of exams: a line begins with a layer and its numbers, and nothing is called.

    >>> is_exam("INPUT 32x32x3; CONV-5-10"), is_exam("conv(5, 10)")
    (True, False)
    """
    return "(" not in re.sub(r"#.*", "", text) and _BEGINS.search(text[:100_000]) is not None


class Token(NamedTuple):
    """A word of a line, and its column from 1."""

    text: str
    column: int


def tokens_of(line: str) -> Iterator[Token]:
    """The words of a line with their columns; of a row of a table the layer, and the input's sizes."""
    code = re.split(r"#|//", line)[0]
    if not re.search(r"\w", code) or re.match(r"(?i)\W*layer\b", code):  # a line or the head of a table
        return
    cells = code.strip().strip("|").split("|") if "|" in code else []
    if cells:
        keep = 2 if cells[0].strip().upper() == "INPUT" else 1
        code = " ".join(cells[:keep])
    shift = line.find(code.strip()[:1]) - code.find(code.strip()[:1]) if code.strip() else 0
    joined = _SIZES.sub("x", _TWO_WORDS.sub(r"\1", code).replace("->", "  "))
    position = 0
    for found in _TOKEN.finditer(joined):
        if not (text := found[0].strip("-*.[]•")):
            continue
        column = line.find(text, position)
        position = column + len(text) if column >= 0 else position
        yield Token(text, (column if column >= 0 else max(found.start() + shift, 0)) + 1)


def is_option(text: str) -> bool:
    """Whether a word is an option rather than a layer."""
    found = re.match(r"(?i)([a-z]+)(\d\w*)?$", text)
    return found is not None and (
        found[1].upper() in OPTIONS or text.lower() in ("same", "valid", "no", "without", "nobias")
    )


def numbers_of(text: str) -> list[str]:
    """The numbers of a token such as ``CONV-9-32``."""
    found = LAYER.match(text)
    if found is None:
        return []
    return [part for part in (found[2], *found[3].split("-")) if part]
