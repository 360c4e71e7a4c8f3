"""What a claim says about dims: relations between letters, which `analysis.solving` narrows ranges of numbers by.

A claim is a text of the user (`claims`), a relation an object of sympy. Not every claim has relations that say the
same; one without is checked number by number instead.
"""

import ast
from collections.abc import Mapping
from itertools import chain
from typing import Any

from convcalc.algebra.claims import CLAIMS, OPPOSITE, Claim, Scope
from convcalc.algebra.symbolic import relate
from convcalc.algebra.types import Dim

_MOST_CASES = 12  # of which one must hold, in one relation


def derive_relations(claim: Claim, dims: Mapping[str, Dim]) -> list[Any]:
    """Return relations that together say what a claim says of the dims of its letters, None for a part without one.

    >>> from convcalc.algebra.claims import read_claim
    >>> from convcalc.algebra.parse import symbols
    >>> k, p = symbols("k p")
    >>> derive_relations(read_claim("k > p, k odd or p == 3, k % p == 1 or k == 5", ["k", "p"]), {"k": k, "p": p})
    [k - 1 >= p, Eq((p - 3)*(Mod(k, 2) - 1), 0), None]
    """
    scope = claim.scope(dims)
    return [relation for part in claim.parts for relation in _relations_of_part(part, scope)]


def _relations_of_part(part: ast.expr, scope: Scope) -> list[Any]:
    by = [n.right for n in ast.walk(part) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.FloorDiv, ast.Mod))]
    # a comparison that divides by 0 is false, unless it is negated
    plain = isinstance(part, ast.Compare) and not any(isinstance(s, (ast.NotEq, ast.NotIn)) for s in part.ops)
    if not all((isinstance(n, ast.Name) and plain) or (isinstance(n, ast.Constant) and n.value) for n in by):
        return [None]
    positive = [relate(">=", scope.values[n.id], 1) for n in by if isinstance(n, ast.Name)]
    return [*_relations(part, True, scope), *positive]


def _relations(node: ast.expr, true: bool, scope: Scope) -> list[Any]:
    """Return relations that say that a claim without division by 0 is true, or false; [None] where there are none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _relations(node.operand, not true, scope)
    if isinstance(node, ast.BoolOp):
        parts = [_relations(part, true, scope) for part in node.values]
        return list(chain(*parts)) if isinstance(node.op, ast.And) == true else _one_of(parts)
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    if not sides or any(isinstance(n, (ast.Compare, ast.BoolOp, ast.Not)) for side in sides for n in ast.walk(side)):
        return [None]
    try:
        values = [CLAIMS.value(side, scope) for side in sides]
    except TypeError:  # a range of letters
        return [None]
    signs = [type(sign) if true else OPPOSITE[type(sign)] for sign in node.ops]  # type: ignore[attr-defined]
    pairs = [_comparison(sign, a, b) for sign, a, b in zip(signs, values, values[1:])]
    return list(chain(*pairs)) if true else _one_of(pairs)


def _comparison(sign: type[ast.cmpop], a: Any, b: Any) -> list[Any]:
    """Return one comparison of dims as relations."""
    if sign in (ast.In, ast.NotIn):
        if isinstance(b, range):
            within = [relate(">=", a, b.start), relate(">=", b.stop - 1, a)]
            outside = [relate(">=", (a - b.start) * (a - b.stop + 1), 1)] if b else [True]
            return within if sign is ast.In else outside
        if sign is ast.In:
            return _one_of([_comparison(ast.Eq, a, item) for item in b])
        return [relation for item in b for relation in _comparison(ast.NotEq, a, item)]
    if sign is ast.Eq:
        return [relate("==", a, b)]
    if sign is ast.NotEq:
        return [relate(">=", (a - b) * (a - b), 1)]
    if sign in (ast.Lt, ast.LtE):
        return [relate(">=", b - int(sign is ast.Lt), a)]
    return [relate(">=", a - int(sign is ast.Gt), b)]


def _one_of(cases: list[list[Any]]) -> list[Any]:
    """Return a relation that says that one of several cases holds: a product of equations that is 0; else [None]."""
    if len(cases) == 1:
        return cases[0]
    product: Any = 1
    for case in cases:
        relation = case[0] if len(case) == 1 and len(cases) <= _MOST_CASES else None
        if isinstance(relation, bool):
            product *= not relation
        elif relation is not None and not hasattr(relation, "gts"):
            product *= relation.lhs - relation.rhs
        else:
            return [None]
    return [relate("==", product, 0)]
