"""The text of a sheet in canonical layout: one statement per line, and one way to write each call.

Comments, blocks, loops, constants and letters stay. The sheet is parsed, and not read into a graph.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, NamedTuple

from convcalc.formats.sheet.names import any_kind, callee_of, kinds, merges, positional
from convcalc.formats.sheet.source import Source
from convcalc.layers.base import _REQUIRED, Layer
from convcalc.network.tensor import Operand

INDENT = "    "


class _Comment(NamedTuple):
    """A comment; ``alone`` if it has a line of its own."""

    line: int
    column: int
    text: str
    alone: bool


def tidy(text: str, name: str = "sheet") -> str:
    """Return the text of a sheet in canonical layout; raise SpecError if it cannot be parsed.

    >>> print(tidy("input(3,32,32); nn.Conv2d(3,8,(3,3),1,padding = 1) # stem"), end="")
    input(3, 32, 32)
    Conv2d(3, 8, 3, padding=1)  # stem
    """
    source = Source(text, name)
    source.finish()
    lines = _Tidy(source).lines()
    return "\n".join(lines).strip("\n") + "\n" if lines else ""


class _Tidy:
    """A sheet being laid out; ``comments`` are those that are not written yet."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.comments = list(_comments(source.text))
        self.alone = {comment.line: comment.column for comment in self.comments if comment.alone}
        self.blank = {i for i, line in enumerate(source.lines, 1) if not line.strip()}

    def lines(self) -> list[str]:
        """Return the lines, with at most one blank line between two others."""
        lines = [*self._body(self.source.tree.body, ""), *self._before(len(self.source.lines) + 1, 0, "")]
        return [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]

    def _body(self, statements: Sequence[ast.stmt], indent: str) -> Iterator[str]:
        for i, node in enumerate(statements):
            block = isinstance(node, ast.FunctionDef)
            before = list(self._before(node.lineno, 0, indent))
            if i and (block or isinstance(statements[i - 1], ast.FunctionDef)) and (not before or before[0]):
                yield ""
            yield from before
            following = statements[i + 1].lineno if i + 1 < len(statements) else 0
            yield from self._statement(node, indent, following)
        if statements and indent:  # comments below the last line, with its indentation
            yield from self._before(self._next(statements[-1]), statements[-1].col_offset, indent)

    def _next(self, node: ast.stmt) -> int:
        """Return the number of the first line after ``node`` and its comments."""
        line = (node.end_lineno or node.lineno) + 1
        while line in self.blank or self.alone.get(line, -1) >= node.col_offset:
            line += 1
        last = line - 1
        while last in self.blank:
            last -= 1
        return last + 1

    def _before(self, line: int, column: int, indent: str) -> Iterator[str]:
        """Yield the comments and blank lines before ``line`` that are not written yet."""
        while self.comments and self.comments[0].line < line and self.comments[0].column >= column:
            comment = self.comments.pop(0)
            if comment.line - 1 in self.blank:
                yield ""
            yield indent + comment.text
        if line - 1 in self.blank:
            yield ""

    def _statement(self, node: ast.stmt, indent: str, following: int = 0) -> Iterator[str]:
        """Yield the lines of a statement; ``following`` is the line of the statement after it, 0 if there is none."""
        if isinstance(node, (ast.FunctionDef, ast.For, ast.If)):
            head = node.body[0].lineno - 1 if node.body[0].lineno > node.lineno else node.lineno
            shell = copy(node)
            vars(shell).update(body=[ast.Pass()], orelse=[])
            yield from self._with_comments(ast.unparse(_Calls().visit(shell)).split("\n")[0], node.lineno, head, indent)
            yield from self._body(node.body, indent + INDENT)
            if isinstance(node, ast.If) and node.orelse:
                yield from self._else(node.orelse, indent)
            return
        end = node.end_lineno or node.lineno
        inside = [comment for comment in self.comments if comment.line < end]
        self.comments = [comment for comment in self.comments if comment.line >= end]
        yield from (indent + comment.text for comment in inside)
        yield from self._with_comments(self._simple(node), end, end if following != end else end - 1, indent)

    def _else(self, statements: Sequence[ast.stmt], indent: str) -> Iterator[str]:
        first = statements[0]
        if len(statements) == 1 and isinstance(first, ast.If) and first.col_offset == len(indent.encode()):
            lines = list(self._statement(first, indent))
            at = next(i for i, line in enumerate(lines) if line.startswith(indent + "if "))
            yield from (*lines[:at], f"{indent}el{lines[at].lstrip()}", *lines[at + 1 :])
            return
        yield indent + "else:"
        yield from self._body(statements, indent + INDENT)

    def _with_comments(self, text: str, first: int, last: int, indent: str) -> Iterator[str]:
        trailing = [c for c in self.comments if first <= c.line <= last and not c.alone]
        self.comments = [c for c in self.comments if c not in trailing]
        first_line, *rest = text.split("\n")
        comment = "".join(f"  {c.text}" for c in trailing)
        yield f"{indent}{first_line}{comment if not rest else ''}"
        yield from rest

    def _simple(self, node: ast.stmt) -> str:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return ast.get_source_segment(self.source.text, node) or ast.unparse(node)
        return ast.unparse(_Calls().visit(node))


class _Calls(ast.NodeTransformer):
    """Write each call in one way: positional arguments if they have no default, then named ones that differ from it."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = callee_of(node)
        kind = any_kind(name) if name else None
        if isinstance(node.func, ast.Attribute) and name:
            node.func = ast.Name(name)
        plain = not any(isinstance(item, ast.Starred) for item in node.args) and all(key.arg for key in node.keywords)
        if kind is not None and plain and name not in merges() and not issubclass(kind, Operand):
            _arrange(node, name, kind)
        return node


def _arrange(node: ast.Call, name: str, kind: type[Layer]) -> None:
    names = positional(name, kind)
    pairs = [*zip(names, node.args), *((str(keyword.arg), keyword.value) for keyword in node.keywords)]
    values = dict(pairs)
    if len(node.args) > len(names) or len(values) < len(pairs) or set(values) - set(kind.arguments):
        return  # reading the sheet reports what is wrong
    args: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for argument in (argument for argument in kind.arguments if argument in values):
        value, default = values[argument], kind.arguments[argument]
        if name in kinds() and argument in kind.per_axis:
            value = _for_all_axes(value, kind.rank)
        by_place = argument in names and default is _REQUIRED and len(args) == names.index(argument)
        if by_place:
            args.append(value)
        elif default is _REQUIRED or not _is_literal(value, default):
            keywords.append(ast.keyword(argument, value))
    node.args, node.keywords = args, keywords


def _for_all_axes(value: ast.expr, rank: int) -> ast.expr:
    items = value.elts if isinstance(value, ast.Tuple) else []
    return items[0] if len(items) == rank and len({*map(ast.dump, items)}) == 1 else value


def _is_literal(value: ast.expr, default: Any) -> bool:
    """Return whether an expression is the literal ``default``."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return literal == default and type(literal) is type(default)


def _comments(text: str) -> Iterator[_Comment]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            yield _Comment(line, column, token.string.rstrip(), not token.line[:column].strip())
