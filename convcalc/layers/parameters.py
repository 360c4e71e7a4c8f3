"""Formulas of parameters, derived from the sizes of the learned tensors with letters for the arguments.

A kind states the sizes of its tensors once, in `Layer.weights`. Here that runs on a copy of the layer whose arguments
are letters, and returns the formula: ``K*K*C_in*C_out + C_out`` for a convolution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from convcalc.algebra.formula import Formula
from convcalc.algebra.types import Dim
from convcalc.errors import ConvcalcError, SpecError
from convcalc.layers.base import Layer
from convcalc.layers.binding import _REQUIRED

LETTERS: Mapping[str, str] = {
    "in_channels": "C_in",
    "out_channels": "C_out",
    "kernel_size": "K",
    "groups": "g",
    "input_size": "i",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "num_features": "C",
    "num_channels": "C",
    "normalized_shape": "C",
    "num_parameters": "C",
    "in_features": "i",
    "in1_features": "i",
    "in2_features": "j",
    "out_features": "o",
    "num_embeddings": "v",
    "embedding_dim": "e",
    "embed_dim": "e",
    "kdim": "k",
    "vdim": "v",
    "hidden_size": "h",
    "proj_size": "p",
    "shape": "n",
}
"""The letter of each argument that a tensor's size may depend on; any other required dim is its own letter."""

_AXES = {1: ("",), 2: ("_h", "_w"), 3: ("_d", "_h", "_w")}
_DIMS = ("Dim", "int", "PerAxis", "Dims", "Shape")
_NO_LETTERS = (TypeError, AttributeError, ConvcalcError)  # raised by sizes that cannot be computed with letters
_NEUTRAL = {" + ": 0, " - ": 0, "*": 1, "//": 1}


class Parameters(NamedTuple):
    """The parameters of a layer: the formula of all, those of its tensors by name, and the values of the letters."""

    total: Formula
    tensors: Mapping[str, Formula]
    values: Mapping[str, Dim]

    def of(self, formula: Formula) -> Dim:
        """Return the result of a formula for the layer."""
        return formula(*[self.values[symbol] for symbol in formula.symbols])


class TextDim:
    """The text of a formula under construction, which takes the place of a number in a layer's arguments."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextDim) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def _joined(self, sign: str, other: object, reverse: bool = False) -> TextDim:
        if other == _NEUTRAL[sign] and not (reverse and sign in (" - ", "//")):
            return self
        if sign == " + " and self.text.endswith(f" - {other}"):
            return TextDim(self.text.removesuffix(f" - {other}"))
        left, right = (_bracketed(other), _bracketed(self)) if reverse else (_bracketed(self), _bracketed(other))
        exact = sign == "//" and right == LETTERS["groups"]  # channels are multiples of groups
        return TextDim(f"quotient({left}, {right})" if exact else f"{left}{sign}{right}")

    def __add__(self, other: object) -> TextDim:
        return self._joined(" + ", other)

    def __radd__(self, other: object) -> TextDim:
        return self._joined(" + ", other, True)

    def __sub__(self, other: object) -> TextDim:
        return self._joined(" - ", other)

    def __rsub__(self, other: object) -> TextDim:
        return self._joined(" - ", other, True)

    def __mul__(self, other: object) -> TextDim:
        return self._joined("*", other)

    def __rmul__(self, other: object) -> TextDim:
        return self._joined("*", other, True)

    def __floordiv__(self, other: object) -> TextDim:
        return self._joined("//", other)


def _bracketed(value: object) -> str:
    """Return an operand as text, in brackets unless it is a name, a number or a call."""
    text = str(value)
    return text if re.fullmatch(r"\w+(\([^()]*\))?", text) else f"({text})"


def parameters(layer: Layer) -> Parameters | None:
    """Return the formulas of a layer's parameters and the values of their letters; None where it has none.

    Required arguments and those that differ from their defaults become letters; the others stay numbers. Equal axes
    share a letter, different ones have their own: ``K_h``, ``K_w``. Where sizes do more with arguments than
    ``+ - * //``, the formula is the plain number.

    >>> from convcalc.layers.conv import Conv2d
    >>> conv = parameters(Conv2d(3, 64, 7, padding=3))
    >>> print(conv.total, "=", conv.of(conv.total))
    K·K·C_in·C_out + C_out = 9472
    """
    try:
        return _written(type(layer), vars(layer))
    except _NO_LETTERS:
        shapes = layer.weights()
        return _formulas(type(layer), shapes, {}, {}) if shapes else None


def parameters_of_kind(kind: type[Layer], **arguments: Any) -> Parameters | None:
    """Return the formulas of a kind's parameters with letters for required arguments; None where it has none.

    Other arguments have their defaults, unless set by ``arguments``: an LSTM has one layer, in one direction. Raises
    SpecError where the sizes of tensors do more with arguments than ``+ - * //``, so that letters cannot replace them.

    >>> from convcalc.layers.conv import Conv2d
    >>> print(parameters_of_kind(Conv2d).total)
    K·K·C_in·C_out + C_out
    """
    required = {name: _specimen(kind, name) for name, default in kind.arguments.items() if default is _REQUIRED}
    try:
        return _written(kind, {**kind.arguments, **required, **arguments})
    except _NO_LETTERS:
        raise SpecError("the sizes of its tensors cannot be written with letters", where=kind.__name__) from None


def variants(kind: type[Layer]) -> dict[str, Parameters]:
    """Return further formulas of a kind's parameters, by the optional argument that changes the formula.

    >>> from convcalc.layers.recurrent import LSTM
    >>> print(variants(LSTM)["num_layers=2"].total)
    4·i·h + 12·h·h + 16·h
    """
    plain = parameters_of_kind(kind)
    others: dict[str, Parameters] = {}
    for name, default in kind.arguments.items():
        if name in LETTERS and kind.annotated[name] != "PerAxis":
            label, value = name, 3  # a divisor of the other letters' value
        elif default is False or (type(default) is int and default > 0 and kind.annotated[name] == "int"):
            value = default + 1 if default else True
            label = f"{name}={value}"
        else:
            continue
        other = None if default is _REQUIRED else parameters_of_kind(kind, **{name: value})
        if other and (plain is None or other.total.text != plain.total.text):
            others[label] = other
    return others


def _specimen(kind: type[Layer], name: str) -> Any:
    """Return a legal value for an argument that a letter will replace."""
    several = {"PerAxis": kind.rank, "Dims": 1, "Shape": 1}.get(kind.annotated[name])
    return (6,) * several if several else 6


def _written(kind: type[Layer], arguments: Mapping[str, Any]) -> Parameters | None:
    """Return the formulas of a kind with these arguments."""
    lettered = dict(arguments)
    values: dict[str, Dim] = {}
    meanings: dict[str, str] = {}
    for name, value in arguments.items():
        each = value if isinstance(value, tuple) else (value,)
        if not _is_size(kind, name) or set(each) == {kind.arguments[name]} or isinstance(value, str) or None in each:
            continue
        ends = _AXES[kind.rank] if kind.annotated[name] == "PerAxis" else [f"_{i}" for i in range(1, len(each) + 1)]
        symbols = [_letter(kind, name) + end for end in (ends if len(set(each)) > 1 else [""] * len(each))]
        if kind.arguments[name] is None:  # kdim and vdim, which share the letter of embed_dim where they equal it
            symbols = [symbol for symbol, other in values.items() if other == value][:1] or symbols
        values.update(zip(symbols, each))
        for symbol in symbols:
            meanings.setdefault(symbol, f"{name}{_end(symbol)}")
        written = tuple([TextDim(symbol) for symbol in symbols])
        lettered[name] = written if isinstance(value, tuple) else written[0]
    shapes = _with(kind, lettered).weights()
    return _formulas(kind, shapes, meanings, values) if shapes else None


def _is_size(kind: type[Layer], name: str) -> bool:
    """Return whether an argument can be a letter in the sizes of tensors."""
    required = kind.arguments[name] is _REQUIRED and kind.annotated[name] in _DIMS
    return required or name in LETTERS


def _letter(kind: type[Layer], name: str) -> str:
    """Return the letter of an argument: ``input_size`` is ``n`` for the sizes of a map, and ``i`` for features."""
    return "n" if kind.annotated[name] == "PerAxis" and name == "input_size" else LETTERS.get(name, name)


def _end(symbol: str) -> str:
    """Return in words which item of an argument a letter with an index is."""
    index = symbol.rpartition("_")[2]
    words = {"d": " along the depth", "h": " along the height", "w": " along the width"}
    return f", number {index}" if index.isdigit() else words.get(index, "") if "_" in symbol else ""


def _with(kind: type[Layer], arguments: Mapping[str, Any]) -> Layer:
    """Return a layer with these arguments, unchecked, since checks expect numbers."""
    layer = kind.__new__(kind)
    vars(layer).update(arguments)
    return layer


def _formulas(
    kind: type[Layer], shapes: Mapping[str, Sequence[Any]], meanings: Mapping[str, str], values: Mapping[str, Dim]
) -> Parameters:
    """Return the formulas of tensors with these sizes."""
    order = list(meanings)

    def formula(name: str, *tensors: Sequence[Any], mistakes: Mapping[str, str] = {}) -> Formula:
        text = _sum(tensors, order)
        symbols = {symbol: meaning for symbol, meaning in meanings.items() if re.search(rf"\b{symbol}\b", text)}
        mistakes = {mistake: wrong for mistake, wrong in mistakes.items() if wrong != text}
        return Formula(name, text, symbols, mistakes, f"the sizes of the tensors that {kind.__name__} learns")

    weights = [shape for name, shape in shapes.items() if "bias" not in name]
    inward = ("C_in", "quotient(C_in, g)")
    mistakes = {
        "bias forgotten": _sum(weights, order),
        "input channels forgotten": _sum([[n for n in s if str(n) not in inward] for s in shapes.values()], order),
        "groups ignored": _sum([map(_of_all_groups, shape) for shape in shapes.values()], order),
    }
    total = formula("parameters", *shapes.values(), mistakes=mistakes)
    return Parameters(total, {name: formula(f"elements of {name}", shape) for name, shape in shapes.items()}, values)


def _of_all_groups(size: Any) -> Any:
    """Return the channels of all groups, for the channels of one."""
    return TextDim(size.text[9:].partition(",")[0]) if str(size).startswith("quotient(") else size


def _sum(shapes: Iterable[Iterable[Any]], order: Sequence[str]) -> str:
    """Return the number of elements of tensors of these sizes as text, equal terms collected."""
    terms: Counter[tuple[str, ...]] = Counter()
    for shape in shapes:
        sizes = list(map(_split, shape))
        terms[tuple(sorted([rest for _, rest in sizes if rest], key=_place(order)))] += prod([n for n, _ in sizes])
    texts = ["*".join([str(count), *term][count == 1 and bool(term) :]) for term, count in terms.items()]
    return " + ".join(texts) or "0"


def _place(order: Sequence[str]) -> Callable[[str], tuple[bool, bool, int]]:
    """Return a sort key for factors: kernel sizes first, then the order of the arguments, sums last."""

    def key(factor: str) -> tuple[bool, bool, int]:
        names = re.findall(r"\b[A-Za-z]\w*\b(?!\()", factor)
        return factor[0] != "K", factor[0] == "(", order.index(names[0])

    return key


def _split(size: Any) -> tuple[Any, str]:
    """Return a size as a number and the factor it is multiplied by: ``4*h`` as 4 and ``h``."""
    if not isinstance(size, TextDim):
        return size, ""
    number = re.fullmatch(r"(\d+)\*(\w+)", size.text)
    return (int(number[1]), number[2]) if number else (1, _bracketed(size))
