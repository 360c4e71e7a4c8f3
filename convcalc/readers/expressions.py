"""Expressions of a spec sheet: the value of each, by syntax node: numbers, letters, texts, tuples, outputs of layers.

Statements and the meaning of calls are `readers.spec`'s.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from convcalc import nn
from convcalc.algebra.dims import LIMIT, is_symbolic, parse_dim, show
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.network.tensor import Tensor
from convcalc.readers import arithmetic
from convcalc.readers.arithmetic import display
from convcalc.readers.hints import guarded
from convcalc.readers.names import FORMS, MERGES, any_kind, families, kinds, usage
from convcalc.readers.plan import UNKNOWN, Plan, Unknown
from convcalc.readers.source import MOST_NODES, Enough, Source
from convcalc.readers.syntax import EXPRESSIONS

MOST_LETTERS = 200

_JOINING = {ast.Add: "add", ast.Mult: "mul", ast.Sub: "sub", ast.Div: "div", ast.MatMult: "matmul"}


class Expressions:
    """Computes the values of a sheet's expressions."""

    def __init__(self, source: Source, plan: Plan, settings: Mapping[str, Any]) -> None:
        self.source = source
        self.plan = plan
        self.settings = settings
        self.unused = set(settings)
        self.letters: set[str] = set()
        self.blocks: Mapping[str, object] = {}
        self.turns = 0

    def _call(self, node: ast.Call, name: str) -> Any:
        raise NotImplementedError

    def stop(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        """Note that a limit on sheets is met at a node, and read no further: raises Enough."""
        self.source.errors.append(self.source.error(node, what, hint=hint))
        raise Enough

    def _count(self, node: ast.AST, turns: int = 1) -> None:
        """One more layer, or turns of a loop; stops past the limit."""
        self.turns += turns
        if self.turns > MOST_NODES:
            self.stop(node, f"a network may not have more than {MOST_NODES:,} layers and turns of loops")

    def _condition(self, node: ast.expr) -> bool:
        value = self._value(node)
        if is_symbolic(value):
            raise self.source.error(
                node,
                f"a condition needs numbers; {show(value)} is a letter",
                hint=f"give it a value: {show(value)} = 16",
            )
        if isinstance(value, Tensor):
            raise self.source.error(node, "a condition compares numbers; this is the output of a layer")
        return bool(value)

    def _whole(self, node: ast.expr, what: str) -> int:
        value = self._value(node)
        if isinstance(value, bool) or not isinstance(value, int):
            shown = "the output of a layer" if isinstance(value, Tensor) else display(value)
            hint = f"give it a value: {shown} = 2" if is_symbolic(value) else "// divides and rounds down"
            raise self.source.error(node, f"{what} takes whole numbers; received {shown}", hint=hint)
        return value

    def _value(self, node: ast.expr, name: str = "") -> Any:
        """The value of an expression: a number, a letter, a text, a tuple or a tensor; a layer bears ``name``."""
        try:
            return self._compute(node, name)
        except ConvcalcError as error:
            raise self.source.located(node, error) from None

    def _compute(self, node: ast.expr, name: str) -> Any:
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            return self._lookup(node)
        if isinstance(node, ast.Call):
            return self._call(node, name)
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self._each(node.elts))
        if isinstance(node, ast.BinOp):
            left, right = self._each([node.left, node.right])
            return self._binary(node, left, right, name)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.Compare):
            values = [self._value(item) for item in (node.left, *node.comparators)]
            return all(arithmetic.compare(op, a, b) for op, a, b in zip(node.ops, values, values[1:]))
        if isinstance(node, ast.BoolOp):
            results = [self._condition(item) for item in node.values]
            return all(results) if isinstance(node.op, ast.And) else any(results)
        if isinstance(node, ast.Subscript):
            return self._part(node, name)
        what = EXPRESSIONS.get(type(node).__name__, "this")
        hint = "layers go by their bare names, with nn. in front or not" if isinstance(node, ast.Attribute) else ""
        raise self.source.error(node, f"{what} is not part of a sheet", hint=hint)

    def _each(self, nodes: Sequence[ast.expr]) -> list[Any]:
        """The values of expressions side by side: what flows into each is the line before."""
        flow = self.plan.flow
        values = []
        for node in nodes:
            self.plan.flow = flow
            values.append(self._value(node))
        self.plan.flow = flow
        return values

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return arithmetic.within_limits(value)
        if isinstance(value, float) and abs(value) <= LIMIT:
            return value
        if value is Ellipsis and node.lineno in self.source.lost:
            raise Unknown
        if isinstance(value, float):
            raise SpecError(f"numbers lie between -{LIMIT:,} and {LIMIT:,}; received {value:g}")
        raise SpecError("... is no layer" if value is Ellipsis else f"{value!r:.40} is not a number of a sheet")

    def _lookup(self, node: ast.Name) -> Any:
        for frame in (self.plan.frame, self.plan.frames[0]):
            if node.id in frame.names:
                value = frame.names[node.id]
                if value is UNKNOWN:
                    raise Unknown
                return value
        if node.id in self.settings:
            self.unused.discard(node.id)
            return self.settings[node.id]
        if node.id in self.blocks or node.id in families() or node.id in MERGES or node.id in FORMS:
            what = "a block" if node.id in self.blocks else "no letter" if node.id in FORMS else "a layer"
            kind = any_kind(node.id)
            hint = usage(node.id, kind) if kind and node.id not in self.blocks else f"{node.id}(...)"
            raise SpecError(f"{node.id} is {what}; its brackets are missing", hint=f"write {hint}")
        if node.id == "inf":
            return float("inf")  # a bound of hardtanh may be that
        self.letters.add(node.id)
        if len(self.letters) > MOST_LETTERS:
            self.stop(node, f"a sheet has at most {MOST_LETTERS} letters")
        return parse_dim(node.id, node.id)

    def _unary(self, node: ast.UnaryOp) -> Any:
        value = self._value(node.operand)
        if isinstance(node.op, ast.Not):
            return not self._condition(node.operand)
        if not arithmetic.is_number(value) or isinstance(node.op, ast.Invert):
            raise SpecError("a sign stands before a number or a letter only")
        return -value if isinstance(node.op, ast.USub) else value

    def _binary(self, node: ast.BinOp, left: Any, right: Any, name: str) -> Any:
        tensors = [value for value in (left, right) if isinstance(value, Tensor)]
        if not tensors:
            return arithmetic.apply(node.op, left, right)
        kind = _JOINING.get(type(node.op))
        scalars = [value for value in (left, right) if not isinstance(value, Tensor)]
        if kind is None or (scalars and (kind == "matmul" or not arithmetic.is_number(scalars[0]))):
            raise SpecError("outputs of layers are joined by + - * / and @, or by cat(a, b)")
        if scalars and is_symbolic(scalars[0]) and show(scalars[0]) in self.letters:
            raise self._no_output(node.right if left is tensors[0] else node.left)
        options: dict[str, Any] = {"scalar": arithmetic.plain(scalars[0])} if scalars else {}
        if scalars and left is scalars[0] and kind in ("sub", "div"):
            options["reversed"] = True
        self._count(node)
        with guarded(kind):
            return self.plan.record(getattr(nn, MERGES[kind])(**options), tensors, name or kind, numbered=not name)

    def _part(self, node: ast.Subscript, name: str) -> Any:
        """A part of a tensor: ``y[:, 0:16]``."""
        value = self._value(node.value)
        if not isinstance(value, Tensor):
            raise SpecError("square brackets take a part of a layer's output", hint="write half = y[:, 0:16]")
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = tuple(self._index(item) for item in items)
        self._count(node)
        with guarded("[ ]"):
            return self.plan.record(nn.Slice(index), [value], name or "slice", numbered=not name)

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*[end and self._value(end) for end in (node.lower, node.upper, node.step)])
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return Ellipsis
        return self._value(node)

    def _tensor(self, node: ast.expr) -> Tensor:
        value = self._value(node)
        if not isinstance(value, Tensor):
            raise self._no_output(node)
        return value

    def _no_output(self, node: ast.expr) -> SpecError:
        """The error for what should be the output of a layer and is not."""
        names = {name: value for frame in (self.plan.frames[0], self.plan.frame) for name, value in frame.names.items()}
        known = [name for name, value in names.items() if isinstance(value, Tensor)]
        word = ast.unparse(node)[:40]
        hint = did_you_mean(word, known)
        if not hint:
            named = f"named so far: {', '.join(known[-8:])}" if known else "nothing is named yet"
            hint = f"{named}; a layer's output is named by e1 = conv(64, 3)"
        return self.source.error(node, f"{word} is not the output of a layer", hint=hint)


def callee_of(node: ast.AST) -> str:
    """The name that a call calls (``nn.`` in front is dropped), or an empty text."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr in kinds():
        owner = function.value
        module = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
        return function.attr if module == "nn" else ""
    return function.id if isinstance(function, ast.Name) else ""
