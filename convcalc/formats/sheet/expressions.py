"""Values of a sheet's expressions: numbers, letters, texts, tuples, outputs of layers. Calls are in `calls`.

Nothing is executed: operators are computed one at a time, within limits, and exactly (``1.2*C`` is 12/10 of C). The
evaluator is `algebra.expression`; here are the meanings of the nodes, as functions of the language, the node and the
`Sheet`.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from convcalc.algebra import expression
from convcalc.algebra.claims import PLAIN
from convcalc.algebra.dims import ceildiv, maximum, minimum, show
from convcalc.algebra.expression import Language, Meaning, Operators
from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import LIMIT, is_symbolic
from convcalc.errors import ConvcalcError, SpecError
from convcalc.formats.sheet.names import FORMS, display, families, usage
from convcalc.formats.sheet.plan import RANGE, UNKNOWN, Unknown, within_limits
from convcalc.formats.sheet.state import Sheet
from convcalc.network.tensor import Tensor

MOST_LETTERS = 200

_SIGNS = {"Pow": "**", "MatMult": "@", "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&"}


def is_number(value: object) -> bool:
    """Return whether arithmetic can be done with a value.

    >>> is_number(3), is_number(True)
    (True, False)
    """
    return (isinstance(value, (int, Fraction, float)) and not isinstance(value, bool)) or is_symbolic(value)


def _exact(value: Any) -> Any:
    try:
        return Fraction(repr(value)) if isinstance(value, float) else value
    except ValueError:
        raise SpecError(f"{RANGE}; received {value}") from None


def _divide(a: Any, b: Any) -> Any:
    return a / b if is_symbolic(a) or is_symbolic(b) else Fraction(a, b)


def _compute(of_numbers: Callable[[Any, Any], Any], divides: bool, left: Any, right: Any) -> Any:
    """Return the exact result of an operator; raise SpecError if an operand is not a number or it is too large."""
    for value in (left, right):
        if not is_number(value):
            raise SpecError(f"arithmetic needs numbers or letters; received {display(value)}")
    left, right = _exact(left), _exact(right)
    if right == 0 and divides:
        raise SpecError("division by zero")
    return within_limits(of_numbers(left, right))


def _holds(test: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    """Return whether a comparison holds; raise SpecError for letters, and for values that cannot be compared."""
    for value in (left, right):
        if is_symbolic(value):
            raise _lettered(value, min(map(str, value.free_symbols)))
    try:
        return bool(test(_exact(left), _exact(right)))
    except TypeError:
        raise SpecError(f"{display(left)} and {display(right)} cannot be compared") from None


OPERATORS: Operators = {
    **{kind: partial(_compute, PLAIN[kind], False) for kind in (ast.Add, ast.Sub, ast.Mult)},
    **{kind: partial(_holds, PLAIN[kind]) for kind in (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)},
    ast.FloorDiv: partial(_compute, operator.floordiv, True),
    ast.Mod: partial(_compute, operator.mod, True),
    ast.Div: partial(_compute, _divide, True),
}
"""How operators compute with numbers and letters."""


def refuse(node: ast.AST, sheet: Sheet) -> ConvcalcError:
    """Return the error for Python that is not allowed in a sheet."""
    if isinstance(node, ast.BinOp):
        hint = "write a product: C*C" if isinstance(node.op, ast.Pow) else "the operators are + - * / // and %"
        return SpecError(f"the operator {_SIGNS[type(node.op).__name__]} is not allowed in a sheet", hint=hint)
    if isinstance(node, ast.Compare):
        return SpecError("this comparison is not allowed in a sheet", hint="the comparisons are == != < <= > and >=")
    is_line = isinstance(node, ast.stmt)
    return sheet.source.foreign(node, "a line is a layer, name = ..., def, for i in range(n) or if" if is_line else "")


def _lettered(value: Any, letter: str) -> SpecError:
    return SpecError(f"a condition needs numbers; {show(value)} is a letter", hint=f"give it a value: {letter} = 16")


def _round_to(value: Any, divisor: Any) -> int:
    """Return the multiple of ``divisor`` nearest to ``value``, but at least nine tenths of it (arXiv:1801.04381)."""
    if is_symbolic(value) or not isinstance(divisor, int) or divisor < 1:
        received = f"{display(value)} and {display(divisor)}"
        raise SpecError(f"round_to takes a number and an integer divisor of at least 1; received {received}")
    rounded = max(divisor, int(value + Fraction(divisor, 2)) // divisor * divisor)
    return rounded if rounded * 10 >= value * 9 else rounded + divisor


def _ceil(value: Any) -> Any:
    if not is_symbolic(value):
        return ceildiv(value.numerator, value.denominator)
    from convcalc.algebra.symbolic import ceiling_of

    return ceiling_of(value)


class FractionAmongLetters(SpecError):
    """A fraction compared with letters, which are integers."""

    def __init__(self) -> None:
        super().__init__("min and max compare letters with integers only")


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
"""The functions of numbers, and an example of each."""


def call(name: str, values: Sequence[Any]) -> Any:
    """Return the value of a function of numbers; raise SpecError if it cannot be computed.

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


def read_setting(name: str, value: Any) -> Any:
    """Return a value of ``--set``, in which a text that is a name is a letter; raise SpecError if it is too large.

    >>> read_setting("C", "W"), read_setting("C", 8)
    (W, 8)
    """
    if isinstance(value, str) and value.isidentifier() and value.isascii():
        return parse_dim(value, value)
    if is_number(value) and not is_symbolic(value) and abs(value) > LIMIT:
        raise SpecError(f"--set {name}: {RANGE}")
    return value


class SheetLanguage(Language):
    """A language that gives each error the place of the innermost node that it is about."""

    def value(self, node: ast.AST, names: Sheet) -> Any:
        """Return the value of a node; raise SpecError or ShapeError with the place of the node."""
        try:
            return super().value(node, names)
        except ConvcalcError as error:
            raise names.source.located(node, error) from None

    def each(self, nodes: Sequence[ast.expr], sheet: Sheet, read: Meaning | None = None) -> list[Any]:
        """Return the values of expressions, each of which has the output of the previous line as its input."""
        flow = sheet.plan.flow
        values = []
        for node in nodes:
            sheet.plan.flow = flow
            values.append(self.value(node, sheet) if read is None else read(self, node, sheet))
        sheet.plan.flow = flow
        return values


def read_condition(language: Language, node: ast.expr, sheet: Sheet) -> bool:
    """Return the value of an expression as a condition; raise SpecError for letters and outputs of layers."""
    value = language.value(node, sheet)
    if is_symbolic(value):
        raise sheet.source.located(node, _lettered(value, show(value)))
    if isinstance(value, Tensor):
        raise sheet.source.error(node, "a condition compares numbers; this is the output of a layer")
    return bool(value)


def read_integer(language: Language, node: ast.expr, sheet: Sheet, what: str) -> int:
    """Return an expression's value, of which ``what`` takes integers only; raise SpecError for any other."""
    value = language.value(node, sheet)
    if isinstance(value, bool) or not isinstance(value, int):
        shown = "the output of a layer" if isinstance(value, Tensor) else display(value)
        hint = f"give it a value: {shown} = 2" if is_symbolic(value) else "// divides and rounds down"
        raise sheet.source.error(node, f"{what} takes integers; received {shown}", hint=hint)
    return value


def read_tensor(language: Language, node: ast.expr, sheet: Sheet) -> Tensor:
    """Return the output of a layer; raise SpecError for any other value."""
    value = language.value(node, sheet)
    if not isinstance(value, Tensor):
        raise sheet.no_output(node)
    return value


def _tuple(language: SheetLanguage, node: ast.Tuple | ast.List, sheet: Sheet) -> tuple[Any, ...]:
    return tuple(language.each(node.elts, sheet))


def _joined(language: Language, node: ast.BoolOp, sheet: Sheet) -> bool:
    results = [read_condition(language, item, sheet) for item in node.values]
    return all(results) if isinstance(node.op, ast.And) else any(results)


def _constant(language: Language, node: ast.Constant, sheet: Sheet) -> Any:
    value = node.value
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return within_limits(value)
    if isinstance(value, float):
        if abs(value) <= LIMIT:
            return value
        raise SpecError(f"{RANGE}; received {value:g}")
    if value is Ellipsis and node.lineno in sheet.source.lost:
        raise Unknown
    raise SpecError("... is not a layer" if value is Ellipsis else f"{value!r:.40} is not allowed in a sheet")


def _name(language: Language, node: ast.Name, sheet: Sheet) -> Any:
    """Return the value of a name: a constant, an output, a setting, or else a letter."""
    for frame in (sheet.plan.frame, sheet.plan.frames[0]):
        if node.id in frame.names:
            if frame.names[node.id] is UNKNOWN:
                raise Unknown
            return frame.names[node.id]
    if node.id in sheet.settings:
        sheet.unused.discard(node.id)
        return sheet.settings[node.id]
    if node.id in sheet.blocks or node.id in families() or node.id in FORMS:
        what = "a block" if node.id in sheet.blocks else "not a letter" if node.id in FORMS else "a layer"
        hint = usage(node.id) if what == "a layer" else f"{node.id}(...)"
        raise SpecError(f"{node.id} is {what}; its brackets are missing", hint=f"write {hint}")
    if node.id == "inf":
        return float("inf")  # hardtanh may have infinite bounds
    sheet.letters.add(node.id)
    if len(sheet.letters) > MOST_LETTERS:
        sheet.stop(node, f"a sheet may have at most {MOST_LETTERS} letters")
    return parse_dim(node.id, node.id)


def _sign(language: Language, node: ast.UnaryOp, sheet: Sheet) -> Any:
    if isinstance(node.op, ast.Not):
        return not read_condition(language, node.operand, sheet)
    value = language.value(node.operand, sheet)
    if not is_number(value) or isinstance(node.op, ast.Invert):
        raise SpecError("a sign must be followed by a number or a letter")
    return -value if isinstance(node.op, ast.USub) else value


VALUES: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.UnaryOp: _sign,
    ast.BoolOp: _joined,
    ast.Compare: expression.chain,
}
"""The meanings of all nodes but calls and operators between outputs."""
