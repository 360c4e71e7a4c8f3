"""Values of a sheet's expressions: numbers, letters, texts, tuples, outputs of layers.

Nothing is executed: operators are computed one at a time, within limits, and exactly: ``1.2*C`` is 12/10 of C.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NoReturn

from convcalc.algebra.claims import PLAIN
from convcalc.algebra.dims import ceildiv, maximum, minimum, show
from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import LIMIT, is_symbolic
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.formats.sheet.names import FORMS, display, families, usage
from convcalc.formats.sheet.plan import RANGE, UNKNOWN, Reading, Unknown, within_limits
from convcalc.formats.sheet.source import MOST_NODES, Source
from convcalc.network.tensor import Tensor

MOST_LETTERS = 200

_SIGNS = {"Pow": "**", "MatMult": "@", "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&"}


def is_number(value: object) -> bool:
    """Whether a value takes part in arithmetic."""
    return (isinstance(value, (int, Fraction, float)) and not isinstance(value, bool)) or is_symbolic(value)


def _exact(value: Any) -> Any:
    try:
        return Fraction(repr(value)) if isinstance(value, float) else value
    except ValueError:
        raise SpecError(f"{RANGE}; received {value}") from None


def _divide(a: Any, b: Any) -> Any:
    return a / b if is_symbolic(a) or is_symbolic(b) else Fraction(a, b)


_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    **PLAIN,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Div: _divide,
}


def apply(kind: ast.operator, left: Any, right: Any) -> Any:
    """``left`` and ``right`` joined by an operator of the syntax tree; raises SpecError.

    >>> apply(ast.FloorDiv(), 7, 2)
    3
    """
    compute = _OPERATORS.get(type(kind))
    if compute is None:
        hint = "write a product: C*C" if isinstance(kind, ast.Pow) else "there are + - * / // and %"
        raise SpecError(f"the operator {_SIGNS[type(kind).__name__]} is not part of a sheet", hint=hint)
    for value in (left, right):
        if not is_number(value):
            raise SpecError(f"arithmetic needs numbers or letters; received {display(value)}")
    left, right = _exact(left), _exact(right)
    if right == 0 and isinstance(kind, (ast.FloorDiv, ast.Mod, ast.Div)):
        raise SpecError("division by zero")
    return within_limits(compute(left, right))


def _holds(kind: ast.cmpop, left: Any, right: Any) -> bool:
    test = _OPERATORS.get(type(kind))
    if test is None:
        raise SpecError("this comparison is not part of a sheet", hint="there are == != < <= > and >=")
    for value in (left, right):
        if is_symbolic(value):
            raise _lettered(value, min(map(str, value.free_symbols)))
    try:
        return bool(test(_exact(left), _exact(right)))
    except TypeError:
        raise SpecError(f"{display(left)} and {display(right)} cannot be compared") from None


def _lettered(value: Any, letter: str) -> SpecError:
    return SpecError(f"a condition needs numbers; {show(value)} is a letter", hint=f"give it a value: {letter} = 16")


def _round_to(value: Any, divisor: Any) -> int:
    """The multiple of ``divisor`` nearest to ``value``, not under nine tenths of it (arXiv:1801.04381)."""
    if is_symbolic(value) or not isinstance(divisor, int) or divisor < 1:
        received = f"{display(value)} and {display(divisor)}"
        raise SpecError(f"round_to takes a number and a whole divisor; received {received}")
    rounded = max(divisor, int(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded if rounded * 10 >= value * 9 else rounded + divisor


def _ceil(value: Any) -> Any:
    if not is_symbolic(value):
        return ceildiv(value.numerator, value.denominator)
    from convcalc.algebra.symbolic import ceiling_of

    return ceiling_of(value)


class FractionAmongLetters(SpecError):
    """A fraction compared with letters, which stand for integers."""

    def __init__(self) -> None:
        super().__init__("min and max compare letters with whole numbers only")


def _fold(of_numbers: Callable[..., Any], of_letters: Callable[..., Any], result: Any, *rest: Any) -> Any:
    for value in rest:
        lettered = is_symbolic(result) or is_symbolic(value)
        if lettered and (isinstance(result, Fraction) or isinstance(value, Fraction)):
            raise FractionAmongLetters()
        result = within_limits((of_letters if lettered else of_numbers)(result, value))
    return result


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], str]] = {
    "min": (partial(_fold, min, minimum), "min(a, b)"),
    "max": (partial(_fold, max, maximum), "max(a, b)"),
    "ceil": (_ceil, "ceil(H/2)"),
    "round_to": (_round_to, "round_to(1.2*C, 8)"),
}
"""The functions, and how each is written."""


def call(name: str, values: Sequence[Any]) -> Any:
    """A function of numbers; raises SpecError.

    >>> call("round_to", [33.2, 8])
    32
    """
    function, example = FUNCTIONS[name]
    for value in values:
        if not is_number(value):
            raise SpecError(f"{name} takes numbers or letters; received {display(value)}")
    try:
        return within_limits(function(*map(_exact, values)))
    except TypeError:
        count = f"{len(values)} value{'s' * (len(values) != 1)}"
        raise SpecError(f"{name} cannot be computed from {count}", hint=f"write {example}") from None


def _setting(name: str, value: Any) -> Any:
    if isinstance(value, str) and value.isidentifier() and value.isascii():
        return parse_dim(value, value)
    if is_number(value) and not is_symbolic(value) and abs(value) > LIMIT:
        raise SpecError(f"--set {name}: {RANGE}")
    return value


class Expressions(Reading):
    """Computes the values of a sheet's expressions, by a method for each kind of node."""

    root: Source
    turns = 0

    def _follow(self) -> None:
        self.settings = {key: _setting(key, value) for key, value in self.settings.items()}
        self.source = self.root  # the sheet that the present line stands in
        self.places: list[str] = []  # blocks and included sheets that it stands in
        self.letters: set[str] = set()
        self.blocks: dict[str, Any] = {}
        self.broken: set[str] = set()  # blocks with an error in their first line
        self.tried: set[str] = set()  # blocks whose lines have been read
        self.included: set[str] = set()

    def stop(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        self.root.stop(self.source.error(node, what, hint))

    def _report(self, node: ast.AST, error: ConvcalcError) -> None:
        located = self.source.located(node, error)
        located.details.extend(f"in {label}" for label in reversed(self.places))
        self.root.report(located)

    def _count(self, node: ast.AST, turns: int = 1) -> None:
        """One more layer, or turns of a loop; stops past the limit."""
        self.turns += turns
        if self.turns > MOST_NODES:
            self.stop(node, f"a network may not have more than {MOST_NODES:,} layers and turns of loops")

    def _condition(self, node: ast.expr) -> bool:
        value = self._value(node)
        if is_symbolic(value):
            raise self.source.located(node, _lettered(value, show(value)))
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
        """The value of an expression; a layer bears ``name``."""
        try:
            return self._reader_of(node)(node, name)
        except ConvcalcError as error:
            raise self.source.located(node, error) from None

    def _reader_of(self, node: ast.AST, hint: str = "") -> Callable[..., Any]:
        """The method named for this kind of node; raises SpecError where a sheet has none such."""
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is None:
            raise self.source.foreign(node, hint)
        found: Callable[..., Any] = read
        return found

    def _each(self, nodes: Sequence[ast.expr], read: Callable[[ast.expr], Any] | None = None) -> list[Any]:
        """The values of expressions side by side: what flows into each is the line before."""
        flow = self.plan.flow
        values = []
        for node in nodes:
            self.plan.flow = flow
            values.append((read or self._value)(node))
        self.plan.flow = flow
        return values

    def _tuple(self, node: ast.Tuple | ast.List, name: str) -> Any:
        return tuple(self._each(node.elts))

    _list = _tuple

    def _compare(self, node: ast.Compare, name: str) -> bool:
        values = [self._value(item) for item in (node.left, *node.comparators)]
        return all(_holds(op, a, b) for op, a, b in zip(node.ops, values, values[1:]))

    def _boolop(self, node: ast.BoolOp, name: str) -> bool:
        results = [self._condition(item) for item in node.values]
        return all(results) if isinstance(node.op, ast.And) else any(results)

    def _constant(self, node: ast.Constant, name: str) -> Any:
        value = node.value
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return within_limits(value)
        if isinstance(value, float):
            if abs(value) <= LIMIT:
                return value
            raise SpecError(f"{RANGE}; received {value:g}")
        if value is Ellipsis and node.lineno in self.source.lost:
            raise Unknown
        raise SpecError("... is no layer" if value is Ellipsis else f"{value!r:.40} is not a number of a sheet")

    def _name(self, node: ast.Name, name: str) -> Any:
        for frame in (self.plan.frame, self.plan.frames[0]):
            if node.id in frame.names:
                if frame.names[node.id] is UNKNOWN:
                    raise Unknown
                return frame.names[node.id]
        if node.id in self.settings:
            self.unused.discard(node.id)
            return self.settings[node.id]
        if node.id in self.blocks or node.id in families() or node.id in FORMS:
            what = "a block" if node.id in self.blocks else "no letter" if node.id in FORMS else "a layer"
            hint = usage(node.id) if what == "a layer" else f"{node.id}(...)"
            raise SpecError(f"{node.id} is {what}; its brackets are missing", hint=f"write {hint}")
        if node.id == "inf":
            return float("inf")  # a bound of hardtanh may be that
        self.letters.add(node.id)
        if len(self.letters) > MOST_LETTERS:
            self.stop(node, f"a sheet has at most {MOST_LETTERS} letters")
        return parse_dim(node.id, node.id)

    def _unaryop(self, node: ast.UnaryOp, name: str) -> Any:
        if isinstance(node.op, ast.Not):
            return not self._condition(node.operand)
        value = self._value(node.operand)
        if not is_number(value) or isinstance(node.op, ast.Invert):
            raise SpecError("a sign stands before a number or a letter only")
        return -value if isinstance(node.op, ast.USub) else value

    def _tensor(self, node: ast.expr) -> Tensor:
        value = self._value(node)
        if not isinstance(value, Tensor):
            raise self._no_output(node)
        return value

    def _no_output(self, node: ast.expr) -> ConvcalcError:
        named = self.plan.frames[0].names | self.plan.frame.names
        known = [name for name, value in named.items() if isinstance(value, Tensor)]
        word = ast.unparse(node)[:40]
        hint = did_you_mean(word, known)
        if not hint:
            said = f"named so far: {', '.join(known[-8:])}" if known else "nothing is named yet"
            hint = f"{said}; a layer's output is named by e1 = conv(64, 3)"
        return self.source.error(node, f"{word} is not the output of a layer", hint)
