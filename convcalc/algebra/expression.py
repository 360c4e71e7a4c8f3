"""The evaluator of expressions that people write: it computes a syntax tree from its leaves up and executes nothing.

The tree comes from Python's own parser. What it may contain, and what that means, is a `Language`: claims about
letters (`claims`, for numbers and dims; `linear`, for sums of letters), the values of a sheet (`formats.sheet`), the
layers of a JSON document (`formats.json`), the arguments in what torch prints (`formats.torch`). A language refuses
what it has no meaning for, so evaluation always ends in a value or in the language's error. Two things are computed
otherwise: a `formula` is our own text and is computed a million times, so Python compiles it; and literals alone
(``--set NAME=VALUE``) are what `ast.literal_eval` is for.
"""

import ast
import warnings
from collections.abc import Callable, Mapping
from typing import Any

MOST_CHARACTERS = 200  # of one expression on a command line; for longer ones Python's parser needs much memory

Meaning = Callable[["Language", Any, Any], Any]
"""A function of the language, a node, and the names in scope that returns the node's value."""

Operators = Mapping[type[ast.AST], Callable[..., Any]]
"""A function of values for each operator of the syntax tree; it returns NotImplemented for values it does not take."""


class Language:
    """What an expression may contain, and what each part means.

    ``meanings`` has a function for each type of node, and ``operators`` one for each operator. ``refuse`` returns the
    error for a node that has no meaning. ``names`` is whatever these functions look names up in.

    >>> numbers = {ast.Constant: lambda language, node, names: node.value, ast.BinOp: binary}
    >>> adding = Language(numbers, {ast.Add: int.__add__}, lambda node, names: ValueError(ast.unparse(node)))
    >>> adding.value(parse("1 + 2 + 3"), {})
    6
    >>> adding.value(parse("1 + 2 * 3"), {})
    Traceback (most recent call last):
    ValueError: 2 * 3
    """

    def __init__(
        self,
        meanings: Mapping[type[ast.AST], Meaning],
        operators: Operators,
        refuse: Callable[[Any, Any], Exception],
    ) -> None:
        self.meanings = meanings
        self.operators = operators
        self.refuse = refuse

    def value(self, node: ast.AST, names: Any) -> Any:
        """Return the value of a node; raise the language's error if it has none."""
        meaning = self.meanings.get(type(node))
        if meaning is None:
            raise self.refuse(node, names)
        return meaning(self, node, names)

    def operator(self, node: ast.AST, kind: ast.AST, names: Any) -> Callable[..., Any]:
        """Return the function of the operator ``kind`` of a node; raise the language's error if there is none."""
        compute = self.operators.get(type(kind))
        if compute is None:
            raise self.refuse(node, names)
        return compute


def unary(language: Language, node: ast.UnaryOp, names: Any) -> Any:
    """Return the value of a sign or a ``not`` before an operand."""
    compute = language.operator(node, node.op, names)
    return _accepted(compute(language.value(node.operand, names)), language, node, names)


def binary(language: Language, node: ast.BinOp, names: Any) -> Any:
    """Return the value of an operator between two operands."""
    compute = language.operator(node, node.op, names)
    left = language.value(node.left, names)
    return _accepted(compute(left, language.value(node.right, names)), language, node, names)


def chain(language: Language, node: ast.Compare, names: Any) -> bool:
    """Return whether each comparison of a chain holds: ``1 <= k < 8``."""
    left = language.value(node.left, names)
    tests = [language.operator(node, sign, names) for sign in node.ops]
    sides = [left, *[language.value(side, names) for side in node.comparators]]
    return all(test(a, b) for a, test, b in zip(sides, tests, sides[1:]))


def joined(language: Language, node: ast.BoolOp, names: Any) -> bool:
    """Return whether all parts joined by ``and`` are true, or any part joined by ``or``; every part is computed."""
    truths = [language.value(part, names) for part in node.values]
    return all(truths) if isinstance(node.op, ast.And) else any(truths)


def items(language: Language, node: Any, names: Any) -> tuple[Any, ...]:
    """Return the items of a tuple or list, as a tuple."""
    return tuple([language.value(item, names) for item in node.elts])


LITERALS: Mapping[type[ast.AST], Meaning] = {
    ast.Constant: lambda language, node, names: node.value,
    ast.UnaryOp: unary,
    ast.Tuple: items,
    ast.List: items,
}
"""Meanings of literals: numbers, text, signs before them, and several in brackets as a tuple."""


def _accepted(value: Any, language: Language, node: ast.AST, names: Any) -> Any:
    if value is NotImplemented:
        raise language.refuse(node, names)
    return value


def parse(text: str, most: int = MOST_CHARACTERS) -> ast.expr | None:
    """Return the syntax tree of an expression of at most ``most`` characters; None for any other text.

    >>> ast.unparse(parse("k<=7")), parse("k = 7")
    ('k <= 7', None)
    """
    if len(text) > most:
        return None
    with warnings.catch_warnings():  # Python's own warnings would be printed next to our errors
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
