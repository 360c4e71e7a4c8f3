"""The evaluator of expressions that people write: computed from the leaves up, part by part, and never executed.

An expression is a tree of Python's own parser. What may stand in it, and what that means, is a `Language`: claims on
letters (`claims`, for numbers and dims; `assume`, for linear sums), the values of a sheet (`formats.sheet`), the layers
of a JSON document (`formats.json`). What a language has no meaning for is refused, so evaluation is total: a value, or
the language's error. Two things stand apart. A `formula` is our own text and is computed a million times, so Python
compiles it; and literals alone (``--set NAME=VALUE``) are what `ast.literal_eval` is for.
"""

import ast
import warnings
from collections.abc import Callable, Mapping
from typing import Any

MOST_CHARACTERS = 200  # of one expression on a command line; Python's parser takes longer ones only with much memory

Meaning = Callable[["Language", Any, Any], Any]
"""The value of a node: a function of the language, the node, and the names in force."""

Operators = Mapping[type[ast.AST], Callable[..., Any]]
"""What an operator of the syntax tree makes of values; NotImplemented where it takes no such values."""


class Language:
    """What an expression may hold, and what each part means.

    ``meanings`` has a function for each type of node, and ``operators`` one for each operator. ``refuse`` makes the
    error for a node that has no meaning. ``names`` is whatever these functions take names from.

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
        """Return the value of a node; raise the language's error where it has none."""
        meaning = self.meanings.get(type(node))
        if meaning is None:
            raise self.refuse(node, names)
        return meaning(self, node, names)

    def operator(self, node: ast.AST, kind: ast.AST, names: Any) -> Callable[..., Any]:
        """Return what the operator ``kind`` of a node does; raise the language's error for one that it has not."""
        compute = self.operators.get(type(kind))
        if compute is None:
            raise self.refuse(node, names)
        return compute


def unary(language: Language, node: ast.UnaryOp, names: Any) -> Any:
    """Return the value of a sign or a ``not`` before an operand."""
    compute = language.operator(node, node.op, names)
    return _taken(compute(language.value(node.operand, names)), language, node, names)


def binary(language: Language, node: ast.BinOp, names: Any) -> Any:
    """Return the value of an operator between two operands."""
    compute = language.operator(node, node.op, names)
    left = language.value(node.left, names)
    return _taken(compute(left, language.value(node.right, names)), language, node, names)


def chain(language: Language, node: ast.Compare, names: Any) -> bool:
    """Return whether each comparison of a chain holds: ``1 <= k < 8``."""
    left = language.value(node.left, names)
    tests = [language.operator(node, sign, names) for sign in node.ops]
    sides = [left, *[language.value(side, names) for side in node.comparators]]
    return all(test(a, b) for a, test, b in zip(sides, tests, sides[1:]))


def joined(language: Language, node: ast.BoolOp, names: Any) -> bool:
    """Return whether all parts that ``and`` joins are true, or any that ``or`` joins; every part is computed."""
    truths = [language.value(part, names) for part in node.values]
    return all(truths) if isinstance(node.op, ast.And) else any(truths)


def items(language: Language, node: Any, names: Any) -> tuple[Any, ...]:
    """Return the values that stand side by side in brackets."""
    return tuple([language.value(item, names) for item in node.elts])


def _taken(value: Any, language: Language, node: ast.AST, names: Any) -> Any:
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
    with warnings.catch_warnings():  # Python's own words, which would stand beside ours
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
